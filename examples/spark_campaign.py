"""A campaign on Apache Spark: who is in a Parquet file, a CSV, or a folder of them, and what to do with each.

    pip install 'wanliu[spark]'                                  # and Java 17 or newer
    python examples/spark_campaign.py examples/customers.csv examples/customers.map.yaml decided
    spark-submit --master yarn examples/spark_campaign.py hdfs:///rows rows.map.yaml hdfs:///decided --pack /opt/wanliu

OUT gets two folders of Parquet: `decisions`, with the columns of `wanliu campaign run`, and `rejects`. Nothing goes on the record. For a
recorded campaign on several machines, `--split 20` writes the input as 20 files instead, all rows of a subscriber in one of them;
docs/scale.md goes on from there.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from app.campaign.mapping import load_mapping, own_facts
from app.campaign.spark import REJECTED, by_subscriber, decide_frame
from app.engine.pack import load_pack

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Decide, or split."""
    options = _options(arguments)
    frame = _read(_session(options.master), options.source)
    if options.split:
        mapping = load_mapping(options.mapping, own_facts(load_pack(options.pack)))
        by_subscriber(frame, mapping.document.subscriber, options.split).write.parquet(options.out)
        return
    decided = decide_frame(
        frame,
        pack=options.pack,
        mapping=options.mapping,
        at=options.at,
        numbered_by=options.numbered_by,
        per=options.per,
        partitions=options.partitions,
    ).persist()  # decided once, for both folders
    decided.where(f"{REJECTED} is null").drop(REJECTED).write.parquet(f"{options.out}/decisions")
    decided.where(f"{REJECTED} is not null").select("row", "subscriber", REJECTED).write.parquet(f"{options.out}/rejects")
    decided.unpersist()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Decides for everybody in a file on Apache Spark.")
    parser.add_argument("source", metavar="IN", help="Parquet, or CSV where the name ends in .csv; a file or a folder")
    parser.add_argument("mapping", metavar="MAPPING", type=Path, help="which column is which fact")
    parser.add_argument("out", metavar="OUT", help="the folder that is made")
    parser.add_argument("--pack", type=Path, default=ROOT, help="the folder with rules/ and policies/")
    parser.add_argument(
        "--at", type=datetime.datetime.fromisoformat, default=datetime.datetime.now(datetime.UTC), help="time of all decisions"
    )
    parser.add_argument("--numbered-by", help="the column with each row's number")
    parser.add_argument("--per", choices=("action", "subscriber"), default="action", help="a row for each")
    parser.add_argument("--partitions", type=int, help="how many; left out, as Spark is set. 250,000 rows each are well")
    parser.add_argument("--split", type=int, metavar="N", help="only write the input as N files, all rows of a subscriber in one of them")
    parser.add_argument("--master", default="local[2]", help="where Spark runs, unless spark-submit says it")
    return parser.parse_args(arguments)


def _session(master: str) -> SparkSession:
    """The session of spark-submit, or one of our own. Each process decides on one core: Spark has a process a core already."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    made = SparkSession.builder.config("spark.executorEnv.POLARS_MAX_THREADS", "1").config("spark.ui.showConsoleProgress", "false")
    return (made if "SPARK_ENV_LOADED" in os.environ else made.master(master)).getOrCreate()


def _read(spark: SparkSession, source: str) -> DataFrame:
    return spark.read.csv(source, header=True) if source.endswith(".csv") else spark.read.parquet(source)


if __name__ == "__main__":
    main()
