"""Until when a suppression lasts: the first moment at which a clause of contact policy holds if nothing else happens."""

from __future__ import annotations

import bisect
import datetime
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from heapq import merge
from typing import Any

from app.engine.case import Case
from app.engine.changes import LONGEST_WAIT, expanded
from app.engine.facts import Facts, microseconds
from app.engine.pack.model import Clause, Pack
from app.engine.to_python import Program, Section
from app.engine.tree import Call, Const, Node, reads, walk

_CLOCK = frozenset({"clock.time", "clock.weekday", "clock.holiday"})
_epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_day = datetime.timedelta(days=1)


def until(pack: Pack, case: Case, facts: Facts, clause: Clause) -> datetime.datetime | None:
    """When a clause of contact policy begins to hold, asked anew at that moment; none when it does not within a year or so.

    Caps end when their contacts leave the window, hours at the next boundary, waits at a local midnight: the clause is tried at each.
    What a first-match table decides, the moment of truth among it, is taken to stay as it is.
    """
    tree = expanded(pack, clause.tree)
    run, slot, size, inputs = _compiled(tree)
    zone = datetime.timezone(datetime.timedelta(minutes=case.times.offset))

    def holds(moment: datetime.datetime) -> bool:
        local = moment.astimezone(zone)
        values: list[Any] = [None] * size
        for name, at in inputs.items():
            values[at] = _clock(pack, name, local, facts)
        now = microseconds(moment)
        run(values, replace(facts.around, as_of=now, contact_at=now))
        return values[slot] is True or (values[slot] is None and clause.allows_unknown)

    start, ends = case.times.contact_at.astimezone(zone), sorted(_expiries(facts, tree))
    ends = [start, *ends[bisect.bisect_right(ends, start) :]]
    days = list(_moments_of_day(facts, tree, zone))
    if not days:
        # A cap only empties as time goes by: a history of thousands of contacts takes a dozen trials, not thousands.
        at = bisect.bisect_left(ends, True, key=holds)
        return ends[at].astimezone(zone) if at < len(ends) else None
    return next((moment.astimezone(zone) for moment in merge(ends, _coming(start, days)) if holds(moment)), None)


def _clock(pack: Pack, name: str, local: datetime.datetime, facts: Facts) -> Any:
    if name in ("contact_day", "today"):
        return local.date().toordinal()
    if name == "clock.time":
        return local.hour * 60 + local.minute
    if name == "clock.weekday":
        return local.isoweekday()
    if name == "clock.holiday":
        return local.date().toordinal() in pack.holidays
    return facts.values[pack.slots[name]] if name in pack.slots else None


@lru_cache(maxsize=4096)
def _compiled(tree: Node) -> tuple[Section, int, int, Mapping[str, int]]:
    """A clause as a program of its own: compiled the first time it is asked about, not for each request."""
    program = Program()
    slot = program.add(tree)
    return program.section(), slot, program.size, dict(program.inputs)


def _coming(start: datetime.datetime, days: list[datetime.timedelta]) -> Iterator[datetime.datetime]:
    """The times of day, day after day."""
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(LONGEST_WAIT + 1):
        yield from (moment for time in days if (moment := midnight + day * _day + time) > start)


def _moments_of_day(facts: Facts, tree: Node, zone: datetime.timezone) -> Iterator[datetime.timedelta]:
    """Times of day at which the clause may turn, soonest first; none where only contacts and events count."""
    nodes = list(walk(tree))
    calls = [node for node in nodes if isinstance(node, Call)]
    found: set[datetime.timedelta] = set()
    if _CLOCK & reads(tree) or any(node.function in ("days_since", "days_until") for node in calls):
        found.add(datetime.timedelta())
    if "clock.time" in reads(tree):
        times = [node.value for node in nodes if isinstance(node, Const) and node.type.kind == "time" and isinstance(node.value, int)]
        found |= {datetime.timedelta(minutes=time + after) for time in times for after in (0, 1) if time + after < 1440}
    for at in (at for node in calls if node.function == "since" for at, _ in (facts.around.events or {}).get(_kind(node), ())):
        local = (_epoch + datetime.timedelta(microseconds=at)).astimezone(zone)
        found.add(local - local.replace(hour=0, minute=0, second=0, microsecond=0))
    yield from sorted(found)


def _expiries(facts: Facts, tree: Node) -> Iterator[datetime.datetime]:
    """When each contact or event leaves the window of a count."""
    for node in walk(tree):
        days = _window(node) if isinstance(node, Call) and node.function in ("contacted", "refused", "count") else None
        if isinstance(node, Call) and days is not None:
            rows = (facts.around.events or {}).get(_kind(node), ()) if node.function == "count" else facts.around.contacts or ()
            yield from (_epoch + datetime.timedelta(microseconds=at, days=days) for at, _ in rows)


def _window(node: Call) -> int | None:
    return next(
        (item.value for name, item in node.options if name == "days" and isinstance(item, Const) and isinstance(item.value, int)), None
    )


def _kind(node: Call) -> str:
    return str(next((item.value for item in node.arguments if isinstance(item, Const)), ""))
