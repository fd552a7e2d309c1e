"""Who calls: an API key or a token, or something that gives a fresh one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

import httpx

Credential = str | Callable[[], str]
"""A key or a token, or what gives one each time it is asked; it should remember tokens itself as long as they hold."""
AsyncCredential = Credential | Callable[[], Awaitable[str]]
_NOT_KNOWN = 401


class Bearer(httpx.Auth):
    """Sends a credential with each request; one that is refused is asked for once more."""

    def __init__(self, credential: AsyncCredential) -> None:
        self._credential = credential

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the credential on a request."""
        used = self._told()
        response = yield _with(request, used)
        if response.status_code == _NOT_KNOWN and (fresh := self._told()) != used:
            yield _with(request, fresh)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Put the credential on a request."""
        used = await self._waited()
        response = yield _with(request, used)
        if response.status_code == _NOT_KNOWN and (fresh := await self._waited()) != used:
            yield _with(request, fresh)

    def _told(self) -> str:
        found = self._credential() if callable(self._credential) else self._credential
        if not isinstance(found, str):
            raise TypeError("the credential of a WanliuClient is text, or a function that returns text; only AsyncWanliuClient awaits it")
        return _clean(found)

    async def _waited(self) -> str:
        found = self._credential() if callable(self._credential) else self._credential
        return _clean(found if isinstance(found, str) else await found)


def auth_of(credential: AsyncCredential | None) -> Bearer | None:
    """What puts the credential on requests; none in development mode, where there is none or an empty one."""
    return Bearer(credential) if credential else None


def _clean(credential: str) -> str:
    """The credential without what a file or a shell put around it.

    Raises:
        ValueError: it is none. What it is, is not told.
    """
    found = credential.strip()
    if not found.isascii() or not found.isprintable() or " " in found:
        raise ValueError("the credential holds a space, a line break or another character that no API key and no token has")
    return found


def _with(request: httpx.Request, credential: str) -> httpx.Request:
    request.headers["authorization"] = f"Bearer {credential}"
    return request
