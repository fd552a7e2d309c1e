"""Requests that no honest client sends, byte for byte: each is answered or closed, none is an error of ours, and no log repeats it."""

import json
from collections.abc import Iterator

import pytest

from tests.faults.http_service import HttpService, get, http_service, post
from tests.faults.load import request

pytestmark = pytest.mark.faults

CANARY = "13912345678"
HEAD = b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
WHOLE = json.dumps(request(CANARY)).encode()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpService]:
    """A service that logs all it ever logs."""
    with http_service(tmp_path_factory.mktemp("hostile"), LOG_LEVEL="debug") as service:
        yield service
        assert service.stop() == 0
    log = service.log.read_text()
    assert CANARY not in log
    assert "Traceback" not in log
    assert not any(json.loads(line)["level"] in ("error", "critical") for line in log.splitlines())


@pytest.fixture(autouse=True)
def answers(service: HttpService) -> Iterator[None]:
    """After each test the same worker answers as before."""
    before = service.workers
    yield
    for connection in service.connections:
        connection.close()
    assert service.connect().send(post("after")).answer()[0] == 200
    assert service.workers == before


def bodies() -> Iterator[tuple[str, bytes, int]]:
    """Bodies of `POST /v1/decisions`, and what each is answered."""
    yield "duplicate keys", b'{"channel": "call_centre", "channel": "app", ' + WHOLE[1:], 422
    yield "duplicate keys below", WHOLE.replace(b'"status"', b'"status": "closed", "status"', 1), 422
    yield "a huge integer", WHOLE.replace(b"12900", b"9" * 5_000, 1), 422
    yield "an integer of many digits", WHOLE.replace(b"12900", b"9" * 500_000, 1), 422
    yield "an exponent", WHOLE.replace(b"12900", b"1e999999", 1), 422
    yield "not a number", WHOLE.replace(b"12900", b"NaN", 1), 422
    yield "infinity", WHOLE.replace(b"12900", b"-Infinity", 1), 422
    yield "NUL in text", WHOLE.replace(b"s-13912345678", b"s-\\u000013912345678", 1), 422
    yield "a NUL byte", WHOLE.replace(b"s-13912345678", b"s-\x0013912345678", 1), 422
    yield "a lone surrogate", WHOLE.replace(b"s-13912345678", b"s-\\ud80013912345678", 1), 422
    yield "a surrogate's bytes", WHOLE.replace(b"s-13912345678", b"s-\xed\xa0\x8013912345678", 1), 422
    yield "no UTF-8", WHOLE.replace(b"s-13912345678", b"s-\xff\xfe13912345678", 1), 422
    yield "deep lists", b'{"subscriber": ' + b"[" * 400_000, 422
    yield "deep objects", b'{"a":' * 150_000 + b"1" + b"}" * 150_000, 422
    yield "deep lists in a known place", WHOLE.replace(b"[12900", b"[" * 300_000 + b"12900", 1), 422
    yield "many keys", b"{" + b",".join(b'"k%d":%d' % (number, number) for number in range(60_000)) + b"}", 422
    yield "nothing", b"", 422
    yield "a megabyte of blanks", b" " * (2**20 - 1), 422
    yield "more than a megabyte", b" " * (2**20 + 1), 413


@pytest.mark.parametrize(("body", "status"), [pytest.param(body, status, id=name) for name, body, status in bodies()])
def test_bodies(service: HttpService, body: bytes, status: int) -> None:
    """Each is a problem in problem+json that repeats nothing."""
    found, headers, content = service.connect().send(post("x", body=body)).answer()
    assert (found, headers["content-type"]) == (status, "application/problem+json")
    assert CANARY.encode() not in content


