"""Packs and the steps taken with them: each row is what its entry says, each pack's files are those of its digest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from app.record.packs.history import shortened
from app.record.packs.library import DamagedPack, stored_content
from app.record.packs.standing import disagreement
from app.record.store.tables import PackRow, PackStepRow
from app.record.verifying.rows.comparing import compare
from app.record.verifying.rows.told import Told
from app.record.verifying.verdict import Findings

_PACK = PackRow.__table__  # type: ignore[attr-defined]
_STEP = PackStepRow.__table__  # type: ignore[attr-defined]


def compare_packs(connection: Connection, entries: Iterable[Told], findings: Findings) -> None:
    """Hold all packs and steps against the entries of the kinds `pack_…`, which come in their order."""
    taken = [told for told in entries if told.entry.kind.startswith("pack_")]
    _compare_steps(connection, taken, findings)
    published: dict[str, Told] = {}
    for told in sorted(taken, key=lambda told: (told.entry.at, told.entry.id)):
        if told.entry.kind == "pack_published":
            published.setdefault(str(told.body.get("digest")), told)
    columns: list[Any] = [_PACK.c.digest, _PACK.c.name, _PACK.c.version, _PACK.c.at, _PACK.c.author]
    rows = {row.digest: row for row in connection.execute(select(*columns))}
    for digest, row in rows.items():
        if digest in published:
            _compare_pack(row, published[digest], findings)
        else:
            findings.add("row", f"pack row {shortened(digest)}: no entry published it")
        compare_files(connection, digest, findings, published.get(digest))
    for digest, told in published.items():
        if digest not in rows:
            findings.add("row", f"pack row {shortened(digest)}: it is missing", told.leaf, told.entry.id)


def compare_files(connection: Connection, digest: str, findings: Findings, told: Told | None = None) -> None:
    """Hold a pack's files against its digest, and its tests against what the entry that published it says of them."""
    try:
        content = stored_content(connection, digest)
    except DamagedPack as error:
        findings.add("row", f"pack row {shortened(digest)}: {error}")
        return
    tests = told.body.get("tests") if told is not None else None
    digest_of_tests = tests.get("digest") if isinstance(tests, dict) else None
    if told is not None and content is not None and content.tests_digest != digest_of_tests:
        findings.add("row", f"pack row {shortened(digest)}: its tests are not those that were published", told.leaf, told.entry.id)


def _compare_pack(row: Row[Any], told: Told, findings: Findings) -> None:
    expected = {"name": told.body.get("name"), "version": told.body.get("version"), "at": told.entry.at, "author": told.body.get("by")}
    compare(findings, f"pack row {shortened(row.digest)}", expected, row, leaf=told.leaf, entry=told.entry.id)


def _compare_steps(connection: Connection, taken: Sequence[Told], findings: Findings) -> None:
    rows = {row["entry_id"]: row for row in connection.execute(select(_STEP).order_by(_STEP.c.entry_id)).mappings()}
    for told in taken:
        what, row = f"pack_step row of entry {told.entry.id}", rows.pop(told.entry.id, None)
        why = "it is missing" if row is None else disagreement(dict(row), told.entry.told or {})
        if why is not None:
            findings.add("row", f"{what}: {why}", told.leaf, told.entry.id)
    for entry_id in rows:
        findings.add("row", f"pack_step row of entry {entry_id}: no entry says that this step was taken", None, entry_id)
