"""What the tests would not notice: changes tried, and told for people and for machines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.cli.columns import Columns, table
from app.cli.console import err
from app.cli.testing.asked import Run
from app.workbench.suites.bench import Bench
from app.workbench.suites.coverage import percent
from app.workbench.suites.mutants import Mutant
from app.workbench.suites.mutation import Mutation, Trial, Trying, summed, try_all

if TYPE_CHECKING:
    from app.workbench.suites.model import Test


def mutated(asked: Run, bench: Bench, files: Mapping[str, bytes], passing: Sequence[Test]) -> Mutation | None:
    """Try every change on the tests that pass; with `--run` the changes of what they speak of. A bar on terminals shows how far it is."""
    if not asked.mutate:
        return None
    trying = Trying(bench, passing)
    wanted = trying.mutants if asked.run is None else trying.narrowed()
    trials = _begun(try_all(trying, wanted, bench, files, asked.jobs))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = err()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        return summed(wanted, bar.track(trials, total=len(wanted), description=asked.say("trying")))


def _begun(trials: Iterator[Trial]) -> Iterator[Trial]:
    """The same, its processes started before the thread of the progress bar is."""
    first = next(trials, None)
    return iter(()) if first is None else chain((first,), trials)


@dataclass(frozen=True)
class MutationReport:
    """What the tests would not notice, on its way to the terminal."""

    asked: Run
    mutation: Mutation
    failed: int

    def parts(self) -> Iterator[object]:
        """Each change that no test noticed, then a table by kind."""
        asked, mutation = self.asked, self.mutation
        if not mutation.tried:
            yield Text(asked.say("no mutants"), style="dim")
            return
        if mutation.survivors:
            yield Text(asked.say("mutation"), style="bold")
        for (place, name), items in groupby(mutation.survivors, lambda item: (item.place, item.name)):
            changes = (", " if asked.language == "en" else "，").join(dict.fromkeys(self.change(item) for item in items))
            yield Text(f"{place.file}:{place.line}", style="dim").append(f"  {name}  ", style="none").append(changes, style="yellow")
        if mutation.survivors:
            yield Text("")
        yield self.table()
        yield Text("")
        if self.failed:
            yield Text(asked.say("left out", self.failed), style="red")

    def change(self, item: Mutant) -> str:
        """What was changed."""
        return self.asked.say("gone") if item.change == "gone" else item.change

    def table(self) -> Columns:
        """How many of each kind were not noticed."""
        asked, mutation = self.asked, self.mutation
        made = table(asked.say("mutation"), "", asked.say("survived"), asked.say("tried"), "%", right=(1, 2, 3))
        for kind, (tried, left) in mutation.counts.items():
            label = asked.say(kind if kind in ("parameter", "figure", "row") else f"gone.{kind}")
            made.add_row(label, f"{left:,}", f"{tried:,}", self.share(left, tried))
        left = len(mutation.survivors)
        made.add_row(asked.say("total"), f"{left:,}", f"{mutation.tried:,}", self.share(left, mutation.tried), style="bold")
        return made

    def share(self, left: int, tried: int) -> Text:
        """A percentage, rounded up so that 0 is none of it."""
        value = math.ceil(percent(left, tried) * 10) / 10
        return Text(f"{value:.1f}", style="green" if value < 10 else "yellow" if value < 30 else "red")


def mutation_json(mutation: Mutation) -> dict[str, object]:
    """How many changes of each kind were not noticed, and which."""
    return {
        "percent_not_noticed": round(mutation.percent, 2),
        "kinds": {kind: {"not_noticed": left, "tried": tried} for kind, (tried, left) in mutation.counts.items()},
        "not_noticed": [
            {
                "kind": item.kind,
                "name": item.name,
                "change": item.change,
                "file": item.place.file,
                "line": item.place.line,
                "column": item.place.column,
            }
            for item in mutation.survivors
        ],
    }
