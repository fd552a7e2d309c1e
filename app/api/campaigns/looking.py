"""Looking after campaigns: which there are, and how far each is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.api.answers import as_json
from app.api.calls import Admitted
from app.api.campaigns.finding import OF_ALL, CampaignId, job_of
from app.api.campaigns.shapes import Campaign, Campaigns, told
from app.api.declaring import declared
from app.api.etags import kept_answer
from app.api.parameters import EntryId, Whole, Worded
from app.engine.vocabulary.types import Code
from app.record.campaigns.jobs import JobState, read_jobs

PAGE, LARGEST_PAGE = 20, 200
_ETAG = {
    "ETag": {"description": "Changes when the answer does.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "How long it may be used without asking again.", "schema": {"type": "string"}},
}
_SAME = {"description": "It is as `If-None-Match` knows it.", "headers": _ETAG}
Cursor = Annotated[EntryId, Worded("the `next` of the page before; leave it out to begin with the newest")]

router = APIRouter()


@router.get(
    "/v1/campaigns",
    operation_id="listCampaigns",
    summary="Campaigns that were commissioned",
    **declared({200: {"model": Campaigns, "headers": _ETAG}, 304: _SAME}),
)
async def list_campaigns(
    call: Admitted,
    state: Annotated[list[JobState] | None, Query(description="Only in one of these states.", max_length=6)] = None,
    name: Annotated[Code | None, Query(description="Only runs of the campaign called so.")] = None,
    limit: Annotated[int, Whole(1, LARGEST_PAGE), Query(description="Campaigns on a page.")] = PAGE,
    cursor: Annotated[Cursor | None, Query(description="`next` of the page before.")] = None,
) -> Response:
    """Newest first. A campaign engine sees those of its own system; compliance and operations see all."""
    system = None if call.caller.role in OF_ALL else call.caller.system
    found = await call.read(
        lambda connection: read_jobs(connection, states=state or (), name=name, system=system, before=cursor, most=limit + 1)
    )
    following = found[limit - 1].id if len(found) > limit else None
    return kept_answer(call.request, as_json(Campaigns([told(job) for job in found[:limit]], following)))


@router.get(
    "/v1/campaigns/{campaign_id}",
    operation_id="readCampaign",
    summary="How a campaign stands",
    **declared({200: {"model": Campaign, "headers": _ETAG}, 304: _SAME}, "not-found"),
)
async def read_campaign(call: Admitted, campaign_id: CampaignId) -> Response:
    """State, progress, and where to find what came of it. Ask every few seconds; nothing changes more often."""
    return kept_answer(call.request, as_json(told(await job_of(call, campaign_id))))
