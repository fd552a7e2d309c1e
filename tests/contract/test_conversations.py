"""A refusal, or an answer, and the next decision of the conversation, as callers get them."""

import asyncio
import contextlib
import datetime
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlmodel import col
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.services import Services
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.reading.recorded import read_entry
from app.record.store.database import Database
from app.record.store.problems import HasSuccessor
from app.record.store.record import Record
from app.record.store.tables import EntryRow, OutcomeRow, SuccessorRow
from app.record.verifying.whole import verify_log
from app.settings import Settings
from tests.contract.conftest import ROOT

pytestmark = pytest.mark.contract

BILL: Any = json.loads((ROOT / "examples" / "03-high-traffic.json").read_bytes())
LEAVING: Any = json.loads((ROOT / "examples" / "19-rescue-wants-to-leave-price.json").read_bytes())
START = datetime.datetime(2026, 11, 20, 2, 0, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


class Desk:
    """The service at a time of our own, and what is asked of it about one person."""

    def __init__(self, record: Record) -> None:
        self.record, self.now = record, START
        self.http: TestClient

    def clock(self) -> datetime.datetime:
        return self.now

    def decide(self, body: Any = BILL, **fields: Any) -> dict[str, Any]:
        asked = {name: value for name, value in body.items() if name != "as_of"} | {"explain": "full", **fields}
        response = self.http.post("/v1/decisions", json=asked)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def say(self, decision_id: str, key: str | None = None, **fields: Any) -> Any:
        headers = {} if key is None else {"idempotency-key": key}
        return self.http.post(f"/v1/decisions/{decision_id}/responses", json=fields, headers=headers)

    def refuse(self, decision: dict[str, Any], action: str, key: str | None = None) -> Any:
        self.now += MINUTE
        return self.say(decision["decision_id"], key, action=action, outcome="refused")

    def entries(self, kind: str) -> list[str]:
        query = select(col(EntryRow.id)).where(col(EntryRow.kind) == kind).order_by(col(EntryRow.id))
        return list(self.record.read_now(lambda connection: connection.execute(query).scalars().all()))


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


def listed(answer: dict[str, Any]) -> list[str]:
    return [item["action"] for item in answer["actions"]]


def why_not(answer: dict[str, Any], action: str) -> tuple[str, str]:
    (found,) = [item for item in answer["not_offered"] if item["action"] == action]
    return found["cause"], found["clause"]


def test_a_refusal_brings_the_next_decision(desk: Desk) -> None:
    """It stands in the answer whole, names its parent, and is read byte for byte the same; what was refused is gone from it."""
    first = desk.decide()
    response = desk.refuse(first, "plan_fit_up")
    told = response.json()
    following = told["next"]
    assert (told["outcome"], told["next_because"]) == ("refused", None)
    assert following["parent"] == first["decision_id"]
    assert "parent" not in first
    assert following["decided_at"] > first["decided_at"]
    assert why_not(following, "plan_fit_up") == ("not_applicable", "refused")
    assert why_not(following, "data_pack") == ("not_applicable", "same_help")
    assert desk.http.get(f"/v1/decisions/{following['decision_id']}").content in response.content
    replay = desk.http.get(f"/v1/decisions/{following['decision_id']}/replay").json()
    assert replay["replay"]["verdict"] == "same_bytes"


def test_both_entries_are_on_the_record_one_after_the_other(desk: Desk) -> None:
    """The outcome and the decision it leads to have neighbouring numbers of one writer; the envelope names the parent."""
    first = desk.decide()
    told = desk.refuse(first, "plan_fit_up").json()
    outcome, decision = (
        desk.record.read_now(lambda connection, one=one: read_entry(connection, desk.record.keys, one))
        for one in (told["outcome_id"], told["next"]["decision_id"])
    )
    assert outcome is not None
    assert decision is not None
    assert decision.envelope["sequence"] == outcome.envelope["sequence"] + 1
    assert decision.body["parent"] == first["decision_id"]
    assert decision.subject == outcome.subject
    assert decision.case is not None
    assert decision.case.conversation is not None
    assert decision.case.conversation.refused == {"plan_fit_up"}
    verified = desk.http.get(f"/v1/decisions/{told['next']['decision_id']}/record").json()
    assert verified["conversation"] == {"before": [first["decision_id"]], "after": []}


def test_a_decision_has_one_successor(desk: Desk) -> None:
    """A second refusal of the same list is 409, names the next decision, and is on record all the same; that one knows of it."""
    first = desk.decide()
    following = desk.refuse(first, "plan_fit_up").json()["next"]
    late = desk.refuse(first, "bill_explain")
    assert late.status_code == 409
    assert late.headers["content-type"] == "application/problem+json"
    assert late.json()["type"] == "urn:wanliu:problem:went-on"
    assert following["decision_id"] in late.json()["detail"]
    assert desk.entries("outcome")[-1] in late.json()["detail"]
    assert "bill_explain" in listed(following)
    last = desk.refuse(following, "overage_cap_choice").json()["next"]
    assert why_not(last, "bill_explain") == ("not_applicable", "refused")


def test_the_same_key_gives_the_same_whole_answer(desk: Desk) -> None:
    """The next decision among it, and nothing is stored twice; a refusal that came too late stays 409."""
    first = desk.decide()
    once, again = (desk.refuse(first, "plan_fit_up", "r-1") for _ in range(2))
    assert (again.status_code, again.content) == (200, once.content)
    late, later = (desk.refuse(first, "bill_explain", "r-2") for _ in range(2))
    assert (late.status_code, later.status_code) == (409, 409)
    assert (later.content, later.headers["content-type"]) == (late.content, "application/problem+json")
    assert (len(desk.entries("decision")), len(desk.entries("outcome"))) == (2, 2)
    assert desk.refuse(first, "overage_cap_choice", "r-1").status_code == 422


def test_other_outcomes_bring_no_next_decision(desk: Desk) -> None:
    """What was shown or accepted is told, and that is that."""
    first = desk.decide()
    for outcome in ("shown", "accepted", "ignored", "stayed"):
        told = desk.say(first["decision_id"], action="bill_explain", outcome=outcome).json()
        assert (told["outcome"], told["next"], told["next_because"]) == (outcome, None, None)
    assert len(desk.entries("decision")) == 1


def test_answers_bring_the_next_decision(desk: Desk) -> None:
    """Which knows them, asks no more, and brings in what they unlock; they are no outcome."""
    first = desk.decide()
    assert "declared.unaware_service" in [item["fact"] for item in first["ask"]]
    desk.now += MINUTE
    response = desk.say(first["decision_id"], "a-1", answers={"declared.unaware_service": True})
    told = response.json()
    assert (told["outcome_id"], told["action"], told["outcome"], told["record"]) == (None, None, None, {"state": "durable"})
    assert "unsolicited_refund" in listed(told["next"])
    assert "declared.unaware_service" not in [item["fact"] for item in told["next"]["ask"]]
    assert told["next"]["parent"] == first["decision_id"]
    assert desk.http.get(f"/v1/decisions/{told['next']['decision_id']}").content in response.content
    assert desk.say(first["decision_id"], "a-1", answers={"declared.unaware_service": True}).content == response.content
    assert desk.say(first["decision_id"], answers={"declared.unaware_service": True}).status_code == 409
    assert desk.entries("outcome") == []
    last = desk.refuse(told["next"], "bill_explain").json()["next"]
    assert "unsolicited_refund" in listed(last), "an answer holds for the whole conversation"


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"port.state": "applied"}, "answers.port.state"),
        ({"holder.age_band": "minor"}, "answers.holder.age_band"),
        ({"plan.monthly_fee": 1}, "answers.plan.monthly_fee"),
        ({"declared.unaware_service": "perhaps"}, "answers.declared.unaware_service"),
        ({}, "answers"),
        ({"no name": 1}, "answers"),
    ],
)
def test_only_what_the_pack_asks_for_is_answered(desk: Desk, answers: dict[str, Any], field: str) -> None:
    """Nothing of port or protected data, and nothing of another type: 422 names the field, and nothing is stored."""
    first = desk.decide()
    told = desk.say(first["decision_id"], answers=answers)
    assert told.status_code == 422
    assert told.json()["errors"][0]["field"].startswith(field)
    assert len(desk.entries("decision")) == 1


