"""Counts over a whole campaign. They add up: batches of any size in any order give the same figures, and so do runs on several machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import polars as pl

from app.campaign.problems import TableError
from app.campaign.summary import ranked

if TYPE_CHECKING:
    from app.campaign.problems import CellProblem

FORM = 1
"""The form of the JSON, for whoever reads figures of an earlier release."""
EDGES: tuple[float, ...] = tuple(float(step * 10**power) for power in range(9) for step in (1, 2, 5))
"""Where one bucket of scores ends and the next begins, in fen: 1, 2, 5, 10 … A score on an edge belongs to the bucket above it."""
_TOTALS = ("read", "decided", "rejected", "personalised", "with_signal", "kept", "emptied")
Key = TypeVar("Key", bound=tuple[Any, ...])


class Became(Protocol):
    """What a code of an outcome means: why an action was not offered (none: it was), and the clause that kept it out."""

    @property
    def cause(self) -> str | None:
        """Why it was not offered."""

    @property
    def clause(self) -> str | None:
        """Which clause kept it out."""


class DecidedFrames(Protocol):
    """The decisions of a batch as columns."""

    @property
    def subscribers(self) -> pl.DataFrame:
        """One row a subscriber: `i`, `stage`, `phase`, `moment`, `personalised`, `empty_because`, `offered`."""

    @property
    def signals(self) -> pl.DataFrame:
        """One row for each signal that holds: `i`, `signal`, `level`."""

    @property
    def ranked(self) -> pl.DataFrame:
        """One row for each action on a list: `i`, `rank`, `action`, `score`, `concession` (fen), `fallback_for` and more."""

    @property
    def outcomes(self) -> pl.DataFrame:
        """One row a subscriber: `i`, and for each action the code of what became of it."""

    @property
    def unknown(self) -> pl.DataFrame:
        """One row a subscriber: `i`, and for each fact whether it was wanted and not known."""

    @property
    def legend(self) -> Mapping[str, Sequence[Became]]:
        """What the codes of an action mean; the first says that it was offered."""


@dataclass
class Figures:
    """What became of the subscribers of a run. `read` is `decided` and `rejected` together.

    Keys are codes; those of several parts are in the order in which the field's name lists them. `scores` counts by the bucket of `EDGES`
    a score falls into: 0 is below the first edge. `given` sums concessions in fen. `kept_out` counts once a subscriber and action.
    `held` is what limits over everybody kept back after deciding: `kept` and `emptied` are subscribers who keep something of their
    list and who lose all of it; both are 0 where no limits were set.
    """

    read: int = 0
    decided: int = 0
    rejected: int = 0
    personalised: int = 0
    with_signal: int = 0
    kept: int = 0
    emptied: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    ranks: Counter[tuple[str, int]] = field(default_factory=Counter)
    scores: Counter[tuple[str, int]] = field(default_factory=Counter)
    given: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept_out: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    held: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    rejects: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, decided: DecidedFrames) -> None:
        """Count a batch."""
        people = decided.subscribers
        self.read += people.height
        self.decided += people.height
        self.personalised += int(people["personalised"].sum())
        for name, column in (("stages", "stage"), ("phases", "phase"), ("moments", "moment"), ("empty", "empty_because")):
            getattr(self, name).update(_counted(people, column))
        self.lengths.update(_counted(people, "offered"))
        self.signals.update(_counted_by(decided.signals, "signal", "level"))
        self.with_signal += decided.signals["i"].n_unique()
        self._rank(decided.ranked)
        self._keep_out(decided)
        self.unknown.update({fact.name: count for fact in decided.unknown.drop("i") if (count := int(fact.sum()))})

    def reject(self, problems: Iterable[CellProblem]) -> None:
        """Count a rejected row once, and each of its reasons."""
        self.rejected_rows(1, {(problem.column or problem.field or "", problem.kind): 1 for problem in problems})

    def rejected_rows(self, rows: int, reasons: Mapping[tuple[str, str], int]) -> None:
        """Count rejected rows, and of how many each reason is told, by column and reason."""
        self.read += rows
        self.rejected += rows
        self.rejects.update(reasons)

    def hold(self, held: Mapping[tuple[str, str, str], int], kept: int, emptied: int) -> None:
        """Count what limits over everybody kept back.

        Args:
            held: actions kept back, by action, cause and limit.
            kept: subscribers who keep something of their list.
            emptied: subscribers who lose all of it.
        """
        self.held.update(held)
        self.kept += kept
        self.emptied += emptied

    def merge(self, other: Figures) -> None:
        """Add the figures of other batches of the same run."""
        for part in fields(self):
            mine, theirs = getattr(self, part.name), getattr(other, part.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, part.name, mine + theirs)

    @property
    def with_actions(self) -> int:
        """Subscribers for whom there is something to do."""
        return self.decided - self.lengths[0]

    def offered(self) -> Counter[str]:
        """On how many lists each action is."""
        return _summed(self.ranks, 0)

    def first(self) -> Counter[str]:
        """On how many lists each action is the first."""
        return Counter({action: count for (action, rank), count in self.ranks.items() if rank == 1})

    def by_signal(self) -> list[tuple[str, dict[str, int]]]:
        """Each signal with its count by level, most frequent first."""
        found: dict[str, dict[str, int]] = {}
        for (name, level), count in sorted(self.signals.items()):
            found.setdefault(name, {})[level] = count
        return sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0]))

    def clauses(self) -> dict[tuple[str, str], int]:
        """Pairs of subscriber and action that each clause kept apart, by cause and clause, most frequent first."""
        found = Counter[tuple[str, str]]()
        for (_, cause, clause), count in self.kept_out.items():
            found[cause, clause] += count
        return ordered(found)

    def kept_out_of(self, action: str) -> dict[tuple[str, str], int]:
        """What kept an action off lists, by cause and clause, most frequent first."""
        return ordered(Counter({(cause, clause): count for (of, cause, clause), count in self.kept_out.items() if of == action}))

    def scores_of(self, action: str) -> list[int]:
        """How many scores of an action fall into each bucket of `EDGES`, lowest first."""
        return [self.scores[action, bucket] for bucket in range(len(EDGES) + 1)]

    def actions(self) -> list[str]:
        """Every action that was looked at: those on most lists first, ties by name."""
        offered = self.offered()
        return sorted({*offered, *(action for action, _, _ in self.kept_out)}, key=lambda action: (-offered[action], action))

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values: most frequent first, ties by name, so that equal runs give equal bytes."""
        return {
            "form": FORM,
            **{name: getattr(self, name) for name in _TOTALS},
            "stages": ranked(self.stages),
            "phases": ranked(self.phases),
            "moments": ranked(self.moments),
            "signals": dict(self.by_signal()),
            "actions": {action: self._action(action) for action in self.actions()},
            "actions_per_subscriber": {str(length): count for length, count in sorted(self.lengths.items())},
            "empty_because": ranked(self.empty),
            "fallbacks": _nested(self.fallbacks, "action", "instead_of"),
            "held": _nested(self.held, "action", "cause", "limit"),
            "unknown_facts": ranked(self.unknown),
            "rejected_because": _nested(self.rejects, "column", "reason"),
            "score_edges": list(EDGES),
        }

    def _action(self, action: str) -> dict[str, Any]:
        ranks = sorted((rank, count) for (of, rank), count in self.ranks.items() if of == action)
        return {
            "offered": sum(count for _, count in ranks),
            "first": dict(ranks).get(1, 0),
            "ranks": {str(rank): count for rank, count in ranks},
            "concession": self.given[action],
            "scores": self.scores_of(action),
            "kept_out": _nested(self.kept_out_of(action), "cause", "clause"),
        }

    def _rank(self, listed: pl.DataFrame) -> None:
        self.ranks.update(_counted_by(listed, "action", "rank"))
        self.fallbacks.update(_counted_by(listed.filter(pl.col("fallback_for").is_not_null()), "action", "fallback_for"))
        buckets = pl.Series("bucket", EDGES).search_sorted(listed["score"], side="right")
        self.scores.update(_counted_by(listed.select("action").with_columns(bucket=buckets), "action", "bucket"))
        given = listed.group_by("action").agg(pl.col("concession").sum())
        self.given.update({action: fen for action, fen in given.iter_rows() if fen})

    def _keep_out(self, decided: DecidedFrames) -> None:
        kept = [
            (action, code, meaning.cause, meaning.clause or "")
            for action, became in decided.legend.items()
            for code, meaning in enumerate(became)
            if meaning.cause is not None
        ]
        # A sum for each code takes a fifth of the time that grouping by each column does.
        sums = decided.outcomes.select((pl.col(action) == code).sum().alias(str(place)) for place, (action, code, _, _) in enumerate(kept))
        for (action, _, cause, clause), count in zip(kept, sums.row(0) if kept else (), strict=True):
            if count:
                self.kept_out[action, cause, clause] += count


