"""Entries written together within one transaction: subjects, keys of callers, envelopes, rows."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Any

from orjson import Fragment
from sqlalchemy import ColumnElement, Connection, insert, literal_column
from sqlmodel import SQLModel

from app.record.canonical import canonical
from app.record.choices import standing_by_token
from app.record.entries import NewEntry, NewRow, Written
from app.record.entries import Subject as Placeholder
from app.record.keys import Keys, KeysProblem
from app.record.privacy import Unreadable, seal
from app.record.store import tables
from app.record.store.claims import Claims
from app.record.store.database import Database, stamp
from app.record.store.problems import (
    ROW_ERRORS,
    ChoicesStand,
    HasSuccessor,
    KeyUnknown,
    PersonErased,
    RowRefused,
    StoreError,
    blames_row,
    taken_in,
)
from app.record.store.subjects import NoKey, Subject, subjects_of
from app.record.store.tables import EntryRow, SuccessorRow, UnsealedRow

Outcome = Written | StoreError
_Extra = tuple[str, tuple[str, ...] | None, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Writes entries of one writer into an open transaction.

    `writer` names it in envelopes, where `sequence` counts what it wrote without a gap: what is missing is seen.
    """

    database: Database
    keys: Keys
    writer: str
    connection: Connection
    now: datetime.datetime

    def enter(self, entries: Sequence[NewEntry], sequence: int) -> list[Outcome]:
        """Write the entries, the first of them as number `sequence`; what became of each.

        Raises:
            Exception: the database's, or what `blames_row` says is the fault of one entry; then the transaction cannot go on.
        """
        claims = Claims(self.database, self.connection, self.now)
        claims.look(entries)
        open_ones = [entry for entry in entries if claims.outcome(entry) is None]
        subjects = subjects_of(self.database, self.keys, self.connection, [*_parts(open_ones)], self.now)
        outdated = self._outdated(open_ones, subjects)
        claims.take([entry for entry in open_ones if entry.id not in outdated], subjects)
        settled = outdated | {entry.id: outcome for entry in entries if (outcome := claims.outcome(entry)) is not None}
        self._write([*_parts(entry for entry in open_ones if entry.id not in settled)], subjects, sequence)
        return [settled.get(entry.id) or Written(entry.id, number=len(entry.parts)) for entry in entries]

    def enter_what_can_be(self, entries: Sequence[NewEntry], sequence: int) -> list[Outcome]:
        """Write the entries but for those that are refused, which halving finds; what became of each.

        Raises:
            Exception: the database's.
        """
        self.connection.exec_driver_sql("SAVEPOINT part")
        try:
            outcomes = self.enter(entries, sequence)
        except ROW_ERRORS as error:
            if not blames_row(error):
                raise
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
            outcomes = self._in_halves(entries, sequence, error)
        self.connection.exec_driver_sql("RELEASE SAVEPOINT part")
        return outcomes

    def _in_halves(self, entries: Sequence[NewEntry], sequence: int, error: Exception) -> list[Outcome]:
        if len(entries) == 1:
            return [_refusal(error)]
        middle = len(entries) // 2
        first = self.enter_what_can_be(entries[:middle], sequence)
        return first + self.enter_what_can_be(entries[middle:], sequence + written(first))

    def _outdated(self, entries: Sequence[NewEntry], subjects: Mapping[str, Subject]) -> dict[str, Outcome]:
        """The decisions that do not know what the person chose, which this transaction sees as it stands."""
        asked = {part.id: subjects[part.id] for part in _parts(entries) if part.choices is not None}
        tokens = {entry_id: subject.token for entry_id, subject in asked.items() if subject.chose}
        standing = standing_by_token(self.connection, sorted({*tokens.values()})) if tokens else {}
        found: dict[str, Outcome] = {}
        for entry in entries:
            for part in entry.parts:
                stands = standing.get(tokens.get(part.id, ""), ())
                if part.choices is not None and part.choices != stands:
                    found[entry.id] = ChoicesStand(stands)
        return found

    def _write(self, entries: Sequence[NewEntry], subjects: Mapping[str, Subject], sequence: int) -> None:
        if not entries:
            return
        rows = [self._row(entry, subjects.get(entry.id), number) for number, entry in enumerate(entries, sequence)]
        self.database.append(self.connection, EntryRow, rows)
        tallies = [{"entry_id": entry.id, "tally": None if entry.tally is None else canonical(entry.tally)} for entry in entries]
        self.database.append(self.connection, UnsealedRow, tallies)
        self._write_beside(list(_beside(entries, subjects)))

    def _row(self, entry: NewEntry, subject: Subject | None, sequence: int) -> dict[str, Any]:
        envelope: dict[str, Any] = {
            "v": 1,
            "id": entry.id,
            "kind": entry.kind,
            "at": stamp(entry.at),
            "writer": self.writer,
            "sequence": sequence,
            "body": Fragment(canonical(entry.traced_body)),
        }
        private = None
        if subject is not None:
            envelope["subject"] = subject.token
        if entry.private is not None:
            sealed = seal(self._key(subject), entry.private, entry.id.encode())
            private = sealed.ciphertext
            envelope |= {"private": f"sha256:{sha256(private).hexdigest()}", "commitment": sealed.commitment}
        return {
            "id": entry.id,
            "kind": entry.kind,
            "at": envelope["at"],
            "subject": subject.token if subject else None,
            "envelope": canonical(envelope),
            "private": private,
        }

    def _key(self, subject: Subject | None) -> bytes:
        if subject is None:
            raise ValueError("private: only an entry about a subject has something private")
        try:
            return subject.key(self.keys)
        except KeysProblem as error:
            raise _NotUnwrapped(str(error)) from error
        except Unreadable:
            raise ValueError("private: the keys of this log do not open the subject's key") from None

    def _write_beside(self, rows: Sequence[tuple[_Extra, dict[str, Any]]]) -> None:
        """Rows of other tables: a table after the other, as every writer has them; neighbours that go the same way in one statement."""
        for (name, replacing, _), group in groupby(sorted(rows, key=lambda item: item[0][0]), key=lambda item: item[0]):
            values = [row for _, row in group]
            if replacing is None:
                self.connection.execute(insert(_TABLES[name].__table__), values)  # type: ignore[attr-defined]
            else:
                self.database.put(self.connection, _TABLES[name], values, replacing=replacing, where=_NEWER.get(name))


