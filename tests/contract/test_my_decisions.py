"""What customers read of decisions about them over HTTP: plain words, only their own, nothing that is not for them."""

import datetime
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col
from starlette.testclient import TestClient

from app.record.erasing.persons import erase
from app.record.keys import Keys
from app.record.store.tables import EntryRow
from tests.customers import EXAMPLES, WHO, Service, offered, served

pytestmark = pytest.mark.contract

OFFER = "tariff_pack"


@pytest.fixture
def service(http: TestClient, keys: Keys, database_url: str) -> Iterator[Service]:
    with served(http.app.state.services.packs, database_url, keys) as service:  # type: ignore[attr-defined]
        yield service


def mine(service: Service, query: str = "?locale=en", caller: str = "app") -> Any:
    response = service.call(caller, "GET", f"/v1/my/decisions{query}")
    assert response.status_code == 200, response.text
    return response.json()


def one(service: Service, decision_id: str, query: str) -> Any:
    return service.call("app", "GET", f"/v1/my/decisions/{decision_id}{query}").json()


def test_a_decision_is_told_in_plain_words(service: Service) -> None:
    """When, where, what we suggested and why, on what it rests, what became of it, and how to refuse it."""
    decision = service.decide()["decision_id"]
    service.wait(minutes=1)
    service.tell("campaign", decision, OFFER, "sent")
    (told,) = mine(service)["decisions"]
    assert told == {
        "decision_id": decision,
        "at": "2026-11-20T02:00:00.000000+00:00",
        "channel": "a marketing SMS",
        "words": told["words"],
        "suggestions": [
            {
                "action": OFFER,
                "name": told["suggestions"][0]["name"],
                "why": "You paid ¥48 last month for calls your plan does not include; a pack costs ¥10.",
                "became": "It was sent to you on 2026-11-20 10:01 (UTC+08:00).",
                "refused": False,
            }
        ],
    }
    assert told["words"][0] == (
        "On 2026-11-20 10:00 (UTC+08:00) our system checked what it could usefully suggest to you by marketing text message."
    )
    assert told["words"][1].startswith("We suggested International Calls 30. You paid ¥48 last month")
    assert "about your services and your bills." in told["words"][1]
    assert "because you agreed to receive them" in told["words"][1]
    assert told["words"][2].startswith("At any time you can say no")


def test_it_is_told_in_chinese_as_well(service: Service) -> None:
    """The same, written in Chinese."""
    service.decide()
    (told,) = mine(service, "")["decisions"]
    assert told["words"][0] == "2026-11-20 10:00（UTC+08:00），系统为您评估了可通过营销短信提供的服务建议。"
    assert told["words"][1].startswith("我们向您推荐了国际及港澳台通话30分钟包。")
    assert "依据的信息：已订业务、账单。" in told["words"][1]
    assert "因您同意接收营销信息而提供。" in told["words"][1]


def test_a_refusal_is_told_with_its_decision(service: Service) -> None:
    """What the person refused, when, and that it stands."""
    decision = service.decide()["decision_id"]
    service.wait(minutes=1)
    service.choose("no_action", action=OFFER, decision_id=decision)
    (told,) = mine(service)["decisions"]
    assert told["suggestions"][0]["refused"] is True
    assert told["suggestions"][0]["became"] == "You refused it on 2026-11-20 10:01 (UTC+08:00)."
    assert "You asked us not to suggest it again." in told["words"][1]


def test_why_nothing_was_suggested(service: Service) -> None:
    """In words of its own, by the cause; and that the profile was not used, as they wished."""
    service.choose("no_marketing")
    service.choose("no_personalisation")
    service.decide()
    (told,) = mine(service)["decisions"]
    assert told["suggestions"] == []
    assert told["words"][1:] == [
        "We suggested nothing: it was not a good time, or you had asked us not to.",
        "As you asked, your profile was not used for offers.",
    ]


def test_whatever_was_written_to_them_is_told(service: Service) -> None:
    """The hand-over to a person too, after somebody asked for one: what the app showed is told in its words, in its order."""
    service.choose("human_review")
    answer = service.decide("app", channel="app", direction="self", reason="bill", locale="en")
    assert [item["action"] for item in answer["actions"]] == ["hand_to_person", "bill_explain"]
    (english,), (chinese,) = mine(service)["decisions"], mine(service, "")["decisions"]
    assert [item["action"] for item in english["suggestions"]] == ["hand_to_person", "bill_explain"]
    for words, item in zip(english["words"][1:3], answer["actions"], strict=True):
        assert words.startswith(f"The suggestion: “{item['text']}”")
    assert chinese["words"][1].startswith("建议内容：“转人工为您处理，您已填写的内容会一并转交，无需重复。”这件事由人工为您处理。")


def test_what_our_people_were_advised_is_not_told(service: Service) -> None:
    """Advice for the desk on somebody about to leave is neither named nor explained; nor are codes, scores, phases or signals."""
    leaving = {"churn": {"score": 0.93, "as_of": "2026-11-19T06:00:00+08:00"}, "vip": {"tier": "diamond"}, "value": {"annual": 990_000}}
    answer = service.decide("agent", leaving, channel="call_centre", direction="inbound", moment="leave_intent", verified="sms")
    assert offered(answer)
    english, chinese = mine(service)["decisions"][0], mine(service, "")["decisions"][0]
    assert (english["words"][1:], english["suggestions"]) == (
        ["The suggestions went to the people serving you, so that they could help you better."],
        [],
    )
    assert (chinese["words"][1:], chinese["suggestions"]) == (["这次的服务建议提供给了为您服务的工作人员。"], [])


