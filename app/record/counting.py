"""What decisions add to the anonymous counts.

The counts are anonymous, by day and pack, and stay when a person is erased. Numbers of test and staff lines are left out. Measures, and
what each is grouped by:

| measure | grouped by | counts |
| --- | --- | --- |
| `decision` | nothing, and each of `GROUPS` alone | decisions |
| `offered` | the same | decisions with an offer on the list (duty `offer`) |
| `conceded` | the same | decisions with a concession on the list |
| `concession` | the same | concession on the list, in fen |
| `empty` | `because` | decisions with nothing on the list |
| `funnel` | `gate`, `cause` | actions, by the gate they came to: eligible, applicable, suitable, contact, guardrail, arbitration, offered |
| `kept_out` | `gate`, `cause`, `clause` | actions that contact policy or a guardrail kept out |
| `action` | `action` | times on the list |

`grouped` is canonical JSON: `{}`, `{"tier":"gold"}`, `{"cause":"unknown","gate":"contact"}`. What is not known of a person is `unknown`.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from app.engine.case import Case
from app.engine.decision import Decision, Outcome
from app.engine.once import once_a_pack
from app.engine.pack import Pack
from app.engine.to_python import picker
from app.record.canonical import canonical

GROUPS = ("tenure", "age", "region", "tier", "channel")
"""What decisions are counted by, each alone: two together would point at few people."""
TENURE = {0: "0-5", 6: "6-11", 12: "12-23", 24: "24-59", 60: "60-119", 120: "120-"}
"""Bands of tenure by their first month."""
UNKNOWN = "unknown"
_POLICY = ("contact", "guardrail")
_starts = tuple(TENURE)
_bands = tuple(TENURE.values())

Kept = dict[tuple[str, str], dict[str, list[str]]]
"""Actions that are not on the list: by gate and cause, then by clause."""
_SHUT = ("applicable", "not_applicable")
"""Gate and cause of what is shut by phase or channel."""


def counted(at: datetime.datetime, pack: str, counts: Sequence[Sequence[Any]]) -> Mapping[str, Any]:
    """Counts as an entry brings them: of the day, UTC, and of the pack with this digest."""
    return {"day": at.astimezone(datetime.UTC).date().isoformat(), "pack": pack, "counts": counts}


class Shut(NamedTuple):
    """The actions that are shut on a channel in a phase: how their outcomes are picked from all, and those of the others; the outcomes, at
    which place the first is, and the actions by clause."""

    pick: Callable[[tuple[Outcome, ...]], tuple[Outcome, ...]]
    pick_others: Callable[[tuple[Outcome, ...]], tuple[Outcome, ...]]
    outcomes: tuple[Outcome, ...]
    first: int
    clauses: dict[str, list[str]]


def kept_out(pack: Pack, case: Case, decision: Decision) -> Kept:
    """What kept each action off the list, in the order of actions.

    What is shut is put together once a pack. Not so of somebody who may not be profiled: marketing may meet them in another phase.
    """
    outcomes, shut = decision.outcomes, _shut(pack)[case.channel][decision.phase.id]
    kept: Kept = {}
    if not decision.personalised or not shut.outcomes or shut.pick(outcomes) != shut.outcomes:
        _put(kept, outcomes)
        return kept
    others = shut.pick_others(outcomes)
    _put(kept, others[: shut.first])
    kept.setdefault(_SHUT, {})
    _put(kept, others[shut.first :])
    kept[_SHUT] |= shut.clauses
    return kept


@once_a_pack
def _shut(pack: Pack) -> Mapping[str, Mapping[str, Shut]]:
    return {channel: {phase: _shut_by(doors.shut) for phase, doors in phases.items()} for channel, phases in pack.doors.items()}


def _shut_by(met: Sequence[Outcome | None]) -> Shut:
    places = [place for place, item in enumerate(met) if item is not None]
    outcomes = tuple(filter(None, met))
    kept: Kept = {}
    _put(kept, outcomes)
    others = [place for place, item in enumerate(met) if item is None]
    return Shut(picker(places), picker(others), outcomes, min(places, default=0), kept.get(_SHUT, {}))


def _put(kept: Kept, outcomes: Iterable[Outcome]) -> None:
    for action, cause, clause, failing, _, _ in outcomes:
        if cause is not None:
            key = (failing[0].gate if failing else "arbitration", cause)
            clauses = kept.get(key)
            if clauses is None:
                clauses = kept[key] = {}
            name = clause or ""
            if name in clauses:
                clauses[name].append(action)
            else:
                clauses[name] = [action]


def is_test_line(case: Case) -> bool:
    """Is the line the operator's own, for tests or staff: it is not counted."""
    account = case.subscriber.account
    return account is not None and account.test_number is True


def counts_of(pack: Pack, case: Case, decision: Decision, kept: Kept) -> list[tuple[str, str, int]]:
    """What a decision adds: measure, what it is grouped by, number."""
    counts = [*_by_group(case, decision), *_by_gate(pack, decision, kept)]
    counts += [("action", grouped("action", item.action), 1) for item in decision.ranked]
    if decision.empty_because is not None:
        counts.append(("empty", grouped("because", decision.empty_because), 1))
    return counts


def _by_group(case: Case, decision: Decision) -> Iterator[tuple[str, str, int]]:
    offered = any(item.duty == "offer" for item in decision.ranked)
    concession = sum(item.concession for item in decision.ranked)
    for group in _groups(case):
        yield "decision", group, 1
        if offered:
            yield "offered", group, 1
        if concession:
            yield "conceded", group, 1
            yield "concession", group, concession


def _groups(case: Case) -> list[str]:
    account, holder, vip = case.subscriber.account, case.subscriber.holder, case.subscriber.vip
    values = (
        _tenure(account.tenure_months if account else None),
        (holder and holder.age_band) or UNKNOWN,
        (account and account.province) or UNKNOWN,
        (vip and vip.tier) or UNKNOWN,
        case.channel,
    )
    return ["{}", *map(grouped, GROUPS, values)]


def _tenure(months: int | None) -> str:
    return UNKNOWN if months is None else _bands[bisect_right(_starts, months) - 1]


def _by_gate(pack: Pack, decision: Decision, kept: Kept) -> Iterator[tuple[str, str, int]]:
    if decision.ranked:
        yield "funnel", at_gate("offered", "offered"), len(decision.ranked)
    policy = [(*key, clause, actions) for key, clauses in kept.items() if key[0] in _POLICY for clause, actions in clauses.items()]
    for gate, cause, clause, actions in sorted(policy, key=lambda item: pack.places[item[3][0]]):
        yield "kept_out", at_gate(gate, cause, clause), len(actions)
    for (gate, cause), clauses in kept.items():
        yield "funnel", at_gate(gate, cause), sum(map(len, clauses.values()))


@lru_cache(maxsize=4096)
def grouped(name: str, value: str) -> str:
    """What a count is grouped by, as it is told."""
    return canonical({name: value}).decode()


@lru_cache(maxsize=4096)
def at_gate(gate: str, cause: str, clause: str | None = None) -> str:
    """The gate that actions came to, as what a count is grouped by."""
    return canonical({"gate": gate, "cause": cause} | ({} if clause is None else {"clause": clause})).decode()
