"""What compiled expressions call: windows over series, events and contacts, dates, plans, hashing.

Unknown is `None` and passes through. Float sums run left to right (Python 3.12's `sum` does not), so that columns can do the same.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, pairwise
from typing import Any

from app.engine.tree import INPUT_LIMIT

DAY = 86_400_000_000
"""Microseconds in a day of history: windows are exact spans, not calendar days."""
NEVER = 0
"""The ordinal of a date that was given as null: never, or none."""
FAR = 1_000_000
"""Days to or from a date that is never."""

Number = int | float
Series = Sequence[Number | None]
Dated = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A published plan as `fee_on` needs it: money in fen, voice in minutes, data in MB, data rate per GB of 1,024 MB."""

    id: str
    fee: int
    voice_minutes: int
    data_mb: int
    voice_rate: int
    data_rate: int
    overage_cap: int


@dataclass(slots=True)
class Surroundings:
    """What a case brings beside its named values. Times in microseconds since 1970, histories in any order; none is unknown.

    `offered` are the actions that contacts were about, `doors` those of the actions on the case's channel, by phase.
    """

    events: Mapping[str, Sequence[Dated]] | None
    contacts: Sequence[Dated] | None
    as_of: int
    contact_at: int
    subscriber: str
    salt: str
    categories: Mapping[str, str]
    plans: Mapping[str, Plan]
    offered: frozenset[str]
    doors: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def window(series: Series | None, cycles: int) -> Series | None:
    """The last n values; unknown when there are fewer or one is missing."""
    if series is None or len(series) < cycles:
        return None
    found = series[-cycles:]
    for value in found:  # `in` would ask every figure whether it equals None, which takes ten times as long
        if value is None:
            return None
    return found


def _sum(values: Sequence[Any]) -> Any:
    result = 0
    for value in values:
        result += value
    return result


def quotient(over: Number, under: Number) -> float | None:
    """`over / under`; unknown for a zero divisor and beyond 10¹²."""
    if under == 0:
        return None
    try:
        result = over / under
    except OverflowError:
        return None
    return result if -INPUT_LIMIT <= result <= INPUT_LIMIT else None


def last(series: Series | None) -> Number | None:
    """The last closed cycle."""
    return series[-1] if series else None


def total(series: Series | None, cycles: int) -> Number | None:
    """Sum of the last n cycles."""
    if series is None or len(series) < cycles:
        return None
    result: Number = 0
    for value in series[-cycles:]:
        if value is None:
            return None
        result += value
    return result


def mean(series: Series | None, cycles: int) -> float | None:
    """Mean of the last n cycles."""
    if series is None or len(series) < cycles:
        return None
    found: Number = 0
    for value in series[-cycles:]:
        if value is None:
            return None
        found += value
    return found / cycles


def peak(series: Series | None, cycles: int) -> Number | None:
    """Largest of the last n cycles."""
    found = window(series, cycles)
    return None if found is None else max(found)  # type: ignore[type-var]


def median(series: Series | None, cycles: int) -> float | None:
    """Median of the last n cycles; of an even number the mean of the middle two."""
    found = window(series, cycles)
    if found is None:
        return None
    ordered: list[Any] = sorted(found)
    middle = cycles // 2
    return float(ordered[middle]) if cycles % 2 else quotient(ordered[middle - 1] + ordered[middle], 2)


def change(series: Series | None, cycles: int) -> float | None:
    """`(last × n − total of the n before) / total of the n before`."""
    found = window(series, cycles + 1)
    if found is None:
        return None
    before, final = _sum(found[:-1]), found[-1]
    return quotient(final * cycles - before, before)  # type: ignore[operator]


def falling(series: Series | None, cycles: int) -> bool | None:
    """Is each of the last n values under the one before."""
    found = window(series, cycles)
    return None if found is None else all(a > b for a, b in pairwise(found))  # type: ignore[operator]


def rising(series: Series | None, cycles: int) -> bool | None:
    """Is each of the last n values over the one before."""
    found = window(series, cycles)
    return None if found is None else all(a < b for a, b in pairwise(found))  # type: ignore[operator]


def share_over(series: Series | None, limit: Number | None, cycles: int) -> float | None:
    """Share of the last n values over the limit."""
    found = window(series, cycles)
    if found is None or limit is None:
        return None
    over = 0
    for value in found:
        if value > limit:  # type: ignore[operator]
            over += 1
    return over / cycles


def smallest(*numbers: Number | None) -> Number | None:
    """The smallest number; unknown when one is."""
    return None if None in numbers else min(numbers)  # type: ignore[type-var]


def largest(*numbers: Number | None) -> Number | None:
    """The largest number; unknown when one is."""
    return None if None in numbers else max(numbers)  # type: ignore[type-var]


def size(number: Number | None) -> Number | None:
    """The number without its sign."""
    return None if number is None else abs(number)


def first_known(*numbers: Number | None) -> Number | None:
    """The first number that is known."""
    for number in numbers:
        if number is not None:
            return number
    return None


def days_since(date: int | None, today: int) -> int | None:
    """Days from the date to today."""
    if date is None:
        return None
    return FAR if date == NEVER else today - date


def days_until(date: int | None, today: int) -> int | None:
    """Days from today to the date."""
    if date is None:
        return None
    return FAR if date == NEVER else date - today


def overlap(one: frozenset[str] | None, other: frozenset[str] | None) -> bool | None:
    """Do the sets share a word."""
    return None if one is None or other is None else not one.isdisjoint(other)


def at_least(needed: Number, *conditions: bool | None) -> bool | None:
    """Kleene: true when enough hold, false when too few could."""
    held = conditions.count(True)
    if held >= needed:
        return True
    return False if held + conditions.count(None) < needed else None


