"""A decision with everything needed to understand it: who asked, what was known, what was considered, what came of it, how it is proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.decide import decide
from app.engine.pack import Pack
from app.engine.problems import PackError
from app.engine.texts import Language
from app.record.campaigns.held import held_of
from app.record.campaigns.within import WithinLimits
from app.record.keys import Keys
from app.record.log import tree
from app.record.packs.library import DamagedPack
from app.record.packs.standing import read_history
from app.record.packs.steps import UnknownPack
from app.record.reading.afterwards import Answered, outcomes_of
from app.record.reading.conversations import Around, around
from app.record.reading.knowing import Contactable, PortOut, Section, contactable, port_out, sections
from app.record.reading.recorded import Recorded, State
from app.record.reading.remaking import with_answer_if_any
from app.record.reading.replaying import Packs
from app.record.reading.working import Working, working
from app.record.store.tables import IdempotencyRow


@dataclass(frozen=True, slots=True)
class PackUsed:
    """The pack that decided. `steps`: who published, approved and activated it, and when; empty for one that was never published."""

    digest: str
    name: str | None
    version: str | None
    author: str | None
    steps: Sequence[Mapping[str, str | None]]


@dataclass(frozen=True, slots=True)
class Proved:
    """Where the decision stands in the log; `leaf` none while it waits to be sealed, for a second."""

    leaf: int | None
    leaf_hash: str | None
    checkpoint_size: int | None
    checkpoint_at: str | None


@dataclass(frozen=True, slots=True)
class Dossier:
    """A decision on record. Of an erased person there is the envelope, and what does not need the case.

    Attributes:
        id: of the decision.
        at: when it was made.
        state: `readable`, or `erased`.
        envelope: what the leaf covers: who asked, when, where, pack, phase, signals, list, cause and clause of every other action.
        pack: the pack that decided.
        known: what was known, section by section.
        contact: consent, objections, hours.
        port_out: whether a port-out was in progress.
        working: every action considered, worked out again.
        why_not_worked_out: what hindered that.
        limits: what limits over everybody made of a campaign's list, action by action; none where there were none.
        conversation: the decisions before and after it in the same conversation.
        outcomes: what came of it.
        idempotency_key: what the caller asked it under.
        proof: its place in the log.
        case: what it was decided from.
        answer: as it was given; of a campaign, as it would have been.
    """

    id: str
    at: str
    state: State
    envelope: Mapping[str, Any]
    pack: PackUsed
    known: Sequence[Section] | None
    contact: Contactable | None
    port_out: PortOut | None
    working: Working | None
    why_not_worked_out: str | None
    limits: Sequence[WithinLimits] | None
    conversation: Around
    outcomes: Sequence[Answered]
    idempotency_key: str | None
    proof: Proved
    case: Mapping[str, Any] | None
    answer: Mapping[str, Any] | None


def dossier(connection: Connection, keys: Keys, recorded: Recorded, packs: Packs, language: Language = "zh") -> Dossier:
    """Gather everything about a decision.

    Args:
        connection: the reading transaction that `recorded` was read in.
        keys: of the record.
        recorded: a decision.
        packs: every pack ever used.
        language: of titles.

    Raises:
        DamagedEntry: what is private of an outcome is not what was recorded.
    """
    case, answer = recorded.case, with_answer_if_any(recorded, packs).answer
    pack, hindered = (None, "the person was erased") if case is None else _pack(packs, recorded.body["pack"])
    known = contact = port = worked_out = None
    if case is not None and pack is not None:
        decision = decide(pack, case)
        known, port = sections(pack, case, decision), port_out(pack, case, decision)
        worked_out = working(pack, recorded, case, decision, language)
        contact = contactable(pack, case, decision, language)
    return Dossier(
        id=recorded.id,
        at=recorded.envelope["at"],
        state=recorded.state,
        envelope=recorded.envelope,
        pack=_used(connection, recorded.body["pack"]),
        known=known,
        contact=contact,
        port_out=port,
        working=worked_out,
        why_not_worked_out=hindered,
        limits=held_of(connection, recorded.id),
        conversation=around(connection, recorded),
        outcomes=outcomes_of(connection, keys, recorded),
        idempotency_key=_key(connection, recorded.id),
        proof=_proved(connection, recorded),
        case=None if recorded.private is None else recorded.private["case"],
        answer=None if answer is None else orjson.loads(answer),
    )


def _pack(packs: Packs, digest: str) -> tuple[Pack | None, str | None]:
    try:
        return packs.get(digest), None
    except (PackError, UnknownPack, DamagedPack) as error:
        return None, f"the pack cannot be used by this engine: {str(error).partition(chr(10))[0]}"


def _used(connection: Connection, digest: str) -> PackUsed:
    history = read_history(connection, digest)
    first = next((step for step in history.steps if step.step == "published"), None)
    names = ("step", "at", "by", "effective_at", "note")
    steps = [{name: getattr(step, name) for name in names} for step in history.steps]
    told = first.told if first is not None else {}
    return PackUsed(digest, told.get("name"), told.get("version"), first.by if first is not None else None, steps)


def _key(connection: Connection, entry_id: str) -> str | None:
    query = select(col(IdempotencyRow.key)).where(col(IdempotencyRow.entry_id) == entry_id)
    return connection.execute(query.limit(1)).scalar_one_or_none()


def _proved(connection: Connection, recorded: Recorded) -> Proved:
    leaf = recorded.leaf
    if leaf is None:
        return Proved(None, None, None, None)
    covering = tree.checkpoint(connection, covering=leaf.index)
    return Proved(leaf.index, leaf.hash.hex(), covering.size if covering else None, covering.at if covering else None)
