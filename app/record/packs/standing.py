"""Which steps with packs stand on the record. The entry counts: a row of the table only says that there is one.

A row is there for its entry. Where that is missing, or was not sealed as it stands, nobody took the step; where the row says something
else, what the entry says holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.entries import Kind
from app.record.log.merkle import leaf_hash
from app.record.packs.history import COLUMNS, History, Step, StepKind, Unfounded, same_person
from app.record.store.tables import EntryRow, LeafRow, PackStepRow, UnsealedRow

KINDS: Mapping[StepKind, Kind] = {"published": "pack_published", "approved": "pack_approved", "rejected": "pack_rejected"}
"""The kinds of entries of these steps; all others are `pack_activated`."""
_STEPS: Mapping[str | None, StepKind] = {name: name for name in get_args(StepKind)}


def read_history(connection: Connection, digest: str | None = None) -> History:
    """Every step that was taken with packs, or with one, as its entry tells it; rows that stand for nothing apart."""
    columns = [getattr(PackStepRow, name) for name in COLUMNS]
    query = (
        select(*columns, col(EntryRow.envelope), col(LeafRow.hash), col(UnsealedRow.entry_id).label("waits"))
        .join(EntryRow, col(EntryRow.id) == col(PackStepRow.entry_id), isouter=True)
        .join(LeafRow, col(LeafRow.entry_id) == col(PackStepRow.entry_id), isouter=True)
        .join(UnsealedRow, col(UnsealedRow.entry_id) == col(PackStepRow.entry_id), isouter=True)
    )
    if digest is not None:
        query = query.where(col(PackStepRow.digest) == digest)
    return _history([_founded(row) for row in connection.execute(query).mappings()])


def disagreement(row: Mapping[str, Any], envelope: Mapping[str, Any]) -> str | None:
    """In what a row of `pack_step` says something else than its entry; none where it agrees.

    Args:
        row: its columns.
        envelope: of the entry with its id.
    """
    told = step_of(envelope)
    if told is None:
        return "its entry tells of no step with a pack"
    for name in COLUMNS[:-1]:
        if row[name] != getattr(told, name):
            return f"`{name}` is not what its entry says"
    return None if _is_its_note(row["note"], told) else "`note` is not what its entry says"


def step_of(envelope: Mapping[str, Any], note: str | None = None) -> Step | None:
    """The step that an entry tells of; none where it tells of something else. Its note is kept elsewhere."""
    body = envelope.get("body")
    if not isinstance(body, dict):
        return None
    entry_id, at, kind = envelope.get("id"), envelope.get("at"), envelope.get("kind")
    digest, by, since = body.get("digest"), body.get("by"), body.get("effective_at")
    step = _STEPS.get(body.get("step") if isinstance(body.get("step"), str) else None)
    is_text = all(isinstance(value, str) for value in (entry_id, digest, at, by)) and isinstance(since, str | None)
    if step is None or not is_text or kind != KINDS.get(step, "pack_activated"):
        return None
    return Step(str(entry_id), str(digest), step, str(at), str(by), since, note, body)


def _founded(row: Mapping[Any, Any]) -> Step | Unfounded:
    """The step of a row as its entry tells it, or why there is none."""
    given = {name: row[name] for name in COLUMNS}
    written = Step(**given)
    if row["envelope"] is None:
        return Unfounded(written, "it has no entry")
    if row["hash"] is None and row["waits"] is None:
        return Unfounded(written, "its entry has no leaf, and waits for none")
    if not isinstance(row["envelope"], bytes) or (row["hash"] is not None and leaf_hash(row["envelope"]) != row["hash"]):
        return Unfounded(written, "its entry is not the one that was sealed")
    envelope = _parsed(row["envelope"])
    why = disagreement(given, envelope)
    return Unfounded(written, why, step_of(envelope)) if why else step_of(envelope, row["note"]) or written


def _history(found: Sequence[Step | Unfounded]) -> History:
    unfounded = [item for item in found if isinstance(item, Unfounded)]
    steps = [item for item in found if isinstance(item, Step)] + [item.entry for item in unfounded if item.entry is not None]
    history = History.of(steps)
    own = list(_not_approved(history.steps))
    approvals = {item.step.entry_id for item in own}
    return History(tuple(step for step in history.steps if step.entry_id not in approvals), (*unfounded, *own))


def _not_approved(steps: Iterable[Step]) -> Iterator[Unfounded]:
    """Approvals that no desk gives: of what was not published, and by who published it."""
    authors: dict[str, list[str]] = {}
    for step in steps:
        if step.step == "published":
            authors.setdefault(step.digest, []).append(step.by)
        elif step.step == "approved" and step.digest not in authors:
            yield Unfounded(step, "the pack was not published before")
        elif step.step == "approved" and any(same_person(author, step.by) for author in authors[step.digest]):
            yield Unfounded(step, "who published the pack approved it")


def _is_its_note(note: str | None, told: Step) -> bool:
    if told.step == "published":
        return note == tests_told(told.told.get("tests")) or ("tests" not in told.told and note == _NO_TESTS)
    kept = told.told.get("note")
    return kept is None if note is None else kept == note_hash(note)


def note_hash(note: str) -> str:
    """What the entry says of a note."""
    return f"sha256:{hashlib.sha256(note.encode('utf-8', 'surrogatepass')).hexdigest()}"


def tests_told(tests: Mapping[str, Any] | None) -> str | None:
    """What a pack's own tests came to, in words; none where they were not run."""
    if not isinstance(tests, Mapping) or not isinstance(tests.get("passed"), int) or not isinstance(tests.get("failed"), int):
        return None
    return f"tests: {tests['passed']:,} passed, {tests['failed']:,} failed"


def _parsed(envelope: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(envelope)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


_NO_TESTS = tests_told({"passed": 0, "failed": 0})
