"""What customers refuse over HTTP: honoured by the next decision of anybody, and taken back."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col
from starlette.testclient import TestClient

from app.engine.case import Case
from app.record.keys import Keys
from app.record.reading.replaying import replay
from app.record.store.tables import ChoiceRow, EntryRow
from tests.customers import SMS, WHO, Service, offered, served

pytestmark = pytest.mark.contract

OFFER = "tariff_pack"
STALE = {"consent": {"marketing": "yes", "personalised": "yes", "refused_channels": [], "as_of": "2020-01-01T00:00:00+08:00"}}


@pytest.fixture
def service(http: TestClient, keys: Keys, database_url: str) -> Iterator[Service]:
    with served(http.app.state.services.packs, database_url, keys) as service:  # type: ignore[attr-defined]
        yield service


def why_not(answer: dict[str, Any], action: str) -> dict[str, Any]:
    (found,) = [item for item in answer["not_offered"] if item["action"] == action]
    return found  # type: ignore[no-any-return]


def test_who_chose_nothing_has_an_empty_list(service: Service) -> None:
    """Nothing stands for somebody nobody has met, and their look leaves no trace."""
    assert service.call("app", "GET", "/v1/my/choices").json() == {"choices": []}
    assert service.record.read_now(lambda connection: connection.execute(select(EntryRow)).first()) is None


def test_a_choice_is_told_in_words(service: Service) -> None:
    """Each choice that stands is listed with its time and in the language asked for, oldest first."""
    service.choose("no_channel", channel="sms_marketing")
    service.wait(minutes=1)
    service.choose("no_action", action=OFFER)
    listed = service.call("app", "GET", "/v1/my/choices?locale=en").json()["choices"]
    assert listed == [
        {
            "choice": "no_channel",
            "channel": "sms_marketing",
            "action": None,
            "since": "2026-11-20T02:00:00.000000+00:00",
            "words": "no unsolicited contact through a marketing SMS",
        },
        {
            "choice": "no_action",
            "channel": None,
            "action": OFFER,
            "since": "2026-11-20T02:01:00.000000+00:00",
            "words": "don’t suggest again: International calling pack",
        },
    ]
    assert "国际及港澳台通话包" in service.call("app", "GET", "/v1/my/choices").json()["choices"][1]["words"]


@pytest.mark.parametrize(
    "choice", [{"choice": "no_marketing"}, {"choice": "no_channel", "channel": "sms_marketing"}, {"choice": "no_action", "action": OFFER}]
)
@pytest.mark.parametrize("known", [{}, STALE], ids=["as the caller knows it", "consent of long ago"])
def test_the_next_decision_honours_it_and_the_one_after_it_was_taken_back_does_not(
    service: Service, choice: dict[str, Any], known: dict[str, Any]
) -> None:
    """Whatever the caller knows: what was refused is gone at once, with its cause, and comes back when the person takes that back."""
    assert OFFER in offered(service.decide())
    service.choose(**choice)
    answer = service.decide("", known, explain="full")
    assert OFFER not in offered(answer)
    assert why_not(answer, OFFER)["cause"] == "suppressed"
    service.choose(**choice, stands=False)
    assert OFFER in offered(service.decide())


def test_no_personalisation_is_no_profile(service: Service) -> None:
    """Offers are decided from channel, moment and clock alone, whatever the caller says of consent."""
    assert service.decide("")["personalised"] is True
    service.choose("no_personalisation")
    assert service.decide("")["personalised"] is False
    assert OFFER not in offered(service.decide())


def test_who_wants_a_person_gets_one(service: Service) -> None:
    """Marketing waits for a channel on which a person decides."""
    service.choose("human_review")
    assert OFFER not in offered(service.decide())
    assert why_not(service.decide("", explain="full"), OFFER)["clause"] == "contact.human_decision"


def test_an_answer_given_meanwhile_does_not_undo_a_choice(service: Service) -> None:
    """What somebody answers to a question is what the caller knows; the choice stands until it is taken back."""
    service.choose("no_marketing")
    body = {name: value for name, value in SMS.items() if name != "as_of"}
    asked = service.call("", "POST", "/v1/decisions", json=body | {"answers": {"consent.marketing": "yes"}})
    if asked.status_code == 200:
        assert OFFER not in offered(asked.json())


def test_a_choice_taken_back_grants_nothing(service: Service) -> None:
    """Consent comes from the operator: without it there is no marketing, whatever was taken back."""
    service.choose("no_marketing")
    service.choose("no_marketing", stands=False)
    assert OFFER not in offered(service.decide(subscriber={"consent": {"marketing": "no"}}))
    assert OFFER not in offered(service.decide(subscriber={"consent": None}))


def test_a_case_shows_what_was_chosen_and_where_it_stands(service: Service) -> None:
    """The recorded case has the caller's facts as they were and the choice beside them, with its entry; it is decided the same again."""
    service.choose("no_marketing")
    answer = service.decide()
    found = service.entry(answer["decision_id"])
    assert found.case is not None
    (choice,) = found.case.choices
    assert (choice.choice, choice.about, choice.since) == ("no_marketing", None, "2026-11-20T02:00:00.000000+00:00")
    assert choice.entry is not None
    said = {"caller": "app", "role": "self_service", "choice": "no_marketing", "step": "made"}
    assert said.items() <= service.entry(choice.entry).body.items()
    assert found.case.subscriber.consent is not None
    assert found.case.subscriber.consent.marketing == "yes"
    assert Case.from_json(found.case.as_json()) == found.case
    packs = service.http.app.state.services.packs.library  # type: ignore[attr-defined]
    assert replay(found, packs).verdict == "same_bytes"


