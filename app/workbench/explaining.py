"""What a signal, action, fact or any other named part of a pack means, what it rests on, and where it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.engine.pack.checking import Parts
from app.engine.pack.index import Path, Thing, Use, conditions, named, things, uses
from app.engine.problems import nearest
from app.engine.texts import BY_UNIT, Language, shown
from app.engine.tree import Const, Node, show, walk
from app.engine.vocabulary import EVENTS, FACTS, Fact

_TEXTS = ("reason", "customer", "disclose", "why", "because", "source", "legal_basis")
_WORDS = (
    *("type", "unit", "values", "level", "unknown", "checked"),
    *("kind", "lever", "category", "purpose", "phases", "tariff", "confirm", "approve", "excludes", "priority"),
    *("filing_no", "months", "commitment_months", "regions", "on_sale_from", "on_sale_to", "requires", "effective"),
)
_MONEY = ("fee", "fee_after", "exit_fee", "overage_cap")


@dataclass(frozen=True, slots=True)
class Condition:
    """A named condition or figure of a part, as it is written in the pack."""

    name: str
    test: str


@dataclass(frozen=True, slots=True)
class Support:
    """Something that a part rests on. `depth` is 0 for what it names itself; `how` is how it is worked out, or what kind of value it is."""

    name: str
    title: str
    how: str
    depth: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """A parameter that decides, its value as people read it, and why it is what it is."""

    name: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Reader:
    """A part of the pack that names this one, and where in it."""

    kind: str
    id: str
    title: str
    where: str
    place: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """All there is to say about a named part, in one language."""

    kind: str
    id: str
    title: str
    place: str
    words: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    supports: tuple[Support, ...] = ()
    needs: tuple[Support, ...] = ()
    readers: tuple[Reader, ...] = ()


class UnknownName(Exception):
    """The pack and the vocabulary have nothing of that name; `hint` is the nearest."""

    def __init__(self, name: str, hint: str) -> None:
        self.name, self.hint = name, hint
        super().__init__(name)


@dataclass
class Explainer:
    """Explains the parts of one pack in one language."""

    parts: Parts
    language: Language
    by_id: dict[str, list[Thing]] = field(init=False, default_factory=dict)
    trees: dict[Thing, list[tuple[Path, Node]]] = field(init=False, default_factory=dict)
    used: dict[str, list[Use]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for thing in things(self.parts):
            if thing.kind != "question":
                for name in {thing.id, thing.full_id}:
                    self.by_id.setdefault(name, []).append(thing)
        for thing, path, tree in conditions(self.parts):
            self.trees.setdefault(thing, []).append((path, tree))
        for use in uses(self.parts):
            self.used.setdefault(use.name, []).append(use)

    def explain(self, name: str) -> list[Meaning]:
        """What a name means; several meanings where a pack uses it for several things.

        Raises:
            UnknownName: nothing has that name.
        """
        found = [self._thing(thing) for thing in self.by_id.get(name, ())]
        if name in FACTS:
            found.append(self._base(FACTS[name]))
        if name.removeprefix("events.") in EVENTS and (name.startswith("events.") or not found):
            found.append(self._event(name.removeprefix("events.")))
        found += self._category(name)
        if not found:
            known = [*self.by_id, *FACTS, *(f"events.{kind}" for kind in EVENTS), *self.parts.scopes.categories]
            raise UnknownName(name, nearest(name, known))
        return found

    def _category(self, name: str) -> list[Meaning]:
        """A category of actions: those that are of it, and the moments that weigh it."""
        actions = [found for found in self.parts.actions.values() if found.part.category == name]
        moments = [found for found in self.parts.draft.each("moments") if name in found.part.relevance]
        readers = [
            Reader("action", item.part.action, getattr(item.part.title, self.language), "category", str(item.place("category")))
            for item in actions
        ]
        readers += [
            Reader(
                "moment",
                item.part.id,
                getattr(item.part.title, self.language),
                f"relevance {item.part.relevance[name]:g}",
                str(item.place("relevance", name)),
            )
            for item in moments
        ]
        return [Meaning("category", name, "", "", readers=tuple(readers))] if actions else []

    def _thing(self, thing: Thing) -> Meaning:
        part = thing.found.part
        names = list(self._names(thing))
        supports = list(self._supports(names, 0, {thing.id}))
        facts = [item.name for item in supports if item.name.startswith("facts.")]
        return Meaning(
            thing.kind,
            thing.id,
            thing.title(self.language),
            str(thing.place),
            tuple(self._words(part)),
            tuple(self._conditions(thing)),
            tuple(self._texts(part)),
            tuple(
                self._thresholds(
                    thing, [*names, *(inner for fact in facts for other in self._derived(fact) for inner in self._names(other))]
                )
            ),
            tuple(supports),
            tuple(self._needs(self._behind(names))),
            tuple(self._readers(thing)),
        )

    def _names(self, thing: Thing) -> Iterator[str]:
        """What the conditions of a part name, and the events that a pattern joins."""
        yield from dict.fromkeys(name for _, tree in self.trees.get(thing, ()) for name in named(tree))
        if thing.kind == "pattern":
            yield from dict.fromkeys(kind for join in thing.found.part.joins() for kind in join.sources())

    def _derived(self, name: str) -> list[Thing]:
        return [item for item in self.by_id.get(name.removeprefix("signal:"), ()) if item.kind in ("fact", "signal", "pattern")]

    def _words(self, part: Any) -> Iterator[tuple[str, str]]:
        for key in _WORDS:
            value = getattr(part, key, None)
            if value not in (None, "", [], (), False) and not isinstance(value, bool):
                yield key, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key in _MONEY:
            value = getattr(part, key, None)
            if value:
                yield key, shown(value, "money", self.language, self.parts.currency)
        mix = getattr(part, "mix", None)
        if mix is not None:
            yield "mix", ", ".join(f"{lever} {weight:g}" for lever, weight in mix)
        opens = getattr(part, "opens", None)
        if opens is not None:
            due = "as said" if opens.due_days is None else f"{opens.due_days} d"
            yield "opens", f"{opens.case}, {opens.owner}, {opens.when}, {due}"
        channels = getattr(part, "channels", None)
        if channels:
            yield "channels", ", ".join(channels)

    def _conditions(self, thing: Thing) -> Iterator[Condition]:
        for path, tree in self.trees.get(thing, ()):
            if path:
                yield Condition(_pointed_at(path), _written(thing, path) or show(tree))

    def _texts(self, part: Any) -> Iterator[tuple[str, str]]:
        for key in _TEXTS:
            words = getattr(part, key, None)
            if words is not None:
                yield key, getattr(words, self.language)
        for channel, script in (getattr(part, "channels", None) or {}).items():
            yield channel, getattr(script.script or script.text, self.language)

    def _thresholds(self, thing: Thing, names: Iterable[str]) -> Iterator[Threshold]:
        if thing.kind == "parameter":
            yield Threshold(thing.id, self._value(thing.id, thing.found.part.unit), "")
        for name in dict.fromkeys(names):
            for parameter in (item.found.part for item in self.by_id.get(name, ()) if item.kind == "parameter"):
                yield Threshold(name, self._value(name, parameter.unit), getattr(parameter.why, self.language))

    def _value(self, name: str, unit: str) -> str:
        constant = self.parts.scopes.parameters[name]
        if isinstance(constant.value, frozenset):
            return ", ".join(sorted(map(str, constant.value)))
        return shown(constant.value, BY_UNIT.get(unit, "text"), self.language, self.parts.currency)

    def _supports(self, names: Iterable[str], depth: int, seen: set[str]) -> Iterator[Support]:
        """Derived facts and signals that names rest on, each once; below a fact what it rests on. A signal is explained by itself."""
        for thing in (item for name in names for item in self._derived(name)):
            if thing.id not in seen:
                seen.add(thing.id)
                how = "; ".join(item.test if item.name == "is" else f"{item.name}: {item.test}" for item in self._conditions(thing))
                yield Support(thing.id, thing.title(self.language), how, depth)
                if thing.kind == "fact":
                    yield from self._supports(self._names(thing), depth + 1, seen)

    def _behind(self, names: Iterable[str]) -> list[str]:
        """The names, and all that derived facts and signals among them rest on, each once."""
        found = dict.fromkeys(names)
        queue = list(found)
        for name in queue:
            for inner in (inner for thing in self._derived(name) for inner in self._names(thing)):
                if inner not in found:
                    found[inner] = None
                    queue.append(inner)
        return queue

    def _needs(self, names: Iterable[str]) -> Iterator[Support]:
        """The facts of the case, operators' own facts and events among names."""
        for name in names:
            if name in FACTS:
                yield self._fact(FACTS[name])
            elif name.startswith("custom."):
                yield Support(
                    name, "".join(thing.title(self.language) for thing in self.by_id.get(name, ())), str(self.parts.scopes.custom[name]), 0
                )
            elif name.startswith("events."):
                kind = EVENTS[name.removeprefix("events.")]
                yield Support(name, kind.zh if self.language == "zh" else kind.en, "events", 0)

    def _fact(self, fact: Fact) -> Support:
        how = fact.kind + (f", {fact.unit}" if fact.unit else "") + (f": {', '.join(fact.values)}" if fact.values else "")
        return Support(fact.name, fact.zh if self.language == "zh" else fact.en, how, 0)

    def _base(self, fact: Fact) -> Meaning:
        support = self._fact(fact)
        words = [("type", support.how)]
        words += [(key, "true") for key in ("protected", "port", "computed") if getattr(fact, key)]
        ages = {name: found.part for found, name in self.parts.draft.merged("ages")}
        age = ages.get(fact.name) or ages.get(fact.name.partition(".")[0])
        if age is not None:
            words.append(("age", shown(age, "days", self.language)))
        questions = [found.part for found in self.parts.draft.each("questions") if found.part.fact == fact.name]
        texts = [("question", getattr(part, self.language)) for part in questions]
        return Meaning(
            "base fact", fact.name, support.title, "", tuple(words), (), tuple(texts), readers=tuple(self._readers_of(fact.name))
        )

    def _event(self, name: str) -> Meaning:
        kind = EVENTS[name]
        words = [("attributes", ", ".join(kind.attributes))] if kind.attributes else []
        words += [("port", "true")] if kind.port else []
        title = kind.zh if self.language == "zh" else kind.en
        return Meaning("events", f"events.{name}", title, "", tuple(words), readers=tuple(self._readers_of(f"events.{name}")))

    def _readers(self, thing: Thing) -> Iterator[Reader]:
        prefix = _NAMED_AS.get(thing.kind)
        if prefix is not None:
            yield from self._readers_of(prefix + thing.id)
        elif thing.kind in ("stage", "phase", "moment"):
            yield from self._placed(thing)

    def _placed(self, thing: Thing) -> Iterator[Reader]:
        """Where a stage, phase or moment is compared with, and the actions of a phase."""
        for use in self.used.get(thing.kind, ()):
            if use.by is not None and thing.id in {
                word for path, tree in self.trees[use.by] if path == use.path for word in _constants(tree)
            }:
                yield self._reader(use.by, use.path, str(use.place))
        for action in self.parts.actions.values() if thing.kind == "phase" else ():
            if thing.id in action.part.phases:
                yield Reader("action", action.part.action, getattr(action.part.title, self.language), "phases", str(action.place("phases")))

    def _readers_of(self, name: str) -> Iterator[Reader]:
        for use in self.used.get(name, ()):
            if use.by is None:
                yield Reader("pack", "", "", " ".join(map(str, use.path)), str(use.place))
            elif use.by.kind != "question" or use.path != ("fact",):
                yield self._reader(use.by, use.path, str(use.place))

    def _reader(self, by: Thing, path: tuple[str | int, ...], place: str) -> Reader:
        return Reader(by.kind, by.id, by.title(self.language), _pointed_at(path), place)


_NAMED_AS: Mapping[str, str] = {
    "parameter": "",
    "custom fact": "",
    "fact": "",
    "signal": "signal:",
    "pattern": "signal:",
    "tariff": "tariff:",
    "action": "action:",
}
"""How conditions name a kind of part: what stands before its id."""


def _written(thing: Thing, path: Path) -> str:
    """An expression as it stands in the file; nothing where a default stands for it."""
    value: Any = thing.found.source.data
    for step in (*thing.at[1], *path):
        value = value[step] if not isinstance(value, dict) or step in value else {}
    return value if isinstance(value, str) else ""


def _pointed_at(path: Path) -> str:
    """A place within a part, as people would point at it: `severe` of a level, `applicable toll`, `propensity 2 if`."""
    steps = [str(step + 1) if isinstance(step, int) else step for step in path]
    return steps[-1] if path[:1] == ("levels",) else " ".join(steps)


def _constants(tree: Node) -> Iterator[object]:
    for node in walk(tree):
        if isinstance(node, Const):
            yield from node.value if isinstance(node.value, frozenset) else (node.value,)
