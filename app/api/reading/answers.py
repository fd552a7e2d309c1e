"""What reading the record answers with, beside the shapes of the record itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.engine.answer import Explanation
from app.record.campaigns.stored import StoredRow
from app.record.export.plain import Plain
from app.record.log.tree import Inclusion, StoredCheckpoint
from app.record.reading.consulting import Proof
from app.record.reading.influence import ProtectedInfluence
from app.record.reading.minimal import MinimalChange, Untold
from app.record.reading.ranking import Compared
from app.record.reading.recorded import State
from app.record.reading.replaying import Instead, Replay
from app.record.search.finding import Page


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An entry of the record, with its leaf. `envelope` holds codes; who reads their own decisions only does not see it."""

    leaf: int
    id: str
    at: str
    kind: str | None
    envelope: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class EntryList:
    """Entries, newest leaf first. `next` is the `cursor` of the next page; `searched` leaves were looked through, later ones were not."""

    entries: Sequence[FoundEntry]
    next: str | None
    searched: int


@dataclass(frozen=True, slots=True)
class DecisionExplained:
    """A decision in words, in the language asked for. What the caller's role may not see is null or empty.

    Attributes:
        decision_id: which.
        explanation: every part of the answer in words, and every action that was not offered.
        order: why the first came before the next, and so on.
        minimal_changes: the smallest changes of figures, dates and days to wait that were tried and changed the list.
        untold: actions that one clause alone kept out, of which no such change can be told.
        protected: whether a protected fact had influence.
        plain: the whole as the customer reads it, for customers and reviewers.
    """

    decision_id: str
    explanation: Explanation
    order: Sequence[Compared] | None
    minimal_changes: Sequence[MinimalChange] | None
    untold: Sequence[Untold] | None
    protected: ProtectedInfluence | None
    plain: Plain | None


@dataclass(frozen=True, slots=True)
class DecisionReplayed:
    """A decision made again; `instead` is what another pack would have decided, where one was asked for."""

    replay: Replay
    instead: Instead | None


@dataclass(frozen=True, slots=True)
class CheckpointAnswer:
    """A signed statement of how many leaves the log has and what their root is (SHA-256, hexadecimal); `note` is the signed text.

    `consistency`: proof (RFC 9162) that the log begins with the `since_size` leaves that were asked about.
    """

    size: int
    root: str
    at: str
    note: str
    since_size: int | None
    consistency: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class RowProof:
    """Proof that a campaign's decision is in a part of the campaign (RFC 9162, hashes in hexadecimal).

    The hash of leaf `position`, of `size`, is SHA-256 over a zero byte and the bytes of `envelope`; with `path` it leads to `root`.
    """

    envelope: str
    position: int
    size: int
    leaf_hash: str
    path: Sequence[str]
    root: str


@dataclass(frozen=True, slots=True)
class ProofAnswer:
    """Proof that a decision is in the log (RFC 9162, hashes in hexadecimal).

    The leaf's hash is SHA-256 over a zero byte and the bytes of `envelope`; with `path` it leads to the root that `checkpoint` signs. Of a
    campaign's decision `envelope` is that of its part, which names the `root` of the part's decisions, and `row` proves it to be one.
    """

    decision_id: str
    state: State
    envelope: str
    leaf: int
    leaf_hash: str
    path: Sequence[str]
    size: int
    root: str
    checkpoint: str
    row: RowProof | None


def entry_list(page: Page, *, envelopes: bool) -> EntryList:
    """A page of a search as it is answered."""
    entries = [
        FoundEntry(hit.leaf, hit.entry_id, hit.at, hit.envelope["kind"] if hit.envelope else None, hit.envelope if envelopes else None)
        for hit in page.hits
    ]
    return EntryList(entries, page.cursor, page.searched)


def checkpoint_answer(found: StoredCheckpoint, since_size: int | None = None, proof: Sequence[bytes] | None = None) -> CheckpointAnswer:
    """A checkpoint as it is answered."""
    path = None if proof is None else [item.hex() for item in proof]
    return CheckpointAnswer(found.size, found.root.hex(), found.at, found.note, since_size, path)


def proof_answer(decision_id: str, proof: Proof, found: Inclusion, state: State) -> ProofAnswer:
    """A proof of inclusion as it is answered."""
    checkpoint = found.checkpoint
    return ProofAnswer(
        decision_id,
        state,
        proof.envelope.decode(),
        found.leaf.index,
        found.leaf.hash.hex(),
        [item.hex() for item in found.path],
        checkpoint.size,
        checkpoint.root.hex(),
        checkpoint.note,
        None if proof.row is None else _row_proof(proof.row),
    )


def _row_proof(row: StoredRow) -> RowProof:
    path, leaf = [item.hex() for item in row.path], row.leaves[row.position].hex()
    return RowProof(row.envelope.decode(), row.position, len(row.leaves), leaf, path, row.chunk.root)
