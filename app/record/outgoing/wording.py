"""Events as CloudEvents 1.0, JSON, structured: what a CRM needs to open a case, and nothing of risk, worth or scores."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from app.record.outgoing.happened import Happened
from app.record.outgoing.model import DECIDED, TOLD

CLOUD_EVENT = "application/cloudevents+json"
_OF_OUTCOME = ("action", "rank", "outcome", "at", "agent", "reason")


class Worded(NamedTuple):
    """An event as it is sent: its bytes, and of which type they are."""

    body: bytes
    media_type: str


Wording = Callable[[Happened], Worded]
"""How events of one format are worded."""


def cloud_event(happened: Happened) -> Worded:
    """The event in our own format; docs/webhooks.md tells of each attribute."""
    event = {
        "specversion": "1.0",
        "id": happened.id,
        "source": f"urn:wanliu:{happened.log}",
        "type": happened.event.type,
        "time": happened.at,
        "datacontenttype": "application/json",
        "sequence": f"{happened.number:020}",
        "partitionkey": happened.entry.subject,
        "data": {**_about(happened), **_particular(happened)},
    }
    return Worded(orjson.dumps(event), CLOUD_EVENT)


def due_on(happened: Happened) -> str | None:
    """The day by which a case is due, where the person is: the one that they were told, or so many days from when it was opened."""
    opened = happened.event.opened_by or {}
    days = opened["opens"].get("due_days")
    if days is None:
        said: str | None = happened.action(opened.get("action", "")).get("valid_until")
        return None if said is None else said[:10]
    there = datetime.timezone(datetime.timedelta(minutes=happened.case["times"]["offset"]))
    return (happened.at.astimezone(there).date() + datetime.timedelta(days=days)).isoformat()


def case_id(happened: Happened) -> str:
    """The name of a case, the same whatever opens it again: an action of a decision opens one, and so does a wish."""
    opened = happened.event.opened_by or {}
    return happened.entry.id if happened.decision is None or "action" not in opened else f"{happened.decision.id}/{opened['action']}"


def _about(happened: Happened) -> dict[str, Any]:
    told: dict[str, Any] = {"subscriber": {"id": happened.subscriber}, "caller": happened.entry.body["caller"]}
    if happened.decision is None:
        return told
    body = happened.decision.body
    told |= {"decision_id": happened.decision.id, "channel": body["channel"], "locale": body["locale"], "pack": body["pack"]}
    return {**told, "test_line": True} if body.get("test_line") else told


def _particular(happened: Happened) -> dict[str, Any]:
    if happened.event.type == DECIDED:
        return _decision(happened)
    return _outcome(happened) if happened.event.type == TOLD else _case(happened)


def _decision(happened: Happened) -> dict[str, Any]:
    body = happened.entry.body
    listed = [{**_titled(happened, item["action"]), "rank": item["rank"], "kind": item["kind"]} for item in body["offered"]]
    told = {name: body[name] for name in ("stage", "phase", "moment", "agent", "empty_because") if name in body}
    return {**told, "actions": listed}


def _outcome(happened: Happened) -> dict[str, Any]:
    body = happened.entry.body
    told = {name: body[name] for name in _OF_OUTCOME if name in body}
    reference = (happened.entry.private or {}).get("reference")
    extra = {} if reference is None else {"reference": reference}
    return {"outcome_id": happened.entry.id, **told, **_titled(happened, body["action"]), **extra}


def _case(happened: Happened) -> dict[str, Any]:
    """A case to open: what, whose, by when, and what was said to the person about it."""
    opened: Mapping[str, Any] = happened.event.opened_by or {}
    told = {
        "case_id": case_id(happened),
        "case": opened["opens"]["case"],
        "owner": opened["opens"].get("owner"),
        "due": due_on(happened),
        "opened_at": happened.at,
    }
    return {**told, **_opened_by(happened), **(_words(happened, opened["action"]) if "action" in opened else {})}


def _words(happened: Happened, action: str) -> dict[str, Any]:
    said = happened.action(action)
    reasons = [reason["text"] for reason in said.get("reasons", ())]
    return {**_titled(happened, action), "words": said.get("script") or said.get("text"), "reasons": reasons}


def _opened_by(happened: Happened) -> dict[str, Any]:
    """The outcome or the wish that opened a case, and the agent who was there."""
    body, kind = happened.entry.body, happened.entry.envelope["kind"]
    named: dict[str, dict[str, Any]] = {"outcome": {"outcome_id": happened.entry.id}, "choice": {"choice": body.get("choice")}}
    by = named.get(kind, {})
    agent = body.get("agent") or (happened.decision and happened.decision.body.get("agent"))
    return by if agent is None else {**by, "agent": agent}


def _titled(happened: Happened, action: str) -> dict[str, Any]:
    return {"action": action, "title": happened.action(action).get("title", action)}
