"""TM Forum's TMF680 v4.0.0: what is taken, what is given, to whom."""

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import yaml
from sqlalchemy import func, select
from sqlmodel import col
from starlette.testclient import TestClient

from app.api.export import TMF_FILE, exported_tmf
from app.api.tmf.channels import BY_ROLE, CHANNELS, OTHER_NAMES
from app.api.tmf.recommendations import LARGEST_PAGE
from app.api.tmf.taking import LARGEST_ECHO
from app.record.callers import Caller
from app.record.erasing.persons import erase
from app.record.keys import Keys
from app.record.store.tables import EntryRow, RecommendationRow
from app.record.verifying.whole import verify_log
from tests.contract.tmf import ABOUT, CUSTOMER, HUB, OF_680, QUERY, RECOMMENDATIONS, Door, document, needs_documents, official, tmf_served
from tests.customers import CALLERS, WHO, Service

pytestmark = pytest.mark.contract


@pytest.fixture
def service(http: TestClient, keys: Keys, sqlite_url: str) -> Iterator[Service]:
    with tmf_served(http, keys, sqlite_url) as service:
        yield service


@pytest.fixture
def everywhere(http: TestClient, keys: Keys, database_url: str) -> Iterator[Service]:
    """On both databases."""
    with tmf_served(http, keys, database_url) as service:
        yield service


@pytest.fixture
def door(service: Service) -> Door:
    return Door(service, "campaign")


def findings(service: Service) -> tuple[Any, ...]:
    return tuple(service.record.read_now(lambda connection: verify_log(connection, service.record.keys)).findings)


def entries(service: Service, kind: str) -> int:
    query = select(func.count()).where(col(EntryRow.kind) == kind)
    return service.record.read_now(lambda connection: connection.execute(query).scalar_one())


# What is given


def test_a_recommendation_says_what_the_decision_says(door: Door, service: Service) -> None:
    """The same actions in the same order, words and reasons; the tariff as an offering with its price; which decision and pack."""
    found = door.asked()
    answer = service.call("campaign", "GET", f"/v1/decisions/{found['id']}").json()
    assert found["decisionId"] == found["id"] == answer["decision_id"]
    assert found["policySetVersion"] == answer["pack"]["digest"]
    assert found["phase"] == answer["phase"]["id"]
    assert len(found["recommendationItem"]) == len(answer["actions"]) > 0
    for item, action in zip(found["recommendationItem"], answer["actions"], strict=True):
        assert (item["id"], item["priority"], item["action"]) == (str(action["rank"]), action["rank"], action["action"])
        assert (item["kind"], item["confirm"], item.get("text"), item.get("script")) == tuple(
            action[name] for name in ("kind", "confirm", "text", "script")
        )
        assert [reason["text"] for reason in item.get("reason", [])] == [reason["text"] for reason in action["reasons"]]
        assert item["product"]["name"] == action["title"]
    priced = [item for item in found["recommendationItem"] if "productOffering" in item]
    assert [item["productOffering"]["id"] for item in priced] == [item["tariff"]["id"] for item in answer["actions"] if item["tariff"]]
    tariff = next(item["tariff"] for item in answer["actions"] if item["tariff"])
    (price,) = priced[0]["product"]["productPrice"]
    assert price["price"]["taxIncludedAmount"] == {"unit": "CNY", "value": tariff["fee_after"] / 100}
    assert priced[0]["product"]["productOffering"] == priced[0]["productOffering"]
    told = {item["name"]: item["value"] for item in priced[0]["product"]["productCharacteristic"]}
    assert told["filingNo"] == tariff["filing_no"]


def test_what_extends_tm_forums_shapes_says_so(door: Door) -> None:
    """`@type`, `@baseType` and `@schemaLocation`, which leads to where our document tells of the shape."""
    found = door.asked()
    for part in (found, found["recommendationItem"][0]):
        address, _, pointer = part["@schemaLocation"].partition("#")
        assert address == "http://wanliu/openapi.json"
        assert pointer == f"/components/schemas/{part['@type']}"
        assert document()["components"]["schemas"][part["@type"]]
        assert part["@type"] == f"Wanliu{part['@baseType']}"


def test_the_document_names_every_attribute_that_is_given(door: Door) -> None:
    """No attribute is given that our document does not tell of."""
    schemas = document()["components"]["schemas"]
    found = door.asked(name="a", description="b", place={"id": "p"}, category="c", productOrder="o", shoppingCart={"id": "s"})
    assert found.keys() <= schemas["WanliuQueryProductRecommendation"]["properties"].keys()
    for item in found["recommendationItem"]:
        assert item.keys() <= schemas["WanliuRecommendationItem"]["properties"].keys()
        assert item["product"].keys() <= schemas["Product"]["properties"].keys()


