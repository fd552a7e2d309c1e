"""Watching signals and tiers from run to run: how many carry each, who came and who went, and whether care did any good.

Between runs the folder keeps, of people who carry a watched signal and of nobody else, that they do. They stand there as the first half
of an HMAC-SHA-256 of their id under a key of the folder's own. A plain hash would not do: ids are few enough to try them all. Whoever
takes the key away makes the rest of the folder counts of nobody; `forget` takes out one person. Ids leave in the lists of those who came
and went only, which are made from the input of the run and kept nowhere here.
"""

from __future__ import annotations

import datetime
import hmac
import os
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import orjson
import polars as pl

from app.campaign.intervals import difference
from app.campaign.problems import TableError
from app.engine.terms import LEVELS

if TYPE_CHECKING:
    from app.campaign.limits import Held
    from app.engine.pack import Pack

Group = Literal["contacted", "control"]
FORM = 1
_TOKEN = 16
_KEY = "key"
_KEPT = {"who": pl.Binary(), "signal": pl.String(), "level": pl.String(), "group": pl.String()}
_SEEN = {"who": pl.Binary(), "subscriber": pl.String(), "tier": pl.String(), "region": pl.String()}
_CARRIED = {**_SEEN, "row": pl.Int64(), "signal": pl.String(), "level": pl.String()}
_CUBE = ("signal", "level", "tier", "region")


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched: signals of which groups (`four_high` is every `four_high.…`), and by which facts they are told apart."""

    groups: tuple[str, ...] = ("four_high", "vip")
    tier: str = "vip.tier"
    region: str = "account.city"

    def covers(self) -> pl.Expr:
        """Whether a signal is watched."""
        return pl.col("signal").str.split(".").list.first().is_in(list(self.groups))


@dataclass(frozen=True, slots=True)
class Effect:
    """Whether care did any good: of people who carried a signal in the last run, of how many it is gone.

    Attributes:
        signal: which.
        contacted: how many of those contacted then are in this run.
        contacted_gone: of how many of them it is gone.
        control: how many of those held out then are in this run.
        control_gone: of how many of them it is gone.
        interval: in which the difference of the two shares lies, at 95 %; none where a group is empty.
    """

    signal: str
    contacted: int
    contacted_gone: int
    control: int
    control_gone: int
    interval: tuple[float, float] | None

    @property
    def difference(self) -> float | None:
        """By how much more often it is gone where somebody cared."""
        if not self.contacted or not self.control:
            return None
        return self.contacted_gone / self.contacted - self.control_gone / self.control

    @property
    def verdict(self) -> Literal["works", "harms", "unclear"]:
        """What the interval allows to say."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return "unclear"
        return "works" if self.interval[0] > 0 else "harms"


@dataclass(frozen=True, slots=True)
class TierShare:
    """How many hold a tier, of all whose tier is known, against the limit of the pack where it has one."""

    tier: str
    subscribers: int
    share: float
    limit: float | None

    @property
    def over(self) -> bool:
        """Whether more hold it than should."""
        return self.limit is not None and self.share > self.limit


@dataclass(frozen=True, slots=True)
class SignalMoves:
    """How the carriers of a signal moved since the last run.

    `entered` did not carry it then, `left` do not now, `unseen` carried it and are not in this input; `worse` and `better` are on another
    level. All are 0 in a first run.
    """

    signal: str
    levels: Mapping[str, int]
    before: int
    entered: int
    left: int
    unseen: int
    worse: int
    better: int

    @property
    def subscribers(self) -> int:
        """How many carry it."""
        return sum(self.levels.values())


