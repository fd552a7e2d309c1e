"""Many decisions in one request, line by line."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from app.api.batch import answering, deciding
from app.api.batch.incoming import Incoming, Line, Stalled, Stopped
from app.api.batch.shapes import ALSO_NDJSON, NDJSON
from app.api.bodies import LARGEST_BODY
from app.engine.vocabulary.examples import EXAMPLES
from tests.contract.conftest import Guarded

pytestmark = pytest.mark.contract

PATH = "/v1/decisions/batch"
LIVE: Any = EXAMPLES[0]


def line(number: int, **fields: Any) -> bytes:
    asked = {**LIVE, "explain": "none", "reference": f"r-{number}", "subscriber": {**LIVE["subscriber"], "id": f"s-{number}"}, **fields}
    return json.dumps(asked).encode() + b"\n"


def lines(count: int) -> bytes:
    return b"".join(map(line, range(1, count + 1)))


def sent(http: TestClient, body: Any, **headers: str) -> list[dict[str, Any]]:
    """The lines of the answer, the last one too."""
    response = http.post(PATH, content=body, headers={"content-type": NDJSON, **headers})
    assert (response.status_code, response.headers["content-type"]) == (200, NDJSON)
    assert response.content.endswith(b"\n")
    return [json.loads(part) for part in response.content.splitlines()]


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [next(name for name in ("decision", "summary", "type") if name in item) for item in told]


def ids(told: list[dict[str, Any]]) -> list[str]:
    return [item["decision"]["decision_id"] for item in told if "decision" in item]


def test_each_line_has_its_answer_in_order(http: TestClient) -> None:
    """With the line's number and the caller's own reference, on record when it is read, and the counts at the end."""
    told = sent(http, lines(100))
    assert [(item["line"], item["reference"]) for item in told[:-1]] == [(number, f"r-{number}") for number in range(1, 101)]
    assert told[-1] == {"summary": {"lines": 100, "decided": 100, "refused": 0, "complete": True}}
    assert len(set(ids(told))) == 100
    for item in (told[0], told[63], told[99]):
        assert http.get(f"/v1/decisions/{item['decision']['decision_id']}").json() == item["decision"]


def test_a_bad_line_is_one_problem(http: TestClient) -> None:
    """What is wrong with a line is told where its answer would be, and the others are decided."""
    body = line(1) + b'{"channel": "appp"}\n' + line(3) + b"\xff\n" + b"[]\n" + line(6, reference="a b") + line(7, chanel="app") + line(8)
    told = sent(http, body)
    assert kinds(told) == ["decision", "type", "decision", "type", "type", "type", "type", "decision", "summary"]
    assert {error["field"] for error in told[1]["errors"]} == {"channel", "subscriber"}
    assert (told[1]["status"], told[1]["type"], told[1]["line"]) == (422, "urn:wanliu:problem:invalid-request", 2)
    assert told[3]["errors"][0]["message"].startswith("is not UTF-8 at byte 1")
    assert [error["field"] for item in told[4:7] for error in item["errors"]] == ["body", "reference", "chanel"]
    assert told[-1]["summary"] == {"lines": 8, "decided": 3, "refused": 5, "complete": True}


def test_a_reference_is_a_text(http: TestClient) -> None:
    """A number is refused, and it is said that it is one."""
    told, _ = sent(http, line(1, reference=7))
    assert [(error["field"], error["message"].partition(":")[0]) for error in told["errors"]] == [
        ("reference", "expected text, not a number, of 1 to 64 characters")
    ]


def test_a_known_reference_comes_back_with_a_problem(http: TestClient) -> None:
    """What a caller calls a line is told as soon as the line could be read."""
    told = sent(http, line(1, as_of="2020-01-01T00:00:00Z"))
    assert told[0]["reference"] == "r-1"
    assert "as_of" in {error["field"] for error in told[0]["errors"]}
    told = sent(http, line(1, chanel="x") + line(2, reference="a b") + b'{"reference": 5}\n["reference"]\n{"reference": "r-5"\n')
    assert [item["reference"] for item in told[:-1]] == ["r-1", None, None, None, None]


def test_lines_may_end_as_they_like(http: TestClient) -> None:
    """Blank lines are passed over but counted, carriage returns mean nothing, the last line needs no end."""
    told = sent(http, b"\n \r\n" + line(3).replace(b"\n", b"\r\n") + b"\n\n" + line(6).rstrip())
    assert [item["line"] for item in told[:-1]] == [3, 6]
    assert kinds(told) == ["decision", "decision", "summary"]


@pytest.mark.parametrize("body", [b"", b"\n", b" \n\r\n "])
def test_nothing_is_a_batch_of_nothing(http: TestClient, body: bytes) -> None:
    """A batch without lines is over at once."""
    assert sent(http, body) == [{"summary": {"lines": 0, "decided": 0, "refused": 0, "complete": True}}]


def test_a_line_has_a_bound(http: TestClient) -> None:
    """A line longer than a body may be is one problem, wherever its end is; the next is decided."""
    told = sent(http, line(1) + b" " * (LARGEST_BODY + 1) + b"\n" + line(3) + b"x" * (3 * LARGEST_BODY))
    assert kinds(told) == ["decision", "type", "decision", "type", "summary"]
    assert [told[number]["errors"][0]["message"] for number in (1, 3)] == ["expected a line of at most 1,048,576 bytes"] * 2


def test_a_line_at_the_bound_is_read(http: TestClient) -> None:
    """One megabyte exactly."""
    assert kinds(sent(http, line(1).rstrip().ljust(LARGEST_BODY) + b"\n")) == ["decision", "summary"]


def test_a_batch_has_so_many_lines(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line too many is told, and what comes after it is not begun."""
    assert answering.MOST_LINES == 10_000
    monkeypatch.setattr(answering, "MOST_LINES", 3)
    told = sent(http, lines(5))
    assert kinds(told) == ["decision", "decision", "decision", "type", "summary"]
    assert (told[3]["line"], told[3]["type"]) == (4, "urn:wanliu:problem:body-too-large")
    assert told[-1]["summary"] == {"lines": 4, "decided": 3, "refused": 1, "complete": False}


