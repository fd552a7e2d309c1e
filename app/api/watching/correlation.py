"""Which request belongs to which, across systems: W3C Trace Context, read strictly, and made where there is none to read."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

_TRACEPARENT = re.compile(rb"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?")
_LONGEST = 512
_SAMPLED = 0x01


@dataclass(frozen=True, slots=True)
class Parent:
    """What the caller's header says: its trace, the span that asks, and whether it keeps the trace."""

    trace: str
    span: str
    sampled: bool


def parent_of(headers: Iterable[tuple[bytes, bytes]]) -> Parent | None:
    """What `traceparent` says; none where it is left out, given twice, or not as https://www.w3.org/TR/trace-context/ has it.

    Args:
        headers: of a request, their names in small letters.
    """
    given = [value for name, value in headers if name == b"traceparent"]
    return _parsed(given[0]) if len(given) == 1 and len(given[0]) <= _LONGEST else None


def _parsed(value: bytes) -> Parent | None:
    found = _TRACEPARENT.fullmatch(value)
    if found is None or found["version"] == b"ff" or (found["version"] == b"00" and found["more"] is not None):
        return None
    trace, span = found["trace"].decode(), found["span"].decode()
    if not trace.strip("0") or not span.strip("0"):
        return None
    return Parent(trace, span, bool(int(found["flags"], 16) & _SAMPLED))


def new_trace() -> str:
    """A trace id: 32 hexadecimal digits, not all of them 0."""
    return f"{random.getrandbits(128) or 1:032x}"


def new_span() -> str:
    """A span id: 16 hexadecimal digits, not all of them 0."""
    return f"{random.getrandbits(64) or 1:016x}"


def trace_response(trace: str, span: str, *, sampled: bool) -> bytes:
    """The value of the header `traceresponse`, by which a caller finds this request."""
    return f"00-{trace}-{span}-0{int(sampled)}".encode()
