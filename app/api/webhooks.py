"""Who is told of events, and where: subscribing, a new secret, ending it, how delivering stands."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from app.api.bodies import Refused, json_answer, read_json
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.packs.shelf import other_actions
from app.api.parameters import EntryId, Worded
from app.api.problems import problem
from app.api.together import gathered, names_in, taken_in_part
from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.wording import hinted
from app.engine.vocabulary import Channel, Outcome
from app.engine.vocabulary.model import Model
from app.engine.vocabulary.types import Code
from app.record.callers import DEVELOPMENT
from app.record.outgoing.addresses import LONGEST_URL, BadCallback, checked_callback
from app.record.outgoing.figures import Standing, standing_of
from app.record.outgoing.model import TYPES, EventType, Filters, Format, Heard, Wanted
from app.record.outgoing.subscriptions import Added, Kept, add_webhook, check_room, new_secret_of, remove_webhook, webhook, webhooks
from app.record.outgoing.taking import redrive

router = APIRouter()
_OF_ALL = frozenset({"operations", DEVELOPMENT})
"""Roles whose subscriptions hear of everything, and who see everybody's."""
WebhookId = Annotated[EntryId, Path(description="A webhook's `id`.")]


def _some(types: tuple[EventType, ...]) -> tuple[EventType, ...]:
    """At least one type; a bound on the length would be said of each misspelt one again."""
    if not types:
        raise PydanticCustomError("value_expected", "name at least one: {types}", {"types": ", ".join(TYPES)})
    return types


class WebhookRequest(Model):
    """What to be told of, and where."""

    callback: Annotated[
        str,
        Field(min_length=1, max_length=LONGEST_URL),
        Worded(f"a URL such as https://crm.example/wanliu, of at most {LONGEST_URL:,} characters"),
        Field(description="URL that events are sent to: https, in the open network."),
    ]
    types: Annotated[
        tuple[EventType, ...],
        Field(max_length=20, description="Of events; at least one.", json_schema_extra={"minItems": 1}),
        AfterValidator(_some),
    ]
    channels: Annotated[
        tuple[Channel, ...], Field(max_length=20, description="Only of these channels, and of what is on none. Left out, of all.")
    ] = ()
    actions: Annotated[
        tuple[Code, ...], Field(max_length=200, description="Only of these actions; of a decision, one of its list is enough.")
    ] = ()
    outcomes: Annotated[tuple[Outcome, ...], Field(max_length=20, description="Only of these outcomes, and of cases that they open.")] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription: who made it and when, of what it is told and where; `format` is `tmf680` for one that TM Forum's hub made."""

    id: str
    owner: str
    format: Format
    callback: str
    types: list[Heard]
    channels: list[str]
    actions: list[str]
    outcomes: list[str]
    since: str


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Subscriptions, oldest first."""

    webhooks: list[Webhook]


@dataclass(frozen=True, slots=True)
class WebhookWithSecret:
    """A subscription and the secret that signs its events, which is shown this once and never again."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True)
