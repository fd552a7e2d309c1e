"""Campaigns that the service runs: files by their names in the folder that is shared with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.client.asking import Ask, get, part, post, post_once, present, read_bytes

_PATH = "/v1/campaigns"


def commission(input: str, *, idempotency_key: str | None = None, **fields: Any) -> Ask[dict[str, Any]]:  # noqa: A002 - as the API has it
    """Have a campaign run; the answer says how it stands, and by which `id` it is looked after.

    Args:
        input: a file, or a folder of files of one kind.
        idempotency_key: names the request, so that asking again later commissions nothing new; left out, a new one.
        fields: `mapping`, `limits`, `lists`, `watch`, `name`, `channel`, `contact_at`, `per`, `form`, `size`, `locale`, `mode`, `agent`.

    Raises:
        WanliuError: something about it is wrong; `errors` says what.
        httpx.TransportError: nothing answers.
    """
    return post_once(_PATH, present(input=input, **fields), idempotency_key)


def campaigns(
    *, state: Sequence[str] | None = None, name: str | None = None, cursor: str | None = None, limit: int | None = None
) -> Ask[dict[str, Any]]:
    """Campaigns of one's own system, newest first; for compliance and operations, all. They are `campaigns` of the answer.

    Args:
        state: only in one of these, such as `running`.
        name: only runs of the campaign called so.
        cursor: `next` of the page before.
        limit: campaigns on a page.

    Raises:
        WanliuError: the role has none.
        httpx.TransportError: nothing answers.
    """
    return get(_PATH, state=None if state is None else list(state), name=name, cursor=cursor, limit=limit)


def campaign(campaign_id: str) -> Ask[dict[str, Any]]:
    """How a campaign stands: `state`, `progress`, and what there is to be had in `links`.

    Raises:
        WanliuError: there is no such campaign.
        httpx.TransportError: nothing answers.
    """
    return get(f"{_PATH}/{part(campaign_id)}")


def cancel_campaign(campaign_id: str) -> Ask[dict[str, Any]]:
    """Cancel a campaign. Where a worker is at it, it ends within the part that is being decided.

    Raises:
        WanliuError: there is no such campaign, or it ended already.
        httpx.TransportError: nothing answers; it may be cancelled.
    """
    return post(f"{_PATH}/{part(campaign_id)}/cancel", None)


def resume_campaign(campaign_id: str) -> Ask[dict[str, Any]]:
    """Go on with a campaign that failed, after the last part that is on the record.

    Raises:
        WanliuError: there is no such campaign, or it did not fail.
        httpx.TransportError: nothing answers; it may go on.
    """
    return post(f"{_PATH}/{part(campaign_id)}/resume", None)


def campaign_report(campaign_id: str) -> Ask[dict[str, Any]]:
    """What became of everybody, in counts.

    Raises:
        WanliuError: there is no such campaign, or it has not come to its end.
        httpx.TransportError: nothing answers.
    """
    return get(f"{_PATH}/{part(campaign_id)}/report", headers={"accept": "application/json"})


def campaign_report_page(campaign_id: str) -> Ask[bytes]:
    """The same for people: one HTML page that needs nothing else.

    Raises:
        WanliuError, httpx.TransportError: as `campaign_report`.
    """
    return replace(get(f"{_PATH}/{part(campaign_id)}/report", headers={"accept": "text/html"}), read=read_bytes)


def campaign_decisions(campaign_id: str) -> Ask[bytes]:
    """The decisions as a file, in the form that was asked for. The record notes who had it.

    Raises:
        WanliuError, httpx.TransportError: as `campaign_report`.
    """
    return replace(get(f"{_PATH}/{part(campaign_id)}/decisions"), read=read_bytes)


def campaign_rejects(campaign_id: str) -> Ask[bytes]:
    """The rows that could not be decided, a line of JSON for each.

    Raises:
        WanliuError, httpx.TransportError: as `campaign_report`.
    """
    return replace(get(f"{_PATH}/{part(campaign_id)}/rejects"), read=read_bytes)
