"""Stage 3: the lifecycle stage and the phase, and why not a stronger one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.engine.decision import Passed, Placed
from app.engine.facts import Facts
from app.engine.pack.model import Pack, Row


def place(pack: Pack, facts: Facts) -> tuple[Placed, Placed, str]:
    """The stage, the phase and the moment of truth."""
    values, slots = facts.values, pack.slots
    stage = _placed(pack.stage_rows, values[slots["stage"]], values)
    phase = _placed(pack.phase_rows, values[slots["phase"]], values)
    return stage, phase, str(values[slots["moment"]])


def keep_hands_off(pack: Pack, facts: Facts) -> None:
    """Where hands are off, they are off for the unprofiled view too: port-out and a closed account bind whatever may be looked at."""
    values, slots = facts.values, pack.slots
    if facts.unprofiled is not None and values[slots["phase"]] == "hands_off":
        for name in ("phase", "moment"):
            facts.unprofiled.values[slots[name]] = values[slots[name]]


def _placed(rows: Sequence[Row], chosen: str, values: list[Any]) -> Placed:
    """The chosen row, its clauses that hold, and the rows before it with what kept them from holding."""
    passed: list[Passed] = []
    for row in rows:
        seen = row.see(values)
        if row.id == chosen:
            return Placed(
                row.id, tuple([clause.name for clause, held in zip(row.clauses, seen, strict=True) if held is True]), tuple(passed)
            )
        passed.append(row.passed[seen])
    raise AssertionError("the last row of a table always holds")
