"""Reads every expression and reference of a draft, and says what is wrong with them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from app.engine import patterns as joining
from app.engine.decision import IN_CONVERSATION
from app.engine.language import Names
from app.engine.pack.documents import (
    ActionDocument,
    ContactPart,
    DerivedFact,
    GuardrailPart,
    HandsOffPart,
    Parameter,
    PatternPart,
    Row,
    SignalPart,
    StagePart,
    TariffPart,
)
from app.engine.pack.names import (
    BEST,
    BEST_PLAN,
    PORT_HINT,
    TARIFF_NAMES,
    TODAY,
    UNITS,
    Scopes,
    constant,
    custom_type,
    literal,
    not_a_number,
    number_hint,
)
from app.engine.pack.ordering import downstream, mentions, ordered
from app.engine.pack.reading import Draft, Found
from app.engine.problems import Place, nearest, shown
from app.engine.texts import BY_UNIT, FORMATS, MEASURES, Text
from app.engine.tree import DATE, FALSE, INPUT_LIMIT, NUMBER, TEXT, And, Compare, Const, Member, Node, Not, Ref, Type, fold
from app.engine.vocabulary import EVENTS, FACTS, Moment
from app.engine.zones import zone_names

GATES = ("eligible", "applicable", "suitable")
ENGINE_CLAUSES = ("phase", "channel", "tariff_on_sale", "pilot_running", "concession", *IN_CONVERSATION)
"""Names of clauses that the engine adds to every action or to some."""


@dataclass
class Parts:
    """A draft's parts by id, and what was worked out about them."""

    draft: Draft
    scopes: Scopes
    facts: dict[str, Found[DerivedFact]]
    signals: dict[str, Found[SignalPart]]
    patterns: dict[str, Found[PatternPart]]
    tariffs: dict[str, Found[TariffPart]]
    actions: dict[str, Found[ActionDocument]]
    contact: dict[str, Found[ContactPart]]
    profiles: dict[str, Profile]
    guardrails: dict[str, Found[GuardrailPart]]
    hands_off: list[Found[HandsOffPart]]
    graph: dict[str, frozenset[str]]
    order: list[str] = field(default_factory=list)
    concluded: frozenset[str] = frozenset()
    opened: dict[str, Node] = field(default_factory=dict)
    joins: dict[str, joining.Pattern] = field(default_factory=dict)
    texts: dict[tuple[str, tuple[str | int, ...]], Text] = field(default_factory=dict)
    currency: str = "CNY"

    @property
    def recognised(self) -> dict[str, Found[Any]]:
        """Every signal by its id: those with levels, and the patterns."""
        return {**self.signals, **self.patterns}


@dataclass(frozen=True)
class Profile:
    """A jurisdiction's guardrails: every profile of a pack is checked, the one of its own jurisdiction is in force."""

    hands_off: list[Found[HandsOffPart]]
    clauses: dict[str, Found[GuardrailPart]]


def check(draft: Draft) -> Parts | None:
    """Read all expressions of a draft. Mistakes are added to it; none is returned when it makes no sense to go on."""
    parts = _collect(draft)
    parts.order, cycle = ordered(parts.graph)
    if cycle:
        first = cycle[0]
        found = (
            parts.facts.get(first) or parts.signals.get(first.removeprefix("signal:")) or parts.patterns.get(first.removeprefix("signal:"))
        )
        draft.wrong(
            found.place() if found else Place(),
            "cycle",
            "depends on itself: " + " → ".join(f"`{name}`" for name in cycle[:12]) + (" → …" if len(cycle) > 12 else ""),
            "break the circle",
        )
        return None
    parts.concluded = downstream(parts.graph, parts.order, frozenset(f"signal:{name}" for name in parts.patterns))
    _Checker(parts).run()
    return parts


