"""Taking tokens, where the settings say whose."""

from __future__ import annotations

import asyncio

from app.api.identity.book import CallerBook
from app.api.identity.claims import ClaimNames
from app.api.identity.fetching import FileSource, source_of
from app.api.identity.keeping import KeptKeys
from app.api.identity.tokens import Tokens, Trust
from app.record.keys import KeysProblem
from app.settings import Settings


def trust_of(settings: Settings) -> Trust | None:
    """Whose tokens are taken; none where none are."""
    if settings.jwt_issuer is None or settings.jwt_audience is None or settings.jwt_keys is None:
        return None
    names = ClaimNames(settings.jwt_role_claim, settings.jwt_grade_claim)
    return Trust(settings.jwt_issuer, settings.jwt_audience, settings.jwt_algorithms, names)


async def take_tokens(settings: Settings, callers: CallerBook) -> list[asyncio.Task[None]]:
    """Let callers be named by tokens, where the settings say so; gives what follows the keys in the background.

    A provider that is away does not keep the service from starting: until it answers, tokens are answered with 503.

    Raises:
        KeysProblem: the file of keys cannot be used.
    """
    trust = trust_of(settings)
    if trust is None or settings.jwt_keys is None:
        return []
    source = source_of(settings.jwt_keys)
    keys = KeptKeys(source)
    callers.tokens = Tokens(trust, keys, callers.system_of)
    await keys.look()
    if not keys.had and isinstance(source, FileSource):
        raise KeysProblem(f"WANLIU_JWT_KEYS: the file {keys.missed}")
    return [asyncio.create_task(keys.follow())]
