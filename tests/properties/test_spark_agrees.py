"""Campaigns on Apache Spark: the same decisions in the same words as on one machine, however the rows are spread.

Skipped where there is no Java 17, or where the extra `spark` is not installed; `make test` installs it where there is such a Java.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from app.campaign.commission import Commission, CommissionRefused, ready
from app.campaign.mapping import MappingError, own_facts
from app.campaign.output import Layout
from app.campaign.problems import TableError
from app.campaign.running import run_campaign
from bench.campaign_facts import AS_OF
from bench.campaign_population import write_population
from tests.pipeline import shipped

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.properties

ROOT = Path(__file__).resolve().parent.parent.parent
PEOPLE = 160
JAVA = 17
"""The oldest that Spark runs on."""
SMALL = {
    "spark.master": "local[2]",
    "spark.driver.memory": "512m",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50",
}


def _java() -> int:
    """Which Java Spark would start; 0 where there is none."""
    home = os.environ.get("JAVA_HOME")
    program = f"{home}/bin/java" if home else shutil.which("java")
    if program is None or not Path(program).exists():
        return 0
    told = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    if _java() < JAVA:
        pytest.skip(f"Apache Spark needs Java {JAVA} or newer, and there is {_java() or 'none'} on this machine")
    pytest.importorskip("pyspark", reason="PySpark is not installed; `make test` installs requirements/spark.txt")
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("POLARS_MAX_THREADS", "1")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
        folders = {name: str(tmp_path_factory.mktemp("spark")) for name in ("spark.local.dir", "spark.sql.warehouse.dir")}
        builder = SparkSession.builder.config(map={**SMALL, **folders})
        session = builder.getOrCreate()
        yield session
        session.stop()


@pytest.fixture(scope="module")
def mapping(rows: Path) -> Path:
    return rows.with_name("people.map.yaml")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People, each with a number; among them somebody who stands there again with other figures, and one whose row cannot be decided."""
    folder = tmp_path_factory.mktemp("people")
    made = write_population(shipped(), folder, PEOPLE, prototypes=80)
    people = pl.read_parquet(made.folder)
    column = "subscriber"
    again = people[130].with_columns(people[3][column])
    blank = people[131].with_columns(pl.lit("").alias(column))
    whole = pl.concat([people[:100], again, people[100:], blank, people[7]])
    path = folder / "people.parquet"
    whole.with_columns(pl.int_range(1, whole.height + 1, dtype=pl.Int64).alias("nr")).write_parquet(path)
    made.mapping.rename(folder / "people.map.yaml")
    return path


@pytest.fixture(scope="module")
def frame(spark: SparkSession, rows: Path) -> DataFrame:
    """The people, in three partitions, as chance has it."""
    return spark.read.parquet(str(rows)).repartition(3)


def on_one_machine(rows: Path, mapping: Path, out: Path, per: Layout) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """What `wanliu campaign run --what-if` gives: the decisions, and the rejects."""
    given = ready(Commission(rows, out, mapping=mapping, channel="app", per=per, what_if=True), own_facts(shipped()))
    run_campaign(shipped(), given.parts(shipped(), AS_OF), given.wanted)
    return pl.read_parquet(out), [orjson.loads(line) for line in given.wanted.output.rejects.read_bytes().splitlines()]


