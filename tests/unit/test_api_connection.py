"""A connection on which too much is asked: what is refused without being parsed, and what never is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.api.admission.door import Admission, Turnstile
from app.api.admission.gate import Room
from app.api.admission.limits import Limits
from app.api.serving.connection import Connection, Manners
from app.api.serving.glance import Glances, glance

pytestmark = pytest.mark.unit

DATE = b"Mon, 23 Nov 2026 02:39:16 GMT"
BODY = b'{"channel":"call_centre"}'
TMF = "/productRecommendation/v4/queryProductRecommendation"


class Transport(asyncio.Transport):
    """Notes what is written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Service:
    """Connections of a process that answers `let in` to whatever is let in."""

    def __init__(self) -> None:
        rooms = {"interactive": Room(2, 1.0, 0), "office": Room(1, 1.0, 0), "batch": Room(1, 0.0, 0)}
        self.turnstile = Turnstile(Limits(rooms, 0.0, 1.0))  # type: ignore[arg-type]
        self.asked: list[str] = []
        own = {"turnstile": self.turnstile, "glances": Glances(self.turnstile), "quiet": {}, "manners": Manners(10.0, 30.0, 100)}
        app = Admission(self._answer, self.turnstile)
        self._config = uvicorn.Config(app, http=type("Own", (Connection,), own), interface="asgi3", log_config=None, access_log=False)
        self._config.load()
        self._state = ServerState()
        self._state.default_headers = [(b"date", DATE)]
        self.connection, self.transport = self.connect()

    def connect(self) -> tuple[Connection, Transport]:
        """One more connection."""
        made: Any = self._config.http_protocol_class(self._config, self._state, {})  # type: ignore[operator, call-arg]
        transport = Transport()
        made.connection_made(transport)
        return made, transport

    async def crowd(self, lane: Any = "interactive") -> None:
        """From now on everybody who comes is refused there."""
        gate = self.turnstile.gate(lane)
        while gate.full() is None:
            await gate.enter()
        await asyncio.sleep(0.001)

    async def send(self, *parts: bytes) -> bytes:
        """What is answered to these bytes, which come one after the other."""
        before = len(self.transport.written)
        for part in parts:
            self.connection.data_received(part)
            await asyncio.sleep(0.001)
        return self.transport.written[before:]

    def kept(self) -> tuple[list[bool], bytes]:
        """Is the connection kept, seconds before it is idle for too long and seconds after; and all that was written."""
        now, told = asyncio.get_running_loop().time(), list[bool]()
        for seconds in (4.0, 11.0):
            self.connection.look(now + seconds)
            told.append(not self.transport.closed)
        return told, self.transport.written

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
        await send({"type": "http.response.body", "body": b"let in"})