class _NotUnwrapped(ValueError):
    """The key of an entry's subject is wrapped with one that is not known: no fault of its neighbours."""


def written(outcomes: Sequence[Outcome]) -> int:
    """How many entries were written, companions among them; a repeated one was not."""
    return sum(outcome.number for outcome in outcomes if isinstance(outcome, Written) and not outcome.repeated)


def _parts(entries: Iterable[NewEntry]) -> Iterator[NewEntry]:
    return (part for entry in entries for part in entry.parts)


def _beside(entries: Sequence[NewEntry], subjects: Mapping[str, Subject]) -> Iterator[tuple[_Extra, dict[str, Any]]]:
    for entry in entries:
        for row in entry.rows:
            if row.table not in _TABLES:
                raise ValueError(f"rows: there is no table `{row.table}`")
            yield (row.table, row.replacing, tuple(row.values)), _filled(row, subjects.get(entry.id))


def _filled(row: NewRow, subject: Subject | None) -> dict[str, Any]:
    values = dict(row.values)
    for name in [name for name, value in values.items() if isinstance(value, Placeholder)]:
        if subject is None:
            raise ValueError(f"rows: `{name}` wants the subject of an entry that has none")
        values[name] = subject.token
    return values


def _refusal(error: Exception) -> StoreError:
    """Why an entry was refused, without what stood in it."""
    if isinstance(error, _NotUnwrapped):
        return KeyUnknown(str(error))
    if isinstance(error, NoKey):
        return PersonErased(str(error))
    if taken_in(error, SuccessorRow.__tablename__):
        return HasSuccessor("the decision has a next step already")
    return RowRefused(str(error) if type(error) is ValueError else f"the store does not take it: {type(error).__name__}")


_TABLES: Mapping[str, type[SQLModel]] = {
    str(found.__tablename__): found for found in vars(tables).values() if isinstance(found, type) and issubclass(found, SQLModel)
}
_NEWER: Mapping[str, ColumnElement[bool]] = {"choice": literal_column("choice.entry_id") < literal_column("excluded.entry_id")}
"""Tables in which a row gives way to that of a newer entry only, in whatever order they are stored."""
