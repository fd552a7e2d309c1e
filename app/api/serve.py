"""Running the service: checks what it is told, listens, keeps workers that answer, and says what to try."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import errno
import socket
import sys
import time
from typing import Any

import structlog

from app.api.identity.trusting import trust_of
from app.api.logs import configure_logs, is_for_people, say_mode
from app.api.serving.background import working
from app.api.serving.keeper import Keeper, NotStarted
from app.api.serving.running import loop_factory
from app.api.serving.telling import address_of, reason, welcome
from app.api.watching.keeping import KeeperWatch
from app.api.watching.shared import private_folder
from app.garbage import settle_memory
from app.record.callers import callers_by_key
from app.record.keys import KeysProblem
from app.record.relay.taking import take_from
from app.record.store.opening import record_now, record_of
from app.record.store.problems import StoreUnavailable
from app.record.store.record import Record
from app.settings import Settings

_log = structlog.get_logger("wanliu")
_PATIENCE = 3.0
"""Seconds in which workers let go of the port whose keeper was killed."""
_PAUSE = 0.05
_BACKLOG = 2048


class CannotServe(Exception):
    """The service does not start; the message says why and what to do."""


def serve(settings: Settings) -> None:
    """Run until told to stop.

    Raises:
        CannotServe: there are no callers and no tokens are taken while the host is not a loopback address, the port is taken, the pack
            cannot be used, or the store cannot be opened.
        SystemExit: it was told to stop at once, and did.
    """
    if not settings.on_loopback and trust_of(settings) is None:
        _check_callers(settings)
    configure_logs(settings.log_level, settings.log_format)
    with _bound(settings) as listener:
        try:
            finished = _run(settings, listener)
        except (StoreUnavailable, KeysProblem) as error:
            raise CannotServe(reason(error, settings)) from None
        except KeyboardInterrupt:
            return
    _log.info("stopped", finished=finished)
    if not finished:
        sys.exit(1)


def _check_callers(settings: Settings) -> None:
    try:
        with record_now(settings, _now) as record:
            callers = record.read_now(callers_by_key)
    except (StoreUnavailable, KeysProblem) as error:
        raise CannotServe(reason(error, settings)) from None
    if callers is None:
        raise CannotServe(
            f"there are no callers, so everybody may do everything: listening on `{settings.host}` would let others in. "
            "Add one with `wanliu caller add NAME --role ROLE`, take tokens (WANLIU_JWT_ISSUER), or set WANLIU_HOST to 127.0.0.1"
        )


def _bound(settings: Settings) -> socket.socket:
    """The port, kept from others. Nobody can connect before a worker answers: a proxy would send requests here that had to wait."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family is socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > give_up:
                listener.close()
                raise _cannot_listen(settings, error) from None
        else:
            return listener
        time.sleep(_PAUSE)


def _listen(settings: Settings, listener: socket.socket) -> None:
    try:
        listener.listen(_BACKLOG)
    except OSError as error:  # another service that was starting came first
        raise _cannot_listen(settings, error) from None


def _cannot_listen(settings: Settings, error: OSError) -> CannotServe:
    return CannotServe(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; set WANLIU_PORT to another")


def _run(settings: Settings, listener: socket.socket) -> bool:
    """Work on the record and keep workers; false where they were not let finish."""
    record = record_of(settings, _now)
    with private_folder(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_keep(settings, listener, record, KeeperWatch(record)))


async def _keep(settings: Settings, listener: socket.socket, record: Record, watch: KeeperWatch) -> bool:
    def said(told: dict[str, Any]) -> None:
        _listen(settings, listener)
        settle_memory()
        say_mode(development=told["development"])
        port = listener.getsockname()[1]
        if is_for_people(settings.log_format):
            print(welcome(settings.host, port, told), flush=True)  # noqa: T201 - what a person who starts it reads
        else:
            _log.info("listening", address=address_of(settings.host, port), **told)

    def news() -> dict[str, Any]:
        witness = background.witness_state
        watch.look(keeper.figures)
        say_mode(development=keeper.development)
        return {"witness": witness and dataclasses.asdict(witness), "workers": keeper.figures}

    async def relay() -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        await take_from(record, ours)
        return theirs

    keeper = Keeper(settings, listener, relay, news)
    try:
        async with working(settings, record) as background:
            return await keeper.run(said)
    except NotStarted as error:
        raise CannotServe(str(error)) from None


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
