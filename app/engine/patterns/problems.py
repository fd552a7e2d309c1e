"""What a pack's patterns may not say, found without running anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from app.engine.patterns.comparison import UnsupportedError, aliases_of, all_aliases, alternatives
from app.engine.patterns.model import MOST_FACTS, Join, Pattern
from app.engine.problems import Place, Problem, nearest, shown
from app.engine.tree import Node

MOST_ABSENT = 8
"""Conditions of `without`, each alternative of an `or` counted."""


def problems(pattern: Pattern, place: Place) -> list[Problem]:
    """Every mistake of a pattern, with the code `pattern`; what passes can be compiled by both matchers."""
    found = [problem for join in pattern.joins for problem in _join_problems(join)]
    if not pattern.joins:
        found.append((f"{shown(pattern.id)} has no facts", "write `facts:`, or `any:` with several joins"))
    return [Problem(place, "pattern", message, hint) for message, hint in dict.fromkeys(found)]


Found = Iterator[tuple[str, str]]


def _join_problems(join: Join) -> Found:
    yield from _fact_problems(join)
    yield from _condition_problems(join.where, {alias for alias, _ in join.facts}, needed="")
    for alias, _, where in join.without:
        yield from _condition_problems(where, {alias} | {name for name, _ in join.facts}, needed=alias)
    if _absent(join) > MOST_ABSENT:
        yield f"`without` multiplies out to more than {MOST_ABSENT} conditions", "use `in` for one attribute with several values"


def _fact_problems(join: Join) -> Found:
    count = len(join.facts) + len(join.without)
    if not join.facts:
        yield "a join needs at least one fact", "`without` alone is a count: write `count(events.x, days=30) == 0` in `when:`"
    if count > MOST_FACTS:
        yield f"{count} facts are joined, the limit is {MOST_FACTS}", "counts, signals and single facts belong in `when:`"
    names = Counter([alias for alias, _ in join.facts] + [alias for alias, _, _ in join.without])
    for alias, times in names.items():
        if times > 1:
            yield f"{shown(alias)} names {times} facts", "give each fact a name of its own"


def _condition_problems(where: Node | None, known: set[str], needed: str) -> Found:
    for alias in all_aliases(where):
        if alias not in known:
            yield f"unknown fact {shown(alias)}", nearest(alias, known)
    try:
        found = alternatives(where)
    except UnsupportedError as error:
        yield error.message, error.hint
        return
    for comparison in dict.fromkeys(item for items in found for item in items):
        if needed and needed not in aliases_of(comparison):
            yield f"a condition of `without` does not mention {shown(needed)}", "move it to the `where:` of the join"


def _absent(join: Join) -> int:
    try:
        return sum(len(alternatives(where)) for _, _, where in join.without)
    except UnsupportedError:
        return 0


def collisions(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of names that durable_rules cannot tell apart: it keeps a 32-bit FNV-1a hash of each and never the name."""
    by_hash: dict[int, list[str]] = {}
    for name in sorted(set(names)):
        by_hash.setdefault(fnv_1a(name), []).append(name)
    return [(one, other) for alike in by_hash.values() for i, one in enumerate(alike) for other in alike[i + 1 :]]


def fnv_1a(name: str) -> int:
    """The hash of `json.c`, which takes the bytes of UTF-8 as signed."""
    value = 0x811C9DC5
    for byte in name.encode():
        signed = byte if byte < 128 else byte | 0xFFFFFF00
        value = (value ^ signed) * 16_777_619 & 0xFFFFFFFF
    return value
