"""What is done when everybody is decided: limits over everybody, on the record; lists for local teams; what is watched from run to run."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.aside import CONTENDING, GOING, PEOPLE, SIGNALS, SIGNS
from app.campaign.limits import CONTENDERS, Held, Limits, hold
from app.campaign.lists import team_list, write_lists
from app.campaign.output import as_they_are
from app.campaign.report.run import Limited
from app.campaign.watch import Day, Watch, groups_of, tier_limits
from app.record.campaigns.complaints import Reached
from app.record.campaigns.model import HeldEntry, HeldRows

if TYPE_CHECKING:
    from app.campaign.figures import Figures
    from app.campaign.output import Beside
    from app.campaign.part import Wanted
    from app.engine.pack import Pack
    from app.record.campaigns.campaign import Campaign


@dataclass(frozen=True, slots=True)
class Extras:
    """What a run does beside deciding.

    Attributes:
        limits: over everybody; none where nothing is limited.
        lists: where lists for local teams go; none where there are none.
        watch: where what is watched is kept; none where nothing is.
        begins: the first day on which people are contacted.
        day: of the run.
    """

    limits: Limits | None
    lists: Path | None
    watch: Path | None
    begins: datetime.date
    day: datetime.date


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a run beside its decisions.

    Attributes:
        held: what limits made of it; none where nothing is limited.
        stopped: whom campaigns of the name had reached when complaints stopped it; none where nothing did.
        lists: the files for local teams.
        watch: what was found of what is watched; none where nothing is, and of a run that was stopped.
    """

    held: Held | None = None
    stopped: Reached | None = None
    lists: tuple[Path, ...] = ()
    watch: Day | None = None

    @property
    def limited(self) -> Limited | None:
        """What limits came to beside what they held, for the report."""
        held, stopped = self.held, self.stopped
        if held is None:
            return None
        return Limited(held.given, held.cost, held.beyond, *(stopped or (None, None)))


def complained(name: str, limits: Limits | None, reached: Reached) -> str:
    """What puts the brake on, in a sentence.

    Args:
        name: of the campaign.
        limits: that have the brake.
        reached: whom campaigns of the name have reached.
    """
    brake = None if limits is None else limits.brake
    most = "" if brake is None else f", and the limit is {brake.complaints_per_10000:g} per 10,000"
    whom = f"of the {reached.contacted:,} people whom `{name}` has contacted {reached.complaints:,}"
    return f"{whom} complained about unsolicited selling{most}"