@dataclass(frozen=True, slots=True)
class Day:
    """What a run found.

    Attributes:
        day: of the run.
        since: the day of the run it is compared with; none in a first one.
        subscribers: how many were decided.
        signals: how each moved, most carriers first.
        tiers: their shares, largest first.
        effects: of care, by signal; empty in a first run, and where nobody was held out.
        cube: `signal`, `level`, `tier`, `region`, `subscribers`.
        moves: `subscriber`, `tier`, `region`, `signal`, `before` and `now` (levels, null for none), of everybody in this input who moved.
    """

    day: datetime.date
    since: datetime.date | None
    subscribers: int
    signals: tuple[SignalMoves, ...]
    tiers: tuple[TierShare, ...]
    effects: tuple[Effect, ...]
    cube: pl.DataFrame
    moves: pl.DataFrame

    def as_json(self) -> dict[str, Any]:
        """The day as JSON values, about nobody in particular."""
        return {
            "form": FORM,
            "day": self.day.isoformat(),
            "since": self.since and self.since.isoformat(),
            "subscribers": self.subscribers,
            "signals": [
                {"signal": one.signal, "subscribers": one.subscribers, "levels": dict(one.levels)}
                | {name: getattr(one, name) for name in ("before", "entered", "left", "unseen", "worse", "better")}
                for one in self.signals
            ],
            "tiers": [
                {"tier": one.tier, "subscribers": one.subscribers, "share": one.share, "limit": one.limit, "over": one.over}
                for one in self.tiers
            ],
            "effects": [
                {"signal": one.signal, "contacted": one.contacted, "contacted_gone": one.contacted_gone, "control": one.control}
                | {"control_gone": one.control_gone, "difference": one.difference, "interval": one.interval, "verdict": one.verdict}
                for one in self.effects
            ],
        }


class Signals(Protocol):
    """The signals of a batch."""

    @property
    def signals(self) -> pl.DataFrame:
        """A row for each signal that holds: `i`, `signal`, `level`."""


class Watch:
    """A run's look at what is watched, filled batch by batch."""

    def __init__(self, folder: Path, day: datetime.date, watched: Watched | None = None) -> None:
        """Open a folder, or begin one.

        Args:
            folder: of one campaign; is made where it is not there.
            day: of the run. Run again on the same day, it takes the place of what the day had.
            watched: what is watched.

        Raises:
            TableError: the folder is not one of these.
            OSError: it cannot be read or written.
        """
        self._folder, self.day, self._watched = folder, day, watched or Watched()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._key = _key(folder)
        self.since = max((earlier for earlier in _days(folder) if earlier < day), default=None)
        self._before = _flags(folder, self.since)
        self._known = self._before.select(pl.col("who").unique())
        self._carried = [pl.DataFrame(schema=_CARRIED)]
        self._seen = [pl.DataFrame(schema=_SEEN)]
        self._tiers: Counter[str] = Counter()
        self._subscribers = 0

    def add(self, decided: Signals, facts: pl.DataFrame) -> None:
        """Look at a batch: its signals, and the facts of the same subscribers."""
        people = facts.select(
            "i",
            "row",
            "subscriber",
            _fact(facts, self._watched.tier, "tier"),
            _fact(facts, self._watched.region, "region"),
            who=pl.Series([_token(self._key, one) for one in facts["subscriber"]], dtype=pl.Binary),
        )
        self._subscribers += people.height
        self._tiers.update(dict(people.drop_nulls("tier").group_by("tier").len().iter_rows()))
        carried = decided.signals.filter(self._watched.covers()).join(people, on="i", how="inner")
        self._carried.append(carried.select(pl.col(name).cast(kind) for name, kind in _CARRIED.items()))
        seen = people.join(self._known, on="who", how="semi")
        self._seen.append(seen.select(pl.col(name).cast(kind) for name, kind in _SEEN.items()))

    def finish(self, groups: pl.DataFrame | None = None, limits: Mapping[str, float] | None = None) -> Day:
        """What the run found, written down in the folder.

        Args:
            groups: `row` and `group` (`contacted` or `control`) of those who count for the effect of care next time (`groups_of`).
            limits: the largest share of each tier (`tier_limits`).

        Raises:
            OSError: it cannot be written.
        """
        carried, seen = pl.concat(self._carried), pl.concat(self._seen)
        moves = _moves(self._before, carried, seen)
        day = Day(
            self.day,
            self.since,
            self._subscribers,
            self._signals(carried, moves) if self.since else _first(carried),
            self._shares(limits or {}),
            _effects(self._before, carried, seen),
            carried.group_by(_CUBE).agg(subscribers=pl.len().cast(pl.Int64)).sort(_CUBE, nulls_last=True),
            moves.filter(pl.col("subscriber").is_not_null()).select("subscriber", "tier", "region", "signal", "before", "now"),
        )
        self._write(day, _kept(carried, groups))
        return day

    def _signals(self, carried: pl.DataFrame, moves: pl.DataFrame) -> tuple[SignalMoves, ...]:
        before = Counter(dict(self._before.group_by("signal").len().iter_rows()))
        moved: Counter[tuple[str, str]] = Counter({(a, b): n for a, b, n in moves.group_by("signal", "what").len().iter_rows()})
        found = {one.signal: one.levels for one in _first(carried)}
        made = [
            SignalMoves(name, found.get(name, {}), before[name], *(moved[name, what] for what in _WHAT))
            for name in sorted({*found, *before})
        ]
        return tuple(sorted(made, key=lambda one: (-one.subscribers, one.signal)))

    def _shares(self, limits: Mapping[str, float]) -> tuple[TierShare, ...]:
        known = self._tiers.total()
        tiers = sorted(self._tiers.items(), key=lambda item: (-item[1], item[0]))
        return tuple(TierShare(tier, count, count / known, limits.get(tier)) for tier, count in tiers)

    def _write(self, day: Day, kept: pl.DataFrame) -> None:
        """The pair of figures and what the next run compares with; nothing older is needed."""
        _put(self._folder / f"{day.day}.parquet", day.cube.with_columns(day=pl.lit(day.day)))
        _put(self._folder / f"{day.day}.json", orjson.dumps(day.as_json(), option=orjson.OPT_INDENT_2))
        _put(_flag_file(self._folder, day.day), kept)
        for earlier in _days(self._folder):
            if self.since is not None and earlier < self.since:
                _flag_file(self._folder, earlier).unlink()


