"""Recorded decisions come out the same when they are decided again."""

import orjson
import pytest

from tests.faults.replay import decided, decided_again, replayed

pytestmark = pytest.mark.faults


def test_other_processes_decide_the_same() -> None:
    """200 random decisions, each decided again in every process: the same bytes."""
    figures = replayed(200, seed=9)
    assert (figures["decisions"], figures["differ"]) == (200, 0)
    assert figures["replays"] == 200 * len(figures["processes"])


def test_what_differs_is_told() -> None:
    """An answer that was changed by one character does not come out the same."""
    lines = list(decided(5, seed=9))
    told = orjson.loads(lines[3])
    told["private"]["answer"] = told["private"]["answer"].replace('"stage":"', '"stage":"x')
    found = decided_again("builtin", [*lines[:3], orjson.dumps(told)])
    assert (found["same_bytes"], found["differ"]) == (3, 1)
    assert found["places"][0][1] == ["stage"]
