"""TM Forum's TMF683 v4.0.0: an interaction is taken as an outcome of a recommendation."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.api.tmf.interacting import OTHER_WORDS
from app.engine.vocabulary import Outcome
from app.record.keys import Keys
from app.record.store.tables import OutcomeRow
from tests.contract.tmf import INTERACTIONS, QUERY, Door, tmf_served
from tests.customers import Service

pytestmark = pytest.mark.contract

PATH = f"{INTERACTIONS}/partyInteraction"
AGREED = {"attachment": [{"id": "rec-1"}], "reason": "price"}
"""What some outcomes need."""


@pytest.fixture
def service(http: TestClient, keys: Keys, sqlite_url: str) -> Iterator[Service]:
    with tmf_served(http, keys, sqlite_url) as service:
        yield service


@pytest.fixture
def door(service: Service) -> Door:
    return Door(service, "agent")


def asked(door: Door) -> dict[str, Any]:
    return door.asked(channel="call_centre", direction="inbound", reason="bill", caller_relation="holder", verified="sms")


def outcomes(service: Service) -> list[tuple[str, str, str | None, str | None, str | None]]:
    query = select(OutcomeRow.action, OutcomeRow.outcome, OutcomeRow.reason, OutcomeRow.reference, OutcomeRow.agent)  # type: ignore[call-overload]
    return [tuple(row) for row in service.record.read_now(lambda connection: connection.execute(query.order_by("entry_id")).all())]  # type: ignore[misc]


def test_an_interaction_is_an_outcome(door: Door, service: Service) -> None:
    """Of the item that it names, with its reason, the confirmation and who saw it; the answer says so in TM Forum's form."""
    found = asked(door)
    item = {"id": "1", "item": {"id": found["id"]}, "resolution": "accepted", "attachment": {"id": "rec-9"}}
    body = {
        "description": "a call",
        "reason": "bill",
        "direction": "inbound",
        "channel": {"id": "call_centre"},
        "relatedParty": [{"id": "s-1002", "role": "customer"}, {"id": "a-17", "role": "agent"}],
        "interactionItem": item,
    }
    response = door.call("POST", PATH, json=body)
    assert response.status_code == 201
    told = response.json()
    action = found["recommendationItem"][0]["action"]
    assert outcomes(service) == [(action, "accepted", None, "rec-9", "a-17")]
    assert service.entry(told["id"]).body["decision"] == found["id"]
    assert (told["reason"], told["direction"], told["status"]) == ("bill", "inbound", "completed")
    assert len(found["recommendationItem"]) > 1
    (shown,) = told["interactionItem"]
    assert (shown["action"], shown["resolution"]) == (action, "accepted")
    assert shown["item"]["href"] == found["href"]


def test_the_recommendation_may_be_named_in_several_ways(door: Door, service: Service) -> None:
    """By id or link; its item by number or action, in `action` or as the item's name."""
    found = asked(door)
    first = found["recommendationItem"][0]["action"]
    for named in (
        {"id": 1, "item": {"href": found["href"]}},
        {"action": first, "item": {"id": found["id"].upper()}},
        {"item": {"id": "ours-7", "href": found["href"] + "/", "name": first}},
    ):
        response = door.call("POST", PATH, json={"interactionItem": [{"reason": "small talk"}, {**named, "resolution": "shown"}]})
        assert response.status_code == 201, response.text
    assert [row[:2] for row in outcomes(service)] == [(first, "shown")] * 3


def test_outcomes_have_other_words(door: Door, service: Service) -> None:
    """Ours, and those of other systems; however they are spelt."""
    found = asked(door)
    said = {name: name for name in get_args(Outcome)} | dict(OTHER_WORDS) | {"No answer": "ignored", "DECLINED": "refused"}
    for word, outcome in said.items():
        response = door.tell(found["id"], resolution=word, **AGREED)
        assert response.status_code in (201, 409), response.text  # refused once, the conversation has gone on
        assert outcomes(service)[-1][1] == outcome, word


