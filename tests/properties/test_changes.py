"""What an answer says would change an outcome does change it; and a suppression ends when it is said to end."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from app.engine import words
from app.engine.case import Case
from app.engine.changes import expand, turns
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.explain import explain
from app.engine.pack import Pack
from app.engine.pack.model import Clause
from app.engine.tree import reads
from app.engine.until import until
from app.engine.vocabulary import FACTS
from tests.pipeline import TIMES, applied, at, cases, decided_in_full, fresh, shipped
from tests.random_packs import random_pack

MOMENT = datetime.timedelta(microseconds=1)


def clauses_that_fail(pack: Pack, decision: Decision) -> Iterator[tuple[str, Clause]]:
    """Every clause of a gate that is false."""
    for action in pack.actions:
        values = decision.facts.seen_by(action)
        yield from ((action.id, clause) for clause in action.gates if values[clause.slot] is False)


def holds(pack: Pack, case: Case, action: str, clause: Clause) -> bool:
    """Does the clause hold when the case is decided?"""
    facts = decided_in_full(pack, case).facts
    pack.by_id[action].policy(facts.values, facts.around)  # runs for candidates only
    values = facts.values if clause.gate in ("contact", "guardrail") else facts.seen_by(pack.by_id[action])
    return values[clause.slot] is True or (values[clause.slot] is None and clause.allows_unknown)


@pytest.mark.parametrize("seed", range(24 * TIMES))
def test_stated_changes_turn_clauses_of_random_packs(seed: int) -> None:
    """Each change stated for a false clause of a random pack, made to the facts, makes the clause hold."""
    pack = random_pack(seed)
    stated = 0
    for case in map(fresh, cases(pack, seed, 60)):
        decision = decided_in_full(pack, case)
        for action, clause in clauses_that_fail(pack, decision):
            facts = decision.facts.unprofiled if decision.facts.unprofiled and pack.by_id[action].marketing else decision.facts
            found = turns(pack, facts, clause)
            if found is not None:
                stated += 1
                changes = words.changes(found)
                assert holds(pack, applied(case, changes), action, clause), (clause.test, changes)
    assert stated > 20


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_stated_changes_turn_clauses_of_the_shipped_pack(seed: int) -> None:
    """Each change in a full explanation, made to the subscriber's facts, makes the clause hold that kept the action out."""
    pack = shipped()
    stated = 0
    for case in map(fresh, cases(pack, 100 + seed, 250)):
        decision = decide(pack, case)
        for item in explain(pack, case, decision, "full").not_offered or ():
            if item.changes and item.clause is not None:
                stated += 1
                gate, _, name = item.clause.partition(".")
                action = pack.by_id[item.action]
                clause = next(found for found in (*action.gates, *action.guardrails) if (found.gate, found.name) == (gate, name))
                assert item.change
                assert holds(pack, applied(case, item.changes), item.action, clause), (item.action, item.clause, item.changes)
    assert stated > 500


def test_no_change_is_stated_that_cannot_be() -> None:
    """A stated value is one that the fact could have: shares up to one, nothing negative that is counted, no figure of our own making."""
    pack = shipped()
    for case in cases(pack, 7, 400):
        for item in explain(pack, case, decide(pack, case), "full").not_offered or ():
            for change in item.changes:
                fact = FACTS.get(change.fact)
                assert (change.value is None) != (change.in_days is None)
                assert not change.fact.startswith(("port.", "request."))
                if fact is not None and change.value is not None:
                    assert fact.least is None or change.value >= fact.least, (item.action, change)
                    assert fact.most is None or change.value <= fact.most, (item.action, change)
                if change.in_days is not None:
                    assert 0 < change.in_days <= 400


def suppressions(pack: Pack, case: Case, decision: Decision) -> Iterator[tuple[str, Clause, datetime.datetime | None]]:
    """Every contact clause that is false, with when it is said to end."""
    for action in pack.actions:
        action.policy(decision.facts.values, decision.facts.around)
        for clause in action.contact:
            if decision.facts.values[clause.slot] is False:
                yield action.id, clause, until(pack, case, decision.facts, clause)


def check_suppressions(pack: Pack, case: Case) -> tuple[int, int]:
    """Every end is right: the clause holds then and not a moment before; what has no end holds at none of some later moments."""
    ended = endless = 0
    for action, clause, end in suppressions(pack, case, decided_in_full(pack, case)):
        if end is None:
            endless += 1
            if reads(expand(pack, clause.tree)) & {"moment", "stage", "phase"}:
                continue  # a table may choose otherwise later on; nobody can say when
            for days in (0.9, 8.2, 31.7, 95, 190.4, 390):
                moment = case.times.contact_at + datetime.timedelta(days=days)
                assert not holds(pack, at(case, moment), action, clause), (clause.test, moment)
        else:
            ended += 1
            assert end > case.times.contact_at
            assert holds(pack, at(case, end), action, clause), (clause.test, end)
            assert not holds(pack, at(case, end - MOMENT), action, clause), (clause.test, end)
    return ended, endless


@pytest.mark.parametrize("seed", range(12 * TIMES))
def test_suppressions_of_random_packs_end_when_they_say(seed: int) -> None:
    """A random clause of contact policy holds at its `until`, not just before; where it names none it does not end."""
    pack = random_pack(1000 + seed, actions=1)
    for case in map(fresh, cases(pack, seed, 120)):
        check_suppressions(pack, at(case, case.times.contact_at))


@pytest.mark.parametrize("seed", range(2 * TIMES))
def test_suppressions_of_the_shipped_pack_end_when_they_say(seed: int) -> None:
    """Caps, cool-downs, hours and waits of the shipped pack end at their `until`."""
    pack = shipped()
    ended = endless = 0
    for case in map(fresh, cases(pack, 200 + seed, 60)):
        found = check_suppressions(pack, at(case, case.times.contact_at))
        ended, endless = ended + found[0], endless + found[1]
    assert ended > 20
    assert endless > 20


def test_a_contact_planned_for_later_is_judged_at_its_own_time() -> None:
    """With `contact_at` after `as_of`, an end is never before the contact."""
    pack = shipped()
    for case in map(fresh, cases(pack, 5, 300)):
        planned = at(case, case.times.as_of + datetime.timedelta(days=2), case.times.as_of)
        decision = decide(pack, planned)
        for item in explain(pack, planned, decision, "full").not_offered or ():
            assert item.until is None or item.until >= planned.times.contact_at
