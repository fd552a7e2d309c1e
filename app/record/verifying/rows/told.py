"""An entry with what its envelope tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.record.verifying.reading import Entry


@dataclass(frozen=True, slots=True)
class Told:
    """An entry, its leaf, none while it waits, and the body of its envelope."""

    leaf: int | None
    entry: Entry
    body: Mapping[str, Any]

    @property
    def place(self) -> tuple[bool, int, str]:
        """The order in which entries came: by leaf; those that wait come last, by id."""
        return self.leaf is None, self.leaf or 0, self.entry.id


def told_by(entries: Iterable[tuple[int | None, Entry]], kind: str) -> Iterator[Told]:
    """The entries of a kind, each with its leaf. What is no envelope is left out: its leaf tells."""
    for leaf, entry in entries:
        if entry.kind == kind:
            body = (entry.told or {}).get("body")
            if isinstance(body, dict):
                yield Told(leaf, entry, body)
