"""Deciding, top to bottom: a pure function of a pack and a case."""

from __future__ import annotations

from typing import cast

from app.engine.arbitration import assert_permitted, empty_cause, fall_back, rank
from app.engine.case import Case
from app.engine.chosen import leave_out
from app.engine.conversation import CLOSINGS, closing_of, go_on
from app.engine.decision import Closing, Decision, Outcome
from app.engine.doors import Undecided
from app.engine.facts import may_profile, read_facts, unprofiled
from app.engine.gates import keep_permitted, open_gates
from app.engine.pack.model import Pack
from app.engine.placing import keep_hands_off, place
from app.engine.signals import recognise


def decide(pack: Pack, case: Case) -> Decision:
    """The next best actions for a case, and what became of every other action.

    No clock, no randomness, no I/O: the same pack and case give the same decision, years later too.
    """
    facts = read_facts(pack, case)
    signals = recognise(pack, facts)
    stage, phase, moment = place(pack, facts)
    personalised = may_profile(case)
    if not personalised:
        facts.unprofiled = unprofiled(pack, facts)
        recognise(pack, facts.unprofiled)
        keep_hands_off(pack, facts)

    outcomes, standing = open_gates(pack, facts)
    if facts.refused:
        standing = leave_out(pack.actions, standing, outcomes, facts.refused)
    closing = None if case.conversation is None else closing_of(pack, case, facts)
    if case.conversation is not None:
        standing = go_on(pack, case, facts, closing, outcomes, standing)
    candidates = [pack.actions[index] for index in standing if outcomes[index] is None]
    permitted, forbidden = keep_permitted(pack, candidates, facts)
    ranked, outranked = rank(pack, case, facts, permitted)
    for item in (*forbidden, *outranked):
        outcomes[pack.places[item.action]] = item

    cause = closing or (None if ranked else empty_cause(pack, case, facts, filter(None, outcomes)))
    if cause is not None:
        ranked = fall_back(pack, case, facts, cause, ranked)
    assert_permitted(pack, facts, ranked)
    for offered in ranked:
        outcomes[pack.places[offered.action]] = Outcome(offered.action, None)

    undecided = [became for index in standing if type(became := outcomes[index]) is Undecided]
    settled = cast(tuple[Outcome, ...], tuple(outcomes))  # no candidate is left that was not ranked, outranked or forbidden
    nothing = None if ranked else cause
    ended = cast("Closing | None", cause if cause in CLOSINGS else None)
    return Decision(stage, phase, moment, signals, tuple(ranked), settled, nothing, personalised, facts, undecided, ended)
