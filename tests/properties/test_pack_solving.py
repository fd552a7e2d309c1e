"""What the checks say of conditions is true of every subscriber that chance and the edges of the conditions come up with."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.pack.checks.conditions import Wanted
from app.engine.pack.checks.reasoning import Reasoning
from app.engine.runtime import NEVER
from app.engine.tree import Node, Or, Ref
from tests.expressions import TODAY, tree, value_of

pytestmark = pytest.mark.properties

VALUES: dict[str, tuple[Any, ...]] = {
    "custom.n": (None, -3, 0, 0.1, 0.3, 1, 1.5, 2, 2.5, 3, 4, 4.999999, 5, 6, 10**12),
    "custom.whole": (None, -1, 0, 1, 2, 3, 4, 5, 6, 100),
    "custom.ok": (None, True, False),
    "custom.band": (None, "a", "b"),
    "custom.plan": (None, "plan_59", "plan_99", "x"),
    "custom.visit": (None, NEVER, TODAY - 6, TODAY - 5, TODAY - 1, TODAY, TODAY + 1, TODAY + 5),
    "custom.tags": (None, frozenset(), frozenset({"red"}), frozenset({"blue"}), frozenset({"red", "blue"})),
    "custom.steps": (None, (), (1,), (1, 2), (2, 1), (3, 3), (0, 5), (5, 0)),
    "level:tolls:severe": (None, True, False),
    "level:tolls:high": (None, True, False),
    "level:tolls:watch": (None, True, False),
}
DEFINED = {"signal:tolls": Or(tuple(Ref(f"level:tolls:{word}", tree("true").type) for word in ("severe", "high", "watch")))}
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
    )
)
ATOMS = st.one_of(
    st.builds("{} {} {}".format, FIGURES, SIGNS, BOUNDS),
    st.builds("{} {} {}".format, FIGURES, SIGNS, FIGURES),
    st.builds("known({})".format, st.sampled_from([name for name in VALUES if name.startswith("custom.")])),
    st.sampled_from(
        (
            "custom.ok",
            "custom.band == 'a'",
            "custom.band in ('b',)",
            "custom.plan == 'plan_59'",
            "custom.plan in ('plan_59', 'plan_99')",
            "'red' in custom.tags",
            "overlap(custom.tags, ('red', 'blue'))",
            "custom.band in custom.tags",
            "custom.visit > '2026-11-21'",
            "custom.visit <= '2026-11-22'",
            "custom.whole in (1, 2, 5)",
            "falling(custom.steps, 2)",
            "level('tolls') == 'high'",
            "level('tolls') >= 'high'",
            "signal('tolls')",
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
    max_leaves=5,
)
SUBSCRIBERS = st.fixed_dictionaries({name: st.sampled_from(given) for name, given in VALUES.items()})
MEETS = {
    "true": lambda found: found is True,
    "false": lambda found: found is False,
    "not_true": lambda found: found is not True,
    "not_false": lambda found: found is not False,
}


def evaluated(node: Node, given: dict[str, Any]) -> Any:
    """The value of a condition, compiled and interpreted, with the signal worked out of its levels."""
    return value_of(node, {**given, "signal:tolls": value_of(DEFINED["signal:tolls"], given)})


@settings(max_examples=600, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=3), st.data())
def test_impossible_is_impossible(written: list[str], data: st.DataObject) -> None:
    """Where no subscriber is said to meet several demands, none does; and whoever is shown was tried by the compiled code too."""
    demands = [(tree(text), data.draw(st.sampled_from(tuple(MEETS)))) for text in written]
    reasoning = Reasoning(DEFINED)
    if reasoning.impossible(demands):
        for given in data.draw(st.lists(SUBSCRIBERS, min_size=30, max_size=30)):
            assert not all(MEETS[wanted](evaluated(node, given)) for node, wanted in demands), (written, given)


@settings(max_examples=300, deadline=None)
@given(CONDITIONS, SUBSCRIBERS, st.sampled_from(tuple(MEETS)))
def test_whoever_exists_is_not_excluded(written: str, given: dict[str, Any], wanted: Wanted) -> None:
    """A demand that some subscriber meets is never said to be impossible."""
    node = tree(written)
    if MEETS[wanted](evaluated(node, given)):
        assert not Reasoning(DEFINED).impossible([(node, wanted)])