def test_said_twice_it_is_one_choice(service: Service) -> None:
    """A choice that stands is not made again, and one that does not is not taken back: no second entry."""
    service.choose("no_marketing")
    service.wait(minutes=1)
    assert [item["since"] for item in service.choose("no_marketing")] == ["2026-11-20T02:00:00.000000+00:00"]
    service.choose("no_marketing", stands=False)
    assert service.choose("no_marketing", stands=False) == []
    kinds = service.record.read_now(lambda connection: connection.execute(select(col(EntryRow.kind))).scalars().all())
    assert list(kinds) == ["choice", "choice"]


def test_refusing_a_suggestion_here_is_refusing_it_there(service: Service) -> None:
    """With the decision named, the choice is the outcome that `responses` makes: a contact that ended with a refusal, refused for good."""
    first = service.decide()
    service.wait(minutes=1)
    service.choose("no_action", action=OFFER, decision_id=first["decision_id"])
    entry = service.entry(service.record.read_now(lambda connection: connection.execute(select(col(ChoiceRow.entry_id))).scalar_one()))
    assert (entry.envelope["kind"], entry.body["outcome"], entry.body["choice"]) == ("outcome", "refused", "no_action")
    assert OFFER not in offered(service.decide())
    service.choose("no_action", action=OFFER, stands=False)
    assert OFFER in offered(service.decide())
    assert OFFER not in offered(service.decide(history="record"))


def test_refusing_there_is_refusing_here(service: Service) -> None:
    """A refusal that the person tells through `responses` in self-service stands among their choices."""
    first = service.decide("app", channel="app")
    assert OFFER in offered(first)
    service.tell("app", first["decision_id"], OFFER, "refused")
    (choice,) = service.call("app", "GET", "/v1/my/choices?locale=en").json()["choices"]
    assert (choice["choice"], choice["action"]) == ("no_action", OFFER)
    assert OFFER not in offered(service.decide())


def test_what_an_agent_tells_is_no_choice(service: Service) -> None:
    """A refusal at the desk rests as the pack says; only the person refuses for good."""
    first = service.decide("agent", channel="call_centre")
    action = offered(first)[0]
    service.tell("agent", first["decision_id"], action, "refused")
    assert service.call("app", "GET", "/v1/my/choices").json() == {"choices": []}


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"choice": "no_channel"}, "channel", "is required where the choice is `no_channel`"),
        ({"choice": "no_action"}, "action", "is required where the choice is `no_action`"),
        ({"choice": "no_marketing", "channel": "app"}, "channel", "is told of `no_channel` only; leave it out"),
        ({"choice": "no_action", "action": "tarif_pack"}, "action", "is no action of the pack in force; did you mean `tariff_pack`?"),
        ({"choice": "no_channel", "channel": "fax"}, "channel", "expected one of"),
        ({"choice": "none"}, "choice", "expected one of"),
        (
            {"choice": "no_marketing", "decision_id": "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b"},
            "decision_id",
            "is told where an action is refused; leave it out",
        ),
    ],
)
def test_a_choice_that_cannot_be_is_named(service: Service, body: dict[str, Any], field: str, message: str) -> None:
    """The field that is missing, wrong, or of another choice."""
    problem = service.call("app", "POST", "/v1/my/choices", json=body).json()
    assert problem["status"] == 422
    (error,) = problem["errors"]
    assert error["field"] == field
    assert error["message"].startswith(message)


