"""A decision with everything needed to understand it: who asked, what was known, what was considered, what came of it, how it is proved."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app import __version__
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.gates import in_full
from app.engine.pack import Pack
from app.engine.problems import PackError
from app.engine.texts import Language
from app.engine.vocabulary import SECTIONS
from app.record.log import tree
from app.record.packs.library import DamagedPack
from app.record.packs.standing import read_history
from app.record.packs.steps import UnknownPack
from app.record.reading.ranking import Compared, compared
from app.record.reading.recorded import Recorded, State
from app.record.reading.replaying import Packs, answered_again
from app.record.store.tables import IdempotencyRow, OutcomeRow

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PackUsed:
    """The pack that decided. `steps`: who published, approved and activated it, and when; empty for one that was never published."""

    digest: str
    name: str | None
    version: str | None
    author: str | None
    steps: Sequence[Mapping[str, str | None]]


@dataclass(frozen=True, slots=True)
class Section:
    """A section of what was known: when its facts were true, how old they were then, and how old the pack lets any of them be, in days.

    `too_old` names its facts that were left unknown for their age.
    """

    section: str
    as_of: datetime.datetime
    age_days: int
    limit_days: int | None
    facts: int
    too_old: Sequence[str]


@dataclass(frozen=True, slots=True)
class PolicyClause:
    """A clause of contact policy or a guardrail: of how many actions that came so far it permitted, kept out, could not tell."""

    gate: str
    clause: str
    title: str
    permitted: int
    kept_out: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Contactable:
    """Whether and how the person could be contacted at that time.

    Attributes:
        local_time: at the contact, in the subscriber's zone; with weekday (1 is Monday) and whether a public holiday.
        consent: as it was known: marketing, personalised, refused channels …
        refusals: refusals among the contacts that were known, newest first.
        clauses: what contact policy and guardrails said.
    """

    local_time: datetime.datetime
    weekday: int
    holiday: bool
    consent: Mapping[str, Any]
    refusals: Sequence[Mapping[str, Any]]
    clauses: Sequence[PolicyClause]


@dataclass(frozen=True, slots=True)
class PortOut:
    """Whether a port-out was in progress: by the pack's own hands-off clause, and by the state as it was known."""

    in_progress: Literal["yes", "no", "unknown"]
    state: str | None
    last_on: str | None


@dataclass(frozen=True, slots=True)
class Considered:
    """An action that was considered: its place and the parts of its score, or why not. `failing`: every clause that kept it out."""

    action: str
    title: str
    rank: int | None
    duty: str | None
    tariff: str | None
    concession: int | None
    cause: str | None
    clause: str | None
    gate: str | None
    failing: Sequence[str]
    lost_to: str | None
    behind: float | None


@dataclass(frozen=True, slots=True)
class Passed:
    """A stronger stage or phase that was not chosen, with the clauses that failed, and those that were unknown."""

    id: str
    failed: Sequence[str]
    unknown: Sequence[str]


@dataclass(frozen=True, slots=True)
class Working:
    """What the pack on record makes of the case on record, worked out again by this engine.

    `faithful` is whether this gives the answer on record to the byte; where it does not, a replay tells what differs.
    """

    engine: str
    faithful: bool
    phase_because: Sequence[str]
    phases_passed: Sequence[Passed]
    stage_because: Sequence[str]
    considered: Sequence[Considered]
    order: Sequence[Compared]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an action afterwards."""

    entry_id: str
    at: str
    action: str
    outcome: str
    agent: str | None
    confirmed_by: str | None
    reason: str | None


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
        outcomes: what came of it.
        idempotency_key: what the caller asked it under.
        proof: its place in the log.
        case: what it was decided from.
        answer: as it was given.
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
    outcomes: Sequence[Answered]
    idempotency_key: str | None
    proof: Proved
    case: Mapping[str, Any] | None
    answer: Mapping[str, Any] | None


def dossier(connection: Connection, recorded: Recorded, packs: Packs, language: Language = "zh") -> Dossier:
    """Gather everything about a decision.

    Args:
        connection: the reading transaction that `recorded` was read in.
        recorded: a decision.
        packs: every pack ever used.
        language: of titles.
    """
    case = recorded.case
    pack, hindered = (None, "the person was erased") if case is None else _pack(packs, recorded.body["pack"])
    known = contact = port_out = working = None
    if case is not None and pack is not None:
        decision = decide(pack, case)
        known, port_out = sections(pack, case, decision), _port_out(pack, case, decision)
        working = _working(pack, recorded, case, decision, language)
        contact = _contactable(pack, case, decision, language)
    return Dossier(
        id=recorded.id,
        at=recorded.envelope["at"],
        state=recorded.state,
        envelope=recorded.envelope,
        pack=_used(connection, recorded.body["pack"]),
        known=known,
        contact=contact,
        port_out=port_out,
        working=working,
        why_not_worked_out=hindered,
        outcomes=outcomes_of(connection, recorded.id),
        idempotency_key=_key(connection, recorded.id),
        proof=_proved(connection, recorded),
        case=None if recorded.private is None else recorded.private["case"],
        answer=None if recorded.answer is None else orjson.loads(recorded.answer),
    )


def sections(pack: Pack, case: Case, decision: Decision) -> list[Section]:
    """What was known, with the age of each section."""
    found = []
    for name in SECTIONS:
        part = getattr(case.subscriber, name, None)
        if part is None:
            continue
        as_of = getattr(part, "as_of", None) or case.times.as_of
        given = [field for field in part.model_fields_set if field != "as_of" and getattr(part, field) is not None]
        limits = [limit for key, limit in pack.ages.items() if key.partition(".")[0] == name]
        too_old = [fact for fact in decision.facts.too_old if fact.startswith(f"{name}.")]
        found.append(Section(name, as_of, max((case.times.as_of - as_of) // _DAY, 0), max(limits, default=None), len(given), too_old))
    for name in ("events", "contacts"):
        rows = getattr(case.subscriber, name)
        if rows is not None:
            found.append(Section(name, case.times.as_of, 0, None, len(rows), ()))
    return found


def outcomes_of(connection: Connection, decision_id: str) -> list[Answered]:
    """What became of a decision's actions, oldest first."""
    names = ("entry_id", "at", "action", "outcome", "agent", "reference", "reason")
    query = select(*(col(getattr(OutcomeRow, name)) for name in names)).where(col(OutcomeRow.decision_id) == decision_id)
    return [Answered(*row) for row in connection.execute(query.order_by(col(OutcomeRow.at), col(OutcomeRow.entry_id)))]


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


