"""The servers that `bench/http.py` measures, each a process of its own on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.plain import BODIES, ROLE, ROOT

_SECONDS_TO_START = 120.0
_SECONDS_TO_END = 20.0
_PROGRAM = (sys.executable, "-c", "from app.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens, and the key that it wants, if any."""

    address: str
    key: str | None = None
    pid: int = 0


@contextlib.contextmanager
def wanliu(folder: Path, database_url: str, **settings: str) -> Iterator[Server]:
    """The service as it is shipped, with one caller; its record in `database_url`, all else in `folder`."""
    environment = {
        **_environment(),
        "WANLIU_DATABASE_URL": database_url,
        "WANLIU_KEY_FILE": str(folder / "wanliu.keys"),
        "WANLIU_PACK": str(ROOT),
        **{f"WANLIU_{name.upper()}": value for name, value in settings.items()},
    }
    added = subprocess.run(
        (*_PROGRAM, "caller", "add", "bench", "--role", ROLE), env=environment, capture_output=True, check=True, text=True
    )
    port = _free_port()
    with _running((*_PROGRAM, "serve"), {**environment, "WANLIU_PORT": str(port)}, folder) as process:
        server = Server(f"http://127.0.0.1:{port}", added.stdout.split()[0], process.pid)
        _wait(server, "/readyz", process)
        yield server


@contextlib.contextmanager
def uvicorn(folder: Path, bodies: Path, application: str, *options: str) -> Iterator[Server]:
    """An application of `bench.plain`, in the same server as the service runs in, with one process and without a line a request."""
    port = _free_port()
    command = (sys.executable, "-m", "uvicorn", application, "--port", str(port), "--no-access-log", "--log-level", "warning", *options)
    with _running(command, {**_environment(), BODIES: str(bodies)}, folder) as process:
        server = Server(f"http://127.0.0.1:{port}", pid=process.pid)
        _wait(server, "/", process)
        yield server


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANLIU_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


@contextlib.contextmanager
def _running(command: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Server, path: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and time.monotonic() < give_up:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(server.address + path).status_code < 500:
                return
        time.sleep(0.1)
    raise SystemExit("a server did not start; server.log in its folder says why")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
