"""What goes over the pair of sockets between a worker and its keeper, which trust each other: numbered values, each after its length."""

from __future__ import annotations

import datetime
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

from app.record.canonical import ordered
from app.record.entries import NewEntry, Written
from app.record.unread import Ordered, Texts

_LENGTH_BYTES = 4
_names = [field.name for field in fields(NewEntry)]
_values_of = attrgetter(*_names)
_AT, _BODY, _PRIVATE, _TALLY, _TRACE = map(_names.index, ("at", "body", "private", "tally", "trace"))


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
        value = _told(value.entry), value.seconds
    elif type(value) is Written:
        value = value.entry_id, value.repeated, value.number
    content = pickle.dumps((number, value), pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(_LENGTH_BYTES, "big") + content


def _told(entry: NewEntry) -> list[Any]:
    """The parts of an entry in their order; what takes pickle long as text, and what is plain JSON as that."""
    values = list(_values_of(entry))
    values[_AT] = entry.at.timestamp()
    values[_BODY], values[_TRACE] = ordered(entry.traced_body), None
    values[_PRIVATE] = None if entry.private is None else _told_privately(entry.private)
    values[_TALLY] = None if entry.tally is None else ordered(entry.tally)
    return values


def _told_privately(private: Mapping[str, Any]) -> dict[str, Any]:
    """A case as JSON in order, which its commitment is over; the rest, an answer among it, as it is: the keeper, which has the time, makes
    JSON of it."""
    given = private.given if type(private) is Texts else private
    return {
        name: bytearray(value) if type(value) is bytes else ordered(value) if isinstance(value, Mapping) else value
        for name, value in given.items()
    }


def _private_of(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: Ordered(value) if type(value) is bytes else value.decode() if type(value) is bytearray else value
        for name, value in told.items()
    }


def patient_of(value: tuple[list[Any], float]) -> Patient:
    """The entry that was sent. What it holds is read when somebody looks into it."""
    values, seconds = value
    values[_AT] = datetime.datetime.fromtimestamp(values[_AT], datetime.UTC)
    values[_BODY] = Ordered(values[_BODY])
    values[_PRIVATE] = None if values[_PRIVATE] is None else _private_of(values[_PRIVATE])
    values[_TALLY] = None if values[_TALLY] is None else Ordered(values[_TALLY])
    return Patient(NewEntry(*values), seconds)


def written_of(value: tuple[str, bool, int] | None) -> Written | None:
    """What was said of an entry that is stored; none where something else was asked."""
    return None if value is None else Written(*value)


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
