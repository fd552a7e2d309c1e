"""What opens a case for other systems: a pack says it of an action, an entry when it happens."""

import dataclasses
import datetime
from typing import Any

import pytest

from app.cli import app
from app.engine.pack import check_files
from app.engine.vocabulary import OutcomeReport
from app.record.callers import Caller
from app.record.outcomes import Answerable, Told, outcome_entry
from app.record.outgoing.model import PER_LEAF, TYPES
from app.record.outgoing.outbox import event_at, events_of
from tests.packs import changed
from tests.pipeline import pack_of, shipped

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, tzinfo=datetime.UTC)
OFFERED = {"rank": 1, "action": "a", "kind": "service", "duty": "owed", "confirm": "none"}
DUTY = "duty: care\n"


def outcome(when: str | None, outcome: Any, before: dict[str, str | None]) -> dict[str, Any]:
    """The body of an outcome of an action, that opens a promise when so; `before`: what was told of it."""
    opens = {} if when is None else {"opens": {"case": "promise", "owner": "desk", "when": when}}
    body = {"offered": [OFFERED | opens], "channel": "app", "pack": "sha256:0", "role": "agent", "test_line": True}
    decision = Answerable("d-1", NOW, "t-1", body, before)
    reference = "r" if outcome == "activated" else None
    told = Told("o-1", NOW, decision, OutcomeReport(action="a", outcome=outcome, reference=reference), Caller("desk", "agent"))
    return dict(outcome_entry(told, b"{}").body)


@pytest.mark.parametrize(
    ("when", "opening"),
    [
        (None, set()),
        ("accepted", {"accepted", "activated"}),
        ("told", {"shown", "sent", "ignored", "accepted", "activated"}),
        ("decided", set()),
    ],
)
@pytest.mark.parametrize("told", ["shown", "sent", "accepted", "refused", "ignored", "activated", "stayed"])
def test_which_outcome_opens_a_case(when: str | None, opening: set[str], told: str) -> None:
    """As the action has it: being accepted, or being told of at all; a refusal never does."""
    assert ("opens" in outcome(when, told, {})) == (told in opening)


@pytest.mark.parametrize(
    ("when", "before", "told", "opens"),
    [
        ("accepted", "shown", "accepted", True),
        ("accepted", "refused", "accepted", True),
        ("accepted", "accepted", "activated", False),
        ("told", "sent", "accepted", False),
        ("told", "ignored", "accepted", False),
        ("told", "refused", "accepted", True),
        ("told", None, "sent", True),
    ],
)
def test_a_case_is_opened_by_the_first(when: str, before: str | None, told: str, opens: bool) -> None:
    """What was opened before is not opened again, however the person changes their mind."""
    assert ("opens" in outcome(when, told, {"a": before})) == opens


def test_events_of_entries() -> None:
    """A decision, and each case that its own making opens, in the order of its list; an outcome and its case; nothing of other kinds."""
    alert = {"opens": {"case": "escalation", "owner": "desk", "when": "decided"}}
    later = {"opens": {"case": "promise", "owner": "desk", "when": "accepted"}}
    body = {"offered": [OFFERED | later, OFFERED | alert, OFFERED, OFFERED | alert | {"action": "b"}], "caller": "desk"}
    made = events_of("decision", body)
    assert [event.type for event in made] == ["wanliu.decision.v1", "wanliu.escalation.v1", "wanliu.escalation.v1"]
    assert [event.opened_by and event.opened_by["action"] for event in made] == [None, "a", "b"]
    assert event_at(7 * PER_LEAF + 2, "decision", body) == made[2]
    assert [event.type for event in events_of("outcome", outcome("told", "sent", {}))] == ["wanliu.outcome.v1", "wanliu.promise.v1"]
    assert [event.type for event in events_of("outcome", outcome(None, "sent", {}))] == ["wanliu.outcome.v1"]
    assert events_of("read", {"caller": "desk"}) == []


def test_an_entry_has_numbers_for_all_its_events() -> None:
    """Ten actions on a list, each of which opens a case, and TM Forum's two, have a number each."""
    alert = {"opens": {"case": "escalation", "owner": "desk", "when": "decided"}}
    assert len(events_of("decision", {"offered": [OFFERED | alert] * 10, "caller": "desk", "via": "tmf680"})) <= PER_LEAF
    assert len(TYPES) == 5


@pytest.mark.parametrize(
    ("written", "compiled"),
    [
        ("opens: {case: promise, owner: desk}", ("promise", "desk", None, "accepted")),
        ("opens: {case: call_back, owner: desk, due_days: 0, when: told}", ("call_back", "desk", 0, "told")),
        ("opens: {case: escalation, owner: desk, due_days: 365, when: decided}", ("escalation", "desk", 365, "decided")),
    ],
)
def test_a_pack_says_what_opens(written: str, compiled: tuple[Any, ...]) -> None:
    """The compiled action has it; without, it opens nothing."""
    pack = pack_of(changed((DUTY, f"{DUTY}{written}\n")))
    opening = [action for action in pack.actions if action.opens is not None]
    assert [dataclasses.astuple(action.opens) for action in opening if action.opens] == [compiled]
    assert all(action.opens is None for action in pack_of(changed()).actions)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("opens: {case: promises, owner: desk}", "promise"),
        ("opens: {case: promise}", "owner"),
        ("opens: {case: promise, owner: desk, due_days: 366}", "365"),
        ("opens: {case: promise, owner: desk, when: later}", "accepted"),
        ("opens: {case: promise, owner: desk, due: 2}", "due"),
    ],
)
def test_what_a_pack_may_not_say_of_a_case(written: str, says: str) -> None:
    """A case of no kind, for nobody, beyond a year, at no known moment, or with something misspelt is refused by name."""
    found = [str(problem) for problem in check_files(changed((DUTY, f"{DUTY}{written}\n"))) if problem.severity == "error"]
    assert found
    assert any(says in told for told in found)


def test_the_shipped_pack_opens_cases_of_each_kind() -> None:
    """Promises, call-backs and escalations; whose words name a day is due on that day."""
    opening = [action for action in shipped().actions if action.opens is not None]
    assert {action.opens.case for action in opening if action.opens} == {"promise", "call_back", "escalation"}
    promised = next(action for action in opening if action.id == "resolve_complaint")
    assert promised.opens is not None
    assert promised.opens.due_days is None


def test_explain_says_what_opens() -> None:
    """`wanliu pack explain` tells of an action what it opens."""
    from typer.testing import CliRunner

    assert "promise, complaint_desk, told, as said" in CliRunner().invoke(app, ["pack", "explain", "resolve_complaint"]).output
    assert "call_back, care_desk, accepted, 5 d" in CliRunner().invoke(app, ["pack", "explain", "hear_out"]).output
