"""Campaigns as their runner uses them: open one, or go on with it; write its parts, each durable when that returns; close it."""

from __future__ import annotations

import contextlib
import datetime
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from sqlalchemy import Connection, select, update
from sqlmodel import col

from app.engine.vocabulary.choices import Choice
from app.record.campaigns.choices import choices_of, standing_among
from app.record.campaigns.files import CampaignFolder, name_of
from app.record.campaigns.ids import MOST_ROWS, place_of, row_id
from app.record.campaigns.model import CHUNK, CLOSED, OPENED, CampaignHead, Chunk, ChunkRows, Counts, Ending, Standing, shared
from app.record.campaigns.problems import CampaignDiffers, CampaignOver, CampaignProblem, NoSuchCampaign, RowsRefused
from app.record.campaigns.sealing import Sealed, sealed_rows
from app.record.campaigns.stored import standing_campaign
from app.record.campaigns.subjects import Known, known_subjects
from app.record.counting import counted
from app.record.entries import NewEntry, NewRow
from app.record.ids import Ids
from app.record.log.merkle import leaf_hash, root_of
from app.record.search.indexing import asked
from app.record.store.database import blob, changed, stamp
from app.record.store.record import Record
from app.record.store.tables import CampaignRow, EntryRow

Step = Callable[[str], None]
"""Told of each step of writing a part, by name, when it is done."""


def open_campaign(record: Record, head: CampaignHead, resume: str | None = None, *, step: Step = lambda _done: None) -> Campaign:
    """Open a campaign, or go on with one that was left: what it has on the record stays, what it has not is removed.

    Args:
        record: brought up to date, of a command or a worker.
        head: what it is about.
        resume: the id of a campaign to go on with; left out, a new one is opened.
        step: told of each step of writing.

    Raises:
        NoSuchCampaign: none has this id.
        CampaignDiffers: it was opened with another input, mapping, pack, channel or engine, or under another name.
        CampaignOver: it was closed.
        CampaignBusy: another process is at work on it.
        StoreError: the store does not take it.
        OSError: the folder of chunks does not.
    """
    return _at_work(record, resume or _opened(record, head), head, step)


def end_campaign(record: Record, campaign: str, state: Literal["cancelled", "stopped"], because: str | None = None) -> str:
    """Close a campaign that was left and will not be gone on with, whatever it was opened with; the id of the entry that says so.

    Args:
        record: brought up to date.
        campaign: its id.
        state: whether somebody cancelled it, or something stopped it.
        because: who or what, as a code.

    Raises:
        NoSuchCampaign, CampaignOver, CampaignBusy, StoreError, OSError: as `open_campaign`.
    """
    with _at_work(record, campaign, None, lambda _done: None) as found:
        return found.close(found.standing.counts, state, because)


def _at_work(record: Record, campaign: str, head: CampaignHead | None, step: Step) -> Campaign:
    """The campaign, held by this process alone; `head` is what it must have been opened with."""
    folder = CampaignFolder(record.database.chunks, campaign)
    _check_open(_standing(record, campaign), head)
    folder.open()
    try:
        standing = _standing(record, campaign)  # as it is now that nobody else is at work on it
        _check_open(standing, head)
        folder.clear({name_of(chunk.number, chunk.file) for chunk in standing.chunks})
    except BaseException:
        folder.close()
        raise
    return Campaign(record, standing, folder, step)


def _standing(record: Record, campaign: str) -> Standing:
    found = record.read_now(lambda connection: standing_campaign(connection, campaign))
    if found is None:
        raise NoSuchCampaign(f"no campaign has the id {campaign}; leave it out to begin a new one")
    return found


def _check_open(standing: Standing, head: CampaignHead | None) -> None:
    if standing.state != "open":
        raise CampaignOver(f"the campaign {standing.id} is {standing.state}; begin a new one")
    differing = head.differences(standing.opened) if head is not None else ()
    if differing:
        told = f"the campaign {standing.id} was opened with another {', '.join(differing)}"
        raise CampaignDiffers(f"{told}; begin a new one, or give the same")


def left_open(record: Record, head: CampaignHead) -> list[Standing]:
    """Campaigns that were opened with the same and never closed, newest first: one of them may be gone on with.

    Raises:
        StoreUnavailable: the record cannot be read.
    """

    def read(connection: Connection) -> list[Standing]:
        query = select(col(CampaignRow.id)).where(col(CampaignRow.name) == head.name, col(CampaignRow.state) == "open")
        ids = connection.execute(query.order_by(col(CampaignRow.id).desc())).scalars().all()
        found = (standing_campaign(connection, campaign) for campaign in ids)
        return [standing for standing in found if standing is not None and not head.differences(standing.opened)]

    return record.read_now(read)


