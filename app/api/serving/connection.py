"""A connection, on which nobody may be slow, large or silent for longer than is allowed; uvicorn's own waits for ever."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api.admission.door import Turnstile, seen
from app.api.admission.lanes import lane_of
from app.api.admission.refusing import Refusal, raw
from app.api.bodies import LARGEST_BODY
from app.api.serving.gathering import GatheredWrites
from app.api.serving.glance import Glances

LARGEST_HEAD = 65_536
MOST_HEADERS = 100
MOST_PIPELINED = 16
_BAD = Refusal("bad-request", close=True)
_LARGE_HEAD = Refusal("head-too-large", close=True)
_SLOW_HEAD = Refusal("slow-body", detail="the head of the request did not come in time", close=True)
_log = structlog.get_logger("wanliu.http")


@dataclass(frozen=True, slots=True)
class Manners:
    """What is expected of connections: seconds for a head to come, and for an answer to be read on; and how many there may be."""

    head_seconds: float
    unread_seconds: float
    connections: int


class Connection(HttpToolsProtocol):
    """Answers requests, one after the other. `look` is to be called every second."""

    manners = Manners(10.0, 30.0, 2_000)
    turnstile: Turnstile | None = None
    glances: Glances | None = None
    quiet: ClassVar[dict[Connection, None]] = {}
    """Those on which nothing is asked, the longest silent first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ending = False
        """Is it to be closed with its next answer."""
        self._head_since: float | None = self.loop.time()
        self._head_bytes = self._excess = 0
        self._unread_since: float | None = None
        self._turned_away = False
        self._between = True
        """Has the parser seen all of what was asked so far, and nothing of what comes next."""
        self._idle_since: float | None = None

    @property
    def idle(self) -> bool:
        """Is nothing asked on it."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    @property
    def silent(self) -> bool:
        """Is nothing asked on it, and no question begun."""
        return self.idle and not self._head_bytes

    def end(self) -> None:
        """Close with the next answer that has not begun."""
        self.ending = True
        if not self.idle and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def look(self, now: float) -> None:
        """Close it where its client is too slow."""
        if self._head_since is not None and now - self._head_since > self.manners.head_seconds:
            self._close(_SLOW_HEAD)
        elif self._unread_since is not None and now - self._unread_since > self.manners.unread_seconds:
            self.transport.abort()
        elif self._idle_since is not None and now - self._idle_since > self.timeout_keep_alive:
            self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there. Where there are too many, one on which nothing is asked makes room, or this one is not taken."""
        self._writes = GatheredWrites(transport, self.loop)
        super().connection_made(self._writes)  # type: ignore[arg-type]
        self.quiet[self] = None
        if len(self.connections) > self.manners.connections:
            first = next(iter(self.quiet))
            del self.quiet[first]
            self.connections.discard(first)
            first.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.quiet.pop(self, None)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """An answer was given: the next thing that was asked is answered, or waited for."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._rest()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._between and self._refused_at_a_glance(data):
            return
        if not self._turned_away:
            self._idle_since = None
        if self._head_since is None and self.idle and not self._turned_away:
            self._head_since = self.loop.time()
        if self._head_since is not None:
            self._head_bytes += len(data)
            self.quiet.pop(self, None)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._close(_BAD)
            return
        except httptools.HttpParserUpgrade:
            pass  # answered as if it had not been asked for
        if self._head_since is not None and self._head_bytes > LARGEST_HEAD:
            self._close(_LARGE_HEAD)

    def on_message_begin(self) -> None:
        """Something is asked."""
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is there: it is refused, or answered."""
        self._head_since, self._head_bytes, self._excess = None, 0, 0
        if len(self.headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in self.headers) > LARGEST_HEAD:
            self._close(_LARGE_HEAD)
            return
        refusal = self._refusal() if self.idle else None
        if refusal is not None:
            self._turn_away(refusal)
            return
        if len(self.pipeline) >= MOST_PIPELINED:
            self.transport.abort()
            return
        super().on_headers_complete()
        if self.ending:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A part of a body. Of a request that was answered already, so much is passed over, and no more."""
        if self._turned_away or self.transport.is_closing() or self.idle:
            self._excess += len(body)
            if self._excess > LARGEST_BODY:
                self.transport.close()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._between = True
        if self._turned_away:
            self._turned_away = False
            self._rest()
        elif not self.idle:
            super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read."""
        self._unread_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        self._unread_since = None
        super().resume_writing()

    def _refused_at_a_glance(self, data: bytes) -> bool:
        """Most of what a flood asks is not even parsed."""
        refusal = self.glances.refusal(data, self._date) if self.glances and self.idle and not self.ending else None
        if refusal is None:
            return False
        self._head_since, self._head_bytes = None, 0
        self._writes.write_whole(refusal)
        self.quiet.pop(self, None)
        self._rest()
        return True

    def _refusal(self) -> Refusal | None:
        """Why it is not answered, where too much is asked: told without any of the machinery that answers."""
        if self.turnstile is None:
            return None
        method = self.parser.get_method().decode("ascii")
        lane = lane_of(method, self.url.partition(b"?")[0].decode("latin-1"))
        if lane == "health" or method == "HEAD":  # whose answer has no body, which the server sees to
            return None
        refusal = self.turnstile.crowded(lane, seen(self.headers))
        if refusal is None:
            self.turnstile.gate(lane).come()
        return refusal

    def _turn_away(self, refusal: Refusal) -> None:
        close = self.ending or not self.parser.should_keep_alive()
        self._turned_away, self._idle_since = True, self.loop.time()
        self.transport.write(raw(self.url.decode("latin-1"), refusal, date=self._date, close=close))
        if close:
            self.transport.close()

    def _close(self, refusal: Refusal) -> None:
        """Say what is wrong, unless an answer is under way, and close. A request whose body is not whole is given up."""
        if self.transport.is_closing():
            return
        if not self.idle and self.cycle.more_body and not self.cycle.response_started:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.idle or self.cycle.disconnected:
            self.transport.write(raw(self.url.decode("latin-1") if self._head_since is None else "", refusal, date=self._date))
            self.transport.close()
        else:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
        self._head_since = None

    def _rest(self) -> None:
        """From now on it is kept for the time that an idle one is."""
        self.quiet[self], self._idle_since = None, self.loop.time()

    @property
    def _date(self) -> bytes:
        for name, value in self.server_state.default_headers:
            if name == b"date":
                return value
        return b""
