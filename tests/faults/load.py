"""Clients that ask for decisions, each again with the same idempotency key until it is answered."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.faults.children import Child, Clerk, Service

_PAUSE = 0.01
_SECONDS = 5.0
_SHARE_REPEATED = 0.05


class Load:
    """Asks the services, and the clerks, until told to finish."""

    def __init__(self, children: Sequence[Child], clients: int, seed: int) -> None:
        self._services = [child for child in children if isinstance(child, Service)]
        self._clerks = [child for child in children if isinstance(child, Clerk)]
        self._clients, self._dice = clients, random.Random(seed)
        self._finishing = False
        self.acknowledged: dict[str, str] = {}
        """The decision that each key was answered with."""
        self.repeated = 0
        """Answered requests that were sent once more."""
        self.doubled = 0
        """Those of them that were answered with another decision."""

    async def run(self) -> None:
        """Ask until told to finish, then wait for the last answers."""
        with ThreadPoolExecutor(max(len(self._clerks), 1)) as threads:
            async with httpx.AsyncClient(timeout=_SECONDS) as http:
                clients = (self._client(http, f"c{number}") for number in range(self._clients))
                clerks = (self._at_clerk(threads, clerk, f"k{number}") for number, clerk in enumerate(self._clerks))
                await asyncio.gather(*clients, *clerks)

    async def finish(self) -> None:
        """No new requests."""
        self._finishing = True

    async def _client(self, http: httpx.AsyncClient, name: str) -> None:
        count = 0
        while not self._finishing:
            key = f"{name}-{count}"
            self.acknowledged[key] = await self._answered(http, key)
            if self._dice.random() < _SHARE_REPEATED:
                await self._again(http, key)
            count += 1

    async def _again(self, http: httpx.AsyncClient, key: str) -> None:
        answer = await self._answered(http, key)
        self.repeated += 1
        self.doubled += answer != self.acknowledged[key]

    async def _answered(self, http: httpx.AsyncClient, key: str) -> str:
        """Ask until there is an answer; the decision's id."""
        while True:
            service = self._dice.choice(self._services)
            try:
                response = await http.post(f"{service.address}/v1/decisions", json=request(key), headers={"idempotency-key": key})
            except httpx.HTTPError:
                await asyncio.sleep(_PAUSE)
                continue
            if response.status_code == 200:
                service.answered += 1
                return str(response.json()["decision_id"])
            if response.status_code != 503:
                raise AssertionError(f"answered {response.status_code}: {response.text[:300]}")
            await asyncio.sleep(_PAUSE)

    async def _at_clerk(self, threads: ThreadPoolExecutor, clerk: Clerk, name: str) -> None:
        loop, count = asyncio.get_running_loop(), 0
        while not self._finishing:
            try:
                self.acknowledged[f"{name}-{count}"] = await loop.run_in_executor(threads, clerk.ask, f"{name}-{count}")
                count += 1
            except (EOFError, OSError):
                await asyncio.sleep(_PAUSE)


def request(key: str) -> dict[str, Any]:
    """A request about a subscriber of whom nobody else asks."""
    return {
        "channel": "call_centre",
        "locale": "en",
        "subscriber": {
            "id": f"s-{key}",
            "account": {"status": "active", "tenure_months": 30, "line_type": "main"},
            "billing": {"total": [12900, 12900, 19900], "toll_fee": [0, 0, 7000]},
            "consent": {"marketing": "yes"},
            "events": [],
            "contacts": [],
        },
    }