def test_a_customer_asks_where_they_are_told_something(service: Service) -> None:
    """Not on a channel on which a person speaks, by whatever name; one that is left out is the app."""
    door = Door(service, "app")
    for given in ({"channel": "call center"}, {"channel": None, "characteristic": {"name": "request.channel", "value": "shop"}}):
        told = door.ask({**ABOUT, "relatedParty": None, **given})
        assert told.status_code == 403
        assert "channel: is one on which a person speaks" in told.json()["message"]
    assert door.ask({**ABOUT, "relatedParty": None, "channel": None}).status_code == 201


def test_a_customer_sees_texts_for_customers_only(service: Service) -> None:
    """No phase, score, title or code of a reason; what is said is what the app may show."""
    found = Door(service, "app").asked(channel=[{"id": "app"}], direction="self", relatedParty=None)
    assert found["recommendationItem"]
    assert not found.keys() & {"phase"}
    for item in found["recommendationItem"]:
        assert not item.keys() & {"score", "script"}
        assert all(reason.keys() == {"text"} for reason in item.get("reason", []))
    assert "relatedParty" not in found


def test_a_decision_is_live_and_on_record_like_any_other(door: Door, service: Service) -> None:
    """With the case that was decided, and what it was asked with beside that where nobody but the person's key opens it."""
    found = door.asked(shoppingCartItem=[{"entityId": "cart-77", "itemId": "1"}])
    entry = service.entry(found["id"])
    assert entry.case is not None
    assert (entry.case.subscriber.id, entry.case.channel, entry.case.direction) == (WHO, "sms_marketing", "outbound")
    assert (entry.body["caller"], entry.body["role"], entry.body["via"]) == ("engine", "campaign", "tmf680")
    assert b"cart-77" not in orjson.dumps(entry.envelope)
    assert "cart-77" in (entry.private or {})["tmf680"]


def test_a_person_is_told_what_they_were_asked_about_with(door: Door, service: Service) -> None:
    """The access report has what was kept beside the case."""
    door.asked(shoppingCartItem=[{"entityId": "cart-79"}])
    report = service.call("", "GET", "/v1/subscribers/-/record?locale=en", headers={"X-Subscriber-Id": WHO}).json()
    assert report["decisions"][0]["asked"]["echo"]["shoppingCartItem"] == [{"entityId": "cart-79"}]


def test_an_enquiry_is_no_decision(door: Door, service: Service) -> None:
    """It is on the record under its own kind, with codes only; no decision is counted."""
    found = door.ask({"shoppingCartItem": {"entityId": "cart-78"}}).json()
    entry = service.entry(found["id"])
    assert (entry.envelope["kind"], entries(service, "decision")) == ("enquiry", 0)
    assert b"cart-78" not in orjson.dumps(entry.envelope)
    assert "decisionId" not in found
    assert service.call("campaign", "GET", f"/v1/decisions/{found['id']}").status_code == 404


# What is taken


def test_what_breaks_tm_forums_document_is_taken(door: Door) -> None:
    """Objects and ids for arrays, numbers for text, words for true and false, null for left out; given back as the document wants it."""
    sent = {
        "id": "1001",
        "href": "http: //odd/",
        "state": "done",
        "validFor": {"startDateTime": "2019-07-03 T04:00:00.0Z"},
        "recommendationItem": "?",
        "instantSyncRecommendation": "false",
        "@schemaLocation": "no uri at all",
        "description": None,
        "name": 7,
        "channel": {"id": 21, "name": "mobile app channel"},
        "category": "handsets",
        "shoppingCart": {"id": "c", "@schemaLocation": "not a uri"},
        "place": {"name": "Shop 3"},
        "relatedParty": {"id": 34, "role": "customer", "name": "John Smith"},
        "theirOwn": {"anything": [1, {"deep": True}]},
    }
    found = door.ask(sent).json()
    assert found["id"] != "1001"
    assert found["instantSyncRecommendation"] is False
    assert (found["name"], found["channel"]) == ("7", [{"id": "21", "name": "mobile app channel"}])
    assert (found["category"], found["shoppingCart"]) == ([{"id": "handsets"}], [{"id": "c"}])
    assert found["place"] == {"role": "place", "name": "Shop 3"}
    assert found["relatedParty"] == {"id": "34", "role": "customer", "name": "John Smith", "@referredType": "Customer"}
    assert "description" not in found
    assert "theirOwn" not in found


@needs_documents
@pytest.mark.parametrize("path", [QUERY, f"{CUSTOMER}/queryProductRecommendation"])
def test_tm_forums_sample_gives_201(door: Door, path: str) -> None:
    """And what is given keeps the document that the sample breaks."""
    response = door.ask(official("tmforum-sample.json"), path)
    assert response.status_code == 201
    assert response.json()["relatedParty"]["id"] == "34"


