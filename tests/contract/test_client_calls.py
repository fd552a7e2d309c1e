"""The client's calls, against a server: each does what it says, and what it promises is what the document has."""

import asyncio
import contextlib
import datetime
import inspect
import json
import re
import time
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any, get_type_hints

import httpx
import pytest

from app.client import AsyncWanliuClient, LineAnswer, NotJsonError, WanliuClient, WanliuError, answers
from app.client.batching import MOST_BYTES, MOST_LINES, Pieces
from app.engine.vocabulary.examples import EXAMPLES
from tests.contract.documented import EXPORTED, OPERATIONS

pytestmark = pytest.mark.contract

LIVE: Any = {**EXAMPLES[0], "explain": "none"}  # type: ignore[dict-item]
SHAPES = {
    "Decision": "DecisionAnswer",
    "Told": "ResponseAnswer",
    "Action": "ActionAnswer",
    "Phase": "PhaseAnswer",
    "Entries": "EntryList",
    "Entry": "FoundEntry",
    "Checkpoint": "CheckpointAnswer",
    "DecisionProof": "ProofAnswer",
    "Packs": "PackList",
    "PackAndSteps": "PackDetail",
    "PackOfTests": "Published",
}


READ = {
    "searchDecisions": "search_page",
    "readDecision": "decision",
    "readRecord": "record",
    "explainDecision": "explanation",
    "replayDecision": "replay",
    "readCheckpoint": "checkpoint",
    "readFigures": "figures",
    "findPairs": "pairs",
    "listCampaigns": "campaigns",
    "listPacks": "packs",
    "readPack": "pack",
    "readSubscriber": "subscriber_record",
    "listRecommendations": "recommendations",
    "readRecommendation": "recommendation",
    "readMyChoices": "my_choices",
    "choose": "choose",
    "readMyDecisions": "my_decisions",
    "readMyDecision": "my_decision",
}
"""Operations with parameters beside the path, and the calls that ask them."""


@pytest.fixture
def wanliu(address: str) -> Iterator[WanliuClient]:
    with WanliuClient(address, deadline=60) as client:
        yield client


def lines(count: int, **fields: Any) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        yield {**LIVE, "reference": f"r-{number}", "subscriber": {**LIVE["subscriber"], "id": f"s-{number}"}, **fields}


@pytest.mark.parametrize(("ours", "theirs"), SHAPES.items())
def test_types_are_those_of_the_document(ours: str, theirs: str) -> None:
    """Each field, and no other."""
    assert get_type_hints(getattr(answers, ours)).keys() == EXPORTED["components"]["schemas"][theirs]["properties"].keys()


def test_both_clients_have_the_same_calls() -> None:
    """What one can do the other can."""
    one, other = ({name for name in vars(kind) if not name.startswith("_")} for kind in (WanliuClient, AsyncWanliuClient))
    assert one == other
    assert all(inspect.getdoc(getattr(WanliuClient, name)) for name in one)


def test_every_call_of_the_api_is_a_call_of_the_client() -> None:
    """But for TM Forum's second door and what belongs to its own clients, a probe of health, and figures for a scraper."""
    written = "".join(
        inspect.getsource(module) for module in (__import__(f"app.client.calls.{name}", fromlist=["x"]) for name in _modules())
    ) + inspect.getsource(__import__("app.client.batching", fromlist=["x"]))
    left = {"alive", "metrics", "subscribeToRecommendations", "unsubscribeFromRecommendations"}
    for name, (_, path, _) in OPERATIONS.items():
        if name in left or path.startswith("/customer/"):
            continue
        last = re.sub(r"\{\w+\}", "", path).rstrip("/").rpartition("/")[2]
        assert last in written, name


def test_every_parameter_of_a_call_can_be_given() -> None:
    """By its name; a search takes its filters as they come."""
    asked = {
        name: {part["name"] for part in item.get("parameters", ()) if part.get("in") == "query"}
        for name, (_, path, item) in OPERATIONS.items()
        if not path.startswith("/customer/")
    }
    assert READ.keys() == {name for name, given in asked.items() if given}
    for name, call in READ.items():
        taken = inspect.signature(getattr(WanliuClient, call)).parameters
        assert asked[name] <= taken.keys() or "filters" in taken, name


