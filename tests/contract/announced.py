"""Holds every answer of the contract tests against the document: a status or a type that is not announced there fails the test."""

from __future__ import annotations

import re
from typing import Any

import httpx2

from tests.contract.documented import OPERATIONS

_PATHS = [(method, re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation) for method, path, operation in OPERATIONS.values()]
_BROKEN = 400
"""A request that is none: of no operation in particular."""


def announced(response: httpx2.Response) -> None:
    """See that an answer is one that its operation announces.

    Raises:
        AssertionError: it is not.
    """
    operation = _operation(response.request)
    if operation is None or response.status_code == _BROKEN:
        return
    told = operation["responses"].get(str(response.status_code))
    route = f"{operation['operationId']}: {response.status_code}"
    assert told is not None, f"{route} is not announced"
    kind = response.headers.get("content-type")
    assert kind is None or kind.partition(";")[0] in {name.partition(";")[0] for name in told.get("content", ())}, f"{route} as {kind}"


def _operation(request: httpx2.Request) -> Any:
    fitting = [item for item in _PATHS if item[0] == request.method and item[1].fullmatch(request.url.path)]
    return min(fitting, key=lambda item: item[1].pattern.count("[^/]+"))[2] if fitting else None
