"""What holds for every expression: compiled and interpreted agree, text and tree agree, more knowledge never turns an answer round."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.engine.language import Names, parse
from app.engine.pack.checks.reasoning import Reasoning
from app.engine.problems import Place
from app.engine.runtime import Surroundings
from app.engine.to_python import Program, evaluate
from app.engine.tree import EXACT_LIMIT, Const, Node, Ref, Type, children, show, substitute, walk
from tests.expressions import FACTS, GATES, NOWHERE, PLANS, TODAY, around, interpreted, said, tree
from tests.pipeline import TIMES

pytestmark = pytest.mark.properties

LEVELS = ("level:tolls:severe", "level:tolls:high", "level:tolls:watch", "level:fault:severe")
MANY = settings(max_examples=150 * TIMES, deadline=None)


def _joined(form: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda given: form.format(*given))


cycles = st.integers(1, 5)
words = st.sampled_from(["a", "b", "plan_59", "toll_pack", "it's", "中文", "x y"])
quoted = words.map(repr)
literals = st.one_of(st.integers(0, 9), st.sampled_from([0.1, 0.5, 1e-3, 100_000])).map(str)
texts = st.one_of(st.sampled_from(["plan.id", "plan.name", "custom.plan", "param.plan"]), quoted)
dates = st.one_of(st.sampled_from(["contract.promo_end", "account.joined_on", "custom.visit"]), st.just("'2026-11-22'"))
date_facts = st.sampled_from(["contract.promo_end", "account.joined_on", "custom.visit"])
sets = st.one_of(
    st.sampled_from(["services.held", "device.capabilities", "param.packs"]),
    st.lists(quoted, min_size=1, max_size=3).map(lambda w: f"({', '.join(w)},)"),
)
series = st.sampled_from(["billing.total", "usage.data_mb", "custom.steps"])
topic = st.sampled_from(
    ["", ", topic='billing'", ", area=plan.id", ", area=plan.name", ", same='topic'", ", days=30", ", days=2, same='area'"]
)
contact_filters = st.sampled_from(["", ", action='tariff_pack'", ", category='toll'", ", kind='offer'", ", channel='app'"])
signs = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
equal = st.sampled_from(["==", "!="])


def _deeper_number(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        _joined("({} {} {})", inner, st.sampled_from("+-/"), inner),
        _joined("({} * {})", inner, literals),
        _joined("-({})", inner),
        _joined("abs({})", inner),
        _joined("min({}, {})", inner, inner),
        _joined("max({}, {}, {})", inner, inner, literals),
        _joined("first_known({}, {})", inner, inner),
    )


numbers = st.recursive(
    st.one_of(
        literals,
        st.sampled_from(["plan.monthly_fee", "account.tenure_months", "custom.n", "custom.whole", "param.floor", "param.share"]),
        _joined("last({})", series),
        _joined("{}({}, {})", st.sampled_from(["mean", "total", "peak", "median", "change"]), series, cycles),
        _joined("share_over({}, {}, {})", series, literals, cycles),
        _joined("days_{}({})", st.sampled_from(["since", "until"]), date_facts),
        _joined("count(events.complaint{})", topic),
        _joined("since(events.{})", st.sampled_from(["complaint", "fault"])),
        _joined("{}(days={}{})", st.sampled_from(["contacted", "refused"]), st.integers(1, 90), contact_filters),
        _joined("fee_on({}, {})", st.sampled_from(["'plan_59'", "plan.id"]), cycles),
        _joined("best_fee({})", cycles),
        _joined("bucket({})", quoted),
    ),
    _deeper_number,
    max_leaves=5,
)
leaves = st.one_of(
    st.sampled_from(["custom.ok", "home.has_broadband", "param.on", "true", "false"]),
    _joined("{} {} {}", numbers, signs, numbers),
    _joined("{} < {} <= {}", numbers, numbers, numbers),
    _joined("{} {} {}", texts, equal, texts),
    _joined("{} {} {}", date_facts, signs, dates),
    _joined("account.status {} {}", equal, st.sampled_from(["'active'", "'lost'"])),
    _joined("account.status in {}", st.sampled_from(["('active', 'lost')", "('cancelled',)"])),
    _joined("{} {} {}", texts, st.sampled_from(["in", "not in"]), sets),
    _joined("{} in ({}, {})", numbers, literals, literals),
    _joined("overlap({}, {})", sets, sets),
    _joined("{}({}, {})", st.sampled_from(["falling", "rising"]), series, st.integers(2, 4)),
    _joined("known({})", st.sampled_from(["custom.ok", "plan.id", "billing.total", "events.fault", "contacts", "contract.promo_end"])),
    _joined("signal('{}')", st.sampled_from(["tolls", "fault"])),
    _joined("level('tolls') {} '{}'", st.sampled_from(["==", "!=", ">="]), st.sampled_from(["severe", "high", "watch"])),
)


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        _joined("({} and {})", inner, inner),
        _joined("({} or {} or {})", inner, inner, inner),
        _joined("not ({})", inner),
        _joined("at_least(2, {}, {}, {})", inner, inner, inner),
    )


conditions = st.recursive(leaves, _deeper, max_leaves=6)


@st.composite
def trees(draw: st.DrawFn, texts: st.SearchStrategy[str] = conditions) -> Node:
    """A well-typed tree. What could pass 2^53 or divides by 0 is refused, as it should be, and left out."""
    node, problems = parse(draw(texts), Place(), FACTS, "any")
    assert all(problem.code == "number-too-large" or problem.message.endswith("is never known") for problem in problems), problems
    assume(node is not None)
    assert node is not None
    return node


maybe: Callable[[st.SearchStrategy[Any]], st.SearchStrategy[Any]] = lambda some: st.one_of(st.none(), some)  # noqa: E731
figure = st.one_of(
    st.integers(-5, 5), st.integers(0, 10**12), st.floats(-1e12, 1e12, allow_nan=False), st.sampled_from([0, 0.0, -0.0, 1e-300])
)
word = st.sampled_from(["a", "b", "plan_59", "toll_pack", "it's"])
BY_KIND: Mapping[str, st.SearchStrategy[Any]] = {
    "number": figure,
    "boolean": st.booleans(),
    "text": word,
    "enum": st.sampled_from(["active", "lost", "cancelled", "a"]),
    "date": st.sampled_from([0, TODAY, TODAY - 1, TODAY + 40]),
    "set": st.frozensets(word, max_size=3),
    "series": st.lists(maybe(st.one_of(st.integers(0, 9), figure)), max_size=6).map(tuple),
}
HISTORIES = [
    NOWHERE,
    around([], []),
    around(
        [
            {"type": "complaint", "at": f"2026-11-{day:02}T12:00:00+08:00", "topic": topic, "area": area}
            for day, topic, area in ((1, "billing", "a"), (20, "billing", "b"), (21, "network", "a"), (22, "billing", None))
        ],
        [
            {"at": f"2026-11-{day:02}T12:00:00+08:00", "action": action, "kind": "offer", "channel": "app", "result": result}
            for day, action, result in ((1, "tariff_pack", "refused"), (20, "thank_you", "shown"), (22, "roaming_pack", "refused"))
        ],
    ),
]


def _fitting(value: Any, kind: Type) -> Any:
    """The value, within the bounds of its type."""
    if isinstance(value, tuple):
        return tuple(_fitting(item, replace(kind, kind="number")) for item in value)
    if value is None or kind.kind != "number":
        return value
    bounded = max(-kind.most, min(value, kind.most))
    return int(bounded) if kind.integral else bounded


@st.composite
def cases(draw: st.DrawFn, *nodes: Node) -> tuple[dict[str, Any], Surroundings]:
    """Values, some of them unknown, for whatever the trees read."""
    known: dict[str, Any] = {"today": TODAY, "contact_day": TODAY}
    for node in nodes:
        for item in walk(node):
            if isinstance(item, Ref) and item.name not in known and item.type.kind != "events":
                known[item.name] = _fitting(draw(maybe(BY_KIND[item.type.kind])), item.type)
    return known, draw(st.sampled_from(HISTORIES))


@MANY
@given(st.data(), st.one_of(trees(), trees(numbers)))
def test_compiled_is_interpreted(data: st.DataObject, node: Node) -> None:
    """Straight-line code and a walk over the tree give the same value, of the same type: one of three, or a finite number."""
    known, surroundings = data.draw(cases(node))
    compiled, other = evaluate(node, known, surroundings), interpreted(node, known, surroundings)
    assert (type(compiled), compiled) == (type(other), other)
    assert compiled in (True, False, None) if node.type.kind == "boolean" else compiled is None or abs(compiled) <= node.type.most


@settings(max_examples=100 * TIMES, deadline=None)
@given(st.data(), st.lists(trees(), min_size=2, max_size=6))
def test_shared_work(data: st.DataObject, nodes: list[Node]) -> None:
    """Many trees in one program, over several sections, share what is equal and stay what each is alone."""
    known, surroundings = data.draw(cases(*nodes))
    program = Program()
    slots, sections = [], []
    for index, node in enumerate([*nodes, *nodes]):
        slots.append(program.define(f"named:{index}", node))
        if index % 2:
            sections.append(program.section())
    sections.append(program.section())
    values: list[Any] = [None] * program.size
    for name, slot in program.inputs.items():
        values[slot] = known.get(name)
    for section in sections:
        section(values, surroundings)
    assert [values[slot] for slot in slots] == [evaluate(node, known, surroundings) for node in [*nodes, *nodes]]
    assert slots[: len(nodes)] == slots[len(nodes) :]


@MANY
@given(trees())
def test_written_back(node: Node) -> None:
    """A tree written as text reads as the same tree, as long as no signal's weaker level is in it, which has no words of its own."""
    if not any(isinstance(item, Ref) and item.name in LEVELS[1:3] for item in walk(node)):
        assert tree(show(node)) == node


