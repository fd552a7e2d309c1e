"""Outcomes on the record: what they say, and the contact history they make."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.intake import take
from app.engine.vocabulary import Contact, DecisionRequest, OutcomeReport
from app.engine.vocabulary.examples import EXAMPLES
from app.record.callers import Caller
from app.record.contacts import contacts_of
from app.record.decisions import Asked, decision_entry
from app.record.entries import NewEntry
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.outcomes import Answerable, Told, answerable, not_offered, outcome_entry, report_problems
from app.record.store.database import Database
from app.record.store.problems import StoreError
from app.record.store.record import Record
from app.record.store.tables import OutcomeRow, SubjectRow
from tests.pipeline import shipped

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(minutes=2)
IDS = Ids()


@pytest.fixture
def record(database: Database, keys: Keys) -> Iterator[Record]:
    record = Record(database, keys, clock=lambda: NOW)
    record.prepare()
    yield record
    record.close_now()


def new_id() -> str:
    return str(IDS.new(NOW))


def case_of(**subscriber: Any) -> Case:
    body: Any = EXAMPLES[0]
    return take(shipped(), DecisionRequest.model_validate(body | {"subscriber": body["subscriber"] | subscriber}), now=NOW, role="agent")


def decided(record: Record, **subscriber: Any) -> str:
    """The id of a decision on the record."""
    case = case_of(**subscriber)
    entry = decision_entry(new_id(), NOW, shipped(), case, decide(shipped(), case), b"{}", Asked("desk", "agent", agent="a-17"))
    return record.write_now(entry).entry_id


def found(record: Record, decision_id: str) -> Answerable:
    decision = record.read_now(lambda connection: answerable(connection, decision_id))
    assert decision is not None
    return decision


def listed(decision: Answerable) -> list[str]:
    return [item["action"] for item in decision.body["offered"]]


def entry_of(decision: Answerable, outcome: Any, action: str | None = None, at: datetime.datetime = LATER, **fields: Any) -> NewEntry:
    report = OutcomeReport(action=action or listed(decision)[0], outcome=outcome, **fields)
    return outcome_entry(Told(new_id(), at, decision, report, Caller("desk", "agent")), b"{}")


def tell(record: Record, decision_id: str, outcome: Any, action: str | None = None, **options: Any) -> None:
    record.write_now(entry_of(found(record, decision_id), outcome, action, **options))


def history(record: Record, subscriber: str = "s-1001") -> tuple[Contact, ...]:
    return record.read_now(lambda connection: contacts_of(connection, record.keys, subscriber))


def test_only_a_decision_is_answered(record: Record) -> None:
    """Neither an id that nothing has nor one of another entry."""
    decision_id = decided(record)
    outcome = entry_of(found(record, decision_id), "shown")
    record.write_now(outcome)
    assert record.read_now(lambda connection: answerable(connection, outcome.id)) is None
    assert record.read_now(lambda connection: answerable(connection, new_id())) is None


def test_nobody_was_contacted(record: Record) -> None:
    """A decision is no contact; somebody never met has none."""
    decided(record)
    assert history(record) == history(record, "s-9") == ()


def test_an_outcome_is_a_contact(record: Record) -> None:
    """With channel, kind, action and how it ended; what one decision told is one message."""
    decision_id = decided(record)
    action = listed(found(record, decision_id))[0]
    tell(record, decision_id, "shown")
    kind = shipped().by_id[action].kind
    assert history(record) == (Contact(at=LATER, channel="call_centre", kind=kind, action=action, result="shown", message=decision_id),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "result"),
    [
        (["shown", "refused"], "refused"),
        (["refused"], "refused"),
        (["refused", "shown"], "refused"),
        (["refused", "ignored"], "refused"),
        (["sent", "ignored"], "ignored"),
        (["shown", "ignored", "accepted"], "accepted"),
        (["shown", "refused", "accepted"], "accepted"),
        (["accepted", "activated"], "activated"),
        (["refused", "stayed"], "refused"),
        (["shown", "left"], "shown"),
    ],
)
def test_a_contact_ends_as_the_strongest_outcome_says(record: Record, told: list[str], result: str) -> None:
    """However many outcomes tell of an action, it is one contact, at the time of the first; news of the person's line changes it not."""
    decision_id = decided(record)
    for minute, outcome in enumerate(told):
        tell(record, decision_id, outcome, at=LATER + datetime.timedelta(minutes=minute))
    assert [(contact.result, contact.at) for contact in history(record)] == [(result, LATER)]


@pytest.mark.parametrize("outcome", ["stayed", "left"])
def test_staying_and_leaving_are_no_contacts(record: Record, outcome: str) -> None:
    """They are about the line."""
    tell(record, decided(record), outcome)
    assert history(record) == ()


def test_each_action_and_decision_is_apart(record: Record) -> None:
    """Two actions of a decision are told apart, but are one message; another decision is another."""
    first, second = decided(record), decided(record)
    one, two = listed(found(record, first))[:2]
    tell(record, first, "shown", one)
    tell(record, first, "refused", two)
    tell(record, second, "shown", one)
    assert sorted((contact.action, contact.result, contact.message) for contact in history(record)) == sorted(
        [(one, "shown", first), (two, "refused", first), (one, "shown", second)]
    )