@needs_documents
def test_the_shape_of_the_example_mapping_is_taken(door: Door) -> None:
    """With the names of our facts; those of the example are another operator's, and each is named as unknown."""
    asked = official("mapping.example.json")["request"]
    problems = door.ask(asked)
    assert problems.status_code == 400
    assert problems.json()["message"].count("is not a fact of the vocabulary") == len(asked["characteristic"])
    asked["characteristic"] = [{"name": "plan.monthly_fee", "valueType": "number", "value": 5990}]
    assert door.ask(asked).status_code == 201


def test_facts_as_pairs_are_facts(door: Door, service: Service) -> None:
    """By their dotted names; text is read as what the fact is, and beside `subscriber` they join."""
    pairs = [
        {"name": "plan.monthly_fee", "value": "5900", "valueType": "number"},
        {"name": "home.has_broadband", "value": "true"},
        {"name": "billing.total", "value": [5900, 6100]},
        {"name": "services.held", "value": "caller_id"},
        {"name": "account.joined_on", "value": None},
        {"name": "request.reason", "value": "bill"},
        {"name": "churn.score", "value": "0.25"},
    ]
    body = {**ABOUT, "characteristic": pairs, "subscriber": {"plan": {"min_commitment": 5900}}}
    response = door.ask(body)
    assert response.status_code == 201, response.text
    case = service.entry(response.json()["id"]).case
    assert case is not None
    known = case.as_json()
    assert known["reason"] == "bill"
    assert known["subscriber"]["plan"] == {"monthly_fee": 5900, "min_commitment": 5900}
    assert known["subscriber"]["home"] == {"has_broadband": True}
    assert known["subscriber"]["billing"] == {"total": [5900, 6100]}
    assert known["subscriber"]["services"] == {"held": ["caller_id"]}
    assert known["subscriber"]["account"] == {"joined_on": None}
    assert known["subscriber"]["churn"]["score"] == 0.25


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"characteristic": {"name": "plan.monthly_fe", "value": 1}},
            "characteristic.0.name: is not a fact of the vocabulary; did you mean",
        ),
        ({"characteristic": [{"name": "plan.monthly_fee", "value": 1}] * 2}, "characteristic.1.name: stands in the request already"),
        ({"characteristic": {"name": "network.calls_30d", "value": "much"}}, "subscriber.network.calls_30d: expected a whole number"),
        ({"characteristic": {"name": "custom.no_such", "value": 1}}, "subscriber.custom.no_such: is not among the pack's own facts"),
        ({"characteristic": {"name": "network.dropped_call_rate", "value": "NaN"}}, "subscriber.network.dropped_call_rate: expected"),
        (
            {"characteristic": [{"name": "plan.monthly_fe", "value": 1}, {"name": "churn.scor", "value": 1}, {"name": "x", "value": 1}]},
            "characteristic.0.name: is not a fact of the vocabulary; did you mean `plan.monthly_fee`?; "
            "characteristic.1.name: is not a fact of the vocabulary; did you mean `churn.score`?; "
            "characteristic.2.name: is not a fact of the vocabulary",
        ),
        (
            {"channel": "shopp", "characteristic": [{"name": "churn.scor"}, {"name": "network.calls_30d", "value": "much"}]},
            "characteristic.0.name: is not a fact of the vocabulary; did you mean `churn.score`?; channel.0.id: is no channel of ours, "
            f"nor is its name; did you mean `shop`?; there are {', '.join(CHANNELS)}; subscriber.network.calls_30d: expected a whole ",
        ),
        ({"characteristic": {"nme": "churn.score", "value": 1}}, "characteristic.0.nme: does not exist; did you mean `name`?"),
        ({"relatedParty": {"id": "s-1", "rol": "customer"}}, "relatedParty.0.rol: does not exist; did you mean `role`?"),
        (
            {"relatedParty": {"id": "s-1", "referredType": "Employee"}},
            "relatedParty.0.referredType: does not exist; did you mean `@referredType`?",
        ),
        ({"channel": "carrier pigeon"}, f"channel.0.id: is no channel of ours, nor is its name; there are {', '.join(CHANNELS)}"),
        ({"channel": "shopp"}, "did you mean `shop`?"),
        ({"relatedParty": {"id": "not an id"}}, "relatedParty.id: expected 1 to 64 characters"),
        ({"relatedParty": {"role": "customer"}}, "relatedParty.0.id: is required"),
        ({"subscriber": {"id": "another"}}, "subscriber.id: is another than that of `relatedParty`"),
        ({"subscriber": {"plan": {"monthly_fe": 1}}}, "subscriber.plan.monthly_fe: does not exist; did you mean `monthly_fee`?"),
        ({"subscriber": [1]}, "subscriber: expected an object"),
        ({"subscribr": {}}, "subscribr: does not exist; did you mean `subscriber`?"),
        ({"relatdParty": {}}, "relatdParty: does not exist; did you mean `relatedParty`?"),
        ({"related_party": {}}, "related_party: does not exist; did you mean `relatedParty`?"),
        ({"RelatedParty": {}}, "RelatedParty: does not exist; did you mean `relatedParty`?"),
        ({"channels": []}, "channels: does not exist; did you mean `channel`?"),
        ({"charateristic": []}, "charateristic: does not exist; did you mean `characteristic`?"),
        ({"max_action": 1}, "max_action: does not exist; did you mean `max_actions`?"),
        ({"subscriber 13800001234": {}}, "body: has an attribute that does not exist; did you mean `subscriber`?"),
        ({"characteristic": {"name": "subscriber.id", "value": "s"}}, "whom it is about stands in `relatedParty`"),
        ({"characteristic": {"name": "subscriber.plan.monthly_fe", "value": 1}}, "did you mean `plan.monthly_fee`?"),
        ({"subscriber": {"id": 7}}, "subscriber.id: expected text"),
        ({"relatedParty": 7}, "relatedParty.0: expected an object with `id` and `role`, or an id as text"),
        ({"relatedParty": [7]}, "relatedParty.0: expected an object with `id` and `role`, or an id as text"),
        ({"moment": "lunch"}, "moment: expected one of"),
        ({"category": [{"name": "no id"}]}, "category.0.id: is required"),
        ({"category": [{"id": "x"}] * 101}, "category: expected at most 100 entries"),
        ({"name": ["x"]}, "name: expected text"),
        ({"name": "a\x00b"}, "name: "),
        ({"instantSyncRecommendation": "yes"}, "instantSyncRecommendation: expected true or false"),
        ({"shoppingCartItem": [{"note": "x" * LARGEST_ECHO}]}, "body: has more in what is said back than 32 KB"),
        ({"shoppingCartItem": [{"n": 10**30}]}, "body: holds half a character, a number beyond 64 bits, or is nested too deeply"),
        ([], "body: expected an object"),
    ],
)
def test_what_is_wrong_is_400_and_named(door: Door, body: Any, said: str) -> None:
    """Never 422; in TM Forum's form, with the field and the nearest right thing."""
    response = door.ask({**ABOUT, **body} if isinstance(body, dict) else body)
    assert response.status_code == 400
    assert said in response.json()["message"]
    assert response.json() | {"message": ""} == {
        "@type": "Error",
        "code": "invalid-request",
        "reason": "The request is not one this service can answer",
        "message": "",
        "status": "400",
        "referenceError": "urn:wanliu:problem:invalid-request",
    }


