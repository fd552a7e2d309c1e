"""A checked draft to a pack: sections of straight-line code, and the parts that name their slots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.engine import patterns, screening
from app.engine.decision import Failing
from app.engine.pack import model
from app.engine.pack.checking import GATES, Parts
from app.engine.pack.documents import ActionDocument, ContactPart, Row
from app.engine.pack.names import ACTION_NAMES, BEST, BEST_PLAN, TARIFF_NAMES, TODAY, type_of
from app.engine.pack.reading import Found
from app.engine.runtime import Plan
from app.engine.texts import Template, Text
from app.engine.to_python import Program, picker, terms
from app.engine.to_python import Row as Choice
from app.engine.tree import (
    BOOLEAN,
    DATE,
    TEXT,
    TRUE,
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    Node,
    Not,
    Or,
    Ref,
    Type,
    fold,
    reads,
    show,
    substitute,
)
from app.engine.vocabulary import FACTS

FORMED = frozenset({"date", "time", "set", "series"})
"""Kinds of values that answers show in another form than they are kept."""
_money = Type("number", "money")


@dataclass
class Compiled:
    """What the compiler leaves for the assembled pack."""

    program: Program
    recognise: Any = None
    conclude: Any = None
    screen: Any = None
    gates: Any = None
    bases: dict[str, frozenset[str]] = field(default_factory=dict)
    derived: dict[str, model.DerivedFact] = field(default_factory=dict)
    signals: dict[str, model.Signal] = field(default_factory=dict)
    patterns: list[model.PatternRule] = field(default_factory=list)
    stages: tuple[model.Stage, ...] = ()
    phases: tuple[model.Phase, ...] = ()
    hands_off: tuple[model.HandsOff, ...] = ()
    moments: dict[str, model.Moment] = field(default_factory=dict)
    questions: dict[str, model.Question] = field(default_factory=dict)
    leaving: int | None = None
    actions: tuple[model.Action, ...] = ()


@dataclass(frozen=True)
class ActionDraft:
    """An action with its duty, concession and gates, which stand in one section with those of all; its worth and policy come in the next.

    `known` are its own names and what stands for them, `entrance` is how its gates are passed, `tariff_slot` holds the tariff that it sells
    where that is known only when deciding.
    """

    found: Found[ActionDocument]
    known: Mapping[str, Node]
    duty: str
    duty_slot: int | None
    concession: int
    may_cost_unknown: bool
    gates: tuple[model.Clause, ...]
    entrance: screening.Entrance
    tariff_slot: int | None


class Compiler:
    """Compiles the parts in the order of the pipeline. Trusts that the draft has no mistakes."""

    def __init__(self, parts: Parts, valid_days: int) -> None:
        self.parts, self.draft = parts, parts.draft
        self.valid_days = valid_days
        self.program = Program()
        self.out = Compiled(self.program)
        self.names = parts.scopes.names(port=True).values
        self.own = frozenset({**ACTION_NAMES, **TARIFF_NAMES})
        self.asking: dict[Any, tuple[Node, tuple[str, ...]]] = {}
        self.asked_before: dict[Any, Node] = {}
        self.made: dict[tuple[str, str, int], model.Clause] = {}

    def run(self) -> Compiled:
        """Compile everything."""
        before = [name for name in self.parts.order if name not in self.parts.concluded]
        after = [name for name in self.parts.order if name in self.parts.concluded]
        for name in before:
            self.derive(name)
        for name in sorted(self.parts.patterns):
            self.pattern_condition(name)
        self.out.recognise = self.program.section()
        for name in after:
            self.derive(name)
        self.place()
        self.questions()
        self.conversation()
        self.out.conclude = self.program.section()
        drafts = [self.action_gates(found) for _, found in sorted(self.parts.actions.items())]
        self.close_gates([draft.entrance for draft in drafts])
        self.out.actions = tuple(map(self.action, drafts))
        self.text_slots()
        return self.out

    def close_gates(self, entrances: Sequence[screening.Entrance]) -> None:
        """End the section with the gates of all actions, the last of the trunk."""
        program, phase = self.program, self.program.named["phase"]
        program.branch = ""
        sections = [write(program, phase, entrances) for write in (screening.complete, screening.screen)]
        program.close()
        self.out.gates, self.out.screen = map(program.compiled, sections)

    def text(self, found: Found[Any], *path: str | int) -> Text:
        """A text that was cut when it was checked."""
        return self.parts.texts[found.source.file, (*found.path, *path)]

    def optional_text(self, found: Found[Any], key: str) -> Text | None:
        """The same, where it may be missing."""
        return self.parts.texts.get((found.source.file, (*found.path, key)))

    def bases_of(self, node: Node) -> frozenset[str]:
        """Base facts that the tree rests on, through facts and signals; `events` and `contacts` count as one fact each."""
        return frozenset().union(
            *(self.out.bases.get(_key(name), frozenset({name}) - set(model.CLOCKS)) for name in reads(node)), frozenset()
        )

    def clause(self, gate: str, name: str, tree: Node, test: str, *, allows_unknown: bool = False) -> model.Clause:
        """A clause: its slot, what it looks at, what it rests on."""
        slot = self.program.add(tree)
        found = tuple(self.term(node) for node in terms(tree))
        notes = Failing(gate, name, unknown=False), Failing(gate, name, unknown=True)
        see = picker([self.program.constant(term.node) if isinstance(term.node, Const) else self.program.add(term.node) for term in found])
        names, formed = tuple(term.text for term in found), tuple((term.text, term.type.kind) for term in found if term.type.kind in FORMED)
        return model.Clause(
            gate, name, test, slot, tree, found, self.bases_of(tree), allows_unknown, _signals([tree]), *notes, names, see, formed
        )

    def term(self, node: Node) -> model.Term:
        """Something a condition looks at."""
        if isinstance(node, Const):
            return model.Term(node.name, None, node.value, node.type, node)
        return model.Term(show(node), self.program.add(node), None, node.type, node)

    def derive(self, name: str) -> None:
        """Compute one derived name: a fact, a signal, whether a plan is open, the best public plan."""
        if name in self.parts.facts:
            self.fact(name)
        elif name.startswith("open:"):
            tree = self.parts.opened[name.removeprefix("open:")]
            self.out.bases[name] = frozenset(base for base in self.bases_of(tree) if base not in FACTS or not FACTS[base].protected)
            self.program.define(name, tree)
        elif name in BEST:
            self.best(name)
        elif name.removeprefix("signal:") in self.parts.patterns:
            self.pattern_signal(name.removeprefix("signal:"))
        else:
            self.signal(name.removeprefix("signal:"))

    def fact(self, name: str) -> None:
        """A derived fact."""
        found = self.parts.facts[name]
        tree = None
        if found.part.expression is not None:
            tree = self.draft.tree(found, "is")
            self.out.bases[name] = self.bases_of(tree)
            self.program.define(name, tree)
        else:
            rows, bases = self.choices(found, "first", found.part.first)
            self.out.bases[name] = bases
            self.program.choose(name, rows)
        kind = self.parts.scopes.derived[name].type
        titled = found.part.values if isinstance(found.part.values, dict) else ()
        words = {word: self.text(found, "values", word) for word in titled}
        self.out.derived[name] = model.DerivedFact(
            name, self.program.named[name], kind, self.text(found, "title"), self.out.bases[name], tree, words
        )

    def choices(
        self, found: Found[Any], key: str, rows: list[Row], change: Callable[[Node], Node] = lambda node: node
    ) -> tuple[list[Choice], frozenset[str]]:
        """A first-match table's rows, and the base facts it rests on."""
        result: list[Choice] = []
        bases: set[str] = set()
        for index, row in enumerate(rows):
            condition = None if row.condition is None else change(self.draft.tree(found, key, index, "if"))
            value = change(self.draft.tree(found, key, index, "is"))
            bases |= self.bases_of(value) if condition is None else self.bases_of(condition) | self.bases_of(value)
            result.append(Choice(condition, value))
        return result, frozenset(bases)

    def best(self, name: str) -> None:
        """The cheapest open plan over three closed cycles, and what it saves against the present plan's cost."""
        names, three = self.names, Const(3, Type("number", integral=True, most=3))
        use = (names["usage.voice_out_min"], names["usage.data_mb"])
        plans = tuple(Ref(f"open:{plan}", BOOLEAN) for plan in self.parts.scopes.plans)
        best = Call("best_plan", (three, *use, *plans), (), Type("text"))
        overage = [Call("mean", (names[f"billing.{kind}_overage_fee"], three), (), _money) for kind in ("voice", "data")]
        billed = Arithmetic("+", Arithmetic("+", names["plan.monthly_fee"], overage[0], _money), overage[1], _money)
        now = Call("first_known", (Call("fee_on", (names["plan.id"], three, *use), (), _money), billed), (), _money)
        saving = Call(
            "max", (Arithmetic("-", now, Call("best_fee", (three, *use, *plans), (), _money), _money), Const(0, _money)), (), _money
        )
        self.program.define("plan.cost_now", now)
        tree: Node = best if name == "plan.best_public_id" else saving
        self.out.bases[name] = self.bases_of(tree)
        self.program.define(name, tree)

    def signal(self, name: str) -> None:
        """A signal of a rules file."""
        found = self.parts.signals[name]
        levels = []
        for index, level in enumerate(found.part.levels):
            for word, test in level.items():
                clause = self.clause("signal", word, self.draft.tree(found, "levels", index, word), test)
                self.program.name(f"level:{name}:{word}", clause.slot, clause.tree)
                levels.append(clause)
        self.conclude_signal(name, found, tuple(levels), pattern=False)

    def conclude_signal(self, name: str, found: Found[Any], levels: tuple[model.Clause, ...], *, pattern: bool) -> None:
        """A signal from its levels."""
        refs = tuple(Ref(f"level:{name}:{clause.name}", BOOLEAN) for clause in levels)
        slot = self.program.define(f"signal:{name}", refs[0] if len(refs) == 1 else Or(refs))
        self.out.bases[f"signal:{name}"] = frozenset().union(*(clause.bases for clause in levels))
        title, reason = self.text(found, "title"), self.text(found, "reason")
        self.out.signals[name] = model.Signal(
            name, title, slot, levels, reason, self.optional_text(found, "customer"), pattern, {clause.name: clause for clause in levels}
        )

    def pattern_condition(self, name: str) -> None:
        """A pattern's condition, and the slot for whether its events join."""
        found, joins = self.parts.patterns[name], self.parts.joins[name].joins
        when = self.program.define(f"when:{name}", self.draft.tree(found, "when")) if found.part.when is not None else None
        joined = self.program.reserve(f"joined:{name}")
        kinds = frozenset(kind for join in joins for _, kind in join.facts) | {kind for join in joins for _, kind, _ in join.without}
        self.out.bases[f"joined:{name}"] = frozenset({"events", "contacts"} if model.CONTACT in kinds else {"events"})
        needed = tuple(frozenset(kind for _, kind in join.facts) for join in joins)
        self.out.patterns.append(model.PatternRule(name, when, joined, kinds, needed))

    def pattern_signal(self, name: str) -> None:
        """The signal that a pattern concludes."""
        found = self.parts.patterns[name]
        joined = Ref(f"joined:{name}", BOOLEAN)
        tree: Node = And((self.draft.tree(found, "when"), joined)) if found.part.when is not None else joined
        joins = " or ".join(sorted(join.where for join in found.part.joins() if join.where))
        written = " and ".join(f"({text})" if " or " in text else text for text in (found.part.when, joins) if text)
        clause = self.clause("signal", found.part.level, tree, written)
        self.program.name(f"level:{name}:{found.part.level}", clause.slot, clause.tree)
        self.conclude_signal(name, found, (clause,), pattern=True)

    def place(self) -> None:
        """Hands-off clauses, moment, stage and phase."""
        self.out.hands_off = tuple(
            model.HandsOff(
                self.clause("hands_off", item.part.id, self.draft.tree(item, "when"), item.part.when),
                self.text(item, "title"),
                item.part.moment,
            )
            for item in self.parts.hands_off
        )
        self.moments()
        self.out.stages = tuple(
            model.Stage(item.part.id, self.text(item, "title"), self.table_clauses("stage", item)) for item in self.draft.each("stages")
        )
        self.choose_place("stage", [(stage.id, stage.clauses) for stage in self.out.stages])
        phases = []
        for item in self.draft.each("phases"):
            clauses = (
                tuple(rule.clause for rule in self.out.hands_off) if item.part.id == "hands_off" else self.table_clauses("phase", item)
            )
            phases.append(model.Phase(item.part.id, self.text(item, "title"), clauses, item.part.mix.model_dump()))
        self.out.phases = tuple(phases)
        self.choose_place("phase", [(phase.id, phase.clauses) for phase in phases])

    def table_clauses(self, gate: str, found: Found[Any]) -> tuple[model.Clause, ...]:
        """The clauses of a stage or phase."""
        return tuple(self.clause(gate, name, self.draft.tree(found, "any", name), test) for name, test in sorted(found.part.any.items()))

    def choose_place(self, name: str, rows: list[tuple[str, tuple[model.Clause, ...]]]) -> None:
        """The first stage or phase that holds."""
        choices = []
        for index, (word, clauses) in enumerate(rows):
            trees = tuple(clause.tree for clause in clauses)
            last = index == len(rows) - 1
            if last or trees:
                condition = None if last else trees[0] if len(trees) == 1 else Or(trees)
                choices.append(Choice(condition, Const(word, Type("enum"))))
        self.out.bases[name] = frozenset().union(*(clause.bases for _, clauses in rows for clause in clauses))
        self.program.choose(name, choices)

    def moments(self) -> None:
        """The moment: port out where hands are off for it, what the caller passed, else the first that recent events reveal."""
        text, given = Type("text"), Ref("request.moment", self.names["request.moment"].type)
        rows = [Choice(rule.clause.tree, Const(rule.moment, text)) for rule in self.out.hands_off if rule.moment is not None]
        rows.append(Choice(Call("known", (given,), (), BOOLEAN), given))
        bases: set[str] = {"request.moment"}
        for item in self.draft.each("moments"):
            self.out.moments[item.part.id] = model.Moment(item.part.id, self.text(item, "title"), item.part.relevance)
            if item.part.revealed_by is not None:
                tree = self.draft.tree(item, "revealed_by")
                bases |= self.bases_of(tree)
                rows.append(Choice(tree, Const(item.part.id, text)))
        self.out.bases["moment"] = frozenset(bases)
        self.program.choose("moment", [*rows, Choice(None, Const("none", text))])

    def questions(self) -> None:
        """What may be asked, and when."""
        for found in self.draft.each("questions"):
            when = self.program.add(self.draft.tree(found, "when")) if found.part.when is not None else None
            text = Text(Template((found.part.en,)), Template((found.part.zh,)))
            self.out.questions[found.part.fact] = model.Question(found.part.fact, found.part.who, when, text)

    def conversation(self) -> None:
        """Who has said that they want to leave."""
        found = self.draft.single("conversation")
        if found is not None:
            self.out.leaving = self.program.add(self.draft.tree(found, "leaving"))

    def action_gates(self, found: Found[ActionDocument]) -> ActionDraft:
        """Duty, concession and gates of an action."""
        part, known = found.part, self.own_names(found)
        self.program.branch = branch = f"gates of {part.action}"
        concession, known["action.concession"] = self.concession(found, _putting(known))
        duty, duty_slot, known["action.duty"] = self.duty(found, _putting(known))
        gates = (*self.tariff_gates(part), *self.pilot_gates(part), *self.written_gates(found, _putting(known)))
        may_cost_unknown = concession not in self.program.sure
        slots = tuple(clause.slot for clause in gates)
        seen = "".join(f"{self.program.read(slot)}, " for slot in ((concession, *slots) if may_cost_unknown else slots))
        entrance = screening.Entrance(branch, slots, seen or "()")
        tariff_slot = self.program.slot_of(BEST_PLAN) if part.tariff == BEST_PLAN else None
        return ActionDraft(found, known, duty, duty_slot, concession, may_cost_unknown, gates, entrance, tariff_slot)

    def tariff_gates(self, part: ActionDocument) -> Iterator[model.Clause]:
        """That the tariff an action sells may be sold to this subscriber."""
        if part.tariff == BEST_PLAN:
            one = Compare("!=", self.names[BEST_PLAN], Const("none", Type("text")))
            yield self.clause("eligible", "tariff_on_sale", one, "a public plan on sale and open to this subscriber")
        elif part.tariff is not None:
            on_sale = Ref(f"open:{part.tariff}", BOOLEAN)
            yield self.clause("eligible", "tariff_on_sale", on_sale, "tariff on sale and open to this subscriber")

    def pilot_gates(self, part: ActionDocument) -> Iterator[model.Clause]:
        """That an action on trial still is."""
        if part.pilot is not None:
            running = Compare("<=", TODAY, Const(part.pilot.until.toordinal(), DATE))
            yield self.clause("eligible", "pilot_running", running, f"the pilot runs until {part.pilot.until}")

    def written_gates(self, found: Found[ActionDocument], own: Callable[[Node], Node]) -> Iterator[model.Clause]:
        """The clauses that the action's file writes, gate by gate."""
        for gate in GATES:
            for name, test in sorted(getattr(found.part, gate).items()):
                yield self.clause(gate, name, own(self.draft.tree(found, gate, name)), test)

    def action(self, draft: ActionDraft) -> model.Action:
        """An action: what its gates left to do, its worth and the clauses of contact policy and guardrails, in the next sections."""
        found, part, known = draft.found, draft.found.part, draft.known
        self.program.branch = f"worth of {part.action}"
        propensity, value = self.worth(found, _putting(known))
        worth = self.program.section()
        self.program.branch = part.action
        contact = self.policies("contact", self.parts.contact, known)
        guardrails = self.policies("guardrail", self.parts.guardrails, known)
        return model.Action(
            id=part.action,
            title=self.text(found, "title"),
            kind=part.kind,
            lever=part.lever,
            duty=draft.duty,
            duty_slot=draft.duty_slot,
            category=part.category,
            purpose=part.purpose,
            marketing=bool(_constant(known["action.marketing"])),
            phases=frozenset(part.phases),
            gates=draft.gates,
            worth=worth,
            policy=self.program.section(),
            contact=contact,
            guardrails=guardrails,
            propensity=propensity,
            value=value,
            concession=draft.concession,
            approve=part.approve,
            confirm=part.confirm,
            tariff=part.tariff if draft.tariff_slot is None else None,
            tariff_slot=draft.tariff_slot,
            commitment_months=_constant(known["action.commitment_months"]),
            excludes=frozenset(part.excludes),
            priority=part.priority,
            valid_days=part.valid_days or self.valid_days,
            opens=None if part.opens is None else model.Opens(**part.opens.model_dump()),
            reason=self.optional_text(found, "reason"),
            customer=self.optional_text(found, "customer"),
            disclose=self.optional_text(found, "disclose"),
            channels=self.channels(found),
            signals=_signals(clause.tree for clause in draft.gates if clause.gate == "applicable"),
            own_slots=(draft.concession,) if draft.duty_slot is None else (draft.concession, draft.duty_slot),
            may_cost_unknown=draft.may_cost_unknown,
        )

    def worth(self, found: Found[ActionDocument], own: Callable[[Node], Node]) -> tuple[int, int]:
        """The slots of an action's propensity and value."""
        part = found.part
        rows = part.propensity if isinstance(part.propensity, list) else None
        choices = self.choices(found, "propensity", rows, own)[0] if rows else [Choice(None, Const(part.propensity, Type("number")))]
        propensity = self.program.choose(f"propensity:{part.action}", choices)
        return propensity, self.program.choose(f"value:{part.action}", [Choice(None, own(self.draft.tree(found, "value")))])

    def concession(self, found: Found[ActionDocument], own: Callable[[Node], Node]) -> tuple[int, Node]:
        """The slot of what an action concedes, and the node for it."""
        tree, name = own(self.draft.tree(found, "concession")), f"concession:{found.part.action}"
        self.out.bases[name] = self.bases_of(tree)
        return self.program.choose(name, [Choice(None, tree)]), tree if isinstance(tree, Const) else Ref(name, _money)

    def duty(self, found: Found[ActionDocument], own: Callable[[Node], Node]) -> tuple[str, int | None, Node]:
        """An action's duty: constant, or a table's slot."""
        part = found.part
        kind = Type("enum", values=("owed", "care", "offer"))
        if not isinstance(part.duty, list):
            return part.duty, None, Const(part.duty, kind)
        name = f"duty:{part.action}"
        rows, self.out.bases[name] = self.choices(found, "duty", part.duty, own)
        slot = self.program.choose(name, rows)
        return "", slot, Ref(name, kind)

    def own_names(self, found: Found[ActionDocument]) -> dict[str, Node]:
        """`action.*` and `tariff.*` of one action, put in place of the names."""
        part = found.part
        tariff = self.parts.tariffs[part.tariff].part if part.tariff in self.parts.tariffs else None
        plans = [item.part for item in self.parts.tariffs.values() if item.part.kind == "plan"]
        committed = tariff.commitment_months if tariff else max((plan.commitment_months for plan in plans), default=0) if part.tariff else 0
        values: dict[str, Any] = {
            "action.id": part.action,
            "action.kind": part.kind,
            "action.lever": part.lever,
            "action.category": part.category,
            "action.purpose": part.purpose or "none",
            "action.marketing": part.kind == "offer" or bool(part.marketing),
            "action.commitment_months": committed,
            "action.approve": part.approve,
            "action.confirm": part.confirm,
        }
        if tariff is not None:
            values |= {
                f"tariff.{key}": getattr(tariff, key) for key in ("kind", "fee", "fee_after", "exit_fee", "months", "commitment_months")
            }
        kinds = {**ACTION_NAMES, **TARIFF_NAMES}
        known: dict[str, Node] = {key: Const(value, kinds[key]) for key, value in values.items()}
        known["action.tariff"] = (
            self.names["plan.best_public_id"] if part.tariff == "plan.best_public_id" else Const(part.tariff or "none", TEXT)
        )
        return known

    def policies(self, gate: str, rules: Mapping[str, Found[Any]], known: Mapping[str, Node]) -> tuple[model.Clause, ...]:
        """Contact or guardrail clauses as they concern one action; those that always permit it are left out."""
        found = []
        for name in sorted(rules):
            rule: Found[ContactPart] = rules[name]
            tree = self.concerning(rule, known)
            if tree != TRUE:
                found.append(self.policy(gate, name, tree, rule))
        return tuple(found)

    def policy(self, gate: str, name: str, tree: Node, rule: Found[ContactPart]) -> model.Clause:
        """A contact or guardrail clause. Where it asks of this action what it asked of one before, it is the same clause."""
        made = self.made.get((gate, name, id(tree)))
        if made is None:
            made = self.clause(gate, name, tree, rule.part.permits, allows_unknown=rule.part.unknown == "allow")
            self.made[gate, name, id(tree)] = made  # which keeps the tree, and so its identity
            return made
        self.program.again(made.slot)
        for term in made.terms:
            if term.slot is not None:
                self.program.again(term.slot)
        return made

    def concerning(self, rule: Found[ContactPart], known: Mapping[str, Node]) -> Node:
        """What a contact or guardrail clause asks of one action, of which everything in `known` is."""
        at = (rule.source.file, rule.path)
        if at not in self.asking:
            permits = self.draft.tree(rule, "permits")
            applies = self.draft.tree(rule, "applies") if rule.part.applies is not None else None
            tree = permits if applies is None else fold(Or((Not(applies), permits)))
            self.asking[at] = tree, tuple(sorted(reads(tree) & self.own))
        tree, names = self.asking[at]
        key = (at, tuple((type(node.value), node) if isinstance(node, Const) else node for node in map(known.get, names)))
        if key not in self.asked_before:
            self.asked_before[key] = substitute(tree, known)
        return self.asked_before[key]

    def channels(self, found: Found[ActionDocument]) -> dict[str, tuple[str, Text]]:
        """An action's texts by channel, each with its form: script or text."""
        result = {}
        for channel, script in found.part.channels.items():
            form = "script" if script.script else "text"
            result[str(channel)] = (form, self.text(found, "channels", channel, form))
        return result

    def text_slots(self) -> None:
        """Facts that only texts name are read too."""
        for text in self.parts.texts.values():
            for template in (text.en, text.zh):
                self.template_slots(template)

    def template_slots(self, template: Template) -> None:
        """Read the facts that a text names."""
        for slot in template.slots:
            head = slot.name.partition(".")[0]
            if slot.name not in self.program.named and head not in ("tariff", "action", "param"):
                self.program.input(slot.name)


