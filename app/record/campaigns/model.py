"""What a campaign is recorded as: what it was opened with, its parts, and how it ended."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, NamedTuple

import polars as pl

from app import __version__
from app.engine.explain import Detail
from app.engine.vocabulary.choices import Choice
from app.record.campaigns.complaints import Reached

State = Literal["open", "completed", "cancelled", "stopped"]
Ending = Literal["completed", "cancelled", "stopped"]
OPENED: Final = "campaign_opened"
CHUNK: Final = "campaign_chunk"
CLOSED: Final = "campaign_closed"
HELD: Final = "campaign_held"
PLAIN: Mapping[str, Any] = {
    "stage": pl.String(),
    "phase": pl.String(),
    "moment": pl.String(),
    "empty_because": pl.String(),
    "actions": pl.List(pl.String()),
}
"""What a file has of each decision in columns of their own, beside row, id and subject, to be searched by."""
_SAME = ("name", "input", "pack", "mapping", "channel", "options")


def shared(opened: Mapping[str, Any]) -> dict[str, Any]:
    """What every entry of a campaign says of it, as that of its opening does."""
    return {name: opened[name] for name in ("caller", "role", "agent", "campaign", "channel", "pack") if name in opened}


@dataclass(frozen=True, slots=True)
class CampaignHead:
    """What a campaign is opened with: codes only.

    Attributes:
        name: as people call it; its contacts are told by it.
        channel: of its messages.
        pack: digest of what decides.
        input: SHA-256 of the input, `sha256:` and 64 digits.
        mapping: the same of the mapping file; none where columns are named as facts.
        rows: how many rows the input has; none where that is not known before.
        caller: who runs it, as callers are named.
        role: theirs.
        locale: language of the words.
        explain: how much of the reasons is told.
        agent: the code of the person who started it.
        options: what else decides of its decisions, as names and values.
    """

    name: str
    channel: str
    pack: str
    input: str
    caller: str
    mapping: str | None = None
    rows: int | None = None
    role: str = "campaign"
    locale: str = "zh-CN"
    explain: Detail = "summary"
    agent: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """What the entry of its opening says."""
        told = {**asdict(self), "campaign": self.name, "mode": "live", "history": "caller", "engine": __version__}
        del told["name"]
        return {name: value for name, value in told.items() if value not in (None, {})}

    def differences(self, opened: Mapping[str, Any]) -> list[str]:
        """Where it is another one than a campaign was opened with, by name.

        Args:
            opened: body of the entry of that campaign's opening.
        """
        mine = self.body()
        names = {"name": "campaign"}
        found = [name for name in _SAME if mine.get(names.get(name, name)) != opened.get(names.get(name, name))]
        return found + ([] if opened.get("engine") == __version__ else ["engine"])


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """A part of a campaign that was decided: rows of its input side by side.

    Attributes:
        first_row: number of its first row; the parts of a campaign follow each other, and the first begins with 1.
        last_row: number of its last row.
        rows: numbers of those that were decided, lowest first; the others were rejected.
        subscribers: the operator's id of each of them.
        bodies: what the envelope of each says, as canonical JSON, in binary: `body_of` or `Bodies` makes it.
        cases: the case of each, as JSON with its keys in order, or canonical, in binary.
        plain: the columns of `PLAIN`, a row each.
        choices: of those who chose something for good, by number of the row, what the case says of it, oldest first.
        counts: what they add to the anonymous daily counts: measure, what it is grouped by, number.
        conceded: the largest concession on each list, in the currency's smallest unit; left out, none. Who refuses what they were offered
            is conceded no more than that in the next decision.
    """

    first_row: int
    last_row: int
    rows: Sequence[int]
    subscribers: Sequence[str]
    bodies: pl.Series
    cases: pl.Series
    plain: pl.DataFrame
    choices: Mapping[int, tuple[Choice, ...]] = field(default_factory=dict)
    counts: Sequence[tuple[str, str, int]] = ()
    conceded: Sequence[int] = ()

    def wrong(self) -> str | None:
        """What does not fit together; none where everything does."""
        decided, lengths = len(self.rows), {len(self.subscribers), len(self.bodies), len(self.cases), self.plain.height}
        if lengths != {decided} or len(self.conceded) not in (0, decided):
            return f"{decided} rows have {' or '.join(map(str, sorted(lengths)))} subscribers, bodies, cases and columns"
        if self.last_row < self.first_row:
            return f"row {self.last_row} is before row {self.first_row}"
        ordered = all(before < after for before, after in zip(self.rows, self.rows[1:], strict=False))
        if self.rows and not (ordered and self.first_row <= self.rows[0] and self.rows[-1] <= self.last_row):
            return f"decided rows are not in order, or not within rows {self.first_row} to {self.last_row}"
        if self.plain.columns != list(PLAIN):
            return f"expected the columns {', '.join(PLAIN)}"
        return None


class Counts(NamedTuple):
    """Rows that were read, decided and rejected."""

    read: int = 0
    decided: int = 0
    rejected: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a campaign that is on the record.

    Attributes:
        entry_id: of its entry.
        number: from 1.
        first_row: of the input.
        last_row: of the input.
        counts: of its rows.
        root: the root over the leaves of its decisions (RFC 6962), in hexadecimal digits.
        file: SHA-256 of its file.
    """

    entry_id: str
    number: int
    first_row: int
    last_row: int
    counts: Counts
    root: str
    file: str

    def body(self, campaign: str, opened: Mapping[str, Any]) -> dict[str, Any]:
        """What its entry says.

        Args:
            campaign: the campaign's id.
            opened: what the entry of the campaign's opening says.
        """
        rows = {"number": self.number, "first_row": self.first_row, "last_row": self.last_row, **self.counts._asdict()}
        return {**shared(opened), "job": campaign, **rows, "root": f"sha256:{self.root}", "file": self.file}

    @classmethod
    def told(cls, entry_id: str, body: Mapping[str, Any]) -> Chunk:
        """As its entry says it.

        Raises:
            KeyError, TypeError, AttributeError: the entry says something else.
        """
        counts = Counts(body["read"], body["decided"], body["rejected"])
        root = body["root"].removeprefix("sha256:")
        return cls(entry_id, body["number"], body["first_row"], body["last_row"], counts, root, body["file"])


