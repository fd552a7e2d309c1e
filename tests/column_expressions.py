"""Expressions worked out for many people at once, by rows and on columns, with random people for them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import polars as pl

from app.campaign.batch import PLACE, Batch, column_type, history_columns
from app.campaign.plan import Plan
from app.engine.pack import Pack
from app.engine.pack.model import CONTACT
from app.engine.pack.names import type_of
from app.engine.runtime import DAY, NEVER, Surroundings
from app.engine.to_polars import Columns
from app.engine.to_python import ALWAYS_KNOWN, Program
from app.engine.tree import Node, Ref, Type, walk
from app.engine.vocabulary import EVENTS
from tests.expressions import CATEGORIES, NOON, TODAY, instant
from tests.expressions import PLANS as USUAL

SALT = "salt"
PLANS = {**USUAL, "plan_129": replace(USUAL["plan_129"], data_rate=1_000_000)}
"""The plans of expressions, one so dear that what it costs may be beyond all bounds."""
WORDS = ("a", "b", "plan_59", "plan_129", "toll_pack", "music", "it's", "中文", "x y", "")
_EDGES = (-1, 0, 0, 1)
"""Microseconds beside the edge of a window."""


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of somebody by name, and the rest."""

    values: Mapping[str, Any]
    around: Surroundings


def row_values(nodes: Sequence[Node], people: Iterable[Person]) -> list[list[Any]]:
    """What each tree comes to for each person, one by one."""
    program = Program()
    slots = [program.add(node) for node in nodes]
    section = program.section()
    found = []
    for person in people:
        values: list[Any] = [None] * program.size
        for name, slot in program.inputs.items():
            values[slot] = person.values.get(name)
        section(values, person.around)
        found.append([values[slot] for slot in slots])
    return found


def column_values(nodes: Sequence[Node], people: Sequence[Person]) -> list[list[Any]]:
    """The same, all at once."""
    plan = object.__new__(Plan)
    plan.columns = Columns({}, PLANS, {})
    plan.pack = cast(Pack, SimpleNamespace(salt=SALT, categories=CATEGORIES, types={}))
    plan.columns.expect(nodes)
    names = [plan.columns.add(node) for node in nodes]
    batch = batch_of_people(nodes, people)
    filled = plan.fill(batch.facts, batch)
    return [list(row) for row in filled.select(pl.col(name).alias(str(index)) for index, name in enumerate(names)).iter_rows()]