def test_the_language_of_a_choice(wanliu: WanliuClient) -> None:
    """Told in words of the language that is asked for."""
    said = {locale: wanliu.choose("no_marketing", locale=locale, subscriber=f"s-{locale}") for locale in ("en", "zh-CN")}
    words = {locale: told["choices"][0]["words"] for locale, told in said.items()}
    assert words["en"].isascii()
    assert re.search("[\u4e00-\u9fff]", words["zh-CN"])
    assert wanliu.my_choices(locale="en", subscriber="s-en")["choices"][0]["words"] == words["en"]


def _modules() -> list[str]:
    return ["campaigns", "customers", "deciding", "packaging", "persons", "reading", "service", "tmf", "webhooks"]


def test_a_decision_and_all_about_it(wanliu: WanliuClient) -> None:
    """Decided, read, whole and in part, explained, replayed, proved, found, rechecked."""
    decision = wanliu.decide(LIVE)
    decision_id = str(decision["decision_id"])
    assert list(wanliu.decision(decision_id, fields=["phase", "actions"])) == ["phase", "actions"]
    assert wanliu.explanation(decision_id, locale="en")["decision_id"] == decision_id
    assert wanliu.replay(decision_id)["replay"]["verdict" if "verdict" in wanliu.replay(decision_id)["replay"] else "same"]
    assert _proved(wanliu, decision_id)["decision_id"] == decision_id
    assert list(wanliu.search_page(fields=["at", "id"])["entries"][0]) == ["at", "id"]
    assert decision_id in {entry["id"] for entry in wanliu.search(limit=2, subscriber="s-1001")}
    assert wanliu.record(decision_id, locale="en")["id"] == decision_id
    action = decision["actions"][0]["action"]
    assert len(wanliu.recheck([{"decision_id": decision_id, "action": action}])["items"]) == 1
    told = wanliu.respond(decision_id, action, "shown")
    assert told["next"] is None
    assert wanliu.checkpoint()["size"] > 0
    assert wanliu.welcome()["service"] == "wanliu"
    assert wanliu.packs(limit=1)["packs"]


def _proved(wanliu: WanliuClient, decision_id: str) -> Any:
    """Once it is sealed."""
    for _ in range(50):
        with contextlib.suppress(WanliuError):
            return wanliu.proof(decision_id)
        time.sleep(0.1)
    return wanliu.proof(decision_id)


def test_a_search_is_read_page_by_page(wanliu: WanliuClient) -> None:
    """An iterator that asks for the next page when it is wanted."""
    for _ in range(3):
        last = wanliu.decide({**LIVE, "subscriber": {**LIVE["subscriber"], "id": "s-paged"}})
    _proved(wanliu, str(last["decision_id"]))
    found = []
    for _ in range(100):  # the index follows the log, a moment later
        found = list(wanliu.search(limit=1, subscriber="s-paged"))
        if len(found) == 3:
            break
        time.sleep(0.1)
    assert len(found) == 3


def test_what_if_is_not_recorded(wanliu: WanliuClient) -> None:
    """And says so."""
    assert wanliu.what_if(LIVE)["record"] == {"state": "none"}


def test_a_bundle_is_bytes(wanliu: WanliuClient) -> None:
    """A zip file."""
    _proved(wanliu, str(wanliu.decide(LIVE)["decision_id"]))
    assert wanliu.export(since="2026-01-01")[:2] == b"PK"


def test_a_batch_of_any_length(wanliu: WanliuClient) -> None:
    """Answers in order, across pieces; what is wrong with a line is its own."""
    found = list(wanliu.batch(item if number != 3 else {"channel": "x"} for number, item in enumerate(lines(MOST_LINES + 50), 1)))
    assert [item.line for item in found] == list(range(1, MOST_LINES + 51))
    assert [item.line for item in found if item.problem is not None] == [3]
    assert {item.reference for item in found} >= {"r-1", f"r-{MOST_LINES + 50}"}


def test_a_batch_is_the_same_under_its_key(wanliu: WanliuClient) -> None:
    """Sent again, each line has the decision of the first time."""
    first, again = (list(wanliu.batch(lines(5), idempotency_key="client-batch")) for _ in range(2))
    assert [item.decision for item in first] == [item.decision for item in again]


