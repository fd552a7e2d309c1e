"""Everybody who may call, and everything that belongs to somebody: what tests walk every route of the document with.

A new route is found in the document. One with a parameter in its path, or that lists what belongs to somebody, is told here whose that is
(`OWNED`); what must be sent along is told in `SENT`. A route that is not told fails the walk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson
from fastapi.routing import iter_route_contexts

from app.api.application import create_app
from app.api.permissions import EVERYBODY, PERMISSIONS
from app.engine.vocabulary.examples import EXAMPLES
from app.settings import Settings
from tests.contract.conftest import Guarded

LIVE: Any = {**EXAMPLES[0], "channel": "app"}  # type: ignore[dict-item]
"""On a channel on which everybody may ask, customers too."""
APPLICATION = create_app(Settings())
DOCUMENT = APPLICATION.openapi()
ROUTES = sorted(f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item)
"""Every route of the document."""
CLOSED = [route for route in ROUTES if PERMISSIONS.get(route) is not EVERYBODY]
UNKNOWN = "01a20264-24e4-7707-8db2-fed784d5ad4b"
_TMF = ("/tmf-api/recommendationManagement/v4", "/customer/v4")

OWNED: Mapping[str, str] = {
    "GET /v1/decisions": "list",
    "GET /v1/decisions/{decision_id}": "decision",
    "GET /v1/decisions/{decision_id}/explanation": "decision",
    "GET /v1/decisions/{decision_id}/record": "decision",
    "GET /v1/decisions/{decision_id}/replay": "decision",
    "GET /v1/decisions/{decision_id}/proof": "decision",
    "POST /v1/decisions/{decision_id}/responses": "decision",
    "GET /v1/my/choices": "person",
    "POST /v1/my/choices": "person",
    "GET /v1/my/decisions": "person",
    "GET /v1/my/decisions/{decision_id}": "person",
    **{f"GET {prefix}/queryProductRecommendation": "recommendations" for prefix in _TMF},
    **{f"GET {prefix}/queryProductRecommendation/{{id}}": "recommendation" for prefix in _TMF},
    **{f"DELETE {prefix}/hub/{{id}}": "hub" for prefix in _TMF},
    "GET /v1/webhooks": "webhooks",
    "GET /v1/webhooks/{webhook_id}": "webhook",
    "DELETE /v1/webhooks/{webhook_id}": "webhook",
    "POST /v1/webhooks/{webhook_id}/secret": "webhook",
    "POST /v1/webhooks/{webhook_id}/redrive": "webhook",
    "GET /v1/campaigns": "campaigns",
    "GET /v1/campaigns/{campaign_id}": "campaign",
    "POST /v1/campaigns/{campaign_id}/cancel": "campaign",
    "POST /v1/campaigns/{campaign_id}/resume": "campaign",
    "GET /v1/campaigns/{campaign_id}/report": "campaign",
    "GET /v1/campaigns/{campaign_id}/decisions": "campaign",
    "GET /v1/campaigns/{campaign_id}/rejects": "campaign",
    "GET /v1/packs/{digest}": "everybody's",
    "POST /v1/packs/{digest}/activate": "everybody's",
    "POST /v1/packs/{digest}/approve": "everybody's",
    "POST /v1/packs/{digest}/reject": "everybody's",
    "POST /v1/packs/{digest}/withdraw": "everybody's",
    "GET /v1/subscribers/{subscriber}/record": "everybody's",
    "POST /v1/subscribers/{subscriber}/erasure": "everybody's",
    "POST /v1/subscribers/{subscriber}/hold": "everybody's",
    "POST /v1/subscribers/{subscriber}/release": "everybody's",
}
"""What the routes that give or change something are about: a thing of somebody's, or of nobody's more than of others, within a role."""
SENT: Mapping[str, Any] = {
    "POST /v1/decisions/{decision_id}/responses": {"action": "?", "outcome": "shown"},
}
_PARAMETERS = {"digest": "sha256:" + "0" * 64, "subscriber": "-"}


@dataclass(frozen=True)
class Thing:
    """A decision: its id, the first action on its list, and who sees it, by the names of callers."""

    id: str
    action: str
    seen_by: frozenset[str]


def served() -> set[str]:
    """Every route that the application has, told in the document or not."""
    found = iter_route_contexts(APPLICATION.routes)
    return {f"{method} {context.path_format}" for context in found for method in (context.methods or ()) if method != "HEAD"}


def asked(route: str, thing: str = UNKNOWN) -> tuple[str, str]:
    """Method and a path of the route, for one thing."""
    method, path = route.split(" ", 1)
    return method, re.sub(r"\{(\w+)\}", lambda name: _PARAMETERS.get(name[1], thing), path)


def ask(guarded: Guarded, name: str, route: str, thing: Thing | None = None) -> httpx2.Response:
    """Call a route as somebody, about a thing, with what it has to be sent."""
    method, path = asked(route, UNKNOWN if thing is None else thing.id)
    body = SENT.get(route)
    if body is None:
        return guarded.call(name, method, path)
    return guarded.call(name, method, path, json={**body, "action": thing.action if thing else "unknown"})


def decide(guarded: Guarded, name: str, subscriber: str, *seen_by: str) -> Thing:
    """A decision that somebody asked for about a subscriber."""
    body = {**LIVE, "subscriber": {**LIVE["subscriber"], "id": subscriber}}
    told = guarded.call(name, "POST", "/v1/decisions", json=body)
    assert told.status_code == 200, told.text
    answer = orjson.loads(told.content)
    return Thing(answer["decision_id"], answer["actions"][0]["action"], frozenset({name, *seen_by, "compliance"}))
