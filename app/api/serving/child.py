"""A worker process as its keeper sees it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import app
from app.api.serving.channel import Channel
from app.settings import Settings

_SECONDS_TO_END = 5.0
_HOME = str(Path(app.__file__).parents[1])


class Child:
    """Started when made. `changed` is set whenever something about it changes that its keeper has to look at."""

    def __init__(self, settings: Settings, *sockets: socket.socket) -> None:
        """
        Args:
            settings: of the service.
            sockets: what it listens on, and its end of the pair over which its entries are written.
        """
        self._loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with theirs:
            self._process = _process(theirs)
        self.started = self.heard = self._loop.time()
        """When it was started, and when it last said something, in seconds of the loop's clock."""
        self.changed = asyncio.Event()
        self.ready: dict[str, Any] | None = None
        """What it said when it could answer."""
        self.failed: str | None = None
        """Why it cannot answer, in words for a person."""
        self.spent = False
        """Is another one to take its place."""
        self.finishing = False
        """Was it told to accept nothing more."""
        self.gone = False
        """Has the process ended."""
        self.hung = False
        """Was it killed because it said nothing."""
        self.load: dict[str, Any] = {}
        """What it last told of its work."""
        self._loop.add_reader(self._channel.fileno(), self._hear)
        self._give(settings, sockets)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; negative: by which signal."""
        return self._process.returncode

    async def wait(self) -> None:
        """Wait for a change."""
        await self.changed.wait()
        self.changed.clear()

    def replace(self) -> None:
        """Have its keeper put another one in its place."""
        self.spent = True
        self.changed.set()

    def tell(self, **message: Any) -> None:
        """Tell it something."""
        if not self.gone:
            self._channel.tell(message)

    def begin(self) -> None:
        """Have it answer: it can, and waited for this."""
        self._channel.tell_all({"begin": True})

    def finish(self, seconds: float, *, linger: bool = False) -> None:
        """Have it accept nothing more, and end once it answered what it has.

        Args:
            seconds: that this may take.
            linger: may connections stay until they are asked something, or closed; another one answers what is new.
        """
        self.finishing = True
        self.tell(drain=seconds, linger=linger)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def end_hung(self) -> None:
        """End it because it says nothing."""
        self.hung = True
        self.kill()

    def _give(self, settings: Settings, sockets: Sequence[socket.socket]) -> None:
        try:
            self._channel.hand_over({"settings": settings.model_dump(mode="json")}, sockets)
        except OSError:
            self.kill()

    def _hear(self) -> None:
        self.heard = self._loop.time()
        for told in self._channel.hear():
            self.load = told.get("load", self.load)
            self.ready = told.get("ready", self.ready)
            self.failed = told.get("failed", self.failed)
            self.spent = self.spent or "spent" in told
            if told.keys() - {"load"}:
                self.changed.set()
        if self._channel.ended:
            self._loop.remove_reader(self._channel.fileno())
            self._channel.close()
            self._ending = self._loop.create_task(self._ended())

    async def _ended(self) -> None:
        """It closed its end: it has ended, or is about to."""
        try:
            await asyncio.to_thread(self._process.wait, _SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.kill()
            await asyncio.to_thread(self._process.wait)
        self.gone = True
        self.changed.set()


def _process(theirs: socket.socket) -> subprocess.Popen[bytes]:
    """A worker in a process group of its own: Ctrl-C is the keeper's to hear."""
    path = os.pathsep.join(filter(None, (_HOME, os.environ.get("PYTHONPATH"))))
    command = (sys.executable, "-P", "-m", "app.api.serving", "worker", str(theirs.fileno()))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], process_group=0)
