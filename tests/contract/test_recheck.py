"""Just before sending: whether decided actions may still go out, as the record and the caller know it by now."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col
from starlette.testclient import TestClient

from app.record.erasing.persons import erase
from app.record.keys import Keys
from app.record.store.tables import ContactRow, EntryRow
from tests.customers import SMS, WHO, Service, offered, served

pytestmark = pytest.mark.contract

OFFER = "tariff_pack"
NOBODYS = "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b"
APPLIED = {"type": "port_apply", "at": "2026-11-20T10:30:00+08:00"}


@pytest.fixture
def service(http: TestClient, keys: Keys, database_url: str) -> Iterator[Service]:
    with served(http.app.state.services.packs, database_url, keys) as service:  # type: ignore[attr-defined]
        yield service


@pytest.fixture
def decision(service: Service) -> str:
    """A decision that a campaign made, an hour ago."""
    answer = service.decide()
    assert offered(answer) == [OFFER]
    service.wait(hours=1)
    return str(answer["decision_id"])


def one(service: Service, decision: str, caller: str = "campaign", action: str = OFFER, **fields: Any) -> dict[str, Any]:
    (found,) = service.recheck({"decision_id": decision, "action": action, **fields}, caller=caller)
    return found


def test_what_nothing_stops_may_go_out(service: Service, decision: str) -> None:
    """With what was known an hour ago, as of now, by the pack in force."""
    assert one(service, decision) == {
        "decision_id": decision,
        "action": OFFER,
        "may_send": True,
        "cause": None,
        "clause": None,
        "words": None,
        "until": None,
    }


@pytest.mark.parametrize(
    ("fresh", "cause", "clause"),
    [
        ({"consent": {"marketing": "no", "personalised": "yes"}}, "suppressed", "contact.consent"),
        (
            {"consent": {"marketing": "yes", "personalised": "yes", "refused_channels": ["sms_marketing"]}},
            "suppressed",
            "contact.refused_channel",
        ),
        ({"cases": {"open_complaints": 1, "complaint_days": 0, "complaint_topic": "billing"}}, "suppressed", "contact.complaint_open"),
        ({"account": {**SMS["subscriber"]["account"], "status": "suspended_arrears"}}, "suppressed", "contact.line_active"),
        ({"account": {**SMS["subscriber"]["account"], "status": "cancelled"}}, "account_closed", None),
        ({"port": {"state": "applied"}}, "port_out_in_progress", None),
        ({"events": [APPLIED]}, "port_out_in_progress", None),
        ({"billing": {"total": [9500], "toll_fee": [0]}}, "not_applicable", "applicable.toll"),
        ({"consent": None}, "unknown", "contact.consent"),
    ],
    ids=["consent", "channel", "complaint", "suspended", "closed", "port", "port event", "no need", "unknown"],
)
def test_what_is_known_by_now_stops_it(service: Service, decision: str, fresh: dict[str, Any], cause: str, clause: str | None) -> None:
    """A section that is given takes the place of the recorded one; the cause is one, with the clause and words for it."""
    found = one(service, decision, subscriber=fresh)
    assert (found["may_send"], found["cause"], found["clause"]) == (False, cause, clause)
    assert found["words"]


def test_an_own_choice_stops_it(service: Service, decision: str) -> None:
    """Made in the app a moment ago, whatever the sender knows."""
    service.choose("no_action", action=OFFER)
    found = one(service, decision, subscriber={"consent": {"marketing": "yes", "personalised": "yes"}})
    assert (found["may_send"], found["cause"], found["clause"]) == (False, "suppressed", "own_choice")
    assert found["words"] == "The person refused this themselves."


def test_what_was_sent_or_refused_does_not_go_out_again(service: Service, decision: str) -> None:
    """Of this decision it is told; of another decision the cool-down stops it, and says until when."""
    again = service.decide()["decision_id"]
    service.tell("campaign", decision, OFFER, "sent")
    service.wait(hours=1)
    assert one(service, decision)["cause"] == "told"
    found = one(service, again)
    assert (found["may_send"], found["cause"]) == (False, "suppressed")
    assert datetime.datetime.fromisoformat(found["until"]) > service.now


def test_facts_that_are_too_old_by_now_are_unknown(service: Service) -> None:
    """What was known then ages; what no longer counts as known permits nothing. Fresh facts do."""
    billing = SMS["subscriber"]["billing"]
    decision = service.decide(subscriber={"billing": {**billing, "as_of": "2026-09-20T10:00:00+08:00"}})["decision_id"]
    service.wait(days=1)
    assert one(service, decision)["may_send"] is True
    service.wait(days=4)
    assert one(service, decision)["cause"] == "unknown"
    assert one(service, decision, subscriber={"billing": billing})["may_send"] is True


def test_its_time_runs_out(service: Service, decision: str) -> None:
    """What was decided is good as long as its answer said; at a contact after that it is not."""
    assert one(service, decision, contact_at="2026-11-26T09:30:00+08:00")["may_send"] is True
    assert one(service, decision, contact_at="2026-11-27T10:30:00+08:00")["cause"] == "expired"
    service.wait(days=8)
    assert one(service, decision)["words"] == "The time for it is over."


def test_hours_are_those_of_the_contact(service: Service, decision: str) -> None:
    """Nothing goes out at night; the answer says from when it may."""
    night = one(service, decision, contact_at="2026-11-20T23:30:00+08:00")
    assert (night["may_send"], night["cause"]) == (False, "suppressed")
    morning = datetime.datetime.fromisoformat(night["until"])
    assert morning > datetime.datetime.fromisoformat("2026-11-21T00:00:00+08:00")
    assert one(service, decision, contact_at=morning.isoformat())["may_send"] is True


def test_a_port_out_that_another_system_knows_of_stops_it(service: Service, decision: str) -> None:
    """A later decision about the person was made with it; what the sender says of it by now counts more."""
    service.decide("agent", {"events": [APPLIED]}, channel="call_centre")
    assert one(service, decision)["cause"] == "port_out_in_progress"
    assert one(service, decision, subscriber={"port": {"state": "none"}, "events": []})["may_send"] is True


def test_being_outranked_is_no_prohibition(service: Service, decision: str) -> None:
    """Something better may have come up since: what was decided may go out all the same."""
    fresh = {
        "points": {"balance": 9000, "expiring": 9000, "expiring_on": "2026-11-30"},
        "contract": {"commitment_end": "2026-12-10", "kind": "handset"},
    }
    found = one(service, decision, subscriber=fresh)
    assert found["may_send"] is True, str(found)[60:]


def test_each_item_has_an_answer_of_its_own(service: Service, decision: str) -> None:
    """In their order; one that cannot be answered with yes does not hinder the others."""
    foreign = service.decide("other campaign")["decision_id"]
    erased = service.decide(subscriber={"id": "s-gone"})["decision_id"]
    erase(service.record, "s-gone", basis="request of the person", by="pia")
    items = [
        {"decision_id": NOBODYS, "action": OFFER},
        {"decision_id": foreign, "action": OFFER},
        {"decision_id": erased, "action": OFFER},
        {"decision_id": decision, "action": "smart_home"},
        {"decision_id": decision, "action": OFFER, "subscriber": {"id": "s-7"}},
        {"decision_id": decision, "action": OFFER, "subscriber": {"id": WHO}},
    ]
    found = service.recheck(*items)
    assert [item["cause"] for item in found] == ["not_found", "not_found", "erased", "not_offered", "other_subscriber", None]
    assert [item["may_send"] for item in found] == [False] * 5 + [True]
    assert all(item["words"] for item in found[:-1])
    chinese = service.recheck(*items, locale="zh-CN")
    assert chinese[0]["words"] == "没有该决策。"


def test_it_is_on_the_record_and_is_no_contact(service: Service, decision: str) -> None:
    """An entry about each person with codes only; caps and contact history stay as they were."""
    one(service, decision)
    one(service, decision, subscriber={"consent": {"marketing": "no"}})
    ids = service.record.read_now(
        lambda c: c.execute(select(col(EntryRow.id)).where(col(EntryRow.kind) == "recheck").order_by(col(EntryRow.id))).scalars().all()
    )
    first, second = (service.entry(name) for name in ids)
    assert first.subject == second.subject == service.entry(decision).subject
    assert {"caller": "engine", "role": "campaign", "decision": decision, "action": OFFER, "may_send": True}.items() <= first.body.items()
    assert {"may_send": False, "cause": "suppressed", "clause": "contact.consent"}.items() <= second.body.items()
    assert first.private is None
    assert service.record.read_now(lambda connection: connection.execute(select(col(ContactRow.id))).first()) is None
    assert all(one(service, decision)["may_send"] for _ in range(5))


def test_an_agent_asks_about_decisions_of_the_desk(service: Service) -> None:
    """And not about a campaign's."""
    desk = service.decide("agent", channel="outbound_call", direction="outbound")
    action = offered(desk)[0]
    assert one(service, desk["decision_id"], "agent", action)["cause"] != "not_found"
    assert one(service, desk["decision_id"], "campaign", action)["cause"] == "not_found"
    assert service.call("app", "POST", "/v1/decisions/recheck", json={"items": []}).status_code == 403


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"decision_id": "x"}, "items.0.decision_id"),
        ({"action": None}, "items.0.action"),
        ({"subscriber": {"consent": {"marketing": "perhaps"}}}, "items.0.subscriber.consent.marketing"),
        ({"subscriber": {"events": [{"type": "port_apply", "at": "2027-01-01T00:00:00+08:00"}]}}, "items.0.subscriber.events.0.at"),
        ({"subscriber": {"custom": {"nothing_of_ours": 1}}}, "items.0.subscriber.custom.nothing_of_ours"),
        ({"contact_at": "2026-11-19T10:00:00+08:00"}, "items.0.contact_at"),
        ({"contact_at": "2027-11-19T10:00:00+08:00"}, "items.0.contact_at"),
        ({"may_send": True}, "items.0.may_send"),
    ],
)
def test_what_is_no_question_is_named(service: Service, decision: str, item: dict[str, Any], field: str) -> None:
    """The item and the field in it."""
    body = {"items": [{"decision_id": decision, "action": OFFER, **item}]}
    problem = service.call("campaign", "POST", "/v1/decisions/recheck", json=body).json()
    assert (problem["status"], problem["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize(
    ("item", "field", "says"),
    [
        ({"subscribr": {}}, "items.0.subscribr", "does not exist; did you mean `subscriber`?"),
        ({"subscriber": {"plan": {"monthly_fe": 1}}}, "items.0.subscriber.plan.monthly_fe", "does not exist; did you mean `monthly_fee`?"),
        ({"subscriber": {"monthly_fee": 1}}, "items.0.subscriber.monthly_fee", "it belongs in `items.0.subscriber.plan.monthly_fee`"),
        ({"consent": {}}, "items.0.consent", "does not exist here; it belongs in `items.0.subscriber.consent`"),
        ({"locale": "en"}, "items.0.locale", "does not exist here; it belongs in `locale`"),
        ({"qqq": 1}, "items.0.qqq", "does not exist; there are decision_id, action, contact_at, subscriber"),
        ({"subscriber": {"events": [{"type": "port_aply", "at": "x"}]}}, "items.0.subscriber.events.0.type", "did you mean `port_apply`?"),
        (
            {"subscriber": {"events": [{"type": "port_apply", "at": "2026-11-20T10:30:00+08:00", "operater": "x"}]}},
            "items.0.subscriber.events.0.operater",
            "does not exist; ",
        ),
        ({"subscriber": {"usage": {"data_mb": [1, "2"]}}}, "items.0.subscriber.usage.data_mb.1", "expected a whole number of MB"),
    ],
)
def test_a_wrong_name_is_looked_up_at_its_place(service: Service, decision: str, item: dict[str, Any], field: str, says: str) -> None:
    """As `POST /v1/decisions` does it, within the item."""
    body = {"items": [{"decision_id": decision, "action": OFFER, **item}]}
    [error] = service.call("campaign", "POST", "/v1/decisions/recheck", json=body).json()["errors"]
    assert error["field"] == field
    assert says in error["message"]


def test_a_hundred_at_a_time(service: Service, decision: str) -> None:
    """A hundred are answered, none and more are refused."""
    items = [{"decision_id": decision, "action": OFFER}] * 100
    assert all(item["may_send"] for item in service.recheck(*items))
    for wrong in ([], [*items, items[0]]):
        problem = service.call("campaign", "POST", "/v1/decisions/recheck", json={"items": wrong}).json()
        assert (problem["status"], problem["errors"][0]["field"]) == (422, "items")
