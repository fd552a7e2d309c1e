"""Campaigns: every part's file against the leaf of the part, row by row; what the limits and the closing of one say against its parts."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.campaigns.files import HELD_SCHEMA, digest_of_file, held_name_of, is_readable, name_of, read_columns, slices
from app.record.campaigns.held import differing, unlike_lists
from app.record.campaigns.ids import row_id
from app.record.campaigns.model import CHUNK, CLOSED, HELD, OPENED, PLAIN, Chunk, Counts, held_counts
from app.record.damage import DamagedEntry
from app.record.log.merkle import leaf_hash, root_of
from app.record.search.indexing import asked
from app.record.store.database import blob, chunks_of
from app.record.store.tables import CampaignChunkRow, CampaignHeldRow, CampaignRow, EntryRow
from app.record.verifying.archives import Archives
from app.record.verifying.opening import Opening, wrapped_keys
from app.record.verifying.reading import Entry
from app.record.verifying.rows.comparing import compare, text
from app.record.verifying.rows.told import Told, told_by
from app.record.verifying.verdict import Findings

_CAMPAIGN = CampaignRow.__table__  # type: ignore[attr-defined]
_CHUNK = CampaignChunkRow.__table__  # type: ignore[attr-defined]
_HELD = CampaignHeldRow.__table__  # type: ignore[attr-defined]
_MOST_TOLD = 5
"""Rows of one file of which it is told what is wrong."""


@dataclass(slots=True)
class Chunks:
    """Looks at the files of parts as their entries are read, and at the end at the rows that restate them.

    Attributes:
        connection: a transaction that reads.
        archives: what was archived.
        erased: tokens of persons of whom an entry says that they were erased.
        opening: opens private payloads too, where that is asked for.
        findings: where differences go.
        rows: decisions of campaigns that were looked at.
    """

    connection: Connection
    archives: Archives
    erased: Container[str | None]
    opening: Opening | None
    findings: Findings
    rows: int = 0
    _gone: set[str] = field(default_factory=set)

    def look(self, entries: Sequence[tuple[int | None, Entry]]) -> None:
        """Hold what hangs on the entries of campaigns among these against them."""
        for told in told_by(entries, CHUNK):
            self._part(told)
        for told in told_by(entries, HELD):
            self._limits(told)
        for told in told_by(entries, CLOSED):
            self._closing(told)

    def finish(self) -> None:
        """Compare the rows about campaigns, and name those that belong to no entry."""
        opened, closed = self._told(OPENED), {text(told.body, "job"): told for told in self._told(CLOSED).values()}
        rows = {row.id: row for row in self.connection.execute(select(_CAMPAIGN))}
        for campaign, told in opened.items():
            self._campaign(told, rows.get(campaign), closed.get(campaign))
        for campaign in rows.keys() - opened.keys():
            self.findings.add("row", f"campaign row {campaign}: no entry opened it")
        self._made_up(_CHUNK, "there is no such part of a campaign")
        self._made_up(_HELD, "there are no such limits of a campaign")

    def _made_up(self, table: Any, what: str) -> None:
        """Rows that belong to no entry."""
        kept = select(table.c.entry_id).join(EntryRow, col(EntryRow.id) == table.c.entry_id, isouter=True)
        for entry_id in self.connection.execute(kept.where(col(EntryRow.id).is_(None))).scalars():
            if not self.archives.covers(entry_id):
                self.findings.add("row", f"{table.name} row of entry {entry_id}: {what}", None, entry_id)

    def _part(self, told: Told) -> None:
        try:
            chunk, job = Chunk.told(told.entry.id, told.body), str(told.body["job"])
        except (KeyError, TypeError, AttributeError):
            self.findings.add("chunk", "the entry of a part of a campaign does not say what the part is", told.leaf, told.entry.id)
            return
        self._row(told, chunk, job)
        counts = chunk.counts
        if counts.read != counts.decided + counts.rejected or counts.read != chunk.last_row - chunk.first_row + 1:
            self._wrong(told, "its rows do not add up")
        try:
            self._file(told, chunk, job)
        except DamagedEntry as error:
            self._wrong(told, str(error))

    def _row(self, told: Told, chunk: Chunk, job: str) -> None:
        """The row by which the part's decisions are found."""
        what = f"campaign_chunk row of entry {chunk.entry_id}"
        found = self.connection.execute(select(_CHUNK).where(_CHUNK.c.entry_id == chunk.entry_id)).first()
        expected = {"campaign": job, "first_row": chunk.first_row, "last_row": chunk.last_row, "number": chunk.number, "file": chunk.file}
        if found is None:
            self.findings.add("row", f"{what}: it is missing", told.leaf, chunk.entry_id)
        else:
            compare(self.findings, what, expected, found, leaf=told.leaf, entry=chunk.entry_id)

    def _file(self, told: Told, chunk: Chunk, job: str) -> None:
        path = chunks_of(self.connection) / job / name_of(chunk.number, chunk.file)
        if digest_of_file(path) != chunk.file:
            self._wrong(told, "its file is not the one that was recorded: it was changed")
            if not is_readable(path):
                return
        leaves: list[bytes] = []
        wrong = before = 0
        for frame in slices(path):
            for faults in self._faults(frame, job, chunk, before):
                wrong += 1
                if wrong <= _MOST_TOLD:
                    self._wrong(told, faults)
            before = frame["row"][-1] or before
            leaves += [leaf_hash(envelope or b"") for envelope in frame["envelope"]]
            self._subjects(told, frame)
        self.rows += len(leaves)
        if len(leaves) != chunk.counts.decided or root_of(leaves).hex() != chunk.root:
            self._wrong(told, "its decisions are not those that were recorded: one was changed, put in, taken away or moved")

    def _faults(self, frame: pl.DataFrame, job: str, chunk: Chunk, before: int) -> Iterator[str]:
        """What is wrong with rows of a file, by number."""
        for item in frame.iter_rows(named=True):
            row = item["row"]
            wrong = _fault(item, job)
            if wrong is None and not max(before, chunk.first_row - 1) < (row or 0) <= chunk.last_row:
                wrong = "it is out of its place"
            if wrong is not None:
                yield f"row {row}: {wrong}"
            before = row or before

    def _subjects(self, told: Told, frame: pl.DataFrame) -> None:
        """Who is gone though no entry says so; the others' payloads are opened, where that is asked for."""
        kept = wrapped_keys(self.connection, {token for token in frame["subject"] if token})
        missing = {token for token in frame["subject"] if token not in kept and token not in self.erased} - self._gone
        self._gone |= missing
        for token in sorted(missing)[:_MOST_TOLD]:
            said = f"subject row {token}: it is missing, and no entry says that the person was erased"
            self.findings.add("row", said, told.leaf, told.entry.id)
        if self.opening is not None:
            columns = frame.select("id", "subject", "envelope", "private").iter_rows()
            self.opening.look(
                (told.leaf, Entry(made, "decision", "", token, envelope, private)) for made, token, envelope, private in columns
            )

    def _limits(self, told: Told) -> None:
        """What limits made of the campaign: its row, its file, and that it adds up with the lists of the parts."""
        job, file = text(told.body, "job"), text(told.body, "file")
        what = f"campaign_held row of entry {told.entry.id}"
        found = self.connection.execute(select(_HELD).where(_HELD.c.entry_id == told.entry.id)).first()
        if found is None:
            self.findings.add("row", f"{what}: it is missing", told.leaf, told.entry.id)
        else:
            compare(self.findings, what, {"campaign": job, "file": file}, found, leaf=told.leaf, entry=told.entry.id)
        folder = chunks_of(self.connection) / job
        try:
            rows = read_columns(folder / held_name_of(file), file, list(HELD_SCHEMA), schema=HELD_SCHEMA)
            odd = differing({name: told.body.get(name) for name in ("actions", "going", "held")}, held_counts(rows))
            if odd:
                self._wrong(told, f"what its limits made of it is counted otherwise than its file says: {', '.join(odd)}")
            wrong = self._unlike_lists(told, rows, folder, job)
            if wrong is not None:
                self._wrong(told, f"what its limits made of it is not about its lists: {wrong}")
        except DamagedEntry as error:
            self._wrong(told, f"what its limits made of it: {error}")

    def _unlike_lists(self, told: Told, rows: pl.DataFrame, folder: Path, job: str) -> str | None:
        """Where the rows are not those of the parts' lists, as far as the parts were not archived."""
        impossible = rows.filter(pl.col("day").is_null() == pl.col("cause").is_null())
        if impossible.height:
            return f"row {impossible['row'][0]} neither goes out nor is held"
        query = select(_CHUNK.c.entry_id).where(_CHUNK.c.campaign == job).order_by(_CHUNK.c.number)
        envelopes = list(_envelopes(self.connection, list(self.connection.execute(query).scalars())))
        chunks = [Chunk.told(entry_id, orjson.loads(envelope)["body"]) for entry_id, envelope in envelopes]
        if self.archives.said:
            inside = (pl.col("row").is_between(chunk.first_row, chunk.last_row) for chunk in chunks)
            rows = rows.filter(pl.any_horizontal(pl.lit(False), *inside))
        return unlike_lists(rows, folder, chunks)

    def _closing(self, told: Told) -> None:
        """What the closing says against the entries of the parts, as far as they were not archived."""
        query = select(_CHUNK.c.entry_id).where(_CHUNK.c.campaign == text(told.body, "job")).order_by(_CHUNK.c.number)
        envelopes = dict(_envelopes(self.connection, list(self.connection.execute(query).scalars())))
        if len(envelopes) != told.body.get("chunks"):
            if not self.archives.said:
                self._wrong(told, f"it has {told.body.get('chunks')} parts, and {len(envelopes)} are there")
            return
        counts = Counts()
        for envelope in envelopes.values():
            body = orjson.loads(envelope)["body"]
            counts = counts.plus(Counts(body["read"], body["decided"], body["rejected"]))
        expected = {**counts._asdict(), "recorded": counts.decided, "root": f"sha256:{root_of(_hashes(envelopes.values())).hex()}"}
        for name, value in expected.items():
            if told.body.get(name) != value:
                self._wrong(told, f"its closing says something else of `{name}` than its parts")

    def _campaign(self, told: Told, row: Any, closed: Told | None) -> None:
        what = f"campaign row {told.entry.id}"
        if row is None:
            self.findings.add("row", f"{what}: it is missing", told.leaf, told.entry.id)
            return
        ended = {"state": text(closed.body, "state"), "closing": closed.entry.id} if closed else {"state": "open", "closing": None}
        expected = {"name": text(told.body, "campaign"), "at": told.entry.at, **ended}
        compare(self.findings, what, expected, row, leaf=told.leaf, entry=told.entry.id)

    def _told(self, kind: str) -> dict[str, Told]:
        """The entries of a kind, which stay for ever, by id."""
        query = select(*(col(getattr(EntryRow, name)) for name in ("id", "kind", "at", "subject", "envelope", "private")))
        found = self.connection.execute(query.where(col(EntryRow.kind) == kind))
        entries = [(None, Entry(row.id, row.kind, row.at, row.subject, blob(row.envelope), None)) for row in found]
        return {told.entry.id: told for told in told_by(entries, kind)}

    def _wrong(self, told: Told, what: str) -> None:
        number = told.body.get("number")
        part = f"part {number} of the campaign" if number is not None else "the campaign"
        self.findings.add("chunk", f"{part} {text(told.body, 'job')}: {what}", told.leaf, told.entry.id)


