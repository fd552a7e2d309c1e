"""How long records are kept, and moving or dropping whole months that are older. Leaves and tiles stay, so every proof goes on working."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import yaml
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlmodel import col

from app.engine.problems import nearest
from app.record.campaigns.held import held_entries_of
from app.record.campaigns.stored import campaigns_of, parts_about
from app.record.choices import MADE
from app.record.entries import NewEntry
from app.record.erasing.dropping import drop_month
from app.record.erasing.scrubbing import scrub
from app.record.export.bundle.verify import Archive, Check, Wrong
from app.record.export.exporting import Wanted, export
from app.record.ids import Ids
from app.record.log import tree
from app.record.log.sealer import Sealer
from app.record.log.stretches import Stretch
from app.record.packs.library import read_shelf, stored_content
from app.record.store.months import ids_of, month_of, months_until, years_before
from app.record.store.record import Record
from app.record.store.tables import ChoiceRow, EntryRow, LeafRow, SubjectRow, UnsealedRow
from app.record.verifying.archives import Archives

YEARS = {"cn": 3, "eu": 3, "uk": 3, "us": 3}
"""Years for which records are kept, by the jurisdiction of the pack that decided."""
YEARS_ELSEWHERE = 3
KEPT_KINDS = (
    "pack_published",
    "pack_approved",
    "pack_rejected",
    "pack_activated",
    "caller_changed",
    "key_changed",
    "webhook_changed",
    "campaign_opened",
    "campaign_closed",
    "erasure",
    "hold",
    "archived",
)
"""Kinds of entries that stay for ever: what was in force, who was allowed, what was erased or archived, which campaigns there were, and how
many they decided about. None holds anything of a person."""


class NotArchived(Exception):
    """A month stays as it is; the message says why."""


@dataclass(frozen=True, slots=True)
class Month:
    """An old month: entries that go, entries that stay, and what hinders it, if anything does."""

    month: str
    entries: int
    kept: int
    hindered: str | None = None


def years_of(jurisdictions: Iterable[str]) -> int:
    """For how many years records under these jurisdictions are kept: the longest counts."""
    return max((YEARS.get(name, YEARS_ELSEWHERE) for name in jurisdictions), default=YEARS_ELSEWHERE)


def unknown_law(jurisdiction: str) -> str | None:
    """What to say of a jurisdiction for which no years are known; nothing where they are."""
    if jurisdiction in YEARS:
        return None
    hint = nearest(jurisdiction, YEARS)
    return f"expected one of {', '.join(YEARS)}{f'; {hint}' if hint else ''}"


def jurisdictions(connection: Connection) -> set[str]:
    """The jurisdictions of all packs that were ever published."""
    contents = (stored_content(connection, digest) for digest in read_shelf(connection).packs)
    return {name for content in contents if content for name in _jurisdictions(content.files.values())}


def _jurisdictions(files: Iterable[bytes]) -> Iterator[str]:
    for text in files:
        document = yaml.safe_load(text) if b"jurisdiction:" in text else None
        if isinstance(document, dict) and isinstance(document.get("pack"), dict):
            yield str(document["pack"]["jurisdiction"])


def old_months(connection: Connection, now: datetime.datetime, years: int) -> list[Month]:
    """The months that ended longer ago than that and still hold entries to drop, oldest first."""
    oldest = connection.execute(select(func.min(col(EntryRow.id)))).scalar()
    if oldest is None:
        return []
    found = (_month(connection, month) for month in months_until(month_of(oldest), years_before(now, years)))
    return [month for month in found if month.entries]


def archive(record: Record, month: str, *, years: int, by: str, folder: Path | None = None) -> Month:
    """Take an old month out of the record: into a bundle in a folder, or for good.

    First the bundle is written and verified, then an entry says what goes and is sealed under a signed checkpoint, then it goes. Broken off
    at any point, it may be run again.

    Args:
        record: of the log.
        month: such as `2023-10`.
        years: for how many years records are kept.
        by: who does it.
        folder: where the bundle goes; none to drop the month.

    Raises:
        NotArchived: entries of it wait to be sealed, or the bundle does not verify.
        BundleProblem: there is a bundle of this month already.
        StoreError: the store does not take it.
    """
    found = record.read_now(lambda connection: _month(connection, month))
    if found.hindered:
        raise NotArchived(found.hindered)
    if record.read_now(lambda connection: _said_and_not_gone(connection, month)) < found.entries:
        _say(record, found, years, by, None if folder is None else _bundled(record, month, folder))
        Sealer(record.database, record.keys, record.clock).seal()
    drop_month(record.database, month, record.read_now(droppable))
    scrub(record.database)
    return found


def droppable(connection: Connection) -> ColumnElement[bool]:
    """Entries that need not be kept: of no kind that stays, about nobody under legal hold, no part of a campaign with a decision about such
    a person nor what its limits made of it, and none on which a choice that stands rests."""
    held = select(col(SubjectRow.token)).where(col(SubjectRow.hold).is_not(None))
    free = or_(col(EntryRow.subject).is_(None), col(EntryRow.subject).not_in(held))
    stands = select(col(ChoiceRow.entry_id)).where(col(ChoiceRow.step) == MADE)
    parts = parts_about(connection, set(connection.execute(held).scalars()))
    kept = [*parts, *held_entries_of(connection, campaigns_of(connection, parts))]
    return and_(col(EntryRow.kind).not_in(KEPT_KINDS), free, col(EntryRow.id).not_in(stands), col(EntryRow.id).not_in(kept))


def _month(connection: Connection, month: str) -> Month:
    first, end = ids_of(month)
    inside = and_(col(EntryRow.id) >= first, col(EntryRow.id) < end)
    total = connection.execute(select(func.count()).select_from(EntryRow).where(inside)).scalar_one()
    goes = connection.execute(select(func.count()).select_from(EntryRow).where(inside, droppable(connection))).scalar_one()
    return Month(month, goes, total - goes, _hindrance(connection, first, end))


def _hindrance(connection: Connection, first: str, end: str) -> str | None:
    """Why a month cannot be dropped yet: all of it must be sealed, under a checkpoint that is signed."""
    waits = select(func.count()).select_from(UnsealedRow).where(col(UnsealedRow.entry_id) >= first, col(UnsealedRow.entry_id) < end)
    if connection.execute(waits).scalar_one():
        return "entries of this month wait to be sealed; run the service, or try again in a second"
    last = connection.execute(select(func.max(col(LeafRow.leaf_index))).where(*_leaves(first, end))).scalar()
    newest = tree.checkpoint(connection)
    if last is not None and (newest is None or newest.size <= last):
        return "no signed checkpoint covers this month; run `wanliu record verify`"
    return None


def _said_and_not_gone(connection: Connection, month: str) -> int:
    """How many entries of the month the record says were archived and that are still there: an earlier run was broken off."""
    first, end = ids_of(month)
    query = select(func.count()).select_from(LeafRow).join(EntryRow, col(EntryRow.id) == col(LeafRow.entry_id), isouter=True)
    gone: int = connection.execute(query.where(*_leaves(first, end), col(EntryRow.id).is_(None))).scalar_one()
    return Archives.read(connection).said.get(month, 0) - gone


def _bundled(record: Record, month: str, folder: Path) -> Path:
    """The month as a bundle that anybody can verify, and that was verified."""
    out = folder / f"wanliu-{month}.zip"
    asked = {"month": month, "why": "archived"}
    record.read_now(lambda c: export(c, record.keys, Wanted(list(_stretches(c, month)), asked=asked, files=True), out, record.clock()))
    check = Check(Archive(str(out)), [], [])
    try:
        check.run()
    except Wrong as error:
        check.findings.append(str(error))
    finally:
        check.bundle.close()
    if check.findings:
        raise NotArchived(f"the bundle `{out}` does not verify: {check.findings[0]}")
    return out


def _stretches(connection: Connection, month: str) -> Iterator[Stretch]:
    index = col(LeafRow.leaf_index)
    query = select(func.min(index).label("first"), func.max(index).label("last")).where(*_leaves(*ids_of(month)))
    row = connection.execute(query).mappings().one()
    if row["first"] is not None:
        yield Stretch(row["first"], row["last"])


def _say(record: Record, month: Month, years: int, by: str, bundle: Path | None) -> None:
    now = record.clock()
    body: dict[str, object] = {"by": by, "month": month.month, "entries": month.entries, "kept": month.kept, "years": years}
    if bundle is not None:
        with bundle.open("rb") as opened:
            body["bundle"] = {"file": bundle.name, "sha256": file_digest(opened, "sha256").hexdigest()}
    record.write_now(NewEntry(Ids().new(now), "archived", now, body))


def _leaves(first: str, end: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(LeafRow.entry_id) >= first, col(LeafRow.entry_id) < end