def test_a_refusal_leads_to_the_next_recommendation(door: Door, service: Service) -> None:
    """Linked from the answer, readable, on the list, about the same person; the refused action is not in it."""
    found = asked(door)
    refused = found["recommendationItem"][0]["action"]
    told = door.tell(found["id"]).json()
    assert told["nextRecommendation"]["href"] == f"http://wanliu{QUERY}/{told['nextRecommendation']['id']}"
    following = door.get(told["nextRecommendation"]["href"].removeprefix("http://wanliu"))
    assert following.status_code == 200
    assert refused not in [item["action"] for item in following.json()["recommendationItem"]]
    assert following.json()["relatedParty"] == found["relatedParty"]
    assert door.ids() == [following.json()["id"], found["id"]]
    again = door.tell(found["id"])
    assert (again.status_code, again.json()["code"]) == (409, "went-on")


def test_without_a_next_one_it_says_why(service: Service) -> None:
    """On a channel of messages nobody is there to go on with."""
    door = Door(service, "campaign")
    told = door.tell(door.asked()["id"]).json()
    assert told["nextBecause"] == "message"
    assert "nextRecommendation" not in told


def test_a_repeated_interaction_with_a_key_is_one(door: Door, service: Service) -> None:
    """The same answer, and one outcome."""
    found = asked(door)
    body = {"interactionItem": {"id": "1", "item": {"id": found["id"]}, "resolution": "refused"}}
    first, again = (door.call("POST", PATH, json=body, headers={"idempotency-key": "k"}) for _ in range(2))
    assert first.json() == again.json()
    assert len(outcomes(service)) == 1


@pytest.mark.parametrize(
    ("item", "status", "said"),
    [
        ({"resolution": "maybe"}, 400, "interactionItem.0.resolution: expected one of shown"),
        ({"resolution": "refuse"}, 400, "did you mean `refused`?"),
        ({"resolution": None}, 400, "interactionItem.0.resolution: expected one of"),
        ({"item": {}}, 400, "interactionItem: none names a recommendation"),
        ({"item": {"id": "x"}}, 400, "interactionItem: none names a recommendation"),
        ({"item": {"id": "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b"}}, 404, "no decision has this id"),
        ({"id": "99"}, 400, "interactionItem.0.id: expected the `id` of one of the recommendation's items"),
        ({"action": "no_such"}, 404, "did not offer this action"),
        ({"action": "no such"}, 400, "interactionItem.0.action: expected 1 to 64 characters"),
        ({"resolution": "left"}, 400, "reason: is required"),
        ({"itemDate": {"startDateTime": "yesterday"}}, 400, "interactionItem.0.itemDate.startDateTime: expected a time with its offset"),
        ({"creationDate": "2026-11-20T02:00:00"}, 400, "interactionItem.0.creationDate: expected a time with its offset"),
        ({"creationDate": "0001-01-01T00:00:00+23:00"}, 400, "interactionItem.0.creationDate: expected"),
        ({"creationDate": "2019-07-03 T04:00:00.0Z"}, 400, "at: is before the decision"),
        ({"resolutin": "refused"}, 400, "interactionItem.0.resolutin: does not exist; did you mean `resolution`?"),
        ({"itemDate": {"start_date_time": "x"}}, 400, "itemDate.start_date_time: does not exist; did you mean `startDateTime`?"),
        ({"attachment": {"id": "not a code!"}}, 400, "interactionItem.0.attachment.0.id: expected 1 to 64 characters"),
    ],
)
def test_what_is_wrong_is_named(door: Door, item: Any, status: int, said: str) -> None:
    """With its place, and what there is."""
    found = asked(door)["id"]
    named = {"id": "1", "item": {"id": found}, "resolution": "accepted", **item}
    response = door.call("POST", PATH, json={"interactionItem": [named]})
    assert (response.status_code, said in response.json()["message"]) == (status, True), response.text


