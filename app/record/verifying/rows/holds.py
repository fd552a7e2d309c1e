"""Legal holds: what a subject's row says of one is what the last entry about it says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, or_, select
from sqlmodel import col

from app.record.keys import Keys
from app.record.store.tables import SubjectRow
from app.record.verifying.opening import wrapped_keys
from app.record.verifying.rows.comparing import compare, rows_by
from app.record.verifying.rows.payloads import Unopened, payload_of
from app.record.verifying.rows.told import Told
from app.record.verifying.verdict import Findings

_SUBJECT = SubjectRow.__table__  # type: ignore[attr-defined]
_COLUMNS = ("hold", "hold_by", "hold_since")


def compare_holds(connection: Connection, keys: Keys, entries: Iterable[Told], findings: Findings) -> None:
    """Hold the legal holds on subjects against the entries of the kind `hold`, which come in their order."""
    last = {told.entry.subject: told for told in entries if told.entry.kind == "hold" and told.entry.subject is not None}
    held = or_(*(col(getattr(SubjectRow, name)).is_not(None) for name in _COLUMNS))
    rows = {row.token: row for row in connection.execute(select(_SUBJECT).where(held))}
    rows |= {row.token: row for row in rows_by(connection, SubjectRow, "token", last.keys() - rows.keys())}
    kept = wrapped_keys(connection, last.keys() & rows.keys())
    for token, row in rows.items():
        if token in last:
            _compare(keys, row, last[token], kept, findings)
        else:
            findings.add("row", f"subject row {token}: no entry says that there is a legal hold")


def _compare(keys: Keys, row: Row[Any], told: Told, kept: dict[str, tuple[bytes, str]], findings: Findings) -> None:
    what = f"subject row {row.token}"
    expected: dict[str, Any] = dict.fromkeys(_COLUMNS)
    if told.body.get("step") == "held":
        try:
            expected["hold"] = payload_of(keys, told.entry, kept).get("reason")
        except Unopened as error:
            del expected["hold"]
            findings.add("row", f"{what}: the reason of the legal hold cannot be compared: {error}", told.leaf, told.entry.id)
        expected |= {"hold_by": told.body.get("by"), "hold_since": told.entry.at}
    compare(findings, what, expected, row, leaf=told.leaf, entry=told.entry.id)
