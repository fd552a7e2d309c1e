"""The words with which an erasure or a legal hold is given its reason."""

from __future__ import annotations

LONGEST_REASON = 500
"""Characters."""


def check_reason(name: str, text: str) -> None:
    """See that a reason says something, and not too much.

    Args:
        name: what it is called where it is given.
        text: the reason.

    Raises:
        ValueError: it is empty or too long.
    """
    if not text.strip() or len(text) > LONGEST_REASON:
        raise ValueError(f"{name}: expected 1 to {LONGEST_REASON} characters")