def on_spark(frame: DataFrame, mapping: Path, **options: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same from there, in order."""
    from app.campaign.spark import REJECTED, decide_frame

    told = {"pack": ROOT, "mapping": mapping, "at": AS_OF, "channel": "app", "numbered_by": "nr", **options}
    found = pl.from_arrow(decide_frame(frame, **told).toArrow())
    assert isinstance(found, pl.DataFrame)
    ranks = [name for name in ("rank",) if name in found.columns]
    is_rejected = pl.col(REJECTED).is_not_null()
    return found.filter(~is_rejected).drop(REJECTED).sort("row", *ranks), found.filter(is_rejected).sort("row")


def test_rows_on_spark_are_those_of_one_machine(frame: DataFrame, rows: Path, mapping: Path, tmp_path: Path) -> None:
    """Every action on every list with score, words and time, to the last bit; and each row that is rejected, with its reason."""
    decided, rejects = on_one_machine(rows, mapping, tmp_path / "out.parquet", "action")
    found, found_rejects = on_spark(frame, mapping, size=50)
    assert_frame_equal(found, decided.cast({"rank": pl.Int64}), check_exact=True)
    assert found["reasons"].list.len().sum() > PEOPLE / 2
    told = [(one["row"], one["subscriber"], [problem["message"] for problem in one["problems"]]) for one in rejects]
    plain = [(row, subscriber, [text.rpartition("`: ")[2] for text in why]) for row, subscriber, why in _rejects(found_rejects)]
    assert plain == told
    assert [row for row, _, _ in told] == [101, 162, 163]


def test_a_row_for_each_subscriber_in_any_partitions(frame: DataFrame, rows: Path, mapping: Path, tmp_path: Path) -> None:
    """Those without an action are there too, and one partition gives what several do."""
    decided, _ = on_one_machine(rows, mapping, tmp_path / "out.parquet", "subscriber")
    found, _ = on_spark(frame, mapping, per="subscriber", partitions=1)
    assert_frame_equal(found, decided.cast({"offered": pl.Int64}), check_exact=True)
    assert found.height == PEOPLE


def test_what_cannot_be_asked_is_refused_before_spark_begins(frame: DataFrame, mapping: Path) -> None:
    """A channel that there is not, a column of numbers that is not there or holds no numbers, and columns that the mapping wants."""
    with pytest.raises(CommissionRefused, match="no channel `sms`"):
        on_spark(frame, mapping, channel="sms")
    with pytest.raises(TableError, match=r"`numbered_by`: .*`number` is not there"):
        on_spark(frame, mapping, numbered_by="number")
    with pytest.raises(TableError, match=r"`numbered_by`: .*`subscriber` is string"):
        on_spark(frame, mapping, numbered_by="subscriber")
    with pytest.raises(MappingError, match="the file has no column `subscriber`"):
        on_spark(frame.drop("subscriber"), mapping)


def test_another_release_on_a_machine_is_told(spark: SparkSession) -> None:
    """A machine with another release would decide otherwise: it decides nothing."""
    from app.campaign.spark import _Work
    from app.campaign.table import Asking

    work = _Work("0.0.1", (), "map.yaml", b"", Asking("campaign", AS_OF), "action", "zh", 10)
    with pytest.raises(RuntimeError, match=r"this machine has Wanliu .*, and the campaign was begun with 0\.0\.1"):
        next(work(iter([])))


def test_the_example_decides_and_splits(spark: SparkSession, tmp_path: Path) -> None:
    """It writes decisions and rejects of a CSV; split, no subscriber stands in two files and no row is lost."""
    customers, mapped = (str(ROOT / "examples" / name) for name in ("customers.csv", "customers.map.yaml"))
    program = _example()
    program.main([customers, mapped, str(tmp_path / "decided")])
    decisions, rejects = (pl.read_parquet(tmp_path / "decided" / name / "*.parquet") for name in ("decisions", "rejects"))
    assert decisions["row"].unique().sort().to_list() == [2, 3, 5]
    assert rejects["row"].sort().to_list() == [4, 7, 8, 11]
    program.main([customers, mapped, str(tmp_path / "split"), "--split", "3"])
    files = [pl.read_parquet(path) for path in sorted((tmp_path / "split").glob("*.parquet"))]
    assert sum(file.height for file in files) == len((ROOT / "examples" / "customers.csv").read_text("utf-8").splitlines()) - 1
    assert len(files) > 1
    named = [set(file["客户号"].drop_nulls().str.strip_chars()) for file in files]
    assert sum(map(len, named)) == len(set.union(*named))


def _rejects(found: pl.DataFrame) -> list[tuple[int, str | None, list[str]]]:
    return [(row["row"], row["subscriber"], row["rejected"]) for row in found.iter_rows(named=True)]


def _example() -> Any:
    import importlib.util

    spec = importlib.util.spec_from_file_location("spark_campaign", ROOT / "examples" / "spark_campaign.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
