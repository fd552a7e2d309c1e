"""What both clients do around a request."""

from __future__ import annotations

from typing import Any

import httpx

from app.client.asking import Ask
from app.client.attempts import Attempts, named_pause
from app.client.batching import BrokenOff
from app.client.problems import WanliuError, error_of

DEVELOPMENT_ADDRESS = "http://127.0.0.1:8000"
_LONGEST_DEADLINE = 60_000


def request_of(http: httpx.Client | httpx.AsyncClient, ask: Ask[Any], seconds: float) -> httpx.Request:
    """A call as a request that says how long its caller still waits.

    Args:
        http: carries it.
        ask: the call.
        seconds: until the caller gives up.
    """
    still = str(min(max(int(seconds * 1000), 1), _LONGEST_DEADLINE))
    headers = {"accept": "application/json", "wanliu-deadline-ms": still, **ask.headers}
    longest = min(http.timeout.read or seconds, seconds)
    return http.build_request(ask.method, ask.path, content=ask.body, params=dict(ask.params), headers=headers, timeout=longest)


def refusal(response: httpx.Response) -> WanliuError:
    """An answer that is none, as an error."""
    return error_of(response, named_pause(response.headers.get("retry-after")))


def refused_piece(response: httpx.Response, attempts: Attempts) -> BrokenOff | WanliuError:
    """Why a piece of a batch was not begun with: to be tried again, or the error that it is."""
    pause = attempts.pause_after(response)
    return refusal(response) if pause is None else BrokenOff(pause)


def pause_after_break(error: BrokenOff | httpx.TransportError, attempts: Attempts) -> float | None:
    """Seconds to wait before what is left of a piece is sent again; none where it is given up."""
    return error.pause if isinstance(error, BrokenOff) else attempts.pause_after_failure(error)
