"""Where the keys come from: a file, or a URL that is asked without ever keeping a request waiting for long."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from app.api.identity.keyset import BadKeys
from app.settings import is_this_machine

LARGEST = 256 * 1024
"""Bytes of a JWKS document."""
SECONDS = 5.0
"""How long a provider may take, in all."""
OFTEN = 2.0
"""Seconds between two looks at a file."""
SELDOM = 300.0
"""The same, at a URL."""


class Source(Protocol):
    """Gives the text of a JWKS document."""

    every: float
    """Seconds between two looks."""
    pause: float
    """Seconds in which tokens with unknown keys lead to one look at most."""

    async def fetch(self) -> bytes:
        """The document.

        Raises:
            BadKeys: it cannot be had, or is too large.
        """


class FileSource:
    """A JWKS file, read again and again."""

    every, pause = OFTEN, OFTEN

    def __init__(self, file: Path) -> None:
        self._file = file

    async def fetch(self) -> bytes:
        """As `Source`."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        try:
            with self._file.open("rb") as opened:
                text = opened.read(LARGEST + 1)
        except OSError as error:
            raise BadKeys(f"cannot be read: {error.strerror}") from None
        return _bounded(text)


class UrlSource:
    """A provider's URL. It is not followed elsewhere, and what is larger or slower than a JWKS document is let go."""

    every, pause = SELDOM, 10.0

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url, self._transport = url, transport

    async def fetch(self) -> bytes:
        """As `Source`."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._ask()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise BadKeys(f"cannot be had: {type(error).__name__}") from None

    async def _ask(self) -> bytes:
        # A proxy of the environment is for the world outside, not for this machine.
        client = httpx.AsyncClient(
            timeout=SECONDS,
            follow_redirects=False,
            trust_env=not is_this_machine(urlsplit(self._url).hostname or ""),
            transport=self._transport,
        )
        async with client, client.stream("GET", self._url, headers={"accept": "application/json"}) as answer:
            if answer.status_code != httpx.codes.OK:
                raise BadKeys(f"cannot be had: the answer is {answer.status_code}")
            text = b""
            async for part in answer.aiter_bytes():
                text = _bounded(text + part)
            return text


def source_of(place: str) -> Source:
    """The source that `WANLIU_JWT_KEYS` names."""
    return UrlSource(place) if "://" in place else FileSource(Path(place))


def _bounded(text: bytes) -> bytes:
    if len(text) > LARGEST:
        raise BadKeys(f"is larger than {LARGEST:,} bytes")
    return text