class WebhookState:
    """A subscription, and how delivering to it stands."""

    webhook: Webhook
    standing: Standing


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many events are tried again."""

    events: int


@router.post(
    "/v1/webhooks",
    operation_id="addWebhook",
    summary="Be told of events",
    status_code=201,
    **declared(
        {201: {"model": WebhookWithSecret, "description": "Made. What is written after this is sent is told."}},
        "no-room",
        takes=WebhookRequest,
    ),
)
async def add(call: Admitted) -> Response:
    """Operations hear of everything; a campaign engine of the decisions that its own system asked for, and what became of them."""
    asked = await _asked(call, await read_json(call.request))
    await call.read(check_room)
    wanted = Wanted(
        owner=call.caller.name,
        callback=asked.callback,
        types=tuple(dict.fromkeys(asked.types)),
        system=None if call.caller.role in _OF_ALL else call.caller.system,
        filters=Filters(asked.channels, asked.actions, asked.outcomes),
    )
    now = call.now()
    added = add_webhook(call.new_id(now), now, call.record.keys, wanted)
    await call.record.write(added.entry)
    return _with_secret(added, 201)


async def _asked(call: Call, body: bytes) -> WebhookRequest:
    """What is asked for.

    Raises:
        RequestError: naming everything that is wrong with it, that its actions are none and where its callback leads included.
    """
    problems: list[FieldProblem] = []
    asked = taken_in_part(body, WebhookRequest, problems, callback="-", types=TYPES[:1])
    if asked is not None and "callback" not in names_in(problems):
        problems += await callback_problems(asked.callback, private=call.services.callbacks_private)
    if asked is not None:
        with gathered(problems):
            await _check_actions(call, asked.actions)
    if asked is None or problems:
        raise RequestError(problems)
    return asked


async def callback_problems(callback: str, *, private: bool) -> list[FieldProblem]:
    """Why events cannot be sent to a callback; nothing where they can."""
    try:
        await checked_callback(callback, private=private)
    except BadCallback as error:
        return [FieldProblem("callback", str(error))]
    return []


async def _check_actions(call: Call, actions: tuple[str, ...]) -> None:
    """See that each action is one that can be decided: of the pack in force, or of another in the store, which may be in force tomorrow.

    Raises:
        RequestError: naming the action that was meant.
    """
    known = call.services.packs.current.by_id
    if all(action in known for action in actions):
        return
    others = await other_actions(call)
    problems = [
        FieldProblem(f"actions.{index}", hinted("is no action of a pack in the store", action, {*known, *others}))
        for index, action in enumerate(actions)
        if action not in known and action not in others
    ]
    if problems:
        raise RequestError(problems)


@router.get("/v1/webhooks", operation_id="listWebhooks", summary="Who is told of events, and where", **declared(Webhooks))
async def listing(call: Admitted) -> Response:
    """Operations see all, a campaign engine those of its own system."""
    found = await call.read(webhooks)
    return json_answer(Webhooks([_told(kept) for kept in found if _theirs(call, kept)]))


@router.get(
    "/v1/webhooks/{webhook_id}",
    operation_id="readWebhook",
    summary="How delivering to a webhook stands",
    **declared(WebhookState, "not-found"),
)
async def read(call: Admitted, webhook_id: WebhookId) -> Response:
    """What waits and for how long, what was given up, what was told, and what was wrong with the last attempt that failed."""
    kept, now = await _found(call, webhook_id), call.now()
    standing = await call.read(lambda connection: standing_of(connection, webhook_id, now))
    if standing is None:
        raise _no_webhook()
    return json_answer(WebhookState(_told(kept), standing))


@router.delete(
    "/v1/webhooks/{webhook_id}",
    operation_id="removeWebhook",
    summary="Be told of events no more",
    status_code=204,
    **declared({204: {"description": "Removed. Nothing more is sent, not even what waited."}}, "not-found"),
)
async def remove(call: Admitted, webhook_id: WebhookId) -> Response:
    """An event that is being sent at this moment may still arrive."""
    kept, now = await _found(call, webhook_id), call.now()
    await call.record.write(remove_webhook(call.new_id(now), now, kept, by=call.caller.name))
    return Response(status_code=204)


@router.post(
    "/v1/webhooks/{webhook_id}/secret",
    operation_id="renewWebhookSecret",
    summary="A new secret",
    response_description="The new secret. Both sign for 24 hours.",
    **declared(WebhookWithSecret, "not-found"),
)
async def renew(call: Admitted, webhook_id: WebhookId) -> Response:
    """The one before signs beside it for 24 hours, so that the receiver can change over without missing an event."""
    kept, now = await _found(call, webhook_id), call.now()
    added = new_secret_of(call.new_id(now), now, call.record.keys, kept, by=call.caller.name)
    await call.record.write(added.entry)
    return _with_secret(added, 200)


@router.post(
    "/v1/webhooks/{webhook_id}/redrive",
    operation_id="redriveWebhook",
    summary="Try again what was given up",
    response_description="How many events are tried again, each before those that wait behind it.",
    **declared(Redriven, "not-found"),
)
async def try_again(call: Admitted, webhook_id: WebhookId) -> Response:
    """Events that nobody took in three days are given up, and kept: this has them tried for three days more."""
    await _found(call, webhook_id)
    count = await asyncio.to_thread(redrive, call.record.database, webhook_id, call.now())
    return json_answer(Redriven(count))


async def _found(call: Call, webhook_id: str) -> Kept:
    """The subscription with this id, where the caller may see it.

    Raises:
        Refused: there is none, or it is somebody else's.
    """
    kept = await call.read(lambda connection: webhook(connection, webhook_id))
    if kept is None or not _theirs(call, kept):
        raise _no_webhook()
    return kept


def _no_webhook() -> Refused:
    return Refused(problem("not-found", detail="no webhook has this id; `GET /v1/webhooks` lists those there are"))


def _theirs(call: Call, kept: Kept) -> bool:
    """May the caller see a subscription: all of them, or those that callers of their own system made."""
    owner = call.services.callers.system_of(kept.subscription.wanted.owner)
    return call.caller.role in _OF_ALL or owner == call.caller.system


def _with_secret(added: Added, status: int) -> Response:
    answer = WebhookWithSecret(_told(added), added.secret)
    return json_answer(answer, status, {"cache-control": "no-store"})


def _told(found: Kept | Added) -> Webhook:
    about, wanted = found.subscription, found.subscription.wanted
    filters: dict[str, Any] = {name: list(getattr(wanted.filters, name)) for name in ("channels", "actions", "outcomes")}
    return Webhook(about.id, wanted.owner, wanted.format, wanted.callback, list(wanted.types), since=about.since, **filters)
