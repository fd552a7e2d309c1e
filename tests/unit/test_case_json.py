"""A case that was written as JSON reads back as it was, in its own time zone."""

import datetime
import json

import pytest

from app.engine.case import Case
from app.engine.intake import take
from app.engine.vocabulary import DecisionRequest
from tests.pipeline import shipped

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
