"""`--record`: a live decision goes on the record before it is shown."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from app.api.answers import answer_bytes
from app.cli.packs import settings
from app.record import Ids
from app.record.decisions import Asked, decision_entry
from app.record.opening import record_now

if TYPE_CHECKING:
    from app.engine.answer import Explanation
    from app.engine.case import Case
    from app.engine.decision import Decision
    from app.engine.pack import Pack

CALLER = "cli"
"""What the record calls whoever uses the command line."""


def record(pack: Pack, case: Case, decision: Decision, explanation: Explanation, now: datetime.datetime) -> str:
    """Put a decision on the record that WANLIU_DATABASE_URL names; it is durable when this returns its id.

    Raises:
        StoreError: it was not stored.
        KeysProblem: the record's keys cannot be had.
    """
    decision_id = str(Ids().new(now))
    answer = answer_bytes(explanation, pack, now, decision_id)
    entry = decision_entry(decision_id, now, pack, case, decision, answer, Asked(CALLER, case.asker.role))
    with record_now(settings(), lambda: datetime.datetime.now(datetime.UTC)) as opened:
        opened.write_now(entry)
    return decision_id
