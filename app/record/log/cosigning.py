"""Cosignatures: what a witness adds to the checkpoint of another's log, with the time (C2SP tlog-cosignature v1, Ed25519)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from app.record.log.notes import BadNote, SignerKey, VerifierKey, divided, noted, open_note

_TIME_BYTES = 8
_LATEST = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True, slots=True)
class WitnessKey(VerifierKey):
    """The public half of a witness's key."""

    kind: ClassVar[bytes] = b"\x04"

    def accepts(self, text: str, signature: bytes) -> bool:
        """Is this a cosignature of the witness, over the text and the time that it holds."""
        time = int.from_bytes(signature[:_TIME_BYTES])
        return VerifierKey(self.name, self.public).accepts(_dated(text, time), signature[_TIME_BYTES:])


@dataclass(frozen=True, slots=True)
class Cosigner(SignerKey):
    """A witness's key: its name, and the 32 bytes of its private half."""

    @property
    def key(self) -> WitnessKey:
        """The public half."""
        return WitnessKey(self.name, self.verifier.public)

    def line(self, text: str, now: datetime.datetime) -> str:
        """The line that says: seen then, and consistent with all that was seen before."""
        return noted("", [self.cosignature(text, now)])[1:]

    def cosignature(self, text: str, now: datetime.datetime) -> tuple[str, bytes, bytes]:
        """The same as (key name, key id, time and signature)."""
        time = int(now.timestamp())
        return self.name, self.key.id, time.to_bytes(_TIME_BYTES) + self.sign(_dated(text, time))


def cosigned_at(note: str, key: WitnessKey) -> datetime.datetime:
    """When the witness cosigned this note.

    Raises:
        BadNote: it is no note, or the witness has not.
    """
    open_note(note, [key])
    _, lines = divided(note)
    times = (signature[:_TIME_BYTES] for name, key_id, signature in lines if (name, key_id) == (key.name, key.id))
    time = int.from_bytes(max(times))
    if time > _LATEST:
        raise BadNote("the witness cosigned at a time that no calendar has")
    return datetime.datetime.fromtimestamp(time, datetime.UTC)


def with_line(note: str, line: str, key: WitnessKey) -> str:
    """The note with a line of the witness, in the place of an earlier one of the same key.

    Raises:
        BadNote: it is no note, or the line is no cosignature of this witness over it.
    """
    text, lines = divided(note)
    _, added = divided(f"{text}\n{line}")
    others = [signature for signature in lines if signature[:2] != (key.name, key.id)]
    made = noted(text, [*others, *added])
    if len(added) != 1:
        raise BadNote("a witness answers with one line")
    cosigned_at(noted(text, added), key)
    return made


def _dated(text: str, time: int) -> str:
    return f"cosignature/v1\ntime {time}\n{text}"
