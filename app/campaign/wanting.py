"""For want of which facts actions and stronger phases are undecided, on columns: `engine.wanting` for many cases at once.

The wants of clauses are laid out as parts. Who asks for a part is a column of truths, handed down from the conditions that are undecided;
most parts are asked for by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.batch import PLACE, TOO_OLD
from app.engine.asking import facts_told
from app.engine.wanting import Want, wants_of

if TYPE_CHECKING:
    from app.campaign.entries import Entry, Gate
    from app.campaign.plan import Plan
    from app.campaign.screening import Became
    from app.engine.pack.model import Pack
    from app.engine.to_polars import Columns


@dataclass(frozen=True, slots=True)
class Part:
    """A want on columns, asked for where `column` (none: always) is unknown.

    `facts` are wanted where the columns that they go with are; `series` where none of these is; `histories` where they were not given.
    `below` are the places of other parts.
    """

    column: str | None
    facts: tuple[tuple[str, str], ...]
    series: tuple[str, ...]
    histories: tuple[str, ...]
    below: tuple[int, ...]


class Wanting:
    """What clauses want: `parts`, each after those below it, and `of`, where that of the clause in a column stands."""

    def __init__(self, pack: Pack, columns: Columns, gates: Iterable[Gate]) -> None:
        """Lay it out.

        Args:
            pack: whose clauses they are.
            columns: take the columns that are not there yet.
            gates: the clauses.
        """
        self._columns, self._told = columns, frozenset(facts_told(pack))
        self._names = {slot: name for name, slot in pack.slots.items()}
        self._trees = {slot: tree for tree, slot in pack.terms.items()}
        self._met: dict[tuple[Want, str | None], int] = {}
        places: dict[Part, int] = {}
        wants = wants_of(pack)
        self.of = {gate.column: self._place(wants.of(gate.clause.tree), gate.column, places) for gate in gates}
        self.parts = tuple(places)

    def _place(self, want: Want, column: str | None, places: dict[Part, int]) -> int:
        """The place of a want that is asked for where a column is unknown."""
        if (want, column) not in self._met:
            facts = tuple((name, self._column(slot)) for name, slot in want.facts if name in self._told)
            below = dict.fromkeys(self._place(part, self._tested(part), places) for part in want.below)
            part = Part(column, facts, want.series, want.histories, tuple(below))
            self._met[want, column] = places.setdefault(part, len(places))
        return self._met[want, column]

    def _tested(self, want: Want) -> str | None:
        if want.junction is not None:
            return self._columns.add(want.junction)
        return None if want.slot is None else self._column(want.slot)

    def _column(self, slot: int) -> str:
        return self._columns.named(self._names[slot]) if slot in self._names else self._columns.add(self._trees[slot])


def facts_wanted(
    plan: Plan, seen: pl.DataFrame, outcomes: pl.DataFrame, legend: Mapping[str, Sequence[Became]], *, marketing: bool
) -> pl.DataFrame:
    """The facts that were wanted and not known: `i`, and of each fact that is told, for whom.

    They are what actions want that only what is unknown keeps out, and stronger phases; and whatever is too old.

    Args:
        plan: what was worked out.
        seen: its columns.
        outcomes: the code of what became of each action, in the same order.
        legend: what the codes mean.
        marketing: whether what offers and marketing care want counts.
    """
    asked = _Asked(plan, seen)
    asked.of_phases()
    for entry in plan.entries:
        codes = [code for code, became in enumerate(legend[entry.action.id]) if became.cause == "unknown"]
        if marketing or not entry.action.marketing:
            asked.of_action(entry, outcomes[entry.action.id].is_in(codes))
    return seen.select(PLACE).with_columns(who.alias(name) for name, who in asked.answered())


class _Asked:
    """Who asks for which part."""

    def __init__(self, plan: Plan, seen: pl.DataFrame) -> None:
        self._plan, self._seen, self._wanting = plan, seen, plan.wanting
        self._nobody = pl.Series([False]).new_from_index(0, seen.height)
        self._unknown = _nothing_in(seen)
        self._who: dict[int, pl.Series] = {}

    def of_phases(self) -> None:
        """Ask for what phases want that are stronger than somebody's own."""
        names = list(self._plan.phases)
        chosen = self._seen["phase"].replace_strict(names, range(len(names)), return_dtype=pl.UInt16)
        for place, gates in enumerate(self._plan.phases.values()):
            self._ask_gates(gates, chosen > place)

    def of_action(self, entry: Entry, undecided: pl.Series) -> None:
        """Ask for what keeps an action from those for whom it is undecided: its gates, else contact policy, else guardrails."""
        rules = ([gate for gate in rules if not gate.clause.allows_unknown] for rules in (entry.contact, entry.guardrails))
        shut = self._unknown[entry.concession]
        for gates in (entry.gates, *rules):
            if undecided.any():
                self._ask_gates(gates, undecided)
                undecided = undecided & ~reduce(or_, (self._unknown[gate.column] for gate in gates), shut)

    def answered(self) -> Iterator[tuple[str, pl.Series]]:
        """For each fact that is told, who wanted it and did not know it."""
        found: dict[str, pl.Series] = {}
        for name, who in (*self._wanted(), *self._too_old()):
            found[name] = found[name] | who if name in found else who
        yield from ((name, found.get(name, self._nobody)) for name in facts_told(self._plan.pack))

    def _ask_gates(self, gates: Iterable[Gate], who: pl.Series) -> None:
        for gate in gates:
            self._ask(self._wanting.of[gate.column], who)

    def _ask(self, place: int, who: pl.Series) -> None:
        self._who[place] = self._who[place] | who if place in self._who else who

    def _wanted(self) -> Iterator[tuple[str, pl.Series]]:
        """What the parts want that were asked for: those above hand down who asks."""
        for place, part in reversed([*enumerate(self._wanting.parts)]):
            who = self._who.get(place, self._nobody)
            if part.column is not None:
                who = who & self._unknown[part.column]
            if who.any():
                yield from ((name, who & self._unknown[column]) for name, column in part.facts)
                whole = who & ~reduce(or_, (self._unknown[column] for _, column in part.facts), self._nobody)
                yield from ((name, whole) for name in part.series)
                yield from ((name, who & ~self._seen[f"{name}.known"]) for name in part.histories)
                for below in part.below:
                    self._ask(below, who)

    def _too_old(self) -> Iterator[tuple[str, pl.Series]]:
        """What was left unknown for its age, wanted or not."""
        if TOO_OLD in self._seen.columns:
            names = self._seen[TOO_OLD]
            yield from ((name, names.list.contains(name).fill_null(value=False)) for name in names.explode().unique().drop_nulls())


def _nothing_in(seen: pl.DataFrame) -> Mapping[str, pl.Series]:
    """Of each column, who has nothing in it."""
    return seen.select(pl.all().is_null()).to_dict()