def alike(one: Any, other: Any) -> bool:
    """Are a row's value and a column's the same? Columns have every number as a float, and rows no sign of a whole zero."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    return bool(one == other)


def batch_of_people(nodes: Iterable[Node], people: Sequence[Person]) -> Batch:
    """The people as columns."""
    around = [person.around for person in people]
    columns = {
        PLACE: pl.Series(range(len(people)), dtype=pl.UInt32),
        "subscriber": pl.Series([item.subscriber for item in around], dtype=pl.String),
        "as_of": pl.Series([item.as_of for item in around], dtype=pl.Int64),
        "contact_at": pl.Series([item.contact_at for item in around], dtype=pl.Int64),
        "events.known": pl.Series([item.events is not None for item in around], dtype=pl.Boolean),
        "contacts.known": pl.Series([item.contacts is not None for item in around], dtype=pl.Boolean),
    }
    for item in refs(nodes):
        values = [_plain(person.values.get(item.name)) for person in people]
        columns[item.name] = pl.Series(values, dtype=column_type(item.type.kind), strict=False)
    events: dict[str, list[tuple[int, int, Any]]] = {}
    for place, item in enumerate(around):
        for kind, entries in (item.events or {}).items():
            ours = item.contacts or () if kind == CONTACT else ()
            events.setdefault(kind, []).extend((place, *entry) for entry in entries if entry not in ours)
    contacts = [(place, *entry) for place, item in enumerate(around) for entry in item.contacts or ()]
    return Batch(pl.DataFrame(columns), {kind: _history(kind, rows) for kind, rows in events.items()}, _history(None, contacts))


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value


def _history(kind: str | None, rows: Sequence[tuple[int, int, Any]]) -> pl.DataFrame:
    columns = {}
    for name, of in history_columns(kind).items():
        values = [place if name == PLACE else at if name == "at" else getattr(entry, name) for place, at, entry in rows]
        columns[name] = pl.Series(values, dtype=of, strict=False)
    return pl.DataFrame(columns)


def refs(nodes: Iterable[Node]) -> list[Ref]:
    """The named values that trees read, each once."""
    found = {item.name: item for node in nodes for item in walk(node) if isinstance(item, Ref) and item.type.kind != "events"}
    return list(found.values())


def random_people(dice: random.Random, nodes: Sequence[Node], size: int) -> list[Person]:
    """People of whom some of what the trees read is known; often with one value for all, which Polars may keep as a scalar."""
    wanted = refs(nodes)
    fixed = {item.name: random_value(dice, item) for item in wanted if dice.random() < 0.15}
    return [
        Person(
            {item.name: fixed[item.name] if item.name in fixed else random_value(dice, item) for item in wanted}
            | {"today": TODAY, "contact_day": TODAY + dice.choice((0, 1))},
            dice.choice(some_surroundings()),
        )
        for _ in range(size)
    ]


def random_value(dice: random.Random, item: Ref) -> Any:
    """A value for a name, or unknown where it may be."""
    return None if item.name not in ALWAYS_KNOWN and dice.random() < 0.12 else random_of(dice, item.type)


def random_of(dice: random.Random, kind: Type) -> Any:
    """A value of the type; of a series some may be missing."""
    match kind.kind:
        case "boolean":
            return dice.random() < 0.5
        case "date":
            return dice.choice((NEVER, TODAY, TODAY - 1, TODAY + 1, TODAY + dice.randint(-400, 400)))
        case "time":
            return dice.randrange(24 * 60)
        case "enum":
            return dice.choice(kind.values or WORDS)
        case "text":
            return dice.choice(WORDS)
        case "set":
            return frozenset(dice.sample(kind.values or WORDS, dice.randint(0, 2)))
        case "series":
            return tuple(None if dice.random() < 0.08 else random_figure(dice, kind) for _ in range(dice.randint(0, 6)))
    return random_figure(dice, kind)


def random_figure(dice: random.Random, kind: Type) -> float:
    """A number within the bounds of its type: small ones often, so that they are equal at times."""
    form = dice.random()
    if form < 0.45:
        found: float = dice.choice((0, 0, 1, 2, 3, 5, 9, -1, -4))
    elif form < 0.6:
        found = dice.randint(0, 10**12)
    elif form < 0.7:
        found = dice.choice((0.0, -0.0, 1e-300, 0.1, 0.2, 0.3, 1e12, -1e12, 1500, 10240, 1024.5, 100))
    else:
        found = dice.uniform(-1, 1) * 10 ** dice.randint(0, 6)
    found = max(-kind.most, min(found, kind.most))
    return int(found) if kind.integral else found


@cache
def some_surroundings() -> tuple[Surroundings, ...]:
    """Five hundred of them, for whoever needs one: to make one takes longer than to work out a tree."""
    dice = random.Random(11)
    return tuple(random_surroundings(dice) for _ in range(500))


def random_surroundings(dice: random.Random) -> Surroundings:
    """When, who, and what happened: events at the edges of windows among others, and such as have not happened yet."""
    as_of = instant(NOON) + dice.choice((0, 0, 1, -DAY, 12_345_678))
    contact_at = as_of + dice.choice((0, 0, DAY, 3_600_000_000))
    contacts = None if dice.random() < 0.15 else [_entry(dice, None, as_of, contact_at) for _ in range(dice.choice((0, 0, 1, 3, 6)))]
    events: dict[str, list[tuple[int, Any]]] | None = None
    if dice.random() < 0.85:
        events = {}
        for _ in range(dice.choice((0, 1, 4, 8))):
            kind = (
                dice.choice(tuple(EVENTS)) if dice.random() < 0.4 else dice.choice(("complaint", "fault", "overage", "move_home", CONTACT))
            )
            events.setdefault(kind, []).append(_entry(dice, kind, as_of, contact_at))
        if contacts:
            events.setdefault(CONTACT, []).extend(contacts)
    return Surroundings(
        events=events,
        contacts=contacts,
        as_of=as_of,
        contact_at=contact_at,
        subscriber=f"s-{dice.randrange(1000)}",
        salt=SALT,
        categories=CATEGORIES,
        plans=PLANS,
        offered=frozenset(entry.action for _, entry in contacts or ()),
    )


def _entry(dice: random.Random, kind: str | None, as_of: int, contact_at: int) -> tuple[int, Any]:
    """An event, or a contact, with its moment; every attribute is missing at times."""
    at = dice.choice((as_of, contact_at)) - dice.choice((0, 1, 2, 7, 14, 30, 89, 90, -1)) * DAY + dice.choice(_EDGES)
    if kind is not None:
        attributes = {name: _attribute(dice, type_of(fact)) for name, fact in EVENTS[kind].attributes.items()}
        return at, SimpleNamespace(**attributes)
    contact = {
        "action": (*CATEGORIES, "gone"),
        "kind": ("offer", "care", "service"),
        "channel": ("app", "shop", "sms_marketing"),
        "result": ("refused", "refused", "shown", "accepted"),
        "message": (None, None, "m-1", "m-2"),
        "campaign": ("spring",),
    }
    return at, SimpleNamespace(**{name: None if dice.random() < 0.1 else dice.choice(words) for name, words in contact.items()})


def _attribute(dice: random.Random, kind: Type) -> Any:
    return dice.choice(kind.values[:3]) if kind.values and dice.random() < 0.85 else None if dice.random() < 0.2 else random_of(dice, kind)
