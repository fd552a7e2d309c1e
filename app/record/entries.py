"""What goes on the record: entries of every kind, before the writer makes their envelopes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.engine.vocabulary.choices import Choice
from app.record.correlation import TRACE

Kind = Literal[
    "decision",
    "enquiry",
    "outcome",
    "choice",
    "recheck",
    "pack_published",
    "pack_approved",
    "pack_rejected",
    "pack_activated",
    "caller_changed",
    "key_changed",
    "webhook_changed",
    "read",
    "erasure",
    "hold",
    "archived",
    "campaign_opened",
    "campaign_chunk",
    "campaign_held",
    "campaign_closed",
    "started",
    "heartbeat",
]


class Subject:
    """Stands in a row for the token of the entry's subject, which only the writer knows."""


SUBJECT = Subject()


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's key for a request: the same key and body give the same entry, until it expires."""

    caller: str
    key: str
    body_hash: bytes
    expires_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row of another table that is stored in the same transaction as its entry.

    Where its key is there already, the columns of `replacing` are replaced; none of them where that is empty. Left out, it must be new.
    """

    table: str
    values: Mapping[str, Any]
    replacing: tuple[str, ...] | None = None


@dataclass(slots=True)
class NewEntry:
    """An entry as it is handed to the writer.

    `body` holds codes only and becomes part of the envelope. Whom it is about is told by `subscriber`, the operator's id, which is never
    stored, or by `token`, where an earlier entry names one. `private` is encrypted under the subject's key. `tally` is added to the
    anonymous daily counts: `{"day", "pack", "counts": [[measure, grouped, number], …]}`. `trace` becomes part of the body: left out, it is
    that of the request during which the entry is made. `companion` is stored with it, right after it, or neither of them is. `choices` are
    those of the person that a decision kept to: where others stand, it is not stored; of other entries nothing is asked.

    Nobody changes it. It is not frozen: making it would take nearly three times as long, in every process that it goes through.
    """

    id: str
    kind: Kind
    at: datetime.datetime
    body: Mapping[str, Any]
    subscriber: str | None = None
    token: str | None = None
    private: Mapping[str, Any] | None = None
    idempotency: Idempotency | None = None
    rows: tuple[NewRow, ...] = ()
    tally: Mapping[str, Any] | None = None
    trace: str | None = field(default_factory=TRACE.get)
    companion: NewEntry | None = None
    choices: tuple[Choice, ...] | None = None

    @property
    def traced_body(self) -> Mapping[str, Any]:
        """The body, with the trace."""
        return self.body if self.trace is None else {**self.body, "trace": self.trace}

    @property
    def parts(self) -> tuple[NewEntry, ...]:
        """The entry, and the one that is stored with it."""
        return (self,) if self.companion is None else (self, self.companion)


@dataclass(frozen=True, slots=True)
class Written:
    """An entry that is durable; `repeated` where its idempotency key was used before and the id is that of the first.

    `number` is how many were stored: with a companion two.
    """

    entry_id: str
    repeated: bool = False
    number: int = 1