def test_an_outcome_and_answers_are_two_things(desk: Desk) -> None:
    """A body with both is refused by the name of what does not belong."""
    first = desk.decide()
    told = desk.say(first["decision_id"], answers={"declared.unaware_service": True}, action="bill_explain", outcome="refused")
    assert told.status_code == 422
    assert {item["field"] for item in told.json()["errors"]} == {"action", "outcome"}


def test_who_wants_to_leave_is_let_go(desk: Desk) -> None:
    """After one refusal: what is owed and a farewell; whatever is refused of that, the conversation is over."""
    first = desk.decide(LEAVING)
    last = desk.refuse(first, "public_retention_plan").json()["next"]
    assert listed(last) == ["do_as_asked", "farewell"]
    assert why_not(last, "plan_fit_down") == ("not_applicable", "let_go")
    told = desk.refuse(last, "farewell").json()
    assert (told["next"], told["next_because"]) == (None, "ended")


def test_a_conversation_ends_after_a_day(desk: Desk) -> None:
    """24 hours after its first decision, however late the last one was."""
    first = desk.decide()
    desk.now += datetime.timedelta(hours=23)
    second = desk.refuse(first, "plan_fit_up").json()["next"]
    desk.now += datetime.timedelta(hours=1)
    told = desk.refuse(second, "bill_explain").json()
    assert (told["next"], told["next_because"]) == (None, "too_late")
    answered = desk.say(second["decision_id"], answers={"declared.unaware_service": True}).json()
    assert (answered["next"], answered["next_because"], answered["record"]) == (None, "too_late", {"state": "none"})


