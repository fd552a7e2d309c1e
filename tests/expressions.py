"""Expressions over the vocabulary, read and evaluated without a pack: compiled and interpreted, which must agree."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.engine import runtime
from app.engine.facts import microseconds
from app.engine.interpret import interpret
from app.engine.language import Names, parse
from app.engine.pack.names import Scopes
from app.engine.problems import Place
from app.engine.runtime import Plan, Surroundings
from app.engine.to_python import evaluate
from app.engine.tree import BOOLEAN, DATE, TEXT, Call, Const, Node, Ref, Type
from app.engine.vocabulary import SubscriberContext

NOON = "2026-11-22T12:00:00.000000+08:00"
"""The moment that `AS_OF` is."""
SIGNALS = {"tolls": ("severe", "high", "watch"), "fault": ("severe",)}
PARAMETERS: Mapping[str, Const] = {
    "param.floor": Const(1500, Type("number", "money", integral=True, most=1500), "param.floor"),
    "param.share": Const(0.5, Type("number", "share", most=0.5), "param.share"),
    "param.plan": Const("plan_59", TEXT, "param.plan"),
    "param.packs": Const(frozenset({"music", "toll_pack"}), Type("set", model="text"), "param.packs"),
    "param.on": Const(True, BOOLEAN, "param.on"),
}
CUSTOM = {
    "custom.band": Type("enum", values=("a", "b")),
    "custom.tags": Type("set", values=("red", "blue")),
    "custom.visit": DATE,
    "custom.ok": BOOLEAN,
    "custom.plan": TEXT,
    "custom.n": Type("number"),
    "custom.whole": Type("number", integral=True),
    "custom.steps": Type("series"),
}
SCOPES = Scopes(
    PARAMETERS,
    CUSTOM,
    SIGNALS,
    stages=("warning", "stable"),
    phases=("hands_off", "rescue", "retention"),
    plans=("plan_129", "plan_59"),
    actions=("roaming_pack", "tariff_pack", "thank_you"),
    categories=("care", "toll"),
)
FACTS = SCOPES.names()
GATES = SCOPES.gate(port=False, tariff=False)
CONTACT = SCOPES.contact()
PLANS = {
    "plan_129": Plan("plan_129", 12900, 500, 30720, 15, 500, 0),
    "plan_59": Plan("plan_59", 5900, 100, 10240, 20, 1024, 5000),
}
CATEGORIES = {"tariff_pack": "toll", "roaming_pack": "toll", "thank_you": "care"}
TODAY = 739_942
"""The ordinal of 2026-11-22."""


def around(
    events: Sequence[Mapping[str, Any]] | None = None,
    contacts: Sequence[Mapping[str, Any]] | None = None,
    *,
    at: str = NOON,
    later: str = NOON,
) -> Surroundings:
    """What a case brings beside facts. `at` is when facts hold, `later` when the person is contacted."""
    history = {key: value for key, value in (("events", events), ("contacts", contacts)) if value is not None}
    subscriber = SubscriberContext.model_validate({"id": "s-1", **history})
    dated = {key: [(microseconds(item.at), item) for item in getattr(subscriber, key) or ()] for key in ("events", "contacts")}
    kinds: dict[str, list[Any]] = {}
    for moment, event in dated["events"]:
        kinds.setdefault(event.type, []).append((moment, event))
    return Surroundings(
        events=None if events is None else kinds,
        contacts=None if contacts is None else dated["contacts"],
        as_of=instant(at),
        contact_at=instant(later),
        subscriber="s-1",
        salt="salt",
        categories=CATEGORIES,
        plans=PLANS,
        offered=frozenset(item.action for _, item in dated["contacts"]),
    )


def instant(text: str) -> int:
    """Microseconds since 1970 of a time as requests spell it."""
    return microseconds(SubscriberContext.model_validate({"id": "s", "events": [{"type": "use", "at": text}]}).events[0].at)


NOWHERE = around()
"""Neither events nor contacts are known."""


def tree(text: str, names: Names = FACTS, wanted: str = "any") -> Node:
    """The tree of an expression without mistakes."""
    node, problems = parse(text, Place("f.yaml", 1, 1), names, wanted)
    assert not problems, problems
    assert node is not None
    return node


def said(text: str, names: Names = FACTS, wanted: str = "any") -> list[str]:
    """What is wrong with an expression that stands at the very start of `f.yaml`."""
    node, problems = parse(text, Place("f.yaml", 1, 1), names, wanted)
    assert node is None or not problems
    return [str(problem) for problem in problems]


def value(text: str, known: Mapping[str, Any] | None = None, surroundings: Surroundings = NOWHERE, names: Names = FACTS) -> Any:
    """The value of an expression, compiled and interpreted; what is not among `known` is unknown."""
    return value_of(tree(text, names), known or {}, surroundings)


def value_of(node: Node, known: Mapping[str, Any], surroundings: Surroundings = NOWHERE) -> Any:
    """The same of a tree."""
    values = {"today": TODAY, "contact_day": TODAY, **known}
    compiled = evaluate(node, values, surroundings)
    assert (type(compiled), compiled) == (type(other := interpreted(node, values, surroundings)), other)
    return compiled


def interpreted(node: Node, values: Mapping[str, Any], surroundings: Surroundings) -> Any:
    """The value by walking the tree, calls answered by the runtime."""

    def lookup(item: Ref | Call) -> Any:
        return values.get(item.name) if isinstance(item, Ref) else _called(item, lookup, surroundings)

    return interpret(node, lookup)


_renamed = {"min": "smallest", "max": "largest", "abs": "size"}


def _called(call: Call, lookup: Any, c: Surroundings) -> Any:
    given = [interpret(item, lookup) for item in call.arguments if item.type.kind != "events"]
    options = {name: interpret(item, lookup) for name, item in call.options}
    now = c.as_of if call.clock == "as_of" else c.contact_at
    filters = tuple((name, wanted) for name, wanted in options.items() if name not in ("days", "same"))
    match call.function:
        case "known":
            target = call.arguments[0]
            found = getattr(c, target.name) if target.type.kind == "events" else given[0]
            return found is not None
        case "count":
            return runtime.count(c.events, given[0], now, options.get("days"), options.get("same"), filters)
        case "since":
            return runtime.since(c.events, given[0], now, filters)
        case "contacted" | "refused":
            return getattr(runtime, call.function)(c.contacts, now, options["days"], c.categories, filters)
        case "fee_on":
            return runtime.fee_on(c.plans, *given)
        case "best_fee":
            cheapest = runtime.best(c.plans, *given)
            return cheapest[0] if cheapest else None
        case "bucket":
            return runtime.bucket(c.salt, given[0], c.subscriber)
    return getattr(runtime, _renamed.get(call.function, call.function))(*given)