def test_the_asynchronous_one_does_the_same(address: str) -> None:
    """Calls, search, and a batch from an asynchronous iterator."""

    async def work() -> tuple[Any, int, list[LineAnswer]]:
        async def coming() -> Any:
            for item in lines(3):
                yield item

        async with AsyncWanliuClient(address, deadline=60) as wanliu:
            decision = await wanliu.decide(LIVE)
            found = [entry async for entry in wanliu.search(limit=2, subscriber="s-1001")]
            plain = [item async for item in wanliu.batch(lines(2))]
            return decision, len(found), [*plain, *[item async for item in wanliu.batch(coming())]]

    decision, found, batch = asyncio.run(work())
    assert decision["decision_id"]
    assert found >= 0
    assert [item.line for item in batch] == [1, 2, 1, 2, 3]


def test_what_became_of_a_recommendation_is_told(address: str) -> None:
    """As TMF683 has it, by either client; a refusal leads to the next recommendation, which is read as the first one was."""
    about = {"channel": [{"id": "call_centre"}], "subscriber": LIVE["subscriber"]}

    def told(found: Any) -> Any:
        item = {"id": found["recommendationItem"][0]["id"], "item": {"id": found["id"]}, "resolution": "refused", "reason": "price"}
        return {"interactionItem": [item]}

    async def work() -> Any:
        async with AsyncWanliuClient(address, deadline=60) as wanliu:
            found = await wanliu.recommend(about)
            return await wanliu.tell_interaction(told(found), idempotency_key="told-once")

    with WanliuClient(address, deadline=60) as wanliu:
        body = told(wanliu.recommend(about))
        first, again = (wanliu.tell_interaction(body, idempotency_key="told") for _ in range(2))
        assert first == again
        assert wanliu.recommendation(first["nextRecommendation"]["id"])["id"] == first["nextRecommendation"]["id"]
        with pytest.raises(WanliuError, match="interactionItm: does not exist; did you mean `interactionItem`"):
            wanliu.tell_interaction({"interactionItm": []})
    assert asyncio.run(work())["status"] == "completed"


class Odd:
    """Something that JSON does not have."""


ITSELF: list[Any] = []
ITSELF.append(ITSELF)
UNSAYABLE = [
    (
        {"as_of": datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)},
        "as_of",
        "is of the type datetime, which JSON does not have; send its `isoformat()`",
    ),
    ({"subscriber": {"account": {"joined_on": datetime.date(2020, 1, 1)}}}, "subscriber.account.joined_on", "is of the type date, which"),
    ({"a": [1, {"b": (1, Odd())}]}, "a.1.b.1", "is of the type Odd, which JSON does not have"),
    ({"a": {1, 2}}, "a", "is of the type set, which JSON does not have"),
    ({"a": float("nan")}, "a", "is no number that JSON knows"),
    ({"a": ["\ud800"]}, "a.0", "holds half a character"),
    ({"a": {(1, 2): 3}}, "a", "has a name of the type tuple; names are texts"),
    ({"a": ITSELF}, "body", "is nested too deeply, or holds itself"),
    ([("channel", "app")], "body", "expected an object, such as a dict"),
    ("app", "body", "expected an object, such as a dict"),
    (None, "body", "expected an object, such as a dict"),
]
"""What is no request, the field that is wrong, and what is said of it."""


@pytest.mark.parametrize(("request_", "field", "says"), UNSAYABLE)
def test_what_json_cannot_say_is_told_by_its_field(request_: Any, field: str, says: str) -> None:
    """By a kind of error of the client's own, before anything is sent."""
    client, sent = piecewise()
    for call in (client.decide, client.what_if, lambda request: list(client.batch([request]))):
        with pytest.raises(NotJsonError) as refused:
            call(request_)
        assert refused.value.field == field
        assert refused.value.message.startswith(says)
        assert str(refused.value).startswith("line 1: " if refused.value.line else f"{field}: ")
    assert sent == []


def test_any_mapping_is_a_request() -> None:
    """As its type says."""
    client, sent = piecewise(httpx.Response(200, json={}))
    client.decide(MappingProxyType({"channel": "app"}))
    assert sent == [b'{"channel":"app"}']


