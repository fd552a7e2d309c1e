"""One text for one value: canonical JSON (RFC 8785), the bytes that are hashed.

orjson writes it, ten times as fast as code in Python does; what it would write otherwise than the RFC is brought into shape before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from app.record.unread import Ordered

_BEYOND_BMP = re.compile(rb"[\xf0-\xf4]")
_WHOLE, _WITH_EXPONENT = re.compile(rb"\.0[,\]}]"), re.compile(rb"e[-+]\d+[,\]}]")
"""How floats end that orjson writes otherwise than the RFC; texts may end so too."""
_READY = frozenset((str, int, bool, type(None), orjson.Fragment))
_are_plain = frozenset((dict, list, tuple, float)).issuperset
_DEEPEST = 250
_SMALL = 1e-5
_STRICT = orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_TOO_LARGE = 2**53


class NotCanonical(ValueError):
    """The value has no canonical JSON."""


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value: mappings, lists, tuples, texts, numbers, truth and none, nested at most 250 deep.

    A float that is a whole number is written as one: 12.0 and 12 have the same text, as they are the same number to JSON. What stands in a
    `Fragment` of orjson is canonical already.

    Raises:
        NotCanonical: no number, or one of 2**53 or more, which readers round; a key that is no text; half a surrogate pair; another type.
    """
    if type(value) is Ordered and _is_canonical(value.text):
        return value.text
    try:
        written = orjson.dumps(value if _has_shape(value) else _shaped(value), option=_STRICT | orjson.OPT_SORT_KEYS)
        return orjson.dumps(_by_utf16(_shaped(value)), option=_STRICT) if _is_beyond_bmp(written) else written
    except RecursionError:
        raise NotCanonical("nested too deep; 250 levels are allowed") from None
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error).lower()) from None  # says what it met by type, never the value


def ordered(value: Mapping[str, Any]) -> bytes:
    """The JSON of a mapping for `Ordered`: what of it is not canonical yet is found there without reading it.

    Raises:
        TypeError: it has what JSON cannot say.
    """
    return orjson.dumps(value, default=_as_dict, option=_STRICT | orjson.OPT_SORT_KEYS)


def _is_canonical(written: bytes) -> bool:
    """Is what `ordered` wrote canonical as it is; some that is may be taken not to be, for the sake of a text in it."""
    return not (_WHOLE.search(written) or _has_exponent(written) or _is_beyond_bmp(written))


def _has_exponent(written: bytes) -> bool:
    """Looked for by its sign first, which orjson always writes: most texts have none of these, and this takes a third of the time."""
    return (b"e-" in written or b"e+" in written) and _WITH_EXPONENT.search(written) is not None


def _is_beyond_bmp(written: bytes) -> bool:
    return not written.isascii() and _BEYOND_BMP.search(written) is not None


def _as_dict(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _has_shape(value: Any) -> bool:
    """Does orjson write the value rightly as it is; looked at level by level, which costs half as much as bringing it into shape."""
    level = [value]
    for _ in range(_DEEPEST):
        if not _are_plain(map(type, level)) or not all(_is_written_rightly(inner) for inner in level if type(inner) is float):
            return False
        wider = [inner.values() if type(inner) is dict else inner for inner in level if type(inner) is not float]
        level = [inner for held in wider for inner in held if type(inner) not in _READY]
        if not level:
            return True
    return False


def _shaped(value: Any) -> Any:
    """The value, so that orjson writes its numbers as the RFC does: what has another type than JSON has goes by the one it is made from."""
    if isinstance(value, dict | Mapping):
        return {key: inner if type(inner) in _READY else _shaped(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [inner if type(inner) in _READY else _shaped(inner) for inner in value]
    if isinstance(value, float):
        return _number(float(value))
    if isinstance(value, str | int | None):
        return value
    raise NotCanonical(f"a {type(value).__name__} has no canonical form; give text, numbers, lists and mappings")


def _is_written_rightly(value: float) -> bool:
    return _SMALL <= abs(value) < _TOO_LARGE and not value.is_integer()


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