def test_several_at_once_are_one_contact(record: Record) -> None:
    """Outcomes of the same action that share a commit are each on the record, and one contact."""
    decision_id = decided(record)
    decision = found(record, decision_id)
    entries = [entry_of(decision, outcome) for outcome in ("refused", "ignored", "refused")]
    assert not any(isinstance(outcome, StoreError) for outcome in record._committer.commit(entries))
    assert len(history(record)) == 1
    with record.database.reading() as connection:
        assert len(connection.execute(select(col(OutcomeRow.entry_id)).where(col(OutcomeRow.decision_id) == decision_id)).all()) == 3


def test_the_entry_has_codes_and_the_reference_is_private(record: Record) -> None:
    """Who, what, of which decision; the confirmation is the person's."""
    decision = found(record, decided(record))
    entry = entry_of(decision, "left", reason="price", reference="rec-1", agent="a-18")
    assert entry.body == {
        "caller": "desk",
        "role": "agent",
        "decision": decision.id,
        "channel": "call_centre",
        "pack": shipped().digest,
        "action": listed(decision)[0],
        "rank": 1,
        "outcome": "left",
        "at": "2026-11-22T02:02:00.000000+00:00",
        "agent": "a-18",
        "reason": "price",
    }
    assert (entry.token, entry.private) == (decision.subject, {"answer": "{}", "reference": "rec-1"})


def test_counts(record: Record) -> None:
    """Every outcome is counted, and each action once by who told of it, first on the list or not."""
    decision_id = decided(record)
    one, two = listed(found(record, decision_id))[:2]

    def counts(outcome: str, action: str) -> list[str]:
        entry = entry_of(found(record, decision_id), outcome, action)
        record.write_now(entry)
        assert entry.tally is not None
        return [f"{measure} {grouped} {number}" for measure, grouped, number in entry.tally["counts"]]

    assert counts("shown", one) == [
        f'outcome {{"action":"{one}","channel":"call_centre","outcome":"shown"}} 1',
        'told {"agent":"a-17","first":true,"role":"agent"} 1',
    ]
    assert counts("refused", one) == [f'outcome {{"action":"{one}","channel":"call_centre","outcome":"refused"}} 1']
    assert counts("accepted", two)[1:] == ['told {"agent":"a-17","first":false,"role":"agent"} 1']


def test_test_lines_are_not_counted(record: Record) -> None:
    """Their outcomes are on the record, and not in the figures."""
    decision = found(record, decided(record, account={"test_number": True, "status": "active"}))
    assert entry_of(decision, "shown").tally is None


def test_the_erased_are_told_apart(record: Record) -> None:
    """A decision about somebody erased is there, and takes no outcomes."""
    decision_id = decided(record)
    with record.database.writing() as connection:
        connection.execute(SubjectRow.__table__.delete())  # type: ignore[attr-defined]
    decision = found(record, decision_id)
    assert decision.subject is None
    with pytest.raises(ValueError, match="erased"):
        entry_of(decision, "shown")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"outcome": "left"}, "reason: is required where the outcome is `left`"),
        ({"outcome": "shown", "at": NOW + datetime.timedelta(minutes=6)}, "at: is later than now"),
        ({"outcome": "shown", "at": NOW - datetime.timedelta(minutes=6)}, "at: is before the decision"),
        ({"outcome": "activated"}, "reference: is required: `x` needs the confirmation `double`"),
    ],
)
def test_what_is_no_outcome_is_told(fields: dict[str, Any], says: str) -> None:
    """What is missing or cannot be, by field."""
    decision = Answerable("d", NOW, "t", {"offered": [{"action": "x", "confirm": "double"}]}, {})
    assert [says in str(problem) for problem in report_problems(decision, OutcomeReport(action="x", **fields), NOW)] == [True]


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "left", "reason": "not_said"},
        {"outcome": "activated", "reference": "r"},
        {"outcome": "refused", "at": NOW},
        {"outcome": "accepted"},
    ],
)
def test_what_is_said_fully_is_taken(fields: dict[str, Any]) -> None:
    """With its reason, its confirmation, its time."""
    decision = Answerable("d", NOW, "t", {"offered": [{"action": "x", "confirm": "double"}]}, {})
    assert list(report_problems(decision, OutcomeReport(action="x", **fields), NOW)) == []


def test_what_needs_no_confirmation_is_activated_without() -> None:
    """A reference is asked for where the action needs a confirmation."""
    decision = Answerable("d", NOW, "t", {"offered": [{"action": "x", "confirm": "none"}]}, {})
    assert list(report_problems(decision, OutcomeReport(action="x", outcome="activated"), NOW)) == []


def test_what_was_offered_is_told() -> None:
    """Who names an action that was not on the list is told which were."""
    decision = Answerable("d", NOW, "t", {"offered": [{"action": "tariff_pack"}, {"action": "bill_explain"}]}, {})
    told = not_offered(decision, "tarif_pack")
    assert told == "the decision did not offer this action but tariff_pack, bill_explain; did you mean `tariff_pack`?"
    assert "its list is empty" in not_offered(Answerable("d", NOW, "t", {"offered": []}, {}), "x")
