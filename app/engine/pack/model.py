"""A pack as the pipeline uses it: checked, compiled, frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, product
from typing import Any, NamedTuple, get_args

from app.engine.decision import Failing
from app.engine.doors import Door, Doors, Overtaken, Permit, outcome
from app.engine.patterns import Matcher
from app.engine.runtime import Plan
from app.engine.texts import Filler, Text
from app.engine.to_python import Copier, Definition, Gates, Screen, Section, copier, picker
from app.engine.tree import Node, Type
from app.engine.vocabulary import Channel

Restrictions = Mapping[str, frozenset[str]]
"""What a pack marks as telling of `risk` or `vip`: by the code under which an answer has it (`restricting`), the marks."""

See = Callable[[list[Any]], tuple[Any, ...]]
"""Picks some of a case's values."""
CONTACT = "contact"
"""The kind of event that comes from the contact history."""
CLOCKS = ("today", "contact_day", "clock.time", "clock.weekday", "clock.holiday")
"""Inputs that the case's times fill, not its facts."""
UNPROFILED = frozenset({"request.channel", "request.moment"})
"""What may still be used for offers and marketing care to somebody who refused personalisation."""


@dataclass(frozen=True, slots=True)
class Term:
    """Something a condition looks at: how it is written, where its value stands (none: `value` is it), of what type."""

    text: str
    slot: int | None
    value: Any
    type: Type
    node: Node


@dataclass(frozen=True, slots=True)
class Clause:
    """A named condition. `gate` says whose: eligible, applicable, suitable, contact, guardrail, stage, phase, signal.

    `allows_unknown` marks a contact or guardrail clause that an unknown does not close; `signals` are those
    it rests on, `failed` and `undecided` what a decision notes of it. `names` are its terms as they are written, `see` picks their values,
    `formed` names those that answers show in another form than they are kept, each with the kind of its type.
    """

    gate: str
    name: str
    test: str
    slot: int
    tree: Node
    terms: tuple[Term, ...]
    bases: frozenset[str]
    allows_unknown: bool
    signals: tuple[str, ...]
    failed: Failing
    undecided: Failing
    names: tuple[str, ...]
    see: See
    formed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BaseFact:
    """A fact that the pack reads from the case. `section` and `field` are its name's halves; `max_age` in days."""

    name: str
    section: str
    field: str
    slot: int
    type: Type
    en: str
    zh: str
    max_age: int | None


@dataclass(frozen=True, slots=True)
class BaseSection:
    """The base facts of one section that take more than copying: the pack's own, and those with a greatest age, the least of which is
    `fresh`."""

    name: str
    own: tuple[BaseFact, ...]
    limited: tuple[BaseFact, ...]
    fresh: int


@dataclass(frozen=True, slots=True)
class DerivedFact:
    """A fact that the pack derives; `words` has how its values are told, where the pack says it."""

    name: str
    slot: int
    type: Type
    title: Text
    bases: frozenset[str]
    tree: Node | None
    words: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Question:
    """How to ask for a fact. `who`: agent, self or both; `when` the slot of when it is worth asking (none: always)."""

    fact: str
    who: str
    when: int | None
    text: Text


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal; `levels` strongest first, `at` the same by their words. `pattern` marks one concluded from joined events."""

    id: str
    title: Text
    slot: int
    levels: tuple[Clause, ...]
    reason: Text
    customer: Text | None
    pattern: bool = False
    at: Mapping[str, Clause] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PatternRule:
    """A pattern's condition (slot, none: always) and the slot that takes whether its events join.

    `kinds` are all kinds of events that it looks at, `joins` those that each of its joins cannot do without.
    """

    id: str
    when: int | None
    joined: int
    kinds: frozenset[str]
    joins: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A lifecycle stage; without clauses it always holds."""

    id: str
    title: Text
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase, with the weight of each lever in it."""

    id: str
    title: Text
    clauses: tuple[Clause, ...]
    mix: Mapping[str, float]


class Row(NamedTuple):
    """A stage or phase as it is passed over: `see` picks what its clauses came to, `passed` has what is noted of it then."""

    id: str
    clauses: tuple[Clause, ...]
    see: See
    passed: Overtaken


@dataclass(frozen=True, slots=True)
class HandsOff:
    """A reason to keep our hands off."""

    clause: Clause
    title: Text
    moment: str | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of truth and what weighs more in it, by category."""

    id: str
    title: Text
    relevance: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Tariff:
    """A published tariff, as texts and guardrails need it. Money in fen."""

    id: str
    kind: str
    name: Text
    filing_no: str
    fee: int
    fee_after: int
    months: int
    exit_fee: int
    commitment_months: int
    effective: str
    disclose: Text


@dataclass(frozen=True, slots=True)
class Opens:
    """What an action leaves to be done: a case of a kind, whose it is, within how many days (none: by the day its words name), and what
    opens it: that it is `accepted`, `told` or `decided`."""

    case: str
    owner: str
    due_days: int | None
    when: str


