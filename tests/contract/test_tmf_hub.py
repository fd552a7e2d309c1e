"""TMF680's hub: who is told of recommendations, of which, and in which form."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.api.outgoing import wordings
from app.record.erasing.persons import erase
from app.record.keys import Keys
from app.record.outgoing.delivering import Deliverer
from app.record.outgoing.model import RECOMMENDED
from app.record.outgoing.subscriptions import webhooks
from app.record.outgoing.thread import DelivererThread
from app.record.store.tables import EventRow
from tests.contract.tmf import CUSTOMER, DOCUMENTS, HUB, OF_680, QUERY, Door, official, tmf_served
from tests.customers import WHO, Service
from tests.outgoing import SWIFT
from tests.receiving import Receiver, receiving

pytestmark = pytest.mark.contract

CREATED, CHANGED = RECOMMENDED


@pytest.fixture
def service(http: TestClient, keys: Keys, sqlite_url: str) -> Iterator[Service]:
    with tmf_served(http, keys, sqlite_url) as service:
        yield service


@pytest.fixture
def door(service: Service) -> Door:
    return Door(service, "campaign")


@contextlib.contextmanager
def delivering(service: Service, public_url: str | None = None) -> Iterator[None]:
    service.seal()
    thread = DelivererThread(Deliverer(service.record, wordings(public_url), private=True, pace=SWIFT))
    thread.start()
    try:
        yield
    finally:
        thread.stop()


def subscribe(door: Door, callback: str, path: str = HUB, **fields: Any) -> dict[str, Any]:
    response = door.call("POST", path, json={"callback": callback, **fields})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def told(receiver: Receiver) -> list[dict[str, Any]]:
    """The events that came, each held against TM Forum's document."""
    events = [item.event for item in receiver.taken]
    if DOCUMENTS.is_dir():
        definitions = official(OF_680)["definitions"]
        for event in events:
            schema = {"$ref": f"#/definitions/{event['eventType']}", "definitions": definitions}
            jsonschema_rs.Draft4Validator(schema, validate_formats=True).validate(event)
    return events


def waiting(service: Service) -> int:
    count = select(func.count()).select_from(EventRow)
    return service.record.read_now(lambda connection: connection.execute(count).scalar_one())


def test_a_subscription_is_made_and_removed(door: Door, service: Service) -> None:
    """201 with where it is, the callback and the query as they were given; 204; then it is not there."""
    for path in (HUB, f"{CUSTOMER}/hub"):
        response = door.call("POST", path, json={"callback": "https://127.0.0.1/tmf", "query": f"eventType={CREATED}"})
        made = response.json()
        assert (response.status_code, response.headers["location"]) == (201, f"http://wanliu{path}/{made['id']}")
        assert made == {"id": made["id"], "callback": "https://127.0.0.1/tmf", "query": f"eventType={CREATED}"}
        assert door.call("DELETE", f"{path}/{made['id']}").status_code == 204
        assert door.call("DELETE", f"{path}/{made['id']}").status_code == 404
    assert service.record.read_now(webhooks) == []


@pytest.mark.parametrize("public_url", [None, "https://nba.example"])
def test_what_was_asked_for_is_told_in_tm_forums_form(door: Door, service: Service, public_url: str | None) -> None:
    """That it was made, and that it is done, in this order; the recommendation as it is read, linked where the service is reached."""
    with receiving() as receiver:
        subscribe(door, receiver.url)
        made, enquiry = door.asked(), door.ask({"category": "a"}).json()
        with delivering(service, public_url):
            receiver.wait_for(4)
    events = told(receiver)
    by_id = {found["id"]: [event for event in events if event["correlationId"] == found["id"]] for found in (made, enquiry)}
    for found in (made, enquiry):
        assert [event["eventType"] for event in by_id[found["id"]]] == [CREATED, CHANGED]
        shown = by_id[found["id"]][0]["event"]["queryProductRecommendation"]
        assert shown["href"] == f"{public_url or ''}{QUERY}/{found['id']}"
        assert shown["recommendationItem"] == [
            {name: value for name, value in item.items() if name != "@schemaLocation" or public_url}
            | ({"@schemaLocation": f"{public_url}/openapi.json#/components/schemas/WanliuRecommendationItem"} if public_url else {})
            for item in found["recommendationItem"]
        ]
        assert shown["state"] == "done"
    assert len({event["eventId"] for event in events}) == 4
    assert all(item.headers["content-type"] == "application/json;charset=utf-8" for item in receiver.taken)
    assert all(item.headers["webhook-signature"] for item in receiver.taken)


