"""`--record`: a live decision goes into the store before it is shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from app import __version__
from app.api.answers import answer_bytes
from app.cli.packs import settings
from app.record import DecisionRecord, Ids, Store

if TYPE_CHECKING:
    import datetime

    from app.engine.answer import Explanation
    from app.engine.case import Case
    from app.engine.pack import Pack

_PATIENCE_SECONDS = 10.0


def record(pack: Pack, case: Case, explanation: Explanation, now: datetime.datetime) -> str:
    """Store a decision in the store that WANLIU_DATABASE_URL names; it is durable when this returns its id.

    Raises:
        StoreError: it was not stored.
    """
    decision_id = str(Ids().new(now))
    answer = answer_bytes(explanation, pack, now, decision_id)
    content = orjson.dumps(case.as_json(), option=orjson.OPT_SORT_KEYS)
    asyncio.run(_store(DecisionRecord(decision_id, now.isoformat(), pack.digest, __version__, content, answer)))
    return decision_id


async def _store(row: DecisionRecord) -> None:
    store = Store(settings().database_file, deadline=_PATIENCE_SECONDS)
    try:
        await store.open()
        await store.record(row)
    finally:
        await store.close()