def _collect(draft: Draft) -> Parts:
    parameters: dict[str, Const] = {}
    broken: set[str] = set()
    for name, found in draft.unique(list(draft.each("parameters")), "parameter").items():
        value = constant(found.part)
        if _mistyped(draft, found):
            broken.add(name)
        elif value is None:
            draft.wrong(found.place("is"), "type", "a list holds values of one kind")
            broken.add(name)
        elif value.type.kind == "number" and value.type.most > INPUT_LIMIT:
            draft.wrong(found.place("is"), "number-too-large", f"`{value.value}` is larger than 10^12")
            broken.add(name)
        else:
            parameters[name] = value
    custom = draft.unique(list(draft.each("custom")), "custom fact")
    facts = draft.unique(list(draft.each("facts")), "fact")
    signals = draft.unique(list(draft.each("signals")), "signal")
    pattern_parts = draft.unique(list(draft.each("patterns")), "pattern")
    for name in sorted(signals.keys() & pattern_parts.keys()):
        draft.wrong(
            pattern_parts[name].place(), "duplicate-id", f"`{name}` is a signal already", "a pattern concludes a signal of its own id"
        )
    for part in [*draft.each("parameters"), *draft.each("custom"), *draft.each("facts")]:
        unit = part.part.unit
        if unit and unit not in UNITS:
            units = "it is one of " + ", ".join(f"`{item}`" for item in sorted(UNITS))
            hint = "amounts are `money`, in fen: 560 yuan is 56000" if unit in _CURRENCY else nearest(unit, UNITS) or units
            draft.wrong(part.place("unit"), "unknown-word", f"unknown unit {shown(unit)}", hint)
    tariffs = draft.unique(list(draft.each("tariffs")), "tariff")
    profiles = _profiles(draft)
    head = draft.single("pack")
    profile = profiles.get(head.part.jurisdiction) if head else None
    if head is not None and profile is None:
        where, known = head.place("jurisdiction"), nearest(head.part.jurisdiction, profiles) or "add them under `guardrails:`"
        draft.wrong(where, "missing", f"there are no guardrails for `{head.part.jurisdiction}`", known)
    levels = {name: tuple(word for level in found.part.levels for word in level) for name, found in signals.items()}
    levels |= {name: (found.part.level,) for name, found in pattern_parts.items() if name not in levels}
    plans = tuple(
        sorted((name for name, found in tariffs.items() if found.part.kind == "plan"), key=lambda name: (-tariffs[name].part.fee, name))
    )
    scopes = Scopes(
        parameters,
        {name: custom_type(found.part) for name, found in custom.items()},
        levels,
        tuple(found.part.id for found in draft.each("stages")),
        tuple(found.part.id for found in draft.each("phases")),
        plans,
        tuple(sorted(found.part.action for found in draft.actions)),
        tuple(sorted({found.part.category for found in draft.actions})),
        broken=broken,
    )
    return Parts(
        draft,
        scopes,
        facts,
        signals,
        pattern_parts,
        tariffs,
        draft.unique(list(draft.actions), "action"),
        draft.unique(list(draft.each("contact")), "contact clause"),
        profiles,
        profile.clauses if profile else {},
        profile.hands_off if profile else [],
        _graph(facts, signals, pattern_parts, tariffs, plans),
    )


def _mistyped(draft: Draft, found: Found[Parameter]) -> bool:
    """Is a parameter, or an item of its list, meant as a number but not written as one? Each is told where it stands."""
    given, unit = found.part.value, found.part.unit
    items: list[tuple[tuple[str | int, ...], str]] = (
        [(("is",), given)] if isinstance(given, str) else [(("is", index), item) for index, item in enumerate(given)]
    )
    if not isinstance(given, str) and not unit and not any(literal(item)[1].kind == "number" for item in given):
        return False
    wrong = [(path, item) for path, item in items if not_a_number(item, unit)]
    for path, item in wrong:
        if item.removeprefix("-").isascii() and item.removeprefix("-").isdigit():
            draft.wrong(found.place(*path), "number-too-large", f"{shown(item)} is larger than 10^12")
        else:
            draft.wrong(found.place(*path), "type", f"{shown(item)} is not a number", number_hint(item))
    return bool(wrong)


_CURRENCY = ("yuan", "fen", "cny", "rmb", "¥", "元", "分")
"""What people write for the unit of an amount."""


