"""What is searched for: values by filter, a subscriber, a time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

import orjson

from app.record.search.terms import sought

FILTERS: Mapping[str, str] = {
    "kind": "any",
    "channel": "any",
    "caller": "any",
    "role": "any",
    "agent": "any",
    "pack": "any",
    "campaign": "any",
    "stage": "any",
    "phase": "any",
    "moment": "any",
    "empty": "any",
    "signal": "all",
    "offered": "all",
    "tariff": "all",
    "suppressed": "all",
    "clause": "all",
    "outcome": "all",
}
"""What can be asked for, and what several values of one filter mean: an entry has one channel, but many signals."""
MOST_VALUES = 10
"""Values of one filter."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for. All that is given must hold.

    Attributes:
        terms: by a name of `FILTERS`, the values wanted.
        subject: the token of a subscriber.
        since: entries at or after this time, as the store writes times.
        until: entries before this time.
    """

    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    subject: str | None = None
    since: str | None = None
    until: str | None = None

    def groups(self) -> list[tuple[str, ...]]:
        """Terms of the index: of each group one, of all groups at once."""
        found: list[tuple[str, ...]] = []
        for name, values in self.terms.items():
            terms = [sought(name, value) for value in values]
            found += [tuple(chain.from_iterable(terms))] if FILTERS[name] == "any" else terms
        return [group for group in found if group]

    @property
    def digest(self) -> bytes:
        """Eight bytes that tell this search from others."""
        told = orjson.dumps([sorted(map(sorted, self.groups())), self.subject, self.since, self.until])
        return hashlib.sha256(told).digest()[:8]
