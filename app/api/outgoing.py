"""How events are worded for those who subscribed, by format."""

from __future__ import annotations

from collections.abc import Mapping

from app.record.outgoing.wording import Wording, cloud_event

WORDINGS: Mapping[str, Wording] = {"cloudevents": cloud_event}
"""By the format of a subscription, what words its events."""
