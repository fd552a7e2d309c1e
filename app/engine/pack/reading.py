"""From files to typed parts: YAML read, models validated, expressions parsed; every mistake gathered with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.engine.language import Names, parse
from app.engine.pack.documents import ActionDocument, Document
from app.engine.pack.source import Path, Source, read
from app.engine.problems import Place, Problem, nearest, shown
from app.engine.texts import Text, cut
from app.engine.tree import Node

T = TypeVar("T")

MOST_PROBLEMS = 100
"""Mistakes that are looked for; a pack with more is refused as it is."""
MOST_VALUES = 150_000
"""Values that all files of a pack hold together."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """A part of a pack and where it stands."""

    source: Source
    path: Path
    part: T

    def place(self, *more: str | int) -> Place:
        """The place of the part, or of something in it."""
        return self.source.place(*self.path, *more)


@dataclass
class Draft:
    """A pack while it is read: its parts, the trees of its expressions by place, and the mistakes so far."""

    documents: list[tuple[Source, Document]] = field(default_factory=list)
    actions: list[Found[ActionDocument]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    trees: dict[tuple[str, Path], Node] = field(default_factory=dict)

    def each(self, key: str) -> Iterator[Found[Any]]:
        """The parts under a list key, over all files."""
        for source, document in self.documents:
            for index, part in enumerate(getattr(document, key)):
                yield Found(source, (key, index), part)

    def single(self, key: str) -> Found[Any] | None:
        """The one part under a key; a second one is a mistake."""
        found = [Found(source, (key,), getattr(document, key)) for source, document in self.documents if getattr(document, key)]
        for extra in found[1:]:
            self.wrong(extra.place(), "duplicate-part", f"`{key}:` stands in `{found[0].source.file}` already", "keep one of them")
        return found[0] if found else None

    def merged(self, key: str) -> Iterator[tuple[Found[Any], str]]:
        """The entries of a mapping key, over all files, by entry; a second one of a name is a mistake."""
        first: dict[str, Source] = {}
        for source, document in self.documents:
            for name, value in getattr(document, key).items():
                if first.setdefault(name, source) is source:
                    yield Found(source, (key, name), value), name
                else:
                    what = f"`{name}` stands under `{key}:` in `{first[name].file}` already"
                    self.wrong(source.key_place(key, name), "duplicate-id", what, "keep one of them")

    @property
    def full(self) -> bool:
        """Have so many mistakes been found that looking for more would only keep somebody waiting?"""
        return len(self.problems) >= MOST_PROBLEMS

    def wrong(self, place: Place, code: str, message: str, hint: str = "") -> None:
        """Note a mistake."""
        self.problems.append(Problem(place, code, message, hint))

    def expression(self, found: Found[Any], path: Path, text: str, names: Names, wanted: str = "boolean") -> Node | None:
        """Parse an expression of a part and keep its tree."""
        if self.full:
            return None
        node, problems = parse(text, found.place(*path), names, wanted)
        self.problems += problems
        if node is not None:
            self.trees[found.source.file, (*found.path, *path)] = node
        return node

    def tree(self, found: Found[Any], *path: str | int) -> Node:
        """The tree that was parsed there."""
        return self.trees[found.source.file, (*found.path, *path)]

    def text(self, found: Found[Any], path: Path, check: Callable[[str], str | None]) -> Text:
        """Cut a text in both languages at its slots; `check` says what is wrong with a slot's name or format."""
        words: Any = found.part
        for step in path:
            words = words[step] if isinstance(words, dict) else getattr(words, str(step))
        templates = {}
        for language in ("en", "zh"):
            template, wrong = cut(getattr(words, language))
            place = found.place(*path, language)
            for inside in wrong:
                self.wrong(
                    place,
                    "slot",
                    f"{shown(inside)} is not a slot",
                    "a slot is `{name:format}`; put an expression into a fact, one a line",
                )
            for slot in template.slots:
                message = None if self.full else check(f"{slot.name}:{slot.format}")
                if message:
                    self.wrong(place, "slot", message)
            templates[language] = template
        return Text(templates["en"], templates["zh"])

    def unique(self, parts: list[Found[Any]], what: str) -> dict[str, Found[Any]]:
        """The parts by id; a second one of an id is a mistake."""
        found: dict[str, Found[Any]] = {}
        for item in parts:
            name = str(next(getattr(item.part, key) for key in ("id", "action", "fact") if hasattr(item.part, key)))
            if name in found:
                self.wrong(
                    item.place(),
                    "duplicate-id",
                    f"{what} `{name}` stands in {found[name].place()} already",
                    "ids are unique over all files",
                )
            else:
                found[name] = item
        return found