def test_no_code_and_nothing_restricted_is_told(http: TestClient, keys: Keys, sqlite_url: str) -> None:
    """Whoever they are: no code, no score, no phase, nothing of risk or of their worth, and in Chinese no English."""
    with served(http.app.state.services.packs, sqlite_url, keys) as service:  # type: ignore[attr-defined]
        for example in sorted(EXAMPLES.glob("[0-9]*.json")):
            body = json.loads(example.read_bytes())
            channel = body["channel"] if body["channel"] in ("sms_marketing", "sms_service") else "app"
            fields = {name: value for name, value in body.items() if name not in ("as_of", "contact_at", "subscriber", "moment")}
            service.now = datetime.datetime.fromisoformat(body["as_of"])
            made = service.decide("", body["subscriber"] | {"id": WHO}, **fields | {"channel": channel})["decision_id"]
            english, chinese = ("".join(one(service, made, query)["words"]) for query in ("?locale=en", ""))
            for text in (english, chinese):
                assert not re.search(r"churn|score|phase|rescue|high.value|signal|流失|评分|高危|价值|阶段|[a-z]+_[a-z]+", text), text
            assert not re.search(r"[a-z]{4,} [a-z]{3,} [a-z]{3,}", chinese), chinese


def test_pages_go_on_where_the_last_one_ended(service: Service) -> None:
    """Newest first, each once, whatever is decided meanwhile."""
    made = []
    for _ in range(5):
        made.append(service.decide()["decision_id"])
        service.wait(minutes=1)
    seen, cursor = [], ""
    for _ in range(3):
        page = mine(service, f"?limit=2{cursor}")
        seen += [item["decision_id"] for item in page["decisions"]]
        cursor = f"&cursor={page['next']}"
        service.decide()
    assert seen == made[::-1]
    assert page["next"] is None


def test_every_decision_about_them_is_theirs_and_no_other(service: Service) -> None:
    """Whoever asked for it; somebody else's is not there, in the list or by its id."""
    own = service.decide("agent", channel="call_centre")["decision_id"]
    other = service.decide("campaign", {"id": "s-7"})["decision_id"]
    assert [item["decision_id"] for item in mine(service)["decisions"]] == [own]
    assert service.call("app", "GET", f"/v1/my/decisions/{own}?locale=en").json() == mine(service)["decisions"][0]
    assert service.call("app", "GET", f"/v1/my/decisions/{other}").status_code == 404
    assert mine(service, caller="app of another") == {"decisions": [], "next": None}
    assert service.call("app of another", "GET", f"/v1/my/decisions/{own}").status_code == 404


def test_who_looks_is_on_the_record(service: Service) -> None:
    """One entry a page or a decision, about the person, before they see it."""
    own = service.decide()["decision_id"]
    mine(service)
    service.call("app", "GET", f"/v1/my/decisions/{own}")
    service.call("app", "GET", "/v1/my/choices")
    ids = service.record.read_now(
        lambda c: c.execute(select(col(EntryRow.id)).where(col(EntryRow.kind) == "read").order_by(col(EntryRow.id))).scalars().all()
    )
    told = [(service.entry(name).body["what"], service.entry(name).subject == service.entry(own).subject) for name in ids]
    assert told == [("list", True), ("explanation", True), ("choices", True)]


def test_nothing_is_told_of_somebody_erased(service: Service) -> None:
    """Neither to them nor to who comes after them under the same id."""
    own = service.decide()["decision_id"]
    erase(service.record, WHO, basis="request of the person", by="pia")
    assert mine(service) == {"decisions": [], "next": None}
    service.decide()
    assert len(mine(service)["decisions"]) == 1
    assert service.call("app", "GET", f"/v1/my/decisions/{own}").status_code == 404


def test_the_explanation_is_told_in_plain_words_too(service: Service) -> None:
    """To the customer and to reviewers; to an agent it is told in the words for agents."""
    own = service.decide("app", channel="app")["decision_id"]
    told = service.call("app", "GET", f"/v1/decisions/{own}/explanation?locale=en").json()
    assert told["plain"] == service.call("app", "GET", f"/v1/my/decisions/{own}?locale=en").json()
    assert told["explanation"]["signals"] == []
    assert service.call("compliance", "GET", f"/v1/decisions/{own}/explanation?locale=en").json()["plain"] == told["plain"]
    desk = service.decide("agent", channel="call_centre")["decision_id"]
    assert service.call("agent", "GET", f"/v1/decisions/{desk}/explanation").json()["plain"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [("?limit=0", "limit"), ("?limit=51", "limit"), ("?cursor=x", "cursor"), ("?subject=1", "subject"), ("?locale=fr", "locale")],
)
def test_a_wrong_parameter_is_named(service: Service, query: str, field: str) -> None:
    """What it should be is said."""
    problem = service.call("app", "GET", f"/v1/my/decisions{query}").json()
    assert (problem["status"], problem["errors"][0]["field"]) == (422, field)
