"""What a log sends: the size that the witness saw last, the proof from there, and the checkpoint (C2SP tlog-witness, add-checkpoint)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from app.record.log.merkle import HASH_BYTES
from app.record.log.notes import LONGEST_NOTE

LONGEST_PROOF = 63
LONGEST_REQUEST = LONGEST_NOTE + 4_096
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


class BadRequest(ValueError):
    """The request is not well formed."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A checkpoint as a note, and the proof that its tree goes on from the one of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    @classmethod
    def parse(cls, body: bytes) -> AddCheckpoint:
        """What the body of a request says.

        Raises:
            BadRequest: it says nothing of the kind.
        """
        try:
            head, blank, note = body.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise BadRequest("the request is not UTF-8") from None
        first, *rest = head.split("\n")
        old = _OLD.fullmatch(first)
        if old is None or not blank or len(rest) > LONGEST_PROOF:
            raise BadRequest("a request is `old` and a size, a line for each hash of the proof, an empty line, and a signed checkpoint")
        return cls(int(old[1]), tuple(map(_hash, rest)), note)

    def text(self) -> str:
        """The body of the request."""
        return "\n".join([f"old {self.old}", *(base64.b64encode(step).decode() for step in self.proof), "", self.note])


def _hash(line: str) -> bytes:
    try:
        found = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != HASH_BYTES or base64.b64encode(found).decode() != line:
        raise BadRequest("a line of the proof is the base64 of 32 bytes")
    return found
