"""Subscribing to events over HTTP, and what a receiver then gets from the running service."""

import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from starlette.testclient import TestClient

from app.api.announced import DATA, data_schemas, webhooks
from app.api.application import create_app
from app.api.packs import shelf
from app.engine.vocabulary.examples import EXAMPLES
from app.record.outgoing.model import TYPES
from tests.contract.conftest import ROOT, Guarded, settings_in
from tests.receiving import Receiver, receiving

pytestmark = pytest.mark.contract

BODY: dict[str, Any] = {name: value for name, value in EXAMPLES[0].items() if name != "as_of"}  # type: ignore[attr-defined]
OPEN = "https://93.184.215.14/events"
"""In the open network, whatever name servers there are."""
WANTED = {"callback": "http://127.0.0.1:9/events", "types": ["wanliu.promise.v1"]}


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that may send events to this machine."""
    settings = settings_in(tmp_path_factory.mktemp("webhooks")).model_copy(update={"callbacks_private": True})
    with TestClient(create_app(settings), base_url="http://wanliu") as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def allowed(guarded: Guarded) -> Iterator[Guarded]:
    """The application with a caller of each role, that may send events to this machine."""
    state = guarded.http.app.state  # type: ignore[attr-defined]
    before = state.services
    state.services = dataclasses.replace(before, callbacks_private=True)
    yield guarded
    state.services = before


def test_from_a_call_to_the_crm(private: TestClient, receiver: Receiver) -> None:
    """Whoever subscribed gets the promise that an outcome made, from the service as it runs, and can read how it stands."""
    made = private.post("/v1/webhooks", json={**WANTED, "callback": receiver.url})
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    webhook = made.json()["webhook"]
    decision = private.post("/v1/decisions", json=BODY).json()
    assert decision["actions"][0]["action"] == "resolve_complaint"
    told = private.post(f"/v1/decisions/{decision['decision_id']}/responses", json={"action": "resolve_complaint", "outcome": "accepted"})
    assert told.status_code == 200, told.text
    [came] = receiver.wait_for(1)
    assert came.data["case_id"] == f"{decision['decision_id']}/resolve_complaint"
    assert came.data["subscriber"] == {"id": BODY["subscriber"]["id"]}
    assert came.data["due"] == decision["actions"][0]["valid_until"][:10]
    state = private.get(f"/v1/webhooks/{webhook['id']}").json()
    assert state["webhook"] == webhook
    assert state["standing"]["given_up"] == 0
    assert private.delete(f"/v1/webhooks/{webhook['id']}").status_code == 204
    assert private.get(f"/v1/webhooks/{webhook['id']}").status_code == 404


def test_a_wish_for_a_person_is_an_escalation(private: TestClient, receiver: Receiver) -> None:
    """A customer who asks for a person to decide opens a case, with whoever that is; on no channel, so whatever channels are wanted."""
    asked = {"callback": receiver.url, "types": ["wanliu.escalation.v1"], "channels": ["call_centre"]}
    made = private.post("/v1/webhooks", json=asked)
    wished = private.post("/v1/my/choices", json={"choice": "human_review"}, headers={"x-subscriber-id": "s-77"})
    assert wished.status_code == 200, wished.text
    [came] = receiver.wait_for(1)
    assert (came.data["case"], came.data["choice"], came.data["subscriber"]) == ("escalation", "human_review", {"id": "s-77"})
    assert (came.data["owner"], came.data["due"]) == (None, None)
    assert private.delete(f"/v1/webhooks/{made.json()['webhook']['id']}").status_code == 204


def test_the_secret_is_shown_once(allowed: Guarded) -> None:
    """The secret stands in the answer that makes it, and nowhere else, neither in the store nor in what is read later."""
    made = allowed.call("operations", "POST", "/v1/webhooks", json=WANTED).json()
    secret = made["secret"]
    assert secret.startswith("whsec_")
    path = f"/v1/webhooks/{made['webhook']['id']}"
    renewed = allowed.call("operations", "POST", f"{path}/secret").json()["secret"]
    assert renewed != secret
    for answer in (allowed.call("operations", "GET", "/v1/webhooks"), allowed.call("operations", "GET", path)):
        assert "secret" not in answer.text
    with allowed.record.database.reading() as connection:
        stored = repr(connection.exec_driver_sql("SELECT * FROM webhook").all()) + repr(
            connection.exec_driver_sql("SELECT envelope FROM entry WHERE kind = 'webhook_changed'").all()
        )
    assert secret not in stored
    assert secret.removeprefix("whsec_") not in stored
    assert allowed.call("operations", "DELETE", path).status_code == 204


def test_each_system_its_own(allowed: Guarded) -> None:
    """A campaign engine hears of its own system and sees its own subscriptions; operations hear of everything, and see all."""
    by_role = {role: allowed.call(role, "POST", "/v1/webhooks", json=WANTED).json()["webhook"]["id"] for role in ("campaign", "operations")}
    listed = {
        role: {item["id"] for item in allowed.call(role, "GET", "/v1/webhooks").json()["webhooks"]} for role in ("campaign", "operations")
    }
    assert by_role["campaign"] in listed["campaign"]
    assert by_role["operations"] not in listed["campaign"]
    assert set(by_role.values()) <= listed["operations"]
    for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/secret"), ("POST", "/redrive")):
        assert allowed.call("campaign", method, f"/v1/webhooks/{by_role['operations']}{rest}").status_code == 404
    with allowed.record.database.reading() as connection:
        systems = dict(connection.exec_driver_sql("SELECT id, system FROM webhook").all())
    assert systems[by_role["campaign"]] == "campaign"
    assert systems[by_role["operations"]] is None
    for role, webhook in by_role.items():
        assert allowed.call("operations", "POST", f"/v1/webhooks/{webhook}/redrive").json() == {"events": 0}
        assert allowed.call(role, "DELETE", f"/v1/webhooks/{webhook}").status_code == 204


@pytest.mark.parametrize("role", ["agent", "self_service", "compliance", "privacy_officer", "author", "approver"])
def test_who_may_not(allowed: Guarded, role: str) -> None:
    """Nobody else says where events go, nor sees where."""
    assert allowed.call(role, "POST", "/v1/webhooks", json=WANTED).status_code == 403
    assert allowed.call(role, "GET", "/v1/webhooks").status_code == 403


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"callback": "http://10.0.0.1/"}, "callback", "expected https://"),
        ({"callback": "https://10.0.0.1/"}, "callback", "not open to everybody"),
        ({"callback": "https://localhost/"}, "callback", "not open to everybody"),
        ({"callback": "https://[::1]/"}, "callback", "not open to everybody"),
        ({"callback": "https://u:geheim@crm.example/"}, "callback", "name or password"),
        ({"callback": "https://no-such-host.invalid/"}, "callback", "no name server knows"),
        ({"callback": "nonsense"}, "callback", "expected a URL"),
        ({"callback": ""}, "callback", "expected a URL"),
        ({"callback": "https://crm.example/" + "a" * 2_000}, "callback", ""),
        ({"callback": "https://crm.example/\u0000"}, "callback", ""),
        ({"callback": 7}, "callback", "expected a URL"),
        ({"types": []}, "types", "name at least one"),
        ({"types": "wanliu.promise.v1"}, "types", "expected an array of texts, each one of wanliu.decision.v1, wanliu.outcome.v1, "),
        ({"actions": "tariff_pack"}, "actions", "expected an array of texts"),
        ({"types": ["wanliu.promises.v1"]}, "types.0", "wanliu.promise.v1"),
        ({"channels": ["phone"]}, "channels.0", ""),
        ({"outcomes": ["bought"]}, "outcomes.0", ""),
        ({"actions": ["a b"]}, "actions.0", ""),
        ({"actions": ["tariff_pack", "tarif_pack"]}, "actions.1", "is no action of a pack in the store; did you mean `tariff_pack`?"),
        ({"filter": {}}, "filter", ""),
    ],
)
def test_what_is_refused(guarded: Guarded, change: Any, field: str, says: str) -> None:
    """A callback into a closed network, or a type that there is not, is refused by name, and nothing is repeated or stored."""
    answer = guarded.call("operations", "POST", "/v1/webhooks", json={**WANTED, "callback": OPEN, **change})
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert says in answer.json()["errors"][0]["message"]
    assert "geheim" not in answer.text


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (
            {
                "callback": "https://10.0.0.1/",
                "types": ["wanliu.promises.v1"],
                "channels": ["phone"],
                "actions": ["tarif_pack", "dat_pack"],
            },
            ["types.0", "channels.0", "callback", "actions.0", "actions.1"],
        ),
        ({"actions": ["tarif_pack"], "filter": {}}, ["callback", "types", "filter", "actions.0"]),
        ({"callback": 7, "types": [], "actions": ["tariff_pack", "tarif_pack"]}, ["callback", "types", "actions.1"]),
    ],
)
def test_everything_that_is_wrong_at_once(guarded: Guarded, body: Any, fields: list[str]) -> None:
    """What has another form, where events may not go, and actions that there are not, each once."""
    answer = guarded.call("operations", "POST", "/v1/webhooks", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == fields


def test_a_body_that_cannot_be_read(guarded: Guarded) -> None:
    """Nothing more is said of it."""
    answer = guarded.call("operations", "POST", "/v1/webhooks", content=b"{", headers={"content-type": "application/json"})
    assert [error["field"] for error in answer.json()["errors"]] == ["body"]
    answer = guarded.call("operations", "POST", "/v1/webhooks", json=[])
    assert [error["field"] for error in answer.json()["errors"]] == ["body"]


def test_an_action_of_a_pack_on_the_shelf_will_do(allowed: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be in force tomorrow; one of the pack in force is taken without a look."""
    taken = allowed.call("operations", "POST", "/v1/webhooks", json={**WANTED, "actions": ["tariff_pack"]})
    assert (taken.status_code, taken.json()["webhook"]["actions"]) == (201, ["tariff_pack"])
    wanted = {**WANTED, "actions": ["tariff_pack", "only_in_the_next"]}
    assert allowed.call("operations", "POST", "/v1/webhooks", json=wanted).status_code == 422
    monkeypatch.setattr(shelf, "actions_on_shelf", lambda _: frozenset({"only_in_the_next"}))
    assert allowed.call("operations", "POST", "/v1/webhooks", json=wanted).status_code == 201


