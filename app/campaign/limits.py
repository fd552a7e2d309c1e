"""Limits over everybody in a campaign: what does not fit is held with its cause, after ranking, and nothing of a decision is changed.

Actions are taken one after the other in a total order, so batches of any size in any order give the same result: what is owed before
care and care before offers, the higher score first, then subscriber and action by their ids. An action takes what it needs only where
everything it needs is there. What a subscriber gets goes out in one contact, on one day: the first action that fits makes it, and the
others ride along.

What is owed (a fix, a notice, what was asked for) is never held. It comes first, and counts: where it needs more than there is, it goes
out beyond the limit, and the result says how often.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self, get_args

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.campaign.problems import TableError
from app.engine.arbitration import DUTIES
from app.engine.pack.source import Source, read
from app.engine.problems import Place, Problem, nearest, shown
from app.engine.runtime import bucket
from app.engine.vocabulary import FACTS, Fact
from app.engine.vocabulary.words import Channel

if TYPE_CHECKING:
    from app.campaign.figures import DecidedFrames

Cause = Literal["brake", "control", "household", "budget", "capacity"]
OWED = "owed"
CONTENDERS: Mapping[str, pl.DataType] = {
    "row": pl.Int64(),
    "subscriber": pl.String(),
    "rank": pl.UInt8(),
    "action": pl.String(),
    "duty": pl.String(),
    "score": pl.Float64(),
    "concession": pl.Int64(),
    "channel": pl.String(),
    "team": pl.String(),
    "household": pl.String(),
}
"""What contends for what is limited: a row for each action on a list. This is what a run keeps until everybody is decided."""
_MOST_DAYS = 92
_SLICE = 200_000

Fen = Annotated[int, Field(ge=0, le=10**15)]
Few = Annotated[int, Field(ge=0, le=10**9)]
Named = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$")]


class LimitsError(Exception):
    """The limits cannot be used. `problems` holds every mistake found, by line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Part):
    """What a run may spend at most, in fen: given away as concessions, and paid for contacts.

    The order is cut where the next would not fit: nobody further down gets what somebody further up did not.
    """

    concession: Fen | None = None
    cost: Fen | None = None


class Capacity(_Part):
    """How many contacts a day there is room for: on a channel or on all, of one team, of each team or of all together."""

    channel: str | None = None
    team: str | None = None
    per_day: Few | None = None
    per_team_and_day: Few | None = None

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if (self.per_day is None) == (self.per_team_and_day is None):
            raise ValueError("exactly one of `per_day` and `per_team_and_day` says how much room there is")
        if self.team is not None and self.per_day is None:
            raise ValueError("`team` names one team, and `per_team_and_day` is for each; keep one of them")
        return self

    @property
    def room(self) -> int:
        """Contacts a day."""
        return (self.per_day if self.per_day is not None else self.per_team_and_day) or 0

    @property
    def name(self) -> str:
        """How results call it: `outbound_call`, `outbound_call/team`, `all/haidian`."""
        team = "/team" if self.per_team_and_day is not None else f"/{self.team}" if self.team is not None else ""
        return f"{self.channel or 'all'}{team}"


class Household(_Part):
    """How many contacts a household gets in a run; `fact` says whose household it is."""

    fact: str
    contacts: Annotated[int, Field(ge=1, le=100)] = 1


class Brake(_Part):
    """When complaints about unsolicited selling stop a campaign: more than so many per 10,000 contacted, once `after` were."""

    complaints_per_10000: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
    after: Annotated[int, Field(ge=1, le=10**9)] = 1000


class Control(_Part):
    """Who is held out for comparison: so many of a hundred, drawn by the pack's salt, this name and the subscriber's id.

    Held out are only those whom the other limits would have let go, so that they compare with those contacted. They take no room.
    """

    name: Named
    percent: Annotated[int, Field(ge=1, le=50)]


