"""Telling what became of an action, and the contact history that comes of it."""

import contextlib
import datetime
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlmodel import col
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.services import Services
from app.record.keys import Keys
from app.record.reading.recorded import read_entry
from app.record.store.database import Database
from app.record.store.record import Record
from app.record.store.tables import ContactRow, EntryRow, SubjectRow
from app.settings import Settings
from tests.contract.conftest import ROOT, Guarded

pytestmark = pytest.mark.contract

SMS: Any = json.loads((ROOT / "examples" / "02-high-tariff.json").read_bytes())
START = datetime.datetime(2026, 11, 20, 2, 0, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


class Desk:
    """The service at a time of our own, and what is asked of it about one person."""

    def __init__(self, record: Record) -> None:
        self.record, self.now = record, START
        self.http: TestClient

    def clock(self) -> datetime.datetime:
        return self.now

    def decide(self, **fields: Any) -> dict[str, Any]:
        body = {name: value for name, value in SMS.items() if name != "as_of"} | {"explain": "full", **fields}
        response = self.http.post("/v1/decisions", json=body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def tell(self, decision_id: str, action: str, outcome: str, **fields: Any) -> Any:
        body = {"action": action, "outcome": outcome, **fields}
        return self.http.post(f"/v1/decisions/{decision_id}/responses", json=body)

    def contacts(self) -> list[Any]:
        query = select(ContactRow).order_by(col(ContactRow.at))
        return list(self.record.read_now(lambda connection: connection.execute(query).all()))


@pytest.fixture
def desk(http: TestClient, keys: Keys, tmp_path: Path) -> Iterator[Desk]:
    packs = http.app.state.services.packs  # type: ignore[attr-defined]
    record = Record(Database(f"sqlite:///{tmp_path}/wanliu.db"), keys, clock=lambda: START, deadline=30)
    desk = Desk(record)

    @contextlib.asynccontextmanager
    async def services(_: Settings) -> AsyncIterator[Services]:
        await record.open()
        yield Services(packs, record, clock=desk.clock)
        await record.close()

    with TestClient(create_app(Settings(), services), base_url="http://wanliu") as client:
        desk.http = client
        yield desk


def offered(answer: dict[str, Any]) -> list[str]:
    return [item["action"] for item in answer["actions"]]


def why_not(answer: dict[str, Any], action: str) -> dict[str, Any]:
    (found,) = [item for item in answer["not_offered"] if item["action"] == action]
    return found  # type: ignore[no-any-return]


def test_an_outcome_is_on_the_record(desk: Desk) -> None:
    """What is answered is durable, and its entry says of which decision it is."""
    decision = desk.decide()
    desk.now += MINUTE
    told = desk.tell(decision["decision_id"], "tariff_pack", "sent").json()
    assert told == {
        "outcome_id": told["outcome_id"],
        "decision_id": decision["decision_id"],
        "action": "tariff_pack",
        "outcome": "sent",
        "at": "2026-11-20T02:01:00+00:00",
        "record": {"state": "durable"},
        "next": None,
        "next_because": None,
    }
    entry = desk.record.read_now(lambda connection: read_entry(connection, desk.record.keys, told["outcome_id"]))
    assert entry is not None
    assert (entry.envelope["kind"], entry.body["decision"], entry.body["role"]) == ("outcome", decision["decision_id"], "development")


def test_a_refusal_rests_and_the_rest_ends(desk: Desk) -> None:
    """A refused action is suppressed next time, with until when; asked again then, whenever that is, it is offered again."""
    decision = desk.decide(history="record")
    assert "tariff_pack" in offered(decision)
    assert desk.tell(decision["decision_id"], "tariff_pack", "refused").status_code == 200
    desk.now += datetime.timedelta(days=1)
    ends = []
    for _ in range(10):
        answer = desk.decide(history="record")
        if "tariff_pack" in offered(answer):
            break
        kept = why_not(answer, "tariff_pack")
        assert kept["cause"] == "suppressed", kept
        until = datetime.datetime.fromisoformat(kept["until"])
        assert until > desk.now
        ends.append((kept["clause"], until))
        desk.now = until
    else:
        pytest.fail(f"never offered again: {ends}")
    assert ends[0][0].endswith("cooldown_action") or "cooldown" in " ".join(clause for clause, _ in ends)
    assert desk.now >= START + datetime.timedelta(days=90)


def test_the_callers_own_history_stays_the_default(desk: Desk) -> None:
    """Who does not ask for the record's contacts is decided for without them."""
    decision = desk.decide()
    desk.tell(decision["decision_id"], "tariff_pack", "refused")
    desk.now += datetime.timedelta(days=1)
    assert "tariff_pack" in offered(desk.decide())
    assert "tariff_pack" not in offered(desk.decide(history="both"))


def test_a_case_holds_the_contacts_it_was_decided_with(desk: Desk) -> None:
    """So that nothing else is needed to decide it again."""
    decision = desk.decide()
    desk.tell(decision["decision_id"], "tariff_pack", "refused")
    desk.now += datetime.timedelta(days=1)
    again = desk.decide(history="record")
    found = desk.record.read_now(lambda connection: read_entry(connection, desk.record.keys, again["decision_id"]))
    assert found is not None
    assert found.case is not None
    assert [(contact.action, contact.result, contact.message) for contact in found.case.subscriber.contacts or ()] == [
        ("tariff_pack", "refused", decision["decision_id"])
    ]


def test_an_action_of_a_decision_is_one_contact(desk: Desk) -> None:
    """Sent, shown and refused are three outcomes, and one contact that ended with a refusal, at the time it was sent."""
    decision = desk.decide()["decision_id"]
    for outcome in ("sent", "shown", "refused"):
        desk.now += MINUTE
        assert desk.tell(decision, "tariff_pack", outcome).status_code == 200
    (contact,) = desk.contacts()
    assert (contact.channel, contact.kind, contact.action, contact.result) == ("sms_marketing", "offer", "tariff_pack", "refused")
    assert contact.at == "2026-11-20T02:01:00.000000+00:00"
    outcomes = desk.record.read_now(lambda connection: connection.execute(select(EntryRow.id).where(col(EntryRow.kind) == "outcome")).all())  # type: ignore[call-overload]
    assert len(outcomes) == 3


def test_when_it_happened_may_be_told(desk: Desk) -> None:
    """`at` is when it happened, with any offset; a clock that is a little ahead is put right."""
    decision = desk.decide()["decision_id"]
    desk.now += 60 * MINUTE
    assert desk.tell(decision, "tariff_pack", "sent", at="2026-11-20T10:30:00+08:00").json()["at"] == "2026-11-20T10:30:00+08:00"
    assert desk.tell(decision, "tariff_pack", "shown", at="2026-11-20T11:04:00+08:00").json()["at"] == "2026-11-20T03:00:00+00:00"


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"outcome": "refuse"}, "outcome", "did you mean `refused`?"),
        ({}, "outcome", "is required"),
        ({"outcome": "activated"}, "reference", "is required"),
        ({"outcome": "left"}, "reason", "is required"),
        ({"outcome": "left", "reason": "prise"}, "reason", "did you mean `price`?"),
        ({"outcome": "shown", "at": "2026-11-20T10:30:00+08:00"}, "at", "is later than now"),
        ({"outcome": "shown", "at": "2026-11-19T10:00:00+08:00"}, "at", "is before the decision"),
        ({"outcome": "shown", "at": "yesterday"}, "at", "with its offset"),
        ({"outcome": "shown", "refernce": "x"}, "refernce", "did you mean `reference`?"),
        ({"outcome": "shown", "plan": "x"}, "plan", "does not exist"),
        ({"outcome": "accepted", "reason": "price"}, "reason", "is told of `refused` and `left` only; leave it out"),
        ({"outcome": "shown", "reason": "not_said"}, "reason", "is told of `refused` and `left` only; leave it out"),
        ({"outcome": "shown", "agent": "a b"}, "agent", "expected 1 to 64 characters"),
    ],
)
def test_what_is_wrong_is_told_where_it_is(desk: Desk, fields: dict[str, Any], field: str, says: str) -> None:
    """By field, with what is expected there."""
    body = {"action": "tariff_pack", **fields}
    told = desk.http.post(f"/v1/decisions/{desk.decide()['decision_id']}/responses", json=body)
    assert (told.status_code, told.json()["errors"][0]["field"]) == (422, field)
    assert says in told.json()["errors"][0]["message"]
    assert desk.contacts() == []