def _fault(item: Mapping[str, Any], job: str) -> str | None:
    """What is wrong with a row by itself."""
    try:
        told = orjson.loads(item["envelope"])
        expected = {"id": row_id(job, item["row"]), "row": item["row"], "campaign": job, "kind": "decision", "subject": item["subject"]}
        if any(told.get(name) != value for name, value in expected.items()) or told["id"] != item["id"]:
            return "its columns say something else than its envelope"
        if item["private"] is None or f"sha256:{sha256(item['private']).hexdigest()}" != told["private"]:
            return "the private payload was changed"
        if leaf_hash(item["envelope"]) != item["leaf"]:
            return "its leaf is not that of its envelope"
        body = told["body"]
        plain = {name: body.get(name) for name in PLAIN if name != "actions"} | {"actions": [one["action"] for one in body["offered"]]}
        return None if all(item[name] == value for name, value in plain.items()) else "what it is searched by is not what its envelope says"
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
        return "its envelope is not what this program writes"


def _envelopes(connection: Connection, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    found: dict[str, bytes] = {}
    for part in asked(ids):
        rows = connection.execute(select(col(EntryRow.id), col(EntryRow.envelope)).where(col(EntryRow.id).in_(part)))
        found |= {row.id: blob(row.envelope) for row in rows}
    return ((entry_id, found[entry_id]) for entry_id in ids if entry_id in found)


def _hashes(envelopes: Iterable[bytes]) -> list[bytes]:
    return [leaf_hash(envelope) for envelope in envelopes]
