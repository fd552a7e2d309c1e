"""The HTTP server of a worker: uvicorn, which ends only when what it accepted is answered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from app.api.serving.connection import Connection

_LOOK_SECONDS = 0.02
_TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Leave:
    """How a server is to end.

    `grace` is how many seconds the answers under way may take; `linger` how many an open connection that asks nothing is waited for: what
    it asks in that time is answered, and the connection closed with the answer.
    """

    grace: float
    linger: float


class Server(uvicorn.Server):
    """Answers until it is told to leave."""

    def __init__(self, config: uvicorn.Config) -> None:
        """
        Args:
            config: what it answers with.
        """
        super().__init__(config)
        self._leave: asyncio.Future[Leave] = asyncio.get_running_loop().create_future()

    def leave(self, how: Leave) -> None:
        """Accept nothing more, and end when what was accepted is answered. Told again, nothing changes."""
        if not self._leave.done():
            self._leave.set_result(how)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are whoever's who runs the server."""
        yield

    async def main_loop(self) -> None:
        """Answer until told to leave."""
        while not self._leave.done():
            await self.on_tick(0)
            self._look()
            await asyncio.wait([self._leave], timeout=_TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of the listening socket, answer what is accepted, close what is open, and let the application end."""
        how = await self._leave
        for server in self.servers:
            server.close()
        for connection in self._connections():
            connection.end()
        await self._until_done(how)
        for task in self.server_state.tasks:
            task.cancel()
        for connection in self._connections():
            connection.transport.close()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=1)
        await self.lifespan.shutdown()

    async def _until_done(self, how: Leave) -> None:
        """Wait until nothing is open; for `how.linger` seconds where nothing is asked, for `how.grace` at most."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while (waited := loop.time() - begun) < how.grace and (self.server_state.connections or self.server_state.tasks):
            if waited >= how.linger:
                for connection in self._connections():
                    if connection.silent:
                        connection.transport.close()
            self._look()
            await asyncio.sleep(_LOOK_SECONDS)

    def _look(self) -> None:
        """Close connections whose clients are too slow."""
        now = asyncio.get_running_loop().time()
        for connection in self._connections():
            connection.look(now)

    def _connections(self) -> list[Connection]:
        return [connection for connection in self.server_state.connections if isinstance(connection, Connection)]
