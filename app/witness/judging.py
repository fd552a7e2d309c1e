"""Whether a checkpoint goes on from what the witness has seen: then it is cosigned, else it is refused, and why."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import replace

from app.record.log.cosigning import Cosigner
from app.record.log.merkle import EMPTY_ROOT, verify_consistency
from app.record.log.notes import BadNote, Checkpoint, VerifierKey, divided, noted, read_checkpoint
from app.witness.memory import Memory, Seen
from app.witness.request import AddCheckpoint, BadRequest


class Refused(Exception):
    """The witness does not cosign. `seen` is what it has seen of the log, where it knows the log."""

    def __init__(self, why: str, seen: Seen | None = None) -> None:
        super().__init__(why)
        self.seen = seen


class UnknownLog(Refused):
    """The witness has not been told to trust this log."""


class BadSignature(Refused):
    """The log has not signed the checkpoint."""


class OtherSize(Refused):
    """The proof starts from another size than the latest that the witness has seen."""


class OtherRoot(Refused):
    """The log has signed two roots of one size."""


class NotProven(Refused):
    """The proof does not show that the log goes on from what the witness has seen."""


class Witness:
    """Judges the checkpoints of the logs it was told to trust."""

    def __init__(self, logs: Iterable[VerifierKey], signer: Cosigner, memory: Memory, clock: Callable[[], datetime.datetime]) -> None:
        """
        Args:
            logs: the keys of the logs, several of one name where a log has rotated its own.
            signer: what cosigns.
            memory: what was seen before.
            clock: the time.
        """
        self._logs: dict[str, list[VerifierKey]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        self._signer, self._memory, self._clock = signer, memory, clock

    @property
    def key(self) -> str:
        """The witness's own verifier key, as a log's operator and auditors are given it."""
        return self._signer.key.text()

    @property
    def origins(self) -> list[str]:
        """The logs that are trusted."""
        return sorted(self._logs)

    def add(self, request: AddCheckpoint) -> str:
        """Cosign a checkpoint, remembering it first. The line of the cosignature.

        Raises:
            BadRequest: the checkpoint or the size is not well formed.
            Refused: one of the kinds above.
        """
        checkpoint, note = self._opened(request.note)
        if request.old > checkpoint.size:
            raise BadRequest("the old size is larger than the checkpoint's")
        now = self._clock()
        cosignature = self._signer.cosignature(checkpoint.text(), now)
        text, lines = divided(note)
        fresh = Seen(checkpoint.origin, checkpoint.size, checkpoint.root, now, noted(text, [*lines, cosignature]))
        self._memory.replace(checkpoint.origin, lambda seen: _judged(request, fresh, seen))
        return noted("", [cosignature])[1:]

    def _opened(self, note: str) -> tuple[Checkpoint, str]:
        """The checkpoint, and its note with the signatures of the log alone."""
        try:
            text, lines = divided(note)
        except BadNote as error:
            raise BadRequest(str(error)) from None
        keys = self._logs.get(text.partition("\n")[0])
        if keys is None:
            raise UnknownLog("this log is not among those that the witness was told to trust")
        known = {(key.name, key.id) for key in keys}
        bare = noted(text, [line for line in lines if line[:2] in known])
        try:
            return read_checkpoint(bare, keys), bare
        except BadNote as error:
            raise BadSignature(str(error)) from None


def _judged(request: AddCheckpoint, fresh: Seen, seen: Seen | None) -> Seen:
    """What to remember in the place of what was seen."""
    size, root = (seen.size, seen.root) if seen else (0, EMPTY_ROOT)
    if request.old != size:
        raise OtherSize(f"the proof starts from {request.old} leaves; the witness has seen {size}", seen)
    if not verify_consistency(size, fresh.size, root, fresh.root, request.proof):
        kind = OtherRoot if fresh.size == size else NotProven
        raise kind(f"it is not shown that the log of {fresh.size} leaves goes on from the one of {size} that the witness has seen", seen)
    return replace(fresh, since=seen.since) if seen and fresh.size == size else fresh
