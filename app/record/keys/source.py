"""Where keys come from, asked again when one is met that was added after this process started."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from app.record.keys.problems import KeysProblem, UnknownKey

if TYPE_CHECKING:
    from app.record.keys.model import Keys, WrappingKey

AGAIN_SECONDS = 1.0
"""Between two readings of the keys file, however many keys are met that are not known."""
_ANYWHERE = "put back the keys this record was written with"
_log = structlog.get_logger("wanliu.keys")


class KeySource:
    """Finds wrapping keys that keys did not have when they were read. Safe to use from several threads."""

    def __init__(
        self, read: Callable[[], Keys] | None = None, what_to_do: str = _ANYWHERE, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            read: reads the keys anew; left out where that makes no sense, since they come from the environment.
            what_to_do: for whoever runs a process that does not know a key.
            clock: seconds.
        """
        self._read, self._what_to_do, self._clock = read, what_to_do, clock
        self._later: dict[str, WrappingKey] = {}
        self._missing: dict[str, str] = {}
        self._not_before = 0.0
        self._alone = threading.Lock()

    def anew(self) -> KeySource:
        """The same source for another record: nothing has been met yet."""
        return KeySource(self._read, self._what_to_do, clock=self._clock)

    def find(self, keys: Keys, key_id: str) -> WrappingKey:
        """The wrapping key with this id, that is not among the keys.

        Raises:
            UnknownKey: it is not at the source either.
        """
        with self._alone:
            why = "" if key_id in self._later else self._look_again(keys)
            found = self._later.get(key_id)
            if found is None:
                raise self._unknown(key_id, why)
            self._missing.pop(key_id, None)
            return found

    def missing(self, keys: Keys) -> tuple[str, ...]:
        """What is to be said of keys that were met and that are not known yet; empty where every key met was found."""
        with self._alone:
            if self._missing:
                self._look_again(keys)
            self._missing = {key_id: told for key_id, told in self._missing.items() if key_id not in self._later}
            return tuple(self._missing.values())

    def _look_again(self, keys: Keys) -> str:
        """Read the source, unless that was done a moment ago; why it cannot be."""
        if self._read is None or self._clock() < self._not_before:
            return ""
        self._not_before = self._clock() + AGAIN_SECONDS
        try:
            found = self._read()
        except (KeysProblem, OSError) as error:
            return f"; {error}"
        if (found.log, found.lookup) != (keys.log, keys.lookup):
            return "; the keys file now holds those of another log"
        self._later |= {key.id: key for key in found.wrapping}
        return ""

    def _unknown(self, key_id: str, why: str) -> UnknownKey:
        error = UnknownKey(f"the wrapping key `{key_id}` is not among the keys; {self._what_to_do}{why}")
        if key_id not in self._missing:
            _log.error("wrapping_key_unknown", key=key_id, why=str(error))
            self._missing[key_id] = str(error)
        return error
