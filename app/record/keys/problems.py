"""What can be wrong with keys."""

from __future__ import annotations


class KeysProblem(Exception):
    """The keys cannot be had, or are not well formed. Names the file and the field, never what stands in it."""


class UnknownKey(KeysProblem):
    """Something is wrapped with a key that this process does not know. Names its id, and what to do."""
