"""What the name of a column says: what it is called, in which unit it is, and which cycle it is of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from app.campaign.input.synonyms import NAMES, PERSONAL, SUBSCRIBER, UNITS
from app.engine.vocabulary import FACTS

_bracketed = re.compile(r"[(（\[【]\s*([^)）\]】]*?)\s*[)）\]】]")
_camel = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_between = re.compile(r"[\s_\-./:：、]+")
_year_month = re.compile(r"(?:^|[_\-\s./]|(?<=\D))(20\d{2})[-_/.年]?(0[1-9]|1[0-2])月?$")
_month = re.compile(r"[_\-\s]?(1[0-2]|0?[1-9])\s*月$")
_back = re.compile(r"[_\-\s]?(?:近|前|上|m|t|lag|last|prev|n)[_\-\s]?(\d{1,2})(?:个?月|期|m)?$", re.IGNORECASE)
_counted = re.compile(r"[_\-\s]?(?:第)?(\d{1,2})(?:期)?$")
_CJK = re.compile(r"[\u4e00-\u9fff]")
_SHORTEST = 4
"""Letters of an English name that may be looked for inside another; of a Chinese one half as many."""
_PART = 0.4
"""It has to be so much of the other."""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a column, taken apart.

    Attributes:
        base: what it is called, in small letters and without blanks.
        unit: the unit, as `synonyms.UNITS` has it.
        cycle: its place among the columns of the same base; greater is later. None where it names no cycle.
        order: how the cycle is told: by `month`, `back` from now, or by a plain `count`.
    """

    base: str
    unit: str | None = None
    cycle: int | None = None
    order: str = ""


def taken_apart(name: str) -> Name:
    """What the name of a column says."""
    unit, bare = _unit_in_brackets(name)
    cycle, order, bare = _cycle(bare)
    if unit is None:
        unit, bare = _unit_in_brackets(bare)
    words = _between.sub(" ", _camel.sub(" ", bare)).strip().lower().split(" ")
    if "".join(words) in _by_name():
        return Name("".join(words), unit, cycle, order)
    if unit is None and len(words) > 1 and words[-1] in UNITS:
        unit, words = UNITS[words[-1]], words[:-1]
    base = "".join(words)
    if unit is None:
        unit, base = _unit_at_end(base)
    return Name(base, unit, cycle, order)


def _unit_in_brackets(name: str) -> tuple[str | None, str]:
    found = _bracketed.search(name)
    if found is None:
        return None, name
    unit = found[1].lower().removeprefix("单位").lstrip(":：").strip()
    per = unit.partition("/")[0]
    return UNITS.get(unit) or UNITS.get(per), name[: found.start()] + name[found.end() :]


def _unit_at_end(base: str) -> tuple[str | None, str]:
    """A unit that is written right behind a Chinese name, as in 套内流量GB or 账单元."""
    for unit in sorted(UNITS, key=len, reverse=True):
        rest = base.removesuffix(unit)
        if rest != base and _CJK.search(rest) and base not in _by_name() and (rest in _by_name() or not _CJK.search(unit)):
            return UNITS[unit], rest
    return None, base


def _cycle(name: str) -> tuple[int | None, str, str]:
    bare = name.rstrip()
    if found := _year_month.search(bare):
        return int(found[1]) * 12 + int(found[2]), "month", bare[: found.start()]
    if found := _month.search(bare):
        return int(found[1]), "month", bare[: found.start()]
    if (found := _back.search(bare)) and found.start():
        return -int(found[1]), "back", bare[: found.start()]
    if (found := _counted.search(bare)) and found.start() and bare[: found.start()].strip("_- "):
        return int(found[1]), "count", bare[: found.start()]
    return None, "", bare


@cache
def _by_name() -> Mapping[str, tuple[str, ...]]:
    """The facts by what they are called."""
    found: dict[str, dict[str, None]] = {}
    for fact, name in _names():
        found.setdefault(name, {})[fact] = None
    return {name: tuple(facts) for name, facts in found.items()}


def _names() -> Iterator[tuple[str, str]]:
    for fact, names in NAMES.items():
        yield from ((fact, _plain(name)) for name in names)
    for own in FACTS.values():
        if not own.computed:
            section, _, field = own.name.partition(".")
            titles = re.sub(r"\(.*?\)", "", own.zh).split("、")
            yield from ((own.name, _plain(name)) for name in (f"{section}_{field}", field, own.en, *titles))


def _plain(name: str) -> str:
    return _between.sub("", name).lower()


def facts_named(name: Name) -> list[tuple[str, bool]]:
    """The facts that a column could be by its name, the likeliest first, and whether it is called exactly so."""
    known = _by_name()
    exact = [(fact, True) for fact in known.get(name.base, ())]
    if exact:
        return exact
    inside = [one for one in known if len(one) >= max(_shortest(one), _PART * len(name.base)) and one in name.base]
    best = sorted(inside, key=len, reverse=True)
    return list(dict.fromkeys((fact, False) for one in best[:3] for fact in known[one]))


def _shortest(name: str) -> int:
    return _SHORTEST // 2 if _CJK.search(name) else _SHORTEST


def is_subscriber(name: Name) -> int:
    """How likely the column is the subscriber's id by its name: the less, the likelier; as many as there are names where it is not."""
    known = [_plain(one) for one in SUBSCRIBER]
    return known.index(name.base) if name.base in known else len(known)


def is_personal(name: str) -> bool:
    """Whether a column of this name is about the person, and may not be shown: by the last word in English, anywhere in Chinese."""
    words = {_plain(one) for one in PERSONAL}
    base = taken_apart(name).base
    last = _between.sub(" ", _camel.sub(" ", name)).strip().lower().rpartition(" ")[2]
    return base in words or last in words or any(word in base for word in words if _CJK.search(word))
