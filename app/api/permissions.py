"""Who may do what: the one table of routes and roles. What stands not in it is refused to everybody.

Without callers (development mode) everybody may do everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.record.callers import DEVELOPMENT, ROLES

EVERYBODY = frozenset({"everybody"})
"""No key is asked for."""


def _roles(names: str) -> frozenset[str]:
    roles = frozenset(names.split())
    if not roles <= ROLES.keys():
        raise ValueError(f"no such role: {roles - ROLES.keys()}")
    return roles


ASKING = _roles("agent self_service campaign")
"""Who decides, tells outcomes, and reads its own decisions."""
TRYING = _roles("author approver compliance")
"""Who may ask what would be decided, leaving no trace."""
_RUNNING = _roles("campaign") | TRYING
"""Who has campaigns run: campaign engines for the record, who tries without a trace."""
_WATCHING = _roles("operations")
"""Who looks after everybody's campaigns, and sees counts only."""
_REVIEW = _roles("compliance")
_PRIVACY = _roles("privacy_officer")
_APPROVER = _roles("approver")
_CUSTOMER = _roles("self_service")
_TOLD = _roles("operations campaign")
"""Who says where events go: operations of all that happens, a campaign engine of what its own system asked for."""
_PACKS = _roles("author approver compliance operations")


def _at_both(method: str, path: str, roles: frozenset[str]) -> dict[str, frozenset[str]]:
    """A route of TMF680, which is served twice."""
    return {f"{method} {prefix}{path}": roles for prefix in ("/tmf-api/recommendationManagement/v4", "/customer/v4")}


PERMISSIONS: Mapping[str, frozenset[str]] = {
    "GET /": EVERYBODY,
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /docs": EVERYBODY,
    "GET /docs/{file}": EVERYBODY,
    "GET /openapi.json": EVERYBODY,
    "GET /metrics": _roles("operations"),
    "POST /v1/decisions": ASKING | TRYING,
    "POST /v1/decisions/batch": _roles("campaign"),
    "GET /v1/decisions/{decision_id}": ASKING | _REVIEW,
    "POST /v1/decisions/{decision_id}/responses": ASKING,
    "POST /v1/decisions/recheck": _roles("agent campaign"),
    "GET /v1/my/choices": _CUSTOMER,
    "POST /v1/my/choices": _CUSTOMER,
    "GET /v1/my/decisions": _CUSTOMER,
    "GET /v1/my/decisions/{decision_id}": _CUSTOMER,
    "GET /v1/decisions": ASKING | _REVIEW | _PRIVACY,
    "GET /v1/decisions/{decision_id}/record": _REVIEW,
    "GET /v1/decisions/{decision_id}/explanation": ASKING | _REVIEW,
    "GET /v1/decisions/{decision_id}/replay": _REVIEW,
    "GET /v1/decisions/{decision_id}/proof": _REVIEW,
    "GET /v1/records/checkpoint": _roles("compliance privacy_officer operations"),
    "GET /v1/records/figures": _REVIEW,
    "GET /v1/records/pairs": _REVIEW,
    "POST /v1/records/export": _roles("compliance privacy_officer"),
    "GET /v1/subscribers/{subscriber}/record": _roles("compliance privacy_officer"),
    "POST /v1/subscribers/{subscriber}/erasure": _PRIVACY,
    "POST /v1/subscribers/{subscriber}/hold": _PRIVACY,
    "POST /v1/subscribers/{subscriber}/release": _PRIVACY,
    "POST /v1/campaigns": _RUNNING,
    "GET /v1/campaigns": _RUNNING | _WATCHING,
    "GET /v1/campaigns/{campaign_id}": _RUNNING | _WATCHING,
    "POST /v1/campaigns/{campaign_id}/cancel": _RUNNING | _WATCHING,
    "POST /v1/campaigns/{campaign_id}/resume": _RUNNING | _WATCHING,
    "GET /v1/campaigns/{campaign_id}/report": _RUNNING | _WATCHING,
    "GET /v1/campaigns/{campaign_id}/decisions": _RUNNING,
    "GET /v1/campaigns/{campaign_id}/rejects": _RUNNING,
    "POST /v1/webhooks": _TOLD,
    "GET /v1/webhooks": _TOLD,
    "GET /v1/webhooks/{webhook_id}": _TOLD,
    "DELETE /v1/webhooks/{webhook_id}": _TOLD,
    "POST /v1/webhooks/{webhook_id}/secret": _TOLD,
    "POST /v1/webhooks/{webhook_id}/redrive": _TOLD,
    "GET /v1/packs": TRYING,
    "GET /v1/packs/{digest}": TRYING,
    "POST /v1/packs": _roles("author"),
    "POST /v1/packs/rollback": _APPROVER,
    "POST /v1/packs/{digest}/activate": _APPROVER,
    "POST /v1/packs/{digest}/approve": _APPROVER,
    "POST /v1/packs/{digest}/reject": _APPROVER,
    "POST /v1/packs/{digest}/withdraw": _APPROVER,
    **_at_both("POST", "/queryProductRecommendation", ASKING),
    **_at_both("GET", "/queryProductRecommendation", ASKING),
    **_at_both("GET", "/queryProductRecommendation/{id}", ASKING),
    **_at_both("POST", "/hub", _TOLD),
    **_at_both("DELETE", "/hub/{id}", _TOLD),
    "POST /tmf-api/partyInteraction/v4/partyInteraction": ASKING,
}
"""By method and path of the route, the roles that may use it."""


def is_open(route: str) -> bool:
    """Is no key needed?"""
    return PERMISSIONS.get(route) is EVERYBODY


def roles_told(route: str) -> str:
    """The roles that may use a route, as a refusal tells them."""
    roles = [f"`{role}`" for role in sorted(PERMISSIONS.get(route, ()))]
    return " and ".join(filter(None, (", ".join(roles[:-1]), *roles[-1:]))) or "nobody"


def may(role: str, route: str) -> bool:
    """May the role use a route, named as `GET /v1/decisions/{decision_id}`?"""
    return role == DEVELOPMENT or is_open(route) or role in PERMISSIONS.get(route, frozenset())
