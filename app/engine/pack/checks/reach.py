"""Actions that nobody can be offered: their clauses, phases, channels, contact policy and guardrails taken together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.engine.pack.checking import Parts
from app.engine.pack.checks.contradictions import edged
from app.engine.pack.checks.reasoning import Reasoning
from app.engine.pack.checks.witnesses import Demand
from app.engine.pack.model import UNPROFILED, Action, Clause, Pack
from app.engine.problems import Place, Problem
from app.engine.tree import BOOLEAN, Call, Compare, Const, Member, Node, Or, Ref, Type, joined


@dataclass(frozen=True)
class Condition:
    """One of the conditions under which an action is offered."""

    name: str
    place: Place
    demand: Demand
    kind: str


def reach(pack: Pack, parts: Parts, reasoning: Reasoning) -> Iterator[Problem]:
    """Warnings about actions, phases and categories that nothing reaches."""
    spare = frozenset(name for names in pack.choosing.fallback.values() for name in names)
    for action in pack.actions:
        yield from _Reach(action, parts, reasoning, spare=action.id in spare).problems()
    yield from _idle(pack, parts)


def _idle(pack: Pack, parts: Parts) -> Iterator[Problem]:
    if not parts.contact:
        yield Problem(Place(), "missing", "the pack has no `contact:`", "guardrails alone say when people may be reached", "warning")
    reached = {phase for action in pack.actions for phase in action.phases}
    for found in parts.draft.each("phases"):
        if found.part.id not in reached:
            message = f"no action belongs to the phase `{found.part.id}`"
            yield Problem(found.place("id"), "empty-phase", message, "name it in the `phases:` of an action", "warning")
    categories = set(pack.categories.values())
    for found in parts.draft.each("moments"):
        for category in found.part.relevance:
            if category not in categories:
                message = f"no action has the category `{category}`, so its relevance in `{found.part.id}` does nothing"
                hint = "give an action that category, or take it out"
                yield Problem(found.place("relevance", category), "idle-relevance", message, hint, "warning")


class _Reach:
    """One action's conditions, from its own clauses outwards."""

    def __init__(self, action: Action, parts: Parts, reasoning: Reasoning, *, spare: bool) -> None:
        self.action, self.parts, self.reasoning, self.spare = action, parts, reasoning, spare
        self.found = parts.actions[action.id]
        self.gates = [self.gate(clause) for clause in action.gates if not spare or clause.gate == "eligible"]
        self.policy = [self.rule(clause) for clause in (*action.contact, *action.guardrails)]

    def gate(self, clause: Clause) -> Condition:
        place = self.found.place("tariff") if clause.name == "tariff_on_sale" else self.found.place(clause.gate, clause.name)
        return Condition(f"`{clause.name}`", place, (clause.tree, "true"), "clause")

    def rule(self, clause: Clause) -> Condition:
        kind = "contact clause" if clause.gate == "contact" else "guardrail"
        demand: Demand = (clause.tree, "not_false" if clause.allows_unknown else "true")
        return Condition(f"the {kind} `{clause.name}`", self.found.place(), demand, kind)

    def channel(self, names: list[str]) -> Condition:
        node = Member(self.parts.scopes.names().values["request.channel"], Const(frozenset(names), Type("set", model="text")))
        return Condition("its `channels:`", self.found.place("channels"), (node, "true"), "channels")

    def phases(self, names: list[str]) -> Condition:
        phase = Ref("phase", Type("enum", values=self.parts.scopes.phases))
        tests: list[Node] = [Compare("==", phase, Const(name, phase.type), BOOLEAN) for name in names]
        return Condition("its `phases:`", self.found.place("phases"), (joined(Or, tests), "true"), "phases")

    def problems(self) -> Iterator[Problem]:
        own = self.gates if self.spare else [*self.gates, self.phases(sorted(self.action.phases))]
        channels = self.channel(list(self.action.channels))
        everything = [*own, channels, *self.policy]
        if self.impossible(everything):
            for conditions in (self.gates, own, [channels, *self.policy]):
                if self.impossible(conditions):
                    yield from self.told(conditions)
                    return
            if not (self.action.marketing and self.without_facts(own)):
                yield from self.told(everything)
                return
        yield from self.closed_channels()

    def without_facts(self, own: list[Condition]) -> bool:
        """May it fit somebody of whom nothing is known? Marketing to people who refused personalisation is decided so."""
        demands = [condition.demand for condition in own]
        bases = {base for demand in demands for thing in self.reasoning.things(demand[0]) for base in thing.bases} - UNPROFILED
        unknown: list[Demand] = [(_known(base), "false") for base in sorted(bases)]
        return not self.reasoning.impossible([*demands, *unknown])

    def impossible(self, conditions: list[Condition]) -> bool:
        return self.reasoning.impossible([condition.demand for condition in conditions])

    def told(self, conditions: list[Condition]) -> Iterator[Problem]:
        core = self.reasoning.core([condition.demand for condition in conditions])
        named = [condition for condition in conditions if condition.demand in core]
        kinds = {condition.kind for condition in named}
        if len(named) == 1 and kinds == {"clause"} and named[0].name not in ("`tariff_on_sale`", "`pilot_running`"):
            return  # told where the clause stands
        names = " and ".join(condition.name for condition in named)
        action, demands = self.action.id, [item.demand for item in named]
        if kinds == {"clause"} and len(named) > 1:
            message = f"`{action}` can never be offered: {names} exclude each other"
            yield edged(named[-1].place, "excluding-clauses", message, demands, self.reasoning, named[-1].name)
        elif len(named) == 1:
            closed = "none of its phases ever holds" if kinds == {"phases"} else f"{names} never lets it pass"
            message = f"`{action}` can never be offered: {closed}"
            yield Problem(named[0].place, "unreachable-action", message, "loosen the condition, or take the action out", "warning")
        else:
            message = f"`{action}` can never be offered: {names} exclude each other"
            yield edged(named[0].place, "unreachable-action", message, demands, self.reasoning, named[-1].name)

    def closed_channels(self) -> Iterator[Problem]:
        for name in self.action.channels:
            channel = self.channel([name])
            for closing in (self.gates, self.policy):
                if self.impossible([channel, *closing]):
                    yield self.closed(name, channel, closing)
                    break

    def closed(self, name: str, channel: Condition, closing: list[Condition]) -> Problem:
        core = self.reasoning.core([condition.demand for condition in (channel, *closing)])
        names = [condition.name for condition in closing if condition.demand in core]
        closed = f"{names[0]} never lets it pass there" if len(names) == 1 else f"{' and '.join(names)} exclude each other there"
        message = f"`{self.action.id}` can never be offered on `{name}`: {closed}"
        return Problem(self.found.place("channels", name), "closed-channel", message, "leave the channel out", "warning")


def _known(base: str) -> Node:
    return Call("known", (Ref(base, Type("text")),), (), BOOLEAN)
