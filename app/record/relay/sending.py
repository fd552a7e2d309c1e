"""A worker's side: entries go to the keeper, and are stored when it says so."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import Any

from app.record.entries import NewEntry, Written
from app.record.relay.frames import Patient, written_of
from app.record.relay.link import Link
from app.record.store.problems import RowRefused, StoreBusy, StoreUnavailable

_GONE = "the process that stores is gone"
_GATHER_SECONDS = 0.005
"""For so long entries wait while the keeper stores those before them: it would not begin with them sooner."""
_NEVER_MIND = None
"""Sent in place of an entry: nobody waits for it any more."""
_CHECK = "check"
"""Sent in place of an entry: does the store take entries?"""


class RelayedWriter:
    """Takes entries where a `Writer` would, and sends them to the keeper's."""

    def __init__(self, end: socket.socket, longest_queue: int) -> None:
        """
        Args:
            end: this process's end of the pair.
            longest_queue: entries that may wait before `StoreBusy`.
        """
        self._end, self._longest = end, longest_queue
        self._link: Link | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0

    @property
    def runs(self) -> bool:
        """Is there somebody to send to."""
        return self._link is not None and not self._link.gone

    def start(self) -> None:
        """Begin to take entries, in the running loop."""
        self._link = Link(self._heard, self._lost, gather=_GATHER_SECONDS)
        self._connecting = asyncio.get_running_loop().create_task(self._link.connect(self._end))

    def stop(self) -> None:
        """End. Nothing may wait any more."""
        if self._link is not None:
            self._link.close()

    def check(self) -> None:
        """Is there somebody to send to.

        Raises:
            StoreUnavailable: no.
        """
        if not self.runs:
            raise StoreUnavailable(_GONE)

    async def check_there(self) -> None:
        """Does the keeper's record take entries.

        Raises:
            StoreError: it does not.
        """
        await self._ask(_CHECK)

    def submit(self, entry: NewEntry, patience: float) -> asyncio.Future[Written]:
        """Send an entry; the future is done when it is durable. Cancel it to stop waiting.

        Args:
            entry: to be stored.
            patience: seconds that the keeper waits for its store.

        Raises:
            StoreBusy: too many wait.
            StoreUnavailable: there is nobody to send to.
            RowRefused: the entry has what cannot be stored.
        """
        if len(self._waiting) >= self._longest:
            raise StoreBusy("too many entries wait to be stored")
        return self._ask(Patient(entry, patience))

    def _ask(self, value: object) -> asyncio.Future[Any]:
        self.check()
        assert self._link is not None  # noqa: S101 - checked
        self._number += 1
        try:
            self._link.send(self._number, value, hurry=value == _CHECK)
        except TypeError as error:
            raise RowRefused(f"the store does not take it: {error}") from None
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answered.add_done_callback(partial(self._left, self._number))
        self._waiting[self._number] = answered
        return answered

    def _heard(self, number: int, outcome: Any) -> None:
        answered = self._waiting.pop(number, None)
        if answered is None or answered.done():
            return
        if isinstance(outcome, Exception):
            answered.set_exception(outcome)
        else:
            answered.set_result(written_of(outcome))

    def _left(self, number: int, _: asyncio.Future[Any]) -> None:
        """Where it was not answered, nobody waits any more."""
        if self._waiting.pop(number, None) is not None and self.runs and self._link is not None:
            self._link.send(number, _NEVER_MIND, hurry=True)

    def _lost(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for answered in waiting.values():
            if not answered.done():
                answered.set_exception(StoreUnavailable(_GONE))
