"""A recorded case as of now: what was known keeps its age, what is known by now takes its place."""

import datetime
from typing import Any

import pytest

from app.engine.case import Case
from app.engine.intake import CaseError, take
from app.engine.intake.renewing import FreshContext, contact_time, renewed
from app.engine.vocabulary import Contact, DecisionRequest
from app.engine.vocabulary.choices import Choice
from tests.customers import SMS
from tests.pipeline import shipped

pytestmark = pytest.mark.unit

DECIDED = datetime.datetime(2026, 11, 20, 2, 0, tzinfo=datetime.UTC)
NOW = DECIDED + datetime.timedelta(days=2)


def decided(**changes: Any) -> Case:
    body = {name: value for name, value in SMS.items() if name != "as_of"}
    return take(shipped(), DecisionRequest.model_validate(body | changes), now=DECIDED, role="campaign")


def anew(case: Case, fresh: dict[str, Any] | None = None, **known: Any) -> Case:
    told = None if fresh is None else FreshContext.model_validate(fresh)
    given = {"contact_at": None, "contacts": (), "choices": (), **known}
    return renewed(shipped(), case, NOW, fresh=told, **given)


def test_what_was_known_keeps_its_age() -> None:
    """A section that took its time from the request has it as its own now; one that had its own keeps that."""
    case = decided()
    subscriber = anew(case).subscriber
    assert subscriber.billing is not None
    assert subscriber.churn is not None
    assert (subscriber.billing.as_of, subscriber.churn.as_of) == (case.times.as_of, case.subscriber.churn and case.subscriber.churn.as_of)
    assert anew(case).times.as_of == NOW


def test_what_is_known_by_now_takes_its_place() -> None:
    """As a whole, as of now; null is unknown."""
    subscriber = anew(decided(), {"billing": {"toll_fee": [0]}, "consent": None}).subscriber
    assert subscriber.billing is not None
    assert (subscriber.billing.toll_fee, subscriber.billing.total, subscriber.billing.as_of) == ((0,), None, None)
    assert subscriber.consent is None


def test_contacts_and_choices_on_the_record_count() -> None:
    """Contacts beside those that were known; where nobody knew of any and there are none, they stay unknown."""
    told = (Contact(at=NOW, channel="app", action="tariff_pack", result="refused"),)
    choice = Choice("no_marketing", None, "2026-11-21T00:00:00.000000+00:00", "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b")
    case = decided()
    assert anew(case, contacts=told).subscriber.contacts == told
    assert anew(case, choices=(choice,)).choices == (choice,)
    unknown = {name: value for name, value in SMS["subscriber"].items() if name != "contacts"}
    assert anew(decided(subscriber=unknown)).subscriber.contacts is None


def test_the_asker_and_the_place_stay() -> None:
    """It is the same question, later."""
    case = decided()
    again = anew(case)
    assert (again.asker, again.channel, again.direction, again.locale) == (case.asker, case.channel, case.direction, case.locale)


def test_when_the_person_is_contacted() -> None:
    """Now, or later; by a clock that is a little slow, now; neither in the past nor months ahead."""
    minute = datetime.timedelta(minutes=1)
    assert contact_time(None, NOW) is None
    assert contact_time(NOW - minute, NOW) == NOW
    assert contact_time(NOW + minute, NOW) == NOW + minute
    for wrong in (NOW - 6 * minute, NOW + datetime.timedelta(days=91)):
        with pytest.raises(CaseError):
            contact_time(wrong, NOW)
