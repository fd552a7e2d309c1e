"""`bench/campaign.py` runs and prints its figures under the names that others read, over a population that depends on its seed alone."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.campaign.batch import batch_of
from app.campaign.deciding import decide_batch
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.intake import parse_request, take
from app.engine.pack import Pack, load_pack
from bench.campaign_facts import AS_OF, requests
from bench.campaign_population import Population, write_population
from bench.campaign_run import parts
from bench.memory import watched
from bench.mixture import CONTENT, mixed
from bench.mixture import watched as watches

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT, pattern_engine="builtin")


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    """The last line of a short run."""
    command = [sys.executable, "bench/campaign.py", "--quick", "--n", "400", "--size", "200", "--sample", "60"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300).stdout
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def population(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Population:
    """Three hundred people, of whom the last hundred are like the first but one."""
    return write_population(pack, tmp_path_factory.mktemp("population"), 300, prototypes=200, part=120)


@pytest.fixture(scope="module")
def cases(pack: Pack, population: Population) -> list[Case]:
    """The same people as the API is asked about them."""
    bodies = [json.dumps(body) for body in requests(pack, _rows(population), "app", AS_OF)]
    return [take(pack, parse_request(body.encode()), now=AS_OF, role="campaign") for body in bodies]


def test_the_last_line_has_the_figures_under_stable_names(figures: dict[str, Any]) -> None:
    """Every figure of the page is there, with what it was measured on."""
    names = "decide_seconds_per_million peak_gib peak_unrecorded_gib times_online campaign_per_s campaign_recorded_per_s online_per_s"
    names += " decide_alone_per_s gates_on_columns_per_s signals_a_head"
    assert all(figures[name] > 0 for name in names.split())
    assert {"record_seconds_per_million", "zen_per_s", "gates_one_by_one_per_s", "actions_a_head", "pack"} <= figures.keys()
    assert (figures["n"], figures["size"], figures["sample"], figures["seed"], figures["channel"]) == (400, 200, 60, 1, "sms_marketing")
    assert figures["machine"].keys() == {"cpu", "cores", "python", "system", "load"}


def test_the_parts_share_all_of_the_time(figures: dict[str, Any]) -> None:
    """Reading, facts, signals, gates, ranking, patterns, reasons, writing and recording add up to the whole."""
    shares = {name.removeprefix("share_"): share for name, share in figures.items() if name.startswith("share_")}
    assert shares.keys() == {"reading", "facts", "signals", "gates", "ranking", "patterns", "reasons", "writing", "recording"}
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert all(share > 0 for share in shares.values())


def test_a_population_of_a_seed_is_always_the_same(pack: Pack, population: Population, tmp_path: Path) -> None:
    """In files of another length too."""
    again = write_population(pack, tmp_path, 300, prototypes=200, part=300)
    assert _rows(again).equals(_rows(population))


def test_a_longer_population_begins_with_the_shorter_one(pack: Pack, population: Population, tmp_path: Path) -> None:
    """Whether or not the shorter one needs all of those who are made one by one."""
    shorter = _rows(write_population(pack, tmp_path, 90, prototypes=200))
    assert shorter.equals(_rows(population).head(90))


def test_another_seed_makes_others(pack: Pack, population: Population, tmp_path: Path) -> None:
    """Nobody is in both."""
    other, mine = _rows(write_population(pack, tmp_path, 50, seed=2)), _rows(population)
    assert not other["account_tenure_months"].equals(mine["account_tenure_months"].head(50))
    assert set(other["subscriber"]).isdisjoint(mine["subscriber"])


def test_those_who_are_alike_differ_in_their_figures(population: Population) -> None:
    """Somebody made after somebody else's likeness has the same plan and another balance."""
    rows = _rows(population)
    first, second = rows.slice(0, 100), rows.slice(200, 100)
    assert first["plan_id"].equals(second["plan_id"])
    assert (first["pay_balance"] == second["pay_balance"]).sum() < 10


def test_everybody_can_be_decided_as_the_mapping_says(pack: Pack, population: Population, cases: list[Case]) -> None:
    """No row is rejected, and the columns say what the same people's requests say."""
    batches = list(parts(pack, population, "app", 1_000))
    assert [reject for part in batches for reject in part.rejects] == []
    told = pl.concat([decide_batch(pack, part.batch).ranked.drop("i") for part in batches])
    assert told.equals(decide_batch(pack, batch_of(pack, cases)).ranked.drop("i"))


def test_as_much_is_amiss_as_in_the_mixture(pack: Pack, cases: list[Case]) -> None:
    """Signals a head, within a tenth; a fifth have events that patterns look at."""
    wanted, found = (sum(len(decide(pack, case).signals) for case in some) for some in (islice(mixed(pack, 1, CONTENT), 300), cases))
    assert found == pytest.approx(wanted, rel=0.1)
    assert sum(watches(pack, case) for case in cases) == 60


def test_memory_of_children_counts(tmp_path: Path) -> None:
    """What a program has its child hold is held by it."""
    hold = "x = b'x' * 120_000_000"
    child = f"{hold}; import time; time.sleep(0.5)"
    held = f"{hold}; import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    printed, gib = watched([sys.executable, "-c", f"{held}; print('done')"], tmp_path)
    assert printed == "done\n"
    assert 0.22 < gib < 0.5


def test_a_run_that_fails_is_not_measured(tmp_path: Path) -> None:
    """A program that ends with an error gives no figure."""
    with pytest.raises(subprocess.CalledProcessError):
        watched([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)


def _rows(population: Population) -> pl.DataFrame:
    return pl.read_parquet(sorted(population.folder.glob("*.parquet")))
