"""Sending one event: to an address that was checked, within a time, believing nothing that comes back but its status."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import email.utils
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from app import __version__
from app.record.outgoing.addresses import BadCallback, addresses_of, name_of, parsed

SECONDS = 10.0
"""For one event, from the look-up of its host to the status of the answer."""
LONGEST_WAIT = datetime.timedelta(hours=24)
"""A receiver may ask for no longer wait."""
_MOST_READ = 16 * 1024
_BODY_SECONDS = 1.0
_MOST_CLIENTS = 64
_TRIED_ADDRESSES = 3
_BUSY = (429, 503)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of an attempt.

    Attributes:
        problem: none where the event was taken; else a code such as `status 500`, `timeout`, `refused`.
        gone: the receiver wants no more events, ever.
        wait: how long it wants none.
        everybody: that holds for all events, not for this one only.
    """

    problem: str | None = None
    gone: bool = False
    wait: datetime.timedelta | None = None
    everybody: bool = False


class Sender:
    """Sends events. A connection is used again for the callback that it was made for, and for no other."""

    def __init__(self, *, private: bool, seconds: float = SECONDS) -> None:
        """
        Args:
            private: may events go into networks of one's own.
            seconds: for one event.
        """
        self._private, self._seconds = private, seconds
        self._trust: ssl.SSLContext | None = None
        self._clients: OrderedDict[str, httpx.AsyncClient] = OrderedDict()

    async def send(self, callback: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send an event once.

        Args:
            callback: where to.
            body: of the event.
            headers: its type and signatures.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._sent(callback, body, headers)
        except BadCallback:
            return Reply("refused address")
        except (TimeoutError, httpx.TimeoutException):
            return Reply("timeout")
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
            return Reply("no connection" if isinstance(error, httpx.ConnectError) else "broken connection")

    async def close(self) -> None:
        """Let go of all connections."""
        while self._clients:
            _, client = self._clients.popitem()
            await client.aclose()

    async def _sent(self, callback: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        url = parsed(callback, private=self._private)
        addresses = (await addresses_of(url, private=self._private))[:_TRIED_ADDRESSES]
        for address in addresses[:-1]:
            try:
                return await self._post(callback, url, address, body, headers)
            except httpx.ConnectError:
                continue
        return await self._post(callback, url, addresses[-1], body, headers)

    async def _post(self, callback: str, url: httpx.URL, address: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Connect to the address, and speak to it as to the host."""
        request = self._client(callback).build_request(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers={**headers, "host": url.netloc.decode("ascii"), "user-agent": f"wanliu/{__version__}"},
            extensions={"sni_hostname": name_of(url)},
        )
        answer = await self._client(callback).send(request, stream=True, follow_redirects=False)
        try:
            with contextlib.suppress(httpx.HTTPError, TimeoutError):  # the status is what counts
                async with asyncio.timeout(_BODY_SECONDS):
                    await _read_a_little(answer)
        finally:
            await answer.aclose()
        return _reply(answer)

    def _client(self, callback: str) -> httpx.AsyncClient:
        found = self._clients.get(callback)
        if found is None:
            self._trust = self._trust or ssl.create_default_context()
            found = self._clients[callback] = httpx.AsyncClient(verify=self._trust, trust_env=False, timeout=self._seconds)
        self._clients.move_to_end(callback)
        return found

    async def forget_idle(self) -> None:
        """Let go of the connections that were used longest ago, where there are many; while nothing is sent."""
        while len(self._clients) > _MOST_CLIENTS:
            _, client = self._clients.popitem(last=False)
            await client.aclose()


def waited(given: str | None, now: datetime.datetime) -> datetime.timedelta | None:
    """How long a `Retry-After` asks to wait: seconds, or a date; none where it says neither."""
    if given is None:
        return None
    if given.isdecimal() and given.isascii():
        seconds = float(given[:9])
    else:
        try:
            at = email.utils.parsedate_to_datetime(given)
            seconds = (at - now).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return None
    return min(max(datetime.timedelta(seconds=seconds), datetime.timedelta()), LONGEST_WAIT)


async def _read_a_little(answer: httpx.Response) -> None:
    """So that the connection can be used again, where little was answered; what is more is not waited for."""
    size = 0
    async for chunk in answer.aiter_raw(_MOST_READ):
        size += len(chunk)
        if size > _MOST_READ:
            return


def _reply(answer: httpx.Response) -> Reply:
    status = answer.status_code
    if 200 <= status < 300:
        return Reply()
    wait = waited(answer.headers.get("retry-after"), datetime.datetime.now(datetime.UTC))
    problem = f"redirect {status}" if 300 <= status < 400 else f"status {status}"
    return Reply(problem, gone=status == 410, wait=wait, everybody=wait is not None and status in _BUSY)
