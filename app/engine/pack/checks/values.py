"""Sets of values that one fact can have: spans of numbers, words, a date that is never, and unknown.

Numbers stand on a grid, so that every span is closed: whole numbers as they are, others by their place among all floats.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from functools import lru_cache

Span = tuple[int, int]
Word = str | bool


class Values:
    """A set of values. Equal sets are one object: compare with `is`.

    `spans` are closed, sorted and apart; `words` are the words of it or, where `rest` holds, the only ones that are not;
    `never` is the date that was given as null; `unknown` stands for not knowing.
    `known`: is there anything but unknown in it; `empty`: is there nothing.
    """

    __slots__ = ("empty", "known", "never", "rest", "spans", "unknown", "words")

    def __init__(self, spans: tuple[Span, ...], words: frozenset[Word], rest: bool, never: bool, unknown: bool) -> None:
        self.spans, self.words, self.rest, self.never, self.unknown = spans, words, rest, never, unknown
        self.known = bool(spans or words or rest or never)
        self.empty = not (self.known or unknown)


@lru_cache(maxsize=200_000)
def _one(spans: tuple[Span, ...], words: frozenset[Word], rest: bool, never: bool, unknown: bool) -> Values:
    return Values(spans, words, rest, never, unknown)


def values(
    spans: Iterable[Span] = (), words: Iterable[Word] = (), *, rest: bool = False, never: bool = False, unknown: bool = False
) -> Values:
    """The set of so many values."""
    return _one(_joined(spans), frozenset(words), rest, never, unknown)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    found: list[Span] = []
    for low, high in sorted(span for span in spans if span[0] <= span[1]):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return tuple(found)


NOTHING = values()
UNKNOWN = values(unknown=True)
TRUTH = values(words=(True, False), unknown=True)
"""What a condition can come to."""


@lru_cache(maxsize=200_000)
def both(one: Values, other: Values) -> Values:
    """What is in both sets."""
    if one is other:
        return one
    spans = [(max(a, c), min(b, d)) for a, b in one.spans for c, d in other.spans if max(a, c) <= min(b, d)]
    words, rest = _common(one, other)
    return values(spans, words, rest=rest, never=one.never and other.never, unknown=one.unknown and other.unknown)


def _common(one: Values, other: Values) -> tuple[frozenset[Word], bool]:
    if one.rest and other.rest:
        return one.words | other.words, True
    if one.rest:
        return other.words - one.words, False
    return (one.words - other.words if other.rest else one.words & other.words), False


@lru_cache(maxsize=200_000)
def either(one: Values, other: Values) -> Values:
    """What is in one of the sets."""
    if one.rest and other.rest:
        words, rest = one.words & other.words, True
    elif one.rest or other.rest:
        words, rest = (one.words - other.words if one.rest else other.words - one.words), True
    else:
        words, rest = one.words | other.words, False
    return values((*one.spans, *other.spans), words, rest=rest, never=one.never or other.never, unknown=one.unknown or other.unknown)


@lru_cache(maxsize=200_000)
def without(one: Values, other: Values) -> Values:
    """What is in the first set and not in the other."""
    if one.rest:
        words, rest = (other.words - one.words, False) if other.rest else (one.words | other.words, True)
    else:
        words, rest = (one.words & other.words if other.rest else one.words - other.words), False
    return values(
        _cut(one.spans, other.spans), words, rest=rest, never=one.never and not other.never, unknown=one.unknown and not other.unknown
    )


def _cut(spans: tuple[Span, ...], away: tuple[Span, ...]) -> list[Span]:
    found = list(spans)
    for low, high in away:
        found = [piece for a, b in found for piece in ((a, min(b, low - 1)), (max(a, high + 1), b)) if piece[0] <= piece[1]]
    return found


def place_of(number: float, *, whole: bool) -> int:
    """Where a number stands on its grid. A number between two whole ones stands at the lower."""
    if whole:
        return int(number // 1)
    (place,) = struct.unpack(">q", struct.pack(">d", float(number) + 0.0))
    return int(place) if place >= 0 else -int(place & 0x7FFF_FFFF_FFFF_FFFF)


def number_at(place: int, *, whole: bool) -> int | float:
    """The number that stands there."""
    if whole:
        return place
    (number,) = struct.unpack(">d", struct.pack(">q", abs(place)))
    return float(number) if place >= 0 else -float(number)


def first_where(low: int, high: int, test: Callable[[int], bool]) -> int:
    """The first place from `low` to `high` where the test holds, if it holds from there on; `high + 1` where it never does."""
    after = high + 1
    while low < after:
        middle = (low + after) // 2
        if test(middle):
            after = middle
        else:
            low = middle + 1
    return low
