"""What is asked for, and what a campaign is answered as."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.parameters import Worded
from app.engine.vocabulary import Channel
from app.engine.vocabulary.model import Model
from app.engine.vocabulary.types import Code, Flag, Instant, Reader
from app.record.campaigns.jobs import Done, Job, JobState

LARGEST_PART = 200_000
_NAME = r"^[^/\\\x00-\x1f\x7f]+(/[^/\\\x00-\x1f\x7f]+)*$"
FileName = Annotated[
    str,
    Field(pattern=_NAME, max_length=200),
    Worded("a name in the folder of campaigns, such as customers.csv or november/customers.csv, of at most 200 characters"),
]
Layout = Literal["action", "subscriber"]
Form = Literal["parquet", "csv", "ndjson"]
Mode = Literal["live", "what_if"]


class CampaignRequest(Model):
    """A campaign to be run: files by their names in the folder that the service shares with whoever hands them over."""

    input: Annotated[FileName, Field(description="A .parquet, .csv or .ndjson file, or a folder with files of one kind.")]
    mapping: Annotated[FileName | None, Field(description="Which column is which fact. NDJSON takes none, the others need one.")] = None
    limits: Annotated[FileName | None, Field(description="What may be spent, and whom there are hands to contact.")] = None
    lists: Annotated[Flag, Field(description="With lists for local teams, in `lists` beside what comes of it.")] = False
    watch: Annotated[Flag, Field(description="Watch signals and tiers from run to run of the name.")] = False
    name: Annotated[Code | None, Field(description="What the runs have in common that are compared. Left out, the input's name.")] = None
    channel: Annotated[Channel | None, Field(description="On which the subscribers are met. Left out, the mapping's.")] = None
    contact_at: Annotated[Instant | None, Field(description="When they will be contacted. Left out, now.")] = None
    per: Annotated[Layout, Field(description="A row for each action on a list, or one for each subscriber.")] = "action"
    form: Annotated[Form, Field(description="Of the decisions that are handed back.")] = "parquet"
    size: Annotated[
        Annotated[int, Reader.whole("", 1, LARGEST_PART)],
        Field(description="Rows that are decided, and go on the record, together. Others have their turn between."),
    ] = 50_000
    locale: Annotated[Literal["zh-CN", "en"] | None, Field(description="Of texts and report. Left out, the mapping's, or zh-CN.")] = None
    mode: Annotated[Mode, Field(description="`what_if` leaves nothing on the record.")] = "live"
    agent: Annotated[Code | None, Field(description="The code of who asks, where a person does.")] = None


@dataclass(frozen=True, slots=True)
class CampaignAsked:
    """What was asked for."""

    input: str
    mapping: str | None
    limits: str | None
    lists: bool
    watch: bool
    channel: str | None
    contact_at: datetime.datetime | None
    per: Layout
    form: Form
    size: int
    locale: str | None


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """How far a campaign is.

    `share` is how much of the input's bytes was read, from 0 to 1, null before a worker looked at it. `seconds` went into it, without the
    turns of others; `per_second` rows in each of them. `seconds_left` is what it still takes, null unless it is running.
    """

    rows: int
    decided: int
    rejected: int
    share: float | None
    seconds: float
    per_second: float | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class CampaignFailure:
    """Why a campaign failed: a word for programs, and a sentence that says what to do."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it stands. `recorded_as` is the id of what opened it on the record, once that is there; a what-if has none.

    `cancelled_by` has asked that it be cancelled: it ends with the part that it is at. `links` has what there is to be had.
    """

    id: str
    name: str
    state: JobState
    mode: Mode
    asked: CampaignAsked
    caller: str
    agent: str | None
    pack: str
    accepted_at: str
    begun_at: str | None
    ended_at: str | None
    cancelled_by: str | None
    recorded_as: str | None
    progress: CampaignProgress
    problem: CampaignFailure | None
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Campaigns, newest first; `next` begins the next page."""

    campaigns: list[Campaign]
    next: str | None


def told(job: Job) -> Campaign:
    """A job as it is answered."""
    wanted, asked = job.commissioned, job.commissioned.asked
    return Campaign(
        id=job.id,
        name=wanted.name,
        state=job.state,
        mode="what_if" if asked.get("what_if") else "live",
        asked=_asked(asked),
        caller=wanted.caller,
        agent=wanted.agent,
        pack=wanted.pack,
        accepted_at=job.at,
        begun_at=job.begun_at,
        ended_at=job.ended_at,
        cancelled_by=job.cancelled_by,
        recorded_as=job.campaign,
        progress=_progress(job.done, running=job.state == "running"),
        problem=None if job.problem is None or job.state != "failed" else CampaignFailure(job.problem["kind"], job.problem["detail"]),
        links=_links(job),
    )


def _asked(asked: Mapping[str, Any]) -> CampaignAsked:
    told: dict[str, Any] = {field.name: asked.get(field.name) for field in fields(CampaignAsked)}
    told |= {name: bool(told[name]) for name in ("lists", "watch")}
    return CampaignAsked(**told)


def _progress(done: Done, *, running: bool) -> CampaignProgress:
    share = min(1.0, done.consumed / done.size) if done.size else None
    rate = done.rows / done.worked if done.worked else None
    left = done.worked * (1 - share) / share if running and share else None
    return CampaignProgress(done.rows, done.decided, done.rejected, share, done.worked, rate and round(rate, 1), left and round(left, 1))


def _links(job: Job) -> dict[str, str]:
    here = f"/v1/campaigns/{job.id}"
    links = {"self": here}
    if job.state in ("waiting", "running", "failed"):
        links["cancel"] = f"{here}/cancel"
    if job.state == "failed" or (job.state == "cancelled" and job.campaign is None):
        links["resume"] = f"{here}/resume"
    if job.state in ("completed", "stopped"):
        links |= {name: f"{here}/{name}" for name in ("report", *(("decisions", "rejects") if job.cleared_at is None else ()))}
    return links