@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", ""), ("DELETE", ""), ("POST", "/secret"), ("POST", "/redrive")],
    ids=["read", "remove", "secret", "redrive"],
)
def test_unknown_webhooks(guarded: Guarded, method: str, rest: str) -> None:
    """An id that there is not is 404; what is no id is named."""
    unknown = guarded.call("operations", method, f"/v1/webhooks/019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b{rest}")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:wanliu:problem:not-found")
    assert guarded.call("operations", method, f"/v1/webhooks/nonsense{rest}").status_code == 422


def test_no_more_than_there_is_room_for(allowed: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most there may be, a subscription is refused, and says what to do."""
    monkeypatch.setattr("app.record.outgoing.subscriptions.MOST", 0)
    answer = allowed.call("operations", "POST", "/v1/webhooks", json=WANTED)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:wanliu:problem:no-room")
    assert "remove one" in answer.json()["detail"]


def test_the_types_of_the_document(private: TestClient) -> None:
    """The API's document lists every type of event, and no other."""
    document = private.get("/openapi.json").json()
    body = document["paths"]["/v1/webhooks"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert [item for item in json.dumps(body).split('"') if item.startswith("wanliu.")] == list(TYPES)
    assert list(document["webhooks"]) == list(DATA) == list(TYPES)


def test_what_is_sent_is_what_the_document_says(private: TestClient, receiver: Receiver) -> None:
    """Each event has the shape that stands under `webhooks`, with no attribute beside; so has the page's own."""
    private.post("/v1/webhooks", json={"callback": receiver.url, "types": list(TYPES)})
    decision = private.post("/v1/decisions", json=BODY).json()
    action = {"action": "resolve_complaint", "outcome": "accepted"}
    private.post(f"/v1/decisions/{decision['decision_id']}/responses", json=action)
    private.post("/v1/my/choices", json={"choice": "human_review"}, headers={"x-subscriber-id": BODY["subscriber"]["id"]})
    receiver.wait_for(4)
    told = [came.event for came in receiver.taken]
    assert {event["type"] for event in told} == set(TYPES) - {"wanliu.call_back.v1"}
    (shown,) = re.findall(r"```json\n(\{\n  \"specversion\".*?)\n```", (ROOT / "docs" / "webhooks.md").read_text("utf-8"), re.DOTALL)
    for event in [*told, json.loads(shown)]:
        _event_schema(event["type"]).validate(event)


def _event_schema(kind: str) -> jsonschema_rs.Draft202012Validator:
    """What the document says of an event, closed to other attributes."""
    (content,) = webhooks()[kind]["post"]["requestBody"]["content"].values()
    schemas = data_schemas()
    parts = {part: shape for schema in schemas.values() for part, shape in schema.pop("$defs", {}).items()}
    closed = {name: {**shape, "additionalProperties": False} for name, shape in {**schemas, **parts}.items()}
    whole = {**content["schema"], "additionalProperties": False, "components": {"schemas": closed}}
    return jsonschema_rs.Draft202012Validator(whole)
