"""Ids of a campaign's decisions: UUIDv8 (RFC 9562), made of the campaign's own id and the row of its input.

The first 22 hexadecimal digits are the campaign's, a UUIDv7, with 8 for its version; the last 10 are the row's number. So the id tells
where the decision is, sorts by the time at which the campaign was opened, and is the same however often the row is decided.
"""

from __future__ import annotations

from typing import NamedTuple

MOST_ROWS = 16**10 - 1
_AT, _VERSION = 14, "8"
_PREFIX = 26
_ROW_DIGITS = 10


class Place(NamedTuple):
    """Where a decision is: campaigns whose ids are from `first` to `last`, of which there is one, and the row of its input."""

    first: str
    last: str
    row: int


def row_id(campaign: str, row: int) -> str:
    """The id of the decision about a row.

    Args:
        campaign: the campaign's id.
        row: its number in the input, from 1.
    """
    return f"{campaign[:_AT]}{_VERSION}{campaign[_AT + 1 : _PREFIX]}{row:0{_ROW_DIGITS}x}"


def is_row(entry_id: str) -> bool:
    """Is this the id of a campaign's decision."""
    return entry_id[_AT : _AT + 1] == _VERSION


def place_of(decision_id: str) -> Place:
    """Where the decision with this id is.

    Args:
        decision_id: for which `is_row` holds.
    """
    campaign = f"{decision_id[:_AT]}7{decision_id[_AT + 1 : _PREFIX]}"
    return Place(campaign + "0" * _ROW_DIGITS, campaign + "f" * _ROW_DIGITS, int(decision_id[_PREFIX:], 16))