@pytest.mark.parametrize(
    "about",
    [ABOUT["relatedParty"], [{"id": "s-1"}, {"id": "s-2"}], {"role": "customer"}, [{"id": "s-1", "rol": "customer"}]],
    ids=["somebody", "one of two", "without an id", "misspelt"],
)
def test_everything_that_is_wrong_at_once(door: Door, about: Any) -> None:
    """What has another form, whom it may be about, a channel that there is not, facts and attributes of ours; each field once."""
    wrong = {
        "relatedParty": about,
        "name": ["x"],
        "channel": "shopp",
        "characteristic": {"name": "plan.monthly_fe", "value": 1},
        "subscriber": {"billing": {"totl": [1]}},
        "max_actions": "many",
    }
    response = door.ask(wrong)
    assert response.status_code == 400
    for said in (
        "name: expected text",
        "channel.0.id: is no channel of ours",
        "did you mean `plan.monthly_fee`?",
        "subscriber.billing.totl: does not exist",
        "max_actions: expected a whole number",
    ):
        assert response.json()["message"].count(said) == 1, response.json()["message"]
    assert ("relatedParty" in response.json()["message"]) == (about != ABOUT["relatedParty"])


def test_of_what_has_another_form_nothing_more_is_said(door: Door) -> None:
    """Not that it is none of ours, or is missing: it was passed over. Who asks about nobody is not asked for a channel."""
    message = door.ask({**ABOUT, "channel": {"id": ["x"]}, "name": ["x"]}).json()["message"]
    assert message == "name: expected text; channel.0.id: expected text"
    assert door.ask({"channel": "shopp", "name": ["x"]}).json()["message"] == "name: expected text"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"category": {"id": "a", "id": "b"}}',
        b'{"category": {"id": "a", "n": NaN}}',
        b'{"category": {"id": "a", "n": 1e999}}',
        b'{"category": {"id": "a", "n": "\\ud800"}}',
        b'{"name": "\\ud800"}',
        b'{"subscriber": {"id": "\\ud800"}, "channel": "app"}',
        b'{"channel": {"id": "\\ud800"}, "relatedParty": "x"}',
        b'{"category": {"id": "a", "n": ' + b"9" * 5_000 + b"}}",
        b'{"category": {"id": "a", "n": ' + b"[" * 3_000 + b"]" * 3_000 + b"}}",
        b'{"name": "\xff"}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_json_readers_differ_about_is_400(door: Door, body: bytes) -> None:
    """Duplicate keys, NaN, halves of characters, endless numbers and depths."""
    response = door.call("POST", QUERY, content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")


def test_every_channel_has_a_name_that_is_taken(door: Door, service: Service) -> None:
    """Our own names however they are spelt, and others; one that is left out is the role's usual one, and a campaign must name one."""
    spelt = {name: name for name in CHANNELS} | {"Call-Centre": "call_centre", "SMS marketing channel": "sms_marketing"} | dict(OTHER_NAMES)
    for said, channel in spelt.items():
        found = door.ask({"relatedParty": "s-7", "channel": {"id": said}}).json()
        assert service.entry(found["id"]).body["channel"] == channel, said
    assert "channel: is required" in door.ask({"relatedParty": "s-7"}).json()["message"]
    found = Door(service, "agent").ask({"relatedParty": "s-7"}).json()
    assert service.entry(found["id"]).body["channel"] == BY_ROLE["agent"] == "call_centre"


def test_the_subscriber_is_the_party_with_the_role(door: Door, service: Service) -> None:
    """Of several the subscriber or customer; an employee is nobody to decide about; a lone party without a role is meant."""
    employee, customer = {"id": "e-1", "role": "employee"}, {"id": "s-8", "role": "Customer"}
    found = door.ask({"channel": "app", "relatedParty": [employee, customer]}).json()
    assert service.entry(found["id"]).case.subscriber.id == "s-8"  # type: ignore[union-attr]
    assert door.ask({"channel": "app", "relatedParty": [employee]}).json()["emptyBecause"] == "no_subscriber"
    assert "decisionId" in door.ask({"channel": "app", "relatedParty": "s-8"}).json()
    assert "decisionId" in door.ask({"channel": "app", "subscriber": {"id": "s-8"}}).json()


def _parties(*pairs: tuple[str, str | None]) -> list[dict[str, str]]:
    return [{"id": name} | ({} if role is None else {"role": role}) for name, role in pairs]


@pytest.mark.parametrize(
    ("given", "about"),
    [
        ({"relatedParty": _parties(("s-1", "customer"), ("s-2", "owner"))}, "s-1"),
        ({"relatedParty": _parties(("s-1", None), ("s-1", None))}, "s-1"),
        ({"relatedParty": _parties(("e-1", "employee"), ("s-1", None), ("org-7", "Sales Agent"))}, "s-1"),
        ({"relatedParty": [{"id": "org-7", "@referredType": "Organization"}, {"id": "s-1"}]}, "s-1"),
        ({"relatedParty": _parties(("s-1", "customer"), ("s-2", "subscriber")), "subscriber": {"id": "s-2"}}, "s-2"),
        ({"relatedParty": _parties(("s-1", "payer")), "subscriber": {"id": "s-2"}}, "s-2"),
    ],
)
def test_whom_it_is_about_is_said_back(door: Door, service: Service, given: Any, about: str) -> None:
    """As it was given; of other people nothing is kept where somebody is meant."""
    found = door.ask({"channel": "app", **given}).json()
    assert service.entry(found["id"]).case.subscriber.id == about  # type: ignore[union-attr]
    party = next((one for one in given["relatedParty"] if one["id"] == about), given["relatedParty"][0])
    assert found["relatedParty"].items() >= party.items()
    assert door.get(f"{QUERY}/{found['id']}").json()["relatedParty"] == found["relatedParty"]


@pytest.mark.parametrize("role", ["retailer", "employee", "Service Provider"])
def test_a_party_that_is_nobody_to_decide_about_is_said_back(door: Door, role: str) -> None:
    """With the enquiry, now and whenever it is read."""
    found = door.ask({"relatedParty": _parties(("org-7", role))}).json()
    assert (found["emptyBecause"], found["relatedParty"]) == ("no_subscriber", {"id": "org-7", "role": role, "@referredType": "Party"})
    assert door.get(f"{QUERY}/{found['id']}").json() == found


@pytest.mark.parametrize(
    "given",
    [
        {"relatedParty": _parties(("s-1", "customer"), ("s-2", "subscriber"))},
        {"relatedParty": _parties(("s-1", "customer"), ("s-2", "customer"))},
        {"relatedParty": _parties(("s-1", None), ("s-2", None))},
        {"relatedParty": _parties(("s-1", None), ("s-2", "payer"))},
        {"relatedParty": _parties(("s-1", "payer"))},
        {"relatedParty": _parties(("s-1", "customer"), ("s-2", "subscriber")), "subscriber": {"id": "s-3"}},
    ],
)
@pytest.mark.parametrize("caller", ["campaign", "app"])
def test_there_is_no_guess_between_two_people(service: Service, caller: str, given: Any) -> None:
    """400 with what to send, and nothing on record, whoever asks; a role that leaves it open does not matter to who is known by a token."""
    response = Door(service, caller).ask({"channel": "app", **given})
    if caller == "app" and len(given["relatedParty"]) == 1:
        assert response.status_code == 201
        return
    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")
    assert "give whom it is about the role `subscriber` or `customer`" in response.json()["message"]
    assert "s-2" not in response.text
    assert entries(service, "decision") == entries(service, "enquiry") == 0


def test_a_repeated_request_with_a_key_gives_the_first_answer(door: Door, service: Service) -> None:
    """And one record; of an enquiry too."""
    for body in (ABOUT, {"category": {"id": "a"}}):
        first, again = (door.ask(body, headers={"idempotency-key": f"k-{len(body)}"}) for _ in range(2))
        assert first.json() == again.json()
        assert first.headers["location"] == again.headers["location"]
    assert (entries(service, "decision"), entries(service, "enquiry")) == (1, 1)
    other = door.ask({}, headers={"idempotency-key": f"k-{len(ABOUT)}"})
    assert (other.status_code, other.json()["code"]) == (400, "idempotency-key-reused")


# Whose it is


def test_everybody_sees_their_own_only(everywhere: Service) -> None:
    """A system its own; a customer what is about them and was asked in the app; somebody else's is not found, by either prefix."""
    campaign, other, app = Door(everywhere, "campaign"), Door(everywhere, "other campaign"), Door(everywhere, "app")
    made = campaign.asked()
    own = app.asked(channel="app", direction="self")
    assert campaign.ids() == [made["id"]]
    assert other.ids() == []
    assert app.ids() == [own["id"]]
    assert Door(everywhere, "app of another").ids() == []
    theirs = Door(everywhere, "app of another").ask({"channel": "app"}).json()
    assert (app.ids(), Door(everywhere, "app of another").ids()) == ([own["id"]], [theirs["id"]])
    assert Door(everywhere, "agent").ids() == []
    assert Door(everywhere).ids() == [theirs["id"], own["id"], made["id"]]
    for door in (other, app, Door(everywhere, "app of another"), Door(everywhere, "agent")):
        for prefix in (RECOMMENDATIONS, CUSTOMER):
            assert door.get(f"{prefix}/queryProductRecommendation/{made['id']}").status_code == 404
        assert door.ids(id=made["id"]) == []


def test_who_sees_less_reads_less(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a recommendation that was made for somebody of a higher grade: on the list and alone."""
    for name, grade in (("manager", "manager"), ("novice", None)):
        monkeypatch.setitem(CALLERS, name, Caller("desk", "agent", grade))  # type: ignore[arg-type]
    made = Door(service, "manager").asked(channel="call_centre", direction="inbound", reason="bill")
    assert all("score" in item for item in made["recommendationItem"])
    novice = Door(service, "novice")
    for found in (novice.get(f"{QUERY}/{made['id']}").json(), *novice.get().json()):
        assert [item["action"] for item in found["recommendationItem"]] == [item["action"] for item in made["recommendationItem"]]
        assert not any("score" in item for item in found["recommendationItem"])


def test_a_customer_asks_about_themselves(service: Service) -> None:
    """Whoever the body names, it is about whom the token names, or refused."""
    named = Door(service, "app").ask({**ABOUT, "channel": "app", "relatedParty": {"id": "s-9999", "role": "customer"}})
    assert (named.status_code, named.json()["code"]) == (403, "forbidden")
    in_header = Door(service, "app").ask({"channel": "app"}, headers={"x-subscriber-id": "s-9999"})
    assert (in_header.status_code, in_header.json()["code"]) == (403, "forbidden")
    found = Door(service, "app").ask({"channel": "app"}).json()
    assert service.entry(found["id"]).case.subscriber.id == WHO  # type: ignore[union-attr]


def test_a_role_that_decides_nothing_may_not_ask(service: Service) -> None:
    """With TM Forum's error."""
    response = Door(service, "compliance").ask(ABOUT)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_each_look_is_one_note(door: Door, service: Service) -> None:
    """A list is one, however many are on it; so is a read; asking and what is refused are none."""
    first = door.asked()["id"]
    door.asked()
    assert entries(service, "read") == 0
    door.get()
    assert entries(service, "read") == 1
    door.get(f"{QUERY}/{first}")
    assert entries(service, "read") == 2
    door.get(f"{QUERY}/nothing")
    door.get(fields="no_such")
    assert entries(service, "read") == 2


def test_erased_persons_are_not_there(everywhere: Service) -> None:
    """Neither on the list nor by id nor among the counted, and the log is whole; an enquiry is erased by its own name."""
    service, door = everywhere, Door(everywhere, "campaign")
    gone, enquiry = door.asked(), door.ask({"category": "a"}).json()
    stays = door.asked(relatedParty="s-5", subscriber=None)
    service.seal()
    erase(service.record, WHO, basis="request of the person", by="pia")
    assert door.ids() == [stays["id"], enquiry["id"]]
    assert door.get(f"{QUERY}/{gone['id']}").status_code == 404
    erase(service.record, f"enquiry:{enquiry['id']}", basis="request", by="pia")
    response = door.get()
    assert ([element["id"] for element in response.json()], response.headers["x-total-count"]) == ([stays["id"]], "1")
    service.seal()
    assert findings(service) == ()


def test_rows_are_held_against_their_entries(everywhere: Service) -> None:
    """A list that was made to show somebody something else is found by `verify`."""
    service, door = everywhere, Door(everywhere, "campaign")
    first, second = door.asked()["id"], door.ask({}).json()["id"]
    service.seal()
    with service.record.database.writing() as connection:
        table = RecommendationRow.__table__  # type: ignore[attr-defined]
        connection.execute(table.update().where(table.c.entry_id == first).values(caller="other"))
        connection.execute(table.delete().where(table.c.entry_id == second))
        connection.execute(table.insert().values(entry_id="made-up", subject="0" * 32, role="campaign", caller="engine"))
    found = " ".join(finding.message for finding in findings(service))
    assert f"recommendation row of entry {first}: `caller` says something else than its entry" in found
    assert f"recommendation row of entry {second}: it is missing" in found
    assert "recommendation row of entry made-up: there is no such recommendation" in found


# The list


def test_the_list_goes_page_by_page(everywhere: Service) -> None:
    """Newest first; the headers say how many there are, and how many are given."""
    door = Door(everywhere, "campaign")
    made = [door.ask({"name": str(number)}).json()["id"] for number in range(5)]
    response = door.get(offset=1, limit=2)
    assert [element["id"] for element in response.json()] == made[-2:-4:-1]
    assert (response.headers["x-total-count"], response.headers["x-result-count"]) == ("5", "2")
    assert door.ids(offset=5) == []
    assert door.ids(limit=LARGEST_PAGE) == made[::-1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "limit: expected a whole number from 1 to 100"),
        ("limit=101", "limit: expected a whole number from 1 to 100"),
        ("limit=many", "limit: expected a whole number"),
        ("offset=-1", "offset: expected a whole number"),
        ("offset=99999999999999999999", "offset: expected a whole number"),
        ("state=done", "state: is no parameter of this call; there are fields, offset, limit, id"),
        ("limt=1&ofset=2", "limt: is no parameter of this call; did you mean `limit`?"),
        ("limt=1&ofset=2", "ofset: is no parameter of this call; did you mean `offset`?"),
        ("relatedParty.id=s-1", "relatedParty.id: is no parameter of this call; there are fields, offset, limit, id"),
        ("limit=1&limit=2", "limit: is given twice"),
        ("fields=recomendationItem", "fields: `recomendationItem` is no field of the answer; did you mean `recommendationItem`?"),
        ("fields=", "fields: one of them is no field of the answer; there are "),
        (f"id={'x' * 300}", "id: "),
    ],
)
def test_a_list_is_not_asked_for_in_vain(door: Door, query: str, said: str) -> None:
    """What a parameter cannot be is named, and what there is."""
    response = door.get(f"{QUERY}?{query}")
    assert response.status_code == 400
    assert said in response.json()["message"]


