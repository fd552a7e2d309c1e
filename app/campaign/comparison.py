"""Two packs over the same subscribers: how many would be treated differently, and what it would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import tee
from typing import TYPE_CHECKING, Any

from app.campaign.table import Asking, Decided, Refused, RequestReader, decide_rows

if TYPE_CHECKING:
    from app.campaign.rows import Row
    from app.engine.decision import Decision
    from app.engine.pack import Pack
    from app.engine.vocabulary import DecisionRequest

EXAMPLES = 3
"""Rows named for each change."""
NOTHING = ""
"""Stands for the first action of an empty list."""


@dataclass
class Move:
    """Subscribers who moved from one stage, phase or first action to another: how many, and some of their rows and lines in the file."""

    count: int = 0
    rows: list[tuple[int, int]] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Count a subscriber by the row of the file."""
        self.count += 1
        if len(self.rows) < EXAMPLES:
            self.rows.append((row.number, row.line))


@dataclass
class Reach:
    """How many subscribers an action reaches: on their list, as its first, and what keeps it from the others, by cause and clause."""

    offered: int = 0
    first: int = 0
    kept_out: Counter[str] = field(default_factory=Counter)


@dataclass
class Comparison:
    """Counts over subscribers that both packs decide; `one_refuses` are rows that only one of them takes.

    Concessions are in fen, summed over the list of a decision.
    """

    read: int = 0
    compared: int = 0
    refused: int = 0
    one_refuses: Counter[str] = field(default_factory=Counter)
    same: int = 0
    stages: dict[tuple[str, str], Move] = field(default_factory=dict)
    phases: dict[tuple[str, str], Move] = field(default_factory=dict)
    first: dict[tuple[str, str], Move] = field(default_factory=dict)
    lists: int = 0
    now_nothing: int = 0
    now_something: int = 0
    concession: tuple[int, int] = (0, 0)
    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    actions: tuple[dict[str, Reach], dict[str, Reach]] = field(default_factory=lambda: ({}, {}))

    def add(self, row: Row, before: Decision, after: Decision) -> None:
        """Count one subscriber, as decided by each pack."""
        self.read += 1
        self.compared += 1
        self.concession = (self.concession[0] + _conceded(before), self.concession[1] + _conceded(after))
        self.signals.update(("gone", name) for name in _levels(before) - _levels(after))
        self.signals.update(("new", name) for name in _levels(after) - _levels(before))
        for reach, decision in zip(self.actions, (before, after), strict=True):
            _count(reach, decision)
        first = (_first(before), _first(after))
        moved = [(self.stages, (before.stage.id, after.stage.id)), (self.phases, (before.phase.id, after.phase.id)), (self.first, first)]
        for table, (one, other) in moved:
            if one != other:
                table.setdefault((one, other), Move()).add(row)
        lists = [[item.action for item in decision.ranked] for decision in (before, after)]
        self.lists += lists[0] != lists[1]
        self.now_nothing += bool(lists[0]) and not lists[1]
        self.now_something += bool(lists[1]) and not lists[0]
        self.same += lists[0] == lists[1] and all(one == other for _, (one, other) in moved)

    def mean_concession(self) -> tuple[float, float]:
        """Mean concession a subscriber, in fen, before and after."""
        return (self.concession[0] / self.compared, self.concession[1] / self.compared) if self.compared else (0.0, 0.0)

    def reached(self) -> list[tuple[str, Reach | None, Reach | None]]:
        """Actions that reach more or fewer than before, or are in one pack only, those that moved most first."""
        before, after = self.actions
        pairs = [(name, before.get(name), after.get(name)) for name in {**before, **after}]
        moved = [
            pair
            for pair in pairs
            if pair[1] is None or pair[2] is None or (pair[1].offered, pair[1].first) != (pair[2].offered, pair[2].first)
        ]
        return sorted(moved, key=lambda pair: (-abs(_offered(pair[2]) - _offered(pair[1])), pair[0]))

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values; most frequent moves first."""
        before, after = self.mean_concession()
        return {
            "read": self.read,
            "compared": self.compared,
            "refused": self.refused,
            "only_before": self.one_refuses["after"],
            "only_after": self.one_refuses["before"],
            "unchanged": self.same,
            "another_stage": moved(self.stages),
            "another_phase": moved(self.phases),
            "another_first_action": moved(self.first),
            "another_list": self.lists,
            "now_nothing": self.now_nothing,
            "now_something": self.now_something,
            "actions": [
                {"action": name, "before": _reach_as_json(before_), "after": _reach_as_json(after_)}
                for name, before_, after_ in self.reached()
            ],
            "signals_new": _counted(self.signals, "new"),
            "signals_gone": _counted(self.signals, "gone"),
            "mean_concession_before": before,
            "mean_concession_after": after,
        }


def moved(moves: dict[tuple[str, str], Move]) -> list[dict[str, Any]]:
    """Moves as JSON values, most frequent first, ties by name."""
    ordered = sorted(moves.items(), key=lambda item: (-item[1].count, item[0]))
    return [
        {"before": one or None, "after": other or None, "subscribers": move.count, "rows": [row for row, _ in move.rows]}
        for (one, other), move in ordered
    ]


def compare(before: Pack, after: Pack, rows: Iterable[Row], readers: tuple[RequestReader, RequestReader], asking: Asking) -> Comparison:
    """Decide every row with both packs, as they are read."""
    found = Comparison()
    ones, others = tee(rows)
    for one, other in zip(decide_rows(before, ones, readers[0], asking), decide_rows(after, others, readers[1], asking), strict=True):
        if isinstance(one, Decided) and isinstance(other, Decided):
            found.add(one.row, one.decision, other.decision)
        else:
            found.read += 1
            found.refused += 1
            if isinstance(one, Refused) != isinstance(other, Refused):
                found.one_refuses["before" if isinstance(one, Refused) else "after"] += 1
    return found


def knowing(reader: RequestReader, pack: Pack, other: Pack) -> RequestReader:
    """The reader for one of two packs: own facts that the other one alone has are left out, so that no row is refused for them."""
    unknown = {name.removeprefix("custom.") for name in other.custom.keys() - pack.custom.keys()}
    if not unknown:
        return reader

    def read(row: Row) -> DecisionRequest:
        request = reader.read(row)
        own = request.subscriber.custom or {}
        kept = {name: value for name, value in own.items() if name not in unknown}
        return request.model_copy(update={"subscriber": request.subscriber.model_copy(update={"custom": kept})})

    return replace(reader, read=read)


def _count(reach: dict[str, Reach], decision: Decision) -> None:
    for outcome in decision.outcomes:
        found = reach.setdefault(outcome.action, Reach())
        if outcome.cause is not None:
            found.kept_out[f"{outcome.cause}/{outcome.clause}" if outcome.clause else outcome.cause] += 1
    for item in decision.ranked:
        reach[item.action].offered += 1
        reach[item.action].first += item.rank == 1


def _offered(reach: Reach | None) -> int:
    return reach.offered if reach is not None else 0


def _reach_as_json(reach: Reach | None) -> dict[str, Any] | None:
    if reach is None:
        return None
    return {"offered": reach.offered, "first": reach.first, "kept_out": dict(reach.kept_out.most_common(3))}


def _first(decision: Decision) -> str:
    return decision.ranked[0].action if decision.ranked else NOTHING


def _conceded(decision: Decision) -> int:
    return sum(item.concession for item in decision.ranked)


def _levels(decision: Decision) -> set[str]:
    return {f"{name}:{level}" for name, level in decision.signals}


def _counted(signals: Counter[tuple[str, str]], which: str) -> dict[str, int]:
    return dict(sorted(((name, count) for (what, name), count in signals.items() if what == which), key=lambda item: (-item[1], item[0])))
