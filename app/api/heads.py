"""The head of a request whose headers are looked for again and again; Starlette goes through all of them each time."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope, Send


class Head(Headers):
    """Headers that are found by name, as long as none is there twice."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=raw)
        self._values = dict(raw)
        self._each_once = len(self._values) == len(raw)

    def getlist(self, key: str) -> list[str]:
        """All values of a header."""
        if not self._each_once:
            return super().getlist(key)
        value = self._values.get(key.lower().encode("latin-1"))
        return [] if value is None else [value.decode("latin-1")]

    def get(self, key: str, default: Any = None) -> Any:
        """The first value of a header."""
        found = self.getlist(key)
        return found[0] if found else default


class Headed(Request):
    """A request with such headers."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._head = Head(scope["headers"])

    @property
    def headers(self) -> Headers:
        """Its headers."""
        return self._head
