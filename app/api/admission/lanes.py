"""Which requests go together through the door: each kind has room of its own, so that none takes that of another."""

from __future__ import annotations

from typing import Literal

from app.api.bodies import LARGEST_BODY
from app.api.packs.answers import LARGEST_BODY as LARGEST_PACK_BODY
from app.api.tmf.places import PREFIXES

Lane = Literal["health", "interactive", "office", "batch"]
"""`health` is always answered. `interactive`: somebody waits in front of a screen. `office`: searches, exports, packs. `batch`: many
decisions."""

HEALTH = frozenset({"/healthz", "/readyz", "/metrics"})
_OFFICE = ("/v1/campaigns", "/v1/packs", "/v1/records", "/v1/subscribers", "/v1/webhooks", *(f"{prefix}/hub" for prefix in PREFIXES))
_SEARCHES = ("/v1/decisions", *(f"{prefix}/queryProductRecommendation" for prefix in PREFIXES))
_ABOUT_ONE = ("/record", "/replay", "/proof")
BATCH = "/v1/decisions/batch"
_PUBLISHING = "/v1/packs"


def lane_of(method: str, path: str) -> Lane:
    """The lane of a request, from its method and path."""
    if path in HEALTH:
        return "health"
    if path == BATCH:
        return "batch"
    if path.startswith(_OFFICE) or (path in _SEARCHES and method == "GET") or path.endswith(_ABOUT_ONE):
        return "office"
    return "interactive"


def largest_body(path: str) -> int | None:
    """How many bytes a body may have; none where the route itself sees to it, as it goes along."""
    if path == BATCH:
        return None
    return LARGEST_PACK_BODY if path == _PUBLISHING else LARGEST_BODY