def test_a_batch_sent_again_gives_the_same(http: TestClient) -> None:
    """Under the batch's key each line has one of its own; another body at its place is refused."""
    first, again = (sent(http, lines(20), **{"idempotency-key": "batch-1"}) for _ in range(2))
    assert first == again
    changed = sent(http, line(1) + line(2, max_actions=1), **{"idempotency-key": "batch-1"})
    assert changed[0] == first[0]
    assert changed[1]["type"] == "urn:wanliu:problem:idempotency-key-reused"
    assert sent(http, lines(1))[0]["decision"]["decision_id"] != first[0]["decision"]["decision_id"]


def test_a_line_may_name_its_own_key(http: TestClient) -> None:
    """Then it gives the same decision wherever it stands, in whichever batch."""
    own = line(9, idempotency_key="own-9")
    first = sent(http, own, **{"idempotency-key": "batch-2"})
    again = sent(http, line(1) + own, **{"idempotency-key": "batch-3"})
    assert again[1]["decision"] == first[0]["decision"]
    assert sent(http, line(9, idempotency_key="a b"))[0]["errors"][0]["field"] == "idempotency_key"


def test_the_key_of_a_batch_leaves_room_for_numbers(http: TestClient) -> None:
    """A key too long to be made one for each line is refused before anything is read."""
    response = http.post(PATH, content=lines(1), headers={"content-type": NDJSON, "idempotency-key": "k" * 95})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_what_if_is_no_batch(http: TestClient) -> None:
    """Everything in a batch is recorded."""
    assert sent(http, line(1, mode="what_if"))[0]["errors"][0]["field"] == "mode"