def figures_of(data: Any) -> Figures:
    """Figures as they were written.

    Args:
        data: the JSON values that `Figures.as_json` gave.

    Raises:
        TableError: they are no figures of a campaign, or of a form that is not known.
    """
    try:
        if data["form"] != FORM:
            raise TableError(f"these are figures of form {data['form']!r}, and this release reads form {FORM}")
        actions: Mapping[str, Any] = data["actions"]
        return Figures(
            **{name: int(data[name]) for name in _TOTALS},
            stages=Counter(data["stages"]),
            phases=Counter(data["phases"]),
            moments=Counter(data["moments"]),
            signals=Counter({(name, level): count for name, levels in data["signals"].items() for level, count in levels.items()}),
            ranks=Counter({(name, int(rank)): count for name, one in actions.items() for rank, count in one["ranks"].items()}),
            scores=Counter({(name, bucket): count for name, one in actions.items() for bucket, count in enumerate(one["scores"]) if count}),
            given=Counter({name: one["concession"] for name, one in actions.items() if one["concession"]}),
            fallbacks=_flat(data["fallbacks"], "action", "instead_of"),
            kept_out=Counter(
                {(name, *key): count for name, one in actions.items() for key, count in _flat(one["kept_out"], "cause", "clause").items()}
            ),
            held=_flat(data["held"], "action", "cause", "limit"),
            lengths=Counter({int(length): count for length, count in data["actions_per_subscriber"].items()}),
            empty=Counter(data["empty_because"]),
            unknown=Counter(data["unknown_facts"]),
            rejects=_flat(data["rejected_because"], "column", "reason"),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise TableError("these are no figures of a campaign") from None


def ordered(counts: Mapping[Key, int]) -> dict[Key, int]:
    """Most frequent first, ties by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _counted(frame: pl.DataFrame, column: str) -> dict[Any, int]:
    """How often each value of a column stands there; null is no value."""
    return dict(frame.group_by(column).len().drop_nulls(column).iter_rows())


def _counted_by(frame: pl.DataFrame, *columns: str) -> dict[tuple[Any, ...], int]:
    return {tuple(key): count for *key, count in frame.group_by(*columns).len().iter_rows()}


def _summed(counts: Counter[tuple[str, int]], place: int) -> Counter[str]:
    found = Counter[str]()
    for key, count in counts.items():
        found[str(key[place])] += count
    return found


def _nested(counts: Mapping[tuple[Any, ...], int], *names: str) -> list[dict[str, Any]]:
    return [{**dict(zip(names, key, strict=True)), "subscribers": count} for key, count in ordered(counts).items()]


def _flat(rows: Iterable[Mapping[str, Any]], *names: str) -> Counter[tuple[Any, ...]]:
    return Counter(dict(chain((tuple(row[name] for name in names), row["subscribers"]) for row in rows)))
