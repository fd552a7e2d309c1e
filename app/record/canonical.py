"""One text for one value: canonical JSON (RFC 8785), the bytes that are hashed.

orjson writes it, ten times as fast as code in Python does; what it would write otherwise than the RFC is brought into shape before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

_BEYOND_BMP = re.compile(rb"[\xf0-\xf4]")
_READY = frozenset((str, int, bool, type(None)))
_are_ready = _READY.issuperset
_SMALL = 1e-5
_STRICT = orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_TOO_LARGE = 2**53


class NotCanonical(ValueError):
    """The value has no canonical JSON."""


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value: mappings, lists, tuples, texts, numbers, truth and none, nested at most 250 deep.

    A float that is a whole number is written as one: 12.0 and 12 have the same text, as they are the same number to JSON.

    Raises:
        NotCanonical: no number, or one of 2**53 or more, which readers round; a key that is no text; half a surrogate pair; another type.
    """
    try:
        written = orjson.dumps(_shaped(value), option=_STRICT | orjson.OPT_SORT_KEYS)
        if written.isascii() or not _BEYOND_BMP.search(written):
            return written
        return orjson.dumps(_by_utf16(_shaped(value)), option=_STRICT)
    except RecursionError:
        raise NotCanonical("nested too deep; 250 levels are allowed") from None
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error).lower()) from None  # says what it met by type, never the value


def _shaped(value: Any) -> Any:
    """The value, so that orjson writes its numbers as the RFC does."""
    kind = type(value)
    if kind is float:
        return _number(value)
    if kind is dict:
        return value if _are_ready(map(type, value.values())) else _shaped_mapping(value)
    if kind is list:
        return value if _are_ready(map(type, value)) else _shaped_list(value)
    return _shaped_rare(value)


def _shaped_mapping(value: Mapping[Any, Any]) -> Any:
    return {key: inner if type(inner) in _READY else _shaped(inner) for key, inner in value.items()}


def _shaped_list(value: Sequence[Any]) -> Any:
    return [inner if type(inner) in _READY else _shaped(inner) for inner in value]


def _shaped_rare(value: Any) -> Any:
    """What is seldom met: other mappings, tuples, and types made from those that JSON has."""
    if isinstance(value, Mapping):
        return _shaped_mapping(value)
    if isinstance(value, list | tuple):
        return _shaped_list(value)
    if isinstance(value, float):
        return _number(float(value))
    if isinstance(value, str | int | None):
        return value
    raise NotCanonical(f"a {type(value).__name__} has no canonical form; give text, numbers, lists and mappings")


def _number(value: float) -> Any:
    """A float as orjson writes it rightly, or else its text."""
    if not abs(value) < _TOO_LARGE:
        raise NotCanonical("a number is infinite or not a number, or 2**53 or more; leave it out instead")
    if value.is_integer():
        return int(value)
    return value if abs(value) >= _SMALL else orjson.Fragment(_ecmascript(value))


def _ecmascript(value: float) -> str:
    """A number below 1e-5 as ECMAScript writes it (RFC 8785, 3.2.2.3): an exponent only below 1e-6, with no zero in front of it."""
    digits, _, power = repr(value).partition("e-")
    if power != "06":
        return f"{digits}e-{int(power)}"
    sign = "-" if value < 0 else ""
    return f"{sign}0.00000{digits.removeprefix('-').replace('.', '')}"


def _by_utf16(value: Any) -> Any:
    """Keys in the order of their UTF-16 units, as the RFC wants: orjson orders by code point, another order beyond U+FFFF."""
    if isinstance(value, dict):
        return {key: _by_utf16(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [_by_utf16(inner) for inner in value] if isinstance(value, list) else value
