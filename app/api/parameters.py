"""Parameters that several routes take."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query
from starlette.convertors import StringConvertor, register_url_convertor

DECISION_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
DIGEST = r"^sha256:[0-9a-f]{64}$"
SUBSCRIBER_ID = "[0-9A-Za-z][0-9A-Za-z_.:@+-]{0,63}"
"""The operator's id of a subscriber, without the ends of the pattern."""


class _DigestConvertor(StringConvertor):
    """Takes digests only, so that other words below `/v1/packs/` are paths of their own."""

    regex = DIGEST[1:-1]


register_url_convertor("digest", _DigestConvertor())

DecisionId = Annotated[str, Path(pattern=DECISION_ID, description="A `decision_id`.")]
Digest = Annotated[str, Path(pattern=DIGEST, description="A pack's digest.")]
Locale = Annotated[Literal["zh-CN", "en"], Query(description="Language of the words.")]
