"""YAML read safely: no anchors, aliases, tags or duplicate keys; every scalar stays text; every value keeps its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from app.engine.problems import Place, Problem, shown

LARGEST_FILE = 512 * 1024
MOST_NODES = 40_000
DEEPEST = 16

Path = tuple[str | int, ...]
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_quoted_start = re.compile(r"^(?P<before>\s*(?:- )*[\w.]+:\s+|\s*(?:- )+)(?P<value>['\"].*)$")
_quoted_and_on = re.compile(r"""^(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*")\s+(?:in\s|not\s+in\s|[=!<>])""")
_uncommented = re.compile(r"""(?:'[^']*'|"[^"]*"|[^'"#]|(?<=\S)#)*""")
_unprintable = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_flow_key = re.compile(r"^[\w.]+$")


@dataclass(frozen=True)
class Source:
    """One file: its values as dicts, lists and text, the place of each by path, and those of the keys."""

    file: str
    data: Any
    places: Mapping[Path, Place]
    keys: Mapping[Path, Place]

    def place(self, *path: str | int) -> Place:
        """Where the value stands, or the nearest thing above it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.file))

    def key_place(self, *path: str | int) -> Place:
        """Where the key of the value stands."""
        return self.keys.get(path) or self.place(*path)


class _Refused(Exception):
    def __init__(self, place: Place, code: str, message: str, hint: str = "") -> None:
        self.problem = Problem(place, code, message, hint)


def read(file: str, content: bytes) -> tuple[Source | None, list[Problem]]:
    """Read one YAML file.

    Args:
        file: its name as shown in messages.
        content: its bytes, UTF-8.

    Returns:
        The source, or none and what is wrong. Never raises for what a file holds.
    """
    try:
        return _Builder(file, _text(file, content)).build(), []
    except _Refused as refused:
        return None, [refused.problem]
    except yaml.YAMLError as error:
        return None, [_yaml_problem(file, content, error)]


def _text(file: str, content: bytes) -> str:
    if len(content) > LARGEST_FILE:
        raise _Refused(Place(file), "file-too-large", f"file of {len(content):,} bytes, the limit is {LARGEST_FILE:,}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _Refused(Place(file, line), "encoding", "the file is not UTF-8", "save it with the encoding UTF-8") from None
    text = text.replace("\r\n", "\n")
    found = _unprintable.search(text)
    if found:
        line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        raise _Refused(Place(file, line, column), "encoding", f"U+{ord(found[0]):04X} is not a character of a text", "take it out")
    return text


def _yaml_problem(file: str, content: bytes, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    what = getattr(error, "problem", None) or "the file cannot be read as YAML"
    line = content.split(b"\n")[place.line - 1 : place.line]
    tab = bool(line) and b"\t" in line[0][: len(line[0]) - len(line[0].lstrip())]
    hint = "indent with spaces, not with tabs" if tab else "check indentation, colons and quotes around here"
    return Problem(place, "yaml", str(what).lower(), hint)


def _wrap_quoted_starts(text: str) -> tuple[str, frozenset[int]]:
    """A value that begins with a quote and goes on, as `'x' not in y` does, is meant as a whole: wrap it for the parser."""
    lines, wrapped = text.split("\n"), set()
    for number, line in enumerate(lines):
        found = _quoted_start.match(line)
        if found and _quoted_and_on.match(found["value"]):
            value = _without_comment(found["value"])
            lines[number] = f"{found['before']}'{value.replace(chr(39), chr(39) * 2)}'"
            wrapped.add(number)
    return "\n".join(lines), frozenset(wrapped)


def _without_comment(value: str) -> str:
    """A value without the comment after it; where quotes do not match, all of it, for the expression's own mistake to show."""
    end = _uncommented.match(value).end()  # type: ignore[union-attr]  # matches the empty text too
    return value[:end].rstrip() if value[end:].startswith("#") else value.rstrip()


class _Builder:
    """Builds plain values from the parser's events, refusing what the subset leaves out."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text, self.wrapped = _wrap_quoted_starts(text)
        self.places: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.nodes = 0

    def build(self) -> Source:
        events = self.events()
        documents: list[Any] = []
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if documents:
                    raise _Refused(self.at(event), "yaml", "a file holds one document", "make a file of each, without `---`")
                documents.append(self.value(next(events), events, (), 0))
        if not documents:
            raise _Refused(Place(self.file), "empty-file", "the file is empty", "delete it, or write its rules")
        return Source(self.file, documents[0], self.places, self.keys)

    def events(self) -> Iterator[Any]:
        parser = _Parser(self.text)
        try:
            while parser.check_event():
                yield parser.get_event()
        finally:
            parser.dispose()

    def at(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def value(self, event: Any, events: Iterator[Any], path: Path, depth: int) -> Any:
        self.nodes += 1
        place = self.at(event)
        if self.nodes > MOST_NODES:
            raise _Refused(place, "file-too-large", f"more than {MOST_NODES:,} values in one file")
        if depth > DEEPEST:
            raise _Refused(place, "file-too-deep", f"values nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Refused(
                place,
                "yaml-subset",
                "anchors and aliases are not used in a pack",
                "write the value out, or name it as a parameter or a fact",
            )
        if getattr(event, "tag", None):
            raise _Refused(place, "yaml-subset", f"tag {shown(event.tag)} is not used in a pack", "leave the tag out")
        self.places[path] = place
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, events, path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(events, path, depth)
        return self.scalar(event, path)

    def scalar(self, event: Any, path: Path) -> str:
        if event.style in ("'", '"') and event.start_mark.line not in self.wrapped:
            self.places[path] = self.at(event).shifted(1)
        return str(event.value)

    def mapping(self, start: Any, events: Iterator[Any], path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return found
            if not isinstance(event, yaml.ScalarEvent):
                brace = bool(start.flow_style)
                hint = (
                    "text with `{…}` needs quotes around it; an expression is written on a line of its own"
                    if brace
                    else "keys are plain words"
                )
                raise _Refused(self.at(event), "yaml-subset", "a key is not a word", hint)
            if event.anchor or event.tag:
                raise _Refused(self.at(event), "yaml-subset", "anchors and tags are not used in a pack", "leave them out")
            key = str(event.value)
            if start.flow_style and not _flow_key.match(key):
                hint = "an expression or text with a comma goes on a line of its own, or into quotes"
                raise _Refused(self.at(event), "yaml-subset", f"{shown(key)} is not a key: a comma inside `{{…}}` ends the value", hint)
            if key in found:
                raise _Refused(self.at(event), "duplicate-key", f"the key {shown(key)} stands twice", "keep one of them")
            self.keys[*path, key] = self.at(event)
            found[key] = self.value(next(events), events, (*path, key), depth + 1)
        raise AssertionError("the parser closes what it opens")

    def sequence(self, events: Iterator[Any], path: Path, depth: int) -> list[Any]:
        found: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return found
            found.append(self.value(event, events, (*path, len(found)), depth + 1))
        raise AssertionError("the parser closes what it opens")
