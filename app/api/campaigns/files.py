"""What came of a campaign: the report, the decisions, and the rows that could not be decided."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.responses import FileResponse, Response

from app.api.bodies import JSON, Refused
from app.api.calls import Admitted, Call
from app.api.campaigns.finding import CampaignId, job_of
from app.api.declaring import declared
from app.api.etags import known_by, tagged
from app.api.problems import problem
from app.campaign.jobs.places import Place
from app.record.campaigns.jobs import Job

HTML, NDJSON = "text/html", "application/x-ndjson"
MEDIA: Mapping[str, str] = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv", "ndjson": NDJSON}
"""By form, the content type of decisions."""
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_HEADERS = {
    "ETag": {"description": "Changes when the file does.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "How long it may be used without asking again.", "schema": {"type": "string"}},
}
_SAME = {"description": "It is as `If-None-Match` knows it.", "headers": _HEADERS}
_REPORT: dict[str, Any] = {
    JSON: {"schema": {"type": "object", "description": "What docs/campaigns.md tells of the report, for programs."}},
    HTML: {},
}

router = APIRouter()


@router.get(
    "/v1/campaigns/{campaign_id}/report",
    operation_id="readCampaignReport",
    summary="What became of everybody, in counts",
    response_description="The report: JSON or, where `Accept` asks for `text/html`, one page that needs nothing else.",
    **declared({200: {"content": _REPORT, "headers": _HEADERS}, 304: _SAME}, "not-found", "wrong-state"),
)
async def read_report(
    call: Admitted, campaign_id: CampaignId, accept: Annotated[str | None, Header(description="`text/html` for the page.")] = None
) -> Response:
    """Counts only, and nothing about any single subscriber; beside those of the last run of the same name."""
    _, place = await _ended(call, campaign_id)
    as_page = HTML in (accept or "")
    found = await _file(call, place.report("html" if as_page else "json"), f"{HTML}; charset=utf-8" if as_page else JSON)
    found.headers["vary"] = "Accept"
    return found


@router.get(
    "/v1/campaigns/{campaign_id}/decisions",
    operation_id="readCampaignDecisions",
    summary="The decisions of a campaign, as a file",
    response_description="The file, in the form that was asked for. The record notes who had it.",
    **declared({200: {"content": dict.fromkeys(MEDIA.values(), _BYTES), "headers": _HEADERS}, 304: _SAME}, "not-found", "wrong-state"),
)
async def read_decisions(call: Admitted, campaign_id: CampaignId) -> Response:
    """A row for each action on somebody's list, or for each subscriber, as was asked for."""
    job, place = await _standing(call, campaign_id)
    form = job.commissioned.asked["form"]
    found = await _file(call, place.decisions(form), MEDIA[form], f"{job.commissioned.name}.{form}")
    await _note(call, job, found)
    return found


@router.get(
    "/v1/campaigns/{campaign_id}/rejects",
    operation_id="readCampaignRejects",
    summary="The rows of a campaign that could not be decided",
    response_description="A line for each: its number, its line, and what is wrong with it. The record notes who had it.",
    **declared({200: {"content": {NDJSON: _BYTES}, "headers": _HEADERS}, 304: _SAME}, "not-found", "wrong-state"),
)
async def read_rejects(call: Admitted, campaign_id: CampaignId) -> Response:
    """Empty where every row was decided."""
    job, place = await _standing(call, campaign_id)
    found = await _file(call, place.rejects(job.commissioned.asked["form"]), NDJSON, f"{job.commissioned.name}.rejects.ndjson")
    await _note(call, job, found)
    return found


async def _ended(call: Call, campaign_id: str) -> tuple[Job, Place]:
    """A campaign that came to its end, and where its files are.

    Raises:
        Refused: there is no such campaign, or it has not.
    """
    job = await job_of(call, campaign_id)
    if job.state not in ("completed", "stopped"):
        raise Refused(problem("wrong-state", detail=f"the campaign is {job.state}; this is there when it is completed"))
    return job, Place(call.services.campaigns, job.id)


async def _standing(call: Call, campaign_id: str) -> tuple[Job, Place]:
    """As `_ended`, of one whose files about people are still there.

    Raises:
        Refused: there is no such campaign, it has not, or they are not.
    """
    job, place = await _ended(call, campaign_id)
    if job.cleared_at is not None:
        told = f"the files of this campaign were removed at {job.cleared_at}, when their time was over; the report is still there"
        raise Refused(problem("not-found", detail=told))
    return job, place


async def _file(call: Call, path: Path, media: str, name: str | None = None) -> Response:
    """A file as an answer.

    Raises:
        Refused: it was taken away.
    """
    try:
        state = await asyncio.to_thread(os.stat, path)
    except OSError:
        raise Refused(
            problem("not-found", detail="the file is not there any more: somebody took it out of the folder of campaigns")
        ) from None
    headers = tagged(f'"{state.st_mtime_ns:x}-{state.st_size:x}"')
    if known_by(call.request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, media_type=media, filename=name, stat_result=state)


async def _note(call: Call, job: Job, answer: Response) -> None:
    """Put on the record who has the decisions about people, before they have them."""
    if answer.status_code == 200:
        await call.note("campaign", of=job.campaign, found=job.done.decided)
