"""What is worked out for a batch on one channel, laid out once for a pack: the same trees as for one case, as steps over columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import polars as pl

from app.campaign.batch import Batch, column_type
from app.campaign.entries import Entry, Gate
from app.campaign.histories import count_histories
from app.campaign.joining import join_events
from app.campaign.screening import gates_code, rules_code
from app.campaign.wanting import Wanting
from app.campaign.wording.glimpses import looked_at
from app.campaign.wording.wholes import figure_of, figures
from app.engine.once import once_a_pack
from app.engine.runtime import buckets
from app.engine.to_polars import ZERO, Columns, Counted, Hashed, Joined, Worked
from app.engine.tree import TEXT, Call, Const, Ref, Type

if TYPE_CHECKING:
    from app.engine.pack.model import Action, Clause, Pack
    from app.engine.texts import Slot, Text
    from app.engine.tree import Node


class Plan:
    """The columns that deciding on one channel takes.

    Attributes:
        entries: of the actions that the channel has, in the order of actions; `by_id` by theirs.
        levels: each signal's levels, strongest first, with their columns; `level` gives the name of the strongest that holds.
        stages: the clauses of each stage, `phases` and `hands_off` likewise.
        gates: by action, the code of what keeps it from its gates; `rules` that of what keeps one of the channel from being permitted.
        costs: the columns of what three cycles' use would have cost on each plan that actions of the channel sell.
        terms: the columns of what a clause tells that has to speak for itself.
        wanting: for want of which facts clauses of phases and actions are unknown.
    """

    def __init__(self, pack: Pack, channel: str) -> None:
        """Lay the columns out.

        Args:
            pack: what decides.
            channel: whose actions are looked at.
        """
        self.pack, self.channel = pack, channel
        self._figures: set[str] = set()
        joined = {f"joined:{rule.id}": None if rule.when is None else f"when:{rule.id}" for rule in pack.patterns}
        self.columns = Columns(pack.definitions, pack.plans, joined)
        actions = [action for action in pack.actions if channel in action.channels]
        self.columns.expect(_trees(pack, actions))
        for name in ("stage", "phase", "moment"):
            self.columns.named(name)
        self.hands_off = self._gates(rule.clause for rule in pack.hands_off)
        self.stages = {stage.id: self._gates(stage.clauses) for stage in pack.stages}
        self.phases = {phase.id: self._gates(phase.clauses) for phase in pack.phases}
        self.levels = {signal.id: self._gates(signal.levels) for signal in pack.signals.values()}
        self.level = {name: _strongest(levels) for name, levels in self.levels.items()}
        self.entries = tuple(map(self._entry, actions))
        self.by_id = {entry.action.id: entry for entry in self.entries}
        self.gates = {action.id: gates_code(action, self.by_id.get(action.id)) for action in pack.actions}
        self.rules = {entry.action.id: rules_code(entry) for entry in self.entries}
        for slot in _said(pack, actions, channel):
            self._tell(slot)
        self.costs = {plan: self.columns.add(cost) for plan, cost in _costs(pack, self.entries)}
        if self.costs:
            self.columns.named("plan.cost_now")
        self.terms = {node: self.columns.add(node) for node in dict.fromkeys(_speaking_for_themselves(pack, actions))}
        looked_at = [gate for entry in self.entries for gate in (*entry.gates, *entry.contact, *entry.guardrails)]
        self.wanting = Wanting(pack, self.columns, [*chain.from_iterable(self.phases.values()), *looked_at])

    def _entry(self, action: Action) -> Entry:
        name = self.columns.named
        return Entry(
            action,
            self._gates(action.gates),
            self._gates(action.contact),
            self._gates(action.guardrails),
            None if action.duty_slot is None else name(f"duty:{action.id}"),
            name(f"concession:{action.id}"),
            name(f"propensity:{action.id}"),
            name(f"value:{action.id}"),
            None if action.tariff_slot is None else name("plan.best_public_id"),
        )

    def _tell(self, slot: Slot) -> None:
        """The column that a slot of a text reads."""
        name = self.columns.named(slot.name)
        figure = figure_of(self.pack, slot)
        if figure is not None and figure not in self._figures:
            self._figures.add(figure)
            self.columns.define(figure, lambda: figures(self.pack, self.columns, Ref(name, self.pack.types[name])))

    def _gates(self, clauses: Iterable[Clause]) -> tuple[Gate, ...]:
        return tuple(Gate(clause, self.columns.add(clause.tree)) for clause in clauses)

    def fill(self, frame: pl.DataFrame, batch: Batch, *, given: frozenset[str] = frozenset()) -> pl.DataFrame:
        """The frame with every column worked out.

        Args:
            frame: the facts of subscribers, in the order of `i`.
            batch: their histories.
            given: columns that stay as the frame has them.
        """
        frame = frame.with_columns(pl.Series(ZERO, [0.0]).new_from_index(0, frame.height), *self._blanks(frame))
        for step in self.columns.steps:
            worked = [column.expression.alias(column.name) for column in step if isinstance(column, Worked) and column.name not in given]
            if worked:
                frame = frame.with_columns(worked)
            counted = [column for column in step if isinstance(column, Counted)]
            if counted:
                frame = count_histories(frame, batch, counted, self.pack.categories)
            hashed = [self._hashed(frame, column) for column in step if isinstance(column, Hashed)]
            if hashed:
                frame = frame.with_columns(hashed)
            if any(isinstance(column, Joined) for column in step):
                frame = join_events(frame, batch, self.pack)
        return frame

    def _blanks(self, frame: pl.DataFrame) -> Iterator[pl.Expr]:
        """Facts that nobody has."""
        for name, kind in self.columns.inputs.items():
            if name not in frame.columns:
                yield pl.lit(None, column_type(kind or self.pack.types[name].kind)).alias(name)

    def _hashed(self, frame: pl.DataFrame, column: Hashed) -> pl.Series:
        return pl.Series(column.name, buckets(self.pack.salt, column.word, frame["subscriber"].to_list()), pl.Float64)


def _strongest(levels: Iterable[Gate]) -> pl.Expr:
    found: pl.Expr = pl.lit(None, pl.String)
    for gate in reversed(list(levels)):
        found = pl.when(pl.col(gate.column)).then(pl.lit(gate.clause.name)).otherwise(found)
    return found


def _trees(pack: Pack, actions: Iterable[Action]) -> Iterator[Node]:
    """Every tree that is going to be wanted."""
    clauses: list[Iterable[Clause]] = [(rule.clause for rule in pack.hands_off)]
    clauses += [*(stage.clauses for stage in pack.stages), *(phase.clauses for phase in pack.phases)]
    clauses += [signal.levels for signal in pack.signals.values()]
    clauses += [part for action in actions for part in (action.gates, action.contact, action.guardrails)]
    yield from dict.fromkeys(clause.tree for clause in chain.from_iterable(clauses))
    for found in pack.definitions.values():
        parts: Iterable[Any] = [part for row in found for part in (row.condition, row.value)] if isinstance(found, tuple) else [found]
        yield from (part for part in parts if part is not None)


def _said(pack: Pack, actions: Iterable[Action], channel: str) -> Iterator[Slot]:
    """The slots of texts that tell facts."""
    texts: list[Text | None] = [text for signal in pack.signals.values() for text in (signal.reason, signal.customer)]
    for action in actions:
        texts += (action.reason, action.customer, action.disclose, action.channels[channel][1])
    texts += [tariff.disclose for tariff in pack.tariffs.values()]
    slots = dict.fromkeys(slot for text in texts if text is not None for part in (text.en, text.zh) for slot in part.slots)
    yield from (slot for slot in slots if slot.name in pack.slots)


def _costs(pack: Pack, entries: Iterable[Entry]) -> Iterator[tuple[str, Node]]:
    """What the last three cycles' use comes to on the plans that actions sell, of those whose saving can be told."""
    sold = {entry.action.tariff for entry in entries}
    if "plan.cost_now" not in pack.slots:
        return
    three = Const(3, Type("number", integral=True, most=3))
    use = [Ref(name, pack.types[name]) for name in ("usage.voice_out_min", "usage.data_mb")]
    for plan in pack.plans:
        if plan in sold or any(entry.tariff for entry in entries):
            yield plan, Call("fee_on", (Const(plan, TEXT), three, *use))


def _speaking_for_themselves(pack: Pack, actions: Iterable[Action]) -> Iterator[Node]:
    """What clauses look at that may be a reason without a signal that holds: those of phases, and those of actions without a reason."""
    yield from (node for phase in pack.phases for clause in phase.clauses for node in looked_at(clause))
    yield from (node for action in actions if action.reason is None for clause in action.gates for node in looked_at(clause))


class Plans(dict[str, Plan]):
    """The plans of a pack by channel, each laid out when it is first wanted."""

    def __init__(self, pack: Pack) -> None:
        super().__init__()
        self.pack = pack

    def __missing__(self, channel: str) -> Plan:
        found = self[channel] = Plan(self.pack, channel)
        return found


plans_of = once_a_pack(Plans)
