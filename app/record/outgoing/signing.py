"""Signatures of events, as Standard Webhooks has them (standardwebhooks.com, symmetric): HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import datetime
import hmac
from collections.abc import Mapping, Sequence


def signed(secrets: Sequence[bytes], event_id: str, now: datetime.datetime, body: bytes) -> Mapping[str, str]:
    """The headers that prove to its receiver who sent an event, and when.

    Args:
        secrets: every secret that is valid, newest first: whoever knows one of them can check.
        event_id: the same each time the event is sent; without a dot.
        now: when it is sent.
        body: byte for byte.
    """
    at = str(int(now.timestamp()))
    content = b".".join((event_id.encode(), at.encode(), body))
    signatures = " ".join(f"v1,{base64.b64encode(hmac.digest(secret, content, 'sha256')).decode()}" for secret in secrets)
    return {"webhook-id": event_id, "webhook-timestamp": at, "webhook-signature": signatures}
