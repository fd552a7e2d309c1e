"""The figures a reviewer asks for, from anonymous daily counts: they hold no case, and stay as they are when a person is erased."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.pack import Pack
from app.engine.problems import PackError
from app.engine.tree import Call, walk
from app.record.decisions import GROUPS
from app.record.packs.library import DamagedPack
from app.record.packs.steps import UnknownPack
from app.record.reading.agents import AgentFigures, agent_figures
from app.record.reading.replaying import Packs
from app.record.store.tables import DailyCountRow

FEW = 30
"""Fewer decisions than these say little: such rows are marked."""
_Z = 1.96

Counts = Mapping[str, Counter[tuple[tuple[str, str], ...]]]
"""By measure, then by what is counted together."""


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
class GroupFigure:
    """How one group fared under one pack, beside all others under that pack.

    Attributes:
        pack: digest.
        by: `tenure`, `age`, `region`, `tier` or `channel`.
        group: a value of it; `unknown` where it was not known.
        decisions: about people of the group.
        offered: of these, with an offer on the list.
        offer_share: `offered` / `decisions`, with its 95 % interval (Wilson) beside it.
        offer_ratio: the group's share over that of all others (a plain rate ratio); none where that cannot be told.
        conceded: decisions with a concession on the list.
        concession_share: `conceded` / `decisions`, with its interval.
        concession_ratio: as `offer_ratio`.
        mean_concession: per decision, in the currency's smallest unit.
        mean_ratio: of it, over that of all others.
        few: fewer than 30 decisions, which say little.
    """

    pack: str
    by: str
    group: str
    decisions: int
    offered: int
    offer_share: float
    offer_interval: tuple[float, float]
    offer_ratio: float | None
    conceded: int
    concession_share: float
    concession_interval: tuple[float, float]
    concession_ratio: float | None
    mean_concession: float
    mean_ratio: float | None
    few: bool


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
    by_pack = dict(_read(connection, since, until, pack))
    total = _joined(by_pack.values())
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
        _share(sum(item.actions for item in suppressions if item.cap), considered),
        _empty(total, decisions),
        [row for digest, counts in sorted(by_pack.items()) for row in _groups(digest, counts)],
        agent_figures(connection, since, until, pack),
    )


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score, which stays within 0 and 1 and holds for small numbers too."""
    if whole == 0:
        return 0.0, 1.0
    share, spread = part / whole, _Z * _Z / whole
    middle = share + spread / 2
    half = _Z * math.sqrt(share * (1 - share) / whole + spread / (4 * whole))
    return max((middle - half) / (1 + spread), 0.0), min((middle + half) / (1 + spread), 1.0)


def _read(connection: Connection, since: str, until: str, pack: str | None) -> Iterator[tuple[str, Counts]]:
    columns = (col(DailyCountRow.pack), col(DailyCountRow.measure), col(DailyCountRow.grouped), col(DailyCountRow.number))
    query = select(*columns).where(col(DailyCountRow.day) >= since, col(DailyCountRow.day) <= until)
    found: dict[str, dict[str, Counter[tuple[tuple[str, str], ...]]]] = {}
    for row in connection.execute(query if pack is None else query.where(col(DailyCountRow.pack) == pack)):
        counts = found.setdefault(row.pack, defaultdict(Counter))
        counts[row.measure][tuple(sorted(orjson.loads(row.grouped).items()))] += row.number
    yield from found.items()


def _joined(parts: Iterable[Counts]) -> Counts:
    total: defaultdict[str, Counter[tuple[tuple[str, str], ...]]] = defaultdict(Counter)
    for part in parts:
        for measure, counts in part.items():
            total[measure].update(counts)
    return total


def _funnel(total: Counts, considered: int) -> list[GateFigure]:
    gates = ("eligible", "applicable", "suitable", "contact", "guardrail", "arbitration", "offered")
    rows = [(dict(key), number) for key, number in total["funnel"].items()]
    found = [GateFigure(row["gate"], row["cause"], number, _share(number, considered)) for row, number in rows]
    return sorted(found, key=lambda item: (gates.index(item.gate) if item.gate in gates else len(gates), -item.actions))


def _suppressions(total: Counts, considered: int, caps: frozenset[str]) -> list[ClauseFigure]:
    rows = [(dict(key), number) for key, number in total["kept_out"].items()]
    found = [
        ClauseFigure(
            row["gate"],
            row["clause"],
            row["cause"],
            number,
            _share(number, considered),
            row["gate"] == "contact" and row["clause"] in caps,
        )
        for row, number in rows
    ]
    return sorted(found, key=lambda item: (-item.actions, item.gate, item.clause, item.cause))


def _empty(total: Counts, decisions: int) -> list[EmptyFigure]:
    found = [EmptyFigure(dict(key)["because"], number, _share(number, decisions)) for key, number in total["empty"].items()]
    return sorted(found, key=lambda item: (-item.decisions, item.because))


def _groups(digest: str, counts: Counts) -> Iterator[GroupFigure]:
    for by in GROUPS:
        keys = sorted(key for key in counts["decision"] if key and key[0][0] == by)
        for key in keys:
            yield _group(digest, counts, key)


def _group(digest: str, counts: Counts, key: tuple[tuple[str, str], ...]) -> GroupFigure:
    ((by, value),) = key
    names = ("decision", "offered", "conceded", "concession")
    decisions, offered, conceded, concession = (counts[name][key] for name in names)
    rest, rest_offered, rest_conceded, rest_concession = (counts[name][()] - counts[name][key] for name in names)
    return GroupFigure(
        digest,
        by,
        value,
        decisions,
        offered,
        _share(offered, decisions),
        wilson(offered, decisions),
        _ratio(offered, decisions, rest_offered, rest),
        conceded,
        _share(conceded, decisions),
        wilson(conceded, decisions),
        _ratio(conceded, decisions, rest_conceded, rest),
        _share(concession, decisions),
        _ratio(concession, decisions, rest_concession, rest),
        decisions < FEW,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _ratio(part: int, whole: int, other_part: int, other_whole: int) -> float | None:
    """The rate of one over that of the others; none where the others have none, or there are no others."""
    return (part / whole) / (other_part / other_whole) if whole and other_whole and other_part else None


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
