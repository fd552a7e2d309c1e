"""Why somebody is not known: what is told, without a word of what was sent."""

from __future__ import annotations

from typing import Literal

Error = Literal["invalid_request", "invalid_token"]
"""As RFC 6750 names them."""


class NotKnown(Exception):
    """Nobody is known by what a request carries.

    Attributes:
        detail: what is wrong and what to do. Plain ASCII without quotes: it goes into a header too.
        error: for that header; none where nothing was sent.
    """

    def __init__(self, detail: str, error: Error | None = "invalid_token") -> None:
        super().__init__(detail)
        self.detail, self.error = detail, error


class KeysAway(Exception):
    """The keys that tokens are checked with were never had: nobody can say whether a token is good."""
