"""A suite's values as a request holds them: the reader leaves every scalar as text, the vocabulary says what it is.

Days and instants may be told from the suite's own `now`: `today`, `12 days ago`, `in 3 days`, `5 hours ago`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

from app.engine.tree import Type
from app.engine.vocabulary import EVENTS, FACTS

UNKNOWN = "unknown"
NULLS = ("null", "~", "Null", "NULL", "")

_number = re.compile(r"^-?[0-9]+(\.[0-9]+)?$")
_away = re.compile(r"^(?:(?P<ahead>in) )?(?P<count>[0-9]+) (?P<unit>minute|hour|day)s?(?: (?P<back>ago))?$")
_whole = frozenset({"max_actions"})


def is_null(value: Any) -> bool:
    """Is it YAML's word for nothing?"""
    return isinstance(value, str) and value in NULLS


class Typing:
    """Types the values of one request, at one `now`, with a pack's own facts."""

    def __init__(self, now: datetime.datetime, custom: Mapping[str, Type]) -> None:
        self.now, self.custom = now, custom

    def request(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a request; what has no type of ours stays as it is, for the intake to refuse."""
        made = {name: self.asked(name, value) for name, value in body.items() if name not in ("subscriber", "answers")}
        if isinstance(body.get("answers"), dict):
            made["answers"] = {name: self.fact(name, value) for name, value in body["answers"].items()}
        made["subscriber"] = {name: self.part(name, value) for name, value in body.get("subscriber", {}).items()}
        return made

    def asked(self, name: str, value: Any) -> Any:
        """A field of the request itself."""
        if name in ("as_of", "contact_at"):
            return self.instant(value)
        return _figure(value) if name in _whole else _text(value)

    def part(self, name: str, value: Any) -> Any:
        """A section of the subscriber, its events, contacts, own facts, or its id and zone."""
        if name in ("events", "contacts") and isinstance(value, list):
            return [self.happened(entry, events=name == "events") for entry in value]
        if isinstance(value, dict):
            return {field: self.field(name, field, given) for field, given in value.items()}
        return _text(value)

    def field(self, section: str, field: str, value: Any) -> Any:
        """A fact of a section."""
        return self.instant(value) if field == "as_of" and section != "custom" else self.fact(f"{section}.{field}", value)

    def fact(self, name: str, value: Any) -> Any:
        """A value by the name of its fact."""
        kind = self.custom[name].kind if name in self.custom else FACTS[name].kind if name in FACTS else ""
        return self.of_kind(kind, value)

    def happened(self, entry: Any, *, events: bool) -> Any:
        """An event or a contact."""
        if not isinstance(entry, dict):
            return entry
        kind = EVENTS.get(str(entry.get("type"))) if events else None
        found = kind.attributes if kind else {}
        return {
            name: self.instant(value) if name == "at" else self.of_kind(found[name].kind if name in found else "", value)
            for name, value in entry.items()
        }

    def of_kind(self, kind: str, value: Any) -> Any:
        """A value of a kind; one that does not fit stays text."""
        read = _kinds.get(kind)
        return read(self, value) if read is not None else _text(value)

    def day(self, value: Any) -> Any:
        """A date as it is, or told from now."""
        moved = self.moved(value)
        return moved.date().isoformat() if moved is not None else _text(value)

    def instant(self, value: Any) -> Any:
        """A moment as it is, or told from now."""
        moved = self.moved(value)
        return moved.isoformat() if moved is not None else _text(value)

    def moved(self, value: Any) -> datetime.datetime | None:
        """The moment that words such as `12 days ago` mean; none for anything else."""
        if value in ("today", "now"):
            return self.now
        found = _away.match(value) if isinstance(value, str) else None
        if found is None or bool(found["ahead"]) == bool(found["back"]):
            return None
        try:
            span = datetime.timedelta(**{f"{found['unit']}s": int(found["count"])})
            return self.now + span if found["ahead"] else self.now - span
        except (OverflowError, ValueError):  # a day that no calendar has, and a number too long to be read
            return None


def _text(value: Any) -> Any:
    return None if is_null(value) else value


def _figure(value: Any) -> Any:
    if isinstance(value, str) and _number.match(value):
        return float(value) if "." in value else int(value)
    return _text(value)


def _flag(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, _text(value)) if isinstance(value, str) else value


def _each(of: Callable[[Any], Any]) -> Callable[[Typing, Any], Any]:
    return lambda _, value: [of(item) for item in value] if isinstance(value, list) else _text(value)


_kinds: Mapping[str, Callable[[Typing, Any], Any]] = {
    "number": lambda _, value: _figure(value),
    "boolean": lambda _, value: _flag(value),
    "date": Typing.day,
    "series": _each(_figure),
    "set": _each(_text),
}