def test_somebody_elses_decision_is_not_there(service: Service) -> None:
    """Neither another person's decision nor an action that was not suggested can be refused by naming it."""
    first = service.decide()
    for caller, body in (
        ("app of another", {"action": OFFER, "decision_id": first["decision_id"]}),
        ("app", {"action": "smart_home", "decision_id": first["decision_id"]}),
        ("app", {"action": OFFER, "decision_id": "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b"}),
    ):
        answer = service.call(caller, "POST", "/v1/my/choices", json={"choice": "no_action", **body})
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:wanliu:problem:not-found")


def test_another_persons_choices_are_theirs(service: Service) -> None:
    """Choices are about the token's subject alone."""
    service.choose("no_marketing", caller="app of another")
    assert service.call("app", "GET", "/v1/my/choices").json() == {"choices": []}
    assert OFFER in offered(service.decide())


def test_in_development_a_header_says_who_asks(service: Service) -> None:
    """And nowhere else: beside a token it is refused, without a token it is required."""
    who = {"X-Subscriber-Id": WHO}
    assert service.call("", "POST", "/v1/my/choices", json={"choice": "no_marketing"}, headers=who).status_code == 200
    assert OFFER not in offered(service.decide())
    assert service.call("", "GET", "/v1/my/choices").json()["errors"][0]["field"] == "X-Subscriber-Id"
    assert service.call("app", "GET", "/v1/my/choices", headers=who).json()["errors"][0]["field"] == "X-Subscriber-Id"


def test_what_if_knows_nothing_of_choices(service: Service) -> None:
    """It is about nobody: what to try is in the request."""
    service.choose("no_marketing")
    assert OFFER in offered(service.decide("compliance", mode="what_if"))


def through_batch(service: Service, body: dict[str, Any]) -> list[str]:
    answer = service.call("", "POST", "/v1/decisions/batch", content=json.dumps(body), headers={"content-type": "application/x-ndjson"})
    return offered(json.loads(answer.text.splitlines()[0])["decision"])


def through_tmf(service: Service, body: dict[str, Any]) -> list[str]:
    facts = {name: value for name, value in body["subscriber"].items() if name != "id"}
    asked = {**body, "relatedParty": {"id": WHO, "role": "customer"}, "channel": {"id": body["channel"]}, "subscriber": facts}
    path = "/tmf-api/recommendationManagement/v4/queryProductRecommendation"
    answer = service.call("", "POST", path, json=asked)
    assert answer.status_code == 201, answer.text
    return [OFFER] if OFFER in answer.text else []


def through_a_conversation(service: Service, body: dict[str, Any]) -> list[str]:
    """The decision after answers, of a conversation that began before the choice was made."""
    report = {"answers": {"declared.unaware_service": False}}
    answer = service.call("", "POST", f"/v1/decisions/{body['begun']}/responses", json=report)
    assert answer.status_code == 200, answer.text
    return [OFFER] if OFFER in answer.text else []


@pytest.mark.parametrize("door", [through_batch, through_tmf, through_a_conversation])
def test_every_door_keeps_to_it(service: Service, door: Callable[[Service, dict[str, Any]], list[str]]) -> None:
    """A batch, a TM Forum call, the next decision of a conversation: what was refused in the app is in none of them."""
    body = {name: value for name, value in SMS.items() if name != "as_of"}
    asked = body if door is not through_a_conversation else body | {"begun": service.decide("")["decision_id"]}
    assert OFFER in door(service, asked)
    service.choose("no_marketing")
    asked = body if door is not through_a_conversation else body | {"begun": begun_before(service)}
    assert OFFER not in door(service, asked)


def begun_before(service: Service) -> str:
    """A decision with the offer that was made before anybody chose anything."""
    service.choose("no_marketing", stands=False)
    decision = service.decide("")
    assert OFFER in offered(decision)
    service.choose("no_marketing")
    return str(decision["decision_id"])