def read_files(files: Mapping[str, bytes]) -> Draft:
    """Read and validate every file; mistakes are in the draft."""
    draft = Draft()
    for source in _sources(draft, files):
        _take(draft, source)
    return draft


def _sources(draft: Draft, files: Mapping[str, bytes]) -> list[Source]:
    """The files as plain values; none where together they hold too many."""
    found: list[Source] = []
    values = 0
    for file in sorted(files):
        if draft.full:
            break
        source, problems = read(file, files[file])
        draft.problems += problems
        found += [source] if source is not None else []
        values += len(source.places) if source is not None else 0
        if values > MOST_VALUES:
            draft.wrong(Place(file), "pack-too-large", f"more than {MOST_VALUES:,} values in the files of the pack")
            return []
    return found


def _take(draft: Draft, source: Source) -> None:
    """Validate what a file holds."""
    if draft.full:
        return
    if not isinstance(source.data, dict):
        draft.wrong(source.place(), "schema", "the file is not a mapping", "a file holds keys such as `signals:` or `action:`")
    elif "action" in source.data:
        action = validated(draft, source, ActionDocument)
        if action is not None:
            draft.actions.append(Found(source, (), action))
    else:
        document = validated(draft, source, Document)
        if document is not None:
            draft.documents.append((source, document))


M = TypeVar("M", bound=BaseModel)


def validated(draft: Draft, source: Source, model: type[M]) -> M | None:
    """What a file holds, as the model; what does not fit is noted with its place."""
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        draft.problems += [_schema_problem(source, model, detail) for detail in _told(source, error.errors(include_url=False))]
        return None