def test_fields_gives_what_is_asked_for(door: Door) -> None:
    """Attributes of the first level, beside `id` and `href`; `none` gives these two alone; one that is not there is left out."""
    found = door.asked()
    path = f"{QUERY}/{found['id']}"
    assert door.get(path, fields="recommendationItem, state").json().keys() == {"id", "href", "recommendationItem", "state"}
    assert door.get(path, fields="none").json().keys() == door.get(path, fields="category").json().keys() == {"id", "href"}
    assert all(element.keys() == {"id", "href", "@type"} for element in door.get(fields="id,@type").json())


# Where it is


@pytest.mark.parametrize("host", ["wanliu", "nba.example:8443", "[::1]:8000", "10.0.0.1"])
def test_links_lead_where_the_request_was_addressed(service: Service, host: str) -> None:
    """To its host, under its prefix."""
    made = Door(service).ask({}, headers={"host": host})
    assert made.headers["location"] == f"http://{host}{QUERY}/{made.json()['id']}"


@pytest.mark.parametrize(
    "host", ["a b", "evil.example/path", "user@evil.example", "evil.example#", 'x"y', "a" * 300, "-.-..", "[::1", "a" * 200 + "!"]
)
def test_a_host_that_is_none_leads_nowhere(service: Service, host: str) -> None:
    """Links lead to the server itself, then."""
    made = Door(service).ask({}, headers={"host": host})
    assert re.fullmatch(r"http://wanliu(:80)?/tmf-api/.*", made.json()["href"])


