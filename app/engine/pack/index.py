"""Who reads what in a pack: every named thing, where it stands, and the places that name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.engine.pack.checking import Parts
from app.engine.pack.ordering import graph_name
from app.engine.pack.reading import Found
from app.engine.problems import Place
from app.engine.texts import Language
from app.engine.tree import Call, Const, Node, Ref, walk

Kind = Literal[
    "parameter",
    "custom fact",
    "fact",
    "question",
    "signal",
    "pattern",
    "stage",
    "moment",
    "phase",
    "tariff",
    "action",
    "contact",
    "guardrail",
]
Path = tuple[str | int, ...]

_LISTS: Mapping[str, Kind] = {
    "parameters": "parameter",
    "custom": "custom fact",
    "facts": "fact",
    "questions": "question",
    "signals": "signal",
    "patterns": "pattern",
    "stages": "stage",
    "moments": "moment",
    "phases": "phase",
    "tariffs": "tariff",
    "contact": "contact",
}


@dataclass(frozen=True, slots=True)
class Thing:
    """A named part of a pack. `at` is where it stands: its file and the path in it."""

    kind: Kind
    id: str
    at: tuple[str, Path]
    found: Found[Any] = field(compare=False, repr=False)

    @property
    def full_id(self) -> str:
        """The id; of a guardrail with its jurisdiction, since every profile may have one of the same name."""
        return f"{self.jurisdiction}.{self.id}" if self.kind == "guardrail" else self.id

    @property
    def jurisdiction(self) -> str:
        """Of a guardrail: that of its profile."""
        document: Any = self.found.source.data
        return str(document["guardrails"]["jurisdiction"])

    @property
    def place(self) -> Place:
        """File, line and column."""
        return self.found.place()

    def title(self, language: Language) -> str:
        """What people call it; nothing where it has an id alone."""
        words = getattr(self.found.part, "title", None) or getattr(self.found.part, "name", None)
        return str(getattr(words, language)) if words is not None else ""


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names something: in which part (none: of the pack as a whole), at which path in it, as what."""

    by: Thing | None
    path: Path
    place: Place
    name: str
    form: Literal["condition", "text", "reference"]


def things(parts: Parts) -> Iterator[Thing]:
    """Every named part; guardrails of every profile."""
    draft = parts.draft
    for key, kind in _LISTS.items():
        for found in draft.each(key):
            yield Thing(kind, found.part.fact if kind == "question" else found.part.id, (found.source.file, found.path), found)
    for found in draft.actions:
        yield Thing("action", found.part.action, (found.source.file, ()), found)
    for profile in parts.profiles.values():
        clauses: list[Found[Any]] = [*profile.hands_off, *profile.clauses.values()]
        yield from (Thing("guardrail", found.part.id, (found.source.file, found.path), found) for found in clauses)


def uses(parts: Parts) -> Iterator[Use]:
    """Every place that names a fact, parameter, signal (`signal:x`), kind of events (`events.x`), tariff or action."""
    owners = {thing.at: thing for thing in things(parts)}
    for owner, inner, tree in conditions(parts):
        for name in dict.fromkeys(named(tree)):
            yield Use(owner, inner, owner.found.place(*inner), name, "condition")
    for (file, path), text in parts.texts.items():
        holder, inner = _owner(owners, file, path)
        place = Place(file) if holder is None else holder.found.place(*inner)
        for name in dict.fromkeys(slot.name for template in (text.en, text.zh) for slot in template.slots):
            yield Use(holder, inner, place, name, "text")
    yield from _references(parts, owners)


def conditions(parts: Parts) -> Iterator[tuple[Thing, Path, Node]]:
    """Every expression of a pack: the part it stands in, where in it, and its tree."""
    owners = {thing.at: thing for thing in things(parts)}
    for (file, path), tree in parts.draft.trees.items():
        owner, inner = _owner(owners, file, path)
        if owner is not None:
            yield owner, inner, tree


def named(tree: Node) -> Iterator[str]:
    """What a condition names; a level counts as its signal, what a function looks up as `events.x`, `action:x` or `tariff:x`."""
    for node in walk(tree):
        match node:
            case Const(name=name) if name:
                yield name
            case Ref(name=name):
                yield graph_name(name)
            case Call(function="count" | "since", arguments=(_, Const(value=kind), *_)):
                yield f"events.{kind}"
            case Call(function="fee_on", arguments=(Const(value=str() as plan), *_)):
                yield f"tariff:{plan}"
            case Call(options=options):
                yield from (f"action:{value.value}" for name, value in options if name == "action" and isinstance(value, Const))


def _owner(owners: Mapping[tuple[str, Path], Thing], file: str, path: Path) -> tuple[Thing | None, Path]:
    """The part that a path stands in, and the rest of the path."""
    for length in (4, 3, 2, 0):
        owner = owners.get((file, path[:length])) if len(path) >= length else None
        if owner is not None:
            return owner, path[length:]
    return None, path


def _references(parts: Parts, things_at: Mapping[tuple[str, Path], Thing]) -> Iterator[Use]:
    """Names that stand by themselves: of tariffs and excluded actions, what a pattern joins, a question's fact, a fallback's actions."""
    for thing in things_at.values():
        for path, name in _named_alone(thing):
            yield Use(thing, path, thing.found.place(*path), name, "reference")
    for found, cause in parts.draft.merged("fallback"):
        for action in found.part:
            yield Use(None, ("fallback", cause), found.place(), f"action:{action}", "reference")


def _named_alone(thing: Thing) -> Iterator[tuple[Path, str]]:
    part = thing.found.part
    if thing.kind == "action":
        if part.tariff is not None:
            yield ("tariff",), part.tariff if part.tariff.startswith("plan.") else f"tariff:{part.tariff}"
        for index, other in enumerate(part.excludes):
            yield ("excludes", index), f"action:{other}"
    elif thing.kind == "pattern":
        for join in part.joins():
            yield from (((), kind) for kind in join.sources())
    elif thing.kind == "question":
        yield ("fact",), part.fact
