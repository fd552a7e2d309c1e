"""What became of a whole file: how many subscribers in each stage, phase and signal, which actions come first, and what was refused why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.engine.words import fact_title

if TYPE_CHECKING:
    from app.campaign.problems import CellProblem
    from app.engine.answer import UnknownFact
    from app.engine.decision import Decision
    from app.engine.pack.model import Action, Moment, Pack, Phase, Signal, Stage
    from app.engine.texts import Language

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

    def add(self, decision: Decision, unknown: Iterable[UnknownFact]) -> None:
        """Count a decision, and the facts it would have used and did not have."""
        self.read += 1
        self.decided += 1
        self.stages[decision.stage.id] += 1
        self.phases[decision.phase.id] += 1
        self.moments[decision.moment] += 1
        self.signals.update(decision.signals)
        self.offered.update(item.action for item in decision.ranked)
        self.list_lengths[len(decision.ranked)] += 1
        self.unknown.update(fact.fact for fact in unknown)
        if decision.ranked:
            self.first[decision.ranked[0].action] += 1
        if decision.empty_because is not None:
            self.empty[decision.empty_because] += 1

    def refuse(self, problems: Iterable[CellProblem]) -> None:
        """Count a refused row once, and each of its reasons."""
        self.read += 1
        self.refused += 1
        self.reasons.update({(problem.column or problem.field or "", problem.kind): 1 for problem in problems})

    def as_json(self, titles: Mapping[str, str]) -> dict[str, Any]:
        """The counts as JSON values; most frequent first, ties by name, so that equal runs give equal bytes."""
        return {
            "read": self.read,
            "decided": self.decided,
            "refused": self.refused,
            "stages": ranked(self.stages),
            "phases": ranked(self.phases),
            "moments": ranked(self.moments),
            "signals": [{"signal": name, "title": titles[name], "levels": levels} for name, levels in self.by_signal()],
            "actions": [
                {"action": name, "title": titles[name], "offered": count, "first": self.first[name]}
                for name, count in ranked(self.offered).items()
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


def titles_of(pack: Pack, language: Language) -> dict[str, str]:
    """The title of every stage, phase, signal, moment, action, base fact and history of a pack."""
    things: tuple[Stage | Phase | Signal | Moment | Action, ...] = (
        *pack.stages,
        *pack.phases,
        *pack.signals.values(),
        *pack.moments.values(),
        *pack.actions,
    )
    facts = {name: title[0].upper() + title[1:] for name in ("events", "contacts") if (title := fact_title(pack, name, language))}
    facts |= {fact.name: fact.zh if language == "zh" else fact.en for fact in pack.base}
    return facts | {thing.id: thing.title.say(language) for thing in things}


def ranked(counts: Mapping[str, int]) -> dict[str, int]:
    """Most frequent first, ties by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
