"""Words for whoever starts the service: where it listens and what to try, or why it does not start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.api.identity.keyset import BadKeys
from app.engine.problems import PackError
from app.record.keys import KeysProblem
from app.record.store.database import Database
from app.settings import Settings

if TYPE_CHECKING:  # a keeper needs none of what a worker answers with
    from app.api.services import Services

_TRY = {
    "channel": "call_centre",
    "reason": "bill",
    "caller_relation": "holder",
    "verified": "sms",
    "locale": "en",
    "subscriber": {
        "id": "s-1",
        "account": {"status": "active", "tenure_months": 30, "line_type": "main"},
        "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]},
        "services": {"held": [], "toll_pack_fee": 1000},
        "consent": {"marketing": "yes"},
        "events": [],
        "contacts": [],
    },
}


def reason(error: Exception, settings: Settings) -> str:
    """Why the service cannot start, and which setting to look at."""
    if isinstance(error, PackError):
        return f"the pack in `{settings.pack.resolve()}` cannot be used:\n{error}"
    if isinstance(error, KeysProblem | BadKeys):
        return str(error)
    return f"{error} (WANLIU_DATABASE_URL is `{Database(settings.database_url).shown}`)"


def ready(settings: Settings, services: Services) -> dict[str, Any]:
    """What a worker that answers says of itself, for `welcome`."""
    pack, running = services.packs.current, services.packs.running
    source = f"followed in {settings.pack.resolve()}" if running.follows == "folder" else f"in force since {running.since[:19]}Z"
    return {
        "pack": f"{pack.name} {pack.version}, {pack.digest[:19]}…, {source}",
        "records": services.record.database.shown,
        "development": services.callers.development,
    }


def address_of(host: str, port: int) -> str:
    """Where it is reached."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def welcome(host: str, port: int, told: dict[str, Any]) -> str:
    """What is printed once the service answers.

    Args:
        host: that it listens on.
        port: the same.
        told: what the first worker said.
    """
    address = address_of(host, port)
    body = json.dumps(_TRY, separators=(",", ":"))
    development = told["development"]
    warning = "DEVELOPMENT MODE: there are no callers. Everybody who reaches this address may do everything.\n\n" if development else ""
    key = "" if development else " -H 'authorization: Bearer wl_…'"
    return (
        f"Wanliu listens on {address}\n"
        f"  pack     {told['pack']}\n"
        f"  records  {told['records']}\n"
        f"  page     {address}/docs\n"
        f"  document {address}/openapi.json\n\n"
        f"{warning}"
        "Try:\n"
        f"curl -s {address}/v1/decisions{key} -H 'content-type: application/json' -d '{body}' | python3 -m json.tool --no-ensure-ascii\n"
    )