def test_a_proxys_address_stands_above_the_request(service: Service) -> None:
    """With WANLIU_PUBLIC_URL, whatever the request says."""
    service.http.app.state.public_url = "https://nba.example/"  # type: ignore[attr-defined]
    made = Door(service).ask({}, headers={"host": "other.example"}).json()
    assert made["href"] == f"https://nba.example{QUERY}/{made['id']}"
    assert made["@schemaLocation"].startswith("https://nba.example/openapi.json#")


# Errors


def test_every_error_on_these_paths_has_tm_forums_form(service: Service) -> None:
    """Paths that there are not, methods, types, sizes; `Allow` and the like stay where they are."""
    door = Door(service)
    assert door.get("/tmf-api/recommendationManagement/v4/no/such").status_code == 404
    for path in ("/tmf-api", "/tmf-api/none", "/tmf-api/recommendationManagement/v4", "/customer/v4", "/customer/v4/none"):
        assert door.get(path).status_code == 404
    wrong = door.call("PUT", QUERY)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, POST")
    assert door.call("POST", QUERY, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert (
        door.call("POST", QUERY, content=b"{}", headers={"content-type": "application/json", "content-encoding": "gzip"}).status_code == 415
    )
    large = door.call("POST", QUERY, content=b'{"name": "' + b"x" * 2_000_000 + b'"}', headers={"content-type": "application/json"})
    assert (large.status_code, large.json()["code"]) == (413, "body-too-large")
    assert service.http.get("/v1/none").headers["content-type"] == "application/problem+json"


def test_without_a_key_one_is_asked_for(guarded: Any) -> None:
    """401 with the challenge, in TM Forum's form."""
    door = Door(guarded.http)
    for headers in ({}, {"authorization": "Bearer wl_nobodys"}):
        response = door.call("POST", QUERY, json={}, headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
        assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_store_that_does_not_answer_is_503(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `Retry-After`; nothing is answered that is not on record."""
    monkeypatch.setattr(service.record, "deadline", 0.0)
    response = Door(service).ask({})
    assert (response.status_code, response.json()["code"]) == (503, "store-unavailable")
    assert int(response.headers["retry-after"]) > 0


def test_a_defect_is_500_in_tm_forums_form(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word of what went wrong."""

    def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("app.api.tmf.recommendations.recommended", fails)
    response = Door(service).ask({})
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "secret" not in response.text


def test_head_is_get_without_its_body(service: Service) -> None:
    """Also of what is not there."""
    assert service.http.head(QUERY).status_code == 200
    missing = service.http.head(f"{QUERY}/nothing")
    assert (missing.status_code, missing.content) == (404, b"")


def test_our_document_tells_of_both_prefixes_alike() -> None:
    """The same parameters, bodies and answers under each, but for what examples say."""
    first, second = (told_under(prefix) for prefix in (RECOMMENDATIONS, CUSTOMER))
    assert first.keys() == second.keys() == {"/queryProductRecommendation", "/queryProductRecommendation/{id}", "/hub", "/hub/{id}"}
    assert json.dumps(first, sort_keys=True) == re.sub("ofcustomer", "", json.dumps(second, sort_keys=True), flags=re.IGNORECASE)
    assert HUB in document()["paths"]


def told_under(prefix: str) -> dict[str, Any]:
    return {path.removeprefix(prefix): without_examples(item) for path, item in document()["paths"].items() if path.startswith(prefix)}


def without_examples(part: Any) -> Any:
    if isinstance(part, list):
        return [without_examples(item) for item in part]
    if isinstance(part, dict):
        return {name: without_examples(item) for name, item in part.items() if name not in ("example", "examples")}
    return part


def test_the_exported_document_of_this_door_is_that_of_the_code() -> None:
    """openapi/tmf680.v4.yaml is what `make openapi` writes, and everything that it refers to is in it."""
    assert TMF_FILE.read_text(encoding="utf-8") == exported_tmf(), "run: make openapi"
    told = yaml.safe_load(exported_tmf())
    assert told["paths"].keys() == {*told_under(RECOMMENDATIONS), "/partyInteraction"}
    for kind, name in re.findall(r"'#/components/(\w+)/([\w-]+)'", exported_tmf()):
        assert name in told["components"][kind]


@needs_documents
def test_our_document_has_the_calls_of_tm_forums() -> None:
    """Each but those that a listener has, with every status that we give of theirs."""
    theirs, ours = official(OF_680)["paths"], told_under(RECOMMENDATIONS)
    assert ours.keys() == {path for path in theirs if not path.startswith("/listener")}
    for path, item in ours.items():
        assert item.keys() == theirs[path].keys()
        assert all(min(item[method]["responses"]) == min(theirs[path][method]["responses"]) for method in item)