def test_everything_that_is_wrong_at_once(door: Door) -> None:
    """What has another form beside what is no outcome, no time and no reference; other words for outcomes are near ones too."""
    item = {"item": {"id": asked(door)["id"]}, "resolution": "declin", "creationDate": "yesterday", "attachment": {"id": "not a code!"}}
    told = door.call("POST", PATH, json={"interactionItem": item, "Direction": "inbound"})
    assert told.status_code == 400
    for said in (
        "Direction: does not exist; did you mean `direction`?",
        "interactionItem.0.resolution: expected one of shown, sent, accepted, refused, ignored, activated, stayed, left; "
        "did you mean `declined`?",
        "interactionItem.0.creationDate: expected a time with its offset",
        "interactionItem.0.attachment.0.id: expected 1 to 64 characters",
    ):
        assert told.json()["message"].count(said) == 1, told.json()["message"]


@pytest.mark.parametrize("body", [{}, {"interactionItem": []}, {"interactionItem": 5}, [], {"interactionItem": {"item": 5}}])
def test_an_interaction_about_nothing_is_400(door: Door, body: Any) -> None:
    """It would be on no record."""
    response = door.call("POST", PATH, json=body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")


def test_misspelt_attributes_are_named(door: Door) -> None:
    """All of them, each with what was meant; those that are TM Forum's, and those that are nobody's, are passed over."""
    item = {"id": "1", "item": {"id": asked(door)["id"]}, "resolution": "shown", "note": [], "channel": "x", "vendor": 1}
    misspelt = {"interactionItm": item, "relatedParty": {"id": "a-1", "Role": "agent"}, "Direction": "inbound"}
    told = door.call("POST", PATH, json=misspelt)
    assert told.status_code == 400
    assert told.json()["message"].split("; ") == [
        "relatedParty.0.Role: does not exist",
        "did you mean `role`?",
        "interactionItem: is required",
        "interactionItm: does not exist",
        "did you mean `interactionItem`?",
        "Direction: does not exist",
        "did you mean `direction`?",
    ]
    theirs = {"interactionDate": {}, "statusChangeDate": "x", "interactionRelationship": [], "note": [], "vendor": 1}
    assert door.call("POST", PATH, json={"interactionItem": item, **theirs}).status_code == 201


def test_two_recommendations_are_told_of_one_at_a_time(door: Door) -> None:
    """Each is an outcome of its own, with an answer of its own."""
    item = {"id": "1", "item": {"id": asked(door)["id"]}, "resolution": "shown"}
    response = door.call("POST", PATH, json={"interactionItem": [item, item]})
    assert "several name a recommendation" in response.json()["message"]


def test_somebody_elses_recommendation_is_not_there(door: Door, service: Service) -> None:
    """Nor is anything told of it."""
    found = asked(door)
    for caller in ("campaign", "app"):
        assert Door(service, caller).tell(found["id"]).status_code == 404
    assert Door(service, "compliance").tell(found["id"]).status_code == 403
    assert outcomes(service) == []


def test_the_only_item_need_not_be_named(door: Door, service: Service) -> None:
    """Of several, one must be."""
    one, several = (
        door.asked(channel="call_centre", max_actions=1),
        door.asked(channel="call_centre", direction="inbound", reason="bill", verified="sms", caller_relation="holder"),
    )
    assert door.tell(one["id"], None, "shown").status_code == 201
    assert len(several["recommendationItem"]) > 1
    response = door.tell(several["id"], None, "shown")
    assert "interactionItem.0.id: expected" in response.json()["message"]


def test_an_enquiry_has_no_outcome(door: Door) -> None:
    """Nothing was decided, so nothing can become of it."""
    assert door.tell(door.ask({}).json()["id"]).status_code == 404


def test_other_calls_of_tmf683_are_not_there(door: Door) -> None:
    """In TM Forum's form."""
    assert door.get(PATH).status_code == 405
    assert door.get(f"{PATH}/1").status_code == 404
