"""`wanliu serve` as a process, with the small pack, and raw connections to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.load import request
from tests.faults.processes import children_of
from tests.packs_in_force import settings_in, version, write

PATIENCE = 60.0
PROGRAM = str(Path(sys.executable).with_name("wanliu"))


@dataclass(frozen=True)
class HttpService:
    """A service that runs, and where."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    folder: Path
    connections: list[Raw] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> set[int]:
        """Its worker processes."""
        return children_of(self.process.pid)

    def connect(self, seconds: float = 20.0) -> Raw:
        """A connection to it."""
        self.connections.append(Raw(socket.create_connection(("127.0.0.1", self.port), seconds)))
        return self.connections[-1]

    def stop(self) -> int:
        """Tell it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


class Raw:
    """A connection on which exactly these bytes are sent."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._read = b""

    def send(self, data: bytes) -> Raw:
        """Send bytes; that nobody takes them is for `answer` to see."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)
        return self

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer.

        Raises:
            EOFError: it was closed.
        """
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return int(first.split()[1]), headers, body

    def is_closed(self) -> bool:
        """Wait until the other side closes it; what comes before is passed over. False where it is silent for too long."""
        try:
            while self.socket.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def _more(self) -> None:
        try:
            data = self.socket.recv(65_536)
        except ConnectionError:
            data = b""
        if not data:
            raise EOFError(self._read)
        self._read += data


@contextlib.contextmanager
def http_service(folder: Path, **settings: str) -> Iterator[HttpService]:
    """A service with the small pack in a folder, and these settings besides; killed at the end where it still runs."""
    own = settings_in(folder)
    if not own.pack.exists():
        write(own.pack, version("1.0.0"))
    given = {
        "PORT": "0",
        "PACK": str(own.pack),
        "DATABASE_URL": own.database_url,
        "KEY_FILE": str(own.key_file),
        "CACHE_DIR": str(own.cache_dir),
        "STORE_DEADLINE_MS": "30000",
        "QUEUE_MS": "30000",
        "LOG_FORMAT": "json",
        **settings,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANLIU_")}
    environment = kept | {f"WANLIU_{name}": value for name, value in given.items()}
    log = folder / "service.log"
    with log.open("wb") as file, subprocess.Popen([PROGRAM, "serve"], env=environment, cwd=folder, stdout=file, stderr=file) as process:
        service = None
        try:
            service = HttpService(process, _port(process, log), log, folder)
            yield service
        finally:
            for connection in service.connections if service else ():
                connection.close()
            for pid in children_of(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.kill()


def post(key: str, *headers: bytes, path: bytes = b"/v1/decisions", body: bytes | None = None) -> bytes:
    """The bytes of a request for a decision."""
    content = json.dumps(request(key)).encode() if body is None else body
    lines = [b"POST %b HTTP/1.1" % path, b"host: x", b"content-type: application/json", b"content-length: %d" % len(content), *headers]
    return b"\r\n".join([*lines, b"", content])


def get(path: bytes, *headers: bytes) -> bytes:
    """The bytes of a request without a body."""
    return b"\r\n".join([b"GET %b HTTP/1.1" % path, b"host: x", *headers, b"", b""])


def until(find: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What is found at last."""
    give_up = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < give_up, "not in time"
        time.sleep(0.05)
    return found


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    def listening() -> int | None:
        assert process.poll() is None, log.read_text()
        lines = [json.loads(line) for line in log.read_text().splitlines() if '"listening"' in line]
        return int(lines[0]["address"].rpartition(":")[2]) if lines else None

    port: int = until(listening)
    return port
