"""What was known when it was decided: how old it was, whether the person could be contacted, whether a port-out was under way."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.engine.case import Case
from app.engine.decision import Decision
from app.engine.pack import Pack
from app.engine.texts import Language
from app.engine.vocabulary import SECTIONS

_DAY = datetime.timedelta(days=1)


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


def contactable(pack: Pack, case: Case, decision: Decision, language: Language) -> Contactable:
    """Consent, objections and hours, and what contact policy and guardrails said."""
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


def port_out(pack: Pack, case: Case, decision: Decision) -> PortOut:
    """Whether a port-out was in progress."""
    held: list[Any] = [decision.facts.values[rule.clause.slot] for rule in pack.hands_off if rule.moment == "port_out"]
    port = case.subscriber.port
    told: Literal["yes", "no", "unknown"] = "yes" if True in held else "unknown" if None in held or not held else "no"
    last = port.last_on if port else None
    return PortOut(told, port.state if port else None, str(last) if last else None)
