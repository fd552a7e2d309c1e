"""Conversations: what went before a decision and came after it, and what was refused or accepted on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.case import Settled
from app.record.keys import Keys
from app.record.reading.recorded import Recorded, codes_of, read_decision
from app.record.store.tables import ContactRow, SuccessorRow

LONGEST = 50
"""Decisions of a conversation, answers and all."""
_ACCEPTED = ("accepted", "activated")


@dataclass(frozen=True, slots=True)
class Step:
    """A decision of a conversation that may go on.

    Attributes:
        decision: the one that was answered.
        settled: what was refused or accepted of this and earlier decisions of the conversation.
        successor: the id of the next decision, where there is one already.
    """

    decision: Recorded
    settled: tuple[Settled, ...]
    successor: str | None

    @property
    def conceded(self) -> int:
        """The largest concession on its list, in the currency's smallest unit."""
        return int((self.decision.private or {}).get("conceded", 0))


@dataclass(frozen=True, slots=True)
class Around:
    """The decisions of a conversation around one of them, by id, oldest first."""

    before: Sequence[str]
    after: Sequence[str]


def step_of(connection: Connection, keys: Keys, decision_id: str) -> Step | None:
    """A decision, as what goes on from it needs it; none where there is no such decision.

    Raises:
        DamagedEntry: it is not what was recorded.
    """
    found = read_decision(connection, keys, decision_id)
    if found is None:
        return None
    case = found.case
    before = case.conversation.decisions if case is not None and case.conversation is not None else ()
    return Step(found, tuple(_settled(connection, (*before, decision_id))), successor_of(connection, decision_id))


def successor_of(connection: Connection, decision_id: str) -> str | None:
    """The next decision in the conversation; none where this is the last."""
    query = select(col(SuccessorRow.entry_id)).where(col(SuccessorRow.parent) == decision_id)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def around(connection: Connection, decision: Recorded) -> Around:
    """The decisions before and after one in its conversation, as entries name their parents; rows only find them."""
    before, after = list(_before(connection, decision)), list(_after(connection, decision.id))
    return Around(before[::-1], after)


def _before(connection: Connection, decision: Recorded) -> Iterator[str]:
    parent = decision.body.get("parent")
    for _ in range(LONGEST):
        if parent is None:
            return
        yield parent
        parent = _parent(connection, parent)


def _after(connection: Connection, decision_id: str) -> Iterator[str]:
    for _ in range(LONGEST):
        found = successor_of(connection, decision_id)
        if found is None or _parent(connection, found) != decision_id:
            return
        yield found
        decision_id = found


def _parent(connection: Connection, decision_id: str) -> str | None:
    codes = codes_of(connection, decision_id)
    return None if codes is None else codes.body.get("parent")


def _settled(connection: Connection, decisions: Sequence[str]) -> Iterator[Settled]:
    """What was refused or accepted of these decisions, oldest first; how it ended last counts."""
    query = (
        select(col(ContactRow.action), col(ContactRow.kind), col(ContactRow.result))
        .where(col(ContactRow.decision_id).in_(decisions), col(ContactRow.result).in_(("refused", *_ACCEPTED)))
        .order_by(col(ContactRow.at), col(ContactRow.id))
    )
    for row in connection.execute(query):
        yield Settled(row.action, row.kind or "", row.result == "refused")