def _unknown(filters: tuple[tuple[str, Any], ...]) -> bool:
    """Is what a filter wants not known?"""
    return bool(filters) and None in [wanted for _, wanted in filters]


def count(
    events: Mapping[str, Sequence[Dated]] | None,
    kind: str,
    now: int,
    days: int | None,
    same: str | None,
    filters: tuple[tuple[str, Any], ...],
) -> int | None:
    """Events of the kind with `now - days < at <= now` whose attributes match; an attribute that an event lacks matches nothing."""
    if events is None or _unknown(filters):
        return None
    found = events.get(kind)
    if not found:
        return 0
    start = now - days * DAY if days is not None else None
    matching = [
        event
        for at, event in found
        if at <= now and (start is None or start < at) and all(getattr(event, name) == wanted for name, wanted in filters)
    ]
    if same is None:
        return len(matching)
    groups: dict[Any, int] = {}
    for event in matching:
        word = getattr(event, same)
        if word is not None:
            groups[word] = groups.get(word, 0) + 1
    return max(groups.values(), default=0)


def since(events: Mapping[str, Sequence[Dated]] | None, kind: str, now: int, filters: tuple[tuple[str, Any], ...]) -> int | None:
    """Whole days since the last such event; unknown if there was none."""
    if events is None or _unknown(filters):
        return None
    moments = [at for at, event in events.get(kind, ()) if at <= now and all(getattr(event, name) == wanted for name, wanted in filters)]
    return (now - max(moments)) // DAY if moments else None


def contacted(
    contacts: Sequence[Dated] | None,
    now: int,
    days: int,
    categories: Mapping[str, str],
    filters: tuple[tuple[str, Any], ...],
    result: str | None = None,
) -> int | None:
    """Contacts with `now - days < at <= now` that match, those of one message once.

    A contact's category is that of its action in this pack.
    """
    if contacts is None or _unknown(filters):
        return None
    start, found = now - days * DAY, 0
    messages: set[str] | None = None
    for at, contact in contacts:
        if start < at <= now and (result is None or contact.result == result):
            for name, wanted in filters:
                if (categories.get(contact.action) if name == "category" else getattr(contact, name)) != wanted:
                    break
            else:
                if contact.message is None:
                    found += 1
                elif messages is None:
                    messages = {contact.message}
                else:
                    messages.add(contact.message)
    return found if messages is None else found + len(messages)


def refused(
    contacts: Sequence[Dated] | None, now: int, days: int, categories: Mapping[str, str], filters: tuple[tuple[str, Any], ...]
) -> int | None:
    """Contacts that were refused, counted as `contacted` does."""
    return contacted(contacts, now, days, categories, filters, "refused")


def _mean_cost(plan: Plan, minutes: Sequence[Any], megabytes: Sequence[Any], cycles: int, limit: float = math.inf) -> float | None:
    """Mean cost a cycle: the fee, and minutes and data over the allowance at the plan's rates, up to the cap where there is one.

    None where it is beyond the limit, which is noticed as soon as may be.
    """
    result = 0.0
    for said, used in zip(minutes, megabytes, strict=True):
        over = 0.0
        if used > plan.data_mb:
            over = (used - plan.data_mb) * plan.data_rate / 1024
            if over > INPUT_LIMIT:
                return None
        if said > plan.voice_minutes:
            over += (said - plan.voice_minutes) * plan.voice_rate
        if plan.overage_cap and over > plan.overage_cap:
            over = plan.overage_cap
        result += plan.fee + over
        if result / cycles > limit:
            return None
    return quotient(result, cycles)


def fee_on(plans: Mapping[str, Plan], plan: str | None, cycles: int, voice: Series | None, data: Series | None) -> float | None:
    """Mean cost a cycle of the last n cycles' use on the plan, in fen; unknown for a plan that is not in the catalogue."""
    minutes, megabytes = window(voice, cycles), window(data, cycles)
    if plan is None or minutes is None or megabytes is None or plan not in plans:
        return None
    return _mean_cost(plans[plan], minutes, megabytes, cycles)


def best(
    plans: Mapping[str, Plan], cycles: int, voice: Series | None, data: Series | None, *opened: bool | None
) -> tuple[float, str] | None:
    """The cheapest open plan and its cost; of equally cheap ones the first by id. `opened` is in the order of `plans`."""
    minutes: Any = window(voice, cycles)
    megabytes: Any = window(data, cycles)
    if minutes is None or megabytes is None:
        return None
    most_said, most_used = max(minutes), max(megabytes)
    found: tuple[float, str] | None = None
    for plan in compress(plans.values(), opened):
        if most_said <= plan.voice_minutes and most_used <= plan.data_mb:
            cost: float | None = float(plan.fee)
        else:
            cost = _mean_cost(plan, minutes, megabytes, cycles, found[0] if found else math.inf)
        if cost is not None and (found is None or (cost, plan.id) < found):
            found = cost, plan.id
    return found


def bucket(salt: str, name: str, subscriber: str) -> int:
    """0 to 99, evenly: the first 8 bytes of SHA-256 over salt, name and subscriber, separated by NUL, modulo 100."""
    digest = hashlib.sha256(b"\0".join(part.encode() for part in (salt, name, subscriber))).digest()
    return int.from_bytes(digest[:8], "big") % 100


def buckets(salt: str, name: str, subscribers: Iterable[str]) -> list[int]:
    """The same for many, of whom what is the same is hashed once."""
    same = hashlib.sha256(f"{salt}\0{name}\0".encode())
    found = []
    for subscriber in subscribers:
        own = same.copy()
        own.update(subscriber.encode())
        found.append(int.from_bytes(own.digest()[:8], "big") % 100)
    return found