@MANY
@given(st.data(), trees())
def test_more_knowledge(data: st.DataObject, node: Node) -> None:
    """What is known to be true or false stays so when an unknown fact becomes known: no answer ever rested on not knowing.

    But for the two functions that ask whether something is known.
    """
    if any(getattr(item, "function", "") in ("known", "first_known", "best_fee") for item in walk(node)):
        return
    known, surroundings = data.draw(cases(node))
    more = {name: _fitting(data.draw(BY_KIND[kind.kind]), kind) if given is None else given for name, given, kind in _kinds(node, known)}
    before, after = evaluate(node, known, surroundings), evaluate(node, {**known, **more}, surroundings)
    assert before is None or before is after


def _kinds(node: Node, known: Mapping[str, Any]) -> list[tuple[str, Any, Type]]:
    return [(item.name, known[item.name], item.type) for item in walk(node) if isinstance(item, Ref) and item.name in known]


@MANY
@given(st.data(), trees())
def test_substitution(data: st.DataObject, node: Node) -> None:
    """Putting known values in place of names, and folding what that decides, changes no value."""
    known, surroundings = data.draw(cases(node))
    chosen = {
        item.name: Const(known[item.name], item.type)
        for item in walk(node)
        if isinstance(item, Ref)
        and item.type.kind in ("boolean", "text", "enum", "number")
        and known.get(item.name) is not None
        and data.draw(st.booleans())
    }
    assert evaluate(substitute(node, chosen), known, surroundings) is evaluate(node, known, surroundings)


