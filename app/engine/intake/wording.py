"""pydantic's errors in the words of whoever sent the request: the field, what is expected there, the nearest right name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.engine.intake.problems import MOST_PROBLEMS, FieldProblem
from app.engine.problems import nearest
from app.engine.vocabulary import EVENTS, SECTIONS, Contact, DecisionRequest, SubscriberContext

Path = tuple[str | int, ...]

_plain_name = re.compile(r"^[A-Za-z_][A-Za-z0-9_.]{0,49}$")
_quoted = re.compile(r"'([^']*)'")
_most_digits = 4
_longest_word = 60
_largest_exact = 2**63

_ours = frozenset(("text_expected", "date_expected", "datetime_expected", "value_expected", "series_lengths", "computed"))
"""Errors of the vocabulary itself, worded there."""

_said: Mapping[str, str] = {
    "missing": "is required",
    "float_type": "expected a number",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "string_type": "expected text",
    "greater_than_equal": "expected at least {ge:,g}",
    "less_than_equal": "expected at most {le:,.15g}",
    "too_long": "expected at most {max_length:,} entries",
    "too_short": "expected at least {min_length:,} of them",
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "expected an object"),
    **dict.fromkeys(("tuple_type", "list_type", "frozen_set_type", "set_type"), "expected an array"),
}


def dotted(path: Iterable[str | int]) -> str:
    """The path as a field. A name that is not a plain word may be somebody's number, and is left out with all below it."""
    names: list[str] = []
    for step in path:
        if isinstance(step, str) and not is_plain(step):
            break
        names.append(str(step))
    return ".".join(names) or "body"


def is_plain(name: str) -> bool:
    """May the name be repeated in an answer or a log."""
    return bool(_plain_name.match(name)) and sum(map(str.isdigit, name)) <= _most_digits


def in_words(error: ValidationError, model: type[BaseModel] = DecisionRequest) -> tuple[FieldProblem, ...]:
    """Every problem of a request of this kind, by field."""
    return tuple(_worded(detail, model) for detail in error.errors(include_url=False)[:MOST_PROBLEMS])


def message_of(error: ValidationError) -> str:
    """What is wrong with a single value."""
    return told(error.errors(include_url=False)[0])


def hinted(message: str, given: object, known: Iterable[str]) -> str:
    """The message, and the known word that was probably meant."""
    hint = nearest(given, known) if isinstance(given, str) and len(given) <= _longest_word else ""
    return f"{message}; {hint}" if hint else message


def nearest_or_all(name: str, known: Sequence[str]) -> str:
    """What to say of a name that there is not, where there are few: the one that was probably meant, else all of them."""
    if not known:
        return "there is none"
    return nearest(name, known) or (f"there is only `{known[0]}`" if len(known) == 1 else f"there are {', '.join(known)}")


def _worded(detail: ErrorDetails, model: type[BaseModel]) -> FieldProblem:
    path, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        return _unknown_field(path, model)
    if kind == "event_expected":
        return _unknown_event(path, detail["input"])
    if path[-1:] == ("[key]",):
        return FieldProblem(dotted(path[:-1]), f"has a name that cannot be: {detail['msg']}")
    return FieldProblem(dotted(_as_sent(path)), told(detail))


def told(detail: ErrorDetails) -> str:
    """What is wrong, and what is expected: in the words of the type where it has its own."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _ours:
        return detail["msg"]
    if kind == "literal_error":
        return _one_of(_quoted.findall(context["expected"]), given)
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) >= _largest_exact:
        return "is too large a number"
    return _said.get(kind, "is not what is expected here").format(**context)


def _one_of(words: list[str], given: Any) -> str:
    return hinted(f"expected one of {', '.join(words)}", given, words)


def _unknown_field(path: Path, model: type[BaseModel]) -> FieldProblem:
    parent, name = path[:-1], str(path[-1])
    above = dotted(_as_sent(parent))
    if not is_plain(name):
        return FieldProblem(above, "holds a field that does not exist")
    if model is DecisionRequest and not parent and name in SubscriberContext.model_fields:
        return FieldProblem(name, f"does not exist here; it belongs in `subscriber.{name}`")
    if model is DecisionRequest:
        return FieldProblem(dotted(_as_sent(path)), hinted("does not exist", name, _fields_at(parent)))
    known = [field.alias or found for found, field in model.model_fields.items()]
    return FieldProblem(dotted(path), f"does not exist; {nearest_or_all(name, known)}")


def _unknown_event(path: Path, given: Any) -> FieldProblem:
    kind = given.get("type") if isinstance(given, dict) else None
    if kind is None:
        return FieldProblem(dotted((*path, "type")), "is required: the kind of event")
    return FieldProblem(dotted((*path, "type")), hinted("is not a kind of event", kind, EVENTS))


def _as_sent(path: Path) -> Path:
    """The path without the kind that pydantic puts after an event's index."""
    return (*path[:3], *path[4:]) if path[:2] == ("subscriber", "events") else path


def _fields_at(path: Path) -> Iterable[str]:
    homes: tuple[tuple[tuple[str, ...], Callable[[], Iterable[str]]], ...] = (
        ((), lambda: DecisionRequest.model_fields),
        (("subscriber",), lambda: SubscriberContext.model_fields),
        (("subscriber", "contacts"), lambda: Contact.model_fields),
        (("subscriber", "events"), lambda: ("at", "type", *EVENTS[str(path[-1])].attributes)),
    )
    names = tuple(step for step in path if isinstance(step, str))
    for home, fields in homes:
        if names[:2] == home:
            return fields()
    return SECTIONS[names[1]].model_fields if len(names) == 2 and names[1] in SECTIONS else ()
