"""A receiver of events for tests: a web server that remembers what came, and answers as it is told to."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

Answer = tuple[int, dict[str, str], bytes]
TAKEN: Answer = (204, {}, b"")


@dataclass
class Received:
    """An event as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.event["data"]
        return found


@dataclass
class Receiver:
    """What came, and what is answered: `answer` says it of each, by default that it was taken."""

    port: int = 0
    answer: Callable[[Received], Answer | float] = lambda _: TAKEN
    received: list[Received] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def taken(self) -> list[Received]:
        """What was answered with 2xx, in its order."""
        with self.changed:
            return [item for item in self.received if 200 <= item.answered < 300]

    def wait(self, enough: Callable[[Receiver], bool], seconds: float = 60) -> None:
        """Wait until enough came."""
        give_up = time.monotonic() + seconds
        with self.changed:
            while not enough(self):
                left = give_up - time.monotonic()
                assert left > 0, f"waited for {seconds} s; {len(self.received)} came, {[item.answered for item in self.received][-20:]}"
                self.changed.wait(left)

    def wait_for(self, count: int, seconds: float = 60) -> list[Received]:
        """Wait until so many were taken; them."""
        self.wait(lambda receiver: len(receiver.taken) >= count, seconds)
        return self.taken


@contextlib.contextmanager
def receiving(**options: Any) -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver(**options)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            body = self.rfile.read(size)
            if len(body) < size:  # whoever sent it was killed
                return
            came = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body, 0)
            answer = receiver.answer(came)
            if isinstance(answer, float):
                time.sleep(answer)
                answer = TAKEN
            came.answered = answer[0]
            with receiver.changed:
                receiver.received.append(came)
                receiver.changed.notify_all()
            with contextlib.suppress(OSError):
                self._reply(*answer)

        def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status not in (204, 304):
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