@MANY
@given(st.data(), trees(), trees())
def test_implication(data: st.DataObject, one: Node, other: Node) -> None:
    """Where one condition is said to imply another, the other is true whenever the first is."""
    reasoning = Reasoning({})
    for first, second in ((one, other), *((one, part) for part in children(one)), *((part, one) for part in children(one))):
        if second.type.kind == first.type.kind == "boolean" and reasoning.implied(first, second):
            known, surroundings = data.draw(cases(one, other))
            assert evaluate(first, known, surroundings) is not True or evaluate(second, known, surroundings) is True
    if one.type.kind == "boolean":
        reasoning.witness([(one, "not_true"), (one, "not_false")])
        reasoning.witness([(one, "true")])


@MANY
@given(trees())
def test_figures_stay_exact(node: Node) -> None:
    """No intermediate of an accepted tree can reach 2^53."""
    assert all(item.type.most < EXACT_LIMIT for item in walk(node) if item.type.kind == "number")


_pieces = (
    "and or not in is if else lambda for None True true ( ) [ ] { } , . = == != < <= > >= + - * / ** // % & | ~ ^ @ : ; := -> ' \" \\ # "
    "$ ? ! ` plan.id plan.monthly_fee custom.ok billing.total services.held contract.promo_end events.complaint facts.x param.floor "
    "signal level count mean last known at_least fee_on days_since 'a' 'plan_59' 'tolls' 'high' 0 1 3 1e9 1e400 0.5 days= topic= n= "
    "f'{x}' b'a' __import__ import yield await print （ ） ， ≥ ‘ ’ 中 é \u200b \ud800 \0 \n \r \t \u2028 \U0001f600"
)
PIECES = st.sampled_from(_pieces.split(" "))


@settings(max_examples=400 * TIMES, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map(" ".join), st.lists(PIECES, max_size=10).map("".join), conditions))
def test_any_text(text: str) -> None:
    """Whatever is written, it is read or refused with problems that can be printed: nothing is raised and nothing is run."""
    for names in (FACTS, GATES, Names({})):
        for wanted in ("boolean", "number", "any"):
            for problem in said(text, names, wanted):
                assert problem.startswith("f.yaml:1:")
                assert problem.encode()


@settings(max_examples=150 * TIMES, deadline=None)
@given(conditions, st.integers(0, 200), PIECES)
def test_damaged(text: str, at: int, piece: str) -> None:
    """A condition with something put into it is read or refused, and what is read can be evaluated."""
    node, problems = parse(text[:at] + piece + text[at:], Place(), FACTS)
    assert (node is None) == bool(problems)
    if node is not None:
        assert evaluate(node, {"today": TODAY}, NOWHERE) in (True, False, None)


def test_vocabulary_is_small_and_typed() -> None:
    """The names of these properties exist, so that trees are drawn and not left out."""
    assert set(PLANS) == {"plan_59", "plan_129"}
    for name in ("plan.monthly_fee", "billing.total", "account.status", "contract.promo_end", "services.held"):
        assert name in FACTS.values
