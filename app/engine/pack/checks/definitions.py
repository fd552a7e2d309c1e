"""What the names of a pack stand for: facts, signals, stage, phase and moment written out as trees and tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.engine.pack.checking import Parts
from app.engine.pack.checks.conditions import Table
from app.engine.pack.compiling import Compiler
from app.engine.pack.documents import Row
from app.engine.pack.model import Pack
from app.engine.pack.reading import Found
from app.engine.tree import BOOLEAN, FALSE, TEXT, And, Call, Const, Node, Or, Ref, Type, joined, substitute

_enum = Type("enum")


def definitions_of(pack: Pack, parts: Parts) -> dict[str, Node | Table]:
    """Every name that has a definition, in an order in which each comes after what it rests on."""
    found: dict[str, Node | Table] = {}
    for name in parts.order:
        if name in parts.facts:
            found[name] = _fact(parts, parts.facts[name])
        elif name.startswith("open:"):
            found[name] = parts.opened[name.removeprefix("open:")]
        elif name.startswith("signal:"):
            found.update(_signal(parts, name.removeprefix("signal:")))
    found["stage"] = _places(parts, "stages")
    found["moment"] = _moment(parts)
    found["phase"] = _phase(parts)
    for action in pack.actions:
        found.update(_worked_out(parts, parts.actions[action.id]))
    return found


def own_names(parts: Parts, found: Found[Any]) -> dict[str, Node]:
    """What `action.…` and `tariff.…` are for one action, but for its duty and concession."""
    return Compiler(parts, 1).own_names(found)


def _fact(parts: Parts, found: Found[Any]) -> Node | Table:
    if found.part.expression is not None:
        return parts.draft.tree(found, "is")
    return _table(parts, found, "first", found.part.first)


def _table(parts: Parts, found: Found[Any], key: str, rows: list[Row], known: dict[str, Node] | None = None) -> Table:
    def tree(index: int, word: str) -> Node:
        return substitute(parts.draft.tree(found, key, index, word), known or {})

    return Table(tuple((None if row.condition is None else tree(index, "if"), tree(index, "is")) for index, row in enumerate(rows)))


def _signal(parts: Parts, name: str) -> Iterator[tuple[str, Node]]:
    levels = dict(_levels(parts, name))
    yield from levels.items()
    yield f"signal:{name}", joined(Or, (Ref(level, BOOLEAN) for level in levels))


def _levels(parts: Parts, name: str) -> Iterator[tuple[str, Node]]:
    if name in parts.patterns:
        found = parts.patterns[name]
        events = Ref(f"joined:{name}", BOOLEAN)
        when = [parts.draft.tree(found, "when")] if found.part.when is not None else []
        yield f"level:{name}:{found.part.level}", And((*when, events)) if when else events
        return
    signal = parts.signals[name]
    for index, level in enumerate(signal.part.levels):
        for word in level:
            yield f"level:{name}:{word}", parts.draft.tree(signal, "levels", index, word)


def any_of(parts: Parts, found: Found[Any]) -> Node:
    """When a stage or phase holds: one of its conditions."""
    return joined(Or, [parts.draft.tree(found, "any", name) for name in found.part.any] or [FALSE])


def hands_off(parts: Parts) -> Node:
    """When hands are off in the pack's own jurisdiction."""
    return joined(Or, [parts.draft.tree(found, "when") for found in parts.hands_off] or [FALSE])


def _places(parts: Parts, key: str) -> Table:
    found = list(parts.draft.each(key))
    rows: list[tuple[Node | None, Node]] = [(any_of(parts, item), Const(item.part.id, _enum)) for item in found[:-1]]
    return Table((*rows, (None, Const(found[-1].part.id, _enum))))


def _phase(parts: Parts) -> Table:
    plain = _places(parts, "phases")
    return Table(((hands_off(parts), plain.rows[0][1]), *plain.rows[1:])) if len(plain.rows) > 1 else plain


def _moment(parts: Parts) -> Table:
    given = parts.scopes.names().values["request.moment"]
    rows: list[tuple[Node | None, Node]] = [
        (parts.draft.tree(found, "when"), Const(found.part.moment, TEXT)) for found in parts.hands_off if found.part.moment is not None
    ]
    rows.append((Call("known", (given,), (), BOOLEAN), given))
    revealed = [found for found in parts.draft.each("moments") if found.part.revealed_by is not None]
    rows += [(parts.draft.tree(found, "revealed_by"), Const(found.part.id, TEXT)) for found in revealed]
    return Table((*rows, (None, Const("none", TEXT))))


def _worked_out(parts: Parts, found: Found[Any]) -> Iterator[tuple[str, Node | Table]]:
    known = own_names(parts, found)
    yield f"concession:{found.part.action}", substitute(parts.draft.tree(found, "concession"), known)
    if isinstance(found.part.duty, list):
        yield f"duty:{found.part.action}", _table(parts, found, "duty", found.part.duty, known)