def _told(source: Source, details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Where a value may have one of several forms, what is wrong with the form that comes nearest; the first so many."""
    deeper: set[Path] = set()
    for detail in details:
        path = _existing(source, detail["loc"])
        deeper |= {path[:length] for length in range(len(path))}
    found: dict[object, ErrorDetails] = {}
    for index, detail in enumerate(details[:MOST_PROBLEMS]):
        path = _existing(source, detail["loc"])
        one_of_several = len(path) < len(detail["loc"]) and detail["type"] != "missing" and detail["loc"][-1] != "[key]"
        if not one_of_several:
            found[index] = detail
        elif path not in deeper:
            found.setdefault(path, detail)
    return list(found.values())


def _schema_problem(source: Source, model: type[BaseModel], detail: ErrorDetails) -> Problem:
    location = tuple(step for step in detail["loc"] if step != "[key]")
    path = _existing(source, location)
    place = source.place(*path)
    named = (*path, location[-1]) if detail["type"] == "missing" else path
    field_name = ".".join(str(step) for step in named) or "the file"
    if detail["type"] == "extra_forbidden":
        near = nearest(str(location[-1]), _keys(model, location[:-1]))
        return Problem(source.key_place(*path), "schema", f"unknown key {shown(location[-1])}", near)
    if detail["type"] == "missing":
        return Problem(place, "schema", f"`{field_name}` is missing")
    given = detail["input"] if isinstance(detail["input"], str) else None
    plainly = _plainly(detail, given)
    if plainly:
        return Problem(place, "schema", f"`{field_name}`{plainly}")
    message = detail["msg"].removeprefix("Value error, ")
    said = f"`{field_name}`: {message[0].lower()}{message[1:]}"
    return Problem(
        place, "schema", f"{said}, not {shown(given)}" if given is not None and "should" in message else said, _literal_hint(detail, given)
    )


def _plainly(detail: ErrorDetails, given: str | None) -> str:
    """What is wrong, to go on after the field's name, where pydantic's own words are for programmers."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in ("model_type", "model_attributes_type"):
        words = context.get("class_name") == "Words"
        return ": expected both languages, as in `{en: …, zh: …}`" if words else ": expected keys with values, each as `key: value`"
    if given == "" and kind not in ("value_error", "literal_error"):
        return " is empty"
    if kind in _WANTED:
        return f": expected {_WANTED[kind]}" + (f", not {shown(given)}" if given is not None else "")
    if kind in _BOUNDS:
        return f": should be {_BOUNDS[kind]} {float(next(iter(context.values()))):,.15g}" + (
            f", not {shown(given)}" if given is not None else ""
        )
    if kind in ("too_short", "too_long", "string_too_short", "string_too_long"):
        most = context.get("max_length") if kind.endswith("long") else context.get("min_length")
        if not context.get("actual_length", 1):
            return " is empty"
        what = "characters" if kind.startswith("string") else "entries"
        return f" has more than {most:,} {what}" if kind.endswith("long") else f" has fewer than {most} {what}"
    if kind == "string_pattern_mismatch" and given is not None:
        form = _FORMS.get(str(context.get("pattern")))
        return f": {shown(given)} is not {form}" if form else ""
    return ""


_WANTED = {
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_parsing": "`true` or `false`",
    "bool_type": "`true` or `false`",
    "list_type": "a list, each entry after `- `",
    "dict_type": "names with values, each as `name: value`",
    "string_type": "one text",
    "date_type": "a date, as in 2026-11-22",
    "date_parsing": "a date, as in 2026-11-22",
    "date_from_datetime_parsing": "a date, as in 2026-11-22",
    "date_from_datetime_inexact": "a date, as in 2026-11-22",
}
"""What was expected, by pydantic's kind of mistake."""
_BOUNDS = {"greater_than_equal": "at least", "less_than_equal": "at most", "greater_than": "more than", "less_than": "less than"}
_FORMS = {
    r"^[a-z][a-z0-9_]*$": "a name of lower-case letters, digits and `_` that begins with a letter",
    r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$": "an id of lower-case letters, digits, `_` and points, as in `four_high.tariff`",
    r"^param\.": "an id that begins with `param.`",
    r"^custom\.[a-z0-9_]+$": "an id such as `custom.band`: lower-case letters, digits and `_`",
    r"^facts\.[a-z0-9_]+$": "an id such as `facts.toll`: lower-case letters, digits and `_`",
    r"^events\.[a-z_]+$": "a kind of events, as in `events.fault`",
    r"^[A-Z]{3}$": "a currency of three capital letters, as in `CNY`",
    r"^[A-Za-z_+\-0-9/]+$": "a time zone's name, as in `Asia/Shanghai`",
    r"^[a-z0-9][a-z0-9-]*$": "a name of lower-case letters, digits and `-`",
    r"^[0-9][0-9a-z.\-]*$": "a version, as in `1.0.0`",
    r"^[A-Za-z0-9\-]{4,40}$": "4 to 40 letters, digits and `-`",
    r"^[A-Za-z0-9_\-]+$": "letters, digits, `_` and `-`",
}
"""The forms of names, in words, by the pattern that the models of `documents` hold them to."""


def _literal_hint(detail: ErrorDetails, given: str | None) -> str:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    if detail["type"] != "literal_error" or given is None:
        return ""
    return nearest(given, [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")])


def _existing(source: Source, location: tuple[str | int, ...]) -> Path:
    """The part of an error's location that exists in the file: steps that pydantic adds for unions are left out."""
    path: Path = ()
    for step in location:
        if (*path, step) in source.places:
            path = (*path, step)
    return path


def _keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Keys that the model at the location knows."""
    current: Any = model
    for step in location:
        if isinstance(step, int) or not hasattr(current, "model_fields"):
            continue
        aliases = {info.alias or name: info for name, info in current.model_fields.items()}
        info = aliases.get(step)
        current = _model_in(info.annotation) if info is not None else None
        if current is None:
            return []
    return [info.alias or name for name, info in current.model_fields.items()] if hasattr(current, "model_fields") else []


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
