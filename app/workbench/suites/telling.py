"""A mismatch in words: what it is about, and the chain of clauses, facts and figures that explains what came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.engine.decision import Failing
from app.engine.pack.model import Clause, Pack, Term
from app.engine.spoken import spoken
from app.engine.terms import CAUSES, GATES, KEYS, LEVELS, term
from app.engine.texts import Language, listed
from app.engine.to_python import terms
from app.engine.tree import Const, Node, Ref, Type, show
from app.engine.wanting import wanted
from app.engine.words import PHRASES, fact_title, figure, phrase
from app.workbench.suites.comparing import fact_word, signal_word
from app.workbench.suites.running import Decided, Mismatch

MOST_LINES = 24
"""Lines on why, for one mismatch."""
DEEPEST = 2
"""How many derived facts deep a value is followed."""

_words: Mapping[str, tuple[str, str]] = {
    "stage": ("stage", "生命周期"),
    "phase": ("phase", "阶段"),
    "moment": ("moment", "关键时刻"),
    "signals": ("signal", "信号"),
    "facts": ("fact", "事实"),
    "actions": ("actions", "动作"),
    "first": ("first action", "首位动作"),
    "offered": ("action", "动作"),
    "reasons": ("reasons of", "原因"),
    "not_offered": ("action", "动作"),
    "empty_because": ("empty because", "无动作原因"),
    "says": ("text of", "话术"),
    "tariffs": ("tariff of", "资费"),
    "concessions": ("concession of", "让利"),
    "asks": ("questions", "问题"),
    "personalised": ("personalised", "个性化"),
    "holds": ("holds", "成立"),
    "fails": ("does not hold", "不成立"),
    "unknown": ("not known", "未知"),
    "for want of": ("for want of {}", "缺少：{}"),
    "lost to": ("lost to {}", "让位于{}"),
    "behind": (", behind by {:,.0f}", "，得分落后{:,.0f}"),
    "is": ("{} is {}", "{}：{}"),
    "also": ("also kept out by {}", "另因：{}"),
    "at rank": ("{}: rank {}, score {:,.0f}", "{}：第{}位，得分{:,.0f}"),
}

_SIGNALS_IN_CHINESE = {**{level: chinese for level, (_, chinese) in LEVELS.items()}, "none": "不成立", "unknown": "未知"}


def say(code: str, language: Language, *given: object) -> str:
    """One of the phrases of this module."""
    return _words[code][language == "zh"].format(*given)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an explanation; `depth` is how far it is indented, `quiet` marks figures behind it."""

    depth: int
    text: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A mismatch in words."""

    about: str
    wanted: str
    got: str
    because: tuple[Line, ...]


def tell(decided: Decided, mismatch: Mismatch, language: Language) -> Told:
    """What did not come out as expected, and why it came out as it did."""
    teller = _Teller(decided, language)
    item = mismatch.expectation
    because = list(teller.because(item.kind, item.name, item.wanted))
    return Told(teller.about(item.kind, item.name), mismatch.wanted, mismatch.got, tuple(because[:MOST_LINES]))


class _Teller:
    """Explains parts of one decision."""

    def __init__(self, decided: Decided, language: Language) -> None:
        self.decided, self.language = decided, language
        self.pack: Pack = decided.pack
        self.values: list[Any] = decided.decision.facts.values
        self.colon, self.comma = ("：", "，") if language == "zh" else (": ", ", ")

    def say(self, code: str, *given: object) -> str:
        return say(code, self.language, *given)

    def about(self, kind: str, name: str) -> str:
        """What the expectation is about, with its title."""
        title = ""
        if kind == "signals":
            title = self.pack.signals[name].title.say(self.language)
        elif kind == "facts":
            title = fact_title(self.pack, name, self.language)
        elif name in self.pack.by_id:
            title = self.pack.by_id[name].title.say(self.language)
        return f"{self.say(kind)} {name}{self.enclosed(title) if title else ''}".strip()

    def enclosed(self, text: str) -> str:
        """A text in brackets."""
        return f"（{text}）" if self.language == "zh" else f" ({text})"

    def titled(self, code: str, chinese: str) -> str:
        """A code; in Chinese behind its title."""
        return f"{chinese}（{code}）" if self.language == "zh" else code

    def named(self, action: str) -> str:
        """An action by its name, in Chinese behind its title."""
        return self.titled(action, self.pack.by_id[action].title.say("zh"))

    def because(self, kind: str, name: str, expected: Any) -> Iterator[Line]:
        """Why it came out as it did."""
        if kind == "signals":
            yield from self.signal(name, 0)
        elif kind == "facts":
            yield from self.fact(name, 0)
        elif kind in ("stage", "phase"):
            yield from self.place(kind, str(expected))
        elif name in self.pack.by_id:
            yield from self.action(name)
        elif kind in ("actions", "first"):
            wished = expected if kind == "actions" else [expected]
            yield from self.wished(word for word in wished if word in self.pack.by_id)

    def wished(self, expected: Iterable[str]) -> Iterator[Line]:
        """Why the list is what it is: expected actions that are not on it, then what is on it and was not expected."""
        names = list(expected)
        for name in names:
            if name not in self.decided.ranked:
                yield from self.action(name)
        for item in self.decided.decision.ranked:
            if item.action not in names or len(names) > 1:
                yield Line(0, self.say("at rank", self.named(item.action), item.rank, item.score))

    def signal(self, name: str, depth: int) -> Iterator[Line]:
        """Each level of a signal with what it saw."""
        for level in self.pack.signals[name].levels:
            yield from self.clause(level, self.titled(level.name, LEVELS[level.name][1]), depth)

    def place(self, kind: str, expected: str) -> Iterator[Line]:
        """Why not the stage or phase that was expected; where a stronger one was chosen, what made it so."""
        rows: Any = self.pack.stages if kind == "stage" else self.pack.phases
        placed = self.decided.decision.stage if kind == "stage" else self.decided.decision.phase
        passed = {item.id for item in placed.passed}
        for row in rows:
            if row.id == placed.id:
                for clause in row.clauses:
                    if clause.name in placed.because:
                        yield from self.clause(clause, self.titled(f"{row.id}.{clause.name}", row.title.say("zh")), 0)
            elif row.id == expected and row.id in passed:
                for clause in row.clauses:
                    yield from self.clause(clause, self.titled(f"{row.id}.{clause.name}", row.title.say("zh")), 0)

    def action(self, name: str) -> Iterator[Line]:
        """What became of an action."""
        decided = self.decided
        item, outcome, action = decided.ranked.get(name), decided.kept_out[name], self.pack.by_id[name]
        values = decided.decision.facts.seen_by(action)
        if item is not None:
            yield Line(0, self.say("at rank", self.named(name), item.rank, item.score))
            for clause in action.gates:
                if clause.gate == "applicable":
                    yield from self.clause(clause, clause.name, 1, values)
            return
        came = f"{self.named(name)}{self.colon}{self.titled(f'{outcome.cause}/{outcome.clause}', term(CAUSES, outcome.cause, 'zh'))}"
        if outcome.lost_to:
            behind = self.say("behind", outcome.behind) if outcome.behind else ""
            yield Line(0, f"{came}{self.comma}{self.say('lost to', self.named(outcome.lost_to))}{behind}")
        elif not outcome.failing:
            yield Line(0, came)
        else:
            yield from self.failing(name, outcome.failing, values)

    def failing(self, name: str, failing: tuple[Failing, ...], values: list[Any]) -> Iterator[Line]:
        """The clause that kept an action out, and the names of the others."""
        first = failing[0]
        clause = self.pack.clauses[name].get((first.gate, first.clause))
        seen = values if first.gate not in ("contact", "guardrail") else self.values
        if clause is not None:
            gate = self.titled(f"{first.gate}.{first.clause}", GATES[first.gate][1])
            yield from self.clause(clause, f"{self.named(name)}{self.colon}{gate}", 0, seen)
        else:
            told = phrase(first.clause, self.language).rstrip(".。") if first.clause in PHRASES else ""
            clause_told = self.titled(first.clause, term(KEYS, first.clause, "zh"))
            yield Line(0, f"{self.named(name)}{self.colon}{clause_told}{self.colon}{told}{self.where(first.clause)}")
        if failing[1:]:
            yield Line(1, self.say("also", listed([f"{item.gate}.{item.clause}" for item in failing[1:]], self.language)), quiet=True)

    def where(self, clause: str) -> str:
        """The phase, or the channel, that an action is not for; nothing for another clause."""
        channel, phase = self.decided.test.case.channel, self.decided.decision.phase.id
        if clause == "channel":
            return self.enclosed(spoken(channel, "zh") if self.language == "zh" else channel)
        titled = self.language == "zh" and phase in self.pack.phase_by_id
        return self.enclosed(self.pack.phase_by_id[phase].title.say("zh") if titled else phase) if clause == "phase" else ""

    def clause(self, clause: Clause, label: str, depth: int, values: list[Any] | None = None) -> Iterator[Line]:
        """A clause as it is written, whether it holds, and the values it saw."""
        values = self.values if values is None else values
        held = values[clause.slot]
        state = self.say("unknown" if held is None else "holds" if held else "fails")
        yield Line(depth, f"{label}{'' if self.language == 'zh' else ' '}{state}{self.colon}{clause.test}")
        if clause.test != f"signal('{'|'.join(clause.signals)}')" or held is True:
            yield from self.seen(clause, depth + 1, values)
        if held is None:
            missing = sorted(wanted(self.pack, self.decided.decision, [clause], values))
            if missing:
                yield Line(depth + 1, self.say("for want of", listed(missing, self.language)), quiet=True)

    def seen(self, clause: Clause, depth: int, values: list[Any]) -> Iterator[Line]:
        """The values a clause saw, each derived fact and signal with what it comes from."""
        lines = [self.term(term, values) for term in clause.terms]
        yield from (Line(depth, text, quiet=True) for text in dict.fromkeys(lines))

    def term(self, term: Term, values: list[Any]) -> str:
        """What one term of a clause came to."""
        if isinstance(term.node, Ref) and term.node.name.partition(":")[0] in ("signal", "level"):
            name = term.node.name.split(":")[1]
            found = signal_word(self.decided, name)
            told = _SIGNALS_IN_CHINESE[found] if self.language == "zh" else found
            return self.say("is", self.titled(name, self.pack.signals[name].title.say("zh")), told)
        value = term.value if term.slot is None else values[term.slot]
        how = self.definition(term.node)
        return f"{term.text} = {self.figure(term.type, value)}{f'  ← {how}' if how else ''}"

    def figure(self, kind: Type, value: Any) -> str:
        """A value as a suite writes it, and where that is money, data or a share, as people read it."""
        if value is None:
            return self.say("unknown")
        written = fact_word(kind, value)
        if kind.unit not in ("money", "MB", "share") or isinstance(value, tuple | frozenset):
            return written
        read = figure(value, kind, self.language, self.pack.currency)
        return f"{written}{self.enclosed(read)}"

    def definition(self, node: Node) -> str:
        """How a derived fact is worked out; nothing for anything else."""
        found = self.pack.derived.get(node.name) if isinstance(node, Ref) else None
        return show(found.tree) if found is not None and found.tree is not None else ""

    def fact(self, name: str, depth: int) -> Iterator[Line]:
        """A fact's value, and the values it is worked out from."""
        tree = self.pack.derived[name].tree if name in self.pack.derived else None
        if tree is None or depth > DEEPEST:
            return
        yield Line(depth, f"{name} = {show(tree)}")
        for node in terms(tree):
            slot = self.pack.slots.get(node.name) if isinstance(node, Ref) else self.pack.terms.get(node)
            if isinstance(node, Const):
                yield Line(depth + 1, f"{node.name} = {self.figure(node.type, node.value)}", quiet=True)
            elif slot is not None:
                yield Line(depth + 1, f"{show(node)} = {self.figure(node.type, self.values[slot])}", quiet=True)
            if isinstance(node, Ref) and node.name in self.pack.derived:
                yield from self.fact(node.name, depth + 1)
