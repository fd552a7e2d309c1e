"""Dropping a month of entries and what hangs on them: on PostgreSQL its whole partition, else in small portions."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, insert, not_, select
from sqlalchemy import inspect as inspected
from sqlmodel import col

from app.record.campaigns.stored import known_to_campaigns, remove_unnamed
from app.record.search.indexing import asked
from app.record.store.database import Database, changed
from app.record.store.months import first_day, first_moment_after, ids_of
from app.record.store.partitions import name_of
from app.record.store.tables import (
    CampaignChunkRow,
    CampaignHeldRow,
    ChoiceRow,
    ContactRow,
    EntryRow,
    EventRow,
    OutcomeRow,
    RecommendationRow,
    SubjectLeafRow,
    SubjectRow,
    SuccessorRow,
)

_PORTION = 5_000


def drop_month(database: Database, month: str, droppable: ColumnElement[bool]) -> None:
    """Delete the entries of a month that need not be kept, their outcomes and contacts, and subjects of whom nothing is left.

    Args:
        database: the store.
        month: such as `2023-10`.
        droppable: says of an entry whether it goes.
    """
    if not database.is_sqlite:
        _drop_partition(database, month, droppable)
    while _drop_portion(database, month, droppable):
        pass
    with database.writing() as connection:
        _drop_beside(connection, month)
        _drop_subjects(connection, month)
    with database.reading() as connection:
        remove_unnamed(connection)


def _drop_partition(database: Database, month: str, droppable: ColumnElement[bool]) -> None:
    """Take the month's partition off the table, keep what must be kept, drop the rest with one stroke."""
    name = name_of(first_day(month))
    with database.writing() as connection:
        if not inspected(connection).has_table(name):
            return
        first, end = ids_of(month)
        kept = select(EntryRow.__table__).where(col(EntryRow.id) >= first, col(EntryRow.id) < end, not_(droppable))  # type: ignore[attr-defined]
        rows = [dict(row) for row in connection.execute(kept).mappings()]
        connection.exec_driver_sql(f"ALTER TABLE entry DETACH PARTITION {name}")
        if rows:
            connection.execute(insert(EntryRow), rows)
        connection.exec_driver_sql(f"DROP TABLE {name}")


def _drop_portion(database: Database, month: str, droppable: ColumnElement[bool]) -> int:
    first, end = ids_of(month)
    some = select(col(EntryRow.id)).where(col(EntryRow.id) >= first, col(EntryRow.id) < end, droppable).limit(_PORTION)
    with database.writing() as connection:
        return changed(connection.execute(delete(EntryRow).where(col(EntryRow.id).in_(some.scalar_subquery()))))


def _drop_beside(connection: Connection, month: str) -> None:
    """What hangs on entries that are gone. Contacts count for caps, and go with their month; a choice goes once it was taken back."""
    first, end = ids_of(month)
    held = select(col(SubjectRow.token)).where(col(SubjectRow.hold).is_not(None))
    kept = select(col(EntryRow.id)).where(col(EntryRow.id) == col(OutcomeRow.entry_id))
    connection.execute(delete(OutcomeRow).where(col(OutcomeRow.entry_id) >= first, col(OutcomeRow.entry_id) < end, not_(kept.exists())))
    listed = select(col(EntryRow.id)).where(col(EntryRow.id) == col(RecommendationRow.entry_id))
    off = (col(RecommendationRow.entry_id) >= first, col(RecommendationRow.entry_id) < end, not_(listed.exists()))
    connection.execute(delete(RecommendationRow).where(*off))
    connection.execute(delete(ContactRow).where(col(ContactRow.at) < first_moment_after(month), col(ContactRow.subject).not_in(held)))
    said = select(col(EntryRow.id)).where(col(EntryRow.id) == col(ChoiceRow.entry_id))
    connection.execute(delete(ChoiceRow).where(col(ChoiceRow.entry_id) >= first, col(ChoiceRow.entry_id) < end, not_(said.exists())))
    next_one = select(col(EntryRow.id)).where(col(EntryRow.id) == col(SuccessorRow.entry_id))
    over = (col(SuccessorRow.entry_id) >= first, col(SuccessorRow.entry_id) < end, not_(next_one.exists()))
    connection.execute(delete(SuccessorRow).where(*over))
    told = select(col(EntryRow.id)).where(col(EntryRow.id) == col(EventRow.entry_id))
    connection.execute(delete(EventRow).where(col(EventRow.entry_id) >= first, col(EventRow.entry_id) < end, not_(told.exists())))
    part = select(col(EntryRow.id)).where(col(EntryRow.id) == col(CampaignChunkRow.entry_id))
    gone = (col(CampaignChunkRow.entry_id) >= first, col(CampaignChunkRow.entry_id) < end, not_(part.exists()))
    connection.execute(delete(CampaignChunkRow).where(*gone))
    limits = select(col(EntryRow.id)).where(col(EntryRow.id) == col(CampaignHeldRow.entry_id))
    over = (col(CampaignHeldRow.entry_id) >= first, col(CampaignHeldRow.entry_id) < end, not_(limits.exists()))
    connection.execute(delete(CampaignHeldRow).where(*over))


def _drop_subjects(connection: Connection, month: str) -> None:
    """Persons of whom nothing is left: no entry, and no decision of a campaign."""
    left = select(col(EntryRow.id)).where(col(EntryRow.subject) == col(SubjectRow.token))
    old = (col(SubjectRow.since) < first_moment_after(month), col(SubjectRow.hold).is_(None), not_(left.exists()))
    found = set(connection.execute(select(col(SubjectRow.token)).where(*old)).scalars())
    for part in asked(sorted(found - known_to_campaigns(connection, found))):
        connection.execute(delete(SubjectRow).where(col(SubjectRow.token).in_(part)))
    known = select(col(SubjectRow.token)).where(col(SubjectRow.token) == col(SubjectLeafRow.subject))
    connection.execute(delete(SubjectLeafRow).where(not_(known.exists())))
