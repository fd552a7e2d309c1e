"""What one process of the service only hands on to another: read when somebody looks into it, and written on as it is."""

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


class Texts(Mapping[str, Any]):
    """A mapping of which texts may be `given` as UTF-8."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given

    def __getitem__(self, name: str) -> Any:
        value = self.given[name]
        return value.decode() if type(value) is bytes else value

    def __iter__(self) -> Iterator[str]:
        return iter(self.given)

    def __len__(self) -> int:
        return len(self.given)
