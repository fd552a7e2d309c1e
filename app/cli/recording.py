"""`--record`: a live decision goes on the record before it is shown."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from app.api.answers import answer_bytes
from app.cli.packs import settings
from app.engine.intake import with_history
from app.record.choices import standing_of
from app.record.contacts import contacts_of
from app.record.decisions import Asked, decision_entry
from app.record.ids import Ids
from app.record.packs.library import stored_content
from app.record.packs.publishing import read_content, sound
from app.record.packs.standing import read_history
from app.record.packs.steps import Checked, Desk
from app.record.reading.recorded import token_of
from app.record.store.opening import record_now
from app.record.store.problems import StoreError
from app.record.store.record import Record

if TYPE_CHECKING:
    from pathlib import Path

    from app.engine.answer import Explanation
    from app.engine.case import Case
    from app.engine.decision import Decision
    from app.engine.pack import Pack
    from app.engine.vocabulary import DecisionRequest

CALLER = "cli"
"""What the record calls whoever uses the command line."""


def record(
    pack: Pack, folder: Path, request: DecisionRequest, case: Case, decision: Decision, explanation: Explanation, now: datetime.datetime
) -> str:
    """Put a decision on the record that WANLIU_DATABASE_URL names, with the pack of the folder; it is durable when this returns its id.

    Raises:
        StoreError: it was not stored.
        KeysProblem: the record's keys cannot be had.
    """
    decision_id = Ids().new(now)
    answer = answer_bytes(explanation, pack, now, decision_id)
    asked = Asked(CALLER, case.asker.role, request.explain, request.history, agent=request.agent)
    with record_now(settings(), _clock) as opened:
        keep_pack(opened, pack, folder, now)
        opened.write_now(decision_entry(decision_id, now, pack, case, decision, answer, asked))
    return decision_id


def keep_pack(opened: Record, pack: Pack, folder: Path, now: datetime.datetime) -> None:
    """Have the pack in the store, so that whoever reads the decision finds what decided it."""
    if opened.read_now(lambda connection: stored_content(connection, pack.digest)) is not None:
        return
    content = sound(read_content(folder))
    if content.digest != pack.digest:
        raise StoreError(f"the pack in `{folder}` changed meanwhile; decide again")
    history = opened.read_now(read_history)
    entry = Desk(history, now, Ids()).publish(Checked(content, pack.name, pack.version), CALLER, None)
    if entry is not None:
        opened.write_now(entry)


def remembering(request: DecisionRequest, now: datetime.datetime) -> DecisionRequest:
    """The request with what the person chose for good, and with the contacts on the record where it wishes for them.

    Raises:
        StoreError: the record cannot be read.
        KeysProblem: its keys cannot be had.
    """
    who = request.subscriber.id
    with record_now(settings(), _clock) as opened:
        token = opened.read_now(lambda connection: token_of(connection, opened.keys, who))
        choices = () if token is None else opened.read_now(lambda connection: standing_of(connection, token))
        recorded = opened.read_now(lambda connection: contacts_of(connection, opened.keys, who))
    return with_history(request.with_choices(choices), recorded, now)


def _clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
