"""Where a page ended, written so that it can be handed out and taken back with the same search."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import NamedTuple

from app.record.search.query import Query

_CURSOR = struct.Struct(">QQ8s")
ALL_ROWS = 2**62
"""Where no row of a campaign's part was on the page yet."""


class Position(NamedTuple):
    """Where a page begins: below a leaf; or, with `rows`, with those of the leaf's rows whose numbers are lower than that."""

    leaf: int
    rows: int = 0


class BadCursor(ValueError):
    """The cursor is not one that this search gave."""

    def __init__(self) -> None:
        super().__init__("is not a cursor of this search; leave it out to begin with the newest")


def written(position: Position, query: Query) -> str:
    """The cursor of the page that begins there."""
    return base64.urlsafe_b64encode(_CURSOR.pack(*position, query.digest)).decode().rstrip("=")


def read(cursor: str, query: Query) -> Position:
    """Where the page begins.

    Raises:
        BadCursor: of another search, or none at all.
    """
    try:
        leaf, rows, digest = _CURSOR.unpack(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, struct.error, ValueError):
        raise BadCursor from None
    if digest != query.digest:
        raise BadCursor
    return Position(int(leaf), int(rows))
