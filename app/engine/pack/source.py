"""YAML read safely: no anchors, aliases, tags or duplicate keys; every scalar stays text; every value keeps its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
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
_merge_mark = re.compile(r"^(<{7}|>{7})( |$)|^={7}$")
_twice = re.compile(r"\b(\w+) \1\b")
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
        raise _no_text(Place(file, line, column), found[0])
    return text


def _no_text(place: Place, char: str) -> _Refused:
    return _Refused(place, "encoding", f"U+{ord(char):04X} is not a character of a text", "take it out")


def _yaml_problem(file: str, content: bytes, error: yaml.YAMLError) -> Problem:
    lines = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines):
        if _merge_mark.match(line):
            return Problem(
                Place(file, number + 1),
                "yaml",
                f"{shown(line)} is left from a merge that was not finished",
                "keep one of the two versions, and take out the lines of `<<<<<<<`, `=======` and `>>>>>>>`",
            )
    said, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if said is None:
        return Problem(Place(file), "yaml", "the file cannot be read as YAML", "check indentation, colons and quotes")
    mistake = _Mistake(lines, _At(said.line, said.column), _At(opened.line, opened.column) if opened else None)
    at, message, hint = mistake.told(str(getattr(error, "problem", None) or "the file cannot be read as YAML").lower())
    return Problem(Place(file, at.line + 1, at.column + 1), "yaml", message, hint)


@dataclass(frozen=True)
class _At:
    line: int
    column: int


@dataclass(frozen=True)
class _Mistake:
    """Something that YAML's grammar refuses: where the parser stopped, and where what it was reading begins."""

    lines: list[str]
    at: _At
    opened: _At | None

    @property
    def line(self) -> str:
        return self.lines[self.at.line] if self.at.line < len(self.lines) else ""

    @property
    def before(self) -> str:
        """The line up to where the parser stopped."""
        return self.line[: self.at.column]

    @property
    def begun(self) -> str:
        """Where what was being read begins, when that is another line."""
        return f" in what begins on line {self.opened.line + 1}" if self.opened and self.opened.line != self.at.line else ""

    def told(self, problem: str) -> tuple[_At, str, str]:
        """Where, what and how to put it right, in words of whoever writes rules."""
        indent = self.line[: len(self.line) - len(self.line.lstrip())]
        if "\t" in indent or "tab character" in problem or self.line[self.at.column : self.at.column + 1] == "\t":
            return self.at, "a tab stands where spaces should", "indent with spaces, not with tabs"
        for words, tell in _TELLING.items():
            if words in problem:
                return tell(self)
        return self.at, _twice.sub(r"\1", problem) + self.begun, "check indentation, colons and quotes around here"

    def second_colon(self) -> tuple[_At, str, str]:
        """A colon where no key can stand."""
        if re.search(r":\s", self.before):
            return self.at, "a second colon on the line", "put quotes around a text that holds a colon"
        above = next((line for line in reversed(self.lines[: self.at.line]) if line.strip() and not line.lstrip().startswith("#")), "")
        if re.search(r":(\s|$)", above):
            return self.at, "the line is indented further than the one above, which has a value already", "indent both alike"
        return self.at, f"the line above, {shown(above.strip(), 40)}, lacks its colon", "write `key: value`"

    def no_colon(self) -> tuple[_At, str, str]:
        """A line that is no entry of a mapping."""
        at = self.opened or self.at
        line = self.lines[at.line].strip() if at.line < len(self.lines) else ""
        return at, f"{shown(line, 40)} has no colon", "write `key: value`, or close the quote or bracket above"

    def misplaced(self) -> tuple[_At, str, str]:
        """Something where the next entry was expected."""
        if self.before.strip(" -"):
            return self.at, "text goes on after its value has ended", "double a quote inside quotes, and close each quote above"
        return self.at, f"the line is not indented like its neighbours{self.begun}", "indent it as they are, or close a quote above"

    def second_value(self) -> tuple[_At, str, str]:
        """Something after the file's one value."""
        return self.at, "the line belongs to nothing above it", "a line above lacks its colon, or is indented otherwise"

    def open_quote(self) -> tuple[_At, str, str]:
        """The file ends within quotes."""
        return self.opened or self.at, "the quote that opens here is not closed", "close it, and double a quote inside"

    def open_bracket(self) -> tuple[_At, str, str]:
        """A list or mapping in brackets goes wrong."""
        at = self.opened or self.at
        sign = self.lines[at.line][at.column : at.column + 1] if at.line < len(self.lines) else ""
        if at.line != self.at.line:
            return at, f"the {shown(sign)} that opens here is not closed, or a comma is missing", f"close it before line {self.at.line + 1}"
        return (
            self.at,
            f"a comma is missing here, or what closes the {shown(sign)}",
            "a text with quotes or signs goes on a line of its own",
        )

    def bad_start(self) -> tuple[_At, str, str]:
        """A sign that begins no plain value."""
        at = self.opened if self.opened and self.opened.line == self.at.line else self.at
        sign = self.lines[at.line][at.column : at.column + 1] if at.line < len(self.lines) else ""
        if not sign:
            return at, "a value is missing here", "write it, or close the bracket above"
        return at, f"a value cannot begin with {shown(sign)}", "put quotes around it"

    def escape(self) -> tuple[_At, str, str]:
        """A backslash in double quotes."""
        return self.at, "a backslash in double quotes begins an escape that does not exist", "use single quotes around the text"

    def list_beside_key(self) -> tuple[_At, str, str]:
        """`key: - item`."""
        return self.at, "a list begins on the line of its key", "put each `- ` on a line of its own"

    def block_text(self) -> tuple[_At, str, str]:
        """Something beside `|` or `>`."""
        return self.at, "text stands on the line of `|` or `>`", "begin it on the next line, or put quotes around the value"


_TELLING: Mapping[str, Callable[[_Mistake], tuple[_At, str, str]]] = {
    "mapping values are not allowed": _Mistake.second_colon,
    "could not find expected ':'": _Mistake.no_colon,
    "did not find expected key": _Mistake.misplaced,
    "did not find expected '-' indicator": _Mistake.misplaced,
    "expected <block end>": _Mistake.misplaced,
    "expected <document start>": _Mistake.second_value,
    "unexpected end of stream": _Mistake.open_quote,
    "expected ',' or": _Mistake.open_bracket,
    "cannot start any token": _Mistake.bad_start,
    "expected node content": _Mistake.bad_start,
    "directive": _Mistake.bad_start,
    "alphabetic or numeric character": _Mistake.bad_start,
    "unknown escape": _Mistake.escape,
    "hexdecimal": _Mistake.escape,
    "sequence entries are not allowed": _Mistake.list_beside_key,
    "comment or line break": _Mistake.block_text,
}
"""What to make of the parser's messages, by words of theirs."""


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
        return self.text_of(event)

    def text_of(self, event: Any) -> str:
        """A scalar's text; double quotes can spell characters that no text has, such as those that steer a terminal."""
        text = str(event.value)
        found = _unprintable.search(text)
        if found:
            raise _no_text(self.at(event), found[0])
        return text

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
            key = self.text_of(event)
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
