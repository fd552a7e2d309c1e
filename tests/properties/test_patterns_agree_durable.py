"""durable_rules against our own matcher and against the definition, on tens of thousands of cases."""

from __future__ import annotations

import random

import pytest
from test_patterns_agree import _row, cases, oracle

from app.engine.patterns import BuiltinMatcher, DurableMatcher
from tests.pipeline import TIMES

pytest.importorskip("durable_rules_engine", reason="durable_rules does not load on Python 3.13", exc_type=ImportError)

pytestmark = pytest.mark.properties


@pytest.mark.parametrize("seed", range(1_000, 1_000 + 4 * TIMES))
def test_both_matchers_are_the_definition(seed: int) -> None:
    """For 24,000 histories durable_rules, our matcher and the definition find the same patterns, one state serving all histories."""
    held = 0
    for patterns, histories in cases(seed, 20, 150):
        builtin, durable = BuiltinMatcher(patterns), DurableMatcher(patterns)
        for history, as_of in histories:
            found = durable.match(history, as_of)
            assert found == builtin.match(history, as_of), (patterns, history)
            assert found == oracle(patterns, history, as_of), (patterns, history)
            held += len(found)
        durable.close()
    assert 1_500 < held < 13_500  # of 15,000: neither always nor never


@pytest.mark.parametrize("seed", range(2_000, 2_000 + 2 * TIMES))
def test_matchers_agree_beyond_the_bound(seed: int) -> None:
    """With more events than a join looks at, both matchers leave out the same ones."""
    chance = random.Random(seed)
    for patterns, histories in cases(seed, 10, 10):
        builtin, durable = BuiltinMatcher(patterns), DurableMatcher(patterns)
        for small, as_of in histories:
            history = {kind: rows + [_row(chance) for _ in range(chance.choice((0, 30)))] for kind, rows in small.items()}
            assert durable.match(history, as_of) == builtin.match(history, as_of), (patterns, history)
        durable.close()
