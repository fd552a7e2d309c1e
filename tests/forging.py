"""Rows that restate entries, forged: a value changed, a row deleted, a row put in; for every table that verifying looks at."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlmodel import SQLModel

from app.record.store.tables import (
    CallerRow,
    ChoiceRow,
    ContactRow,
    IdempotencyRow,
    LeafRow,
    OutcomeRow,
    PackRow,
    PackStepRow,
    SubjectLeafRow,
    SubjectRow,
)

Forging = Callable[[Connection, Random], str]
"""Forges something; what was done."""


class NothingThere(Exception):
    """The table has no row that could be forged."""


_OUTCOME = ("decision_id", "subject", "action", "outcome", "at", "agent", "reference", "reason")
_CONTACT = ("subject", "at", "channel", "kind", "action", "campaign", "result", "decision_id")
_CHOICE = ("subject", "choice", "about", "step", "at", "entry_id")
_COLUMNS: Mapping[type[SQLModel], tuple[str, ...]] = {
    OutcomeRow: _OUTCOME,
    ContactRow: _CONTACT,
    ChoiceRow: _CHOICE,
    PackRow: ("name", "version", "at", "author", "files"),
    PackStepRow: ("digest", "step", "at", "by", "effective_at", "note"),
    CallerRow: ("role", "grade", "secret_hash", "since", "made_by", "revoked_at"),
    SubjectRow: ("hold", "hold_by", "hold_since"),
    SubjectLeafRow: ("subject", "leaf_index"),
    IdempotencyRow: ("entry_id", "subject"),
}
"""What a row restates of its entry."""
_DELETED = (OutcomeRow, ContactRow, ChoiceRow, PackRow, PackStepRow, CallerRow, SubjectRow, SubjectLeafRow)
_PUT_IN = (OutcomeRow, ContactRow, ChoiceRow, PackRow, PackStepRow, CallerRow, SubjectLeafRow, IdempotencyRow)
_FILES = zlib.compress(b'{"rules/pack.yaml":"pack: {name: forged}"}')


def changed(table: type[SQLModel], column: str) -> Forging:
    """Has a column of some row say something else."""

    def forge(connection: Connection, chance: Random) -> str:
        row = _drawn(connection, _table(table), chance)
        values = {column: _other(column, row[column])}
        connection.execute(update(_table(table)).where(*_key(_table(table), row)).values(**values))
        return f"{table.__tablename__}.{column} changed"

    return forge


def deleted(table: type[SQLModel]) -> Forging:
    """Takes some row away."""

    def forge(connection: Connection, chance: Random) -> str:
        row = _drawn(connection, _table(table), chance, used=table is SubjectRow)
        connection.execute(delete(_table(table)).where(*_key(_table(table), row)))
        return f"a row of {table.__tablename__} deleted"

    return forge


def put_in(table: type[SQLModel]) -> Forging:
    """Puts a row in that is like another one."""

    def forge(connection: Connection, chance: Random) -> str:
        row = _drawn(connection, _table(table), chance)
        made = {name: f"01a20427-{chance.randrange(16**4):04x}-7000-8000-{chance.randrange(16**12):012x}" for name in ("id", "entry_id")}
        made |= {
            "digest": f"sha256:{chance.randrange(16**64):064x}",
            "name": "ghost",
            "key": "forged",
            "about": "ghost",
            "secret_hash": chance.randbytes(32),
        }
        keep = {"digest"} if table is PackStepRow else set()
        values = {name: made.get(name, value) if name not in keep else value for name, value in row.items()}
        if table is SubjectLeafRow:
            values["leaf_index"] = _another_leaf(connection, row["subject"], chance)
        connection.execute(insert(_table(table)), values)
        return f"a row put into {table.__tablename__}"

    return forge


FORGERIES: Mapping[str, Forging] = {
    **{f"change {table.__tablename__}.{name}": changed(table, name) for table, names in _COLUMNS.items() for name in names},
    **{f"delete a row of {table.__tablename__}": deleted(table) for table in _DELETED},
    **{f"put a row into {table.__tablename__}": put_in(table) for table in _PUT_IN},
}
"""Every way, by name."""


def _table(table: type[SQLModel]) -> Table:
    found: Table = table.__table__  # type: ignore[attr-defined]
    return found


def _drawn(connection: Connection, table: Table, chance: Random, *, used: bool = False) -> dict[str, Any]:
    """Some row; of a subject one that has leaves."""
    query = select(table).order_by(*table.primary_key)
    query = query.where(table.c.token.in_(select(_table(SubjectLeafRow).c.subject))) if used else query
    rows = [dict(row) for row in connection.execute(query).mappings()]
    if not rows:
        raise NothingThere
    return chance.choice(rows)


def _key(table: Table, row: Mapping[str, Any]) -> list[Any]:
    return [column == row[column.name] for column in table.primary_key]


def _other(column: str, value: Any) -> Any:
    if column == "files":
        return _FILES
    if isinstance(value, bytes | memoryview):
        return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1])
    if isinstance(value, int):
        return value + 100_000
    return "x" if value is None else f"x{value[1:]}" if value[:1] != "x" else f"y{value[1:]}"


def _another_leaf(connection: Connection, token: str, chance: Random) -> int:
    own = set(connection.execute(select(_table(SubjectLeafRow).c.leaf_index).where(_table(SubjectLeafRow).c.subject == token)).scalars())
    others = sorted(set(connection.execute(select(_table(LeafRow).c.leaf_index)).scalars()) - own)
    if not others:
        raise NothingThere
    return chance.choice(others)