def test_a_line_that_json_cannot_say_ends_a_batch_after_those_before_it(address: str) -> None:
    """Which are answered; the error says which line it is. Both clients."""
    coming = [*lines(2), {**LIVE, "as_of": datetime.datetime.now(datetime.UTC)}, *lines(1)]

    async def work() -> list[int]:
        async with AsyncWanliuClient(address, deadline=60) as wanliu:
            answers_ = wanliu.batch(coming)
            found = [(await anext(answers_)).line for _ in range(2)]
            with pytest.raises(NotJsonError, match="line 3: as_of: is of the type datetime"):
                await anext(answers_)
        return found

    with WanliuClient(address, deadline=60) as wanliu:
        answers_ = wanliu.batch(coming)
        assert [next(answers_).line for _ in range(2)] == [1, 2]
        with pytest.raises(NotJsonError, match="line 3: as_of: is of the type datetime") as refused:
            next(answers_)
    assert (refused.value.line, refused.value.field) == (3, "as_of")
    assert asyncio.run(work()) == [1, 2]


# Pieces that break off

BUSY: Any = {"type": "urn:wanliu:problem:store-busy", "title": "Busy", "status": 503, "detail": None, "errors": []}


def piecewise(*answers_: httpx.Response | httpx.TransportError, retries: int | None = None) -> tuple[WanliuClient, list[bytes]]:
    left, sent = iter(answers_), list[bytes]()

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return WanliuClient(transport=httpx.MockTransport(answer), sleep=lambda _: None, retries=retries), sent


def told(*numbers: int, end: bool = True, **last: Any) -> httpx.Response:
    written = [json.dumps({"line": number, "reference": None, "decision": {"decision_id": f"d-{number}"}}) for number in numbers]
    written += [json.dumps({"line": 99, "reference": None, **last})] if last else []
    written += ['{"summary": {}}'] if end else []
    return httpx.Response(200, text="\n".join(written))


def test_what_broke_off_goes_on() -> None:
    """Only lines without an answer are sent again, under their own keys."""
    client, sent = piecewise(told(1, end=False), httpx.ReadError("gone"), told(1, 2))
    found = list(client.batch([{"a": 1}, {"a": 2}, {"a": 3}], idempotency_key="k"))
    assert [item.line for item in found] == [1, 2, 3]
    assert [[json.loads(line)["idempotency_key"] for line in body.splitlines()] for body in sent] == [
        ["k:1", "k:2", "k:3"],
        ["k:2", "k:3"],
        ["k:2", "k:3"],
    ]


def test_a_line_the_service_was_too_busy_for_is_sent_again() -> None:
    """A 503 of a line is not the caller's concern while it may be tried again; in the end it is."""
    client, _ = piecewise(told(1, **BUSY), told(2))
    assert [item.problem for item in client.batch([{}, {}])] == [None, None]
    client, _ = piecewise(*(told(**BUSY) for _ in range(4)), retries=3)
    (only,) = client.batch([{}])
    assert only.problem is not None
    assert only.problem.kind == "store-busy"


def test_a_batch_that_is_refused() -> None:
    """As a whole, it is an error; a busy service is asked again."""
    problem = {"type": "urn:wanliu:problem:forbidden", "title": "No", "status": 403, "detail": None, "errors": []}
    refused = httpx.Response(403, json=problem, headers={"content-type": "application/problem+json"})
    client, _ = piecewise(httpx.Response(503, headers={"retry-after": "1"}), refused)
    with pytest.raises(WanliuError, match="403 No"):
        list(client.batch([{}]))


def test_a_batch_gives_up() -> None:
    """Where nothing comes any more."""
    client, sent = piecewise(*(httpx.ReadError("gone") for _ in range(4)), retries=3)
    with pytest.raises(httpx.ReadError):
        list(client.batch([{}]))
    assert len(sent) == 4


class Restarting:
    """A service that is away from a time on, until another: how it answers a batch, and the clock that pauses move."""

    def __init__(self, away: Callable[[], httpx.Response], until: float) -> None:
        self._away, self._until = away, until
        self.now, self.asked = 0.0, 0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def sleep_in_a_loop(self, seconds: float) -> None:
        self.now += seconds

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        left = request.content.count(b"\n")
        if self.asked == 1:
            return told(1, end=False)
        return self._away() if self.now < self._until else told(*range(left))


