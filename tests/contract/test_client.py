"""The Python client, against a server and against answers made up."""

from collections.abc import Iterator

import httpx
import pytest

from app.client import WanliuClient, WanliuError
from app.engine.vocabulary import DecisionRequest
from app.engine.vocabulary.examples import EXAMPLES

pytestmark = pytest.mark.contract

PROBLEM = {"type": "urn:wanliu:problem:store-busy", "title": "Busy", "status": 503, "detail": None, "errors": []}


@pytest.fixture
def wanliu(address: str) -> Iterator[WanliuClient]:
    with WanliuClient(address) as client:
        yield client


def answering(*responses: httpx.Response, retries: int | None = None) -> tuple[WanliuClient, list[float]]:
    """A client that gets these answers, and the pauses it makes."""
    left, pauses = iter(responses), list[float]()
    return WanliuClient(transport=httpx.MockTransport(lambda _: next(left)), sleep=pauses.append, retries=retries), pauses


def busy(**headers: str) -> httpx.Response:
    return httpx.Response(503, json=PROBLEM, headers={"content-type": "application/problem+json", **headers})


def test_it_decides_and_reads_back(wanliu: WanliuClient) -> None:
    """A decision asked for as a mapping is the one that is read by its id."""
    answer = wanliu.decide(EXAMPLES[0])  # type: ignore[arg-type]
    assert answer["actions"]
    assert wanliu.decision(answer["decision_id"]) == answer


def test_it_takes_a_request_object(wanliu: WanliuClient) -> None:
    """A checked request is sent as what was set in it."""
    assert wanliu.decide(DecisionRequest.model_validate(EXAMPLES[1]))["record"] == {"state": "none"}


def test_it_tells_outcomes(wanliu: WanliuClient) -> None:
    """What became of an action goes to the decision that offered it."""
    answer = wanliu.decide(EXAMPLES[0])  # type: ignore[arg-type]
    told = wanliu.respond(answer["decision_id"], answer["actions"][0]["action"], "refused", reason="price")
    assert (told["decision_id"], told["outcome"]) == (answer["decision_id"], "refused")


def test_a_key_makes_it_the_same_decision(wanliu: WanliuClient) -> None:
    """Asked again under the same key, the answer is the first one; under none, another."""
    first, again, other = (wanliu.decide(EXAMPLES[0], idempotency_key=key) for key in ("client-1", "client-1", None))  # type: ignore[arg-type]
    assert first == again
    assert first["decision_id"] != other["decision_id"]


def test_its_attempts_are_one_request() -> None:
    """What is sent again has the same idempotency key, and the API key with it."""
    sent: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return busy() if len(sent) == 1 else httpx.Response(200, json={})

    with WanliuClient(key="wl_x", transport=httpx.MockTransport(answer), sleep=lambda _: None) as client:
        client.decide({})
        client.decide({})
    first, again, other = (headers["idempotency-key"] for headers in sent)
    assert first == again != other
    assert {headers["authorization"] for headers in sent} == {"Bearer wl_x"}


def test_a_refusal_names_the_fields(wanliu: WanliuClient) -> None:
    """What the service found wrong is in the exception and its text."""
    with pytest.raises(WanliuError) as refused:
        wanliu.decide({"channel": "appp", "subscriber": {"id": "s-1"}})
    assert (refused.value.status, refused.value.kind, refused.value.errors[0].field) == (422, "invalid-request", "channel")
    assert "channel: expected one of" in str(refused.value)


@pytest.mark.parametrize(("path", "status"), [("01a20264-24e4-7707-8db2-fed784d5ad4b", 404), ("../../healthz", 404), ("x", 422)])
def test_an_id_stays_an_id(wanliu: WanliuClient, path: str, status: int) -> None:
    """What is no decision's id is an error, and never another address."""
    with pytest.raises(WanliuError) as refused:
        wanliu.decision(path)
    assert refused.value.status == status


def test_it_waits_and_asks_again_when_busy() -> None:
    """After a 503 it pauses as long as it is told, or a little while."""
    client, pauses = answering(busy(**{"retry-after": "2"}), busy(), httpx.Response(200, json={"ok": 1}))
    assert client.decide({}) == {"ok": 1}
    assert pauses[0] == 2.0
    assert 0 < pauses[1] <= 0.4


def test_it_does_not_wait_for_ever() -> None:
    """A pause longer than anybody waits is told instead."""
    client, pauses = answering(busy(**{"retry-after": "999"}))
    with pytest.raises(WanliuError) as refused:
        client.decide({})
    assert (refused.value.retry_after, pauses) == (999.0, [])


def test_it_gives_up() -> None:
    """What stays busy is an error."""
    client, pauses = answering(*(busy() for _ in range(4)), retries=3)
    with pytest.raises(WanliuError, match="503 Busy") as refused:
        client.decide({})
    assert (refused.value.kind, len(pauses)) == ("store-busy", 3)


def test_something_else_answers() -> None:
    """A page of some proxy is an error with its status."""
    client, _ = answering(*(httpx.Response(502, text="<html>") for _ in range(4)), retries=3)
    with pytest.raises(WanliuError) as refused:
        client.decide({})
    assert (refused.value.status, refused.value.kind) == (502, "")