_WHAT = ("entered", "left", "unseen", "worse", "better")


def groups_of(held: Held, contending: pl.DataFrame) -> pl.DataFrame:
    """Who counts for the effect of care: those for whom something goes out that is not owed, and those held out for comparison.

    Args:
        held: what limits made of the run.
        contending: the rows it was made of.

    Returns:
        `row` and `group`.
    """
    offered = held.rows.join(contending.select("row", "action", "duty"), on=("row", "action")).filter(pl.col("duty") != "owed")
    drawn = offered.filter(cause="control").select("row").unique().with_columns(group=pl.lit("control"))
    met = offered.filter(pl.col("day").is_not_null()).select("row").unique().join(drawn, on="row", how="anti")
    return pl.concat([met.with_columns(group=pl.lit("contacted")), drawn]).sort("row")


def tier_limits(pack: Pack, prefix: str = "param.vip_share_") -> dict[str, float]:
    """The largest share of each tier, as the parameters of a pack have them: the tier is what follows the prefix."""
    return {name.removeprefix(prefix): float(value) for name, value in pack.constants.items() if name.startswith(prefix)}


def check_watch(folder: Path) -> None:
    """See that a folder is one of these.

    Raises:
        TableError: it is not.
        OSError: it cannot be read.
    """
    _key(folder, begin=False)


def forget(folder: Path, subscriber: str) -> int:
    """Take a person out of a folder: in how many runs that are kept they stood.

    Raises:
        TableError: the folder is not one of these.
        OSError: it cannot be read or written.
    """
    token, found = _token(_key(folder, begin=False), subscriber), 0
    for day in _days(folder):
        flags = _flags(folder, day)
        left = flags.filter(pl.col("who") != token)
        if left.height < flags.height:
            found += 1
            _put(_flag_file(folder, day), left)
    return found


