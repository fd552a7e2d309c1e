"""Callers: each row is what the last entries about the name came to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from app.record.callers import key_digest
from app.record.store.database import blob
from app.record.store.tables import CallerRow
from app.record.verifying.rows.comparing import compare
from app.record.verifying.rows.told import Told
from app.record.verifying.verdict import Findings

_CALLER = CallerRow.__table__  # type: ignore[attr-defined]


def compare_callers(connection: Connection, entries: Iterable[Told], findings: Findings) -> None:
    """Hold all callers against the entries of the kind `caller_changed`, which come in their order."""
    expected, last = _come_to(entries)
    rows = {row.name: row for row in connection.execute(select(_CALLER))}
    for name, row in rows.items():
        what = f"caller row {name[:80]}"
        if name not in expected:
            findings.add("row", f"{what}: no entry added this caller")
            continue
        values, told = dict(expected[name]), last[name]
        key = values.pop("key", None)
        compare(findings, what, values, row, leaf=told.leaf, entry=told.entry.id)
        if key is not None and key_digest(blob(row.secret_hash)) != key:
            findings.add("row", f"{what}: the key is not the one that was given out", told.leaf, told.entry.id)
    for name in sorted(expected.keys() - rows.keys()):
        findings.add("row", f"caller row {name[:80]}: it is missing", last[name].leaf, last[name].entry.id)


def _come_to(entries: Iterable[Told]) -> tuple[dict[str, dict[str, Any]], dict[str, Told]]:
    """By name, what the row says after all changes, and the entry of the last one."""
    found: dict[str, dict[str, Any]] = {}
    last: dict[str, Told] = {}
    for told in (told for told in entries if told.entry.kind == "caller_changed"):
        body, name = told.body, str(told.body.get("name"))
        last[name] = told
        if body.get("change") == "added":
            given = {name: body.get(name) for name in ("role", "grade", "system")}
            made = {**given, "since": told.entry.at, "made_by": body.get("by")}
            found[name] = {**made, "revoked_at": None, "key": body.get("key")}
        else:
            found.setdefault(name, {})["revoked_at"] = told.entry.at
    return found, last
