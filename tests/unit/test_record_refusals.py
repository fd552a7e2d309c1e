"""What a person refused and since when: one refusal is one, whoever reported it and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from app.record.export.refusals import Refusal, refusals_of
from app.record.reading.recorded import Recorded

pytestmark = pytest.mark.unit

SENT = "2026-11-20T02:00:00.250000+00:00"
REFUSED = "2026-11-21T06:30:00.000000+00:00"
OURS = {"at": SENT, "channel": "sms_marketing", "action": "tariff_pack", "result": "refused", "decision_id": "d-1"}


def entry(kind: str, at: str, body: Mapping[str, Any] | None = None, **subscriber: Any) -> Recorded:
    return Recorded("e", {"kind": kind, "at": at, "body": body or {}}, {"case": {"subscriber": subscriber}}, "readable", None)


def outcome(at: str, said: str = "refused") -> Recorded:
    return entry("outcome", at, {"decision": "d-1", "action": "tariff_pack", "outcome": said, "at": at})


def decided(at: str = "2026-11-22T00:00:00+00:00", **subscriber: Any) -> Recorded:
    return entry("decision", at, **subscriber)


def theirs(at: str, **more: Any) -> dict[str, Any]:
    return {"at": at, "channel": "sms_marketing", "action": "tariff_pack", "result": "refused", **more}


def test_since_is_when_the_person_refused() -> None:
    """Not when the message was sent that they refused a day later."""
    assert refusals_of([OURS], [outcome(SENT, "sent"), outcome(REFUSED)]) == [Refusal("tariff_pack", "sms_marketing", REFUSED, 1)]


@pytest.mark.parametrize(
    "told",
    [
        theirs("2026-11-20T02:00:00.250000Z"),
        theirs("2026-11-20T10:00:00+08:00"),
        theirs("2026-11-21T14:30:00+08:00"),
        theirs("2026-11-19T00:00:00Z", message="d-1"),
    ],
    ids=["in another form", "in another zone", "by the time of the refusal", "by its message"],
)
def test_one_refusal_is_one(told: dict[str, Any]) -> None:
    """A contact of our own that a case holds too, as the record or the caller's systems wrote it, is the same contact."""
    found = refusals_of([OURS], [outcome(REFUSED), decided(contacts=[told]), decided(contacts=[told])])
    assert found == [Refusal("tariff_pack", "sms_marketing", REFUSED, 1)]


def test_a_refusal_reported_twice_is_one() -> None:
    """By the agent and by another system: since the earlier."""
    told = [outcome("2026-11-21T07:00:00+00:00"), outcome(REFUSED), outcome("2026-11-21T08:00:00+00:00")]
    assert refusals_of([OURS], told) == [Refusal("tariff_pack", "sms_marketing", REFUSED, 1)]


def test_refusals_of_several_contacts_are_counted() -> None:
    """Since the first, by the instant and not by its text."""
    first, second = "2026-11-02T01:00:00+08:00", "2026-11-01T23:00:00Z"
    found = refusals_of([], [decided(contacts=[theirs(second), theirs(first)])])
    assert found == [Refusal("tariff_pack", "sms_marketing", first, 2)]


def test_a_consent_refused_on_a_known_day_counts_from_it() -> None:
    """The day the operator knows goes before the first decision that saw it."""
    no = {"marketing": "no", "updated_on": "2026-10-05"}
    found = refusals_of([], [decided(consent={"marketing": "no"}), decided("2026-11-23T00:00:00+00:00", consent=no)])
    assert found == [Refusal("marketing", None, "2026-10-05", 1)]


def test_a_consent_of_no_known_day_is_said_to_be_seen_first() -> None:
    """Not to be refused then; and once, however many decisions saw it."""
    seen = [decided(f"2026-11-2{day}T00:00:00+00:00", consent={"refused_channels": ["robot"]}) for day in (2, 3)]
    assert refusals_of([], seen) == [Refusal("channel robot", None, "2026-11-22T00:00:00+00:00", 1, first_seen=True)]


def test_who_agreed_in_between_refused_anew() -> None:
    """What was last known counts, since then."""
    days = [("21", "no"), ("22", "yes"), ("23", "no")]
    found = refusals_of([], [decided(f"2026-11-{day}T00:00:00+00:00", consent={"personalised": said}) for day, said in days])
    assert [refusal.since for refusal in found] == ["2026-11-23T00:00:00+00:00"]