class _Document(_Part):
    budget: Budget = Budget()
    cost: dict[str, Fen] = {}
    capacity: list[Capacity] = []
    days: Annotated[int, Field(ge=1, le=_MOST_DAYS)] = 1
    team: str | None = None
    number: str | None = None
    household: Household | None = None
    brake: Brake | None = None
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a campaign, checked.

    Attributes:
        budget: what may be spent.
        cost: of a contact, in fen, by channel.
        capacity: room for contacts.
        days: over how many days the contacts of a run may be spread.
        team: the fact that says which local team a subscriber belongs to.
        number: the fact that has the number by which a local team knows a subscriber; lists show it masked.
        household: how many contacts a household gets.
        brake: when complaints stop the campaign.
        control: who is held out.
        digest: SHA-256 of the file, for the record.
    """

    budget: Budget = field(default_factory=Budget)
    cost: Mapping[str, int] = field(default_factory=dict)
    capacity: tuple[Capacity, ...] = ()
    days: int = 1
    team: str | None = None
    number: str | None = None
    household: Household | None = None
    brake: Brake | None = None
    control: Control | None = None
    digest: str = ""

    def stopped(self, contacted: int, complaints: int) -> bool:
        """Whether complaints stop the campaign.

        Args:
            contacted: people it has contacted so far.
            complaints: those of them who complained about unsolicited selling.
        """
        if self.brake is None or contacted < self.brake.after:
            return False
        return complaints * 10_000 > self.brake.complaints_per_10000 * contacted


def load_limits(path: Path, custom: Mapping[str, Fact] | None = None) -> Limits:
    """Read and check a file of limits.

    Args:
        path: the file.
        custom: an operator's own facts by name, as the pack types them.

    Raises:
        TableError: it cannot be read.
        LimitsError: with every mistake found.
    """
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise TableError(f"`{path}` is a folder, not a file of limits") from None
    except OSError as error:
        raise TableError(f"cannot read `{path}`: {(error.strerror or 'unknown error').lower()}") from None
    source, problems = read(str(path), content)
    if source is None:
        raise LimitsError(problems)
    if not isinstance(source.data, dict):
        raise LimitsError(
            [Problem(source.place(), "schema", "the file is not a mapping", "it holds keys such as `budget:` and `capacity:`")]
        )
    try:
        document = _Document.model_validate(source.data)
    except ValidationError as error:
        raise LimitsError([_schema_problem(source, detail) for detail in error.errors(include_url=False)]) from None
    if found := [*_checks(source, document, {**FACTS, **(custom or {})})]:
        raise LimitsError(found)
    given = {name: getattr(document, name) for name in type(document).model_fields}
    return Limits(**{**given, "capacity": tuple(document.capacity)}, digest=f"sha256:{hashlib.sha256(content).hexdigest()}")


def _checks(source: Source, document: _Document, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    channels = get_args(Channel)
    named: list[tuple[Place, str]] = [(source.key_place("cost", name), name) for name in document.cost]
    for place, rule in enumerate(document.capacity):
        named += [(source.place("capacity", place, "channel"), rule.channel)] if rule.channel is not None else []
    for where, name in named:
        if name not in channels:
            yield Problem(where, "channel", f"unknown channel {shown(name)}", nearest(name, channels))
    if document.team is not None:
        yield from _fact_problems(source.place("team"), document.team, facts)
    if document.number is not None:
        yield from _fact_problems(source.place("number"), document.number, facts)
    if document.household is not None:
        yield from _fact_problems(source.place("household", "fact"), document.household.fact, facts)
    for place, rule in enumerate(document.capacity):
        if (rule.team is not None or rule.per_team_and_day is not None) and document.team is None:
            message = "a limit for teams needs to know which team a subscriber belongs to"
            yield Problem(source.place("capacity", place), "team", message, "name the fact that says so, as in `team: account.grid`")
        if rule.name in [other.name for other in document.capacity[:place]]:
            message = f"there is a limit for `{rule.name}` already"
            yield Problem(source.place("capacity", place), "twice", message, "keep one of them")
    if document.budget.cost is not None and not document.cost:
        message = "a budget for contacts needs to know what they cost"
        yield Problem(source.place("budget", "cost"), "cost", message, "write it by channel, as in `cost: {outbound_call: 350}`")


def _fact_problems(place: Place, name: str, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    fact = facts.get(name)
    if fact is None:
        yield Problem(place, "fact", f"unknown fact {shown(name)}", nearest(name, facts))
    elif fact.kind not in ("text", "enum"):
        yield Problem(place, "fact", f"`{name}` is a {fact.kind}, and what tells groups apart is a text")


def _schema_problem(source: Source, detail: Any) -> Problem:
    location = tuple(step for step in detail["loc"] if step != "[key]")
    last = str(location[-1]) if location else "the file"
    if detail["type"] == "extra_forbidden":
        return Problem(source.key_place(*location), "schema", f"unknown key {shown(last)}", nearest(last, _keys(location)))
    name = ".".join(map(str, location)) or "the file"
    if detail["type"] == "missing":
        return Problem(source.place(*location), "schema", f"`{name}` is missing")
    told = detail["msg"].removeprefix("Value error, ")
    return Problem(source.place(*location), "schema", f"`{name}`: {told[:1].lower()}{told[1:]}")


def _keys(location: tuple[str | int, ...]) -> list[str]:
    parts: Mapping[str, type[_Part]] = {
        "budget": Budget,
        "capacity": Capacity,
        "household": Household,
        "brake": Brake,
        "control": Control,
    }
    return [*(parts.get(str(location[0]), _Document) if len(location) > 1 else _Document).model_fields]


def contenders(decided: DecidedFrames, facts: pl.DataFrame, limits: Limits, channel: str | None = None) -> pl.DataFrame:
    """The actions of a batch as they contend for what is limited.

    Args:
        decided: the decisions of the batch.
        facts: the facts of the same subscribers; who has no team or household by them stands for nobody but themselves.
        limits: say which facts tell teams and households apart.
        channel: the run's channel, where it is not a fact of each subscriber.

    Returns:
        The columns of `CONTENDERS`, to be kept (as Parquet) until every batch is decided.
    """
    wanted = {"team": limits.team, "household": limits.household.fact if limits.household else None, "channel": "request.channel"}
    beside = facts.select(
        "i",
        "row",
        "subscriber",
        *(_column(facts, fact, name) for name, fact in wanted.items()),
    )
    rows = decided.ranked.select("i", "rank", "action", "duty", "score", "concession").join(beside, on="i", how="left")
    if channel is not None:
        rows = rows.with_columns(channel=pl.lit(channel))
    return rows.select(pl.col(name).cast(kind) for name, kind in CONTENDERS.items())


def _column(facts: pl.DataFrame, fact: str | None, name: str) -> pl.Expr:
    return (pl.col(fact) if fact is not None and fact in facts.columns else pl.lit(None, pl.String)).alias(name)


@dataclass(frozen=True, slots=True)
class Held:
    """What limits made of a run.

    Attributes:
        rows: `row`, `rank`, `action` of everything that contended, and the `day` (from 1) on which it goes out, or the `cause` and `limit`
            that hold it.
        counts: actions held, by action, cause and limit.
        kept: subscribers who keep something of their list.
        emptied: subscribers who lose all of it.
        beyond: contacts that are owed and went out beyond a limit, by limit.
        given: concessions of what goes out, in fen.
        cost: of the contacts, in fen.
    """

    rows: pl.DataFrame
    counts: Mapping[tuple[str, str, str], int]
    kept: int
    emptied: int
    beyond: Mapping[str, int]
    given: int
    cost: int


def hold(
    limits: Limits,
    contending: pl.DataFrame | pl.LazyFrame,
    *,
    salt: str,
    braked: bool = False,
    valid_days: Mapping[str, int] | None = None,
) -> Held:
    """Hold what does not fit.

    Args:
        limits: what there is.
        contending: the rows of `contenders` of every batch, in any order.
        salt: the pack's, which draws who is held out.
        braked: complaints have stopped the campaign (`Limits.stopped`): only what is owed goes out.
        valid_days: for how many days an action is good, by action; it does not go out later than that.
    """
    duty = pl.col("duty").replace_strict(DUTIES, return_dtype=pl.UInt8)
    order = contending.lazy().sort([duty, pl.col("score"), "subscriber", "action"], descending=[False, True, False, False]).collect()
    taking = _Taking(limits, braked, valid_days or {})
    for part in order.iter_slices(_SLICE):
        taking.take(part, _drawn(limits, part["subscriber"], salt))
    became = pl.DataFrame(
        {"day": taking.days, "cause": taking.causes, "limit": taking.limits},
        {"day": pl.UInt8, "cause": pl.String, "limit": pl.String},
    )
    rows = pl.concat([order.select("row", "rank", "action"), became], how="horizontal")
    lost = rows.group_by("row").agg(pl.col("day").count() == 0)["day"]
    counts = rows.filter(pl.col("cause").is_not_null()).group_by("action", "cause", "limit").len()
    return Held(
        rows=rows,
        counts=Counter({(action, cause, limit): count for action, cause, limit, count in counts.iter_rows()}),
        kept=int((~lost).sum()),
        emptied=int(lost.sum()),
        beyond=dict(sorted(taking.beyond.items())),
        given=taking.given,
        cost=taking.cost,
    )


def _drawn(limits: Limits, subscribers: pl.Series, salt: str) -> list[bool]:
    """Who is held out for comparison."""
    control = limits.control
    if control is None:
        return [False] * len(subscribers)
    return [bucket(salt, control.name, subscriber) < control.percent for subscriber in subscribers]


class _Full(NamedTuple):
    """Something that an action needs is not there: why, and which limit."""

    cause: Cause
    limit: str


class _Room(NamedTuple):
    """What is left of a capacity for those who share it, day by day; below zero where what is owed took more."""

    rule: Capacity
    left: list[int]


class _Taking:
    """Takes what is there, row by row in order, and notes for each the day it goes out or what holds it."""

    def __init__(self, limits: Limits, braked: bool, valid_days: Mapping[str, int]) -> None:
        self._all, self._valid = limits, valid_days
        self._brake = _Full("brake", "complaints") if braked else None
        self._drawn = _Full("control", limits.control.name) if limits.control else None
        self._home = _Full("household", limits.household.fact) if limits.household else None
        self._contact: dict[int, int] = {}
        self._households: Counter[str] = Counter()
        self._shared: dict[tuple[Capacity, str | None], _Room] = {}
        self._rooms: dict[tuple[str, str | None], tuple[_Room, ...]] = {}
        self._cut = {"concession": False, "cost": False}
        self.given = self.cost = 0
        self.beyond: Counter[str] = Counter()
        self.days: list[int | None] = []
        self.causes: list[str | None] = []
        self.limits: list[str | None] = []

    def take(self, part: pl.DataFrame, drawn: Sequence[bool]) -> None:
        """Go on with these rows; `drawn` says whose are held out for comparison."""
        columns = part.select("row", "action", "duty", "concession", "channel", "team", "household")
        for held_out, (row, action, duty, concession, channel, team, household) in zip(drawn, columns.iter_rows(), strict=True):
            owed = duty == OWED
            held_out = held_out and not owed
            full = None if owed else self._brake or self._afford("concession", concession, self.given, held_out)
            day = self._contact.get(row)
            if full is None:
                last = self._last(action)
                if day is None:
                    found = self._meet(owed, held_out, channel, team, household, last)
                    full, day = (found, None) if isinstance(found, _Full) else (None, found)
                elif day > last and not owed:
                    full = _Full("capacity", "valid_days")
                elif held_out:
                    full = self._drawn
            if full is None and day is not None:
                self._contact[row] = day
                self.given += concession
            self.days.append(day if full is None else None)
            self.causes.append(full and full.cause)
            self.limits.append(full and full.limit)

    def _last(self, action: str) -> int:
        """The last day on which an action may go out."""
        return max(min(self._all.days, self._valid.get(action, self._all.days)), 1)

    def _afford(self, what: Literal["concession", "cost"], amount: int, spent: int, held_out: bool) -> _Full | None:
        most = getattr(self._all.budget, what)
        if most is None or amount == 0 or (not self._cut[what] and spent + amount <= most):
            return None
        self._cut[what] = self._cut[what] or not held_out
        return _Full("budget", what)

    def _meet(self, owed: bool, held_out: bool, channel: str, team: str | None, household: str | None, last: int) -> int | _Full:
        """Take a contact: the day of it, or what holds it. Who is held out takes nothing."""
        cost, rule = self._all.cost.get(channel, 0), self._all.household
        met = rule is not None and household is not None and self._households[household] >= rule.contacts
        full = None if owed else (self._home if met else None) or self._afford("cost", cost, self.cost, held_out)
        if full is not None:
            return full
        rooms = self._rooms_for(channel, team)
        day = _first_day(rooms, last)
        if not owed and (day is None or held_out):
            return _Full("capacity", _fullest(rooms, last).rule.name) if day is None else self._drawn or _Full("control", "")
        if met and self._home is not None:
            self.beyond[self._home.limit] += 1
        if day is None:
            self.beyond[_fullest(rooms, last).rule.name] += 1
            day = max(range(last), key=lambda day: (min(room.left[day] for room in rooms), -day)) + 1
        for room in rooms:
            room.left[day - 1] -= 1
        if household is not None:
            self._households[household] += 1
        self.cost += cost
        return day

    def _rooms_for(self, channel: str, team: str | None) -> tuple[_Room, ...]:
        """What a contact of this kind needs room in."""
        if (channel, team) not in self._rooms:
            rules = [rule for rule in self._all.capacity if rule.channel in (None, channel) and rule.team in (None, team)]
            self._rooms[channel, team] = tuple(self._room(rule, team) for rule in rules)
        return self._rooms[channel, team]

    def _room(self, rule: Capacity, team: str | None) -> _Room:
        key = (rule, team if rule.per_team_and_day is not None else None)
        return self._shared.setdefault(key, _Room(rule, [rule.room] * self._all.days))


def _first_day(rooms: Sequence[_Room], last: int) -> int | None:
    """The first day on which all have room."""
    return next((day + 1 for day in range(last) if all(room.left[day] > 0 for room in rooms)), None)


def _fullest(rooms: Sequence[_Room], last: int) -> _Room:
    """The first that has no room on any of the days; where each has on some, the first of all."""
    return next((room for room in rooms if max(room.left[:last]) <= 0), rooms[0])