def broken() -> httpx.Response:
    raise httpx.ConnectError("gone")


AWAY = {
    "nobody": broken,
    "a proxy's page": lambda: httpx.Response(502, text="<html>"),
    "draining": lambda: httpx.Response(503, headers={"retry-after": "1"}),
    "cut": lambda: httpx.Response(200, text='{"line": 1, "ref'),
    "no time for a line": lambda: told(**BUSY),
}


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("in_a_loop", [False, True])
def test_a_restart_in_the_middle_of_a_batch_is_waited_for(away: str, *, in_a_loop: bool) -> None:
    """As long as the deadline, from the last answer on, however often it is asked."""
    service = Restarting(AWAY[away], 25)
    transport = httpx.MockTransport(service.answer)

    async def work() -> list[LineAnswer]:
        async with AsyncWanliuClient(transport=transport, sleep=service.sleep_in_a_loop, clock=service) as wanliu:
            return [answer async for answer in wanliu.batch([{}, {}, {}])]

    with WanliuClient(transport=transport, sleep=service.sleep, clock=service) as wanliu:
        found = asyncio.run(work()) if in_a_loop else list(wanliu.batch([{}, {}, {}]))
    assert [(answer.line, answer.problem) for answer in found] == [(1, None), (2, None), (3, None)]
    assert 25 <= service.now < 28
    assert service.asked > 9


def test_every_answer_gives_a_batch_new_patience() -> None:
    """Two restarts, each shorter than the deadline and together longer, with an answer between them."""
    service = Restarting(AWAY["nobody"], 20)
    first = service.answer

    def answer(request: httpx.Request) -> httpx.Response:
        if service.asked > 1 and service.now >= 20 and request.content.count(b"\n") == 2:
            service._until = service.now + 20
            return told(2, end=False)
        return first(request)

    with WanliuClient(transport=httpx.MockTransport(answer), sleep=service.sleep, clock=service) as wanliu:
        assert [found.line for found in wanliu.batch([{}, {}, {}])] == [1, 2, 3]
    assert 40 <= service.now < 46


@pytest.mark.parametrize(
    ("away", "error", "says"),
    [
        ("nobody", httpx.ConnectError, "gone"),
        ("a proxy's page", WanliuError, "502 Bad Gateway"),
        ("cut", httpx.RemoteProtocolError, "the answer to a batch broke off"),
    ],
)
def test_a_batch_does_not_wait_for_ever(away: str, error: type[Exception], says: str) -> None:
    """When the deadline has passed without an answer, what happened last is told."""
    service = Restarting(AWAY[away], 60)
    with WanliuClient(transport=httpx.MockTransport(service.answer), sleep=service.sleep, clock=service) as wanliu:
        answers_ = wanliu.batch([{}, {}, {}])
        assert next(answers_).line == 1
        with pytest.raises(error, match=says):
            next(answers_)
    assert 27 < service.now < 30


def test_a_busy_line_does_not_hold_up_those_after_it_again() -> None:
    """Once there is no time left, the others of its piece that were not decided either are told at once."""
    line = json.dumps({"line": 1, "reference": None, **BUSY})
    service = Restarting(lambda: httpx.Response(200, text=f"{line}\n{line}"), 90)
    with WanliuClient(transport=httpx.MockTransport(service.answer), sleep=service.sleep, clock=service) as wanliu:
        found = list(wanliu.batch([{}, {}, {}]))
    assert [answer.problem and answer.problem.kind for answer in found] == [None, "store-busy", "store-busy"]
    assert 27 < service.now < 30


def test_pieces_are_bounded() -> None:
    """So many lines, so many bytes: what the service takes before it wants its answers read."""
    pieces = Pieces("k")
    made = [piece for _ in range(MOST_LINES * 2 + 1) if (piece := pieces.add({"a": 1})) is not None]
    assert [piece.content.count(b"\n") for piece in made] == [MOST_LINES, MOST_LINES]
    large = [piece for _ in range(10) if (piece := Pieces("k").add({"a": "x" * 100_000})) is not None]
    assert not large
    pieces = Pieces("k")
    sizes = [len(piece.content) for _ in range(10) if (piece := pieces.add({"a": "x" * 100_000})) is not None]
    assert sizes
    assert max(sizes) <= MOST_BYTES
