"""Mappings that arrive as JSON from another process of the service: read when somebody looks into them, and written on as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import orjson


class Ordered(Mapping[str, Any]):
    """A mapping, and its JSON as `text`, whose keys stand in order, as `canonical.ordered` writes them."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def __getitem__(self, name: str) -> Any:
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)

    @cached_property
    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.text)
        return found
