"""Campaigns as their callers find them: each their own system's, who oversees the service all of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from app.api.bodies import Refused
from app.api.calls import Call
from app.api.parameters import EntryId
from app.api.problems import problem
from app.record.callers import DEVELOPMENT
from app.record.campaigns.jobs import Job, read_job

OF_ALL = frozenset({"compliance", "operations", DEVELOPMENT})
"""Roles that see everybody's campaigns."""
CampaignId = Annotated[EntryId, Path(description="A campaign's `id`.")]


async def job_of(call: Call, campaign_id: str) -> Job:
    """The campaign with this id, where the caller may see it.

    Raises:
        Refused: there is none, or it is somebody else's.
    """
    return visible(call, await call.read(lambda connection: read_job(connection, campaign_id)))


def visible(call: Call, found: Job | None) -> Job:
    """A campaign that the caller may see.

    Raises:
        Refused: there is none, or it is somebody else's.
    """
    if found is None or (call.caller.role not in OF_ALL and found.commissioned.system != call.caller.system):
        raise Refused(problem("not-found", detail="no campaign has this id; `GET /v1/campaigns` lists those there are"))
    return found
