"""Packs that differ from one in a condition or two, made quickly: what a change leaves alone is not compiled again.

Slots keep their numbers from the first pack, so that a section whose conditions are the same comes out as the same code, and is reused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.engine.pack import Pack, assembled
from app.engine.pack.checking import Parts
from app.engine.pack.compiling import Compiled, Compiler
from app.engine.pack.documents import ContactPart
from app.engine.pack.model import Clause
from app.engine.pack.reading import Draft, Found
from app.engine.pack.source import Path
from app.engine.patterns import Pattern
from app.engine.screening import Entrance
from app.engine.to_python import Program, Section
from app.engine.tree import Const, Node, reads

Trees = Mapping[tuple[str, Path], Node]
_NOWHERE = "\0"
"""A branch that no section is written for: what stands there is not ready anywhere."""


class Remaker:
    """Makes packs out of the parts of one, with other trees here and there."""

    def __init__(self, parts: Parts, files: Mapping[str, bytes]) -> None:
        self.parts, self.files = parts, files
        head = parts.draft.single("arbitration")
        if head is None:
            raise AssertionError("checked before")
        self.valid_days: int = head.part.valid_days
        self.memory = _Memory()
        first = _Recompiler(parts, self.valid_days, self.memory)
        self.pack = assembled(parts, files, first)
        self.memory.keep(first.program)

    def with_trees(self, trees: Trees, opened: Mapping[str, Node], joins: Mapping[str, Pattern]) -> Pack:
        """The pack with these trees, conditions of tariffs and patterns in place of its own."""
        draft = Draft(self.parts.draft.documents, self.parts.draft.actions, [], {**self.parts.draft.trees, **trees})
        parts = replace(self.parts, draft=draft, opened={**self.parts.opened, **opened}, joins={**self.parts.joins, **joins})
        return assembled(parts, self.files, _Recompiler(parts, self.valid_days, self.memory))


@dataclass(frozen=True)
class _Policy:
    """What an action's contact and guardrail clauses came to: of what action, what each asks of it, reading which names."""

    known: Mapping[str, Node]
    asks: tuple[Node, ...]
    reads: frozenset[str]
    contact: tuple[Clause, ...]
    guardrails: tuple[Clause, ...]
    section: Section


class _Memory:
    """What was worked out for the first pack. Nothing is kept of the others: there are thousands."""

    def __init__(self) -> None:
        self.named: dict[str, int] = {}
        self.trees: dict[Node, int] = {}
        self.constants: dict[tuple[type, Const], int] = {}
        self.sure: frozenset[int] = frozenset()
        self.trunk: tuple[Node, ...] = ()
        self.size = 0
        self.sections: dict[str, Section] = {}
        self.bases: dict[Node, frozenset[str]] = {}
        self.rules: tuple[tuple[Node | None, Node], ...] = ()
        self.policies: dict[str, _Policy] = {}

    def keep(self, program: Program) -> None:
        """Keep where the first pack has what."""
        self.named, self.trees, self.size = dict(program.named), dict(program.trees), program.size
        self.constants, self.sure = dict(program.constants), frozenset(program.sure)
        self.trunk = tuple(tree for tree, slot in program.trees.items() if program.ready[slot] == "")