@pytest.mark.parametrize("body", [{}, {"agent": "a-7"}])
def test_an_empty_body_is_told_both_that_it_may_be(desk: Desk, body: dict[str, Any]) -> None:
    """An outcome, or answers; who began with one of them is told of that one alone."""
    path = f"/v1/decisions/{desk.decide()['decision_id']}/responses"
    assert [error["field"] for error in desk.http.post(path, json=body).json()["errors"]] == ["action", "outcome", "answers"]
    assert [error["field"] for error in desk.http.post(path, json={"outcome": "shown"}).json()["errors"]] == ["action"]


def test_activated_names_its_confirmation(desk: Desk) -> None:
    """With a reference it is taken; the reference is the person's, not the log's."""
    decision = desk.decide()["decision_id"]
    told = desk.tell(decision, "tariff_pack", "activated", reference="rec-77")
    assert told.status_code == 200
    entry = desk.record.read_now(lambda connection: read_entry(connection, desk.record.keys, told.json()["outcome_id"]))
    assert entry is not None
    assert entry.private is not None
    assert entry.private["reference"] == "rec-77"
    assert "rec-77" not in json.dumps(entry.envelope)


def test_what_was_not_offered_is_not_found(desk: Desk) -> None:
    """The message says what was."""
    answer = desk.decide()
    told = desk.tell(answer["decision_id"], "fusion_bundle", "shown")
    assert (told.status_code, told.json()["type"]) == (404, "urn:wanliu:problem:not-found")
    assert ", ".join(offered(answer)) in told.json()["detail"]


