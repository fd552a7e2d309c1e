"""For want of which facts a condition is unknown.

What hangs on what is worked out once for a pack, and written as code; a case is then walked down its unknown branches only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from app.engine.changes import definitions
from app.engine.decision import Decision
from app.engine.once import once_a_pack
from app.engine.pack.model import CONTACT, Clause, Pack
from app.engine.runtime import Surroundings
from app.engine.to_python import Definition, Program, compiled_function
from app.engine.tree import And, Call, Const, Node, Or, Ref, children

Test = Callable[[Sequence[Any]], Any]
Walk = Callable[[Sequence[Any], Surroundings, Callable[[str], None], set[int]], None]
"""Adds what is wanted of values and surroundings; the set has the slots of the shared wants that were walked down already."""
COMPUTED_FROM = ("usage.voice_out_min", "usage.data_mb")
"""What the engine cannot do without to find the best public plan."""


@dataclass(frozen=True, slots=True, eq=False)
class Want:
    """A part of a condition. It is asked for only while `slot` (none: always) is unknown, or `junction`, which has no slot of its own.

    `facts` are base facts with their slots, wanted where unknown; `series` those that are too short where no fact is wanted; `histories`
    are `events` and `contacts`.
    """

    slot: int | None = None
    facts: tuple[tuple[str, int], ...] = ()
    series: tuple[str, ...] = ()
    histories: tuple[str, ...] = ()
    below: tuple[Want, ...] = ()
    junction: And | Or | None = None


def wanted(pack: Pack, decision: Decision, clauses: Iterable[Clause], values: Sequence[Any], *, phases: bool = False) -> set[str]:
    """Base facts (and `events`, `contacts`) for want of which the clauses are unknown, with `phases` those of the stronger phases too."""
    found: set[str] = set()
    met: set[int] = set()
    wants, around = wants_of(pack), decision.facts.around
    if phases:
        for passed in decision.phase.passed:
            if passed.id in wants.phases:
                wants.phases[passed.id](values, around, found.add, met)
    for clause in clauses:
        walk = wants.walks.get(clause.slot) or wants.walk(clause)
        walk(values, around, found.add, met)
    return found


class Wants:
    """The wants of one pack, each built when it is first asked for."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.bases = {base.name: base.slot for base in pack.base}
        self.names: dict[str, Want] = {}
        self.trees: dict[int, Want] = {}
        self.kept: list[Node] = []
        self.walks: dict[int, Walk] = {}
        self.shared: set[Want] = set()
        self.shared_walks: dict[Want, Walk] = {}
        self.tests: dict[Node, Test] = {}
        self.program = Program.over(pack.slots, pack.terms)

    @cached_property
    def phases(self) -> dict[str, Walk]:
        """The code that walks down the clauses of each phase that are unknown; none where they want nothing."""
        wants = {phase.id: Want(below=tuple([self.of(clause.tree) for clause in phase.clauses])) for phase in self.pack.phases}
        return {place: self.compiled(want) for place, want in wants.items() if want.below}

    def walk(self, clause: Clause) -> Walk:
        """The code that walks down a clause, and all that have its slot: they mean the same."""
        want = self.of(clause.tree)
        if want.junction is not None:
            want = replace(want, slot=clause.slot, junction=None)
        found = self.walks[clause.slot] = self.compiled(Want(below=(want,)))
        return found

    def compiled(self, want: Want) -> Walk:
        """Code that walks down a want, once that is known to be asked for."""
        known: dict[str, Any] = {}
        walk: Walk = compiled_function("v, c, add, met", list(self.lines(want, known)), known)
        return walk

    def lines(self, want: Want, known: dict[str, Any]) -> Iterator[str]:
        """The same line by line; `known` takes what they call."""
        for name, slot in want.facts:
            yield f"if v[{slot}] is None: add({name!r})"
        if want.series:
            whole = " and ".join(f"v[{slot}] is not None" for _, slot in want.facts) or "True"
            yield f"if {whole}: {'; '.join(f'add({name!r})' for name in want.series)}"
        for history in want.histories:
            yield f"if c.{history} is None: add({history!r})"
        for part in want.below:
            tests = [] if part.slot is None else [f"v[{part.slot}] is None"]
            if part.junction is not None:
                called = f"f{len(known)}"
                known[called] = self.test(part.junction)
                tests.append(f"{called}(v) is None")
            yield f"if {' and '.join(tests) or 'True'}:"
            yield from (f"    {line}" for line in self.lines_below(part, known))

    def test(self, junction: Node) -> Test:
        """What a junction comes to, as code."""
        if junction not in self.tests:
            self.tests[junction] = self.program.function(junction)
        return self.tests[junction]

    def lines_below(self, part: Want, known: dict[str, Any]) -> Iterator[str]:
        """What a part wants: written out, or for one that has a name, which others look at too, called once."""
        if part not in self.shared:
            yield from self.lines(part, known)
            yield "pass"
            return
        if part not in self.shared_walks:
            self.shared_walks[part] = self.compiled(part)
        called = f"f{len(known)}"
        known[called] = self.shared_walks[part]
        yield f"if {part.slot} not in met: met.add({part.slot}); {called}(v, c, add, met)"

    def of(self, node: Node) -> Want:
        """What a tree wants. Trees are kept, so that they are known by identity."""
        if id(node) not in self.trees:
            self.kept.append(node)
            self.trees[id(node)] = self.build(node)
        return self.trees[id(node)]

    def build(self, node: Node) -> Want:
        """What a tree wants, by what its parts want."""
        if isinstance(node, Const) or (isinstance(node, Call) and node.function == "known"):
            return Want()  # never unknown
        if isinstance(node, Ref):
            return Want(histories=(node.name,)) if node.type.kind == "events" else self.named(node.name)
        slot, below = self.pack.terms.get(node), [item for item in children(node) if not isinstance(item, Const)]
        if not isinstance(node, Call):
            return _joined(slot, map(self.of, below), node if slot is None and isinstance(node, And | Or) else None)
        facts = tuple((item.name, self.bases[item.name]) for item in below if isinstance(item, Ref) and item.name in self.bases)
        series = tuple(item.name for item in below if isinstance(item, Ref) and item.type.kind == "series")
        rest = [item for item in below if not (isinstance(item, Ref) and item.name in self.bases)]
        if slot is not None and not rest and [name for name, _ in facts] == list(series) and len(series) == 1:
            return Want(slot, ((series[0], slot),))  # missing or too short, it is the one series that is wanted
        return Want(slot, facts, series, below=tuple(map(self.of, rest)))

    def named(self, name: str) -> Want:
        """What a name wants."""
        if name not in self.names:
            self.names[name] = Want()  # a name that comes round to itself wants nothing more
            self.names[name] = found = self.build_named(name)
            if found.slot is not None and found.below:
                self.shared.add(found)
        return self.names[name]

    def build_named(self, name: str) -> Want:
        """What a name wants, by what it stands for."""
        pack, slots = self.pack, self.pack.slots
        tree, fact = definitions(pack).get(name), pack.derived.get(name)
        if tree is not None:
            return _joined(slots.get(name), (self.of(tree),))
        if fact is not None:
            return Want(slots.get(name), tuple((base, slots[base]) for base in sorted(fact.bases) if base in slots))
        if name.startswith("joined:"):
            joins = next(rule.kinds for rule in pack.patterns if f"joined:{rule.id}" == name)
            return Want(slots.get(name), histories=("events", "contacts") if CONTACT in joins else ("events",))
        if name.startswith(("open:", "plan.best_public", "plan.cost_now")):
            known = tuple((base, slots[base]) for base in COMPUTED_FROM if base in slots)
            return Want(slots.get(name), known, COMPUTED_FROM)
        if name in pack.definitions:
            return _joined(slots.get(name), map(self.of, _parts(pack.definitions[name])))
        return Want(None, ((name, slots[name]),)) if name in self.bases else Want()


def _joined(slot: int | None, parts: Iterable[Want], junction: And | Or | None = None) -> Want:
    """A want of several parts. Those that ask for no more than their facts merge into it."""
    facts: dict[tuple[str, int], None] = {}
    below: list[Want] = []
    for part in parts:
        bare = part.slot is None or (not part.below and all(slot == part.slot for _, slot in part.facts))
        if bare and part.junction is None and not part.series and not part.histories:
            facts |= dict.fromkeys(part.facts)
            below += part.below
        else:
            below.append(part)
    return Want(slot, tuple(facts), below=tuple(below), junction=junction)


def _parts(definition: Definition) -> Iterator[Node]:
    """The conditions and values of a table, or the one tree."""
    if not isinstance(definition, tuple):
        yield definition
        return
    for row in definition:
        yield from (part for part in (row.condition, row.value) if part is not None)


@once_a_pack
def wants_of(pack: Pack) -> Wants:
    """The wants of a pack."""
    return Wants(pack)