class _Recompiler(Compiler):
    """Compiles with a memory. That a fact rests on fewer facts once a condition is gone is not followed up: only questions hang on it."""

    program: _SteadyProgram

    def __init__(self, parts: Parts, valid_days: int, memory: _Memory) -> None:
        super().__init__(parts, valid_days)
        self.memory = memory
        self.program = _SteadyProgram(memory)
        self.out = Compiled(self.program)
        self.rules: list[Found[Any]] = [parts.contact[name] for name in sorted(parts.contact)]
        self.rules += [parts.guardrails[name] for name in sorted(parts.guardrails)]
        written = tuple(
            (self.draft.tree(rule, "applies") if rule.part.applies else None, self.draft.tree(rule, "permits")) for rule in self.rules
        )
        if not memory.rules:
            memory.rules = written
        pairs = zip(memory.rules, written, strict=True)
        self.changed = frozenset(index for index, (old, new) in enumerate(pairs) if old[0] is not new[0] or old[1] is not new[1])
        self.contact: tuple[Clause, ...] = ()
        self.asks: list[Node] = []

    def bases_of(self, node: Node) -> frozenset[str]:
        """See `Compiler.bases_of`."""
        found = self.memory.bases.get(node)
        if found is None:
            found = super().bases_of(node)
            if not self.memory.size:
                self.memory.bases[node] = found
        return found

    def close_gates(self, entrances: Sequence[Entrance]) -> None:
        """See `Compiler.close_gates`. The trunk works out what that of the first pack did: its branches count on it."""
        self.program.branch = ""
        for tree in self.memory.trunk:
            self.program.add(tree)
        super().close_gates(entrances)

    def policies(self, gate: str, rules: Mapping[str, Found[Any]], known: Mapping[str, Node]) -> tuple[Clause, ...]:
        """See `Compiler.policies`. Where nothing that they look at is another, the first pack's are taken, with their code."""
        kept = self.memory.policies.get(self.program.branch)
        if gate == "contact":
            self.asks = self.asked(kept, known)
        if kept is not None and self.unchanged(kept, known):
            self.program.ready_made = kept.section
            return kept.contact if gate == "contact" else kept.guardrails
        found = super().policies(gate, rules, known)
        if gate == "contact":
            self.contact = found
        elif not self.memory.size:
            self.program.then = self.keeper(known, found)
        return found

    def asked(self, kept: _Policy | None, known: Mapping[str, Node]) -> list[Node]:
        """What each clause asks of the action, worked out where that may be another than for the first pack."""
        if kept is None or kept.known != known:
            return [super(_Recompiler, self).concerning(rule, known) for rule in self.rules]
        found = list(kept.asks)
        for index in self.changed:
            found[index] = super().concerning(self.rules[index], known)
        return found

    def concerning(self, rule: Found[ContactPart], known: Mapping[str, Node]) -> Node:
        """See `Compiler.concerning`."""
        return self.asks[next(index for index, item in enumerate(self.rules) if item is rule)]

    def unchanged(self, kept: _Policy, known: Mapping[str, Node]) -> bool:
        """Do the clauses ask the same, of an action that is the same, of values in the same slots?"""
        if kept.known != known or any(kept.asks[index] != self.asks[index] for index in self.changed):
            return False
        named, sure = self.memory.named, self.memory.sure
        slots = [(self.program.slot_of(name), named[name]) for name in kept.reads if name in named]
        return all(now == then and (now in self.program.sure) == (then in sure) for now, then in slots)

    def keeper(self, known: Mapping[str, Node], guardrails: tuple[Clause, ...]) -> Callable[[Section], None]:
        """What keeps an action's clauses once their code is there."""
        branch, contact, asks = self.program.branch, self.contact, tuple(self.asks)
        names = frozenset().union(*(reads(clause.tree) for clause in (*contact, *guardrails)))

        def keep(section: Section) -> None:
            self.memory.policies[branch] = _Policy(dict(known), asks, names, contact, guardrails, section)

        return keep


class _SteadyProgram(Program):
    """A program whose slots have the numbers that they had in the first one."""

    def __init__(self, memory: _Memory) -> None:
        super().__init__()
        self.memory = memory
        self.size = memory.size
        self.trees = dict(memory.trees)
        self.constants = dict(memory.constants)
        self.ready = defaultdict(lambda: _NOWHERE)
        self.ready_made: Section | None = None
        self.then: Callable[[Section], None] | None = None

    def new_for(self, name: str) -> int:
        """See `Program.new_for`: the slot that the name had."""
        return self.memory.named[name] if name in self.memory.named else self.new()

    def section(self, result: str = "") -> Any:
        """See `Program.section`."""
        if self.ready_made is not None:
            made, self.ready_made = self.ready_made, None
            return made
        found: Section = super().section(result)
        if self.then is not None:
            self.then(found)
            self.then = None
        return found

    def compiled(self, lines: Sequence[str]) -> Any:
        """See `Program.compiled`; the same code is compiled once."""
        body = "\n".join(lines)
        found = self.memory.sections.get(body)
        if found is None:
            found = super().compiled(lines)
            if not self.memory.size:
                self.memory.sections[body] = found
        return found
