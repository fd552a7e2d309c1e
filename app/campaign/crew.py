"""Processes that do the parts of a run side by side: Python works on one core at a time, and most of a part's work is Python's."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

import polars as pl

from app.campaign.part import Done, Opened, PartWork, Stopwatch, Wanted
from app.campaign.problems import TableError
from app.record.campaigns.filing import Filed, Filing
from app.record.campaigns.subjects import Known

if TYPE_CHECKING:
    from app.campaign.input import InputBatch
    from app.engine.vocabulary.choices import Choice

_HOME = str(Path(__file__).resolve().parents[2])
_PROGRAM = (sys.executable, "-P", "-m", "app.campaign.hand")
_LENGTH = struct.Struct(">Q")
_MOST = 4
_WORTH = 10_000
_SECONDS_TO_END = 5


class HandLost(TableError):
    """A process that did parts has ended before it should have, or failed in a way that cannot be told otherwise. What is on the record
    stays there, and the same run goes on from it."""


@dataclass(frozen=True, slots=True)
class Together:
    """How a run is done by several processes.

    Attributes:
        files: of the pack that decides.
        processes: how many, this one among them.
        least: rows of a first part for which they are worth their beginning, which takes each of the others some seconds of a core.
    """

    files: Mapping[str, bytes]
    processes: int
    least: int = _WORTH


@dataclass(frozen=True, slots=True)
class Orders:
    """What a process is told once.

    Attributes:
        files: of the pack.
        wanted: what the run hands back.
        opened: the campaign on the record; none where the run leaves no trace.
        filing: what makes files of its parts, likewise.
    """

    files: Mapping[str, bytes]
    wanted: Wanted
    opened: Opened | None
    filing: Filing | None


@dataclass(frozen=True, slots=True)
class Job:
    """A part to be done, as `PartWork.do` takes it; and, where it goes on the record, whom each of its rows is about."""

    number: int
    first: int
    part: InputBatch
    choices: Mapping[int, tuple[Choice, ...]]
    subjects: Sequence[Known]


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a part: as it was done, without the rows for the record, of which the file is told; and what took how many seconds
    of another process."""

    done: Done
    filed: Filed | None
    seconds: Mapping[str, float] = field(default_factory=dict)


def cores() -> int:
    """How many processes do a run where nobody says: one for each core that this one may use, four at most."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST)


class Doing:
    """Does parts whole: decides them, writes them down beside the output, and files them for the record."""

    def __init__(self, work: PartWork, filing: Filing | None, watch: Stopwatch) -> None:
        """
        Args:
            work: how they are done.
            filing: what makes files of them; none where the run leaves no trace.
            watch: what `work` counts with; counts what took how long.
        """
        self._work, self._filing, self._watch = work, filing, watch

    def do(self, job: Job) -> Finished:
        """Do a part."""
        done, filed = self._work.do(job.number, job.first, job.part, job.choices), None
        if self._filing is not None and done.chunk is not None:
            with self._watch.on("recording"):
                filed = self._filing.write(job.number, done.chunk, self._filing.seal(done.chunk, job.subjects))
        return Finished(replace(done, chunk=None), filed)


@dataclass(frozen=True, slots=True)
class Dealt:
    """A part that somebody does, or has done.

    Attributes:
        number: of the part.
        subjects: whom each of its rows is about.
        finished: what became of it, or `HandLost`, or what else went wrong.
    """

    number: int
    subjects: Sequence[Known]
    finished: Future[Finished]
    _kept: Job | bytes = field(repr=False)

    @property
    def job(self) -> Job:
        """The part as it was dealt."""
        found: Job = unpacked(self._kept) if isinstance(self._kept, bytes) else self._kept
        return found


class Crew:
    """This process and others, which do parts side by side. The others end when this one does, however it ends."""

    def __init__(self, orders: Orders, processes: int, doing: Doing) -> None:
        """
        Args:
            orders: what the others are told.
            processes: how many they are with this one, two at least.
            doing: does a part here.
        """
        self._doing, self._others = doing, processes - 1
        self._dealt: list[Future[Finished]] = []
        self._free: SimpleQueue[_Hand] = SimpleQueue()
        self._hands: list[_Hand] = []
        self._threads = ThreadPoolExecutor(self._others, "campaign-part")
        told = packed(orders)
        try:
            for _ in range(self._others):
                self._hands.append(_Hand(told))
        except BaseException:
            self.close()
            raise
        for hand in self._hands:
            self._free.put(hand)

    def deal(self, job: Job) -> Dealt:
        """Have a part done by another process; where all are busy and one part waits for them, it is done here before this returns."""
        self._dealt = [finished for finished in self._dealt if not finished.done()]
        if len(self._dealt) > self._others:
            return self._done_here(job)
        kept = packed(job)
        self._dealt.append(self._threads.submit(self._do, kept))
        return Dealt(job.number, job.subjects, self._dealt[-1], kept)

    def relieved(self, dealt: Dealt) -> Dealt:
        """Do a part here that was dealt and that nobody has begun with, where there is nothing else to do."""
        return self._done_here(dealt.job) if dealt.finished.cancel() else dealt

    def _done_here(self, job: Job) -> Dealt:
        here = Future[Finished]()
        here.set_result(self._doing.do(job))
        return Dealt(job.number, job.subjects, here, job)

    def close(self) -> None:
        """End the others, whatever they are at."""
        for hand in self._hands:
            hand.end()
        self._threads.shutdown(cancel_futures=True)

    def _do(self, job: bytes) -> Finished:
        hand = self._free.get()
        try:
            return hand.do(job)
        finally:
            self._free.put(hand)


class _Hand:
    """One process. Ctrl-C is the parent's to hear, who ends it."""

    def __init__(self, orders: bytes) -> None:
        path = os.pathsep.join(filter(None, (_HOME, os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": path, "POLARS_MAX_THREADS": "1"}
        self._process = subprocess.Popen(_PROGRAM, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        self._untold: bytes | None = orders

    def do(self, job: bytes) -> Finished:
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("it was begun with pipes")
        orders, self._untold = self._untold, None
        try:
            if orders is not None:
                write_message(self._process.stdin, orders)
            write_message(self._process.stdin, job)
            answer = read_message(self._process.stdout)
        except (OSError, ValueError):
            answer = None
        if answer is None:
            raise HandLost(self._how_it_ended())
        found = unpacked(answer)
        if isinstance(found, BaseException):
            raise found
        finished: Finished = found
        return finished

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        why = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        memory = "; if memory was short, let the run use one core (taskset -c 0), which takes less" if code == -signal.SIGKILL else ""
        return f"a process that decided a part ended {why}{memory}. What is on the record stays, and the same run again goes on from there"


def packed(value: object) -> bytes:
    """Something as bytes for another of our own processes, frames in the form that costs least to read."""
    into = io.BytesIO()
    _Pickler(into, pickle.HIGHEST_PROTOCOL).dump(value)
    return into.getvalue()


def unpacked(content: bytes) -> Any:
    """What `packed` made bytes of."""
    return pickle.loads(content)  # noqa: S301 - from our own child, or parent, over a pipe that nobody else has


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is not pl.DataFrame or not obj.width:
            return NotImplemented
        into = io.BytesIO()
        obj.write_ipc(into, compression="lz4")
        return pl.read_ipc, (into.getvalue(),)


def write_message(pipe: IO[bytes], content: bytes) -> None:
    """Write a message whole."""
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> bytes | None:
    """The next message; none where the other end is closed."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = pipe.read(length)
    return content if len(content) == length else None
