"""A decision as an entry: what was concluded, as codes; the case and the answer, for the subject's key; what it adds to the counts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app import __version__
from app.engine.case import Case
from app.engine.conversation import conceded
from app.engine.decision import Decision, Ranked
from app.engine.explain import Detail
from app.engine.once import once_a_pack
from app.engine.pack import Pack
from app.record.counting import Kept, counted, counts_of, is_test_line, kept_out
from app.record.entries import Idempotency, NewEntry, NewRow
from app.record.unread import Texts


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked, and how: what an entry says of a request beside its case.

    `grade` is an agent's, by which they see and concede; `agent` is the code of the person in front of the screen, `parent` the decision
    before in the same conversation.
    """

    caller: str
    role: str
    explain: Detail = "summary"
    history: str = "caller"
    mode: str = "live"
    agent: str | None = None
    grade: str | None = None
    parent: str | None = None


def decision_entry(
    entry_id: str,
    at: datetime.datetime,
    pack: Pack,
    case: Case,
    decision: Decision,
    answer: bytes,
    asked: Asked,
    idempotency: Idempotency | None = None,
) -> NewEntry:
    """The entry of a decision.

    Args:
        entry_id: the decision's id.
        at: when it was made.
        pack: what made it.
        case: what was decided.
        decision: the result.
        answer: as it is given, byte for byte.
        asked: who asked.
        idempotency: the caller's key for the request.
    """
    kept, most = kept_out(pack, case, decision), conceded(decision.ranked)
    return NewEntry(
        id=entry_id,
        kind="decision",
        at=at,
        body=_body(pack, case, decision, asked, kept),
        subscriber=case.subscriber.id,
        private=Texts({"case": case.as_json(), "answer": answer, **({"conceded": most} if most else {})}),
        idempotency=idempotency,
        rows=() if asked.parent is None else (NewRow("successor", successor_row(entry_id, asked.parent)),),
        tally=None if is_test_line(case) else counted(at, pack.digest, counts_of(pack, case, decision, kept)),
        choices=case.choices,
    )


def successor_row(entry_id: str, parent: str) -> dict[str, str]:
    """The row that restates the entry of a decision that went on in a conversation: its parent has no other successor.

    Args:
        entry_id: of the decision.
        parent: the one before.
    """
    return {"parent": parent, "entry_id": entry_id}


def _body(pack: Pack, case: Case, decision: Decision, asked: Asked, kept: Kept) -> dict[str, Any]:
    """What the envelope says: codes only."""
    optional = {
        "agent": asked.agent,
        "grade": asked.grade,
        "direction": case.direction,
        "reason": case.reason,
        "parent": asked.parent,
        "test_line": is_test_line(case) or None,
    }
    return {
        "caller": asked.caller,
        "role": asked.role,
        "channel": case.channel,
        "mode": asked.mode,
        "locale": case.locale,
        "explain": asked.explain,
        "history": asked.history,
        "pack": pack.digest,
        "engine": __version__,
        **{name: value for name, value in optional.items() if value is not None},
        **concluded(pack, decision, kept),
    }


def concluded(pack: Pack, decision: Decision, kept: Kept) -> dict[str, Any]:
    """What the envelope of a decision says of the decision itself: codes only.

    Args:
        pack: what made it.
        decision: the result.
        kept: what `kept_out` tells of it.
    """
    optional = {"empty_because": decision.empty_because, "closing": decision.closing}
    return {
        "stage": decision.stage.id,
        "phase": decision.phase.id,
        "moment": decision.moment,
        "personalised": decision.personalised,
        "signals": dict(decision.signals),
        "offered": [_offered(pack, item) for item in decision.ranked],
        "outcomes": _by_cause(kept),
        **{name: value for name, value in optional.items() if value is not None},
    }


def _by_cause(kept: Kept) -> dict[str, dict[str, list[str]]]:
    """The actions that are not on the list, by cause and clause."""
    found: dict[str, dict[str, list[str]]] = {}
    for (_, cause), clauses in kept.items():
        known = found.get(cause, {})
        found[cause] = known | {clause: known.get(clause, []) + actions for clause, actions in clauses.items()} if known else clauses
    return found


def _offered(pack: Pack, item: Ranked) -> dict[str, Any]:
    action = pack.by_id[item.action]
    told: dict[str, Any] = {"rank": item.rank, "action": item.action, "duty": item.duty, "kind": action.kind, "confirm": action.confirm}
    if item.tariff is not None:
        told["tariff"] = item.tariff
    if item.fallback_for is not None:
        told["fallback_for"] = item.fallback_for
    if action.opens is not None:
        told["opens"] = _opened(pack)[item.action]
    return told


@once_a_pack
def _opened(pack: Pack) -> Mapping[str, Mapping[str, Any]]:
    """What actions leave to be done, by action."""
    opening = {action.id: asdict(action.opens) for action in pack.actions if action.opens is not None}
    return {action: {name: value for name, value in opens.items() if value is not None} for action, opens in opening.items()}
