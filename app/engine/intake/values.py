"""Values whose type only the pack knows: the operator's own facts, and answers to what was asked."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from app.engine.intake.problems import CaseError, FieldProblem
from app.engine.intake.wording import hinted, message_of
from app.engine.runtime import NEVER
from app.engine.tree import Type
from app.engine.vocabulary import FACTS, SECTIONS

if TYPE_CHECKING:
    from app.engine.pack import Pack

_day = re.compile(r"^(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$")
_longest_series = 36


class _Mistyped(Exception):
    """A value is not of its type; says what is expected."""


def answer_value(pack: Pack, fact: str, value: object) -> Any:
    """What an answer, or an operator's own fact, is to the engine.

    Args:
        pack: types `custom.*` facts.
        fact: a base fact's dotted name, or `custom.…`.
        value: as JSON has it: dates as ISO text, sets and series as arrays.

    Returns:
        A number, text or boolean; a date as its ordinal (never, given as null, as 0); a set as frozenset, a series as tuple.

    Raises:
        CaseError: naming `answers.<fact>`, where the value is not of the fact's type or out of its bounds.
    """
    try:
        return _own_value(pack.custom[fact], value) if fact in pack.custom else _base_value(fact, value)
    except _Mistyped as mistyped:
        raise CaseError([FieldProblem(f"answers.{fact}", str(mistyped))]) from None


def answer_problem(pack: Pack, fact: str, value: object) -> FieldProblem | None:
    """What is wrong with an answer: nobody asked, or it is not of the fact's type."""
    if fact not in pack.questions:
        return FieldProblem(f"answers.{fact}", hinted("is not a fact that this pack asks for", fact, pack.questions))
    try:
        answer_value(pack, fact, value)
    except CaseError as error:
        return error.problems[0]
    return None


def custom_problem(types: Mapping[str, Type], name: str, value: object) -> FieldProblem | None:
    """What is wrong with an operator's own fact: the pack does not know it, or it is not of its type."""
    kind = types.get(f"custom.{name}")
    if kind is None:
        known = (own.partition(".")[2] for own in types)
        return FieldProblem(f"subscriber.custom.{name}", hinted("is not among the pack's own facts", name, known))
    try:
        _own_value(kind, value)
    except _Mistyped as mistyped:
        return FieldProblem(f"subscriber.custom.{name}", str(mistyped))
    return None


def _base_value(fact: str, value: object) -> Any:
    """Read by the section's own model, so that an answer is held to what the request is held to."""
    section, _, field = fact.partition(".")
    if value is None and FACTS[fact].kind != "date":
        raise _Mistyped("expected a value; leave it out where there was no answer")
    try:
        read = getattr(SECTIONS[section].model_validate({field: value}), field)
    except ValidationError as error:
        raise _Mistyped(message_of(error, SECTIONS[section])) from None
    return _ordinal(read) if FACTS[fact].kind == "date" else read


def _ordinal(day: datetime.date | None) -> int:
    return NEVER if day is None else day.toordinal()


def _own_value(kind: Type, value: object) -> Any:
    if value is None:
        return NEVER if kind.kind == "date" else None
    match kind.kind:
        case "number":
            return _number(kind, value)
        case "boolean":
            return _expect(isinstance(value, bool), value, "expected true or false")
        case "date":
            return _date(value)
        case "enum":
            return _word(kind, value)
        case "set":
            return frozenset(_word(kind, word) for word in _items(value))
        case "series":
            return tuple(None if item is None else _number(kind, item) for item in _series(value))
    return _expect(isinstance(value, str), value, "expected text")


def _expect(holds: bool, value: object, otherwise: str) -> Any:
    if not holds:
        raise _Mistyped(otherwise)
    return value


def _number(kind: Type, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Mistyped("expected a number")
    if abs(value) > kind.most:
        raise _Mistyped(f"expected a number of at most {kind.most:,.15g} in size")
    if kind.integral and value != int(value):
        raise _Mistyped("expected a whole number")
    return int(value) if kind.integral else value


def _date(value: object) -> int:
    if isinstance(value, str) and _day.match(value):
        try:
            return datetime.date.fromisoformat(value).toordinal()
        except ValueError:
            pass
    raise _Mistyped("expected a date from 1900 on such as 2026-11-22, or null for never")


def _word(kind: Type, value: object) -> str:
    if not isinstance(value, str):
        raise _Mistyped("expected text")
    if kind.values and value not in kind.values:
        raise _Mistyped(hinted(f"expected one of {', '.join(kind.values)}", value, kind.values))
    return value


def _items(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple | list):
        raise _Mistyped("expected an array")
    return tuple(value)


def _series(value: object) -> tuple[object, ...]:
    items = _items(value)
    _expect(len(items) <= _longest_series, value, f"expected at most {_longest_series} entries")
    return items
