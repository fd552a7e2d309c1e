"""pydantic's errors in the words of whoever sent the request: the field, what is expected there, the nearest right name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.engine.intake.placing import Path, as_sent, elements_at, fields_at, names_elsewhere, places_of, reader_at
from app.engine.intake.problems import MOST_PROBLEMS, FieldProblem
from app.engine.problems import nearest
from app.engine.vocabulary import EVENTS, DecisionRequest
from app.engine.vocabulary.types import Reader, details

_plain_name = re.compile(r"^[A-Za-z_][A-Za-z0-9_.]{0,49}$")
_quoted = re.compile(r"'([^']*)'")
_most_digits = 4
_longest_word = 60
_largest_exact = 2**63
_clearly = 0.8
"""How near a name at another place has to be."""

MISSPELT = "misspelt"
"""The error of a name that is nearly another, where others that there are not are passed over; its message says which."""
_ours = frozenset(("text_expected", "date_expected", "datetime_expected", "value_expected", "series_lengths", "computed"))
"""Errors of the vocabulary itself, worded there."""

_no_array = ("tuple_type", "list_type", "frozen_set_type", "set_type")
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
    **dict.fromkeys(_no_array, "expected an array"),
}

_no_number = frozenset(("float_type", "int_type", "int_parsing", "int_from_float"))
_units: Mapping[str, str] = {
    "money": " in the smallest unit of the currency: 5900 for 59.00",
    "MB": " of MB",
    "minutes": " of minutes",
    "hours": " of hours",
    "days": " of days",
    "months": " of months",
    "points": " of points",
    "percent": " of percent, such as 25",
    "mbps": " of Mbit/s",
    "dbm": " of dBm",
    "share": ": a share, such as 0.25 for a quarter",
}
"""What a number is of, where it is not plain."""


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
    return tuple(_worded(detail, model) for detail in islice(details(error), MOST_PROBLEMS))


def message_of(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """What is wrong with a single value; of one of a model, in which unit it is expected."""
    detail = next(details(error))
    return told(detail) if model is None else _told_of(detail, model)


def hinted(message: str, given: object, known: Iterable[str]) -> str:
    """The message, and the known word that was probably meant."""
    hint = nearest(given, known) if isinstance(given, str) and len(given) <= _longest_word else ""
    return f"{message}; {hint}" if hint else message


def quoted(name: str, otherwise: str) -> str:
    """A name that was sent, in backticks, where it may be repeated; else what stands for it."""
    return f"`{name}`" if is_plain(name) else otherwise


def nearest_or_all(name: str, known: Sequence[str]) -> str:
    """What to say of a name that there is not, where there are few: the one that was probably meant, else all of them."""
    if not known:
        return "there is none"
    return nearest(name, known) or (f"there is only `{known[0]}`" if len(known) == 1 else f"there are {', '.join(known)}")


def _worded(detail: ErrorDetails, model: type[BaseModel]) -> FieldProblem:
    path, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        return _unknown_field(path, model)
    if kind == MISSPELT:
        return _misspelt(path, model, detail["msg"])
    if kind == "event_expected":
        return _unknown_event(path, detail["input"])
    if path[-1:] == ("[key]",):
        return FieldProblem(dotted(path[:-1]), f"has a name that cannot be: {detail['msg']}")
    return FieldProblem(dotted(as_sent(model, path)), _told_of(detail, model))


def _told_of(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong; of a number, in which unit it is expected, of an array, what it holds."""
    kind, path = detail["type"], detail["loc"]
    if kind in _no_array:
        return told(detail) + _holding(elements_at(model, path))
    reader = reader_at(model, path) if kind in _no_number else None
    if reader is None or reader.kind != "number" or _is_too_large(detail["input"]):
        return told(detail)
    return f"expected a {_number(reader)}"