def run(work: Callable[[Service], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        return await work(Service())

    return asyncio.run(whole())


def post(path: str = "/v1/decisions", *headers: str, body: bytes = BODY) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: x", "content-type: application/json", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@pytest.mark.parametrize("path", ["/v1/decisions", TMF, "/v1/decisions/019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b/responses", "/nothing"])
def test_it_is_refused_with_the_same_bytes(path: str) -> None:
    """Whether it comes in one piece, and is not parsed, or in two, and is: both are counted, and nobody is asked."""

    async def work(service: Service) -> tuple[bytes, bytes]:
        await service.crowd()
        whole = post(path)
        seen, parsed = await service.send(whole), await service.send(whole[:40], whole[40:])
        assert (service.turnstile.refused, service.asked) == ({"overloaded": 2}, [])
        return seen, parsed

    seen, parsed = run(work)
    assert seen == parsed
    assert seen.startswith(b"HTTP/1.1 503 Service Unavailable\r\ndate: " + DATE + b"\r\ncontent-type: application/")
    assert b"\r\nretry-after: 1\r\n" in seen


def test_it_is_let_in_where_there_is_room() -> None:
    """As long as nobody is too late, nothing is refused; and one that was refused may ask again on the same connection."""

    async def work(service: Service) -> list[bytes]:
        before = await service.send(post())
        await service.crowd()
        refused = await service.send(post())
        service.turnstile.gate("interactive").leave(None)
        return [answer[9:12] for answer in (before, refused, await service.send(post()))]

    assert run(work) == [b"200", b"503", b"200"]


def test_who_comes_in_the_same_turn_is_counted() -> None:
    """Of ten that come at once, before any of them could enter, no more are let in than there is room for."""

    async def work(service: Service) -> list[bytes]:
        ten = [service.connect() for _ in range(10)]
        for connection, _ in ten:
            connection.data_received(post())
        await asyncio.sleep(0.01)
        return [transport.written[9:12] for _, transport in ten]

    assert run(work) == [b"200"] * 2 + [b"503"] * 8


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_whether_it_is_well_is_always_told(path: str) -> None:
    """However much is asked."""

    async def work(service: Service) -> list[str]:
        await service.crowd()
        assert b"let in" in await service.send(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        return service.asked

    assert run(work) == [path]


def test_another_lane_is_not_concerned() -> None:
    """A search is let in while no decision is; a batch is refused for its own sake alone."""

    async def work(service: Service) -> list[bytes]:
        await service.crowd()
        search = b"GET /v1/decisions HTTP/1.1\r\nhost: x\r\n\r\n"
        answers = [await service.send(search), await service.send(post("/v1/decisions/batch"))]
        await service.crowd("office")
        return [answer[9:12] for answer in (*answers, await service.send(search))]

    assert run(work) == [b"200", b"200", b"503"]


def test_the_body_of_a_request_is_no_request() -> None:
    """Of a request that was answered before its body came, the rest is passed over, whatever it looks like."""

    async def work(service: Service) -> bytes:
        inner = post()
        head, _, _ = post("/v1/decisions/batch", body=inner).partition(b"\r\n\r\n")
        assert b"let in" in await service.send(head + b"\r\n\r\n")
        await service.crowd()
        return await service.send(inner)

    assert run(work) == b""


def test_what_is_asked_together_is_answered_in_order() -> None:
    """A request that comes with the beginning of the next one is parsed, and so is the rest of that."""

    async def work(service: Service) -> tuple[bytes, bytes]:
        await service.crowd()
        whole = post()
        return await service.send(whole + whole[:30]), await service.send(whole[30:])

    first, second = run(work)
    assert first == second
    assert first.startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize(
    ("header", "close", "kind"),
    [
        ("connection: close", True, b"overloaded"),
        ("wanliu-deadline-ms: 1", False, b"overloaded"),
        ("transfer-encoding: chunked", True, b"bad-request"),
        ("content-length: 5", True, b"bad-request"),
        ("a\x00: b", True, b"bad-request"),
    ],
)
def test_what_says_more_is_parsed(header: str, close: bool, kind: bytes) -> None:
    """How it is framed, or how its connection goes on, is heeded as ever; and what is wrong is not told to be too much."""

    async def work(service: Service) -> tuple[bytes, bool]:
        await service.crowd()
        return await service.send(post("/v1/decisions", header)), service.transport.closed

    told, closed = run(work)
    assert kind in told
    assert closed == close == (b"\r\nconnection: close\r\n" in told)


@pytest.mark.parametrize("parts", [[post()], [post()[:-5]], [post()[:-5], b"x"]])
def test_a_connection_is_not_kept_for_ever(parts: list[bytes]) -> None:
    """One on which a request was refused, whole or not, is kept as long as one on which nothing is asked; no head is waited for."""

    async def work(service: Service) -> tuple[list[bool], bytes]:
        await service.crowd()
        await service.send(*parts)
        return service.kept()

    kept, told = run(work)
    assert kept == [True, False]
    assert told.count(b"HTTP/1.1") == 1


def test_a_connection_that_was_answered_is_not_kept_for_ever() -> None:
    """Nor one on which nothing was refused."""

    async def work(service: Service) -> tuple[list[bool], bytes]:
        assert b"let in" in await service.send(post())
        return service.kept()

    assert run(work)[0] == [True, False]


def test_a_connection_that_ends_says_so() -> None:
    """A refusal too tells that it was the last answer, where the process leaves."""

    async def work(service: Service) -> tuple[bytes, bool]:
        await service.crowd()
        service.connection.end()
        return await service.send(post()), service.transport.closed

    told, closed = run(work)
    assert b"\r\nconnection: close\r\n" in told
    assert closed


def test_an_answer_to_head_has_no_body() -> None:
    """A refusal neither: it would be taken for the beginning of the next answer."""

    async def work(service: Service) -> bytes:
        await service.crowd()
        return await service.send(b"HEAD /v1/my/choices HTTP/1.1\r\nhost: x\r\n\r\n")

    told = run(work)
    assert told.startswith(b"HTTP/1.1 503 ")
    assert told.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "data",
    [
        post(),
        post("/v1/decisions", "Connection: keep-alive", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        post(body=b"\r\n\r\nPOST / HTTP/1.1\r\n\r\n"),
        b"GET /v1/my/choices HTTP/1.1\r\n\r\n",
        b"GET /v1/my/choices HTTP/1.1\r\nx:\r\ny: \xff\r\n\r\n",
    ],
)
def test_seen_at_a_glance(data: bytes) -> None:
    """Whole requests, as most clients write them."""
    assert glance(data) is not None


@pytest.mark.parametrize(
    "data",
    [
        post()[:-1],
        post() + b"P",
        b"\r\n" + post(),
        post("/v1/decisions?x=1"),
        post("/v1/decisions%20"),
        post("http://x/v1/decisions"),
        post().replace(b"1.1", b"1.0"),
        post().replace(b"POST", b"HEAD"),
        post().replace(b"\r\n", b"\n"),
        post().replace(b"\r\nhost", b"\r\n host"),
        post().replace(b"host:", b"host :"),
        post().replace(b"host:", b":"),
        post().replace(b"host: x", b"host: x\ry"),
        post().replace(b"host: x", b"host: x\x7f"),
        post().replace(b"Length: ", b"Length: +"),
        post().replace(b"Length: ", b"Length: 0x"),
        post().replace(b"Length: 25", b"Length: 9999999999"),
        post("/v1/decisions", "content-length: 25"),
        post("/v1/decisions", "Transfer-Encoding: identity"),
        post("/v1/decisions", "CONNECTION: upgrade", "upgrade: websocket"),
        post("/v1/decisions", "connection: keep-alive, x"),
        post("/v1/decisions", "Expect: 100-continue"),
        post("/v1/decisions", "WANLIU-deadline-ms: 250"),
        post("/v1/decisions", *(f"h{number}: x" for number in range(100))),
        post("/v1/decisions", "h: " + "x" * 70_000),
        b"",
    ],
)
def test_not_seen_at_a_glance(data: bytes) -> None:
    """Anything else: what is not whole, or more than whole, and whatever makes a difference."""
    assert glance(data) is None
