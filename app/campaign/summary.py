"""What became of a whole file: how many subscribers in each stage, phase and signal, which actions come first, and what was refused why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.campaign.problems import CellProblem
    from app.engine.answer import Explanation

_MOST_REASONS = 20


@dataclass
class Summary:
    """Counts of a run, filled as it goes. `read` is `decided` and `refused` together."""

    read: int = 0
    decided: int = 0
    refused: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    offered: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)
    list_lengths: Counter[int] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    titles: dict[str, str] = field(default_factory=dict)

    def add(self, explanation: Explanation) -> None:
        """Count a decision."""
        self.read += 1
        self.decided += 1
        self.stages[explanation.stage] += 1
        self.phases[explanation.phase.id] += 1
        self.moments[explanation.moment] += 1
        self.titles[explanation.stage] = explanation.stage_title
        self.titles[explanation.phase.id] = explanation.phase.title
        for signal in explanation.signals:
            self.signals[signal.id, signal.level] += 1
            self.titles[signal.id] = signal.title
        for action in explanation.actions:
            self.offered[action.action] += 1
            self.titles[action.action] = action.title
        if explanation.actions:
            self.first[explanation.actions[0].action] += 1
        else:
            self.empty[explanation.empty_because or "none"] += 1
        self.list_lengths[len(explanation.actions)] += 1
        self.unknown.update(fact.fact for fact in explanation.unknown)

    def refuse(self, problems: Iterable[CellProblem]) -> None:
        """Count a refused row once, and each of its reasons."""
        self.read += 1
        self.refused += 1
        self.reasons.update({(problem.column or problem.field or "", problem.kind): 1 for problem in problems})

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values; most frequent first, ties by name, so that equal runs give equal bytes."""
        return {
            "read": self.read,
            "decided": self.decided,
            "refused": self.refused,
            "stages": ranked(self.stages),
            "phases": ranked(self.phases),
            "moments": ranked(self.moments),
            "signals": self._signals(),
            "actions": [
                {"action": name, "title": self.titles[name], "offered": count, "first": self.first[name]} for name, count in ranked(self.offered).items()
            ],
            "actions_per_subscriber": {str(length): count for length, count in sorted(self.list_lengths.items())},
            "empty_because": ranked(self.empty),
            "unknown_facts": ranked(self.unknown),
            "refused_because": [{"column": column, "reason": reason, "rows": count} for (column, reason), count in self.why_refused()],
        }

    def why_refused(self) -> list[tuple[tuple[str, str], int]]:
        """Column and reason of refused rows, most frequent first."""
        return sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))[:_MOST_REASONS]

    def by_signal(self) -> list[tuple[str, dict[str, int]]]:
        """Each signal with its count by level, most frequent first."""
        found: dict[str, dict[str, int]] = {}
        for (name, level), count in sorted(self.signals.items()):
            found.setdefault(name, {})[level] = count
        return sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0]))

    def _signals(self) -> list[dict[str, Any]]:
        return [{"signal": name, "title": self.titles[name], "levels": levels} for name, levels in self.by_signal()]


def ranked(counts: Mapping[str, int]) -> dict[str, int]:
    """Most frequent first, ties by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