def test_a_query_chooses_events(door: Door, service: Service) -> None:
    """By `eventType`, of which several may be named; left out or empty, all are told."""
    wanted = {
        f"eventType={CHANGED}": [CHANGED],
        f"?eventType={CREATED},{CHANGED}": [CREATED, CHANGED],
        f"eventType={CHANGED}&eventType={CREATED}": [CREATED, CHANGED],
        "": [CREATED, CHANGED],
    }
    with contextlib.ExitStack() as stack:
        receivers = {query: stack.enter_context(receiving()) for query in wanted}
        for query, receiver in receivers.items():
            subscribe(door, receiver.url, query=query)
        door.ask({})
        with delivering(service):
            for query, names in wanted.items():
                receivers[query].wait_for(len(names))
    assert {query: [event["eventType"] for event in told(receiver)] for query, receiver in receivers.items()} == wanted


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"query": "eventType=QueryProductRecommendationCreate"}, f"query: names an event that there is not; did you mean `{CREATED}`?"),
        ({"query": "eventType=x"}, f"query: names an event that there is not; there are {CREATED}, {CHANGED}"),
        ({"query": f"eventType={CREATED}&channel.id=app"}, "query: asks for more than `eventType`"),
        ({"query": "state=done"}, "query: asks for more than `eventType`"),
        ({"query": "a filter"}, "query: expected `eventType=` and the name of an event"),
        ({"query": "&".join(["eventType=x"] * 30)}, "query: expected `eventType=`"),
        ({"query": 5}, "query: expected text"),
        ({"fields": "eventId"}, "fields: is not honoured: an event has the whole recommendation; leave it out"),
        ({"qery": f"eventType={CREATED}"}, "qery: does not exist; did you mean `query`?"),
        ({"callback": "ftp://crm.example/"}, "callback: expected a URL"),
        ({"callback": "not a url"}, "callback: expected a URL"),
        ({"callback": None}, "callback: expected text"),
    ],
)
def test_what_would_not_be_honoured_is_refused(door: Door, body: Any, said: str) -> None:
    """With 400 and what there is; nothing is passed over."""
    response = door.call("POST", HUB, json={"callback": "https://127.0.0.1/tmf", **body})
    assert response.status_code == 400
    assert said in response.json()["message"]


def test_everything_that_is_wrong_at_once(door: Door) -> None:
    """Each field, and each event that there is not."""
    body = {"callback": "not a url", "fields": "eventId", "query": "eventType=x&eventType=QueryProductRecommendationCreate&state=done"}
    message = door.call("POST", HUB, json=body).json()["message"]
    for said in ("callback: expected a URL", "fields: is not honoured", "asks for more than `eventType`", "there are", "did you mean"):
        assert message.count(said) == 1, message
    message = door.call("POST", HUB, json={"callback": 7, "qery": "", "fields": "x"}).json()["message"]
    for said in ("callback: expected text", "qery: does not exist", "fields: is not honoured"):
        assert message.count(said) == 1, message


def test_callbacks_into_networks_of_ones_own_are_refused(http: TestClient) -> None:
    """Unless the operator allows them."""
    for callback in ("http://127.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest"):
        response = Door(http).call("POST", HUB, json={"callback": callback})
        assert (response.status_code, response.json()["code"]) == (400, "invalid-request")


def test_everybody_is_told_of_their_own_only(service: Service) -> None:
    """Another system's recommendations are not told, nor can its subscription be removed; other doors' decisions are not told either."""
    campaign, other = Door(service, "campaign"), Door(service, "other campaign")
    with receiving() as receiver:
        made = subscribe(other, receiver.url)
        campaign.asked()
        service.decide("other campaign")
        own = other.ask({}).json()
        service.seal()
        assert waiting(service) == 2
        with delivering(service):
            receiver.wait_for(2)
    assert {event["correlationId"] for event in told(receiver)} == {own["id"]}
    assert campaign.call("DELETE", f"{HUB}/{made['id']}").status_code == 404
    assert campaign.call("DELETE", f"{HUB}/nothing").status_code == 404
    assert other.call("DELETE", f"{HUB}/{made['id']}").status_code == 204


def test_customers_and_desks_subscribe_to_nothing(service: Service) -> None:
    """As with `/v1/webhooks`: operations and campaign engines do."""
    for caller in ("app", "agent", "compliance"):
        assert Door(service, caller).call("POST", HUB, json={"callback": "https://127.0.0.1/"}).status_code == 403


def test_of_an_erased_person_nothing_is_told(door: Door, service: Service) -> None:
    """Events are worded when they are sent."""
    with receiving() as receiver:
        subscribe(door, receiver.url)
        door.asked()
        service.seal()
        erase(service.record, WHO, basis="request of the person", by="pia")
        own = door.ask({}).json()
        with delivering(service):
            receiver.wait_for(2)
    assert {event["correlationId"] for event in told(receiver)} == {own["id"]}