def test_a_message_refused_rests(desk: Desk) -> None:
    """Where nobody is there to go on with, no next decision is made."""
    first = desk.decide(channel="email", direction="outbound")
    action = listed(first)[0]
    told = desk.refuse(first, action).json()
    assert (told["next"], told["next_because"]) == (None, "message")


def test_cool_down_counts_refusals_outside_the_conversation(desk: Desk) -> None:
    """The conversation's own contacts hold nothing back from its next step; the next conversation counts them."""
    first = desk.decide(history="record")
    following = desk.refuse(first, "plan_fit_up").json()["next"]
    found = desk.record.read_now(lambda connection: read_entry(connection, desk.record.keys, following["decision_id"]))
    assert found is not None
    assert found.case is not None
    assert found.case.subscriber.contacts == ()
    desk.now += MINUTE
    assert why_not(desk.decide(history="record"), "plan_fit_up") == ("suppressed", "contact.cooldown_action")


def test_two_processes_make_one_next_step(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both find that there is none yet and try at once: one is stored whole, of the other the refusal alone, which is told 409."""
    first = desk.decide()
    real, met = desk.record.write, 0
    other: list[Any] = []

    async def late(entry: Any) -> Any:
        nonlocal met
        if entry.companion is not None and not met:
            met = 1
            other.append(await asyncio.to_thread(desk.refuse, first, "bill_explain"))
            with pytest.raises(HasSuccessor):
                await real(entry)
            raise HasSuccessor
        return await real(entry)

    monkeypatch.setattr(desk.record, "write", late)
    told = desk.refuse(first, "plan_fit_up")
    assert (other[0].status_code, told.status_code) == (200, 409)
    assert (len(desk.entries("decision")), len(desk.entries("outcome"))) == (2, 2)
    rows = desk.record.read_now(lambda connection: connection.execute(select(col(OutcomeRow.action))).scalars().all())
    assert sorted(rows) == ["bill_explain", "plan_fit_up"]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("none", ""),
        ("row gone", "it is missing"),
        ("row changed", "it is not the next decision after"),
        ("row made up", "it is not the next decision after"),
        ("parent gone", "there is no such decision"),
    ],
)
def test_verify_finds_what_was_done_to_a_conversation(desk: Desk, harm: str, told: str) -> None:
    """A successor row that was taken away, changed or made up, and a decision before that is not there any more."""
    first = desk.decide()
    following = desk.refuse(first, "plan_fit_up").json()["next"]
    Sealer(desk.record.database, desk.record.keys, desk.clock).seal()
    done: dict[str, Any] = {
        "row gone": delete(SuccessorRow),
        "row changed": update(SuccessorRow).values(entry_id=first["decision_id"]),
        "row made up": insert(SuccessorRow).values(parent=following["decision_id"], entry_id=first["decision_id"]),
        "parent gone": delete(EntryRow).where(col(EntryRow.id) == first["decision_id"]),
    }
    if harm in done:
        with desk.record.database.writing() as connection:
            connection.execute(done[harm])
    verdict = desk.record.read_now(lambda connection: verify_log(connection, desk.record.keys))
    found = [item.message for item in verdict.findings if "conversation" in item.message or "successor" in item.message]
    assert any(told in message for message in found) if told else verdict.findings == ()