@dataclass(frozen=True, slots=True)
class HeldRows:
    """What limits over everybody made of a campaign, after all were decided: nothing of a decision is changed.

    Attributes:
        limits: SHA-256 of the file of limits.
        rows: the columns of `HELD_SCHEMA`, for each action on a list.
        kept: people who keep something of their list.
        emptied: people who lose all of it.
        beyond: contacts that are owed and go out beyond a limit, by limit.
        given: concessions of what goes out, in the currency's smallest unit.
        cost: of the contacts, in the same.
        stopped: whom campaigns of the name had reached when complaints stopped it; none where nothing did.
    """

    limits: str
    rows: pl.DataFrame
    kept: int
    emptied: int
    beyond: Mapping[str, int]
    given: int
    cost: int
    stopped: Reached | None = None

    def body(self, campaign: str, opened: Mapping[str, Any], file: str) -> dict[str, Any]:
        """What its entry says.

        Args:
            campaign: the campaign's id.
            opened: what the entry of the campaign's opening says.
            file: SHA-256 of the file with the rows.
        """
        told = {"limits": self.limits, "kept": self.kept, "emptied": self.emptied, "given": self.given, "cost": self.cost}
        beyond = dict(sorted(self.beyond.items()))
        return {
            **shared(opened),
            "job": campaign,
            **told,
            **held_counts(self.rows),
            "beyond": beyond,
            "stopped": None if self.stopped is None else self.stopped._asdict(),
            "file": file,
        }


def held_counts(rows: pl.DataFrame) -> dict[str, Any]:
    """What the rows of `HELD_SCHEMA` come to: how many actions there are, how many go out, and how many of each action each limit holds."""
    held = rows.filter(pl.col("cause").is_not_null()).group_by("cause", "limit", "action").len().sort("cause", "limit", "action")
    counts = [{"cause": cause, "limit": limit, "action": action, "count": count} for cause, limit, action, count in held.iter_rows()]
    return {"actions": rows.height, "going": rows.height - sum(item["count"] for item in counts), "held": counts}


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """What limits made of a campaign, on the record.

    Attributes:
        entry_id: of its entry.
        file: SHA-256 of the file with the rows.
        body: what the entry says.
    """

    entry_id: str
    file: str
    body: Mapping[str, Any]

    @property
    def stopped(self) -> Reached | None:
        """Whom campaigns of the name had reached when complaints stopped it; none where nothing did."""
        told = self.body.get("stopped")
        return None if told is None else Reached(**told)


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign as it stands.

    Attributes:
        id: of the campaign, and of the entry that opened it.
        at: when it was opened; the time of all its decisions.
        opened: what that entry says.
        state: how it ended, or that it is open.
        chunks: its parts, in order.
        held: what limits over everybody made of it; none where there are none, or not all is decided yet.
    """

    id: str
    at: datetime.datetime
    opened: Mapping[str, Any]
    state: State
    chunks: tuple[Chunk, ...]
    held: HeldEntry | None = None

    @property
    def counts(self) -> Counts:
        """Of all parts."""
        found = Counts()
        for chunk in self.chunks:
            found = found.plus(chunk.counts)
        return found

    @property
    def next_row(self) -> int:
        """The first row that no part has."""
        return self.chunks[-1].last_row + 1 if self.chunks else 1