def _profiles(draft: Draft) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for source, document in draft.documents:
        if document.guardrails is None:
            continue
        name = document.guardrails.jurisdiction
        if name in found:
            draft.wrong(
                source.place("guardrails"), "duplicate-id", f"guardrails for `{name}` stand in another file already", "keep one of them"
            )
            continue
        lists = {
            key: [Found(source, ("guardrails", key, index), part) for index, part in enumerate(getattr(document.guardrails, key))]
            for key in ("hands_off", "clauses")
        }
        found[name] = Profile(lists["hands_off"], draft.unique(lists["clauses"], "guardrail"))
    return found


def _graph(
    facts: Mapping[str, Found[DerivedFact]],
    signals: Mapping[str, Found[SignalPart]],
    pattern_parts: Mapping[str, Found[PatternPart]],
    tariffs: Mapping[str, Found[TariffPart]],
    plans: tuple[str, ...],
) -> dict[str, frozenset[str]]:
    graph: dict[str, frozenset[str]] = {}

    def add(name: str, texts: Iterable[str | None]) -> None:
        graph[name] = frozenset().union(*(mentions(text, plans) for text in texts if text))

    for name, fact in facts.items():
        rows = [text for row in fact.part.first for text in (row.condition, row.value)]
        add(name, [fact.part.expression, *rows])
    for name, signal in signals.items():
        add(f"signal:{name}", [text for level in signal.part.levels for text in level.values()])
    for name, pattern in pattern_parts.items():
        add(f"signal:{name}", [pattern.part.when])
    for name, tariff in tariffs.items():
        add(f"open:{name}", [tariff.part.open_if])
    for name in BEST:
        graph[name] = frozenset(f"open:{plan}" for plan in plans)
    return graph