def _moves(before: pl.DataFrame, carried: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Everybody who carried a signal then or does now, and not on the same level; `what` became of them."""
    now = carried.select("who", "signal", "level", "subscriber", "tier", "region")
    both = before.select("who", "signal", before="level").join(now, on=("who", "signal"), how="full", coalesce=True)
    both = both.join(seen, on="who", how="left", suffix="_seen")
    named = {name: pl.coalesce(name, f"{name}_seen") for name in ("subscriber", "tier", "region")}
    rank = {name: place for place, name in enumerate(LEVELS)}
    then, since = (pl.col(name).replace_strict(rank, default=-1, return_dtype=pl.Int8) for name in ("before", "level"))
    what = (
        pl.when(pl.col("before").is_null())
        .then(pl.lit("entered"))
        .when(pl.col("level").is_not_null())
        .then(pl.when(since > then).then(pl.lit("worse")).otherwise(pl.lit("better")))
        .when(pl.col("subscriber_seen").is_null())
        .then(pl.lit("unseen"))
        .otherwise(pl.lit("left"))
    )
    moved = both.filter(pl.col("before").ne_missing(pl.col("level"))).with_columns(what=what, **named)
    return moved.select("subscriber", "tier", "region", "signal", "before", now="level", what="what").sort(
        "signal", "subscriber", nulls_last=True
    )


def _first(carried: pl.DataFrame) -> tuple[SignalMoves, ...]:
    found: dict[str, dict[str, int]] = {}
    for name, level, count in carried.group_by("signal", "level").len().sort("signal", "level").iter_rows():
        found.setdefault(name, {})[level] = count
    made = [SignalMoves(name, levels, 0, 0, 0, 0, 0, 0) for name, levels in found.items()]
    return tuple(sorted(made, key=lambda one: (-one.subscribers, one.signal)))


def _effects(before: pl.DataFrame, carried: pl.DataFrame, seen: pl.DataFrame) -> tuple[Effect, ...]:
    """Of those who were in a group and are in this input: whose signal is gone."""
    followed = before.filter(pl.col("group").is_not_null()).join(seen.select("who"), on="who", how="semi")
    gone = followed.join(carried.select("who", "signal"), on=("who", "signal"), how="anti")
    of: Counter[tuple[str, str]] = Counter({(a, b): n for a, b, n in followed.group_by("signal", "group").len().iter_rows()})
    rid: Counter[tuple[str, str]] = Counter({(a, b): n for a, b, n in gone.group_by("signal", "group").len().iter_rows()})
    return tuple(_effect(name, of, rid) for name in sorted({name for name, _ in of}))


def _effect(name: str, of: Counter[tuple[str, str]], rid: Counter[tuple[str, str]]) -> Effect:
    counts = (rid[name, "contacted"], of[name, "contacted"], rid[name, "control"], of[name, "control"])
    interval = difference(*counts) if counts[1] and counts[3] else None
    return Effect(name, counts[1], counts[0], counts[3], counts[2], interval)


def _kept(carried: pl.DataFrame, groups: pl.DataFrame | None) -> pl.DataFrame:
    told = groups if groups is not None else pl.DataFrame(schema={"row": pl.Int64, "group": pl.String})
    joined = carried.join(told.select(pl.col("row").cast(pl.Int64), "group"), on="row", how="left")
    return joined.select(pl.col(name).cast(kind) for name, kind in _KEPT.items()).sort("who", "signal")


def _fact(facts: pl.DataFrame, fact: str, name: str) -> pl.Expr:
    return (pl.col(fact) if fact in facts.columns else pl.lit(None, pl.String)).cast(pl.String).alias(name)


def _token(key: bytes, subscriber: str) -> bytes:
    return hmac.digest(key, subscriber.encode(), "sha256")[:_TOKEN]


def _key(folder: Path, *, begin: bool = True) -> bytes:
    path = folder / _KEY
    if path.exists():
        key = path.read_bytes()
        if len(key) != 32:
            raise TableError(f"`{path}` is not the key of a watch folder")
        return key
    if not begin or any(_days(folder)):
        raise TableError(f"`{folder}` has no key: whom its flags are about cannot be told any more")
    _put(path, secrets.token_bytes(32))
    return path.read_bytes()


def _flag_file(folder: Path, day: datetime.date) -> Path:
    return folder / f"flags-{day}.parquet"


def _days(folder: Path) -> Sequence[datetime.date]:
    """The days of the runs whose flags are kept, earliest first."""
    found = []
    for path in folder.glob("flags-*.parquet"):
        try:
            found.append(datetime.date.fromisoformat(path.stem.removeprefix("flags-")))
        except ValueError:
            continue
    return sorted(found)


def _flags(folder: Path, day: datetime.date | None) -> pl.DataFrame:
    if day is None:
        return pl.DataFrame(schema=_KEPT)
    path = _flag_file(folder, day)
    try:
        return pl.read_parquet(path).select(pl.col(name).cast(kind) for name, kind in _KEPT.items())
    except pl.exceptions.PolarsError:
        raise TableError(f"`{path}` is not a file of a watch folder") from None


def _put(path: Path, content: bytes | pl.DataFrame) -> None:
    """Write a file whole or not at all, for the user of the service only."""
    draft = path.with_name(f".{path.name}.new")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as stream:
        if isinstance(content, pl.DataFrame):
            content.write_parquet(stream)
        else:
            stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
