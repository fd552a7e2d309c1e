"""Conditions as and, or, and what one thing may be: what the search for a subscriber works on."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from app.engine.pack.checks.values import Values, both, either
from app.engine.tree import Node


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """Something that conditions look at: a fact, a window over a series, a count, how two figures stand to each other.

    `full` are the values it can have at all; `bases` what has to be known for it to be known; `exact`: known whenever those are;
    `single`: it rests on one base alone, so that nothing about it is left out; `whole`: on which grid its numbers stand.
    """

    key: Hashable
    node: Node
    form: str
    full: Values
    bases: frozenset[str]
    exact: bool = False
    single: bool = True
    whole: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """The thing is one of these values."""

    thing: Thing
    values: Values


@dataclass(frozen=True, slots=True, eq=False)
class Every:
    """All of these."""

    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Some:
    """One of these at least."""

    items: tuple[Form, ...]


Form = Leaf | Every | Some
MOST_TOGETHER = 100
"""Forms inside another of the same kind that are taken apart."""
MOST_LOOKED_AT = 5_000
"""Pieces of one form that are looked at for the things in it."""
ALWAYS, NEVER = Every(()), Some(())


def every(forms: Iterable[Form]) -> Form:
    """All of the forms; what is asked of one thing comes together."""
    leaves: dict[Thing, Values] = {}
    others: dict[int, Form] = {}
    for form in forms:
        for item in form.items if isinstance(form, Every) and len(form.items) <= MOST_TOGETHER else (form,):
            if isinstance(item, Leaf):
                leaves[item.thing] = both(leaves.get(item.thing, item.thing.full), item.values)
            else:
                others[id(item)] = item
    if NEVER in others.values() or any(found.empty for found in leaves.values()):
        return NEVER
    items = (*(Leaf(thing, found) for thing, found in leaves.items() if found is not thing.full), *others.values())
    return items[0] if len(items) == 1 else Every(items) if items else ALWAYS


def some(forms: Iterable[Form]) -> Form:
    """One of the forms; what is asked of one thing comes together."""
    leaves: dict[Thing, Values] = {}
    others: dict[int, Form] = {}
    for form in forms:
        for item in form.items if isinstance(form, Some) and len(form.items) <= MOST_TOGETHER else (form,):
            if isinstance(item, Leaf):
                found = leaves.get(item.thing)
                leaves[item.thing] = item.values if found is None else either(found, item.values)
            else:
                others[id(item)] = item
    if ALWAYS in others.values() or any(found is thing.full for thing, found in leaves.items()):
        return ALWAYS
    items = (*(Leaf(thing, found) for thing, found in leaves.items()), *others.values())
    return items[0] if len(items) == 1 else Some(items) if items else NEVER


def things(form: Form) -> frozenset[Thing]:
    """Everything that the form looks at, up to a bound."""
    found: set[Thing] = set()
    seen: set[int] = set()
    rest = [form]
    for _ in range(MOST_LOOKED_AT):
        if not rest:
            break
        item = rest.pop()
        if isinstance(item, Leaf):
            found.add(item.thing)
        elif id(item) not in seen:
            seen.add(id(item))
            rest += item.items
    return frozenset(found)
