"""A made-up subscriber who shows a finding: as few facts as will do, tried out by the interpreter before anybody is told."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from app.engine import runtime
from app.engine.interpret import interpret
from app.engine.pack.checks.conditions import CLOCKS, Conditions, Table, Wanted
from app.engine.pack.checks.figures import key_of
from app.engine.pack.checks.forms import Thing
from app.engine.pack.checks.solving import Model
from app.engine.pack.checks.values import UNKNOWN, Span, Values, both, number_at, place_of
from app.engine.runtime import NEVER
from app.engine.texts import BY_UNIT, shown
from app.engine.tree import Arithmetic, Call, Compare, Const, Member, Node, Ref, show, walk

Demand = tuple[Node, Wanted]
Witness = tuple[tuple[str, str], ...]

TODAY = 739_942
"""The day on which made-up subscribers live, 22 November 2026: what counts is how far dates are from it."""
MOST_TRIALS = 150
_holds: Mapping[Wanted, Callable[[Any], bool]] = {
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "not_true": lambda value: value is not True,
    "not_false": lambda value: value is not False,
}
_pure: Mapping[str, Callable[..., Any]] = {
    "min": runtime.smallest,
    "max": runtime.largest,
    "abs": runtime.size,
    "first_known": runtime.first_known,
    "at_least": runtime.at_least,
    "overlap": runtime.overlap,
    "days_since": runtime.days_since,
    "days_until": runtime.days_until,
}
_figures = (-1, 0, 1, 2, 3, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 100_000)


class Subscriber:
    """Somebody made up: values by what they are of; what is not there is unknown."""

    def __init__(self, conditions: Conditions, given: Mapping[Hashable, Any], known: frozenset[str]) -> None:
        self.conditions, self.given, self.known = conditions, given, known

    def value(self, node: Node) -> Any:
        """What a tree comes to for them, by the interpreter."""
        return interpret(node, self._look_up)

    def meets(self, demands: Iterable[Demand]) -> bool:
        """Does each condition come to what is wanted of it."""
        try:
            return all(_holds[wanted](self.value(node)) for node, wanted in demands)
        except RecursionError:
            return False  # facts that rest on facts hundreds deep: nobody is shown

    def _look_up(self, node: Ref | Call) -> Any:
        return self._named(node) if isinstance(node, Ref) else self._called(node)

    def _named(self, node: Ref) -> Any:
        meaning = self.conditions.definitions.get(node.name)
        if isinstance(meaning, Table):
            rows = (value for condition, value in meaning.rows if condition is None or self.value(condition) is True)
            chosen = next(rows, None)
            return None if chosen is None else self.value(chosen)
        if meaning is not None:
            return self.value(meaning)
        return self.given.get(node.name, TODAY if node.name in CLOCKS else None)

    def _called(self, node: Call) -> Any:
        if node.function == "known":
            (item,) = node.arguments
            return self.value(item) is not None or (isinstance(item, Ref) and item.name in self.known)
        if node.function in _pure:
            return _pure[node.function](*(self.value(item) for item in node.arguments))
        return self.given.get(key_of(self.conditions.figure(node)))


class Witnesses:
    """Makes subscribers up out of what a search left to each thing."""

    def __init__(self, conditions: Conditions, currency: str) -> None:
        self.conditions, self.currency = conditions, currency

    def of(self, model: Model, demands: Sequence[Demand], near: Mapping[Thing, Values] | None = None) -> tuple[Subscriber, Witness] | None:
        """Somebody who meets all demands, and who they are in words; none where nobody was found.

        `near` says to which values the chosen ones come as close as they can: those at the edge of another condition.
        """
        wanted = near or {}
        chosen = {thing: _pick(found, thing, wanted.get(thing)) for thing, found in model.items() if thing.form != "pair"}
        for trial in self._trials(model, chosen):
            someone = self._subscriber(trial)
            if someone.meets(demands):
                return someone, self._in_words(trial, someone)
        return None

    def _trials(self, model: Model, chosen: dict[Thing, Any]) -> Iterable[dict[Thing, Any]]:
        """The first choice, then others for what two figures are compared with."""
        yield chosen
        loose = self._loose(model)
        draw = random.Random(0)
        for _ in range(MOST_TRIALS if loose else 0):
            yield {**chosen, **{thing: _drawn(thing, model.get(thing, thing.full), draw) for thing in loose}}

    def _loose(self, model: Model) -> list[Thing]:
        """Things inside a comparison or a calculation of several."""
        inner: dict[Thing, None] = {}
        for thing in model:
            if thing.form == "pair" or not thing.single:
                for node in walk(thing.node):
                    if self._is_input(node):
                        inner.setdefault(self.conditions.thing(node))
        return list(islice(inner, 12))

    def _is_input(self, node: Node) -> bool:
        if isinstance(node, Ref):
            return node.name not in self.conditions.definitions and node.name not in CLOCKS and node.type.kind not in ("series", "events")
        return isinstance(node, Call) and node.function not in _pure and node.function != "known"

    def _subscriber(self, chosen: Mapping[Thing, Any]) -> Subscriber:
        given: dict[Hashable, Any] = {thing.key: value for thing, value in chosen.items() if thing.key in CLOCKS}
        known: set[str] = set()
        for thing, value in chosen.items():
            if value is None:
                continue
            known |= thing.bases
            if isinstance(thing.node, Arithmetic | Compare) or thing.form in ("series", "events"):
                continue
            if thing.form == "set":
                given.setdefault(thing.key, frozenset())
            elif thing.form == "held" and isinstance(thing.node, Member):
                _hold(given, thing.node, held=value)
            elif thing.form == "days" and isinstance(thing.node, Call):
                day = given.get(key_of(thing.node.arguments[1]), TODAY)
                given[key_of(thing.node.arguments[0])] = value if value == NEVER else day + value.days
            else:
                given[thing.key] = value
        return Subscriber(self.conditions, given, frozenset(known))

    def _in_words(self, chosen: Mapping[Thing, Any], someone: Subscriber) -> Witness:
        said: dict[str, str] = {}
        for thing, value in chosen.items():
            node = thing.node
            if value is None or isinstance(node, Arithmetic | Compare) or node.type.kind in ("series", "events"):
                continue
            if isinstance(node, Member):
                words = someone.given.get(key_of(node.collection), frozenset())
                said[show(node.collection)] = ", ".join(sorted(map(str, words))) or "none"
            elif isinstance(value, _Days):
                days = value.days if isinstance(node, Call) and node.function == "days_until" else -value.days
                said[show(node)] = shown(days, "days", "en")
            elif thing.form == "days":
                said[show(node)] = "never"
            else:
                said[show(node)] = self._shown(node, value)
        return tuple(sorted(said.items()))

    def _shown(self, node: Node, value: Any) -> str:
        if node.type.kind == "time":
            return f"{value // 60:02}:{value % 60:02}"
        form = "date" if node.type.kind == "date" else BY_UNIT.get(node.type.unit, "text") if node.type.kind == "number" else "text"
        if form == "percent" or (form == "text" and isinstance(value, float)):
            return f"{value:.12g}"
        return shown(value, form, "en", self.currency)


class _Days:
    """Days from today to a date."""

    __slots__ = ("days",)

    def __init__(self, days: int) -> None:
        self.days = days


def _hold(given: dict[Hashable, Any], node: Member, *, held: bool) -> None:
    words = given.get(key_of(node.collection), frozenset())
    item = node.item.value if isinstance(node.item, Const) else None
    given[key_of(node.collection)] = words | {item} if held else words


def _pick(found: Values, thing: Thing, near: Values | None) -> Any:
    """One value: the nearest to others, else a plain one; unknown where that is allowed and nothing else is wanted."""
    if near is not None and found.spans and near.spans:
        return _number(thing, _nearest(found.spans, near.spans))
    if near is not None and both(found, near).known:
        found = both(found, near)
    elif found.unknown or not found.known:
        return None
    if found.spans:
        return _number(thing, _plain(found.spans, whole=thing.whole))
    if found.never:
        return NEVER
    if found.rest:
        return next(word for word in ("x", "y", "z", *(f"x{n}" for n in range(len(found.words) + 1))) if word not in found.words)
    return min(found.words, key=repr)


def _number(thing: Thing, place: int) -> Any:
    number = number_at(place, whole=thing.whole)
    return _Days(int(number)) if thing.form == "days" else number


def _nearest(spans: tuple[Span, ...], others: tuple[Span, ...]) -> int:
    pairs = [(max(a - d, c - b, 0), a if a > d else b if c > b else max(a, c)) for a, b in spans for c, d in others]
    return min(pairs)[1]


def _plain(spans: tuple[Span, ...], *, whole: bool) -> int:
    """The place of a number that is easily said, near to nothing."""
    low, high = min(spans, key=lambda span: min(abs(span[0]), abs(span[1])) if span[0] * span[1] > 0 else 0)
    if low <= 0 <= high:
        return 0
    if whole:
        return low if low > 0 else high
    edge = number_at(low if low > 0 else high, whole=False)
    for digits in range(13):
        size = 10**digits
        rounded = (-(-edge * size // 1) if low > 0 else edge * size // 1) / size
        if low <= place_of(rounded, whole=False) <= high:
            return place_of(rounded, whole=False)
    return low if low > 0 else high


def _drawn(thing: Thing, found: Values, draw: random.Random) -> Any:
    """Some value that is allowed."""
    if found.spans:
        start = TODAY if thing.form == "date" else 0
        places = [place_of(start + figure, whole=thing.whole) for figure in _figures]
        places = [place for place in places if any(low <= place <= high for low, high in found.spans)]
        places += [edge for span in found.spans for edge in span if abs(number_at(edge, whole=thing.whole)) < 10**9]
        return _number(thing, draw.choice(places)) if places else _pick(found, thing, found)
    return _pick(found, thing, found) if found is not UNKNOWN else None
