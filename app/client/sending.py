"""What both clients do around a request."""

from __future__ import annotations

from typing import Any

import httpx

from app.client.asking import Ask
from app.client.attempts import REFUSED, named_pause
from app.client.batching import BrokenOff
from app.client.problems import WanliuError, error_of

DEVELOPMENT_ADDRESS = "http://127.0.0.1:8000"
_LONGEST_DEADLINE = 60_000
_BUSY = (REFUSED, 503)


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


def refused_piece(response: httpx.Response, *, last_attempt: bool) -> BrokenOff | WanliuError:
    """Why a piece of a batch was not begun with: to be tried again, or the error that it is."""
    found = refusal(response)
    return BrokenOff(found.retry_after) if found.status in _BUSY and not last_attempt else found


def given_up(error: BrokenOff | httpx.TransportError) -> httpx.TransportError:
    """Why a piece of a batch is not sent again."""
    return error if isinstance(error, httpx.TransportError) else httpx.RemoteProtocolError(str(error))
