"""What workers are called."""

from __future__ import annotations

import secrets


def worker_name() -> str:
    """A name that no other worker has."""
    return secrets.token_hex(8)
