"""What holds for every expression: on columns it comes to what it comes to one by one, to the bit, however many are asked about."""

import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_language_agree import _joined, conditions, cycles, leaves, literals, numbers, quoted, sets, signs, texts

from app.engine.language import parse
from app.engine.problems import Place
from app.engine.tree import Node, show
from app.engine.vocabulary import EVENTS
from tests.column_expressions import Person, alike, column_values, random_people, refs, row_values
from tests.expressions import CONTACT
from tests.pipeline import TIMES

pytestmark = pytest.mark.properties


def _filters(kind: str) -> st.SearchStrategy[str]:
    """Filters on the attributes of a kind of event: what is asked for is written, or a fact."""
    known = EVENTS[kind].attributes
    found = [""]
    for name, fact in known.items():
        if fact.kind == "enum":
            found += [f", {name}={word!r}" for word in fact.values[:3]]
        elif fact.kind == "text":
            found += [f", {name}='a'", f", {name}=plan.id", f", {name}=custom.plan", f", {name}=param.plan"]
        elif fact.kind == "boolean":
            found += [f", {name}=true", f", {name}=custom.ok"]
        elif fact.kind == "number":
            found += [f", {name}=3", f", {name}=custom.whole", f", {name}=account.tenure_months"]
    return st.sampled_from(found)


def _window(kind: str) -> st.SearchStrategy[str]:
    groups = ["", ""] + [f", same={name!r}" for name in EVENTS[kind].attributes]
    return st.tuples(st.sampled_from(["", ", days=1", ", days=7", ", days=90"]), st.sampled_from(groups)).map("".join)


events = st.sampled_from(["complaint", "fault", "overage", "move_home", "contact", *EVENTS]).filter(lambda kind: not EVENTS[kind].port)
counts = events.flatmap(lambda kind: _joined(f"count(events.{kind}{{}}{{}})", _filters(kind), _window(kind)))
sinces = events.flatmap(lambda kind: _joined(f"since(events.{kind}{{}})", _filters(kind)))
contacts = _joined(
    "{}(days={}{}{})",
    st.sampled_from(["contacted", "refused"]),
    st.sampled_from([1, 7, 30, 90]),
    st.sampled_from(["", ", action='tariff_pack'", ", action=action.id", ", category='toll'", ", category=action.category"]),
    st.sampled_from(["", ", kind='offer'", ", channel='app'", ", channel=request.channel"]),
)


@st.composite
def number(draw: st.DrawFn) -> str:
    """A figure of the usual kinds."""
    return draw(numbers)


@st.composite
def figure(draw: st.DrawFn) -> str:
    """A figure of any kind."""
    return draw(_figures)


uses = st.one_of(
    _joined("fee_on({}, {})", st.sampled_from(["'plan_59'", "'plan_129'", "plan.id", "custom.plan", "param.plan"]), cycles),
    _joined("best_fee({})", cycles),
)
quotients = st.one_of(
    _joined(
        "({} / {})", number(), st.sampled_from(["3", "0.7", "param.floor", "param.share", "custom.n", "(custom.n - custom.n)", "(1 - 1)"])
    ),
    _joined("({} / {} / {})", literals, literals, number()),
    _joined("({} / {} - {})", number(), number(), number()),
    _joined("min({}, {}) / max({}, {})", literals, literals, literals, number()),
)
_figures = st.one_of(number(), counts, sinces, contacts, uses, quotients)
_tests = st.one_of(
    leaves,
    _joined("{} {} {}", figure(), signs, figure()),
    _joined("{} {} {}", literals, signs, figure()),
    _joined("{} < {} <= {}", literals, figure(), literals),
    _joined("clock.time {} {}", signs, st.sampled_from(["'09:00'", "'21:30'", "clock.time"])),
    _joined("{} <= clock.time < {}", st.sampled_from(["'09:00'", "'21:30'"]), st.sampled_from(["'09:00'", "'12:00'"])),
    _joined("clock.weekday {} {}", signs, literals),
    _joined("{} {} custom.tags", st.sampled_from(["'red'", "'blue'", "custom.band"]), st.sampled_from(["in", "not in"])),
    _joined("{} in ('2026-11-22', '2026-11-23')", st.sampled_from(["custom.visit", "contract.promo_end", "account.joined_on"])),
    _joined("overlap({}, {})", sets, sets),
    _joined("{} in ({}, {}, {})", texts, quoted, quoted, quoted),
    _joined("days_until({}) {} days_since({})", *[st.sampled_from(["custom.visit", "contract.promo_end"]), signs, st.just("custom.visit")]),
    st.sampled_from(["clock.holiday", "action.marketing", "phase == 'rescue'", "moment in ('fault', 'none')", "stage != 'stable'"]),
)


@st.composite
def condition(draw: st.DrawFn, depth: int = 2) -> str:
    """A condition, of more than one at times."""
    form = draw(st.integers(0, 6)) if depth else 0
    if form < 3:
        return draw(_tests)
    inner = [draw(condition(depth - 1)) for _ in range(draw(st.integers(2, 3)))]
    if form == 3:
        return f"at_least({draw(st.integers(1, len(inner)))}, {', '.join(inner)})"
    return {4: f"not ({inner[0]})", 5: f"({' and '.join(inner)})", 6: f"({' or '.join(inner)})"}[form]


@st.composite
def trees(draw: st.DrawFn) -> Node:
    """A tree of contact policy, which may name nearly everything, or of rules; what the language refuses is left out."""
    text = draw(st.one_of(figure(), condition(), conditions))
    node, _ = parse(text, Place(), CONTACT, "any")
    assume(node is not None)
    assert node is not None
    return node


@settings(max_examples=200 * TIMES, deadline=None)
@given(st.lists(trees(), min_size=1, max_size=4), st.integers(0, 2**32), st.sampled_from([1, 2, 1000]))
def test_columns_are_rows(nodes: list[Node], seed: int, size: int) -> None:
    """Of one person, of two and of a thousand every tree has the same value on columns, whatever stands beside it."""
    people = random_people(random.Random(seed), nodes, size)
    for person, one, other in zip(people, row_values(nodes, people), column_values(nodes, people), strict=True):
        for node, value, found in zip(nodes, one, other, strict=True):
            assert alike(value, found), (show(node), value, found, told(node, person))


def told(node: Node, person: Person) -> dict[str, Any]:
    """What is known to a person of what a tree reads."""
    return {item.name: person.values.get(item.name) for item in refs([node])}
