"""What the checks say of conditions is true of every subscriber that their own edges come up with."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from math import prod
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.pack.checks.conditions import Definitions, Table, Wanted
from app.engine.pack.checks.reasoning import Reasoning
from app.engine.runtime import NEVER
from app.engine.to_python import evaluate
from app.engine.tree import BOOLEAN, Node, Or, Ref, Type, walk
from tests.expressions import FACTS, NOWHERE, TODAY, interpreted, tree

pytestmark = pytest.mark.properties

VALUES: Mapping[str, tuple[Any, ...]] = {
    "custom.n": (None, -3, 0, 0.1, 0.3, 1, 1.5, 2, 2.5, 3, 4, 4.999999, 5, 6, 10**12),
    "custom.whole": (None, -1, 0, 1, 2, 3, 4, 5, 6, 100),
    "custom.ok": (None, True, False),
    "custom.band": (None, "a", "b"),
    "custom.plan": (None, "plan_59", "plan_99", "x"),
    "custom.visit": (None, NEVER, TODAY - 6, TODAY - 5, TODAY - 3, TODAY - 2, TODAY - 1, TODAY, TODAY + 1, TODAY + 2, TODAY + 5),
    "custom.tags": (None, frozenset(), frozenset({"red"}), frozenset({"blue"}), frozenset({"red", "blue"})),
    "services.held": (None, frozenset(), frozenset({"a"}), frozenset({"b", "x"}), frozenset({"a", "b"})),
    "custom.steps": (None, (), (1,), (1, 2), (2, 1), (3, 3), (0, 5), (5, 0)),
    "level:tolls:severe": (None, True, False),
    "level:tolls:high": (None, True, False),
    "level:tolls:watch": (None, True, False),
}
STEP = Type("enum", values=("low", "mid", "top"))
NAMES = replace(
    FACTS,
    values=ChainMap[str, Any](
        {
            "facts.step": Ref("facts.step", STEP),
            "facts.flag": Ref("facts.flag", BOOLEAN),
            "facts.limit": Ref("facts.limit", Type("number")),
            "facts.double": Ref("facts.double", Type("number")),
        },
        FACTS.values,
    ),
)
DEFINED: Definitions = {
    "facts.double": tree("2 * custom.n + 1"),
    "facts.step": Table(
        ((tree("custom.n > 4"), tree("'top'")), (tree("custom.ok or custom.n > 2"), tree("'mid'")), (None, tree("'low'"))),
    ),
    "facts.flag": Table(((tree("custom.whole > 3"), tree("true")), (tree("custom.whole > 1"), tree("custom.ok")))),
    "facts.limit": Table(((tree("custom.band == 'a'"), tree("2")), (tree("custom.band == 'b'"), tree("custom.whole + 1")))),
    "signal:tolls": Or(tuple(Ref(f"level:tolls:{word}", BOOLEAN) for word in ("severe", "high", "watch"))),
}
SIGNS = st.sampled_from(("<", "<=", ">", ">=", "==", "!="))
BOUNDS = st.sampled_from(("0", "0.3", "1", "2", "2.5", "3", "4", "5", "param.floor / 500"))
FIGURES = st.sampled_from(
    (
        "custom.n",
        "custom.whole",
        "3 * custom.n",
        "custom.whole - 1",
        "2 - custom.n",
        "0.1 * custom.n",
        "custom.n / 3",
        "-custom.whole",
        "max(custom.n, 1)",
        "min(3, 2 * custom.whole)",
        "days_since(custom.visit)",
        "days_until(custom.visit) + 1",
        "last(custom.steps)",
        "mean(custom.steps, 2)",
        "change(custom.steps, 1)",
        "first_known(custom.n, custom.whole)",
        "facts.double",
        "facts.limit",
        "facts.limit + custom.n",
    )
)
KNOWN = st.sampled_from([name for name in (*VALUES, "facts.step", "facts.flag", "facts.limit", "facts.double") if ":" not in name])
ATOMS = st.one_of(
    st.builds("{} {} {}".format, FIGURES, SIGNS, BOUNDS),
    st.builds("{} {} {}".format, FIGURES, SIGNS, FIGURES),
    st.builds("known({})".format, KNOWN),
    st.sampled_from(
        (
            "custom.ok",
            "custom.band == 'a'",
            "custom.band in ('b',)",
            "custom.plan == 'plan_59'",
            "custom.plan in ('plan_59', 'plan_99')",
            "'red' in custom.tags",
            "overlap(custom.tags, ('red', 'blue'))",
            "custom.band in services.held",
            "'a' in services.held",
            "custom.visit > '2026-11-21'",
            "custom.visit <= '2026-11-22'",
            "custom.whole in (1, 2, 5)",
            "falling(custom.steps, 2)",
            "level('tolls') == 'high'",
            "level('tolls') >= 'high'",
            "signal('tolls')",
            "facts.step == 'top'",
            "facts.step in ('low', 'mid')",
            "facts.step != 'mid'",
            "facts.flag",
        )
    ),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("at_least(2, {}, {}, {})".format, inner, inner, inner),
    ),
    max_leaves=4,
)
DEMANDS = st.lists(st.tuples(CONDITIONS, st.sampled_from(("true", "false", "not_true", "not_false"))), min_size=1, max_size=3)
MEETS = {
    "true": lambda found: found is True,
    "false": lambda found: found is False,
    "not_true": lambda found: found is not True,
    "not_false": lambda found: found is not False,
}
MOST = 800


def subscribers(nodes: list[Node]) -> Iterator[dict[str, Any]]:
    """Everybody who differs in what the conditions look at, or a good many of them."""
    names = sorted({name for node in nodes for name in _inputs(node)})
    if prod(len(VALUES[name]) for name in names) <= MOST:
        everybody: Iterator[tuple[Any, ...]] = product(*(VALUES[name] for name in names))
    else:
        draw = Random(0)
        everybody = (tuple(draw.choice(VALUES[name]) for name in names) for _ in range(MOST))
    for chosen in everybody:
        yield derived({"today": TODAY, "contact_day": TODAY, **dict(zip(names, chosen, strict=True))})


def _inputs(node: Node) -> Iterator[str]:
    for item in walk(node):
        if isinstance(item, Ref):
            meaning = DEFINED.get(item.name)
            trees = [part for row in meaning.rows for part in row if part] if isinstance(meaning, Table) else [meaning] if meaning else []
            yield from (name for part in trees for name in _inputs(part))
            if item.name in VALUES:
                yield item.name


def derived(values: dict[str, Any]) -> dict[str, Any]:
    """The values with what is derived from them."""
    for name, meaning in DEFINED.items():
        if isinstance(meaning, Table):
            rows = (value for condition, value in meaning.rows if condition is None or interpreted(condition, values, NOWHERE) is True)
            chosen = next(rows, None)
            values[name] = None if chosen is None else interpreted(chosen, values, NOWHERE)
        else:
            values[name] = interpreted(meaning, values, NOWHERE)
    return values


@settings(max_examples=400, deadline=None)
@given(DEMANDS)
def test_impossible_is_impossible(written: list[tuple[str, Wanted]]) -> None:
    """Where nobody is said to meet several demands, nobody does."""
    demands = [(tree(text, NAMES), wanted) for text, wanted in written]
    if Reasoning(DEFINED).impossible(demands):
        for values in subscribers([node for node, _ in demands]):
            assert not all(MEETS[wanted](interpreted(node, values, NOWHERE)) for node, wanted in demands), (written, values)


@settings(max_examples=400, deadline=None)
@given(DEMANDS)
def test_whoever_is_shown_meets_the_demands(written: list[tuple[str, Wanted]]) -> None:
    """The subscriber who is shown is so by the compiled conditions too, wherever they are made of plain facts."""
    demands = [(tree(text, NAMES), wanted) for text, wanted in written]
    found = Reasoning(DEFINED).witness(demands)
    if found is None:
        return
    values = {"today": TODAY, "contact_day": TODAY} | {name: value for name, value in found[0].given.items() if isinstance(name, str)}
    if all(name in VALUES for name in values.keys() - {"today", "contact_day"}) and not _windows([node for node, _ in demands]):
        derived(values)
        assert all(MEETS[wanted](evaluate(node, values, NOWHERE)) for node, wanted in demands), (written, values)


def _windows(nodes: list[Node]) -> bool:
    """Do conditions look into a series, of which a made-up subscriber has windows only?"""
    return any("custom.steps" in _inputs(node) for node in nodes)


@settings(max_examples=200, deadline=None)
@given(st.lists(CONDITIONS, min_size=2, max_size=4))
def test_the_fewest(written: list[str]) -> None:
    """Of demands that exclude each other the fewest are named: without any one of them the others can be met."""
    reasoning = Reasoning(DEFINED)
    demands: list[tuple[Node, Wanted]] = [(tree(text, NAMES), "true") for text in written]
    if reasoning.impossible(demands):
        core = reasoning.core(demands)
        assert reasoning.impossible(core)
        assert not any(reasoning.impossible([*core[:index], *core[index + 1 :]]) for index in range(len(core)))


def test_enough_is_decided() -> None:
    """Most of the plain contradictions there are between two tests are seen."""
    draw, seen, there = Random(1), 0, 0
    bounds, signs = ("0", "1", "2.5", "3", "5"), ("<", "<=", ">", ">=", "==", "!=")
    figures = ("custom.n", "custom.whole", "2 - custom.n", "facts.double", "days_until(custom.visit)")
    for _ in range(400):
        figure = draw.choice(figures)
        demands: list[tuple[Node, Wanted]] = [
            (tree(f"{figure} {draw.choice(signs)} {draw.choice(bounds)}", NAMES), draw.choice(("true", "false"))) for _ in range(2)
        ]
        met = any(
            all(MEETS[wanted](interpreted(node, values, NOWHERE)) for node, wanted in demands)
            for values in islice(subscribers([node for node, _ in demands]), MOST)
        )
        if not met:
            there += 1
            seen += Reasoning(DEFINED).impossible(demands)
    assert there > 50
    assert seen > 0.7 * there
