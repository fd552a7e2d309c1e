"""Subscribers as columns: what many cases hold, a column a fact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import polars as pl

from app.engine.facts import may_profile, microseconds, read_facts
from app.engine.pack.model import CLOCKS
from app.engine.vocabulary import EVENTS, Contact

if TYPE_CHECKING:
    from app.engine.case import Case
    from app.engine.pack import Pack

PLACE = "i"
"""The column that says which subscriber of the batch a row is about, from 0."""
TOO_OLD = "too_old"
"""The column with the names of the facts that are unknown for their age."""
NUMBER = pl.Float64()
"""Every number, date and time of day: whole numbers are exact up to 2^53, and larger ones are refused before."""
_types: Mapping[str, pl.DataType] = {
    "number": NUMBER,
    "date": NUMBER,
    "time": NUMBER,
    "boolean": pl.Boolean(),
    "enum": pl.String(),
    "text": pl.String(),
    "set": pl.List(pl.String()),
    "series": pl.List(NUMBER),
}
_asked: Mapping[str, pl.DataType] = {
    PLACE: pl.UInt32(),
    "row": pl.Int64(),
    "subscriber": pl.String(),
    "request.channel": pl.String(),
    "as_of": pl.Int64(),
    "contact_at": pl.Int64(),
    "zone": pl.String(),
    "events.known": pl.Boolean(),
    "contacts.known": pl.Boolean(),
    "personalised": pl.Boolean(),
    "max_actions": pl.Int64(),
    "concession_limit": pl.Int64(),
    TOO_OLD: pl.List(pl.String()),
    **{name: pl.Boolean() if name == "clock.holiday" else NUMBER for name in CLOCKS},
}
"""What stands beside the facts."""


@dataclass(frozen=True, slots=True)
class Batch:
    """So many subscribers, by column.

    Attributes:
        facts: a row a subscriber: `i` from 0, `row` from 1 in the input, `subscriber`, `request.channel`, which is always there; each base
            fact by its name, null where unknown, as `column_type` has it: numbers as floats, dates as ordinals with 0 for one that was
            given as null; the clocks; `as_of` and `contact_at` in microseconds since 1970, and the name of the `zone` whose clocks tell the
            latter (null: clocks that never change; without the column the pack's); whether each history was given; whether the person may
            be profiled; what bounds the list; the names of facts that are `too_old` (null or without the column: none). A fact that
            nobody has may be missing.
        events: by kind, without the contacts that we made: `i`, `at` in microseconds and the kind's attributes.
        contacts: the contact history: `i`, `at` and the fields of a contact.
    """

    facts: pl.DataFrame
    events: Mapping[str, pl.DataFrame]
    contacts: pl.DataFrame

    @property
    def size(self) -> int:
        """How many subscribers."""
        return self.facts.height


def column_type(kind: str) -> pl.DataType:
    """The type of the column for a fact or attribute of a kind."""
    return _types[kind]


def history_columns(kind: str | None) -> Mapping[str, pl.DataType]:
    """The columns of a kind of event, or of contacts where it is none."""
    attributes: dict[str, pl.DataType] = {PLACE: pl.UInt32(), "at": pl.Int64()}
    if kind is None:
        return attributes | {name: pl.String() for name in Contact.model_fields if name != "at"}
    return attributes | {name: column_type(fact.kind) for name, fact in EVENTS[kind].attributes.items()}


@cache
def no_history(kind: str | None) -> pl.DataFrame:
    """A history in which nothing happened."""
    return pl.DataFrame(schema=dict(history_columns(kind)))


def batch_of(pack: Pack, cases: Sequence[Case], rows: Sequence[int] | None = None) -> Batch:
    """The cases as columns, with the facts that deciding one by one would read of them.

    Args:
        pack: says which facts are read, and how old they may be.
        cases: without choices, answers or a conversation, which are decided one by one.
        rows: where each stood in the input; from 1 on where it is left out.
    """
    read = [read_facts(pack, case) for case in cases]
    columns: dict[str, list[Any]] = {
        PLACE: list(range(len(cases))),
        "row": list(rows if rows is not None else range(1, len(cases) + 1)),
        "subscriber": [case.subscriber.id for case in cases],
        "request.channel": [case.channel for case in cases],
        "as_of": [facts.around.as_of for facts in read],
        "contact_at": [facts.around.contact_at for facts in read],
        "zone": [getattr(case.times.contact_at.tzinfo, "key", None) for case in cases],
        "events.known": [facts.around.events is not None for facts in read],
        "contacts.known": [facts.around.contacts is not None for facts in read],
        "personalised": [may_profile(case) for case in cases],
        "max_actions": [case.max_actions for case in cases],
        "concession_limit": [case.asker.concession_limit for case in cases],
        TOO_OLD: [list(facts.too_old) or None for facts in read],
        "today": [case.times.today.toordinal() for case in cases],
        "contact_day": [case.times.contact_day.toordinal() for case in cases],
        "clock.time": [case.times.contact_minute for case in cases],
        "clock.weekday": [case.times.contact_day.isoweekday() for case in cases],
        "clock.holiday": [case.times.contact_day.toordinal() in pack.holidays for case in cases],
    }
    schema = dict(_asked)
    for fact in pack.base:
        columns[fact.name] = [_plain(facts.values[fact.slot]) for facts in read]
        schema[fact.name] = column_type(fact.type.kind)
    events: dict[str, list[tuple[int, Any]]] = {}
    for place, case in enumerate(cases):
        for event in case.subscriber.events or ():
            events.setdefault(event.type, []).append((place, event))
    contacts = [(place, contact) for place, case in enumerate(cases) for contact in case.subscriber.contacts or ()]
    facts = pl.DataFrame({name: pl.Series(name, values, schema[name], strict=False) for name, values in columns.items()})
    return Batch(facts, {kind: _history(kind, found) for kind, found in events.items()}, _history(None, contacts))


def _plain(value: Any) -> Any:
    """A value as a column takes it."""
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value


def _history(kind: str | None, found: Iterable[tuple[int, Any]]) -> pl.DataFrame:
    rows = [(place, microseconds(entry.at), entry) for place, entry in found]
    schema = history_columns(kind)
    columns: dict[str, Iterable[Any]] = {PLACE: (place for place, _, _ in rows), "at": (at for _, at, _ in rows)}
    columns |= {name: [_attribute(getattr(entry, name)) for _, _, entry in rows] for name in schema if name not in columns}
    return pl.DataFrame({name: pl.Series(name, list(values), schema[name], strict=False) for name, values in columns.items()})


def _attribute(value: Any) -> Any:
    return value.toordinal() if hasattr(value, "toordinal") else value


def together(batches: Sequence[Batch]) -> Batch:
    """Several batches as one, in their order."""
    starts = [0]
    for batch in batches:
        starts.append(starts[-1] + batch.size)
    shifted = list(zip(batches, starts[:-1], strict=True))
    kinds = dict.fromkeys(chain.from_iterable(batch.events for batch in batches))
    events = {kind: pl.concat([_moved(batch.events[kind], by) for batch, by in shifted if kind in batch.events]) for kind in kinds}
    facts = pl.concat([_moved(batch.facts, by) for batch, by in shifted], how="diagonal")
    return Batch(facts, events, pl.concat([_moved(batch.contacts, by) for batch, by in shifted]))


def _moved(frame: pl.DataFrame, by: int) -> pl.DataFrame:
    return frame.with_columns((pl.col(PLACE) + by).cast(pl.UInt32))
