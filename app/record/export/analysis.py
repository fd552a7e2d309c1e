"""Tables for analysis, as Parquet: what was decided, offered and answered, without anything of a person, not even their token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

_ROWS = 100_000
_TEXT = pl.String
_DECISIONS = {
    "id": _TEXT, "at": _TEXT, "caller": _TEXT, "role": _TEXT, "agent": _TEXT, "channel": _TEXT, "direction": _TEXT, "reason": _TEXT,
    "pack": _TEXT, "engine": _TEXT, "stage": _TEXT, "phase": _TEXT, "moment": _TEXT, "personalised": pl.Boolean, "empty_because": _TEXT,
    "parent": _TEXT, "signals": pl.List(_TEXT),
}  # fmt: skip
_OFFERS = {
    "decision": _TEXT, "rank": pl.Int64, "action": _TEXT, "duty": _TEXT, "kind": _TEXT, "confirm": _TEXT, "tariff": _TEXT,
    "fallback_for": _TEXT,
}  # fmt: skip
_KEPT = {"decision": _TEXT, "action": _TEXT, "cause": _TEXT, "clause": _TEXT}
_OUTCOMES = {
    "id": _TEXT, "decision": _TEXT, "at": _TEXT, "action": _TEXT, "outcome": _TEXT, "channel": _TEXT, "pack": _TEXT, "agent": _TEXT,
    "reason": _TEXT,
}  # fmt: skip

Rows = Callable[[Mapping[str, Any]], Iterator[Mapping[str, Any]]]


class Analysis:
    """Takes envelopes and writes `decisions-0001.parquet` and so on, at most 100,000 rows a file."""

    def __init__(self, folder: Path) -> None:
        self._tables = {name: _Table(folder, name, schema) for name, schema in TABLES.items()}

    def add(self, envelope: Mapping[str, Any]) -> None:
        """The next entry; kinds that no table is about are passed over."""
        body = envelope["body"]
        if envelope["kind"] == "decision":
            self._tables["decisions"].add({**body, "id": envelope["id"], "at": envelope["at"], "signals": _signals(body)})
            for offer in body["offered"]:
                self._tables["offers"].add({"decision": envelope["id"], **offer})
            for kept in _kept(envelope["id"], body):
                self._tables["not_offered"].add(kept)
        elif envelope["kind"] == "outcome":
            self._tables["outcomes"].add({"id": envelope["id"], **body})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            for table in self._tables.values():
                table.write()


class _Table:
    """Rows of one table on their way into files."""

    def __init__(self, folder: Path, name: str, schema: Mapping[str, Any]) -> None:
        self._folder, self._name, self._schema = folder, name, schema
        self._rows: list[list[Any]] = []
        self._files = 0

    def add(self, row: Mapping[str, Any]) -> None:
        self._rows.append([row.get(column) for column in self._schema])
        if len(self._rows) == _ROWS:
            self.write()

    def write(self) -> None:
        if not self._rows and self._files:
            return
        self._files += 1
        self._folder.mkdir(exist_ok=True)
        frame = pl.DataFrame(self._rows, schema=dict(self._schema), orient="row")
        frame.write_parquet(self._folder / f"{self._name}-{self._files:04}.parquet")
        self._rows = []


def _signals(body: Mapping[str, Any]) -> list[str]:
    return [f"{signal}:{level}" for signal, level in body["signals"].items()]


def _kept(decision: str, body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for cause, clauses in body["outcomes"].items():
        for clause, actions in clauses.items():
            yield from ({"decision": decision, "action": action, "cause": cause, "clause": clause} for action in actions)


TABLES: Mapping[str, Mapping[str, Any]] = {
    "decisions": _DECISIONS,
    "offers": _OFFERS,
    "not_offered": _KEPT,
    "outcomes": _OUTCOMES,
}
"""The columns of every table, with their types."""
