"""`bench/record.py` runs, and prints its figures under the names that others read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    """The last line of a short run."""
    command = [sys.executable, "bench/record.py", "--quick", "--n", "400", "--rows", "200"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300).stdout
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def test_the_last_line_has_the_figures_under_stable_names(figures: dict[str, Any]) -> None:
    """Every figure is there, with what it was measured on."""
    measured = "canonical_us entry_on_sqlite_us single_per_s grouped_per_s grouped_times_single seal_per_s leaves_verified_per_s"
    measured += " verify_million_s proof_ms proof_p99_ms page_alone_slowest_ms page_pair_slowest_ms page_slowest_ms page_median_ms pages"
    assert all(figures[name] > 0 for name in measured.split())
    assert (figures["n"], figures["rows"], figures["callers"], figures["seed"]) == (400, 200, 32, 1)
    assert figures["leaves"] > 400
    assert figures["machine"].keys() == {"cpu", "cores", "python", "system", "load"}


def test_every_filter_is_asked_for_alone_and_with_every_other(figures: dict[str, Any]) -> None:
    """With n filters, of which each has a common and a rare value: 2n pages of one, and n(n-1)/2 + n(n-1)/2 + n(n-1) of two."""
    asked = next(n for n in range(2, 40) if 2 * n + 2 * n * (n - 1) >= figures["pages"])
    assert figures["pages"] == 2 * asked + 2 * asked * (asked - 1)
    assert asked >= 16
