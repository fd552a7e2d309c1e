"""A call as it is sent, whoever sends it, and what is made of its answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from app.client.writing import written

T = TypeVar("T")
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that may be sent again: twice is as once."""


def read_json(response: httpx.Response) -> Any:
    """The answer's JSON."""
    return response.json()


def read_bytes(response: httpx.Response) -> bytes:
    """The answer's bytes."""
    return response.content


def read_nothing(_: httpx.Response) -> None:
    """Nothing: that it succeeded is the answer."""


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """A call: what is sent, and what its answer is read as. `traceless` says of a POST that it changes nothing."""

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    body: bytes | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    traceless: bool = False

    @property
    def repeatable(self) -> bool:
        """May it be sent again when nobody knows whether it arrived?"""
        return self.traceless or self.method in REPEATABLE or "idempotency-key" in self.headers


def get(path: str, *, headers: Mapping[str, str | None] | None = None, **params: Any) -> Ask[Any]:
    """A call that reads; parameters and headers that are None are left out."""
    given = {name: value for name, value in params.items() if value is not None}
    kept = {name: value for name, value in (headers or {}).items() if value is not None}
    return Ask("GET", path, read_json, params=given, headers=kept)


def post(path: str, body: Mapping[str, Any] | None, *, headers: Mapping[str, str] | None = None) -> Ask[Any]:
    """A call that changes something.

    Raises:
        NotJsonError: the body holds what JSON cannot say.
    """
    if body is None:
        return Ask("POST", path, read_json, headers=headers or {})
    return Ask("POST", path, read_json, written(body), headers={"content-type": "application/json", **(headers or {})})


def post_once(path: str, body: Mapping[str, Any], idempotency_key: str | None) -> Ask[Any]:
    """A call that changes something once, however often it is sent; without a key of the caller's it gets a new one."""
    return post(path, body, headers={"idempotency-key": idempotency_key or str(uuid.uuid4())})


def part(name: str) -> str:
    """A name as a part of a path: never another path."""
    return quote(name, safe="")


def present(**fields: Any) -> dict[str, Any]:
    """The fields that are given."""
    return {name: value for name, value in fields.items() if value is not None}


def listed(fields: Sequence[str] | None) -> str | None:
    """Names of fields as a parameter."""
    return fields if fields is None or isinstance(fields, str) else ",".join(fields)
