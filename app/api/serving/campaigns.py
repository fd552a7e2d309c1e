"""Sees that campaigns are run which callers commission: starts the process for that when there is work, and again when it ends badly."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import orjson
import structlog

import app
from app.campaign.jobs.leftovers import is_untidy
from app.campaign.jobs.names import worker_name
from app.record.campaigns.jobs import is_work
from app.record.store.problems import StoreError
from app.record.store.record import Record
from app.settings import Settings

_LOOK_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the process is started again that ended too soon; doubled each time."""
_HOME = str(Path(app.__file__).parents[1])
_log = structlog.get_logger("wanliu.campaigns")


class CampaignThread:
    """Looks for work again and again, in a thread; the process it starts goes on with what an earlier one left."""

    def __init__(self, settings: Settings, record: Record) -> None:
        """
        Args:
            settings: of the service.
            record: of the process that looks.
        """
        self._settings, self._record, self._name = settings, record, worker_name()
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = _FIRST_PAUSE
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="campaigns", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process that works; none where there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End. What is under way is left where it is, for as long as the service may take to end; the next one goes on from there."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        process = self._process
        if process is None:
            return
        _let_end(process)
        try:
            process.wait(self._settings.grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            if self._process is None:
                self._look()
            elif self._process.poll() is not None:
                self._ended(self._process)

    def _look(self) -> None:
        try:
            found = self._record.read_now(lambda connection: is_work(connection, self._name, self._record.clock()))
            found = found or is_untidy(self._record, self._settings.campaign_folder, self._settings.campaign_keep_days)
        except (StoreError, OSError):
            return
        if found:
            self._process = _process(self._settings, self._name)
            _log.info("campaign_worker_started", pid=self._process.pid)

    def _ended(self, process: subprocess.Popen[bytes]) -> None:
        """Note how it ended; after a bad end the next one waits for a while."""
        self._process = None
        _let_end(process)
        if process.returncode == 0:
            self._pause = _FIRST_PAUSE
            return
        _log.error("campaign_worker_ended", pid=process.pid, exit_code=process.returncode, seconds_to_wait=self._pause)
        self._stopping.wait(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def _let_end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _process(settings: Settings, name: str) -> subprocess.Popen[bytes]:
    """The process, in a group of its own, with half of the processors at most for what Polars does at once."""
    path = os.pathsep.join(filter(None, (_HOME, os.environ.get("PYTHONPATH"))))
    threads = os.environ.get("POLARS_MAX_THREADS") or str(max(1, (os.cpu_count() or 2) // 2))
    environment = {**os.environ, "PYTHONPATH": path, "POLARS_MAX_THREADS": threads}
    command = (sys.executable, "-P", "-m", "app.api.serving", "campaigner")
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, process_group=0)
    told = orjson.dumps({"settings": settings.model_dump(mode="json"), "name": name}, option=orjson.OPT_APPEND_NEWLINE)
    with contextlib.suppress(OSError):  # it is gone already, which the next look tells
        if process.stdin is not None:
            process.stdin.write(told)
            process.stdin.flush()
    return process