class Finishing:
    """The end of one run. Before each part it says whether complaints stop the campaign; `finish` does the rest, as often as wanted."""

    def __init__(
        self, pack: Pack, wanted: Wanted, extras: Extras, campaign: Campaign | None = None, before: HeldEntry | None = None
    ) -> None:
        """
        Args:
            pack: what decides.
            wanted: what is handed back, with what parts keep aside.
            extras: what is done.
            campaign: on the record; left out, nothing goes there, and no complaint is known of.
            before: of a campaign that was closed already, what its limits made of it then.
        """
        self._pack, self._wanted, self._extras, self._campaign = pack, wanted, extras, campaign
        self._before = campaign.standing.held if campaign is not None else before
        self.found = Finished()

    def stopped(self) -> bool:
        """Do complaints stop the campaign? What the record says of an earlier end of it stands."""
        limits, campaign = self._extras.limits, self._campaign
        if self.found.stopped is not None:
            return True
        if limits is None or limits.brake is None:
            return False
        if self._before is not None:
            reached = self._before.stopped
        else:
            reached = None if campaign is None else campaign.reached()
        if reached is None or not limits.stopped(*reached):
            return False
        self.found = Finished(stopped=reached)
        return True

    def finish(self, figures: Figures) -> Beside:
        """Hold what does not fit, put that on the record, write lists, and look at what is watched.

        Args:
            figures: of the run, to which is added what was held.

        Returns:
            What puts the columns about limits beside the decisions.

        Raises:
            CampaignProblem: limits came to something else than is on the record.
            StoreError, OSError: something could not be kept.
        """
        extras, stopped = self._extras, self.stopped()
        contending = self._all(CONTENDING, CONTENDERS)
        held = hold(
            extras.limits or Limits(),
            contending,
            salt=self._pack.salt,
            braked=stopped,
            valid_days={action.id: action.valid_days for action in self._pack.actions},
        )
        if extras.limits is not None:
            figures.hold(held.counts, held.kept, held.emptied)
            self._record(extras.limits, held)
        lists = () if extras.lists is None or not figures.read else tuple(self._lists(extras.lists, held, contending))
        day = None if extras.watch is None or stopped else self._watched(extras.watch, held, contending)
        self.found = Finished(held if extras.limits is not None else None, self.found.stopped, lists, day)
        return as_they_are if extras.limits is None else _Columns(held.rows, self._wanted.layout).put

    def _all(self, name: str, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
        """What all parts kept aside under a name."""
        return pl.concat([pl.LazyFrame(schema=schema), *map(pl.scan_parquet, self._wanted.output.parts(name))])

    def _record(self, limits: Limits, held: Held) -> None:
        if self._campaign is None:
            return
        told = HeldRows(limits.digest, held.rows, held.kept, held.emptied, held.beyond, held.given, held.cost, self.found.stopped)
        self._campaign.hold(told)

    def _lists(self, folder: Path, held: Held, contending: pl.LazyFrame) -> list[Path]:
        """Lists of what goes out, in a folder for the day on which that begins."""
        output, language = self._wanted.output, self._wanted.language
        days = held.rows.lazy().filter(pl.col("day").is_not_null()).select("row", "rank", "day")
        teams = contending.select("row", "rank", "team")
        going = pl.scan_parquet(output.parts(GOING)).join(days, on=["row", "rank"]).join(teams, on=["row", "rank"]).drop("rank").collect()
        signs = pl.scan_parquet(output.parts(SIGNS)).join(going.lazy().select("row"), on="row", how="semi").collect()
        folder.mkdir(exist_ok=True, mode=0o700)
        rows = team_list(going, signs, self._pack, self._extras.begins, language)
        return write_lists(rows, folder / self._extras.begins.isoformat(), language)

    def _watched(self, folder: Path, held: Held, contending: pl.LazyFrame) -> Day:
        aside, output = self._wanted.aside, self._wanted.output
        watch = Watch(folder, self._extras.day, None if aside is None else aside.watched)
        for people, signals in zip(output.parts(PEOPLE), output.parts(SIGNALS), strict=True):
            watch.add(_Kept(pl.read_parquet(signals)), pl.read_parquet(people))
        groups = groups_of(held, contending.select("row", "action", "duty").collect())
        return watch.finish(groups, tier_limits(self._pack))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a part kept aside of its signals, for a watch."""

    signals: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Columns:
    """What limits made of each action, as columns beside the decisions: `day`, `held` and `limit`."""

    rows: pl.DataFrame
    layout: str
    _names: tuple[str, ...] = field(default=("day", "held", "limit"), init=False)

    def put(self, decisions: pl.LazyFrame) -> pl.LazyFrame:
        rows, schema = self.rows.lazy().rename({"cause": "held"}), decisions.collect_schema()
        if self.layout == "action":
            one = rows.select("row", pl.col("rank").cast(schema["rank"]), *self._names)
            return decisions.join(one, on=["row", "rank"], how="left", maintain_order="left")
        first = rows.filter(pl.col("rank") == 1).select("row", "held", "limit")
        goes = pl.col("day").is_not_null()
        both = rows.sort("row", "rank").group_by("row").agg(day=pl.col("day").min(), going=pl.col("action").filter(goes))
        found = decisions.join(first, on="row", how="left", maintain_order="left").join(both, on="row", how="left", maintain_order="left")
        empty = pl.lit([], pl.List(pl.String))
        return found.select(*schema, *self._names, pl.col("going").fill_null(empty))
