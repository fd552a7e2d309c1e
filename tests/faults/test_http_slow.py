"""Clients that are slow, silent or many: each is answered or closed in time, and the others do not feel them."""

import contextlib
import time
from collections.abc import Iterator

import pytest

from tests.faults.http_service import HttpService, Raw, get, http_service, post

pytestmark = pytest.mark.faults

CONNECTIONS = 40


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpService]:
    """A service that is not patient."""
    limits = {"HEAD_SECONDS": "1", "BODY_SECONDS": "2", "IDLE_SECONDS": "1", "CONNECTIONS": str(CONNECTIONS), "CONCURRENCY": "2"}
    with http_service(tmp_path_factory.mktemp("slow"), **limits) as service:
        yield service
        assert service.stop() == 0


@pytest.fixture(autouse=True)
def answers(service: HttpService) -> Iterator[None]:
    """After each test the service answers as before."""
    yield
    for connection in service.connections:
        connection.close()
    assert service.connect().send(post("after")).answer()[0] == 200


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /healthz HTTP/1.1\r\nhost", b"\r\n\r\n\r\n"])
def test_a_head_that_does_not_come(service: HttpService, sent: bytes) -> None:
    """It is answered 408 and closed after WANLIU_HEAD_SECONDS, whatever of it came."""
    connection = service.connect().send(sent)
    status, headers, _ = connection.answer()
    assert (status, headers["connection"]) == (408, "close")
    assert connection.is_closed()


def test_a_head_that_comes_in_drops(service: HttpService) -> None:
    """A byte now and then does not make it last (slowloris)."""
    connection = service.connect()
    begun = time.monotonic()
    while time.monotonic() - begun < 2.5:
        connection.send(b"G")
        time.sleep(0.1)
    assert connection.is_closed()


@pytest.mark.parametrize("part", [0, 10, -1])
def test_a_body_that_does_not_come(service: HttpService, part: int) -> None:
    """It is answered 408 and closed after WANLIU_BODY_SECONDS, and took nobody's place meanwhile."""
    whole = post("slow")
    head = whole.index(b"\r\n\r\n") + 4
    waiting = [service.connect().send(whole[: head + part] if part >= 0 else whole[:part]) for _ in range(8)]
    begun = time.monotonic()
    assert service.connect().send(post("fast")).answer()[0] == 200
    assert time.monotonic() - begun < 2
    for connection in waiting:
        status, headers, body = connection.answer()
        assert (status, headers["connection"]) == (408, "close")
        assert b"urn:wanliu:problem:slow-body" in body
        assert connection.is_closed()


def test_a_chunked_body_that_comes_in_drops(service: HttpService) -> None:
    """Bytes that keep coming are not enough: all of it has to be there in time."""
    connection = service.connect()
    connection.send(b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    begun = time.monotonic()
    while time.monotonic() - begun < 3:
        connection.send(b"1\r\n{\r\n")
        time.sleep(0.1)
    assert connection.is_closed()


def test_a_connection_on_which_nothing_more_is_asked(service: HttpService) -> None:
    """It is closed after WANLIU_IDLE_SECONDS."""
    connection = service.connect()
    assert connection.send(get(b"/healthz")).answer()[0] == 200
    assert connection.is_closed()


def test_a_client_that_does_not_read(service: HttpService) -> None:
    """Answers are not piled up for it: when it has not read on for a while its connection is cut, and its place is free."""
    connection = service.connect(60)
    asked = [connection.send(get(b"/openapi.json")) for _ in range(12)]
    assert service.connect().send(post("reads")).answer()[0] == 200
    time.sleep(4)
    assert _answers(connection) < len(asked)


def test_more_connections_than_are_kept(service: HttpService) -> None:
    """Of a flood those are closed on which nothing is asked; whoever asks is answered."""
    flood = [service.connect() for _ in range(3 * CONNECTIONS)]
    assert service.connect().send(post("among")).answer()[0] == 200
    for connection in flood:
        connection.socket.settimeout(0.01)
    assert sum(connection.is_closed() for connection in flood) >= 2 * CONNECTIONS - 1


def test_one_request_after_the_other_without_waiting(service: HttpService) -> None:
    """Pipelined requests are answered in their order."""
    connection = service.connect()
    connection.send(get(b"/healthz") + post("first") + get(b"/nothing") + post("second"))
    assert [connection.answer()[0] for _ in range(4)] == [200, 200, 404, 200]


def test_too_many_requests_without_waiting(service: HttpService) -> None:
    """Hundreds of them at once are not worked off for somebody who does not wait for answers."""
    connection = service.connect()
    connection.send(post("piled") * 500)
    assert connection.is_closed()


def test_a_client_that_hangs_up(service: HttpService) -> None:
    """In the middle of a head, of a body, or before its answer: nobody is left waiting in its place."""
    whole = post("gone")
    for end in (20, len(whole) - 10, len(whole)):
        for _ in range(10):
            service.connect().send(whole[:end]).close()
    assert service.connect().send(post("here")).answer()[0] == 200


def _answers(connection: Raw) -> int:
    """How many whole answers come before it is closed."""
    count = 0
    with contextlib.suppress(EOFError, OSError):
        while connection.answer():
            count += 1
    return count
