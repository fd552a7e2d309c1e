"""The code of all gates, twice from the same lines: to find what keeps each action out, and to look at everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.engine.to_python import Program


@dataclass(frozen=True, slots=True)
class Entrance:
    """An action's gates as a program has them: the branch that they are written in, the slots of the clauses in order, and what the
    action's door looks at, as a display."""

    branch: str
    clauses: tuple[int, ...]
    seen: str


def complete(program: Program, phase: int, entrances: Sequence[Entrance]) -> list[str]:
    """The section that works out everything and asks each door."""
    asked = [f"d[{index}][{item.seen}]" for index, item in enumerate(entrances)]
    doors = f"d = c.doors[{program.read(phase)}].each"
    return [*program.fetches(), *map(program.line, program.lines), doors, f"return [{', '.join(asked)}]"]


def screen(program: Program, phase: int, entrances: Sequence[Entrance]) -> list[str]:
    """The section that leaves an action at its first false clause, and does not enter those that phase or channel shut; it also says
    which actions it asked the door of: what keeps them out, if anything, is unknown.

    What many actions want comes first; what few of them want is worked out where one gets there.
    """
    own: dict[str, dict[int, None]] = {item.branch: {} for item in entrances}
    trunk: list[int] = []
    for slot in program.lines:
        if program.of_trunk(slot):
            trunk.append(slot)
        else:
            for branch in program.wanted[slot]:
                own[branch][slot] = None
    doors = f"d, shut, stopped = c.doors[{program.read(phase)}]"
    entered = [line for index, item in enumerate(entrances) for line in _entered(program, index, item, own[item.branch])]
    return [*program.fetches(), *map(program.line, trunk), doors, "out, met = [*shut], []", *entered, "return out, met"]


def _entered(program: Program, index: int, entrance: Entrance, own: dict[int, None]) -> Iterator[str]:
    """One action's part, which runs once at most: a loop can be left anywhere, and nests no deeper however many clauses there are."""
    yield f"while out[{index}] is None:"
    for number, slot in enumerate(entrance.clauses):
        yield from _lines(program, [slot], own)
        yield f"    if {program.read(slot)} is False: out[{index}] = stopped[{index}][{number}]; break"
    yield from _lines(program, list(own), own)
    yield f"    out[{index}] = d[{index}][{entrance.seen}]; met.append({index})"
    yield "    break"


def _lines(program: Program, slots: Iterable[int], waiting: dict[int, None]) -> Iterator[str]:
    """The lines that fill the slots, each after those it reads; those that wait for it no longer do."""
    for slot in slots:
        if slot in waiting:
            del waiting[slot]
            yield from _lines(program, program.written[slot][1], waiting)
            yield f"    {program.line(slot)}"
