"""Months of the record on PostgreSQL: each has a partition of `entry`, so that an old one can be archived or dropped as a whole."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from sqlalchemy import Connection

MONTHS_AHEAD = 3
IN_ONE_PIECE = "toast_tuple_target = 8160"
"""Of a table whose rows stand on one page each as long as they fit there."""
_OTHER = "entry_other"


def partition_entries(connection: Connection, now: datetime.datetime | None = None) -> None:
    """Make the partitions of this month and the next three that are missing, and the one for whatever fits in no other.

    A month of which that last one has entries already goes without a partition of its own.
    """
    there = partitions(connection)
    if _OTHER not in there:
        connection.exec_driver_sql(f"CREATE TABLE {_OTHER} PARTITION OF entry DEFAULT WITH ({IN_ONE_PIECE})")
    first = (now or datetime.datetime.now(datetime.UTC)).date().replace(day=1)
    for month in _months(first, MONTHS_AHEAD + 1):
        ids = lowest_id(month), lowest_id(following(month))
        if name_of(month) not in there and not _has_any(connection, *ids):
            values = f"FROM ('{ids[0]}') TO ('{ids[1]}')"
            connection.exec_driver_sql(f"CREATE TABLE {name_of(month)} PARTITION OF entry FOR VALUES {values} WITH ({IN_ONE_PIECE})")


def partitions(connection: Connection) -> set[str]:
    """The partitions that are there."""
    query = "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'entry'::regclass"
    return {str(name) for name in connection.exec_driver_sql(query).scalars()}


def name_of(month: datetime.date) -> str:
    """The partition of a month: `entry_2026_11`."""
    return f"entry_{month:%Y_%m}"


def lowest_id(month: datetime.date) -> str:
    """What ids of a month are not below: the milliseconds that every UUIDv7 of its first moment begins with."""
    begin = datetime.datetime.combine(month, datetime.time(), datetime.UTC)
    digits = f"{round(begin.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def following(month: datetime.date) -> datetime.date:
    """The first day of the month after."""
    return (month.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)


def _months(first: datetime.date, count: int) -> Iterator[datetime.date]:
    for _ in range(count):
        yield first
        first = following(first)


def _has_any(connection: Connection, first: str, end: str) -> bool:
    """Are there entries from one id up to another in the partition for whatever fits in no other."""
    query = f"SELECT 1 FROM {_OTHER} WHERE id >= %s AND id < %s LIMIT 1"  # noqa: S608 - the name is ours
    return connection.exec_driver_sql(query, (first, end)).first() is not None