@dataclass(frozen=True, slots=True)
class Action:
    """An action.

    Slots hold duty (none: constant), propensity, value and concession; `tariff_slot` the id of a tariff chosen per subscriber. `own_slots`
    are those that contact policy and guardrails read, and that come from unprofiled facts where the person refused personalisation.

    `worth` fills the slots of propensity and value, `policy` those of the contact and guardrail clauses; both run for candidates only.
    `may_cost_unknown` says that the concession is not known for every subscriber.
    """

    id: str
    title: Text
    kind: str
    lever: str
    duty: str
    duty_slot: int | None
    category: str
    purpose: str | None
    marketing: bool
    phases: frozenset[str]
    gates: tuple[Clause, ...]
    worth: Section
    policy: Section
    contact: tuple[Clause, ...]
    guardrails: tuple[Clause, ...]
    propensity: int
    value: int
    concession: int
    approve: str
    confirm: str
    tariff: str | None
    tariff_slot: int | None
    commitment_months: int
    excludes: frozenset[str]
    priority: int
    valid_days: int
    opens: Opens | None
    reason: Text | None
    customer: Text | None
    disclose: Text | None
    channels: Mapping[str, tuple[str, Text]]
    signals: tuple[str, ...]
    own_slots: tuple[int, ...]
    may_cost_unknown: bool


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A contact or guardrail clause in words, for answers and reviewers; `because` says why an unknown does not close it."""

    id: str
    title: Text
    reason: Text
    source: Text | None
    because: Text | None
    checked: str


@dataclass(frozen=True, slots=True)
class Choosing:
    """How winners are chosen. `steps` of a conversation propose something; `leaving` is the slot of whether somebody wants to leave (none:
    that is not known of anybody)."""

    max_actions: int
    per_category: int
    commitments: int
    service_first: frozenset[str]
    concession: Mapping[str, int]
    concession_year: Mapping[str, int]
    fallback: Mapping[str, tuple[str, ...]]
    steps: int = 1
    leaving: int | None = None


@dataclass(frozen=True, eq=False)
class Pack:
    """Rules and policies, checked and compiled. Never changes; equal bytes give an equal digest.

    `slots` are named values, `terms` the slots of calls and conditions, both positions in a case's list of values, at the end of which
    stand constants, `fixed`; `definitions` has what each name stands for that is worked out. `gates` gives what became of each action at
    its door, which looks at the concession where that may be unknown, then at what each clause came to. `screen` gives the same with the
    cause alone of an action for which something is false, leaves the slots empty that only such actions want, and adds the places of the
    actions for which nothing is.
    """

    name: str
    version: str
    digest: str
    jurisdiction: str
    currency: str
    zone: str
    salt: str
    size: int
    fixed: tuple[Any, ...] = field(repr=False)
    recognise: Section = field(repr=False)
    conclude: Section = field(repr=False)
    screen: Screen = field(repr=False)
    gates: Gates = field(repr=False)
    base: tuple[BaseFact, ...] = field(repr=False)
    derived: Mapping[str, DerivedFact] = field(repr=False)
    slots: Mapping[str, int] = field(repr=False)
    definitions: Mapping[str, Definition] = field(repr=False)
    terms: Mapping[Node, int] = field(repr=False)
    types: Mapping[str, Type] = field(repr=False)
    constants: Mapping[str, Any] = field(repr=False)
    ages: Mapping[str, int] = field(repr=False)
    custom: Mapping[str, Type] = field(repr=False)
    questions: Mapping[str, Question] = field(repr=False)
    signals: Mapping[str, Signal] = field(repr=False)
    patterns: tuple[PatternRule, ...] = field(repr=False)
    matcher: Matcher | None = field(repr=False)
    spare_matcher: Matcher | None = field(repr=False)
    event_kinds: frozenset[str] = field(repr=False)
    stages: tuple[Stage, ...] = field(repr=False)
    phases: tuple[Phase, ...] = field(repr=False)
    hands_off: tuple[HandsOff, ...] = field(repr=False)
    moments: Mapping[str, Moment] = field(repr=False)
    tariffs: Mapping[str, Tariff] = field(repr=False)
    plans: Mapping[str, Plan] = field(repr=False)
    actions: tuple[Action, ...] = field(repr=False)
    categories: Mapping[str, str] = field(repr=False)
    contact_rules: Mapping[str, PolicyRule] = field(repr=False)
    guardrail_rules: Mapping[str, PolicyRule] = field(repr=False)
    holidays: frozenset[int] = field(repr=False)
    choosing: Choosing = field(repr=False)
    files: tuple[str, ...] = field(repr=False)
    restricted: Restrictions = field(repr=False)

    @cached_property
    def sections(self) -> tuple[BaseSection, ...]:
        """Base facts that take more than copying, by section."""
        groups = (_section(name, tuple(facts)) for name, facts in groupby(self.base, lambda fact: fact.section))
        return tuple(group for group in groups if group.own or group.limited)

    def blank(self) -> list[Any]:
        """The list of values before anything is known of a case."""
        values: list[Any] = [None] * self.size
        values[self.size - len(self.fixed) :] = self.fixed
        return values

    @cached_property
    def copy(self) -> Copier:
        """Fills the slots of the other facts of a subscriber."""
        plain = [fact for fact in self.base if fact.section not in ("custom", "request")]
        sections = groupby(plain, lambda fact: fact.section)
        return copier({name: [(fact.slot, fact.field, fact.type.kind == "date") for fact in facts] for name, facts in sections})

    @cached_property
    def clocks(self) -> tuple[int | None, ...]:
        """The slots that the case's times fill, where the pack reads them, in the order of `CLOCKS`."""
        return tuple(map(self.slots.get, CLOCKS))

    @cached_property
    def asked(self) -> tuple[tuple[int, str], ...]:
        """Slots and fields of the facts of the request itself."""
        return tuple((fact.slot, fact.field) for fact in self.base if fact.section == "request")

    @cached_property
    def doors(self) -> Mapping[str, Mapping[str, Doors]]:
        """The gates of every action as they are met on each channel in each phase, in the order of actions."""
        doors = [(action, {kept: Door(action, *kept) for kept in product((False, True), repeat=2)}) for action in self.actions]
        stopped = tuple(tuple(outcome(action, [clause.failed]) for clause in action.gates) for action in self.actions)

        def met(channel: str, phase: str) -> Doors:
            each = tuple(door[phase in action.phases, channel in action.channels] for action, door in doors)
            return Doors(each, tuple(door.shut for door in each), stopped)

        return {channel: {phase.id: met(channel, phase.id) for phase in self.phases} for channel in get_args(Channel)}

    @cached_property
    def permits(self) -> Mapping[str, Permit]:
        """What contact policy and guardrails say of each action."""
        return {action.id: Permit(action) for action in self.actions}

    @cached_property
    def marketing(self) -> tuple[bool, ...]:
        """Which actions are marketing, in the order of actions."""
        return tuple(action.marketing for action in self.actions)

    @cached_property
    def stage_rows(self) -> tuple[Row, ...]:
        """The table of stages."""
        return tuple(map(_row, self.stages))

    @cached_property
    def phase_rows(self) -> tuple[Row, ...]:
        """The table of phases."""
        return tuple(map(_row, self.phases))

    @cached_property
    def stage_by_id(self) -> Mapping[str, Stage]:
        """Stages by id."""
        return {stage.id: stage for stage in self.stages}

    @cached_property
    def phase_by_id(self) -> Mapping[str, Phase]:
        """Phases by id."""
        return {phase.id: phase for phase in self.phases}

    @cached_property
    def which_hold(self) -> See:
        """Picks whether each signal holds, in their order."""
        return picker([signal.slot for signal in self.signals.values()])

    @cached_property
    def fillers(self) -> dict[int, Filler]:
        """Templates made ready for this pack, each when it is first wanted, by the template's identity."""
        return {}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each action stands in the order of actions."""
        return {action.id: place for place, action in enumerate(self.actions)}

    @cached_property
    def clauses(self) -> Mapping[str, Mapping[tuple[str, str], Clause]]:
        """Each action's clauses of every kind, by gate and name."""
        return {
            action.id: {(clause.gate, clause.name): clause for clause in (*action.gates, *action.contact, *action.guardrails)}
            for action in self.actions
        }

    @cached_property
    def asked_of(self) -> Mapping[str, tuple[tuple[str, int | None, int | None], ...]]:
        """Which facts may be asked of the subscriber's self and of an agent: each with its slot and that of when it is worth asking."""
        return {
            side: tuple((item.fact, self.slots.get(item.fact), item.when) for item in self.questions.values() if item.who in (side, "both"))
            for side in ("self", "agent")
        }

    @cached_property
    def by_id(self) -> Mapping[str, Action]:
        """Actions by id."""
        return {action.id: action for action in self.actions}

    @cached_property
    def mixes(self) -> Mapping[str, Mapping[str, float]]:
        """Lever mixes by phase."""
        return {phase.id: phase.mix for phase in self.phases}


def _section(name: str, facts: tuple[BaseFact, ...]) -> BaseSection:
    fresh = min((fact.max_age for fact in facts if fact.max_age is not None), default=0)
    return BaseSection(name, facts if name == "custom" else (), tuple(fact for fact in facts if fact.max_age is not None), fresh)


def _row(place: Stage | Phase) -> Row:
    return Row(place.id, place.clauses, picker([clause.slot for clause in place.clauses]), Overtaken(place))
