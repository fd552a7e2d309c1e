"""What can be said of conditions: which never hold, which always do, which follow from others, and what was not decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.engine.pack.checks.conditions import Conditions, Definitions, denied
from app.engine.pack.checks.forms import Form, Leaf, Some, Thing, things
from app.engine.pack.checks.solving import Effort, Model, NotDecided, solve
from app.engine.pack.checks.values import Values, either
from app.engine.pack.checks.witnesses import Demand, Subscriber, Witness, Witnesses
from app.engine.tree import Call, Const, Node

MOST_AT_THE_EDGE = 3
"""Things a condition looks at, for somebody at its edge to be easily understood."""


@dataclass(frozen=True, slots=True)
class Reasoned:
    """How many conditions were reasoned about, and of how many not everything was decided."""

    decided: int = 0
    undecided: int = 0

    @property
    def conditions(self) -> int:
        """All of them."""
        return self.decided + self.undecided

    def __str__(self) -> str:
        said = f"{self.conditions:,} conditions reasoned about"
        return f"{said}, {self.undecided:,} not decided: they compare two facts or work out figures" if self.undecided else said


class Reasoning:
    """Answers questions about conditions over one pack's definitions. An answer is none where it could not be decided."""

    def __init__(self, definitions: Definitions, currency: str = "CNY") -> None:
        self.conditions = Conditions(definitions)
        self.witnesses = Witnesses(self.conditions, currency)
        self.effort = Effort()
        self.met: dict[int, tuple[Node, bool]] = {}

    @property
    def reasoned(self) -> Reasoned:
        """What was met so far."""
        undecided = sum(not decided for _, decided in self.met.values())
        return Reasoned(len(self.met) - undecided, undecided)

    @property
    def exhausted(self) -> bool:
        """Has the pack taken all the effort that is spent on one?"""
        return self.effort.left <= 0

    def note(self, node: Node) -> None:
        """Count a condition of the pack as reasoned about."""
        if id(node) not in self.met:
            self.met[id(node)] = node, _plain(self.conditions.form(node))

    def doubt(self, node: Node) -> None:
        """Count it as not decided."""
        self.met[id(node)] = node, False

    def model(self, demands: Iterable[Demand]) -> Model | None:
        """What is left to each thing where all demands are met; none where they cannot be.

        Raises:
            NotDecided: it was not found out in time.
        """
        return solve([self.conditions.form(*demand) for demand in demands], self.effort)

    def impossible(self, demands: Sequence[Demand]) -> bool:
        """Can nobody meet all demands? False where that was not decided."""
        try:
            return self.model(demands) is None
        except NotDecided:
            for node, _ in demands:
                if id(node) in self.met:
                    self.doubt(node)
            return False

    def implied(self, one: Node, other: Node) -> bool:
        """Is the other true whenever the one is?"""
        return self.impossible([(one, "true"), (other, "not_true")])

    def share(self, one: Node, other: Node) -> bool:
        """Do two conditions look at a thing in common?"""
        return not self.things(one).isdisjoint(self.things(other))

    def things(self, node: Node) -> frozenset[Thing]:
        """What a condition looks at."""
        return things(self.conditions.form(node))

    def witness(self, demands: Sequence[Demand], near: Mapping[Thing, Values] | None = None) -> tuple[Subscriber, Witness] | None:
        """Somebody who meets all demands, tried out; none where nobody was found."""
        try:
            model = self.model(demands)
        except NotDecided:
            return None
        return None if model is None else self.witnesses.of(model, demands, near)

    def core(self, demands: Sequence[Demand]) -> list[Demand]:
        """The fewest of demands that nobody can meet together: none of them can be left out."""
        kept = list(demands)
        for item in demands:
            rest = [other for other in kept if other is not item]
            if self.impossible(rest):
                kept = rest
        return kept

    def at_the_edge(self, met: Sequence[Demand], unmet: Demand) -> Witness:
        """Somebody who meets all of the first and only just not the other."""
        node, wanted = unmet
        form = self.conditions.form(node, wanted)
        near = _edges(form) if len(things(form)) <= MOST_AT_THE_EDGE else {}
        found = self.witness([*met, (node, denied(wanted))], near)
        return found[1] if found else ()


def _plain(form: Form) -> bool:
    """Is nothing left out: one thing in each test, and of one series, history or date one thing at most?"""
    found = things(form)
    bases = Counter(_history(thing.node, base) for thing in found for base in thing.bases if isinstance(thing.node, Call))
    return all(thing.single for thing in found) and all(count == 1 for count in bases.values())


def _history(node: Call, base: str) -> str:
    """What a window looks into: events by their kind."""
    kind = node.arguments[1] if base == "events" and node.function in ("count", "since") else None
    return f"{base}.{kind.value}" if isinstance(kind, Const) else base


def _edges(form: Form) -> dict[Thing, Values]:
    """The values that a form asks of each thing."""
    found: dict[Thing, Values] = {}
    rest: list[Form] = [form]
    seen: set[int] = set()
    while rest:
        item = rest.pop()
        if isinstance(item, Leaf):
            found[item.thing] = either(found.get(item.thing, item.values), item.values)
        elif id(item) not in seen and (isinstance(item, Some) or item.items):
            seen.add(id(item))
            rest += item.items
    return found
