"""Handing out what is on record about persons: whoever does so is on the record themselves before anything leaves."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from app.record.campaigns.ids import is_row
from app.record.campaigns.stored import decisions_in
from app.record.export.access import Held, held_about
from app.record.export.complaint import answer_complaint, subjects_of_decisions
from app.record.export.exporting import Exported, NothingSealed, Wanted, export
from app.record.ids import Ids
from app.record.log import tree
from app.record.log.stretches import Stretch, about_decisions, between, of_entries
from app.record.persons import NobodyKnown
from app.record.reading.recorded import read_note, token_of
from app.record.reading.replaying import Packs
from app.record.store.record import Record


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be exported: a time span (as the store writes times) or decisions, and whose private payloads are to be opened."""

    since: str | None = None
    until: str | None = None
    decisions: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    parquet: bool = False

    def as_json(self) -> dict[str, Any]:
        """What a bundle says was asked for: no subscriber."""
        told = {"from": self.since, "to": self.until, "decisions": list(self.decisions) or None, "opened": len(self.opened) or None}
        return {name: value for name, value in told.items() if value is not None}


def share(record: Record, asked: Asked, out: Path, *, caller: str, role: str, most: int | None = None) -> Exported:
    """Export a bundle.

    Args:
        record: of the log.
        asked: what goes into it.
        out: where it goes.
        caller: who exports.
        role: theirs.
        most: leaves that may be exported; none for any number.

    Raises:
        NobodyKnown: the record does not know somebody whose payloads are to be opened.
        NothingSealed: there is nothing to export.
        TooMuch: there are more leaves than that.
        BundleProblem: there is something at this place already.
        StoreError: the store does not take the entry, or cannot be read.
    """
    tokens = [_token(record, subscriber) for subscriber in asked.opened]
    stretches = record.read_now(lambda connection: stretches_of(connection, asked))
    count = sum(stretch.last - stretch.first + 1 for stretch in stretches)
    if not asked.decisions:
        count += record.read_now(lambda connection: decisions_in(connection, [(stretch.first, stretch.last) for stretch in stretches]))
    if most is not None and count > most:
        raise TooMuch(f"this is {count:,} records, and {most:,} are handed out at once; ask for less, or run `wanliu record export`")
    if not stretches:
        raise NothingSealed("nothing of this is in the log, or not yet: entries are sealed within seconds")
    whom: list[str | None] = [*tokens] or [None]
    for token in whom:
        _note(record, caller, role, "export", token=token, filters=asked.as_json(), found=count)
    rows = [entry_id for entry_id in asked.decisions if is_row(entry_id)]
    wanted = Wanted(stretches, frozenset(tokens), asked.as_json(), asked.parquet, rows=rows, files=not asked.decisions)
    return record.read_now(lambda connection: export(connection, record.keys, wanted, out, record.clock()))


class TooMuch(Exception):
    """More is asked for than is handed out at once."""


def stretches_of(connection: Connection, asked: Asked) -> list[Stretch]:
    """The stretches of the log that are asked for, as far as a checkpoint signs them."""
    newest = tree.checkpoint(connection)
    size = newest.size if newest else 0
    if asked.decisions:
        return of_entries(connection, size, about_decisions(connection, asked.decisions))
    return between(connection, size, asked.since, asked.until)


def give_access(record: Record, packs: Packs, subscriber_id: str, *, caller: str, role: str, locale: str) -> Held:
    """Everything that is held about a subscriber, for their request for access.

    Raises:
        NobodyKnown: the record knows no such subscriber, or they were erased.
        StoreError: the store does not take the entry, or cannot be read.
    """
    _note(record, caller, role, "access", token=_token(record, subscriber_id))
    return record.read_now(lambda connection: held_about(connection, record.keys, packs, subscriber_id, locale))


def give_answer(record: Record, packs: Packs, decision_ids: Sequence[str], out: Path, *, caller: str, role: str, locale: str) -> Exported:
    """The answer file for a complaint about these decisions.

    Raises:
        NoSuchDecision, SeveralPersons, NothingSealed, BundleProblem: as `answer_complaint`.
        StoreError: the store does not take the entry, or cannot be read.
    """
    found = record.read_now(lambda connection: subjects_of_decisions(connection, record.keys, decision_ids))
    for decision_id, token in found.items():
        _note(record, caller, role, "complaint", of=decision_id, token=token)
    now = record.clock()
    return record.read_now(lambda connection: answer_complaint(connection, record.keys, packs, decision_ids, out, now, locale))


def _note(record: Record, caller: str, role: str, what: str, **told: Any) -> None:
    now: datetime.datetime = record.clock()
    record.write_now(read_note(Ids().new(now), now, caller=caller, role=role, what=what, **told))


def _token(record: Record, subscriber_id: str) -> str:
    found = record.read_now(lambda connection: token_of(connection, record.keys, subscriber_id))
    if found is None:
        raise NobodyKnown
    return found