def _working(pack: Pack, recorded: Recorded, case: Case, decision: Decision, language: Language) -> Working:
    answer = recorded.answer or "{}"
    return Working(
        __version__,
        answered_again(pack, case, recorded.body, answer) == answer.encode(),
        decision.phase.because,
        _passed(decision.phase.passed),
        decision.stage.because,
        _considered(pack, in_full(pack, decision), language),
        compared(pack, decision),
    )


def _passed(places: Sequence[Any]) -> list[Passed]:
    return [
        Passed(item.id, [step.clause for step in item.failing if not step.unknown], [step.clause for step in item.failing if step.unknown])
        for item in places
    ]


def _considered(pack: Pack, decision: Decision, language: Language) -> list[Considered]:
    ranked = {item.action: item for item in decision.ranked}
    found = []
    for outcome in decision.outcomes:
        item, title = ranked.get(outcome.action), pack.by_id[outcome.action].title.say(language)
        gate = outcome.failing[0].gate if outcome.failing else None
        found.append(
            Considered(
                outcome.action,
                title,
                item.rank if item else None,
                item.duty if item else None,
                item.tariff if item else None,
                item.concession if item else None,
                outcome.cause,
                outcome.clause,
                gate,
                [f"{step.gate}.{step.clause}" for step in outcome.failing],
                outcome.lost_to,
                outcome.behind,
            )
        )
    return sorted(found, key=lambda item: (item.rank is None, item.rank or 0, item.action))


def _contactable(pack: Pack, case: Case, decision: Decision, language: Language) -> Contactable:
    times, consent = case.times, case.subscriber.consent
    refused = [row for row in case.subscriber.contacts or () if row.result == "refused"]
    return Contactable(
        times.contact_at.astimezone(datetime.timezone(datetime.timedelta(minutes=times.offset))),
        times.contact_day.isoweekday(),
        times.contact_day.toordinal() in pack.holidays,
        consent.model_dump(mode="json", exclude_unset=True) if consent else {},
        [row.model_dump(mode="json", exclude_none=True) for row in sorted(refused, key=lambda row: row.at, reverse=True)],
        _clauses(pack, decision, language),
    )


def _clauses(pack: Pack, decision: Decision, language: Language) -> list[PolicyClause]:
    """What contact policy and guardrails said of the actions that came so far: their gates were open, or they are a fallback."""
    said: dict[tuple[str, str], list[int]] = {}
    values = decision.facts.values
    for outcome in decision.outcomes:
        if outcome.cause in (None, "outranked") or outcome.failing[0].gate in ("contact", "guardrail"):
            action = pack.by_id[outcome.action]
            for clause in (*action.contact, *action.guardrails):
                value = values[clause.slot]
                counts = said.setdefault((clause.gate, clause.name), [0, 0, 0])
                counts[0 if value is True or (value is None and clause.allows_unknown) else 2 if value is None else 1] += 1
    titles = {"contact": pack.contact_rules, "guardrail": pack.guardrail_rules}
    return [PolicyClause(gate, name, titles[gate][name].title.say(language), *counts) for (gate, name), counts in said.items()]


def _port_out(pack: Pack, case: Case, decision: Decision) -> PortOut:
    held: list[Any] = [decision.facts.values[rule.clause.slot] for rule in pack.hands_off if rule.moment == "port_out"]
    port = case.subscriber.port
    told: Literal["yes", "no", "unknown"] = "yes" if True in held else "unknown" if None in held or not held else "no"
    last = port.last_on if port else None
    return PortOut(told, port.state if port else None, str(last) if last else None)


def _key(connection: Connection, entry_id: str) -> str | None:
    query = select(col(IdempotencyRow.key)).where(col(IdempotencyRow.entry_id) == entry_id)
    return connection.execute(query.limit(1)).scalar_one_or_none()


def _proved(connection: Connection, recorded: Recorded) -> Proved:
    leaf = recorded.leaf
    if leaf is None:
        return Proved(None, None, None, None)
    covering = tree.checkpoint(connection, covering=leaf.index)
    return Proved(leaf.index, leaf.hash.hex(), covering.size if covering else None, covering.at if covering else None)
