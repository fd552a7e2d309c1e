"""What the tests cover, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from app.cli.columns import table
from app.cli.testing.asked import Run
from app.workbench.suites.coverage import Coverage, Gap, percent


@dataclass(frozen=True)
class CoverageReport:
    """Coverage on its way to the terminal."""

    asked: Run
    covered: Coverage

    def parts(self) -> Iterator[object]:
        """The table by kind, then what is not covered, or how many."""
        asked, covered = self.asked, self.covered
        made = table(asked.say("coverage"), "", asked.say("covered"), asked.say("of"), "%", right=(1, 2, 3))
        for kind, (some, all_of_them) in covered.counts.items():
            made.add_row(asked.say(kind), f"{some:,}", f"{all_of_them:,}", self.share(some, all_of_them))
        made.add_row(
            asked.say("total"), f"{covered.covered:,}", f"{covered.parts:,}", self.share(covered.covered, covered.parts), style="bold"
        )
        yield made
        yield Text("")
        if asked.uncovered:
            yield from self.gaps()
        elif covered.gaps:
            yield Text(asked.say("gaps", f"{len(covered.gaps):,}"), style="dim")
            yield Text("")

    def share(self, some: int, all_of_them: int) -> Text:
        """A percentage, rounded down so that 100 is all of it."""
        value = percent(some, all_of_them)
        return Text(f"{int(value * 10) / 10:.1f}", style="green" if value >= 95 else "yellow" if value >= 80 else "red")

    def gaps(self) -> Iterator[Text]:
        """Everything that is not covered, a line each, with its place."""
        if self.covered.gaps:
            yield Text(self.asked.say("uncovered"), style="bold")
        for gap in self.covered.gaps:
            yield (
                Text(f"{gap.place.file}:{gap.place.line}", style="dim")
                .append(f"  {gap_name(gap)}", style="none")
                .append(f"  {self.missing(gap)}", style="yellow")
            )
        yield Text("")

    def missing(self, gap: Gap) -> str:
        """What was not seen of a part."""
        return self.asked.say("and").join(self.asked.say(f"{gap.part.kind}.{aspect}") for aspect in gap.missing)


def gap_name(gap: Gap) -> str:
    """A part as authors know it: `four_high.tariff severe`, `data_pack not_already`."""
    return " ".join(word for word in (gap.part.owner, gap.part.name) if word)


def coverage_json(covered: Coverage) -> dict[str, object]:
    """Coverage by kind, and every part that is not covered."""
    return {
        "percent": round(covered.percent, 2),
        "kinds": {kind: {"covered": some, "of": parts} for kind, (some, parts) in covered.counts.items()},
        "uncovered": [
            {
                "kind": gap.part.kind,
                "owner": gap.part.owner,
                "name": gap.part.name,
                "file": gap.place.file,
                "line": gap.place.line,
                "missing": list(gap.missing),
            }
            for gap in covered.gaps
        ],
    }
