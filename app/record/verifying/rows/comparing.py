"""How a row differs from its entry, in words that name nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlmodel import SQLModel, col

from app.record.search.indexing import asked
from app.record.verifying.verdict import Findings

_CODES = frozenset({"outcome", "result", "action", "channel", "kind", "step", "digest", "by", "role", "author", "made_by", "hold_by"})
"""Columns of which both values may be shown."""


def compare(findings: Findings, what: str, expected: Mapping[str, Any], found: Row[Any], *, leaf: int | None, entry: str | None) -> None:
    """Name each column in which a row says something else than the entry it restates.

    Args:
        findings: where it goes.
        what: the row, such as `outcome row of entry 019…`.
        expected: column to value, as the entry has it.
        found: the row.
        leaf: of the entry.
        entry: its id.
    """
    for name, value in expected.items():
        stored = getattr(found, name)
        if (bytes(stored) if isinstance(stored, memoryview) else stored) != value:
            findings.add("row", f"{what}: {_told(name, stored, value)}", leaf, entry)


def rows_by(connection: Connection, table: type[SQLModel], column: str, values: Iterator[str] | set[str]) -> list[Row[Any]]:
    """The rows in which the column has one of these values, read in portions."""
    found: list[Row[Any]] = []
    for part in asked(sorted(values)):
        found += connection.execute(select(table.__table__).where(col(getattr(table, column)).in_(part)))  # type: ignore[attr-defined]
    return found


def text(body: Mapping[str, Any], name: str) -> str:
    """A text of a body, empty where there is none: what was changed says anything."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _told(name: str, stored: Any, value: Any) -> str:
    if name in _CODES and stored != value:
        return f"`{name}` says {_shown(stored)}, its entry {_shown(value)}"
    return f"`{name}` says something else than its entry"


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)[:80]
