"""The words with which an erasure or a legal hold is given its reason."""

from __future__ import annotations

LONGEST_REASON = 500
"""Characters."""


class BadReason(ValueError):
    """A reason that cannot be taken. `field` is what it is called where it is given, `wrong` what is wrong with it."""

    def __init__(self, field: str, wrong: str) -> None:
        super().__init__(f"{field}: {wrong}")
        self.field, self.wrong = field, wrong


def check_reason(name: str, text: str) -> None:
    """See that a reason says something, and not too much.

    Args:
        name: what it is called where it is given.
        text: the reason.

    Raises:
        BadReason: it is empty or too long.
    """
    if not text.strip() or len(text) > LONGEST_REASON:
        raise BadReason(name, f"expected 1 to {LONGEST_REASON} characters")
