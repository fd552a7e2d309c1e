"""The figures a reviewer asks for, from anonymous daily counts: they hold no case, and stay as they are when a person is erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from app.engine.pack import Pack
from app.engine.problems import PackError
from app.engine.tree import Call, walk
from app.record.packs.library import DamagedPack
from app.record.packs.steps import UnknownPack
from app.record.reading.agents import AgentFigures, agent_figures
from app.record.reading.counts import Counts, counts_by_pack, joined, share
from app.record.reading.groups import GroupFigure, group_figures
from app.record.reading.replaying import Packs


@dataclass(frozen=True, slots=True)
class GateFigure:
    """Actions by the gate they came to, and why they came no further; `share` of all actions considered."""

    gate: str
    cause: str
    actions: int
    share: float


@dataclass(frozen=True, slots=True)
class ClauseFigure:
    """Actions that a clause of contact policy or a guardrail kept out; `cap` where the clause counts contacts or refusals."""

    gate: str
    clause: str
    cause: str
    actions: int
    share: float
    cap: bool


@dataclass(frozen=True, slots=True)
class EmptyFigure:
    """Decisions with nothing on the list, by cause; `share` of all decisions."""

    because: str
    decisions: int
    share: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures over some days. Test and staff numbers are left out of all of them.

    Attributes:
        since: first day.
        until: last day.
        decisions: how many.
        packs: decisions by digest of the pack.
        funnel: actions by gate.
        suppressions: actions kept out by contact policy and guardrails, most first.
        capped: share of all actions considered that frequency caps kept out.
        empty: decisions with nothing on the list.
        groups: offers and concessions by group.
        agents: what agents did with the recommendation.
    """

    since: str
    until: str
    decisions: int
    packs: Mapping[str, int]
    funnel: Sequence[GateFigure]
    suppressions: Sequence[ClauseFigure]
    capped: float
    empty: Sequence[EmptyFigure]
    groups: Sequence[GroupFigure]
    agents: Sequence[AgentFigures]


def figures(connection: Connection, packs: Packs, since: str, until: str, pack: str | None = None) -> Figures:
    """The figures of some days, both included.

    Args:
        connection: one reading transaction.
        packs: every pack ever used, to tell which clauses are caps.
        since: first day, `2026-11-01`.
        until: last day.
        pack: digest; none takes all packs together, but for groups, which are told pack by pack.
    """
    by_pack = dict(counts_by_pack(connection, since, until, pack))
    total = joined(by_pack.values())
    decisions = total["decision"][()]
    considered = total["funnel"].total()
    suppressions = _suppressions(total, considered, _caps(packs, by_pack))
    return Figures(
        since,
        until,
        decisions,
        {digest: counts["decision"][()] for digest, counts in sorted(by_pack.items())},
        _funnel(total, considered),
        suppressions,
        share(sum(item.actions for item in suppressions if item.cap), considered),
        _empty(total, decisions),
        [row for digest, counts in sorted(by_pack.items()) for row in group_figures(digest, counts)],
        agent_figures(connection, since, until, pack),
    )


def _funnel(total: Counts, considered: int) -> list[GateFigure]:
    gates = ("eligible", "applicable", "suitable", "contact", "guardrail", "arbitration", "offered")
    rows = [(dict(key), number) for key, number in total["funnel"].items()]
    found = [GateFigure(row["gate"], row["cause"], number, share(number, considered)) for row, number in rows]
    return sorted(found, key=lambda item: (gates.index(item.gate) if item.gate in gates else len(gates), -item.actions))


def _suppressions(total: Counts, considered: int, caps: frozenset[str]) -> list[ClauseFigure]:
    rows = [(dict(key), number) for key, number in total["kept_out"].items()]
    found = [
        ClauseFigure(
            row["gate"],
            row["clause"],
            row["cause"],
            number,
            share(number, considered),
            row["gate"] == "contact" and row["clause"] in caps,
        )
        for row, number in rows
    ]
    return sorted(found, key=lambda item: (-item.actions, item.gate, item.clause, item.cause))


def _empty(total: Counts, decisions: int) -> list[EmptyFigure]:
    found = [EmptyFigure(dict(key)["because"], number, share(number, decisions)) for key, number in total["empty"].items()]
    return sorted(found, key=lambda item: (-item.decisions, item.because))


def _caps(packs: Packs, digests: Iterable[str]) -> frozenset[str]:
    """Contact clauses that count contacts or refusals, in any of the packs."""
    found: set[str] = set()
    for digest in digests:
        try:
            found |= caps_of(packs.get(digest))
        except (PackError, UnknownPack, DamagedPack):
            continue
    return frozenset(found)


def caps_of(pack: Pack) -> frozenset[str]:
    """Contact clauses of a pack that count contacts or refusals."""
    clauses = {clause.name: clause.tree for action in pack.actions for clause in action.contact}
    return frozenset(
        name for name, tree in clauses.items() if any(isinstance(node, Call) and node.function == "contacted" for node in walk(tree))
    )