def test_an_outcome_is_no_decision(desk: Desk) -> None:
    """Neither an unknown id nor that of an outcome takes outcomes."""
    told = desk.tell(desk.decide()["decision_id"], "tariff_pack", "shown").json()
    for entry_id in (told["outcome_id"], "01a20264-24e4-7707-8db2-fed784d5ad4b"):
        refused = desk.tell(entry_id, "tariff_pack", "shown")
        assert (refused.status_code, refused.json()["detail"]) == (404, "no decision has this id")


def test_of_the_erased_nothing_is_told(desk: Desk) -> None:
    """410: the decision is there, the person is not."""
    decision = desk.decide()["decision_id"]
    with desk.record.database.writing() as connection:
        connection.execute(delete(SubjectRow))
    assert desk.tell(decision, "tariff_pack", "shown").status_code == 410
    assert desk.http.get(f"/v1/decisions/{decision}").status_code == 410


def test_callers_of_a_system_answer_for_each_other(guarded: Guarded) -> None:
    """The one that sends may be another than the one that asked; other systems, and other roles, may not."""
    guarded.add("sender", "agent", beside="agent")
    guarded.add("stranger", "agent")
    guarded.look()
    body = {name: value for name, value in SMS.items() if name != "as_of"} | {"channel": "call_centre", "direction": "inbound"}
    answer = guarded.call("agent", "POST", "/v1/decisions", json=body).json()
    path, told = f"/v1/decisions/{answer['decision_id']}/responses", {"action": answer["actions"][0]["action"], "outcome": "shown"}
    assert guarded.call("sender", "POST", path, json=told).status_code == 200
    assert guarded.call("stranger", "POST", path, json=told).status_code == 404
    assert guarded.call("campaign", "POST", path, json=told).status_code == 404
