"""The trace that entries belong to: whoever answers a request says so once, and every entry made meanwhile carries it."""

from __future__ import annotations

from contextvars import ContextVar

TRACE: ContextVar[str | None] = ContextVar("trace", default=None)
"""The trace id (W3C Trace Context: 32 hexadecimal digits) of the request that is being answered; none outside of one."""
