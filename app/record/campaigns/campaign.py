"""Campaigns as their runner uses them: open one, or go on with it; write its parts, each durable when that returns; close it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from sqlalchemy import Connection, select, update
from sqlmodel import col

from app.engine.vocabulary.choices import Choice
from app.record.campaigns.choices import choices_of, chose_since, standing_among, standing_of_tokens
from app.record.campaigns.complaints import Reached, reached_by
from app.record.campaigns.files import CampaignFolder, held_digest, held_name_of, name_of
from app.record.campaigns.filing import Filed, Filing, without_collecting
from app.record.campaigns.held import differing, unlike_lists
from app.record.campaigns.ids import MOST_ROWS, place_of, row_id
from app.record.campaigns.model import (
    CHUNK,
    CLOSED,
    HELD,
    OPENED,
    CampaignHead,
    Chunk,
    ChunkRows,
    Counts,
    Ending,
    HeldEntry,
    HeldRows,
    Standing,
    shared,
)
from app.record.campaigns.problems import CampaignDiffers, CampaignOver, CampaignProblem, NoSuchCampaign, RowsRefused
from app.record.campaigns.sealing import Sealed
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

_UNDER_WAY = datetime.timedelta(hours=1)
"""How long ago an entry may have been made that is stored now, on a machine whose clock may be another."""
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
        folder.clear(_files_of(standing))
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


def reached(record: Record, name: str) -> Reached:
    """Whom the campaigns of a name have reached so far, and who of them complained about it.

    Raises:
        StoreUnavailable: the record cannot be read.
    """
    return record.read_now(lambda connection: reached_by(connection, name))


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
        self._chunks, self._held = list(standing.chunks), standing.held
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
        return Standing(self.id, self.at, self._standing.opened, "open", tuple(self._chunks), self._held)

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

    def reached(self) -> Reached:
        """Whom campaigns of its name have reached so far, and who of them complained about it.

        Raises:
            StoreUnavailable: the record cannot be read.
        """
        return reached(self._record, self._standing.opened["campaign"])

    def hold(self, given: HeldRows) -> HeldEntry:
        """Put on the record what limits over everybody made of it, after its last part; it takes no part after that. Durable on return.

        What is on the record already, from before the campaign was left, has to be the same, and is not stored twice.

        Args:
            given: for every action on the lists of its parts.

        Raises:
            CampaignProblem: these are not the actions on its lists, or something else is on the record already.
            DamagedEntry: a part's file is not what was recorded.
            StoreError: the store does not take it, or is not known to have: leave the campaign and go on with it, which finds out.
            OSError: the disk does not.
        """
        if self._sent is not None:
            self.finish()
        rows, opened = given.rows.sort("row", "rank").rechunk(), self._standing.opened
        wrong = unlike_lists(rows, self.folder, self._chunks)
        if wrong is not None:
            raise CampaignProblem(f"what the limits hold does not fit what is on the record: {wrong}; begin a new campaign")
        if self._held is not None:
            odd = differing(self._held.body, given.body(self.id, opened, held_digest(rows)))
            if odd:
                told = f"the limits of the campaign {self.id} came to something else before: {', '.join(odd)}"
                raise CampaignProblem(f"{told}; begin a new one")
            return self._held
        now = self._record.clock()
        file = self._folder.write_held(rows)
        self._step("held file")
        entry_id, body = self._ids.new(now), given.body(self.id, opened, file)
        row = NewRow("campaign_held", {"campaign": self.id, "entry_id": entry_id, "file": file})
        self._record.write_now(NewEntry(entry_id, HELD, now, body, rows=(row,)))
        self._held = HeldEntry(entry_id, file, body)
        self._step("held entry")
        return self._held

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
        with without_collecting():
            self._check(given)
            subjects = self.subjects_of(given.subscribers)
            self._step("subjects")
            if given.choices or any(subject.chose for subject in subjects):
                self._record.read_now(lambda connection: self._refuse(connection, given, subjects))
            sealed = self.filing.seal(given, subjects)
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
        filed = self.filing.write(len(self._chunks) + 1, given, sealed)
        self._step("file")
        return self._entered(filed, subjects)

    @property
    def filing(self) -> Filing:
        """What makes files of its parts."""
        return Filing(self._folder.place.parent, self.id, stamp(self.at))

    def subjects_of(self, subscribers: Sequence[str]) -> list[Known]:
        """Each of these subscribers as the record knows them; who is new is made known.

        Raises:
            StoreError: the store does not take them.
        """
        return known_subjects(self._record.database, self._record.keys, self._record.clock(), subscribers)

    def choices_among(self, subjects: Sequence[Known]) -> Mapping[int, tuple[Choice, ...]]:
        """What these chose for good, oldest first, by their place among them; nothing of those of whom no choice stood when they were read.

        Raises:
            StoreUnavailable: the record cannot be read.
        """
        chose = {subject.token: place for place, subject in enumerate(subjects) if subject.chose}
        if not chose:
            return {}
        found = self._record.read_now(lambda connection: standing_of_tokens(connection, list(chose)))
        return {chose[token]: choices for token, choices in found.items()}

    def enter(self, filed: Filed, subjects: Sequence[Known]) -> Chunk:
        """Put the next part on the record, whose file was written elsewhere. It is durable when this returns.

        Args:
            filed: from the row on that comes after the last part's.
            subjects: whom each of its rows is about, from `subjects_of`.

        Raises:
            RowsRefused, CampaignProblem, StoreError: as `write`.
        """
        if self._sent is not None:
            self.finish()
        wrong = self._out_of_turn(filed)
        if wrong is None and filed.number != len(self._chunks) + 1:
            wrong = f"the next part is {len(self._chunks) + 1}, and this is {filed.number}"
        if wrong is not None:
            raise CampaignProblem(wrong)
        self._chunks.append(self._entered(filed, subjects))
        return self._chunks[-1]

    def _entered(self, filed: Filed, subjects: Sequence[Known]) -> Chunk:
        read, decided, now = filed.last_row - filed.first_row + 1, len(filed.rows), self._record.clock()
        counts = Counts(read, decided, read - decided)
        chunk = Chunk(self._ids.new(now), filed.number, filed.first_row, filed.last_row, counts, filed.root, filed.file)
        entry = self._entry(chunk, filed, now)
        self._record.read_now(lambda connection: self._refuse(connection, filed, subjects))
        self._step("choices")
        concerned = dict(zip((subject.token for subject in subjects), zip(filed.rows, subjects, strict=True), strict=True))
        since = now - _UNDER_WAY  # where there is one writer others wait for it: only who chose since then is looked at again
        self._record.write_now(entry, beside=lambda connection, _: self._refuse_late(connection, filed, concerned, since))
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
        self._folder.clear(_files_of(standing))
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
        wrong = given.wrong() or self._out_of_turn(given)
        if wrong is not None:
            raise CampaignProblem(wrong)

    def _out_of_turn(self, given: ChunkRows | Filed) -> str | None:
        """Why a part cannot be the next; none where it can."""
        if given.first_row != self.next_row:
            return f"the next row is {self.next_row}, and this part begins with {given.first_row}"
        if given.last_row > MOST_ROWS:
            return f"an input has {MOST_ROWS:,} rows at most"
        if self._held is not None:
            return "what the limits made of the campaign is on the record, and it takes no part after that"
        return None

    def _refuse(self, connection: Connection, given: ChunkRows | Filed, subjects: Sequence[Known]) -> None:
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

    def _refuse_late(
        self, connection: Connection, given: Filed, concerned: Mapping[str, tuple[int, Known]], since: datetime.datetime
    ) -> None:
        """The same of those who chose since a time; `concerned` has row and subject of everybody in the part by token.

        Raises:
            RowsRefused: some decisions did not keep to it.
        """
        late = [concerned[token] for token in chose_since(connection, since) if token in concerned]
        if late:
            rows, subjects = zip(*late, strict=True)
            self._refuse(connection, replace(given, rows=list(rows)), subjects)

    def _entry(self, chunk: Chunk, given: Filed, now: datetime.datetime) -> NewEntry:
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


def _files_of(standing: Standing) -> set[str]:
    """The names of the files that the record names."""
    held = set() if standing.held is None else {held_name_of(standing.held.file)}
    return {name_of(chunk.number, chunk.file) for chunk in standing.chunks} | held


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
