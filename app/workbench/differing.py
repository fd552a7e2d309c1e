"""What changed between two packs, part by part: added, removed, moved, or another condition, figure or text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from app.engine.pack.checking import Parts
from app.engine.pack.index import Thing, things, uses
from app.engine.texts import BY_UNIT, Language, shown

_ORDERED = ("stage", "phase", "moment")
_WHOLE = ("pack", "arbitration", "conversation")
_MERGED = ("ages", "fallback")
_MONEY = frozenset({"fee", "fee_after", "exit_fee", "overage_cap", "voice_rate", "data_rate"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One change.

    `where` is the path within the part, `before` and `after` are as people read them (empty: was not there, is gone). `affects`
    names the parts that use a changed fact, threshold or signal.
    """

    what: Literal["added", "removed", "moved", "changed"]
    kind: str
    id: str
    title: str
    where: str = ""
    before: str = ""
    after: str = ""
    affects: tuple[str, ...] = ()


def differences(before: Parts, after: Parts, language: Language) -> list[Difference]:
    """What changed from one pack to the other, in the order in which the parts stand in it."""
    old, new = _named(before), _named(after)
    users = _users(after)
    found = [Difference("removed", kind, name, old[kind, name].title(language)) for kind, name in old if (kind, name) not in new]
    for (kind, name), thing in new.items():
        title = thing.title(language)
        if (kind, name) not in old:
            found.append(Difference("added", kind, name, title, "", "", _new(thing, after, language)))
            continue
        affects = tuple(users.get((kind, name), ()))
        for where, was, now in _changes(old[kind, name], thing, (before, after), language):
            found.append(Difference("changed", kind, name, title, where, was, now, affects))
    return [*found, *_moved(old, new, language), *_wholes(before, after)]


def _named(parts: Parts) -> dict[tuple[str, str], Thing]:
    return {(thing.kind, thing.full_id): thing for thing in things(parts)}


def _users(parts: Parts) -> dict[tuple[str, str], list[str]]:
    """The parts that name a threshold, derived fact or signal, by the kind and id of what they name."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for use in uses(parts):
        kind = next((kind for start, kind in _USED.items() if use.name.startswith(start)), None)
        if kind is not None and use.by is not None and use.form == "condition":
            name = use.name.removeprefix("signal:")
            for one in ("signal", "pattern") if kind == "signal" else (kind,):
                found.setdefault((one, name), {})[use.by.id] = None
    return {key: list(names) for key, names in found.items()}


_USED = {"param.": "parameter", "facts.": "fact", "signal:": "signal"}


def _changes(old: Thing, new: Thing, packs: tuple[Parts, Parts], language: Language) -> Iterator[tuple[str, str, str]]:
    """Path, value before and value after of everything in a part that is not as it was."""
    was, now = _flat(old.found.part), _flat(new.found.part)
    for path in dict.fromkeys([*was, *now]):
        if was.get(path) != now.get(path):
            yield path, _said(old, path, was.get(path), packs[0], language), _said(new, path, now.get(path), packs[1], language)


def _new(thing: Thing, parts: Parts, language: Language) -> str:
    """What a new part is, in a line: a threshold's value and why, a signal's levels, an action's kind and where it is taken."""
    part = thing.found.part
    if thing.kind == "parameter":
        return f"{_said(thing, 'is', part.value, parts, language)}: {getattr(part.why, language)}"
    if thing.kind == "signal":
        return "; ".join(f"{word}: {test}" for level in part.levels for word, test in level.items())
    if thing.kind == "action":
        return f"{part.kind} · {part.category} · {', '.join(part.phases)} · {', '.join(part.channels)}"
    return str(part.expression or "") if thing.kind == "fact" else ""


def _said(thing: Thing, path: str, value: Any, parts: Parts, language: Language) -> str:
    if value is None:
        return ""
    part = thing.found.part
    if thing.kind == "parameter" and path == "is" and part.unit and isinstance(value, str):
        return shown(float(value), BY_UNIT.get(part.unit, "text"), language, parts.currency)
    if thing.kind == "tariff" and path in _MONEY:
        return shown(value, "money", language, parts.currency)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _flat(part: BaseModel) -> dict[str, Any]:
    """The leaves of a part by their path; levels by their word, since that is how people name them."""
    return dict(_leaves(part.model_dump(by_alias=True, exclude_none=True, mode="json"), ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path} {key}".lstrip())
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            level = len(item) == 1 and path == "levels"
            yield from _leaves(item, path if level else f"{path} {index + 1}")
    else:
        yield path, value


def _moved(old: Mapping[tuple[str, str], Thing], new: Mapping[tuple[str, str], Thing], language: Language) -> Iterator[Difference]:
    """Parts of a table whose order matters that stand elsewhere in it among those that both packs have."""
    for table in dict.fromkeys(map(_table, new.values())):
        was = [key for key, thing in old.items() if table and _table(thing) == table and key in new]
        now = [key for key, thing in new.items() if table and _table(thing) == table and key in old]
        for key in now:
            if key in was and was.index(key) != now.index(key):
                yield Difference("moved", *key, new[key].title(language), "", str(was.index(key) + 1), str(now.index(key) + 1))


def _table(thing: Thing) -> str:
    """The table that a part stands in, where its place in it matters; nothing where it does not."""
    if thing.kind in _ORDERED:
        return thing.kind
    return f"{thing.jurisdiction} hands_off" if "hands_off" in thing.at[1] else ""


def _wholes(before: Parts, after: Parts) -> Iterator[Difference]:
    """Changes of what a pack has once: its head, arbitration, ages, fallbacks and holidays."""
    was, now = _whole(before), _whole(after)
    for key in dict.fromkeys([*was, *now]):
        if was.get(key) != now.get(key):
            yield Difference("changed", "pack", key[0], "", key[1], _plain(was.get(key)), _plain(now.get(key)))


def _plain(value: Any) -> str:
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _whole(parts: Parts) -> dict[tuple[str, str], Any]:
    draft = parts.draft
    found: dict[tuple[str, str], Any] = {}
    for key in _WHOLE:
        single = draft.single(key)
        if single is not None:
            found |= {(key, path): value for path, value in _flat(single.part).items()}
    for key in _MERGED:
        found |= {(key, name): entry.part for entry, name in draft.merged(key)}
    found["holidays", ""] = sorted(str(day.part) for day in draft.each("holidays"))
    return found
