"""What goes over the pair of sockets between a worker and its keeper, which trust each other: numbered values, each after its length."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from app.record.entries import NewEntry

_LENGTH_BYTES = 4
_AS_JSON = ("body", "private", "tally")
"""Parts of an entry that are plain JSON, which orjson writes five times as fast as pickle."""
_others = tuple(field.name for field in fields(NewEntry) if field.name not in _AS_JSON)
_json_of, _others_of = attrgetter(*_AS_JSON), attrgetter(*_others)


class Patient(NamedTuple):
    """An entry, and how many seconds whoever sends it waits for the store."""

    entry: NewEntry
    seconds: float


def framed(number: int, value: object) -> bytes:
    """A value with its number.

    Raises:
        TypeError: an entry has what JSON cannot say.
    """
    if type(value) is Patient:
        value = (orjson.dumps(_json_of(value.entry), default=_plain), _others_of(value.entry), value.seconds)
    content = pickle.dumps((number, value), pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(_LENGTH_BYTES, "big") + content


def patient_of(value: tuple[bytes, tuple[Any, ...], float]) -> Patient:
    """The entry that was sent."""
    plain, others, seconds = value
    entry = NewEntry(**dict(zip(_AS_JSON, orjson.loads(plain), strict=True)), **dict(zip(_others, others, strict=True)))
    return Patient(entry, seconds)


class Frames:
    """Puts together what arrives in pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, Any]]:
        """The numbered values that are whole now."""
        self._rest += data
        start = 0
        while (end := start + _LENGTH_BYTES) <= len(self._rest):
            end += int.from_bytes(self._rest[start:end], "big")
            if end > len(self._rest):
                break
            yield pickle.loads(self._rest[start + _LENGTH_BYTES : end])  # noqa: S301 - the other end is a process of this service
            start = end
        del self._rest[:start]


def _plain(value: object) -> object:
    """A mapping of another kind, for orjson."""
    return dict(value)  # type: ignore[call-overload]
