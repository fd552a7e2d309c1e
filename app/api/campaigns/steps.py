"""Cancelling a campaign, and having one gone on with."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from app.api.bodies import json_answer
from app.api.calls import Admitted
from app.api.campaigns.finding import CampaignId, job_of, visible
from app.api.campaigns.shapes import Campaign, told
from app.api.declaring import declared
from app.record.campaigns.jobs import cancel, resume

router = APIRouter()


@router.post(
    "/v1/campaigns/{campaign_id}/cancel",
    operation_id="cancelCampaign",
    summary="Cancel a campaign",
    response_description="As it stands. Where a worker is at it, it ends within the part that is being decided.",
    **declared(Campaign, "not-found", "wrong-state"),
)
async def cancel_campaign(call: Admitted, campaign_id: CampaignId) -> Response:
    """What was decided stays on the record, which says who cancelled the rest; what was to be handed back is taken away."""
    await job_of(call, campaign_id)
    who = call.caller.agent or call.caller.name
    found = await asyncio.to_thread(cancel, call.record.database, campaign_id, call.now(), who)
    return json_answer(told(visible(call, found)))


@router.post(
    "/v1/campaigns/{campaign_id}/resume",
    operation_id="resumeCampaign",
    summary="Go on with a campaign that failed",
    response_description="As it stands: a worker will go on with it.",
    **declared(Campaign, "not-found", "wrong-state"),
)
async def resume_campaign(call: Admitted, campaign_id: CampaignId) -> Response:
    """After the last part that is on the record, with the same pack; nothing is decided twice. One that was cancelled before it began
    begins.
    """
    await job_of(call, campaign_id)
    found = await asyncio.to_thread(resume, call.record.database, campaign_id)
    return json_answer(told(visible(call, found)))
