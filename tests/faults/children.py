"""Processes that are killed: the service, and a clerk who uses the store as the command line does. They start quickly."""

from __future__ import annotations

import datetime
import multiprocessing
import os
import random
import signal
import sys
from abc import ABC, abstractmethod
from dataclasses import replace
from multiprocessing.connection import Connection

from app.api.serve import serve
from app.record.store.opening import record_now
from app.settings import Settings
from tests.faults.making import Clock, Maker
from tests.faults.processes import children_of

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.faults.children"])


class Child(ABC):
    """A process with a number, which is killed and started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.answered = 0
        """Answers since it started last."""

    def start(self) -> None:
        """Start it; `answered` begins at 0."""
        self.answered = 0
        self._process = self._made()
        self._process.start()

    def kill(self) -> None:
        """End it at once, as `kill -9` does, wherever it is."""
        self._process.kill()
        self._process.join()

    def is_alive(self) -> bool:
        """Does it run."""
        return self._process.is_alive()

    @abstractmethod
    def _made(self) -> multiprocessing.process.BaseProcess:
        """The process, not started yet."""


class Service(Child):
    """`wanliu serve`, on a port of its own."""

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://{self._settings.host}:{self._settings.port}"

    @property
    def workers(self) -> set[int]:
        """The processes that answer for it."""
        return children_of(self._process.pid or 0)

    def kill_worker(self) -> None:
        """End the processes that answer at once; the keeper, which writes, starts another one."""
        for worker in self.workers:
            os.kill(worker, signal.SIGKILL)

    def _made(self) -> multiprocessing.process.BaseProcess:
        return context.Process(target=_serve, args=(self._settings.model_dump(),), daemon=True)


class Clerk(Child):
    """Stores a decision for each key it is given, opening the store anew each time."""

    def ask(self, key: str) -> str:
        """Have it store a decision under an idempotency key; the id that is on the record.

        Raises:
            EOFError, OSError: it was killed.
        """
        pipe = self._pipe
        pipe.send(key)
        found: str = pipe.recv()
        self.answered += 1
        return found

    def _made(self) -> multiprocessing.process.BaseProcess:
        self._pipe, theirs = context.Pipe()
        return _ClosingProcess(context.Process(target=_work, args=(self._settings.model_dump(), theirs), daemon=True), theirs)


class _ClosingProcess:
    """A process whose end of the pipe is closed here once it runs, so that its death is heard."""

    def __init__(self, process: multiprocessing.process.BaseProcess, theirs: Connection) -> None:
        self._process, self._theirs = process, theirs

    def start(self) -> None:
        self._process.start()
        self._theirs.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self._process, name)


def _serve(values: dict[str, object]) -> None:
    _be_quiet()
    serve(Settings(**values))  # type: ignore[arg-type]


def _work(values: dict[str, object], pipe: Connection) -> None:
    _be_quiet()
    settings = Settings(**values)  # type: ignore[arg-type]
    while True:
        key = pipe.recv()
        with record_now(settings, _now) as record:
            entry = Maker(random.Random(key), Clock(_now())).decision(key)
            pipe.send(record.write_now(replace(entry, subscriber=f"s-{key}")).entry_id)


def _be_quiet() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())  # for the processes that it starts too
    os.close(nowhere)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
