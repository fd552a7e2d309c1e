"""When the client sends a call again, how long it waits, and who it says it is."""

import asyncio
import datetime
from typing import Any

import httpx
import pytest

from app.client import AsyncWanliuClient, WanliuClient, WanliuError
from app.client.attempts import Attempts, Patience, jittered, named_pause

pytestmark = pytest.mark.contract

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)


def done() -> httpx.Response:
    return httpx.Response(200, json={"ok": 1})


class Clock:
    """Goes forward by what is slept."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)


def client_of(*answers: httpx.Response | Exception, **options: Any) -> tuple[WanliuClient, Clock, list[httpx.Request]]:
    left, clock, sent = iter(answers), Clock(), list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(httpx.Request(request.method, request.url, headers=request.headers))
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return WanliuClient(transport=httpx.MockTransport(answer), sleep=clock.sleep, clock=clock, **options), clock, sent


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("Sun, 22 Nov 2026 02:00:07 GMT", 7.0),
        ("Sun, 22 Nov 2026 01:00:00 GMT", 0.0),
        ("9" * 400, float("inf")),
        ("soon", None),
        ("-1", None),
        ("", None),
        (None, None),
    ],
)
def test_pauses_are_named_in_two_ways(header: str | None, seconds: float | None) -> None:
    """In seconds, or as a date; anything else names none."""
    assert named_pause(header, NOW) == seconds


def test_pauses_grow_and_differ() -> None:
    """Twice as long each time, less up to a half."""
    for attempt, most in enumerate((0.2, 0.4, 0.8), 1):
        found = {jittered(attempt) for _ in range(50)}
        assert len(found) > 1
        assert all(most / 2 <= pause <= most for pause in found)


def test_pauses_do_not_grow_for_ever() -> None:
    """Up to three seconds, however many there were: who came back is noticed soon."""
    assert all(1.5 <= jittered(attempt) <= 3 for attempt in (5, 6, 60, 6_000))


@pytest.mark.parametrize("error", [httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x"), httpx.ReadError("x")])
def test_what_may_have_arrived_is_not_sent_twice(error: Exception) -> None:
    """A step with a pack has no key: when its answer is lost, the caller has to look. A decision has one, and reading does no harm."""
    client, _, sent = client_of(error, done())
    with pytest.raises(type(error)):
        client.approve("sha256:" + "0" * 64)
    assert len(sent) == 1
    for call in (lambda client: client.decide({}), lambda client: client.decision("x"), lambda client: client.what_if({})):
        client, _, sent = client_of(error, done())
        assert call(client) == {"ok": 1}
        assert len(sent) == 2


def test_what_was_never_sent_may_be_sent() -> None:
    """Nobody listened."""
    client, _, sent = client_of(httpx.ConnectError("x"), done())
    assert client.approve("sha256:" + "0" * 64) == {"ok": 1}
    assert len(sent) == 2


def test_what_was_refused_before_it_began_may_be_sent() -> None:
    """429 says that nothing was done; 503 does not."""
    client, clock, _ = client_of(httpx.Response(429, headers={"retry-after": "2"}), done())
    assert client.approve("x") == {"ok": 1}
    assert clock.pauses == [2.0]
    client, _, sent = client_of(httpx.Response(503, headers={"retry-after": "2"}), done())
    with pytest.raises(WanliuError) as refused:
        client.approve("x")
    assert (refused.value.retry_after, len(sent)) == (2.0, 1)


def test_all_attempts_have_one_deadline() -> None:
    """A pause that goes beyond it is not made, and the service is told how long the caller still waits."""
    client, clock, sent = client_of(*(httpx.Response(503, headers={"retry-after": "4"}) for _ in range(9)), retries=8, deadline=10)
    with pytest.raises(WanliuError):
        client.decide({})
    assert clock.pauses == [4.0, 4.0]
    assert [request.headers["wanliu-deadline-ms"] for request in sent] == ["10000", "6000", "2000"]


def restarting(seconds: float, clock: Clock, down: Exception | None) -> httpx.MockTransport:
    """A service that answers after so many seconds; until then, 502 as a proxy does, or nobody at all."""

    def answer(_: httpx.Request) -> httpx.Response:
        if clock.now >= seconds:
            return done()
        if down:
            raise down
        return httpx.Response(502, text="<html>")

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("down", [None, httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")])
def test_a_restart_is_waited_for(down: Exception | None) -> None:
    """As long as the deadline leaves time, however many attempts that are; a caller notices soon when it is over."""
    for seconds in (5, 20, 26):
        clock = Clock()
        client = WanliuClient(transport=restarting(seconds, clock, down), sleep=clock.sleep, clock=clock)
        assert client.decide({}) == {"ok": 1}
        assert seconds <= clock.now < seconds + 3
    clock = Clock()
    client = WanliuClient(transport=restarting(31, clock, down), sleep=clock.sleep, clock=clock)
    with pytest.raises((WanliuError, httpx.TransportError)):
        client.decide({})
    assert 27 < clock.now < 30


def test_a_service_that_names_no_pause_is_not_asked_without_end() -> None:
    """`Retry-After: 0` is a pause too: growing ones are made, and no longer named one is cut."""
    client, clock, sent = client_of(*(httpx.Response(503, headers={"retry-after": "0"}) for _ in range(60)))
    with pytest.raises(WanliuError):
        client.decide({})
    assert 10 < len(sent) < 25
    assert all(pause >= 0.1 for pause in clock.pauses)


@pytest.mark.parametrize("error", [httpx.UnsupportedProtocol("x"), httpx.LocalProtocolError("x")])
def test_what_cannot_be_sent_is_not_tried_again(error: Exception) -> None:
    """An address without a scheme fails the same way each time."""
    client, _, sent = client_of(error, done())
    with pytest.raises(type(error)):
        client.decide({})
    assert len(sent) == 1


def test_attempts_are_counted() -> None:
    """Where so many are wished for, so many, however short the pauses."""
    clock = Clock()
    attempts = Attempts(Patience(2, 100), clock, repeatable=True)
    pauses = [attempts.pause_after(httpx.Response(503)) for _ in range(3)]
    assert [pause is None for pause in pauses] == [False, False, True]


def test_a_key_may_come_from_a_file() -> None:
    """With the end of its line; an empty one is none."""
    for key, sends in (("wl_x\n", "Bearer wl_x"), (" wl_x\r\n", "Bearer wl_x"), ("", None)):
        client, _, sent = client_of(done(), key=key)
        client.decide({})
        assert sent[0].headers.get("authorization") == sends


@pytest.mark.parametrize("key", ["wl_secret and more", "wl_secret\nx-other: 1", "wl_secret\x00", "wl_secr\u00e9t"])
def test_what_is_no_key_is_not_told(key: str) -> None:
    """A key that cannot be one is refused here, in words that do not have it."""
    client, _, sent = client_of(done(), key=key)
    with pytest.raises(ValueError, match="no API key and no token has") as refused:
        client.decide({})
    assert "secr" not in str(refused.value)
    assert sent == []


def test_a_token_is_asked_for_again_when_it_is_refused() -> None:
    """Once, and only if it is another one."""
    tokens = iter(["old", "new", "old", "old"])
    client, _, sent = client_of(httpx.Response(401), done(), httpx.Response(401), key=lambda: next(tokens))
    assert client.decide({}) == {"ok": 1}
    assert [request.headers["authorization"] for request in sent] == ["Bearer old", "Bearer new"]
    with pytest.raises(WanliuError):
        client.decide({})


def test_a_token_may_be_awaited() -> None:
    """By the client for event loops; the other one says that it cannot."""

    async def token() -> str:
        return "later"

    async def work() -> Any:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json=request.headers["authorization"]))
        async with AsyncWanliuClient(key=token, transport=transport) as wanliu:
            return await wanliu.decision("x")

    assert asyncio.run(work()) == "Bearer later"
    client, _, _ = client_of(done(), key=lambda: 5)
    with pytest.raises(TypeError, match="only AsyncWanliuClient awaits it"):
        client.decide({})


def test_the_asynchronous_one_tries_again_too() -> None:
    """After the pause that is named."""
    answers, pauses = iter([httpx.Response(503, headers={"retry-after": "1"}), httpx.ConnectError("x"), done()]), list[float]()

    def answer(_: httpx.Request) -> httpx.Response:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def work() -> Any:
        async with AsyncWanliuClient(transport=httpx.MockTransport(answer), sleep=sleep) as wanliu:
            return await wanliu.decide({})

    assert asyncio.run(work()) == {"ok": 1}
    assert pauses[0] == 1.0
    assert len(pauses) == 2


@pytest.mark.parametrize("body", [b"<html>", b"{", b"[]", b'"x"', b"{}", b'{"type": 5, "errors": [1, {}]}'])
@pytest.mark.parametrize("kind", ["application/problem+json", "text/html"])
def test_whatever_answers_is_an_error_with_its_status(body: bytes, kind: str) -> None:
    """A proxy's page, or a problem that is none."""
    client, _, _ = client_of(httpx.Response(502, content=body, headers={"content-type": kind}), retries=0)
    with pytest.raises(WanliuError) as refused:
        client.decide({})
    assert refused.value.status == 502


def test_an_error_of_tm_forum_is_one_too() -> None:
    """With its code and message."""
    told = {"@type": "Error", "code": "invalid-request", "reason": "Wrong", "message": "channel: no", "status": "400"}
    client, _, _ = client_of(httpx.Response(400, json=told, headers={"content-type": "application/json;charset=utf-8"}))
    with pytest.raises(WanliuError, match="400 Wrong: channel: no") as refused:
        client.recommend({})
    assert refused.value.kind == "invalid-request"
