"""The secrets that sign events: made here, shown once, kept encrypted for one callback, so that events cannot be sent elsewhere."""

from __future__ import annotations

import base64
import hashlib
import secrets as randomness

from app.record.keys import KEY_BYTES, Keys
from app.record.privacy import lock, unlock

PREFIX = "whsec_"
"""Of a secret as Standard Webhooks writes it; base64 follows."""


def new_secret() -> bytes:
    """32 random bytes."""
    return randomness.token_bytes(KEY_BYTES)


def shown(secret: bytes) -> str:
    """A secret as its receiver is given it."""
    return PREFIX + base64.b64encode(secret).decode()


def secret_digest(secret: bytes) -> str:
    """What the record says of a secret. Its 256 random bits need no slow hash."""
    return f"sha256:{hashlib.sha256(secret).hexdigest()}"


def locked(keys: Keys, secret: bytes, webhook: str, callback: str) -> tuple[bytes, str]:
    """A secret as it is kept, and the id of the wrapping key: it opens for this subscription with this callback only."""
    return lock(keys, secret, _bound(webhook, callback))


def unlocked(keys: Keys, kept: bytes, key_id: str, webhook: str, callback: str) -> bytes:
    """The secret that is kept.

    Raises:
        KeysProblem: there is no wrapping key of this id.
        Unreadable: it was made for another subscription or callback, or was changed.
    """
    return unlock(keys, kept, key_id, _bound(webhook, callback))


def _bound(webhook: str, callback: str) -> bytes:
    return f"{webhook} {callback}".encode()
