"""The programs of `bench/` run, and print the figures under the names that others read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.engine.pack import load_pack
from bench.timing import spread
from bench.zen_gates import Gates

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    """The last line of a short run."""
    command = [sys.executable, "bench/engine.py", "--quick", "--n", "60", "--most-rules", "200"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300).stdout
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def test_the_last_line_has_the_figures_under_stable_names(figures: dict[str, Any]) -> None:
    """Every figure of the page is there, with what it was measured on."""
    names = "decide_p50_ms decide_p99_ms decide_full_p50_ms decide_full_p99_ms decide_alone_p50_ms decisions_per_second rules_growth n seed"
    assert all(figures[name] > 0 for name in names.split())
    assert {"gates_times_zen", "gates_times_zen_one_table", "gates_times_zen_expressions", "pattern_engine", "pack"} <= figures.keys()
    assert figures["machine"].keys() == {"cpu", "cores", "python", "system", "load"}
    assert (figures["n"], figures["rules_few"], figures["rules_many"]) == (60, 100, 200)


def test_a_fifth_of_the_population_has_events_that_patterns_look_at(figures: dict[str, Any]) -> None:
    """The population is thinned to exactly that share."""
    assert figures["pattern_share"] == 0.2


def test_zen_engine_and_we_agree_on_every_gate(figures: dict[str, Any]) -> None:
    """Where zen-engine is installed, each clause was compared on each prepared subscriber; one that differs ends the program."""
    pytest.importorskip("zen", reason="zen-engine is a dependency of the bench alone")
    assert figures["gates_times_zen"] > 1
    assert figures["gates_compared"] >= figures["gates_clauses"]


def test_tables_hold_every_gate_of_the_pack() -> None:
    """A table for each action with gates, and in each a row or more for every clause."""
    gates = Gates(load_pack(ROOT, pattern_engine="builtin"))
    tables = [node for node in json.loads(gates.tables())["nodes"] if node["type"] == "decisionTableNode"]
    rows = {(table["name"], rule["o"].strip("'")) for table in tables for rule in table["content"]["rules"]}
    assert rows == {(action, f"{clause.gate}.{clause.name}") for action, clause in gates.clauses}


def test_percentiles_are_of_the_nearest_rank() -> None:
    """Of the numbers 1 to 101 the median is 51."""
    found = spread(number * 1_000_000 for number in range(101, 0, -1))
    assert (found.p50, found.p99, found.mean) == (51, 100, 51)
    assert found.per_second == pytest.approx(1_000 / 51)
