"""What private payloads say, where the keys of their subjects are kept, and what cannot be told any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.record.keys import Keys, KeysProblem
from app.record.privacy import Unreadable, open_private, unwrap
from app.record.verifying.opening import Wrapped
from app.record.verifying.reading import Entry


class Unopened(Exception):
    """A payload that should open does not; the message says why."""


def payload_of(keys: Keys, entry: Entry, kept: Mapping[str, Wrapped]) -> Mapping[str, Any]:
    """What the subject's key opens of an entry; nothing where the entry has nothing private, or its subject was erased.

    Raises:
        Unopened: the key is kept, and does not open it.
    """
    if entry.private is None or entry.subject is None or entry.subject not in kept:
        return {}
    try:
        return open_private(unwrap(keys, *kept[entry.subject]), entry.private, entry.id.encode())
    except (Unreadable, KeysProblem) as error:
        raise Unopened(str(error)) from None
