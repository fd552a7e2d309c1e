"""Subscriptions: each row is what the last entries about it came to, and its secret the one that was shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, select

from app.record.keys import Keys, KeysProblem
from app.record.outgoing.secrets import secret_digest, unlocked
from app.record.outgoing.subscriptions import callback_digest
from app.record.privacy import Unreadable
from app.record.store.database import blob
from app.record.store.tables import WebhookRow
from app.record.verifying.rows.comparing import compare
from app.record.verifying.rows.told import Told
from app.record.verifying.verdict import Findings

_WEBHOOK = WebhookRow.__table__  # type: ignore[attr-defined]
_TOLD = ("owner", "system", "format")


def compare_webhooks(connection: Connection, keys: Keys, entries: Iterable[Told], findings: Findings) -> None:
    """Hold all subscriptions against the entries of the kind `webhook_changed`, which come in their order."""
    expected, last = _come_to(entries)
    rows = {row.id: row for row in connection.execute(select(_WEBHOOK))}
    for webhook, row in rows.items():
        what = f"webhook row {webhook[:80]}"
        if webhook not in expected:
            findings.add("row", f"{what}: no entry added this subscription")
            continue
        told, values = last[webhook], expected[webhook]
        columns = {name: value for name, value in values.items() if name in (*_TOLD, "since", "removed_at")}
        compare(findings, what, columns, row, leaf=told.leaf, entry=told.entry.id)
        for wrong in _differences(keys, row, values):
            findings.add("row", f"{what}: {wrong}", told.leaf, told.entry.id)
    for webhook in sorted(expected.keys() - rows.keys()):
        findings.add("row", f"webhook row {webhook[:80]}: it is missing", last[webhook].leaf, last[webhook].entry.id)


def _differences(keys: Keys, row: Any, values: Mapping[str, Any]) -> Iterator[str]:
    """In what a row says something else than its entries, beyond its plain columns."""
    if callback_digest(row.callback) != values.get("callback"):
        yield "`callback` says something else than its entry"
    for name in ("types", "filters"):
        if _read(getattr(row, name)) != values.get(name):
            yield f"`{name}` says something else than its entry"
    if values["removed_at"] is None and not _is_shown(keys, row, values.get("secret")):
        yield "the secret is not the one that was shown"


def _is_shown(keys: Keys, row: Any, digest: object) -> bool:
    try:
        return secret_digest(unlocked(keys, blob(row.secret), row.wrapped_with, row.id, row.callback)) == digest
    except (KeysProblem, Unreadable, TypeError):
        return False


def _read(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _come_to(entries: Iterable[Told]) -> tuple[dict[str, dict[str, Any]], dict[str, Told]]:
    """By id, what the row says after all changes, and the entry of the last one."""
    found: dict[str, dict[str, Any]] = {}
    last: dict[str, Told] = {}
    for told in (told for told in entries if told.entry.kind == "webhook_changed"):
        body, webhook = told.body, str(told.body.get("webhook"))
        last[webhook] = told
        if body.get("change") == "added":
            given = {name: body.get(name) for name in (*_TOLD, "types", "filters", "callback", "secret")}
            found[webhook] = {**given, "since": told.entry.at, "removed_at": None}
        elif body.get("change") == "secret":
            found.setdefault(webhook, {"removed_at": None})["secret"] = body.get("secret")
        else:
            found.setdefault(webhook, {})["removed_at"] = told.entry.at
    return found, last
