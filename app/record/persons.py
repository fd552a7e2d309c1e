"""Persons as the record knows them: found by a keyed hash of the operator's id, called by a token."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.store.tables import SubjectRow


class NobodyKnown(Exception):
    """Nobody on record has this id: never met, or erased."""

    def __init__(self) -> None:
        super().__init__("nobody on record has this id: never met, or erased")


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber the record knows: the token, since when, and the legal hold."""

    token: str
    since: str
    hold: str | None
    hold_by: str | None
    hold_since: str | None


def person_of(connection: Connection, lookup: bytes) -> Person:
    """The subscriber found under a keyed hash.

    Raises:
        NobodyKnown: there is no such one.
    """
    columns = (getattr(SubjectRow, name) for name in Person.__slots__)
    row = connection.execute(select(*columns).where(col(SubjectRow.lookup) == lookup)).first()
    if row is None:
        raise NobodyKnown
    return Person(*row)