def _putting(known: Mapping[str, Node]) -> Callable[[Node], Node]:
    """Puts in place of names what is known to stand for them by then."""
    return lambda node: substitute(node, known)


def _constant(node: Node) -> Any:
    """The value of what is known to be a constant."""
    if not isinstance(node, Const):
        raise TypeError(f"{show(node)} is not constant")
    return node.value


def _key(name: str) -> str:
    """The key under which a reference's base facts are kept."""
    return f"signal:{name.split(':')[1]}" if name.startswith("level:") else name


def _signals(trees: Iterable[Node]) -> tuple[str, ...]:
    """Signals that conditions rest on, leaving out what they exclude."""
    found: dict[str, None] = {}

    def collect(node: Node) -> None:
        if isinstance(node, Ref) and node.name.partition(":")[0] in ("signal", "level"):
            found.setdefault(node.name.split(":")[1])
        elif isinstance(node, And | Or):
            for child in node.operands:
                collect(child)
        elif isinstance(node, Call) and node.function == "at_least":
            for child in node.arguments:
                collect(child)

    for tree in trees:
        collect(tree)
    return tuple(found)


def base_facts(parts: Parts, program: Program, ages: Mapping[str, int]) -> tuple[model.BaseFact, ...]:
    """What the facts stage reads, by section."""
    found = []
    for name, slot in program.inputs.items():
        if name in model.CLOCKS or name in ("events", "contacts"):
            continue
        section, _, key = name.partition(".")
        if section == "custom":
            kind, part = parts.scopes.custom[name], next(item.part for item in parts.draft.each("custom") if item.part.id == name)
            found.append(model.BaseFact(name, section, key, slot, kind, part.title.en, part.title.zh, ages.get(name)))
        else:
            fact = FACTS[name]
            found.append(model.BaseFact(name, section, key, slot, type_of(fact), fact.en, fact.zh, ages.get(name, ages.get(section))))
    return tuple(sorted(found, key=lambda fact: (fact.section, fact.field)))


def plans(parts: Parts) -> dict[str, Plan]:
    """Published plans, by id."""
    return {
        name: Plan(name, tariff.fee, tariff.voice_minutes, tariff.data_mb, tariff.voice_rate, tariff.data_rate, tariff.overage_cap)
        for name, tariff in ((name, parts.tariffs[name].part) for name in parts.scopes.plans)
    }


def matcher(parts: Parts, engine: Any) -> patterns.Matcher | None:
    """The pattern matcher of the pack; none when it has no patterns."""
    return patterns.make_matcher(tuple(parts.joins[name] for name in sorted(parts.joins)), engine) if parts.joins else None
