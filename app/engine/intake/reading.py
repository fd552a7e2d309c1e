"""From the bytes of a request to a checked one: the one path for the API and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from app.engine.intake.problems import MOST_PROBLEMS, FieldProblem, RequestError
from app.engine.intake.wording import dotted, in_words
from app.engine.vocabulary import LONGEST_HISTORY, AnswersReport, DecisionRequest, OutcomeReport

BODY = "body"
_LONGEST_NUMBER = 24
_MOST_FIELDS = 500
_MOST_ENTRIES = LONGEST_HISTORY
_TOO_DEEP = "is nested too deeply"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_Body = TypeVar("_Body", bound=BaseModel)


def parse_request(body: bytes, subscriber: str | None = None) -> DecisionRequest:
    """The request for a decision in a JSON body.

    Args:
        body: as `parse_body`.
        subscriber: the id, where `subscriber.id` is left out because it is known who asks about themselves.

    Raises:
        RequestError: as `parse_body`.
    """
    data = _data(body)
    if subscriber is not None and isinstance(data, dict) and isinstance(data.get("subscriber"), dict):
        data["subscriber"].setdefault("id", subscriber)
    request = _checked(body, data, DecisionRequest)
    request.read_from(data["subscriber"])
    return request


def parse_body(body: bytes, model: type[_Body]) -> _Body:
    """What a JSON body says.

    Args:
        body: UTF-8. Its size is the caller's to bound.
        model: what it should be.

    Raises:
        RequestError: it is not JSON, or not a request. Duplicate keys, NaN, halves of characters and numbers without end are refused;
            every problem names its field and nothing that was sent is repeated but field names that are plain words.
    """
    return _checked(body, _data(body), model)


def parse_response(body: bytes) -> OutcomeReport | AnswersReport:
    """What came of a decision: an outcome of an action or, in a body that has `answers`, what the person answered.

    Raises:
        RequestError: as `parse_body`.
    """
    data = _data(body)
    return _checked(body, data, AnswersReport) if isinstance(data, dict) and "answers" in data else _checked(body, data, OutcomeReport)


def _data(body: bytes) -> Any:
    data = _as_it_stands(body)
    return _values(_text(body)) if data is None else data


def _checked(body: bytes, data: Any, model: type[_Body]) -> _Body:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise RequestError(_odd(_text(body)) or in_words(error, model)) from None


def _as_it_stands(body: bytes) -> Any:
    """The values of compact JSON in one spelling, as most programs write it; none where it has to be looked at more closely.

    What gives the same bytes when it is written again had no key twice, no NaN, no half of a character and no number out of range.
    """
    try:
        data = orjson.loads(body)
        return data if orjson.dumps(data) == body else None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def _text(body: bytes) -> str:
    if not body.strip():
        raise _refused("is empty; expected a JSON object such as the examples in the API's document")
    if body.startswith(_UTF8_MARK):
        raise _refused("begins with a byte order mark; send UTF-8 without one")
    if body.startswith(_UTF16_MARKS) or b"\0" in body[:4]:
        raise _refused("is not UTF-8 but looks like UTF-16 or UTF-32; send UTF-8")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _refused(f"is not UTF-8 at byte {error.start + 1}; send UTF-8, not a local encoding such as GBK or Latin-1") from None


def _values(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _refused(_not_json(error)) from None
    except RecursionError:
        raise _refused(_TOO_DEEP) from None
    except ValueError:
        raise RequestError(_odd(text)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs) or len(found) > _MOST_FIELDS or any(map(_is_long, found.values())):
        raise ValueError("a key stands twice, or there are too many, or of entries")
    return found


def _is_long(value: object) -> bool:
    return type(value) is list and len(value) > _MOST_ENTRIES


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and infinity are not JSON")


def _refused(message: str) -> RequestError:
    return RequestError([FieldProblem(BODY, message)])


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys as they stand, repeats included."""


class _Odd(str):
    """Why a number is not one."""


def _whole(digits: str) -> Any:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else _Odd("is too large a number")


def _odd(text: str) -> tuple[FieldProblem, ...]:
    """The first so many oddities. What could just be read once may be too deep when it is read from further down the stack."""
    try:
        return tuple(islice(_oddities(text), MOST_PROBLEMS))
    except RecursionError:
        return (FieldProblem(BODY, _TOO_DEEP),)
    except json.JSONDecodeError as error:  # further on than what was odd first
        return (FieldProblem(BODY, _not_json(error)),)


def _not_json(error: json.JSONDecodeError) -> str:
    return f"is not JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}"


def _oddities(text: str) -> Iterator[FieldProblem]:
    """What JSON readers differ about, field by field: read a second time, slowly, only to say where it is."""
    data = json.loads(text, object_pairs_hook=_Pairs, parse_constant=lambda _: _Odd("is not a number that JSON knows"), parse_int=_whole)
    open_values: list[tuple[tuple[str | int, ...], Any]] = [((), data)]
    while open_values:
        path, value = open_values.pop()
        if isinstance(value, _Odd):
            yield FieldProblem(dotted(path), str(value))
        elif isinstance(value, str) and _has_half(value):
            yield FieldProblem(dotted(path), "holds half a character (a lone surrogate)")
        elif isinstance(value, _Pairs):
            yield from _odd_keys(path, [key for key, _ in value])
            open_values.extend(((*path, key), item) for key, item in reversed(value))
        elif _is_long(value):
            yield FieldProblem(dotted(path), f"has more than {_MOST_ENTRIES:,} entries")
        elif isinstance(value, list):
            open_values.extend(((*path, index), item) for index, item in reversed(list(enumerate(value))))


def _odd_keys(path: tuple[str | int, ...], keys: list[str]) -> Iterator[FieldProblem]:
    if len(keys) > _MOST_FIELDS:
        yield FieldProblem(dotted(path), f"has more than {_MOST_FIELDS} fields")
        return
    seen: set[str] = set()
    for key in keys:
        if _has_half(key):
            yield FieldProblem(dotted(path), "holds a field whose name has half a character (a lone surrogate)")
        elif key in seen:
            yield FieldProblem(dotted((*path, key)), "stands twice in its object")
        seen.add(key)


def _has_half(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)
