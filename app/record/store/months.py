"""Months of the record: which one an entry belongs to, by the time in its id."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator

from app.record.store.database import stamp
from app.record.store.partitions import following, lowest_id


def month_of(entry_id: str) -> str:
    """The month of an entry, such as `2026-11`, from its UUIDv7.

    Raises:
        ValueError: the id is no UUID.
    """
    milliseconds = uuid.UUID(entry_id).int >> 80
    return f"{datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC):%Y-%m}"


def first_day(month: str) -> datetime.date:
    """The first day of a month such as `2026-11`.

    Raises:
        ValueError: it is no month.
    """
    return datetime.date.fromisoformat(f"{month}-01")


def ids_of(month: str) -> tuple[str, str]:
    """What the ids of a month are not below, and what they are below."""
    first = first_day(month)
    return lowest_id(first), lowest_id(following(first))


def years_before(moment: datetime.datetime, years: int) -> str:
    """The month that ended so many years ago, or the one before: all of it is older than that."""
    first = moment.date().replace(day=1)
    return f"{first.replace(year=first.year - years) - datetime.timedelta(days=1):%Y-%m}"


def months_until(first: str, last: str) -> Iterator[str]:
    """Every month from the first to the last; none where the last is before."""
    while first <= last:
        yield first
        first = f"{following(first_day(first)):%Y-%m}"


def first_moment_after(month: str) -> str:
    """The first moment that is not in the month any more, as the store writes times."""
    return stamp(datetime.datetime.combine(following(first_day(month)), datetime.time(), datetime.UTC))
