"""A case that was written as JSON reads back as it was, in its own time zone."""

import datetime
import json

import pytest
from orjson import dumps

from app.engine.case import Case
from app.engine.intake import parse_request, take, with_history
from app.engine.vocabulary import Contact, DecisionRequest
from tests.pipeline import shipped
from tests.population import END, population

pytestmark = pytest.mark.unit

BEFORE_THE_CLOCKS_CHANGE = "2026-10-29T05:36:00-04:00"


def case_in(zone: str) -> Case:
    body = {"channel": "app", "mode": "what_if", "as_of": BEFORE_THE_CLOCKS_CHANGE, "subscriber": {"id": "s-1", "zone": zone}}
    return take(
        shipped(), DecisionRequest.model_validate(body), now=datetime.datetime.fromisoformat(BEFORE_THE_CLOCKS_CHANGE), role="agent"
    )


def test_the_zone_stays() -> None:
    """A week later the clocks of New York have changed: what is valid until then is written alike before and after reading back."""
    case = case_in("America/New_York")
    again = Case.from_json(json.loads(json.dumps(case.as_json())))
    week = datetime.timedelta(days=7)
    assert again == case
    assert (again.times.as_of + week).isoformat() == (case.times.as_of + week).isoformat() == "2026-11-05T05:36:00-05:00"


def test_a_case_of_before_has_no_zone() -> None:
    """A case that was recorded without its zone is read in the offset that it was written in."""
    told = case_in("America/New_York").as_json()
    del told["times"]["zone"]
    assert Case.from_json(told).times.as_of.isoformat() == BEFORE_THE_CLOCKS_CHANGE


def test_what_was_sent_is_what_is_written() -> None:
    """A case of a caller's JSON is written as it came, and reads back equal to one that was read from values."""
    for body in population(5, 60):
        told = {**body, "mode": "what_if"}
        cases = [
            take(shipped(), asked, now=END, role="agent") for asked in (parse_request(dumps(told)), DecisionRequest.model_validate(told))
        ]
        written = cases[0].as_json()
        assert written["subscriber"] == told["subscriber"]
        assert cases[0] == cases[1] == Case.from_json(written) == Case.from_json(cases[1].as_json())


def test_what_was_changed_since_is_written_anew() -> None:
    """Where something was put to the subscriber after it was read, by what-if's date or by the record, the case says what was decided."""
    body = {"channel": "app", "mode": "what_if", "subscriber": {"id": "s-1", "events": [], "contacts": []}}
    later = {"type": "refusal", "at": "2026-11-22T10:00:00+08:00"}
    dated = {**body, "as_of": "2026-11-01T10:00:00+08:00", "subscriber": {"id": "s-1", "events": [later]}}
    assert take(shipped(), parse_request(dumps(dated)), now=END, role="agent").as_json()["subscriber"]["events"] == []
    asked = parse_request(dumps({**body, "history": "both", "mode": "live"}))
    known = with_history(asked, [Contact(at=END - datetime.timedelta(days=1), channel="app")], END)
    assert len(take(shipped(), known, now=END, role="agent").as_json()["subscriber"]["contacts"]) == 1
