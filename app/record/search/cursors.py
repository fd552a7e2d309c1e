"""Where a page ended, written so that it can be handed out and taken back with the same search."""

from __future__ import annotations

import base64
import binascii
import struct

from app.record.search.query import Query

_CURSOR = struct.Struct(">Q8s")


class BadCursor(ValueError):
    """The cursor is not one that this search gave."""

    def __init__(self) -> None:
        super().__init__("is not a cursor of this search; leave it out to begin with the newest")


def written(leaf: int, query: Query) -> str:
    """The cursor of the page that begins below a leaf."""
    return base64.urlsafe_b64encode(_CURSOR.pack(leaf, query.digest)).decode().rstrip("=")


def read(cursor: str, query: Query) -> int:
    """The leaf below which the page begins.

    Raises:
        BadCursor: of another search, or none at all.
    """
    try:
        leaf, digest = _CURSOR.unpack(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, struct.error, ValueError):
        raise BadCursor from None
    if digest != query.digest:
        raise BadCursor
    return int(leaf)
