"""Whose contact history a request is decided with."""

import datetime
import json
from typing import Any

import pytest

from app.engine.intake import parse_request, with_history
from app.engine.vocabulary import LONGEST_HISTORY, Contact, DecisionRequest

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
OLD = Contact(at=NOW - DAY, channel="app", action="tariff_pack", kind="offer", result="refused", message="d-1")


def asked(contacts: list[dict[str, Any]] | None = None, **fields: Any) -> DecisionRequest:
    told = {} if contacts is None else {"contacts": contacts}
    return parse_request(json.dumps({"channel": "app", "subscriber": {"id": "s-1", **told}, **fields}).encode())


def contacts_of(request: DecisionRequest, *recorded: Contact) -> tuple[Contact, ...] | None:
    return with_history(request, recorded, NOW).subscriber.contacts


def test_the_callers_history_stays() -> None:
    """Left out, or `caller`: what the caller told, unknown included, and nothing of the record."""
    assert contacts_of(asked(), OLD) is None
    assert contacts_of(asked([], history="caller"), OLD) == ()


def test_the_records_history_takes_its_place() -> None:
    """`record`: what outcomes told us, whatever the caller tells."""
    assert contacts_of(asked([{"at": "2026-11-01T00:00:00Z"}], history="record"), OLD) == (OLD,)
    assert contacts_of(asked(history="record")) == ()


def test_both_are_put_together() -> None:
    """`both`: the caller's contacts and the record's."""
    own = {"at": "2026-11-01T00:00:00Z", "channel": "shop"}
    found = contacts_of(asked([own], history="both"), OLD)
    assert found is not None
    assert [contact.channel for contact in found] == ["shop", "app"]
    assert contacts_of(asked(history="both"), OLD) == (OLD,)


@pytest.mark.parametrize("result", [None, "shown", "sent"])
def test_a_contact_told_twice_counts_once(result: str | None) -> None:
    """Same second, channel and action: one contact, which ended as the one who knows says."""
    own = {"at": "2026-11-21T10:00:00.4+08:00", "channel": "app", "action": "tariff_pack", "campaign": "c-1", "result": result}
    (found,) = contacts_of(asked([own], history="both"), OLD) or ()
    assert (found.result, found.kind, found.campaign, found.message) == ("refused", "offer", "c-1", "d-1")


@pytest.mark.parametrize("other", [{"channel": "web"}, {"action": "fusion_bundle"}, {"at": "2026-11-21T02:00:01Z"}])
def test_other_contacts_stay_apart(other: dict[str, str]) -> None:
    """Another channel, action or second is another contact."""
    own = {"at": "2026-11-21T02:00:00Z", "channel": "app", "action": "tariff_pack", **other}
    assert len(contacts_of(asked([own], history="both"), OLD) or ()) == 2


def test_how_it_ended_is_not_overwritten() -> None:
    """What the caller says of the end stands."""
    own = {"at": "2026-11-21T02:00:00Z", "channel": "app", "action": "tariff_pack", "result": "accepted"}
    (found,) = contacts_of(asked([own], history="both"), OLD) or ()
    assert found.result == "accepted"


def test_no_cap_is_passed_by_dating_back() -> None:
    """A contact that was recorded after `as_of` counts as of then."""
    late = OLD.model_copy(update={"at": NOW})
    (found,) = contacts_of(asked(history="record", as_of="2026-11-22T01:56:00Z"), late) or ()
    assert found.at == NOW - datetime.timedelta(minutes=4)


def test_the_latest_are_kept() -> None:
    """A history that is longer than a case may hold loses its oldest."""
    many = [Contact(at=NOW - number * datetime.timedelta(hours=1)) for number in range(LONGEST_HISTORY + 3)]
    found = contacts_of(asked(history="record"), *many) or ()
    assert len(found) == LONGEST_HISTORY
    assert max(contact.at for contact in found) == NOW
    assert min(contact.at for contact in found) == many[-4].at
