"""What stands in a pack and is used by nothing: it misleads whoever reads or changes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.engine.pack.checking import Parts
from app.engine.pack.index import named, uses
from app.engine.pack.model import Pack
from app.engine.pack.names import BEST
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem
from app.engine.vocabulary import FACTS


@dataclass
class _Read:
    """What is read: by anything at all, and by each derived fact alone."""

    names: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)
    by_fact: dict[str, set[str]] = field(default_factory=dict)


def usage_problems(parts: Parts, pack: Pack) -> Iterator[Problem]:
    """A warning for each part that nothing reads, offers, asks for or tells."""
    read = _read(parts)
    _follow(parts, read)
    yield from _unread(parts, read)
    yield from _unsold(parts)
    yield from _unasked(parts, read)
    yield from _unmatched(parts)
    yield from _untold(parts, pack)


def _read(parts: Parts) -> _Read:
    """Names in expressions, in the slots of texts, and of the plan that an action offers."""
    found = _Read()
    for use in uses(parts):
        if use.form == "reference" and use.name not in BEST:
            continue
        of_fact = use.by is not None and use.by.kind == "fact" and use.form == "condition"
        names = found.by_fact.setdefault(use.by.id, set()) if use.by is not None and of_fact else found.names
        (found.parameters if use.name.startswith("param.") else names).add(use.name)
    for node in parts.opened.values():
        found.names.update(named(node))
    return found


def _follow(parts: Parts, read: _Read) -> None:
    """Add what the facts read that are read themselves."""
    waiting = [name for name in read.names if name in parts.facts]
    while waiting:
        found = read.by_fact.pop(waiting.pop(), set())
        read.names |= found
        waiting += [name for name in found if name in read.by_fact]
    if read.names & BEST.keys():
        read.names |= {*BEST, "plan.id", "plan.monthly_fee", "usage.voice_out_min", "usage.data_mb", *_billed}


_billed = ("billing.voice_overage_fee", "billing.data_overage_fee")


def _unread(parts: Parts, read: _Read) -> Iterator[Problem]:
    for code, what, names, prefix, used in (
        ("unused-fact", "fact", _places(parts.facts), "", read.names),
        ("unused-signal", "signal", _places(parts.recognised), "signal:", read.names),
        ("unused-parameter", "parameter", _listed(parts, "parameters"), "", read.parameters),
        ("unused-custom-fact", "fact", _listed(parts, "custom"), "", read.names),
    ):
        for name, place in names:
            if f"{prefix}{name}" not in used:
                yield _warning(place, code, f"nothing reads the {what} `{name}`", _HINTS[code])


_HINTS = {
    "unused-fact": "use it in a signal, a clause or a text, or take it out",
    "unused-signal": "an action, phase, clause or another signal reads it; or take it out",
    "unused-parameter": "a threshold that decides nothing misleads: use it, or take it out",
    "unused-custom-fact": "use it in a rule, or take it out: what is not needed is not passed in",
}


def _places(named: dict[str, Found[Any]]) -> Iterable[tuple[str, Place]]:
    return [(name, found.place("id")) for name, found in named.items()]


def _listed(parts: Parts, key: str) -> Iterable[tuple[str, Place]]:
    return [(found.part.id, found.place("id")) for found in parts.draft.each(key)]


def _unsold(parts: Parts) -> Iterator[Problem]:
    """Plans are compared with each other; every other tariff is there to be offered."""
    offered = {found.part.tariff for found in parts.actions.values()}
    for name, found in parts.tariffs.items():
        if found.part.kind != "plan" and name not in offered:
            hint = "add an action with `tariff:`, or take it out"
            yield _warning(found.place("id"), "unused-tariff", f"no action offers the tariff `{name}`", hint)


def _unasked(parts: Parts, read: _Read) -> Iterator[Problem]:
    """Questions about facts, and greatest ages of facts, that no rule looks at."""
    sections = {name.partition(".")[0] for name in read.names}
    for found in parts.draft.each("questions"):
        if found.part.fact not in read.names:
            message = f"nothing reads `{found.part.fact}`, so it is asked for in vain"
            yield _warning(found.place("fact"), "unused-question", message, "take the question out")
    for entry, name in parts.draft.merged("ages"):
        if name not in (read.names if name in FACTS else sections):
            message = f"nothing reads `{name}`, so its age does not matter"
            yield _warning(entry.source.key_place(*entry.path), "unused-age", message, "take it out")


def _unmatched(parts: Parts) -> Iterator[Problem]:
    """Categories without actions, and exclusions of what never meets."""
    categories = {found.part.category for found in parts.actions.values()}
    arbitration = parts.draft.single("arbitration")
    for index, word in enumerate(arbitration.part.service_first if arbitration is not None else ()):
        if word not in categories and arbitration is not None:
            message = f"no action has the category `{word}`, so `service_first:` does nothing for it"
            yield _warning(arbitration.place("service_first", index), "unused-category", message, "take it out")
    stand_ins = {name for entry, _ in parts.draft.merged("fallback") for name in entry.part}
    for name, found in parts.actions.items():
        for index, other in enumerate(found.part.excludes):
            beside = parts.actions.get(other)
            apart = beside is not None and not set(beside.part.phases) & set(found.part.phases)
            if other == name or (apart and not {name, other} & stand_ins):
                why = "itself" if other == name else f"`{other}`, which no phase has beside it"
                place = found.place("excludes", index)
                yield _warning(place, "unused-exclusion", f"`{name}` excludes {why}", "take it out")


def _untold(parts: Parts, pack: Pack) -> Iterator[Problem]:
    """Words for customers beside no reason of the action's own, where each of its signals has words for them already."""
    for action in pack.actions:
        if action.customer is not None and action.reason is None and all(pack.signals[name].customer for name in action.signals):
            message = f"the words for customers of `{action.id}` are never told: its signals bring their own, or there is none"
            hint = "write a `reason:` beside them, or take them out"
            yield _warning(parts.actions[action.id].place("customer"), "unused-text", message, hint)


def _warning(place: Place, code: str, message: str, hint: str) -> Problem:
    return Problem(place, code, message, hint, "warning")