def _number(reader: Reader, many: str = "") -> str:
    """A number or, with an `s` for many, numbers, and of what."""
    return f"{'whole ' if reader.integral else ''}number{many}{_units.get(reader.unit, '')}"


def _holding(elements: Reader | tuple[str, ...] | type | None) -> str:
    """What an array holds, as far as it is told."""
    if isinstance(elements, Reader):
        return f" of {_number(elements, 's')}" if elements.kind == "number" else " of texts" if elements.kind == "text" else ""
    if isinstance(elements, tuple):
        return f" of texts, each one of {', '.join(elements)}"
    return "" if elements is None else " of texts" if elements is str else " of objects"


def told(detail: ErrorDetails) -> str:
    """What is wrong, and what is expected: in the words of the type where it has its own."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "text_expected" and not isinstance(given, str):
        return detail["msg"].replace("expected", f"expected text, not {_kind_of(given)}, of", 1)
    if kind in _ours:
        return detail["msg"]
    if kind == "literal_error":
        return _one_of(_quoted.findall(context["expected"]), given)
    if _is_too_large(given):
        return "is too large a number"
    return _said.get(kind, "is not what is expected here").format(**context)


def _one_of(words: list[str], given: Any) -> str:
    message = f"expected one of {', '.join(words)}"
    begun = [word for word in words if isinstance(given, str) and _is_other_form(given, word)]
    return f"{message}; did you mean `{begun[0]}`?" if len(begun) == 1 else hinted(message, given, words)


def _is_other_form(given: str, word: str) -> bool:
    """Is one the other with something more, as `zh` and `zh-CN` are?"""
    short, long = sorted((given.lower(), word.lower()), key=len)
    return len(short) > 1 and re.match(rf"{re.escape(short)}[-_]", long) is not None


def _kind_of(given: object) -> str:
    """What JSON calls it."""
    return next((name for kinds, name in _kinds if isinstance(given, kinds)), "null")


_kinds: Sequence[tuple[tuple[type, ...], str]] = (
    ((bool,), "true or false"),
    ((int, float), "a number"),
    ((list, tuple), "an array"),
    ((dict,), "an object"),
)


def _is_too_large(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and abs(given) >= _largest_exact


def _unknown_field(path: Path, model: type[BaseModel]) -> FieldProblem:
    parent, name = path[:-1], str(path[-1])
    above = as_sent(model, parent)
    if not is_plain(name):
        return FieldProblem(dotted(above), "holds a field that does not exist")
    return FieldProblem(dotted((*above, name)), _instead(model, parent, name))


def _misspelt(path: Path, model: type[BaseModel], meant: str) -> FieldProblem:
    above, name = as_sent(model, path[:-1]), str(path[-1])
    if not is_plain(name):
        return FieldProblem(dotted(above), f"has an attribute that does not exist; {meant}")
    return FieldProblem(dotted((*above, name)), f"does not exist; {meant}")


def _instead(model: type[BaseModel], parent: Path, name: str) -> str:
    """What to say of a name that there is not: where else it stands, the nearest one here, the nearest elsewhere, or all there are."""
    places = places_of(model, parent, name)
    if places:
        return f"does not exist here; it belongs in {' or '.join(f'`{place}`' for place in places)}"
    known = fields_at(model, parent)
    here = nearest(name, known)
    if here:
        return f"does not exist; {here}"
    others = names_elsewhere(model, parent)
    near = difflib.get_close_matches(name, others, n=1, cutoff=_clearly)
    if near:
        return f"does not exist here; did you mean `{others[near[0]]}`?"
    return f"does not exist; {nearest_or_all(name, known)}"


def _unknown_event(path: Path, given: Any) -> FieldProblem:
    kind = given.get("type") if isinstance(given, dict) else None
    if kind is None:
        return FieldProblem(dotted((*path, "type")), "is required: the kind of event")
    return FieldProblem(dotted((*path, "type")), hinted("is not a kind of event", kind, EVENTS))
