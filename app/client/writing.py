"""Requests as JSON. What JSON cannot say is told by its field, before anything is sent."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from app.client.problems import NotJsonError

BODY = "body"
_TOO_DEEP = "is nested too deeply, or holds itself"
_NAMES = (str, int, float, bool, type(None))


def written(value: object) -> bytes:
    """A value as compact JSON.

    Raises:
        NotJsonError: JSON cannot say it; names the field.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError):
        raise _unsayable(value) from None
    except RecursionError:
        raise NotJsonError(BODY, _TOO_DEEP) from None


def as_object(value: object) -> dict[str, Any]:
    """A value that is a JSON object.

    Raises:
        NotJsonError: it is another one.
    """
    if isinstance(value, Mapping):
        return dict(value)
    raise NotJsonError(BODY, "expected an object, such as a dict")


def _unsayable(value: object) -> NotJsonError:
    """Where a value is not what JSON can say, and why."""
    try:
        found = _found(value, ())
    except RecursionError:
        return NotJsonError(BODY, _TOO_DEEP)
    path, why = found or ((), "is not what JSON can say")
    return NotJsonError(".".join(map(str, path)) or BODY, why)


def _found(value: object, path: tuple[object, ...]) -> tuple[tuple[object, ...], str] | None:
    """The first part that JSON cannot say, by its path, and why."""
    if isinstance(value, dict):
        odd = next((type(name) for name in value if not isinstance(name, _NAMES)), None)
        return _first(value.items(), path) if odd is None else (path, f"has a name of the type {odd.__name__}; names are texts")
    if isinstance(value, list | tuple):
        return _first(enumerate(value), path)
    why = _why(value)
    return (path, why) if why else None


def _first(parts: Iterable[tuple[object, object]], path: tuple[object, ...]) -> tuple[tuple[object, ...], str] | None:
    return next((found for name, part in parts if (found := _found(part, (*path, name)))), None)


def _why(value: object) -> str:
    """Why JSON cannot say a value that has no parts; nothing where it can."""
    if isinstance(value, float) and not math.isfinite(value):
        return "is no number that JSON knows"
    if isinstance(value, str):
        return "holds half a character (a lone surrogate)" if any("\ud800" <= sign <= "\udfff" for sign in value) else ""
    if isinstance(value, _NAMES):
        return ""
    hint = "; send its `isoformat()`" if isinstance(value, datetime.date | datetime.time) else ""
    return f"is of the type {type(value).__name__}, which JSON does not have{hint}"