def heads() -> Iterator[tuple[str, bytes, int | None]]:
    """Requests of every kind of wrong, and what each is answered; none: the connection is closed."""
    yield "no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + CANARY.encode() + b"\r\n\r\n", 400
    yield "another protocol", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400
    yield "an invented method", b"DECIDE /v1/decisions HTTP/1.1\r\nhost: x\r\n\r\n", 400
    yield "a NUL in a header", get(b"/v1/packs", b"x-subscriber-id: " + CANARY.encode() + b"\x00"), 400
    yield "a line feed in a name", get(b"/v1/packs", b"a\nb: c"), 400
    yield "two lengths", HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}", 400
    yield "a length that is none", HEAD + b"content-length: -5\r\n\r\n{}", 400
    yield "length and chunks", HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400
    yield "chunks that are none", HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", 400
    yield "another encoding of chunks", HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 422
    yield "a length beyond all measure", HEAD + b"content-length: 999999999999\r\n\r\n", 413
    yield "a compressed bomb", HEAD + b"content-encoding: gzip\r\ncontent-length: 30\r\n\r\n" + b"\x1f\x8b" + b"x" * 28, 415
    yield "compressed twice", HEAD + b"content-encoding: br, gzip\r\ncontent-length: 30\r\n\r\n" + b"x" * 30, 415
    yield "no JSON", b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: text/xml\r\ncontent-length: 2\r\n\r\n{}", 415
    yield "a deadline that is none", post("x", b"wanliu-deadline-ms: soon"), 422
    yield "a key of any length", post("x", b"authorization: Bearer " + b"w" * 20_000), 200
    yield "a key that is no text", post("x", b"x-api-key: \xff\xfe\x80"), 200
    yield "two hundred headers", get(b"/v1/packs", *(b"h%d: x" % number for number in range(200))), 431
    yield "a header of 70 KB", get(b"/v1/packs", b"h: " + b"x" * 70_000), 431
    yield "a path of 70 KB", get(b"/v1/packs/" + b"x" * 70_000), 400
    yield "bytes in a path", get(b"/v1/packs/\xff\xfe" + CANARY.encode()), 400
    yield "escaped bytes in a path", get(b"/v1/packs/%ff%fe" + CANARY.encode()), 404
    yield "NUL in a path", get(b"/v1/decisions/%00" + CANARY.encode()), 422
    yield "a surrogate in a path", get(b"/v1/decisions/%ed%a0%80"), 422
    yield "a way out of a path", get(b"/v1/../../etc/passwd"), 404
    yield "NUL in a query", get(b"/v1/packs?%00=" + CANARY.encode()), 422
    yield "bytes in a query", get(b"/v1/packs?q=%ff%fe%ed%a0%80"), 422
    yield "a surrogate in a header", get(b"/v1/subscribers/-/record", b"x-subscriber-id: \xed\xa0\x80"), 422
    yield "an upgrade", get(b"/healthz", b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13"), 200
    yield "a proxy's method", b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n", 400
    yield "an address of another", b"GET http://example.com/healthz HTTP/1.1\r\nhost: x\r\n\r\n", 200
    yield "a path that is no path", b"GET healthz HTTP/1.1\r\nhost: x\r\n\r\n", 400
    yield "HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", 200
    yield "HTTP/9.9", b"GET /healthz HTTP/9.9\r\n\r\n", 400


@pytest.mark.parametrize(("sent", "status"), [pytest.param(sent, status, id=name) for name, sent, status in heads()])
def test_heads(service: HttpService, sent: bytes, status: int) -> None:
    """Each is answered; what is refused is a problem that repeats nothing."""
    found, headers, content = service.connect().send(sent).answer()
    assert found == status, content
    if status != 200:
        assert headers["content-type"] == "application/problem+json"
        assert CANARY.encode() not in content


def test_a_body_that_never_ends(service: HttpService) -> None:
    """Of a request that reads no body so much is passed over, and then the connection is closed."""
    connection = service.connect()
    connection.send(b"GET /nothing HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(3_000):
        connection.send(b"400\r\n" + b"x" * 1_024 + b"\r\n")
    assert connection.is_closed()


def test_something_wrong_after_something_right(service: HttpService) -> None:
    """What was asked before the mistake is answered; then the connection is closed, and nothing after it is taken for a request."""
    connection = service.connect()
    connection.send(post("right") + b"\x00\x01\x02\r\n\r\n" + get(b"/healthz"))
    assert connection.answer()[0] == 200
    assert connection.is_closed()


def test_what_is_too_large_is_told_before_it_came(service: HttpService) -> None:
    """A client that waits with its body for a word (Expect: 100-continue) is spared sending it."""
    connection = service.connect()
    connection.send(HEAD + b"expect: 100-continue\r\ncontent-length: 5000000\r\n\r\n")
    assert connection.answer()[0] == 413
    assert connection.is_closed()