class _Checker:
    """Visits every part in the order in which their types become known."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.draft, self.scopes = parts, parts.draft, parts.scopes
        self.base, self.known = self.scopes.names(), self.scopes.facts()
        self.stand_ins = frozenset(name for entry, _ in self.draft.merged("fallback") for name in entry.part)

    def run(self) -> None:
        for name in self.parts.order:
            if name in self.parts.facts:
                self.fact(self.parts.facts[name])
        base = self.base
        for tariff in self.parts.tariffs.values():
            self.tariff(tariff, base)
        for signal in self.parts.signals.values():
            self.signal(signal, base)
        for pattern in self.parts.patterns.values():
            self.pattern(pattern, base)
        self.placing(base)
        self.contact()
        for action in self.parts.actions.values():
            self.action(action)
        self.references()

    def words(self, found: Found[Any], *path: str | int, extra: Mapping[str, Type] | None = None) -> None:
        """Cut a text and keep it; slots name facts, parameters, or what `extra` adds."""
        known: Mapping[str, Any] = ChainMap[str, Any](dict(extra or {}), self.known)

        def check(slot: str) -> str | None:
            name, _, form = slot.partition(":")
            if name in self.scopes.broken:
                return None
            if name not in known:
                near = nearest(name, known)
                return f"unknown name `{name}` in a text" + (f"; {near}" if near else "")
            if form not in FORMATS:
                near = nearest(form, FORMATS) or "there are " + ", ".join(f"`{item}`" for item in FORMATS)
                return f"unknown format `{form}`; {near}"
            return _unfit(name, extra[name] if extra and name in extra else self.known[name].type, form)

        self.parts.texts[found.source.file, (*found.path, *path)] = self.draft.text(found, path, check)

    def fact(self, found: Found[DerivedFact]) -> None:
        part, names = found.part, self.base
        self.words(found, "title")
        for word in part.values if isinstance(part.values, dict) else ():
            self.words(found, "values", word)
        if part.expression is not None:
            node = self.draft.expression(found, ("is",), part.expression, names, "any")
            kind = node.type if node else None
        else:
            kind = self.rows(found, "first", part.first, names, tuple(part.values))
        if kind is not None and kind.kind in ("series", "events"):
            self.draft.wrong(found.place("is"), "type", f"`{part.id}` is {kind}", "use last(), mean() or total()")
            kind = None
        if kind is None:
            self.scopes.broken.add(part.id)
        else:
            self.scopes.derived[part.id] = Ref(part.id, replace(kind, unit=part.unit) if part.unit else kind)

    def rows(
        self, found: Found[Any], key: str, rows: list[Row], names: Names, values: tuple[str, ...] = (), wanted: str = "any"
    ) -> Type | None:
        """A first-match table; the type its values share."""
        kinds: list[Type] = []
        for index, row in enumerate(rows):
            if row.condition is not None:
                self.draft.expression(found, (key, index, "if"), row.condition, names)
            elif index < len(rows) - 1:
                self.draft.wrong(found.place(key, index), "unreachable", "rows after one without `if:` are never reached", "put it last")
            if values:
                self.word_row(found, key, index, row.value, values)
            else:
                node = self.draft.expression(found, (key, index, "is"), row.value, names, wanted)
                kinds += [node.type] if node else []
        if values:
            return Type("enum", values=values)
        if len({kind.kind for kind in kinds}) > 1:
            self.draft.wrong(found.place(key), "type", "the rows give values of different types")
        if not kinds:
            return None
        values = tuple(dict.fromkeys(word for kind in kinds for word in kind.values))
        return replace(kinds[0], most=max(kind.most for kind in kinds), integral=all(kind.integral for kind in kinds), values=values)

    def word_row(self, found: Found[Any], key: str, index: int, word: str, values: tuple[str, ...]) -> None:
        if word not in values:
            hint = nearest(word, values) or "it is one of " + ", ".join(f"`{item}`" for item in values)
            self.draft.wrong(found.place(key, index, "is"), "unknown-word", f"`{word}` is not a value of this table", hint)
        self.draft.trees[found.source.file, (*found.path, key, index, "is")] = Const(word, Type("enum", values=values))

    def tariff(self, found: Found[TariffPart], base: Names) -> None:
        part = found.part
        self.words(found, "name")
        self.words(found, "disclose", extra=TEXT_NAMES)
        conditions: list[Node] = [Compare("<=", Const(part.on_sale_from.toordinal(), DATE), TODAY)]
        if part.on_sale_to is not None:
            conditions.append(Compare("<=", TODAY, Const(part.on_sale_to.toordinal(), DATE)))
        if "all" not in part.regions:
            conditions.append(Member(base.values["account.province"], Const(frozenset(part.regions), Type("set", model="text"))))
        held = base.values["services.held"]
        conditions += [Member(Const(word, Type("text")), held) for word in part.requires]
        conditions += [Not(Member(Const(word, Type("text")), held)) for word in part.excludes]
        if part.open_if is not None:
            node = self.draft.expression(found, ("open_if",), part.open_if, base)
            conditions += [node] if node else []
        if not part.open_to_existing:
            conditions.append(FALSE)
        self.parts.opened[part.id] = fold(And(tuple(conditions)))

    def signal(self, found: Found[SignalPart], base: Names) -> None:
        words = [word for level in found.part.levels for word in level]
        if len(set(words)) < len(words) or any(len(level) != 1 for level in found.part.levels):
            self.draft.wrong(found.place("levels"), "schema", "`levels:` lists each level once, as `- high: expression`")
            return
        for index, level in enumerate(found.part.levels):
            for word, text in level.items():
                self.draft.expression(found, ("levels", index, word), text, base)
        strength = [("severe", "high", "watch").index(word) for word in words]
        if strength != sorted(strength):
            self.draft.wrong(
                found.place("levels"), "unreachable", f"levels stand strongest first, not {', '.join(words)}", "severe, high, watch"
            )
        self.signal_texts(found)

    def signal_texts(self, found: Found[Any]) -> None:
        for key in ("title", "reason", "customer"):
            if getattr(found.part, key) is not None:
                self.words(found, key)

    def pattern(self, found: Found[PatternPart], base: Names) -> None:
        part = found.part
        if part.when is not None:
            self.draft.expression(found, ("when",), part.when, base)
            if any(name in self.parts.concluded for name in self.parts.graph[f"signal:{part.id}"]):
                self.draft.wrong(
                    found.place("when"),
                    "pattern-order",
                    f"`{part.id}` depends on another pattern",
                    "patterns run once; use their signals in facts and signals",
                )
        self.signal_texts(found)
        joins = []
        for index, join in enumerate(part.joins()):
            path: tuple[str | int, ...] = ("any", index) if part.any else ()
            built = self.join(found, path, join)
            if built is not None:
                joins.append(built)
        if len(joins) == len(part.joins()):
            pattern = joining.Pattern(part.id, tuple(joins))
            self.draft.problems += joining.problems(pattern, found.place())
            self.parts.joins[part.id] = pattern

    def join(self, found: Found[PatternPart], path: tuple[str | int, ...], join: Any) -> joining.Join | None:
        aliases = {alias: kind.removeprefix("events.") for alias, kind in join.facts.items()}
        absent = {alias: event.source.removeprefix("events.") for alias, event in join.without.items()}
        before = len(self.draft.problems)
        for alias, kind in [*aliases.items(), *absent.items()]:
            if kind in EVENTS and EVENTS[kind].port:
                message = f"`events.{kind}` may not be used here"
                self.draft.wrong(found.place(*path), "scope", message, PORT_HINT)
            elif kind not in EVENTS:
                near = nearest(kind, (name for name, event in EVENTS.items() if not event.port))
                self.draft.wrong(found.place(*path), "unknown-name", f"`{alias}` names unknown events `events.{kind}`", near)
        for alias in sorted(aliases.keys() & absent.keys()):
            self.draft.wrong(
                found.place(*path), "duplicate-id", f"`{alias}` stands under `facts:` and `without:`", "give one of them another name"
            )
        if len(self.draft.problems) > before:
            return None
        where = self.draft.expression(found, (*path, "where"), join.where, self.scopes.pattern(aliases)) if join.where else None
        without = []
        for alias, event in join.without.items():
            names = self.scopes.pattern({**aliases, alias: absent[alias]})
            node = self.draft.expression(found, (*path, "without", alias, "where"), event.where, names) if event.where else None
            without.append((alias, absent[alias], node))
        if len(self.draft.problems) > before:
            return None
        return joining.Join(tuple(aliases.items()), where, tuple(without))

    def placing(self, base: Names) -> None:
        """Moments, stages, phases and the hands-off clauses: tables whose order matters stand in one file each."""
        for key in ("moments", "stages", "phases"):
            files = sorted({found.source.file for found in self.draft.each(key)})
            for file in files[1:]:
                self.draft.wrong(
                    Place(file), "split-table", f"`{key}:` stands in `{files[0]}` already", "its order matters: keep it in one file"
                )
            if not files:
                self.draft.wrong(Place(), "missing", f"the pack has no `{key}:`")
            self.draft.unique(list(self.draft.each(key)), key.removesuffix("s"))
        for found in self.draft.each("moments"):
            self.words(found, "title")
            if found.part.id not in get_args(Moment):
                self.draft.wrong(
                    found.place("id"),
                    "unknown-word",
                    f"`{found.part.id}` is not a moment of the vocabulary",
                    nearest(found.part.id, get_args(Moment)),
                )
            if found.part.revealed_by is not None:
                self.draft.expression(found, ("revealed_by",), found.part.revealed_by, base)
        for key, names in (("stages", base), ("phases", self.scopes.names(self.scopes.placed))):
            self.table(key, list(self.draft.each(key)), names)
        hands_off = [found for profile in self.parts.profiles.values() for found in profile.hands_off]
        for found in hands_off:
            self.words(found, "title")
            self.words(found, "source")
            self.draft.expression(found, ("when",), found.part.when, self.scopes.names(port=True))
            if found.part.moment not in (None, *get_args(Moment)):
                near = nearest(str(found.part.moment), get_args(Moment))
                self.draft.wrong(found.place("moment"), "unknown-word", f"`{found.part.moment}` is not a moment of the vocabulary", near)

    def table(self, key: str, found: list[Found[StagePart]], names: Names) -> None:
        for item in found:
            self.words(item, "title")
            for name, text in item.part.any.items():
                self.draft.expression(item, ("any", name), text, names)
        always = [item for item in found if not item.part.any and item.part.id != "hands_off"]
        if found and (len(always) != 1 or always[0] is not found[-1]):
            self.draft.wrong(
                found[-1].place(),
                "unreachable",
                f"the last of `{key}:`, and only it, has no `any:`",
                "it is what holds when nothing else does",
            )
        if key == "phases" and found and found[0].part.id != "hands_off":
            self.draft.wrong(found[0].place(), "missing", "the first phase is `hands_off`", "its clauses stand in the guardrail profile")

    def contact(self) -> None:
        guardrail = self.scopes.guardrail()
        profiles: list[tuple[Mapping[str, Found[Any]], Names]] = [(profile.clauses, guardrail) for profile in self.parts.profiles.values()]
        for rules, names in [(self.parts.contact, self.scopes.contact()), *profiles]:
            for found in rules.values():
                for key in ("title", "reason", "because", "source"):
                    if getattr(found.part, key, None) is not None:
                        self.words(found, key)
                if found.part.applies is not None:
                    self.draft.expression(found, ("applies",), found.part.applies, names)
                self.draft.expression(found, ("permits",), found.part.permits, names)

    def action(self, found: Found[ActionDocument]) -> None:
        part = found.part
        port, tariff = part.purpose == "port_assistance", part.tariff not in (None, BEST_PLAN)
        names, priced = self.scopes.gate(port=port, tariff=tariff), part.tariff is not None or part.kind == "offer"
        first = self.scopes.gate(port=port, tariff=tariff, worked_out=False)
        extra = {name: kind for name, kind in TEXT_NAMES.items() if priced or not name.startswith("tariff.")}
        seen: set[str] = set()
        for gate in GATES:
            for name, text in getattr(part, gate).items():
                if name in seen or name in ENGINE_CLAUSES:
                    self.draft.wrong(
                        found.place(gate, name),
                        "duplicate-id",
                        f"the clause name `{name}` is taken",
                        "clause names are unique within an action",
                    )
                seen.add(name)
                self.draft.expression(found, (gate, name), text, names)
        if isinstance(part.duty, list):
            self.rows(found, "duty", part.duty, first, ("owed", "care", "offer"))
        if isinstance(part.propensity, list):
            self.propensity(found, part.propensity, names)
        self.draft.expression(found, ("value",), part.value, names, "number")
        self.draft.expression(found, ("concession",), part.concession, first, "number")
        for key in ("title", "reason", "customer", "disclose", "legal_basis"):
            if getattr(part, key) is not None:
                self.words(found, key, extra=extra)
        if part.pilot is not None:
            self.words(found, "pilot", "why")
        for channel, script in part.channels.items():
            self.words(found, "channels", channel, "script" if script.script else "text", extra=extra)

    def propensity(self, found: Found[ActionDocument], rows: list[Row], names: Names) -> None:
        self.rows(found, "propensity", rows, names, wanted="number")
        for index in range(len(rows)):
            node = self.draft.trees.get((found.source.file, (*found.path, "propensity", index, "is")))
            if isinstance(node, Const) and isinstance(node.value, int | float) and not 0 <= node.value <= 1:
                self.draft.wrong(
                    found.place("propensity", index, "is"), "type", f"`{node.value}` is not a propensity", "it is a share from 0 to 1"
                )

    def references(self) -> None:
        """Names that are not expressions: tariffs, phases, actions, questions, ages."""
        for found in self.parts.actions.values():
            self.action_references(found)
        actions = self.parts.actions
        for entry, cause in self.draft.merged("fallback"):
            for name in entry.part:
                if name not in actions:
                    self.draft.wrong(
                        entry.place(), "unknown-name", f"the fallback for `{cause}` names unknown action `{name}`", nearest(name, actions)
                    )
        talk = self.draft.single("conversation")
        if talk is not None:
            self.draft.expression(talk, ("leaving",), talk.part.leaving, self.scopes.names(self.scopes.placing))
        for found in self.draft.unique(list(self.draft.each("questions")), "the question for").values():
            self.question(found)
        known_ages = set(FACTS) | {name.partition(".")[0] for name in FACTS} | {"events", "contacts"}
        for entry, name in self.draft.merged("ages"):
            if name not in known_ages:
                self.draft.wrong(entry.place(), "unknown-name", f"no section or fact `{name}`", nearest(name, known_ages))
        for key in ("pack", "arbitration"):
            if self.draft.single(key) is None:
                self.draft.wrong(Place(), "missing", f"the pack has no `{key}:`")
        head = self.draft.single("pack")
        if head is not None and head.part.zone not in zone_names():
            near = nearest(head.part.zone, zone_names()) or "it has a name such as `Asia/Shanghai`"
            self.draft.wrong(head.place("zone"), "unknown-word", f"no time zone `{head.part.zone}`", near)

    def action_references(self, found: Found[ActionDocument]) -> None:
        part, tariffs = found.part, self.parts.tariffs
        if not part.phases and part.action not in self.stand_ins:
            message, hint = f"`{part.action}` has no phase", "name its phases, or the cause under `fallback:` that it stands in for"
            self.draft.wrong(found.place("phases"), "schema", message, hint)
        for index, phase in enumerate(part.phases):
            if phase not in self.scopes.phases:
                known = nearest(phase, self.scopes.phases) or "there are " + ", ".join(f"`{name}`" for name in self.scopes.phases)
                self.draft.wrong(found.place("phases", index), "unknown-name", f"unknown phase `{phase}`", known)
        for index, other in enumerate(part.excludes):
            if other not in self.parts.actions:
                self.draft.wrong(
                    found.place("excludes", index), "unknown-name", f"unknown action `{other}`", nearest(other, self.parts.actions)
                )
        if part.tariff is not None and part.tariff not in tariffs and part.tariff != BEST_PLAN:
            self.draft.wrong(
                found.place("tariff"),
                "unknown-name",
                f"unknown tariff `{part.tariff}`",
                nearest(part.tariff, [*tariffs, BEST_PLAN]),
            )
        if part.purpose == "port_assistance" and (part.kind not in ("service", "information") or part.concedes):
            self.draft.wrong(found.place("purpose"), "schema", "help with porting is a service or an information and concedes nothing")
        if part.kind == "offer" and part.tariff is None:
            self.draft.wrong(
                found.place("kind"), "offer-without-tariff", "an offer names the published tariff it comes from", "add `tariff:`"
            )
        if part.kind == "offer" and part.marketing is False:
            self.draft.wrong(found.place("marketing"), "schema", "an offer is always marketing", "leave `marketing:` out")
        if part.kind == "offer" and part.duty != "offer":
            self.draft.wrong(found.place("duty"), "schema", "the duty of an offer is `offer`")

    def question(self, found: Found[Any]) -> None:
        name = found.part.fact
        if found.part.when is not None:
            self.draft.expression(found, ("when",), found.part.when, self.scopes.names(self.scopes.placing))
        known = set(FACTS) | set(self.scopes.custom)
        if name not in known:
            self.draft.wrong(found.place("fact"), "unknown-name", f"no base fact `{name}`", nearest(name, known))
        elif name in FACTS and (FACTS[name].port or FACTS[name].protected or FACTS[name].computed or name.startswith("request.")):
            self.draft.wrong(
                found.place("fact"), "question", f"`{name}` may not be asked for", "port, protected and computed facts are never asked"
            )


def _unfit(name: str, kind: Type, form: str) -> str | None:
    """What is wrong with showing a value in a format."""
    fits = form == "date" if kind.kind == "date" else form == "text" if kind.kind != "number" else form != "date"
    if not fits or kind.kind in ("series", "events"):
        near = {"date": f"; write `{{{name}:date}}`", "series": "; put last(), mean() or total() of it into a fact"}.get(kind.kind, "")
        return f"`{name}` is {kind}, which the format `{form}` does not show{near}"
    own, wanted = BY_UNIT.get(kind.unit), _SAID_LOOSELY.get(form, form)
    if kind.kind == "number" and own in MEASURES and wanted != own:
        return f"`{name}` is in {kind.unit}, which the format `{form}` does not show; write `{{{name}:{own}}}`"
    if (form in MEASURES or form in _SAID_LOOSELY) and kind.unit in UNITS and own != wanted:
        return f"`{name}` is in {kind.unit}, not in {wanted}; write `{{{name}:{own or 'count'}}}`"
    return None


_SAID_LOOSELY = {"about": "money", "years": "months"}
"""Formats that say a figure as people do, and the one they stand for."""

TEXT_NAMES: Mapping[str, Type] = {
    **TARIFF_NAMES,
    "tariff.name": TEXT,
    "tariff.filing_no": TEXT,
    "tariff.saving": NUMBER,
    "tariff.effective": TEXT,
    "action.valid_until": DATE,
    "action.concession": NUMBER,
}
"""What an action's texts may name beside facts."""
