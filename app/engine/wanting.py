"""For want of which facts a condition is unknown.

What hangs on what is worked out once for a pack; a case is then walked down its unknown branches only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.engine.changes import definitions
from app.engine.decision import Decision
from app.engine.pack.model import Clause, Pack
from app.engine.tree import Call, Const, Node, Ref, children

COMPUTED_FROM = ("usage.voice_out_min", "usage.data_mb")
"""What the engine cannot do without to find the best public plan."""


@dataclass(frozen=True, slots=True, eq=False)
class Want:
    """A part of a condition. It is asked for only while `slot` (none: always) is unknown.

    `facts` are base facts with their slots, wanted where unknown; `series` those that are too short where no fact is wanted; `history` is
    `events` or `contacts`.
    """

    slot: int | None = None
    facts: tuple[tuple[str, int], ...] = ()
    series: tuple[str, ...] = ()
    history: str = ""
    below: tuple[Want, ...] = ()


def wanted(pack: Pack, decision: Decision, clauses: Iterable[Clause], values: Sequence[Any]) -> set[str]:
    """Base facts (and `events`, `contacts`) for want of which the clauses are unknown."""
    found: set[str] = set()
    seen: set[int] = set()
    wants, around = _wants(pack), decision.facts.around
    unknown = {name for name in ("events", "contacts") if getattr(around, name) is None}
    waiting = [wants.of(clause.tree) for clause in clauses]
    while waiting:
        want = waiting.pop()
        if id(want) in seen or (want.slot is not None and values[want.slot] is not None):
            continue
        seen.add(id(want))
        waiting += want.below
        missing = [name for name, slot in want.facts if values[slot] is None]
        found.update(missing or want.series)
        if want.history in unknown:
            found.add(want.history)
    return found


class _Wants:
    """The wants of one pack, each built when it is first asked for."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.bases = {base.name: base.slot for base in pack.base}
        self.names: dict[str, Want] = {}
        self.trees: dict[int, tuple[Node, Want]] = {}

    def of(self, node: Node) -> Want:
        """What a tree wants. Trees live as long as their pack, so that they are known by identity."""
        found = self.trees.get(id(node))
        if found is None:
            found = self.trees[id(node)] = node, self.build(node)
        return found[1]

    def build(self, node: Node) -> Want:
        if isinstance(node, Const):
            return Want()
        if isinstance(node, Ref):
            return Want(history=node.name) if node.type.kind == "events" else self.named(node.name)
        slot, below = self.pack.terms.get(node), [item for item in children(node) if not isinstance(item, Const)]
        if not isinstance(node, Call):
            return Want(slot, below=tuple(map(self.of, below)))
        facts = tuple((item.name, self.bases[item.name]) for item in below if isinstance(item, Ref) and item.name in self.bases)
        series = tuple(item.name for item in below if isinstance(item, Ref) and item.type.kind == "series")
        rest = [item for item in below if not (isinstance(item, Ref) and item.name in self.bases)]
        return Want(slot, facts, series, below=tuple(map(self.of, rest)))

    def named(self, name: str) -> Want:
        if name not in self.names:
            self.names[name] = Want()  # a name that comes round to itself wants nothing more
            self.names[name] = self.build_named(name)
        return self.names[name]

    def build_named(self, name: str) -> Want:
        pack, slots = self.pack, self.pack.slots
        tree, fact = definitions(pack).get(name), pack.derived.get(name)
        if tree is not None:
            return Want(slots.get(name), below=(self.of(tree),))
        if fact is not None:
            return Want(slots.get(name), tuple((base, slots[base]) for base in sorted(fact.bases) if base in slots))
        if name.startswith("joined:"):
            return Want(slots.get(name), history="events")
        if name.startswith(("open:", "plan.best_public", "plan.cost_now")):
            known = tuple((base, slots[base]) for base in COMPUTED_FROM if base in slots)
            return Want(slots.get(name), known, COMPUTED_FROM)
        return Want(None, ((name, slots[name]),)) if name in slots else Want()


@lru_cache(maxsize=8)
def _wants(pack: Pack) -> _Wants:
    return _Wants(pack)
