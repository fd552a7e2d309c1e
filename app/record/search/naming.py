"""What filters name and the store knows: packs by the beginning of their digest, callers by their names."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.problems import nearest
from app.record.callers import DEVELOPMENT
from app.record.packs.library import digest_among
from app.record.store.tables import CallerRow, PackRow


def digest_of(connection: Connection, given: str) -> str:
    """The digest of the pack that is meant, in full.

    Raises:
        UnknownPack: no pack's digest begins so, or that of several.
    """
    newest_first = select(col(PackRow.digest)).order_by(col(PackRow.at).desc())
    return digest_among(connection.execute(newest_first).scalars().all(), given)


def is_caller(connection: Connection, name: str) -> bool:
    """Was a caller of this name ever added? In development mode there is one."""
    found = select(col(CallerRow.name)).where(col(CallerRow.name) == name)
    return name == DEVELOPMENT or connection.execute(found).first() is not None


def near_caller(connection: Connection, name: str) -> str:
    """`did you mean …` for the caller of the most similar name, or nothing."""
    return nearest(name, [DEVELOPMENT, *connection.execute(select(col(CallerRow.name))).scalars()])
