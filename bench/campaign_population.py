"""Subscribers of a mass-market operator as Parquet, seeded: the population of `mixture.py`, spread over as many people as are wanted.

    python -m bench.campaign_population FOLDER [--n 1000000] [--seed 1] [--as-of 2026-11-20T10:00:00+08:00]

Some tens of thousands of people are made one by one, as the tests make them, and dated to one day; everybody else is like one of them
in what is amiss, and differs in figures, days, places and names. A longer population of a seed begins with the shorter one.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if sys.path[0] == str(ROOT / "bench"):  # in this folder `http` is not the standard library's
    sys.path[0] = str(ROOT)

from app.engine.pack import Pack, load_pack  # noqa: E402 - after the path that makes a script of this folder see the project
from bench.campaign_facts import AS_OF, mapping_text  # noqa: E402
from bench.campaign_people import Draw, people, prototype_people  # noqa: E402

PROTOTYPES = 20_000
"""People that are made one by one."""
PART = 100_000
"""Rows of a file."""


@dataclass(frozen=True, slots=True)
class Population:
    """Where a population is: a folder of Parquet files, and the mapping that says which column is which fact."""

    folder: Path
    mapping: Path

    @classmethod
    def at(cls, folder: Path) -> Population:
        """The population that is, or will be, in a folder."""
        return cls(folder / "rows", folder / "population.map.yaml")


def write_population(
    pack: Pack,
    folder: Path,
    n: int,
    *,
    seed: int = 1,
    as_of: datetime.datetime = AS_OF,
    prototypes: int = PROTOTYPES,
    part: int = PART,
    told: Callable[[int], None] = lambda _: None,
) -> Population:
    """Write a population, so many rows a file and no more in memory; the mapping last, when all of it is there.

    Args:
        pack: says which facts are the operator's own, and who has events that patterns look at.
        folder: is made; `rows/` in it gets the files.
        n: how many people.
        seed: of the population.
        as_of: when the figures hold.
        prototypes: how many of them are made one by one.
        part: rows of a file.
        told: is told how many are written.
    """
    population = Population.at(folder)
    population.folder.mkdir(parents=True, exist_ok=True)
    made = prototype_people(pack, seed, min(n, prototypes), as_of)
    for first in range(0, n, part):
        many = min(part, n - first)
        people(pack, made, Draw(seed, as_of.date()), first, many).write_parquet(population.folder / f"part-{first // part:05}.parquet")
        told(first + many)
    population.mapping.write_text(mapping_text(pack), encoding="utf-8")
    return population


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Writes a population of subscribers as Parquet, and its mapping.")
    parser.add_argument("folder", type=Path, help="is made")
    parser.add_argument("--n", type=int, default=1_000_000, help="subscribers")
    parser.add_argument("--seed", type=int, default=1, help="of the population")
    parser.add_argument("--as-of", type=datetime.datetime.fromisoformat, default=AS_OF, help=f"when the figures hold ({AS_OF.isoformat()})")
    options = parser.parse_args(arguments)
    made = write_population(load_pack(ROOT), options.folder, options.n, seed=options.seed, as_of=options.as_of, told=_tell)
    print(f"{made.folder} with {made.mapping}")


def _tell(written: int) -> None:
    print(f"{written:,} written", flush=True)


if __name__ == "__main__":
    main()
