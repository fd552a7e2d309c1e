"""A worker: the process that answers.

Its keeper starts it with the number of their channel, and over that gives it settings and the listening socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn

from app.api.application import create_app
from app.api.identity.keyset import BadKeys
from app.api.logs import configure_logs
from app.api.services import Services, open_services
from app.api.serving.channel import Channel
from app.api.serving.connection import Connection, Manners
from app.api.serving.glance import Glances
from app.api.serving.news import KeeperNews
from app.api.serving.running import loop_factory
from app.api.serving.server import Leave, Server
from app.api.serving.telling import ready, reason
from app.engine.problems import PackError
from app.garbage import settle_memory
from app.record.keys import KeysProblem
from app.record.store.problems import StoreUnavailable
from app.settings import Settings

_BEAT_SECONDS = 1.0
_LINGER_AT_END = 0.3
_LINGER_AFTER = 1.0
"""Seconds beyond `idle_seconds` that connections of a worker that was replaced may stay idle."""
_LAST_LINES = 3.0
"""Seconds before the end of its grace that it begins no more lines of batches, so that it can say where they end."""
_JITTER = 0.1
_ACCEPTED = 8
"""Connections that are accepted in one turn of the loop: it accepts one for each socket that listens."""


def main(number: int) -> None:
    """Answer until the keeper says that it is enough, or is gone.

    Args:
        number: of the channel's descriptor.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=number))
    taken = channel.take_over()
    if taken is None:
        return
    told, (listener, relay) = taken
    settings = Settings(**told["settings"])
    configure_logs(settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(Worker(settings, channel, relay).run(listener))


class Worker:
    """Answers requests, tells its keeper how it goes, and does as it says."""

    def __init__(self, settings: Settings, channel: Channel, relay: socket.socket) -> None:
        self._settings, self._channel = settings, channel
        self._news = KeeperNews(relay)
        self._answers, self._begin = False, asyncio.Event()
        self._development: Callable[[], bool] = lambda: False
        self._spent_after = _with_jitter(settings.recycle_after)

    async def run(self, listener: socket.socket) -> None:
        """Answer until told to leave."""
        listener.setblocking(False)  # it is one with the other workers', and a copy of one that blocks would have them wait in `accept`
        self._server = Server(self._config())
        loop = asyncio.get_running_loop()
        loop.add_reader(self._channel.fileno(), self._hear)
        loop.add_signal_handler(signal.SIGTERM, self._leave, self._settings.grace_seconds, _LINGER_AT_END)
        beating = asyncio.create_task(self._beat())
        with contextlib.suppress(SystemExit):  # it could not start, and the keeper was told why
            await self._server.serve(sockets=[listener, *(listener.dup() for _ in range(_ACCEPTED - 1))])
        beating.cancel()

    def _config(self) -> uvicorn.Config:
        app, settings = create_app(self._settings, self._services), self._settings
        app.make_routes()
        manners = Manners(settings.head_seconds, settings.body_seconds, settings.connections)
        turnstile = app.state.turnstile
        own = {"turnstile": turnstile, "glances": Glances(turnstile), "quiet": {}, "manners": manners}
        return uvicorn.Config(
            app,
            http=type("Connection", (Connection,), own),
            timeout_keep_alive=settings.idle_seconds,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(self._settings.forwarded_from),
            forwarded_allow_ips=list(self._settings.forwarded_from),
            ws="none",
        )

    @contextlib.asynccontextmanager
    async def _services(self, settings: Settings) -> AsyncIterator[Services]:
        """What the endpoints work with. The keeper is told when it is there, and says when to begin; or why it cannot be had."""
        async with contextlib.AsyncExitStack() as stack:
            try:
                opened = await stack.enter_async_context(open_services(settings, self._news))
            except (PackError, StoreUnavailable, KeysProblem, BadKeys) as error:
                self._channel.tell_all({"failed": reason(error, settings)})
                logging.getLogger("uvicorn.error").addFilter(lambda _: False)
                raise
            self._opened = opened
            self._development = lambda: opened.callers.development
            settle_memory()
            self._answers = True
            self._channel.tell_all({"ready": ready(self._settings, opened)})
            await self._begin.wait()
            yield opened

    def _hear(self) -> None:
        for told in self._channel.hear():
            if "news" in told:
                self._news.hear(told["news"])
            if "begin" in told:
                self._begin.set()
            if "drain" in told:
                if self._answers:
                    self._opened.watch.draining = not told.get("linger")
                self._leave(told["drain"], self._settings.idle_seconds + _LINGER_AFTER if told.get("linger") else _LINGER_AT_END)
        if self._channel.ended:
            self._alone()

    def _alone(self) -> None:
        """The keeper is gone: nobody replaces this worker, or seals what it records."""
        asyncio.get_running_loop().remove_reader(self._channel.fileno())
        if not self._answers:
            os._exit(1)
        self._leave(self._settings.grace_seconds, _LINGER_AT_END)

    def _leave(self, grace: float, linger: float) -> None:
        if self._answers and self._opened.watch.batches_end is None:
            self._opened.watch.batches_end = asyncio.get_running_loop().time() + max(grace - _LAST_LINES, grace / 2)
        self._begin.set()
        self._server.leave(Leave(grace, linger))

    async def _beat(self) -> None:
        while True:
            requests = self._server.server_state.total_requests
            self._channel.tell({"load": {"requests": requests, "development": self._development()}})
            if self._spent_after and requests >= self._spent_after:
                self._channel.tell({"spent": True})
                self._spent_after = 0
            await asyncio.sleep(_BEAT_SECONDS)


def _with_jitter(requests: int) -> int:
    """Around so many, so that workers are not replaced all at once."""
    return round(requests * random.uniform(1 - _JITTER, 1 + _JITTER))