@pytest.mark.parametrize(
    ("subscriber", "field", "says"),
    [
        ({"plan": {"monthly_fe": 5900}}, "subscriber.plan.monthly_fe", "does not exist; did you mean `monthly_fee`?"),
        ({"plann": {}}, "subscriber.plann", "does not exist; did you mean `plan`?"),
        ({"monthly_fee": 5900}, "subscriber.monthly_fee", "does not exist here; it belongs in `subscriber.plan.monthly_fee`"),
        (
            {"events": [{"type": "complaint", "at": "2026-11-01T00:00:00Z", "topik": "x"}]},
            "subscriber.events.0.topik",
            "does not exist; did you mean `topic`?",
        ),
        ({"plan": {"monthly_fee": "59"}}, "subscriber.plan.monthly_fee", "in the smallest unit of the currency: 5900 for 59.00"),
    ],
)
def test_a_wrong_name_is_looked_up_at_its_place(http: TestClient, subscriber: Any, field: str, says: str) -> None:
    """As for a request on its own, a line's other fields notwithstanding."""
    single = http.post("/v1/decisions", json={"channel": "app", "subscriber": {"id": "s-1", **subscriber}}).json()
    told = sent(http, json.dumps({"channel": "app", "reference": "r", "subscriber": {"id": "s-1", **subscriber}}).encode())[0]
    assert told["errors"] == single["errors"]
    [error] = told["errors"]
    assert error["field"] == field
    assert says in error["message"]


def test_a_name_that_belongs_nowhere_is_told_what_there_is(http: TestClient) -> None:
    """Those of a line among them; and a name that stands in the subscriber is told so."""
    told = sent(http, json.dumps({"channel": "app", "qqq": 1, "plan": {}, "subscriber": {"id": "s-1"}}).encode())[0]
    messages = {error["field"]: error["message"] for error in told["errors"]}
    assert messages["qqq"].startswith("does not exist; there are channel, moment, ")
    assert messages["qqq"].endswith("subscriber, reference, idempotency_key")
    assert messages["plan"] == "does not exist here; it belongs in `subscriber.plan`"


@pytest.mark.parametrize("kind", [NDJSON, *ALSO_NDJSON, "Application/X-NDJSON; charset=utf-8"])
def test_lines_of_json_have_many_names(http: TestClient, kind: str) -> None:
    """Each of the usual content types is taken."""
    assert kinds(sent(http, line(1), **{"content-type": kind})) == ["decision", "summary"]


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}, {"content-type": NDJSON, "content-encoding": "gzip"}])
def test_anything_else_is_refused(http: TestClient, headers: dict[str, str]) -> None:
    """Another type, or something compressed, is not read."""
    response = http.post(PATH, content=lines(1), headers=headers)
    assert (response.status_code, response.json()["type"]) == (415, "urn:wanliu:problem:unsupported-media-type")
    assert "application/json" not in response.text


def test_campaigns_ask_in_batches(guarded: Guarded) -> None:
    """And nobody else."""
    headers = {"content-type": NDJSON}
    assert guarded.call("agent", "POST", PATH, content=lines(1), headers=headers).status_code == 403
    told = [json.loads(part) for part in guarded.call("campaign", "POST", PATH, content=lines(2), headers=headers).content.splitlines()]
    assert kinds(told) == ["decision", "decision", "summary"]


