"""What clauses saw, in words: for reasons that rest on no signal. Each different set of values is put into words once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any

import polars as pl

from app.campaign.wording.filling import kept
from app.engine.tree import Call, Node, Ref, children
from app.engine.words import values_in_words

if TYPE_CHECKING:
    from app.campaign.plan import Plan
    from app.engine.pack.model import Clause, Pack
    from app.engine.texts import Language


def looked_at(clause: Clause) -> Iterator[Node]:
    """The named values and calls that a clause may tell; of what it asks to be known, that itself."""
    for term in clause.terms:
        known = isinstance(term.node, Call) and term.node.function == "known"
        told = children(term.node) if known else (term.node,)
        yield from (node for node in told if isinstance(node, Ref | Call) and node.type.kind != "events")


def glimpsed(plan: Plan, clause: Clause, value: Callable[[str], pl.Series], height: int, language: Language) -> pl.Series:
    """What a clause saw in some rows, as `values_in_words` puts it.

    Args:
        plan: has the columns of the clause's terms.
        clause: the clause.
        value: gives the column of a name for these rows.
        height: how many they are.
        language: to be said in.
    """
    pack, said = plan.pack, dict[tuple[Any, ...], str]()
    asked = [(slot, node) for node in dict.fromkeys(looked_at(clause)) if (slot := _slot(pack, node)) is not None]
    columns = [map(_taken(node), value(plan.terms[node]).cast(kept(node.type)).to_list()) for _, node in asked]

    def text(row: tuple[Any, ...]) -> str:
        if row not in said:
            values = pack.blank()
            for (slot, _), item in zip(asked, row, strict=True):
                values[slot] = item
            said[row] = values_in_words(pack, values, clause, language)
        return said[row]

    return pl.Series([text(row) for row in (zip(*columns, strict=True) if columns else repeat((), height))], dtype=pl.String)


def _slot(pack: Pack, node: Node) -> int | None:
    return pack.slots.get(node.name) if isinstance(node, Ref) else pack.terms.get(node)


def _taken(node: Node) -> Callable[[Any], Any]:
    """Takes a value from a column as one case has it."""
    make = {"set": frozenset, "series": tuple}.get(node.type.kind)
    return lambda value: value if make is None or value is None else make(value)
