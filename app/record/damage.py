"""What is stored is not what was recorded."""

from __future__ import annotations


class DamagedEntry(Exception):
    """What is stored is not what the envelope says was stored."""
