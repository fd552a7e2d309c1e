"""Running the service: checks what it is told, says where it listens and what to try."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import socket
from collections.abc import AsyncIterator

import uvicorn

from app.api.application import create_app
from app.api.logs import configure_logs
from app.api.services import Services, open_services
from app.engine.problems import PackError
from app.record import StoreUnavailable
from app.record.callers import callers_by_key
from app.record.keys import KeysProblem
from app.record.store.database import Database
from app.record.store.opening import record_now
from app.settings import Settings

_GRACE_SECONDS = 10
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


class CannotServe(Exception):
    """The service does not start; the message says why and what to do."""


def serve(settings: Settings) -> None:
    """Run until told to stop.

    Raises:
        CannotServe: there are no callers and the host is not a loopback address, the port is taken, the pack cannot be used, or the store
            cannot be opened.
    """
    if not settings.on_loopback:
        _check_callers(settings)
    configure_logs(settings.log_level, settings.log_format)
    with _listening(settings) as listener:
        _run(settings, listener)


def _check_callers(settings: Settings) -> None:
    try:
        with record_now(settings, lambda: datetime.datetime.now(datetime.UTC)) as record:
            callers = record.read_now(callers_by_key)
    except (StoreUnavailable, KeysProblem) as error:
        raise CannotServe(_reason(error, settings)) from None
    if callers is None:
        raise CannotServe(
            f"there are no callers, so everybody may do everything: listening on `{settings.host}` would let others in. "
            "Add one with `wanliu caller add NAME --role ROLE`, or set WANLIU_HOST to 127.0.0.1"
        )


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise CannotServe(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; set WANLIU_PORT to another") from None


def _run(settings: Settings, listener: socket.socket) -> None:
    failed: list[Exception] = []

    @contextlib.asynccontextmanager
    async def services(settings: Settings) -> AsyncIterator[Services]:
        async with contextlib.AsyncExitStack() as stack:
            try:
                opened = await stack.enter_async_context(open_services(settings))
            except (PackError, StoreUnavailable, KeysProblem) as error:
                failed.append(error)
                raise
            print(_welcome(settings, listener, opened), flush=True)  # noqa: T201 - what a person who starts it reads
            yield opened

    logging.getLogger("uvicorn.error").addFilter(lambda _: not failed)
    config = uvicorn.Config(
        create_app(settings, services),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    except SystemExit:
        raise CannotServe(_reason(failed[0], settings) if failed else "the server could not start; the log says why") from None


def _reason(error: Exception, settings: Settings) -> str:
    if isinstance(error, PackError):
        return f"the pack in `{settings.pack.resolve()}` cannot be used:\n{error}"
    if isinstance(error, KeysProblem):
        return str(error)
    return f"{error} (WANLIU_DATABASE_URL is `{Database(settings.database_url).shown}`)"


def _welcome(settings: Settings, listener: socket.socket, services: Services) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{listener.getsockname()[1]}"
    pack, running = services.packs.current, services.packs.running
    source = f"followed in {settings.pack.resolve()}" if running.follows == "folder" else f"in force since {running.since[:19]}Z"
    body = json.dumps(_TRY, separators=(",", ":"))
    development = services.callers.development
    warning = "DEVELOPMENT MODE: there are no callers. Everybody who reaches this address may do everything.\n\n" if development else ""
    key = "" if development else " -H 'authorization: Bearer wl_…'"
    return (
        f"Wanliu listens on {address}\n"
        f"  pack     {pack.name} {pack.version}, {pack.digest[:19]}…, {source}\n"
        f"  records  {services.record.database.shown}\n"
        f"  document {address}/openapi.json\n\n"
        f"{warning}"
        "Try:\n"
        f"curl -s {address}/v1/decisions{key} -H 'content-type: application/json' -d '{body}' | python3 -m json.tool --no-ensure-ascii\n"
    )
