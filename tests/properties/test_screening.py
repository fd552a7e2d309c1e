"""Leaving an action at its first false gate says no less of why than looking at everything, and leaves nothing out that is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.engine.case import Case
from app.engine.changes import slot_of
from app.engine.decide import decide
from app.engine.decision import Outcome
from app.engine.gates import in_full
from app.engine.interpret import interpret
from app.engine.pack import Action, Pack
from app.engine.tree import Call, Ref
from tests.pipeline import TIMES, cases, patched, shipped
from tests.random_packs import random_gates_pack

CAUSES = {"eligible": "not_eligible", "applicable": "not_applicable", "suitable": "not_suitable"}
AT_THE_GATES = {*CAUSES.values(), "unknown"}


def expected(pack: Pack, case: Case, action: Action, values: list[Any]) -> tuple[str, str] | None:
    """Cause and clause of an action as `docs/decision.md` has them, each clause read by the interpreter; none where all are open."""

    def lookup(node: Ref | Call) -> Any:
        slot = slot_of(pack, node)
        assert slot is not None
        return values[slot]

    found: list[tuple[str, str, Any]] = [
        ("applicable", "phase", values[pack.slots["phase"]] in action.phases),
        ("applicable", "channel", case.channel in action.channels),
    ]
    found += [(clause.gate, clause.name, interpret(clause.tree, lookup)) for clause in action.gates]
    found.append(("suitable", "concession", True if values[action.concession] is not None else None))
    false = [(CAUSES[gate], name) for gate, name, held in found if held is False]
    unknown = [("unknown", name) for _, name, held in found if held is None]
    return next(iter([*false, *unknown]), None)


def read_of(action: Action) -> list[int]:
    """What is read of an action that nothing false kept out."""
    terms = [term.slot for clause in action.gates for term in clause.terms if term.slot is not None]
    return [*action.own_slots, *(clause.slot for clause in action.gates), *terms]


def compared(pack: Pack, case: Case) -> Iterator[tuple[Action, Outcome, Outcome, bool]]:
    """Of each action what was decided, the same in full, and whether something is false of it; what is read of it is the same in both."""
    decision = decide(pack, case)
    before = {action.id: list(decision.facts.seen_by(action)) for action in pack.actions}
    full = in_full(pack, decision)
    assert (full.ranked, full.empty_because) == (decision.ranked, decision.empty_because)
    assert in_full(pack, full) == full
    for action, short, whole in zip(pack.actions, decision.outcomes, full.outcomes, strict=True):
        values = decision.facts.seen_by(action)
        should = expected(pack, case, action, values)
        if short.cause in AT_THE_GATES and not {step.gate for step in short.failing} & {"contact", "guardrail"}:
            assert (short.cause, short.clause) == should
        else:
            assert should is None or next((item.fallback_for for item in decision.ranked if item.action == action.id), None) is not None
        false = should is not None and should[0] != "unknown"
        if not false:
            assert [before[action.id][slot] for slot in read_of(action)] == [values[slot] for slot in read_of(action)]
        yield action, short, whole, false


def check(pack: Pack, case: Case) -> int:
    """Cause and clause are the same in short and in full, and all that is unknown; how many false clauses were left out."""
    left_out = 0
    for action, short, whole, false in compared(pack, case):
        assert (short.action, short.cause, short.clause) == (action.id, whole.cause, whole.clause)
        if false and short.cause is not None:
            assert short.failing == whole.failing[:1]
            left_out += len(whole.failing) - 1
        else:
            assert short == whole
    return left_out


@pytest.mark.parametrize("seed", range(12 * TIMES))
def test_the_cause_is_the_same_in_random_packs(seed: int) -> None:
    """Whatever gates share, whoever refused personalisation."""
    pack = random_gates_pack(seed)
    left_out = 0
    for case in cases(pack, seed, 60):
        left_out += check(pack, case) + check(pack, patched(case, {"consent.personalised": "no"}, channel="app"))
    assert left_out > 20


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_the_cause_is_the_same_in_the_shipped_pack(seed: int) -> None:
    """On the channels of the population, fallbacks included."""
    pack = shipped()
    left_out = 0
    for case in cases(pack, 800 + seed, 150):
        left_out += check(pack, case) + check(pack, patched(case, {"consent.personalised": "no"}))
    assert left_out > 1000