class Campaign:
    """A campaign that is at work: parts are written one after the other, by this process alone."""

    def __init__(self, record: Record, standing: Standing, folder: CampaignFolder, step: Step) -> None:
        """`open_campaign` makes it."""
        self._record, self._folder, self._step = record, folder, step
        self._standing, self._ids = standing, Ids()
        self._chunks = list(standing.chunks)
        self._thread = ThreadPoolExecutor(1, "campaign-chunk")
        self._sent: tuple[Future[Chunk], int] | None = None

    @property
    def id(self) -> str:
        """Its id, by which it is gone on with."""
        return self._standing.id

    @property
    def at(self) -> datetime.datetime:
        """When it was opened: the time of all its decisions, however often it is gone on with."""
        return self._standing.at

    @property
    def standing(self) -> Standing:
        """As it stands: its parts so far, the counts of their rows, and the next row."""
        return Standing(self.id, self.at, self._standing.opened, "open", tuple(self._chunks))

    @property
    def folder(self) -> Path:
        """Where its parts' files are."""
        return self._folder.place

    def decision_id(self, row: int) -> str:
        """The id of the decision about a row of the input, from 1."""
        return row_id(self.id, row)

    def choices_of(self, subscribers: Sequence[str]) -> Mapping[str, tuple[Choice, ...]]:
        """What these subscribers chose for good, oldest first, by id; nothing of those who chose nothing. Decide with it.

        Raises:
            StoreUnavailable: the record cannot be read.
        """
        database, keys = self._record.database, self._record.keys
        return self._record.read_now(lambda connection: choices_of(database, keys, connection, subscribers))

    @property
    def next_row(self) -> int:
        """The first row that no part has, those that were sent among them."""
        return self._sent[1] + 1 if self._sent else self.standing.next_row

    def write(self, given: ChunkRows) -> Chunk:
        """Put the next part on the record: its subjects, its file, then its entry. It is durable when this returns.

        Args:
            given: from the row on that comes after the last part's.

        Raises:
            RowsRefused: somebody chose otherwise than a case says; nothing was stored. Decide these rows again and give the part anew.
            CampaignProblem: the rows do not go on from the last part, or do not fit together.
            NotCanonical: there is no canonical JSON of a case.
            StoreError: the store does not take it, or is not known to have: leave the campaign and go on with it, which finds out.
            OSError: the disk does not.
        """
        self.send(given)
        return self.finish()

    def send(self, given: ChunkRows) -> None:
        """As `write`, of which the end is not waited for: while this part goes to the disk the next one can be decided and sent.

        Raises:
            RowsRefused, CampaignProblem, NotCanonical, StoreError, OSError: as `write`, of this part, which was not sent, or of the one
                that was sent before it, which is not on the record. `next_row` is where to go on.
        """
        with _without_collecting():
            self._check(given)
            subjects = known_subjects(self._record.database, self._record.keys, self._record.clock(), given.subscribers)
            self._step("subjects")
            if given.choices or any(subject.chose for subject in subjects):
                self._record.read_now(lambda connection: self._refuse(connection, given, subjects))
            sealed = sealed_rows(self.id, stamp(self.at), given, subjects)
            self._step("sealed")
        if self._sent is not None:
            self.finish()
        self._sent = self._thread.submit(self._keep, given, subjects, sealed), given.last_row

    def finish(self) -> Chunk:
        """Wait until what was sent is on the record; the last part.

        Raises:
            RowsRefused, StoreError, OSError: as `write`; what was sent is not.
            CampaignProblem: there is no part yet.
        """
        sent, self._sent = self._sent, None
        if sent is not None:
            self._chunks.append(sent[0].result())
        if not self._chunks:
            raise CampaignProblem("the campaign has no part yet")
        return self._chunks[-1]

    def _keep(self, given: ChunkRows, subjects: Sequence[Known], sealed: Sealed) -> Chunk:
        number, now = len(self._chunks) + 1, self._record.clock()
        file = self._folder.write(number, sealed.frame)
        self._step("file")
        read, decided = given.last_row - given.first_row + 1, len(given.rows)
        counts, root = Counts(read, decided, read - decided), root_of(sealed.leaves).hex()
        chunk = Chunk(self._ids.new(now), number, given.first_row, given.last_row, counts, root, file)
        entry = self._entry(chunk, given, now)
        self._record.write_now(entry, beside=lambda connection, _: self._refuse(connection, given, subjects))
        self._step("entry")
        return chunk

    def close(self, told: Counts, state: Ending = "completed", because: str | None = None) -> str:
        """Close it; the id of the entry that says so. It takes nothing more.

        Args:
            told: what its runner counted; must be what the parts add up to.
            state: whether all was decided, or it was cancelled or stopped before.
            because: by what, as a code: `budget`, `complaints`, somebody's name.

        Raises:
            CampaignProblem: the runner counted otherwise, or not all rows of the input are there.
            CampaignOver: it was closed meanwhile.
            StoreError: the store does not take it.
        """
        if self._sent is not None:
            self.finish()
        standing = self.standing
        self._check_counts(told, standing.counts, state)
        opened, now = standing.opened, self._record.clock()
        found = {"job": self.id, "state": state, **standing.counts._asdict(), "recorded": standing.counts.decided}
        leaves = self._record.read_now(lambda connection: _leaves(connection, standing))
        body = {**shared(opened), **found, "chunks": len(leaves), "root": f"sha256:{root_of(leaves).hex()}"}
        entry = NewEntry(self._ids.new(now), CLOSED, now, body if because is None else {**body, "because": because})
        self._record.write_now(entry, beside=lambda connection, _: _end(connection, self.id, state, entry.id))
        self._folder.clear({name_of(chunk.number, chunk.file) for chunk in self._chunks})
        self.leave()
        return entry.id

    def leave(self) -> None:
        """Let others go on with it, when what was sent is on the record or has failed."""
        self._thread.shutdown()
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.leave()

    def _check(self, given: ChunkRows) -> None:
        wrong = given.wrong()
        if wrong is None and given.first_row != self.next_row:
            wrong = f"the next row is {self.next_row}, and this part begins with {given.first_row}"
        if wrong is None and given.last_row > MOST_ROWS:
            wrong = f"an input has {MOST_ROWS:,} rows at most"
        if wrong is not None:
            raise CampaignProblem(wrong)

    def _refuse(self, connection: Connection, given: ChunkRows, subjects: Sequence[Known]) -> None:
        """See that every decision kept to what stands, of these subjects of the part.

        Raises:
            RowsRefused: some did not.
        """
        standing = standing_among(self._record.database, connection, [subject.token for subject in subjects])
        found = {
            row: standing.get(subject.token, ())
            for row, subject in zip(given.rows, subjects, strict=True)
            if standing.get(subject.token, ()) != given.choices.get(row, ())
        }
        if found:
            raise RowsRefused(found)

    def _entry(self, chunk: Chunk, given: ChunkRows, now: datetime.datetime) -> NewEntry:
        opened = self._standing.opened
        row = {"campaign": self.id, "number": chunk.number, "entry_id": chunk.entry_id, "first_row": chunk.first_row}
        rows = (NewRow("campaign_chunk", {**row, "last_row": chunk.last_row, "file": chunk.file}),)
        tally = counted(self.at, opened["pack"], given.counts) if given.counts else None
        return NewEntry(chunk.entry_id, CHUNK, now, chunk.body(self.id, opened), rows=rows, tally=tally)

    def _check_counts(self, told: Counts, found: Counts, state: Ending) -> None:
        if told != found:
            raise CampaignProblem(f"{_shown(told)} were counted, and the parts have {_shown(found)}")
        rows = self._standing.opened.get("rows")
        if state == "completed" and rows not in (None, found.read):
            raise CampaignProblem(f"the input has {rows:,} rows, and the parts have {found.read:,}; close it as stopped, or write the rest")


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """Without Python's look for cycles, which among a part's hundred thousands of values costs a fifth of the time and finds none."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _opened(record: Record, head: CampaignHead) -> str:
    """Open a new campaign; its id, which is that of the entry that says so."""
    now, ids = record.clock(), Ids()
    campaign = record.read_now(
        lambda connection: next(found for found in iter(partial(ids.new, now), "") if not _is_taken(connection, found))
    )
    row = {"id": campaign, "name": head.name, "at": stamp(now), "state": "open", "closing": None}
    record.write_now(NewEntry(campaign, OPENED, now, head.body(), rows=(NewRow("campaign", row),)))
    return campaign


def _is_taken(connection: Connection, campaign: str) -> bool:
    """Has another campaign the ids of its decisions."""
    place = place_of(row_id(campaign, 0))
    query = select(col(CampaignRow.id)).where(col(CampaignRow.id) >= place.first, col(CampaignRow.id) <= place.last)
    return connection.execute(query.limit(1)).first() is not None


def _end(connection: Connection, campaign: str, state: Ending, closing: str) -> None:
    ended = update(CampaignRow).where(col(CampaignRow.id) == campaign, col(CampaignRow.state) == "open")
    if not changed(connection.execute(ended.values(state=state, closing=closing))):
        raise CampaignOver(f"the campaign {campaign} was closed meanwhile")


def _leaves(connection: Connection, standing: Standing) -> list[bytes]:
    """The hashes of the leaves of a campaign's parts, in order."""
    ids = [chunk.entry_id for chunk in standing.chunks]
    found: dict[str, bytes] = {}
    for part in asked(ids):
        rows = connection.execute(select(col(EntryRow.id), col(EntryRow.envelope)).where(col(EntryRow.id).in_(part)))
        found |= {row.id: leaf_hash(blob(row.envelope)) for row in rows}
    return [found[entry_id] for entry_id in ids]


def _shown(counts: Counts) -> str:
    return f"{counts.read:,} rows read, {counts.decided:,} decided and {counts.rejected:,} rejected"
