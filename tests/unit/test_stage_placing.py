"""Stage 3: stage, phase and moment, by explicit precedence, and why not a stronger one."""

from typing import Any

import pytest

from app.engine.explain import explain
from tests.pipeline_packs import act, ago, answer, ask, both, fate, listed, mini, signal

EVEN = {"policy": 1, "service": 1, "emotional": 1}
PHASES = [
    {"id": "hands_off", "title": both("Off"), "mix": EVEN},
    {"id": "rescue", "title": both("Rescue"), "any": {"risk": "signal('risk')", "said": "moment == 'leave_intent'"}, "mix": EVEN},
    {"id": "prevention", "title": both("Prevent"), "any": {"new": "stage == 'new'", "due": "pay.overdue_days > 5"}, "mix": EVEN},
    {"id": "retention", "title": both("Keep"), "mix": EVEN},
]
STAGES = [
    {"id": "warning", "title": both("Warning"), "any": {"risk": "signal('risk')"}},
    {"id": "new", "title": both("New"), "any": {"months": "account.tenure_months < 3"}},
    {"id": "stable", "title": both("Stable")},
]
EVERYWHERE = {"plain": act(phases=["hands_off", "rescue", "prevention", "retention"])}


def placing(**parts: Any) -> Any:
    return mini(EVERYWHERE, phases=PHASES, stages=STAGES, signals=[signal("risk", ("high", "churn.score >= 0.7"))], **parts)


KNOWN = {"churn": {"score": 0.1}, "account": {"status": "active", "tenure_months": 20}, "pay": {"overdue_days": 0}}


@pytest.mark.parametrize(
    ("change", "stage", "phase"),
    [
        ({}, "stable", "retention"),
        ({"pay": {"overdue_days": 9}}, "stable", "prevention"),
        ({"account": {"status": "active", "tenure_months": 1}}, "new", "prevention"),
        ({"churn": {"score": 0.8}}, "warning", "rescue"),
        ({"churn": {"score": 0.8}, "account": {"tenure_months": 1}}, "warning", "rescue"),
        ({"churn": None, "account": {"tenure_months": 1}}, "new", "prevention"),
        ({"churn": None, "account": None, "pay": None}, "stable", "retention"),
        ({"churn": {"score": 0.9}, "port": {"state": "applied"}}, "warning", "hands_off"),
        ({"churn": {"score": 0.9}, "account": {"status": "cancelled", "tenure_months": 9}}, "warning", "hands_off"),
    ],
)
def test_the_first_row_that_holds_is_taken(change: dict[str, Any], stage: str, phase: str) -> None:
    """Rows stand strongest first; one that cannot be decided is skipped."""
    decision = answer(placing(), {**KNOWN, **change})
    assert (decision.stage.id, decision.phase.id) == (stage, phase)


def test_passed_rows_say_whether_they_failed_or_were_unknown() -> None:
    """Every clause of every stronger row is reported, false or unknown."""
    decision = answer(placing(), {**KNOWN, "churn": None, "pay": {"overdue_days": 9}})
    assert decision.phase.because == ("due",)
    assert [(row.id, [(item.clause, item.unknown) for item in row.failing]) for row in decision.phase.passed] == [
        ("hands_off", [("port_out_in_progress", False), ("account_closed", False)]),
        ("rescue", [("risk", True), ("said", False)]),
    ]
    assert [(row.id, [item.unknown for item in row.failing]) for row in decision.stage.passed] == [("warning", [True]), ("new", [False])]


def test_why_not_a_stronger_phase_is_told() -> None:
    """The explanation names stronger phases with what kept each from holding, and which of it was unknown."""
    pack = placing()
    body = {**KNOWN, "churn": None}
    told = explain(pack, ask(pack, body), answer(pack, body), "full").phase
    assert told.id == "retention"
    assert told.not_stronger is not None
    assert [(item.phase, item.unknown) for item in told.not_stronger] == [("hands_off", []), ("rescue", ["risk"]), ("prevention", [])]
    assert [proof.test for item in told.not_stronger for proof in item.because or ()][2:4] == ["signal('risk')", "moment == 'leave_intent'"]
    strongest = explain(pack, ask(pack, {"port": {"state": "applied"}}), answer(pack, {"port": {"state": "applied"}})).phase
    assert (strongest.id, strongest.not_stronger) == ("hands_off", None)


def test_only_what_a_stronger_phase_lacked_is_named_unknown() -> None:
    """Once a phase holds, nothing that its other clauses or a weaker phase lack matters any more."""
    pack = placing()

    def unknown(body: Any) -> list[str]:
        return [item.fact for item in explain(pack, ask(pack, body), answer(pack, body)).unknown]

    assert unknown({**KNOWN, "pay": None}) == ["pay.overdue_days"]
    assert unknown({**KNOWN, "churn": {"score": 0.9}, "pay": None}) == []
    assert unknown({**KNOWN, "churn": None, "pay": {"overdue_days": 9}}) == ["churn.score"]


MOMENTS = [
    {"id": "complaint", "title": both("C"), "revealed_by": "count(events.complaint, days=7) >= 1", "relevance": {"plain": 2}},
    {"id": "fault", "title": both("F"), "revealed_by": "cases.open_faults >= 1", "relevance": {"plain": 3}},
    {"id": "roaming", "title": both("R"), "relevance": {"plain": 5}},
]


@pytest.mark.parametrize(
    ("passed", "subscriber", "moment", "relevance"),
    [
        (None, {}, "none", 1),
        (None, {"cases": {"open_faults": 1}}, "fault", 3),
        (None, {"cases": {"open_faults": 1}, "events": [{"type": "complaint", "at": ago(1)}]}, "complaint", 2),
        ("roaming", {"cases": {"open_faults": 1}}, "roaming", 5),
        ("move_home", {"cases": {"open_faults": 1}}, "move_home", 1),
        (None, {"cases": {"open_faults": 1}, "events": None}, "fault", 3),
        ("roaming", {"port": {"state": "applied"}}, "port_out", 1),
    ],
)
def test_the_moment_is_the_one_passed_or_the_first_revealed(passed: str | None, subscriber: Any, moment: str, relevance: float) -> None:
    """What the caller passes wins, except over a port-out; else the first that recent events reveal; what is unknown reveals nothing."""
    pack = mini({"plain": act(phases=["hands_off", "retention"])}, moments=MOMENTS)
    decision = answer(pack, subscriber, moment=passed)
    assert decision.moment == moment
    assert decision.ranked[0].relevance == relevance


def test_hands_off_asks_only_the_guardrail_profile() -> None:
    """Without the profile's clauses port data changes neither phase nor moment nor list."""
    pack = mini(hands_off=[{"id": "account_closed", "title": both("Closed"), "when": "account.status == 'cancelled'"}])
    for state in ("none", "queried", "code_issued", "applied", "completed"):
        decision = answer(pack, {"port": {"state": state}})
        assert (decision.phase.id, decision.moment, listed(decision)) == ("retention", "none", ["plain"])


def test_an_unknown_hands_off_clause_does_not_hold() -> None:
    decision = answer(mini(), {"port": None})
    assert decision.phase.id == "retention"
    assert decision.phase.passed[0].failing[0].unknown
    assert fate(decision).cause is None
