"""Channels as TM Forum's clients call them: our own names, and what else is often said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import get_args

from app.engine.vocabulary import Channel

CHANNELS: tuple[str, ...] = get_args(Channel)
OTHER_NAMES: Mapping[str, str] = {
    "callcenter": "call_centre",
    "contactcenter": "call_centre",
    "contactcentre": "call_centre",
    "ivr": "robot",
    "chatbot": "robot",
    "telemarketing": "outbound_call",
    "video": "video_desk",
    "mobile": "app",
    "mobileapp": "app",
    "selfcare": "app",
    "online": "web",
    "website": "web",
    "portal": "web",
    "sms": "sms_service",
    "store": "shop",
    "retail": "shop",
    "retailstore": "shop",
    "accountmanagement": "account_manager",
    "technician": "field",
    "fieldservice": "field",
    "socialmedia": "social",
    "mail": "email",
}
"""Other names of channels, without spaces, marks, capitals and a final "channel"."""
BY_ROLE: Mapping[str, str] = {"self_service": "app", "agent": "call_centre", "development": "call_centre"}
"""The channel of who names none; a campaign has to name one, for what is permitted hangs on it."""

_plain: Mapping[str, str] = {**OTHER_NAMES, **{name.replace("_", ""): name for name in CHANNELS}}


def channel_of(names: Iterable[str | None]) -> str | None:
    """The channel that the first of these names means; none where no name is known."""
    return next((_plain[plain] for name in names if name and (plain := _without_marks(name)) in _plain), None)


def _without_marks(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain.removesuffix("channel") or plain
