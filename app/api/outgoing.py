"""How events are worded for those who subscribed, by format."""

from __future__ import annotations

from collections.abc import Mapping

from app.api.tmf.events import tmf_wording
from app.record.outgoing.wording import Wording, cloud_event

WORDINGS: Mapping[str, Wording] = {"cloudevents": cloud_event}
"""By the format of a subscription, what words its events, wherever the service is reached."""


def wordings(public_url: str | None) -> Mapping[str, Wording]:
    """What words events, by format.

    Args:
        public_url: what callers reach the service as, for links.
    """
    return {**WORDINGS, "tmf680": tmf_wording(public_url)}
