"""What keeps actions out, as columns of small codes: for each action a code a subscriber, and what its codes mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.entries import Entry, Gate
from app.engine.chosen import OWN_CHOICE
from app.engine.doors import CAUSES

if TYPE_CHECKING:
    from app.engine.pack.model import Action

OFFERED = 0
"""The code of an action that nothing keeps out."""
CONFLICTS = ("excludes", "service_first", "per_category", "commitments", "concession_limit", "max_actions")
"""Why one action is left off the list for another."""
CODE = pl.UInt16()


@dataclass(frozen=True, slots=True)
class Became:
    """What may become of an action: the cause, none where it is offered, and the clause."""

    cause: str | None
    clause: str | None


@dataclass(frozen=True, slots=True)
class Test:
    """A condition under which an action is kept out, and what becomes of it then."""

    met: pl.Expr
    became: Became


def legend_of(action: Action) -> Mapping[Became, int]:
    """The codes of what may become of an action."""
    first = [Became(None, None), Became("not_applicable", "phase"), Became("not_applicable", "channel")]
    closed = [Became(CAUSES[clause.gate], clause.name) for clause in action.gates]
    undecided = [*(Became("unknown", clause.name) for clause in action.gates), Became("unknown", "concession")]
    rules = (*action.contact, *action.guardrails)
    forbidden = [Became(CAUSES[clause.gate], clause.name) for clause in rules] + [Became("unknown", clause.name) for clause in rules]
    lost = [Became("outranked", clause) for clause in CONFLICTS]
    found = dict.fromkeys([*first, *closed, *undecided, Became("suppressed", OWN_CHOICE), *forbidden, *lost])
    return {became: code for code, became in enumerate(found)}


def gates_code(action: Action, entry: Entry | None) -> pl.Expr:
    """The code of what keeps an action from its gates: the first clause that is false, else the first that is unknown; without an entry the
    channel."""
    return _code(action, _at_the_gates(action, entry))


def rules_code(entry: Entry) -> pl.Expr:
    """The code of what contact policy does not permit, else of what guardrails do not."""
    return _code(entry.action, _forbidden(entry))


def _code(action: Action, tests: Iterable[Test]) -> pl.Expr:
    """The code of the first test that is met, or that of what is offered, in a column with the action's name."""
    codes, found = legend_of(action), pl.lit(OFFERED, CODE)
    for test in reversed(list(tests)):
        found = pl.when(test.met).then(pl.lit(codes[test.became], CODE)).otherwise(found)
    return found.alias(action.id)


def _at_the_gates(action: Action, entry: Entry | None) -> Iterator[Test]:
    yield Test(~pl.col("phase").is_in(sorted(action.phases)), Became("not_applicable", "phase"))
    if entry is None:
        yield Test(pl.lit(True), Became("not_applicable", "channel"))
        return
    yield from _false(entry.gates)
    yield from (Test(pl.col(gate.column).is_null(), Became("unknown", gate.clause.name)) for gate in entry.gates)
    yield Test(pl.col(entry.concession).is_null(), Became("unknown", "concession"))


def _forbidden(entry: Entry) -> Iterator[Test]:
    """An unknown that the pack allows forbids nothing."""
    for rules in (entry.contact, entry.guardrails):
        yield from _false(rules)
        strict = [gate for gate in rules if not gate.clause.allows_unknown]
        yield from (Test(pl.col(gate.column).is_null(), Became("unknown", gate.clause.name)) for gate in strict)


def permitted(entry: Entry) -> pl.Expr:
    """Do contact policy and guardrails permit the action?"""
    return _all(
        pl.col(gate.column).fill_null(True) if gate.clause.allows_unknown else pl.col(gate.column).fill_null(False)
        for gate in (*entry.contact, *entry.guardrails)
    )


def possible(entry: Entry) -> pl.Expr:
    """Is an action surely eligible, at a known cost: what even a fallback cannot do without?"""
    eligible = (pl.col(gate.column).fill_null(False) for gate in entry.gates if gate.clause.gate == "eligible")
    return _all([*eligible, pl.col(entry.concession).is_not_null()])


def _false(gates: Sequence[Gate]) -> Iterator[Test]:
    yield from (Test(~pl.col(gate.column), Became(CAUSES[gate.clause.gate], gate.clause.name)) for gate in gates)


def _all(conditions: Iterable[pl.Expr]) -> pl.Expr:
    return reduce(and_, conditions, pl.lit(True))
