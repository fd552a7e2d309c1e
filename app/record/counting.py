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
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from app.engine.case import Case
from app.engine.decision import Decision
from app.record.canonical import canonical

GROUPS = ("tenure", "age", "region", "tier", "channel")
"""What decisions are counted by, each alone: two together would point at few people."""
TENURE = {0: "0-5", 6: "6-11", 12: "12-23", 24: "24-59", 60: "60-119", 120: "120-"}
"""Bands of tenure by their first month."""
UNKNOWN = "unknown"
_POLICY = ("contact", "guardrail")
_starts = tuple(TENURE)
_bands = tuple(TENURE.values())

Kept = dict[tuple[str, str, str], list[str]]
"""Actions that are not on the list, by gate, cause and clause."""


def counted(at: datetime.datetime, pack: str, counts: Sequence[Sequence[Any]]) -> Mapping[str, Any]:
    """Counts as an entry brings them: of the day, UTC, and of the pack with this digest."""
    return {"day": at.astimezone(datetime.UTC).date().isoformat(), "pack": pack, "counts": counts}


def kept_out(decision: Decision) -> Kept:
    """What kept each action off the list."""
    kept: Kept = {}
    for action, cause, clause, failing, _, _ in decision.outcomes:
        if cause is not None:
            key = (failing[0].gate if failing else "arbitration", cause, clause or "")
            if key in kept:
                kept[key].append(action)
            else:
                kept[key] = [action]
    return kept


def is_test_line(case: Case) -> bool:
    """Is the line the operator's own, for tests or staff: it is not counted."""
    account = case.subscriber.account
    return account is not None and account.test_number is True


def counts_of(case: Case, decision: Decision, kept: Kept) -> list[tuple[str, str, int]]:
    """What a decision adds: measure, what it is grouped by, number."""
    counts = [*_by_group(case, decision), *_by_gate(decision, kept)]
    counts += [("action", _grouped("action", item.action), 1) for item in decision.ranked]
    if decision.empty_because is not None:
        counts.append(("empty", _grouped("because", decision.empty_because), 1))
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
    return ["{}", *map(_grouped, GROUPS, values)]


def _tenure(months: int | None) -> str:
    return UNKNOWN if months is None else _bands[bisect_right(_starts, months) - 1]


def _by_gate(decision: Decision, kept: Kept) -> Iterator[tuple[str, str, int]]:
    if decision.ranked:
        yield "funnel", _at_gate("offered", "offered"), len(decision.ranked)
    numbers: dict[tuple[str, str], int] = {}
    for (gate, cause, clause), actions in kept.items():
        numbers[gate, cause] = numbers.get((gate, cause), 0) + len(actions)
        if gate in _POLICY:
            yield "kept_out", _at_gate(gate, cause, clause), len(actions)
    for (gate, cause), number in numbers.items():
        yield "funnel", _at_gate(gate, cause), number


@lru_cache(maxsize=4096)
def _grouped(name: str, value: str) -> str:
    return canonical({name: value}).decode()


@lru_cache(maxsize=4096)
def _at_gate(gate: str, cause: str, clause: str | None = None) -> str:
    return canonical({"gate": gate, "cause": cause} | ({} if clause is None else {"clause": clause})).decode()
