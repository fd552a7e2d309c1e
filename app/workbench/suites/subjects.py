"""Made-up subscribers and the requests about them: like one another, changed by dotted paths, each value with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.engine.pack.reading import Found
from app.engine.pack.source import Path, Source
from app.engine.problems import Place, Problem, nearest
from app.engine.vocabulary import FACTS, SECTIONS, DecisionRequest
from app.workbench.suites.documents import SubjectPart
from app.workbench.suites.values import UNKNOWN

_own_words = frozenset(
    (name.partition(".")[2],) if name.startswith("request.") else ("subscriber", *name.split("."))
    for name, fact in FACTS.items()
    if UNKNOWN in fact.values
)
"""Where `unknown` is a word like any other."""


class Body:
    """A request while it is put together. `origins` says where each value was written, by its path in the request.

    Copies share what they hold: a change copies what stands along its path.
    """

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.origins: dict[Path, tuple[Source, Path]] = {}

    def copy(self) -> Body:
        """Another one that can be changed by itself."""
        made = Body()
        made.data, made.origins = self.data, dict(self.origins)
        return made

    def around(self, path: Path) -> tuple[dict[str, Any], str]:
        """The mapping that the path's value stands in, free to be changed, and the value's key."""
        here = self.data = dict(self.data)
        for step in path[:-1]:
            inner = here.get(str(step))
            here[str(step)] = dict(inner) if isinstance(inner, dict) else {}
            here = here[str(step)]
        return here, str(path[-1])

    def put(self, path: Path, value: Any, source: Source, at: Path) -> None:
        """Set a value; `unknown` takes it out, unless it is a word of that fact."""
        here, key = self.around(path)
        if isinstance(here.get(key), dict | list):
            self.origins = {known: origin for known, origin in self.origins.items() if known[: len(path)] != path}
        self.origins[path] = source, at
        if value == UNKNOWN and path not in _own_words:
            here.pop(key, None)
        else:
            here[key] = value

    def add(self, path: Path, values: list[Any], source: Source, at: Path) -> None:
        """Put values at the end of a list."""
        here, key = self.around(path)
        before = here.get(key)
        before = before if isinstance(before, list) else []
        here[key] = [*before, *values]
        for index in range(len(values)):
            self.origins[(*path, len(before) + index)] = source, (*at, index)

    def place(self, field: str) -> Place | None:
        """Where the value of a dotted field was written, or what stands around it."""
        steps: Path = tuple(int(step) if step.isdigit() else step for step in field.split("."))
        for length in range(len(steps), 0, -1):
            origin = self.origins.get(steps[:length])
            if origin is not None:
                source, path = origin
                return source.place(*path, *steps[length:])
        return None


def change(body: Body, found: Found[Any], problems: list[Problem]) -> None:
    """Make the changes under `with:` and `add:` of a part to the subscriber of a body."""
    for key, name in [*(("with", name) for name in found.part.changes), *(("add", name) for name in found.part.add)]:
        path = ("subscriber", *name.split("."))
        wrong = _wrong_path(name, adding=key == "add")
        if wrong:
            problems.append(Problem(found.source.key_place(*found.path, key, name), "unknown-name", *wrong))
        elif key == "add":
            body.add(path, found.part.add[name], found.source, (*found.path, key, name))
        else:
            body.put(path, found.part.changes[name], found.source, (*found.path, key, name))


_lists = frozenset({"events", "contacts"}) | {name for name, fact in FACTS.items() if fact.kind in ("set", "series")}
_plain = frozenset({"id", "zone", "events", "contacts", "custom", *SECTIONS})


def _wrong_path(name: str, *, adding: bool) -> tuple[str, str] | None:
    """What is wrong with a dotted path into the subscriber, and what was probably meant."""
    if adding and name not in _lists and not name.startswith("custom."):
        return f"`{name}` is not a list, so nothing can be added to it", nearest(name, _lists)
    section = name.partition(".")[0]
    if section == "request" or (name not in _plain and name in DecisionRequest.model_fields):
        return f"`{name}` is not part of the subscriber", "write it under `request:`"
    if (
        name in _plain
        or name in FACTS
        or section == "custom"
        or (section in SECTIONS and name in (f"{section}.as_of", f"{section}.source"))
    ):
        return None
    return f"no fact `{name}`", nearest(name, [*FACTS, *_plain]) or "docs/vocabulary.md lists the facts"


class Subjects:
    """The fixtures of a folder, each worked out when it is asked for."""

    def __init__(self, found: Mapping[str, Found[SubjectPart]], problems: list[Problem]) -> None:
        self.found, self.problems = found, problems
        self.made: dict[str, Body | None] = {}

    def all(self) -> Iterator[str]:
        """Work every one out, so that mistakes in those that nobody uses are told too."""
        for name in self.found:
            self.body(name)
            yield name

    def body(self, name: str, below: tuple[str, ...] = ()) -> Body | None:
        """The subscriber of that name under `subscriber` of a request; none where it, or one it is like, has a mistake."""
        if name not in self.made:
            self.made[name] = self.make(name, below)
        made = self.made[name]
        return made.copy() if made is not None else None

    def make(self, name: str, below: tuple[str, ...]) -> Body | None:
        """Work one out."""
        found = self.found[name]
        body = self.base(name, found, below)
        if body is None:
            return None
        before = len(self.problems)
        for key, value in found.part.subscriber.items():
            _merge(body, ("subscriber", key), value, found.source, (*found.path, "subscriber", key))
        change(body, found, self.problems)
        return body if len(self.problems) == before else None

    def base(self, name: str, found: Found[SubjectPart], below: tuple[str, ...]) -> Body | None:
        """What a subject begins with: the one it is like, or nothing."""
        like = found.part.like
        if like is None:
            body = Body()
            body.put(("subscriber", "id"), f"test-{name.replace('_', '-')}", found.source, found.path)
            return body
        place = found.place("like")
        if like == name or like in below:
            chain = (*below[below.index(like) :], name, like) if like in below else (name, like)
            told = " → ".join(f"`{step}`" for step in chain)
            self.problems.append(Problem(place, "cycle", f"a subject is like itself: {told}", "break the circle"))
            return None
        if like not in self.found:
            self.problems.append(Problem(place, "unknown-name", f"unknown subject `{like}`", nearest(like, self.found)))
            return None
        return self.body(like, (*below, name))


def _merge(body: Body, path: Path, value: Any, source: Source, at: Path) -> None:
    """Set what a subject writes out; sections are filled field by field, so that `like:` keeps the others."""
    if isinstance(value, dict) and len(path) == 2:
        for field, given in value.items():
            body.put((*path, field), given, source, (*at, field))
        body.origins.setdefault(path, (source, at))
    else:
        body.put(path, value, source, at)
