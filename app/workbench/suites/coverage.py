"""What tests cover of a pack: which levels, clauses, guardrails, patterns, places and fallbacks they have seen come out each way.

A part has aspects, and is covered when each was seen in some test:

- a level of a signal, a pattern: that it held, as the strongest level of its signal;
- a gate clause: that it let its action through to the contact policy, and that it kept the action out;
- a contact clause, a guardrail: that it permitted an action that came that far, and that it did not; guardrails that no action can
  fail on its own channels, whoever asks, are left out;
- a clause of a stage or phase, a hands-off clause: that it made the stage or phase, and that it did not hold;
- a moment: that events revealed it;
- a fallback: that it filled an empty list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from app.engine.decision import IN_CONVERSATION
from app.engine.pack.checking import GATES, Parts
from app.engine.pack.model import Action, Clause, Pack
from app.engine.problems import Place
from app.engine.tree import TEXT, TRUE, Const, substitute
from app.workbench.suites.bench import Bench

if TYPE_CHECKING:
    from app.workbench.suites.running import Decided

Kind = Literal["level", "pattern", "gate", "contact", "guardrail", "stage", "phase", "moment", "fallback"]
Aspect = Literal["held", "held_not", "chosen"]
KINDS: tuple[Kind, ...] = ("level", "pattern", "gate", "contact", "guardrail", "stage", "phase", "moment", "fallback")


class Part(NamedTuple):
    """Something of a pack that tests can cover: `owner` is the signal, action, stage, phase, jurisdiction or cause it belongs to."""

    kind: Kind
    owner: str
    name: str


Seen = frozenset[tuple[Part, Aspect]]


@dataclass(frozen=True, slots=True)
class Coverable:
    """A part with its place and what has to be seen of it."""

    part: Part
    place: Place
    aspects: tuple[Aspect, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A part that is not covered, and what was not seen of it."""

    part: Part
    place: Place
    missing: tuple[Aspect, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many parts of each kind there are and are covered, and the gaps in the order of files."""

    counts: dict[Kind, tuple[int, int]]
    gaps: tuple[Gap, ...]

    @property
    def covered(self) -> int:
        """Parts of which everything was seen."""
        return sum(covered for covered, _ in self.counts.values())

    @property
    def parts(self) -> int:
        """All parts."""
        return sum(parts for _, parts in self.counts.values())

    @property
    def percent(self) -> float:
        """Share of the parts that are covered, in percent."""
        return percent(self.covered, self.parts)


def percent(some: int, all_of_them: int) -> float:
    """A share in percent; of nothing, all."""
    return 100 * some / all_of_them if all_of_them else 100.0


def coverage(bench: Bench, seen: Iterable[Seen]) -> Coverage:
    """What tests have covered, from what each has seen."""
    found = frozenset().union(*seen)
    counts: dict[Kind, tuple[int, int]] = {}
    gaps: list[Gap] = []
    for item in coverables(bench):
        missing = tuple(aspect for aspect in item.aspects if (item.part, aspect) not in found)
        covered, parts = counts.get(item.part.kind, (0, 0))
        counts[item.part.kind] = (covered + (not missing), parts + 1)
        if missing:
            gaps.append(Gap(item.part, item.place, missing))
    ordered = {kind: counts[kind] for kind in KINDS if kind in counts}
    return Coverage(ordered, tuple(sorted(gaps, key=lambda gap: (gap.place, gap.part))))


_both: tuple[Aspect, ...] = ("held", "held_not")


def coverables(bench: Bench) -> Iterator[Coverable]:
    """Everything of a pack that tests can cover."""
    parts = bench.home
    yield from _signals(parts)
    for action, document in parts.actions.items():
        for gate in GATES:
            for name in getattr(document.part, gate):
                yield Coverable(Part("gate", action, name), document.source.key_place(*document.path, gate, name), _both)
    for name, clause in parts.contact.items():
        yield Coverable(Part("contact", "", name), clause.place(), _both)
    for jurisdiction, profile in parts.profiles.items():
        for name in sorted(doubtful(bench.pack(jurisdiction))):
            rule = profile.clauses[name]
            yield Coverable(Part("guardrail", jurisdiction, name), rule.place(), _both)
        for item in profile.hands_off:
            yield Coverable(Part("phase", f"hands_off:{jurisdiction}", item.part.id), item.place(), _both)
    yield from _places(parts)
    for entry, cause in parts.draft.merged("fallback"):
        for index, action in enumerate(entry.part):
            yield Coverable(Part("fallback", cause, action), entry.place(index), ("chosen",))


def doubtful(pack: Pack) -> frozenset[str]:
    """The guardrails in force that may fail for some action on some channel."""
    return frozenset(clause.name for action in pack.actions for clause in action.guardrails if _doubtful(action, clause))


def _doubtful(action: Action, clause: Clause) -> bool:
    """May the clause fail on one of the action's channels? What an action is, and where it is offered, settles some for everybody."""
    return any(substitute(clause.tree, {"request.channel": Const(channel, TEXT)}) != TRUE for channel in action.channels)


def _signals(parts: Parts) -> Iterator[Coverable]:
    for name, signal in parts.signals.items():
        for index, level in enumerate(signal.part.levels):
            for word in level:
                yield Coverable(Part("level", name, word), signal.source.key_place(*signal.path, "levels", index, word), ("held",))
    for name, pattern in parts.patterns.items():
        yield Coverable(Part("pattern", name, pattern.part.level), pattern.place(), ("held",))


def _places(parts: Parts) -> Iterator[Coverable]:
    tables: tuple[tuple[str, Kind], ...] = (("stages", "stage"), ("phases", "phase"))
    for key, kind in tables:
        for row in parts.draft.each(key):
            for name in row.part.any:
                yield Coverable(Part(kind, row.part.id, name), row.source.key_place(*row.path, "any", name), _both)
    for moment in parts.draft.each("moments"):
        if moment.part.revealed_by is not None:
            yield Coverable(Part("moment", moment.part.id, "revealed_by"), moment.place("revealed_by"), ("chosen",))


def seen_by(decided: Decided) -> Seen:
    """What one decided test has seen of its pack."""
    return frozenset(_seen(decided))


@cache
def _entry(kind: Kind, owner: str, name: str, aspect: Aspect) -> tuple[Part, Aspect]:
    """An aspect of a part: the same few thousand come up with every test."""
    return Part(kind, owner, name), aspect


def _seen(decided: Decided) -> Iterator[tuple[Part, Aspect]]:
    decision, pack = decided.decision, decided.pack
    for name, level in decision.signals:
        yield _entry("pattern" if pack.signals[name].pattern else "level", name, level, "held")
    yield from _gates_seen(decided)
    yield from _placing_seen(decided)
    for item in decision.ranked:
        if item.fallback_for is not None:
            yield _entry("fallback", item.fallback_for, item.action, "chosen")


def _gates_seen(decided: Decided) -> Iterator[tuple[Part, Aspect]]:
    pack, values = decided.pack, decided.decision.facts.values
    for outcome in decided.kept_out.values():
        action = pack.by_id[outcome.action]
        stopped = [step for step in outcome.failing if step.gate in GATES]
        if stopped and stopped[0].clause in IN_CONVERSATION:
            continue
        for step in stopped:
            yield _entry("gate", action.id, step.clause, "held_not")
        if stopped or (outcome.cause is None and decided.ranked[action.id].fallback_for is not None):
            continue
        for clause in action.gates:
            yield _entry("gate", action.id, clause.name, "held")
        yield from _rules_seen("contact", "", action.contact, values)
        yield from _rules_seen("guardrail", pack.jurisdiction, action.guardrails, values)


def _rules_seen(kind: Kind, owner: str, clauses: tuple[Clause, ...], values: list[object]) -> Iterator[tuple[Part, Aspect]]:
    for clause in clauses:
        value = values[clause.slot]
        if value is not None or not clause.allows_unknown:
            yield _entry(kind, owner, clause.name, "held" if value is True else "held_not")


def _placing_seen(decided: Decided) -> Iterator[tuple[Part, Aspect]]:
    decision, pack = decided.decision, decided.pack
    kinds: tuple[Kind, Kind] = ("stage", "phase")
    for kind, placed in zip(kinds, (decision.stage, decision.phase), strict=True):
        for name in placed.because:
            yield _entry(kind, _owner(placed.id, pack), name, "held")
        for passed in placed.passed:
            owner = _owner(passed.id, pack)
            for step in passed.failing:
                yield _entry(kind, owner, step.clause, "held_not")
    if decided.test.case.moment is None and decision.moment in pack.moments:
        yield _entry("moment", decision.moment, "revealed_by", "chosen")


def _owner(place: str, pack: Pack) -> str:
    """A stage or phase; hands-off clauses are their jurisdiction's."""
    return f"hands_off:{pack.jurisdiction}" if place == "hands_off" else place