def test_a_defect_costs_one_line(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a line does to the service, the others are answered; nothing of the defect is told."""
    made = deciding.made

    def failing(*given: Any) -> Any:
        if given[1].subscriber.id == "s-2":
            raise RuntimeError("secret of s-2")
        return made(*given)

    monkeypatch.setattr(deciding, "made", failing)
    told = sent(http, lines(3))
    assert kinds(told) == ["decision", "type", "decision", "summary"]
    assert (told[1]["type"], told[1]["detail"]) == ("urn:wanliu:problem:internal", None)


# On the wire


@contextlib.contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as line_:
        head = f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {NDJSON}\r\ntransfer-encoding: chunked\r\n\r\n"
        line_.sendall(head.encode())
        yield line_


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def read_until(wire: socket.socket, there: Callable[[bytes], bool], got: bytes = b"") -> bytes:
    while not there(got):
        more = wire.recv(1 << 16)
        assert more, "the server hung up"
        got += more
    return got


def test_an_answer_comes_before_the_next_line_is_sent(address: str) -> None:
    """Both directions flow at once: a line is answered while the request is not at its end."""
    with connected(address) as wire:
        got = b""
        for number in range(1, 4):
            wire.sendall(chunk(line(number)))
            got = read_until(wire, lambda data, number=number: b'{"line":%d,' % number in data, got)  # type: ignore[misc]
        wire.sendall(b"0\r\n\r\n")
        assert b'"complete":true' in read_until(wire, lambda data: b'"summary"' in data, got)


def test_who_reads_slowly_is_read_slowly(address: str) -> None:
    """Where nobody takes the answers, the service stops reading lines, and goes on when somebody does; nothing is lost."""
    total, count = 0, 300
    padded = (line(number, explain="full").rstrip() + b" " * 100_000 + b"\n" for number in range(1, count + 1))
    content = b"".join(map(chunk, padded)) + b"0\r\n\r\n"
    with connected(address) as wire:
        wire.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while total < len(content):
                total += wire.send(content[total : total + 65_536])
        assert total < len(content), "everything was read although nothing was taken"
        wire.settimeout(60)
        rest = threading.Thread(target=wire.sendall, args=(content[total:],))
        rest.start()
        got = read_until(wire, lambda data: b'"summary"' in data[-2_000:])
        rest.join()
    assert got.count(b'"decision_id"') == count


def test_so_much_is_read_ahead_of_the_answers(address: str) -> None:
    """Whoever sends at most 256 KB may send it whole before reading anything."""
    body = lines(300)
    part = body[: body.rindex(b"\n", 0, 255 * 1024) + 1]
    assert len(part) > 250 * 1024
    with httpx.Client(timeout=60) as client:
        response = client.post(f"{address}{PATH}", content=part, headers={"content-type": NDJSON})
    assert response.text.count('"decision_id"') == part.count(b"\n")


def test_a_service_that_stops_says_where_a_batch_ends(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on no line is begun: what was begun is answered, the next one is told, and the summary says that this is not the end."""
    watch = http.app.state.services.watch  # type: ignore[attr-defined]
    ends = asyncio.Event()
    decided_line = answering.decided_line

    async def decided(call: Any, asked: Line, key: str | None) -> Any:
        if asked.number == 3:
            monkeypatch.setattr(watch, "batches_end", 0.0)
            await asyncio.sleep(0.5)
            ends.set()
        return await decided_line(call, asked, key)

    monkeypatch.setattr(answering, "decided_line", decided)
    monkeypatch.setattr(answering, "IN_FLIGHT", 4)
    told = sent(http, lines(50))
    assert ends.is_set()
    decisions = kinds(told).count("decision")
    assert 3 <= decisions < 50
    assert kinds(told) == ["decision"] * decisions + ["type", "summary"]
    assert (told[-2]["line"], told[-2]["type"], told[-2]["status"]) == (decisions + 1, "urn:wanliu:problem:draining", 503)
    assert told[-1] == {"summary": {"lines": decisions + 1, "decided": decisions, "refused": 1, "complete": False}}


def test_who_goes_away_stops_the_work(address: str) -> None:
    """What was answered stays on record; what was not begun is not begun."""
    with connected(address) as wire:
        wire.sendall(b"".join(map(chunk, (line(number, agent="gone") for number in range(1, 400)))))
        got = read_until(wire, lambda data: data.count(b'"decision_id"') > 3)
    first = got[got.index(b'"decision_id":"') + 15 :][:36].decode()
    assert httpx.get(f"{address}/v1/decisions/{first}").status_code == 200
    counts = [0, -1]
    give_up = time.monotonic() + 30
    while counts[-1] != counts[-2]:
        assert time.monotonic() < give_up
        time.sleep(1.5)
        page = httpx.get(f"{address}/v1/decisions", params={"agent": "gone", "limit": 200}).json()
        counts.append(len(page["entries"]) + (1_000 if page["next"] else 0))
    assert 3 < counts[-1] < 390


def test_others_are_answered_meanwhile(address: str) -> None:
    """A single decision does not wait for a batch to end."""
    with connected(address) as wire:
        feeding = threading.Thread(target=wire.sendall, args=(b"".join(map(chunk, map(line, range(1, 801)))),))
        feeding.start()
        got = read_until(wire, lambda data: b'"decision_id"' in data)
        assert httpx.post(f"{address}/v1/decisions", json=LIVE, timeout=30).status_code == 200
        wire.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while len(got) < 10_000_000:
                got += wire.recv(1 << 20)
        wire.setblocking(True)
        assert got.count(b'"decision_id"') < 800
        read_until(wire, lambda data: data.count(b'"decision_id"') == 800, got)
        feeding.join()


# Reading


def incoming(*messages: Any, patience: float = 5.0, ahead: int = 100, longest: int = 10) -> tuple[Incoming, list[int]]:
    """A body in these pieces, and how many of them were taken."""
    left, taken = list(messages), [0]

    async def receive() -> Any:
        if not left:
            await asyncio.sleep(60)
        taken[0] += 1
        return left.pop(0)

    return Incoming(receive, ahead=ahead, longest=longest, patience=patience), taken


def piece(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def collected(body: Incoming) -> list[Line]:
    watching = asyncio.ensure_future(body.watch())
    try:
        return [found async for found in body.lines()]
    finally:
        watching.cancel()


def test_lines_are_put_together_from_pieces() -> None:
    """However the body is cut, its lines are the same; of one too long nothing is kept."""
    body, _ = incoming(piece(b"a"), piece(b""), piece(b"b\nc\n\n"), piece(b"0123456789"), piece(b"0\nd"), piece(b"e", more=False))
    assert asyncio.run(collected(body)) == [Line(1, b"ab"), Line(2, b"c"), Line(4, None), Line(5, b"de")]


def test_nothing_comes_for_too_long() -> None:
    """Lines that came are given out, then it is told."""

    async def read() -> list[Line]:
        body, found = incoming(piece(b"a\n"), patience=0.05)[0], list[Line]()
        watching = asyncio.ensure_future(body.watch())
        each = body.lines()
        found.append(await anext(each))
        with pytest.raises(Stalled):
            await anext(each)
        watching.cancel()
        return found

    assert asyncio.run(read()) == [Line(1, b"a")]


def test_once_stopped_no_line_is_given_out() -> None:
    """Neither one that is there, nor the beginning of one; also while nothing comes."""

    async def read(*pieces: dict[str, Any]) -> list[Line]:
        body, found = incoming(*pieces)[0], list[Line]()
        watching = asyncio.ensure_future(body.watch())
        each = body.lines()
        found.append(await anext(each))
        asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(body.stop()))
        if len(pieces) > 1:
            await asyncio.sleep(0.1)
        with pytest.raises(Stopped):
            await asyncio.wait_for(anext(each), 5)
        watching.cancel()
        return found

    for pieces in ((piece(b"a\nb"),), (piece(b"a\nb\n"), piece(b"c\n"))):
        assert asyncio.run(read(*pieces)) == [Line(1, b"a")]


def test_no_more_is_held_than_may_be() -> None:
    """Reading stops where so much waits, and goes on when something is taken."""

    async def read() -> tuple[int, int]:
        body, taken = incoming(*(piece(b"x" * 40 + b"\n") for _ in range(10)), piece(b"", more=False), longest=50)
        watching = asyncio.ensure_future(body.watch())
        await asyncio.sleep(0.05)
        before = taken[0]
        found = [line_ async for line_ in body.lines()]
        watching.cancel()
        return before, len(found)

    assert asyncio.run(read()) == (4, 10)
