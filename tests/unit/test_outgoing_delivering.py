"""Events are sent until they are taken: once at least, in order for each subscriber, by one process at a time."""

import base64
import datetime
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from app.record.erasing.persons import erase
from app.record.keys import Keys
from app.record.outgoing.model import DECIDED, TOLD, Filters
from app.record.outgoing.subscriptions import new_secret_of, webhook, webhooks
from app.record.outgoing.taking import redrive, take, tidy
from app.record.outgoing.wording import cloud_event
from app.record.store.database import Database, stamp
from app.record.store.problems import StoreUnavailable
from app.record.store.tables import EventLineRow, EventRow, WebhookRow
from tests.outgoing import PROMISED, SWIFT, Telling, now, telling
from tests.receiving import TAKEN, Answer, Received, Receiver, receiving

pytestmark = pytest.mark.unit


@pytest.fixture
def told(database: Database, keys: Keys) -> Iterator[Telling]:
    with telling(database, keys) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def failing(statuses: list[int], headers: dict[str, str] | None = None) -> Callable[[Received], Answer]:
    """Answers with these statuses, one after the other, then takes everything."""
    left = iter(statuses)

    def answer(_: Received) -> Answer:
        status = next(left, None)
        return TAKEN if status is None else (status, headers or {}, b"no")

    return answer


def rows(told: Telling, table: Any) -> list[Any]:
    return told.record.read_now(lambda connection: connection.execute(select(table.__table__)).all())  # type: ignore[no-any-return]


def until(done: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < give_up, "it never came so far"
        time.sleep(0.02)


def test_a_decision_and_its_outcome_are_told(told: Telling, receiver: Receiver) -> None:
    """Whoever subscribed hears of a decision, of what became of it, and of the promise that this made; in that order, and once."""
    added = told.subscribe(receiver.url)
    decision_id = told.decide("s-1")
    outcome_id = told.tell(decision_id, "accepted", reference="rec-9")
    told.seal()
    with told.delivering():
        taken = receiver.wait_for(3)
    assert [item.event["type"] for item in taken] == ["wanliu.decision.v1", "wanliu.outcome.v1", "wanliu.promise.v1"]
    assert [item.event["id"] for item in taken] == [decision_id, outcome_id, f"{outcome_id}-b"]
    assert all(item.data["subscriber"] == {"id": "s-1"} for item in taken)
    until(lambda: told.standing(added.subscription.id).waiting == 0)
    assert told.standing(added.subscription.id).delivered == 3
    assert rows(told, EventRow) == rows(told, EventLineRow) == []


def test_what_a_case_says(told: Telling, receiver: Receiver) -> None:
    """A promise names its case, whose it is, the day that the person was told, and the words in the caller's language."""
    told.subscribe(receiver.url, ("wanliu.promise.v1",))
    decision_id = told.decide("s-1", locale="zh-CN")
    told.tell(decision_id, "shown")
    told.seal()
    with told.delivering():
        [came] = receiver.wait_for(1)
    data = came.data
    assert (data["case_id"], data["case"], data["owner"]) == (f"{decision_id}/{PROMISED}", "promise", "complaint_desk")
    assert (data["action"], data["channel"], data["agent"], data["locale"]) == (PROMISED, "call_centre", "a-17", "zh-CN")
    assert data["due"] in data["words"].replace("年", "-") or data["due"][-2:].lstrip("0") in data["words"]
    there = now().astimezone(datetime.timezone(datetime.timedelta(hours=8))).date()
    assert data["due"] == (there + datetime.timedelta(days=1)).isoformat()
    assert came.headers["content-type"] == "application/cloudevents+json"
    event = came.event
    assert (event["specversion"], event["source"], event["datacontenttype"]) == ("1.0", "urn:wanliu:test", "application/json")
    assert datetime.datetime.fromisoformat(event["time"]).tzinfo is not None


def test_a_case_is_opened_once(told: Telling, receiver: Receiver) -> None:
    """What was told before and is accepted afterwards opens no second case."""
    told.subscribe(receiver.url, ("wanliu.promise.v1",))
    decision_id = told.decide("s-1")
    for outcome in ("shown", "accepted", "activated"):
        told.tell(decision_id, outcome)
    told.seal()
    assert [row.type for row in rows(told, EventRow)] == ["wanliu.promise.v1"]


def test_signature(told: Telling, receiver: Receiver) -> None:
    """Every event is signed over its id, the time and its bytes with the secret that was shown."""
    added = told.subscribe(receiver.url, (DECIDED,))
    told.decide("s-1")
    told.seal()
    with told.delivering():
        [came] = receiver.wait_for(1)
    assert came.headers["webhook-signature"].split() == [_signature(added.secret, came)]
    assert abs(int(came.headers["webhook-timestamp"]) - time.time()) < 30
    assert came.headers["webhook-id"] == came.event["id"]


def test_two_secrets_sign_for_a_while(told: Telling, receiver: Receiver) -> None:
    """After a new secret was made both sign, and after 24 hours the new one alone."""
    added = told.subscribe(receiver.url, (DECIDED,))
    kept = told.record.read_now(lambda connection: webhook(connection, added.subscription.id))
    assert kept is not None
    renewed = new_secret_of(told.new_id(), now(), told.record.keys, kept, by="crm-admin")
    told.record.write_now(renewed.entry)
    told.decide("s-1")
    told.seal()
    with told.delivering():
        [first] = receiver.wait_for(1)
        with told.record.database.writing() as connection:
            connection.execute(update(WebhookRow).values(before_until=stamp(now())))
        told.decide("s-1")
        told.seal()
        second = receiver.wait_for(2)[1]
    assert first.headers["webhook-signature"].split() == [_signature(renewed.secret, first), _signature(added.secret, first)]
    assert second.headers["webhook-signature"].split() == [_signature(renewed.secret, second)]


def _signature(secret: str, came: Received) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{came.headers['webhook-id']}.{came.headers['webhook-timestamp']}.".encode() + came.body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize("statuses", [[500, 503, 429], [404, 400], [302, 301]])
def test_what_is_not_taken_is_sent_again(told: Telling, receiver: Receiver, statuses: list[int]) -> None:
    """Whatever is no 2xx is tried again, with the same id and the same bytes; a redirect is not followed."""
    receiver.answer = failing(statuses, {"location": f"http://127.0.0.1:{receiver.port}/elsewhere"})
    told.subscribe(receiver.url, (DECIDED,))
    told.decide("s-1")
    told.seal()
    with told.delivering():
        receiver.wait_for(1)
    assert [item.answered for item in receiver.received] == [*statuses, 204]
    assert len({(item.path, item.headers["webhook-id"], item.body) for item in receiver.received}) == 1


def test_order_per_subscriber(told: Telling, receiver: Receiver) -> None:
    """An event that fails holds back the later ones of its subscriber, and nobody else's."""
    receiver.answer = lambda came: (500, {}, b"") if came.data["subscriber"]["id"] == "s-1" and stuck.is_set() else TAKEN
    stuck = threading.Event()
    stuck.set()
    told.subscribe(receiver.url, (DECIDED, TOLD))
    decisions = {who: told.decide(who) for who in ("s-1", "s-2", "s-3")}
    outcomes = {who: told.tell(decisions[who]) for who in decisions}
    told.seal()
    with told.delivering():
        receiver.wait_for(4)
        until(lambda: sum(item.answered == 500 for item in receiver.received) >= 3)
        assert {item.event["id"] for item in receiver.received if item.answered == 500} == {decisions["s-1"]}
        stuck.clear()
        receiver.wait_for(6)
    for who, decision_id in decisions.items():
        assert [item.event["id"] for item in receiver.taken if item.data["subscriber"]["id"] == who] == [decision_id, outcomes[who]]


def test_retry_after_holds_back_everything(told: Telling, receiver: Receiver) -> None:
    """Who answers 429 with Retry-After gets nothing, about nobody, until then."""
    receiver.answer = failing([429], {"retry-after": "1"})
    added = told.subscribe(receiver.url, (DECIDED,))
    told.decide("s-1")
    told.seal()
    with told.delivering():
        receiver.wait(lambda receiver: bool(receiver.received))
        began = time.monotonic()
        until(lambda: told.standing(added.subscription.id).held_until is not None)
        told.decide("s-2")
        told.seal()
        receiver.wait_for(2)
    assert time.monotonic() - began > 0.8
    assert told.standing(added.subscription.id).problem == "status 429"


def test_given_up_and_tried_again(told: Telling, receiver: Receiver) -> None:
    """What nobody takes in time is given up and lets the next one pass; it is kept, and told when somebody has it tried again."""
    receiver.answer = lambda came: (500, {}, b"") if came.event["id"] == decision_id and broken else TAKEN
    broken = True
    added = told.subscribe(receiver.url, (DECIDED, TOLD))
    decision_id = told.decide("s-1")
    told.tell(decision_id)
    told.seal()
    with told.delivering(replace(SWIFT, give_up=datetime.timedelta(seconds=0.3))):
        receiver.wait_for(1)
        until(lambda: told.standing(added.subscription.id).waiting == 0)
        assert told.standing(added.subscription.id).given_up == 1
        broken = False
        assert redrive(told.record.database, added.subscription.id, now()) == 1
        receiver.wait_for(2)
        until(lambda: told.standing(added.subscription.id).delivered == 2)
    assert receiver.taken[-1].event["id"] == decision_id
    assert redrive(told.record.database, added.subscription.id, now()) == 0


def test_gone_ends_the_subscription(told: Telling, receiver: Receiver) -> None:
    """A receiver that answers 410 is never called again: the subscription ends, on the record, and what waited is thrown away."""
    receiver.answer = lambda _: (410, {}, b"")
    told.subscribe(receiver.url, (DECIDED, TOLD))
    told.tell(told.decide("s-1"))
    told.seal()
    with told.delivering():
        until(lambda: told.record.read_now(webhooks) == [])
        told.decide("s-1")
        told.seal()
    tidy(told.record.database)
    assert len(receiver.received) == 1
    assert rows(told, EventRow) == rows(told, EventLineRow) == []
    [row] = rows(told, WebhookRow)
    assert row.removed_at is not None
    assert bytes(row.secret) == b""


def test_one_that_hangs_holds_up_nobody_else(told: Telling, receiver: Receiver) -> None:
    """A receiver that answers nothing is given up after the time for one event, and meanwhile others get theirs."""
    with receiving(answer=lambda _: 30.0) as hanging:
        stuck = told.subscribe(hanging.url, (DECIDED,))
        told.subscribe(receiver.url, (DECIDED,))
        for number in range(8):
            told.decide(f"s-{number}")
        told.seal()
        with told.delivering(replace(SWIFT, lines=6, per_webhook=4, seconds=1)):
            receiver.wait_for(8, seconds=10)
            until(lambda: told.standing(stuck.subscription.id).problem == "timeout")


def test_no_more_than_so_many_at_a_time(told: Telling, receiver: Receiver) -> None:
    """A callback is sent no more events at a time than it may be, so that one that is slow leaves room for others."""
    alone, now_there, peaks = threading.Lock(), [0], [0]

    def answer(_: Received) -> Answer:
        with alone:
            now_there[0] += 1
            peaks.append(now_there[0])
        time.sleep(0.2)
        with alone:
            now_there[0] -= 1
        return TAKEN

    receiver.answer = answer
    told.subscribe(receiver.url, (DECIDED,))
    for number in range(9):
        told.decide(f"s-{number}")
    told.seal()
    with told.delivering(replace(SWIFT, lines=16, per_webhook=3)):
        receiver.wait_for(9)
    assert max(peaks) == 3


@pytest.mark.parametrize(("body", "headers"), [(b"x" * 5_000_000, {}), (b"", {"content-type": "text/html"})])
def test_a_large_answer_is_not_read(told: Telling, receiver: Receiver, body: bytes, headers: dict[str, str]) -> None:
    """Only the status of an answer counts, whatever follows it."""
    receiver.answer = lambda _: (200, headers, body)
    added = told.subscribe(receiver.url, (DECIDED,))
    told.decide("s-1")
    told.seal()
    with told.delivering():
        until(lambda: told.standing(added.subscription.id).delivered == 1)
    assert len(receiver.received) == 1


def test_nobody_is_there(told: Telling) -> None:
    """An address where nobody listens is tried again, and the reason is shown."""
    added = told.subscribe("http://127.0.0.1:9/events", (DECIDED,))
    told.decide("s-1")
    told.seal()
    with told.delivering():
        until(lambda: told.standing(added.subscription.id).problem == "no connection")
    assert told.standing(added.subscription.id).waiting == 1


def test_private_addresses_are_refused_when_sending(told: Telling, receiver: Receiver) -> None:
    """A callback that leads into one's own network gets nothing, where that is not allowed, though it was let pass before."""
    added = told.subscribe(receiver.url.replace("http://", "https://"), (DECIDED,))
    told.decide("s-1")
    told.seal()
    with told.delivering(private=False):
        until(lambda: told.standing(added.subscription.id).problem == "refused address")
    assert receiver.received == []


def test_erased_before_it_was_sent(told: Telling, receiver: Receiver) -> None:
    """Of who was erased nothing is sent any more: what waited is gone, and what was sealed afterwards is dropped."""
    added = told.subscribe(receiver.url, (DECIDED,))
    told.decide("s-1")
    told.seal()
    told.decide("s-1")
    told.decide("s-2")
    assert erase(told.record, "s-1", basis="asked for it", by="tests").rows["event"] == 1
    assert rows(told, EventRow) == rows(told, EventLineRow) == []
    told.seal()
    with told.delivering():
        receiver.wait_for(1)
        until(lambda: told.standing(added.subscription.id).dropped == 1)
    assert [item.data["subscriber"]["id"] for item in receiver.received] == ["s-2"]


def test_only_what_comes_after(told: Telling, receiver: Receiver) -> None:
    """A subscription hears of what is sealed after it was made, not of what was; and of nothing once it was removed."""
    told.decide("s-1")
    told.seal()
    added = told.subscribe(receiver.url, (DECIDED,))
    told.decide("s-2")
    told.seal()
    assert len(rows(told, EventRow)) == 1
    told.unsubscribe(added.subscription.id)
    told.decide("s-3")
    told.seal()
    assert len(rows(told, EventRow)) == 1
    with told.delivering():
        until(lambda: rows(told, EventRow) == [])
    assert receiver.received == []


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ({}, [DECIDED, TOLD, "wanliu.promise.v1"]),
        ({"system": "desk"}, [DECIDED, TOLD, "wanliu.promise.v1"]),
        ({"system": "app"}, []),
        ({"filters": Filters(channels=("app",))}, []),
        ({"filters": Filters(channels=("app", "call_centre"))}, [DECIDED, TOLD, "wanliu.promise.v1"]),
        ({"filters": Filters(actions=("bill_explain",))}, [DECIDED]),
        ({"filters": Filters(outcomes=("refused",))}, [DECIDED]),
        ({"filters": Filters(actions=(PROMISED,), outcomes=("accepted",))}, [DECIDED, TOLD, "wanliu.promise.v1"]),
    ],
)
def test_filters(told: Telling, wanted: Any, heard: list[str]) -> None:
    """A subscription hears of its types only, of its own system, and of what passes its filters."""
    told.subscribe("http://127.0.0.1:9/", **wanted)
    told.tell(told.decide("s-1"))
    told.seal()
    assert [row.type for row in sorted(rows(told, EventRow), key=lambda row: row.number)] == heard


def test_what_waits_names_nobody(told: Telling) -> None:
    """The rows of events say where to read, not what: nothing of a person stands in them."""
    told.subscribe("http://127.0.0.1:9/")
    told.tell(told.decide("canary-77"), reference="canary-rec")
    told.seal()
    assert "canary" not in repr(rows(told, EventRow) + rows(told, EventLineRow))


def test_without_a_subscription_nothing_waits(told: Telling) -> None:
    """As long as nobody subscribed, no events are kept."""
    told.tell(told.decide("s-1"))
    told.seal()
    assert rows(told, EventRow) == rows(told, EventLineRow) == []


def test_one_process_at_a_time(told: Telling) -> None:
    """A line that one process has taken is nobody else's, until its lease ends."""
    added = told.subscribe("http://127.0.0.1:9/", (DECIDED,))
    told.decide("s-1")
    told.seal()
    rooms, moment = {added.subscription.id: 4}, now()
    assert len(take(told.record.database, rooms, moment)) == 1
    assert take(told.record.database, rooms, moment + datetime.timedelta(seconds=29)) == []
    assert len(take(told.record.database, rooms, moment + datetime.timedelta(seconds=31))) == 1


def test_several_deliverers(told: Telling, receiver: Receiver) -> None:
    """Processes that deliver at once share the work: everything is told once, in order for each subscriber."""
    added = told.subscribe(receiver.url, (DECIDED, TOLD))
    expected: dict[str, list[str]] = {}
    with told.delivering(), told.delivering(), told.delivering():
        for number in range(30):
            who = f"s-{number % 6}"
            decision_id = told.decide(who)
            expected.setdefault(who, []).extend([decision_id, told.tell(decision_id)])
            if number % 5 == 4:
                told.seal()
        receiver.wait_for(60)
    assert len(receiver.received) == 60
    for who, ids in expected.items():
        assert [item.event["id"] for item in receiver.taken if item.data["subscriber"]["id"] == who] == ids
    until(lambda: told.standing(added.subscription.id).delivered == 60)


def test_a_wording_that_fails_is_tried_again(told: Telling, receiver: Receiver) -> None:
    """An event that cannot be worded is neither lost nor stops the others."""
    added = told.subscribe(receiver.url, (DECIDED,))
    told.decide("s-1")
    told.seal()

    def broken(_: Any) -> Any:
        raise ValueError("broken")

    with told.delivering(words=broken):
        until(lambda: told.standing(added.subscription.id).problem == "failed here")
    with told.delivering():
        receiver.wait_for(1)


def test_a_run_that_breaks_off_stops_nobody(told: Telling, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a receiver is gone and the store does not take that, the line is taken up again; others are told meanwhile."""
    away, real = threading.Event(), told.record.write_now

    def write_now(entry: Any, **options: Any) -> Any:
        if away.is_set() and entry.kind == "webhook_changed":
            raise StoreUnavailable("away")
        return real(entry, **options)

    with receiving(answer=lambda _: (410, {}, b"")) as gone:
        told.subscribe(gone.url, (DECIDED,))
        healthy = told.subscribe(receiver.url, (DECIDED,)).subscription.id
        told.decide("s-1")
        told.seal()
        away.set()
        monkeypatch.setattr(told.record, "write_now", write_now)
        with told.delivering(replace(SWIFT, seconds=0.1, lease=datetime.timedelta(seconds=0.5))):
            gone.wait(lambda gone: len(gone.received) >= 2)
            told.decide("s-2")
            told.seal()
            until(lambda: told.standing(healthy).delivered == 2, seconds=10)
            away.clear()
            until(lambda: len(told.record.read_now(webhooks)) == 1)


def test_an_event_that_takes_too_long_to_read_is_not_sent(told: Telling, receiver: Receiver) -> None:
    """Where wording an event takes longer than the lease allows, it is left to whoever has the line then."""
    slow, worded = iter([1.5]), []

    def wording(happened: Any) -> Any:
        worded.append(happened.id)
        time.sleep(next(slow, 0))
        return cloud_event(happened)

    added = told.subscribe(receiver.url, (DECIDED,))
    told.decide("s-1")
    told.seal()
    with told.delivering(replace(SWIFT, seconds=2, lease=datetime.timedelta(seconds=4)), words=wording):
        receiver.wait_for(1)
        until(lambda: told.standing(added.subscription.id).delivered == 1)
    assert (len(worded), len(receiver.received)) == (2, 1)


def test_it_stops_soon(told: Telling) -> None:
    """Told to stop while a receiver hangs, it waits three seconds and no longer; what was being sent is sent again later."""
    came = threading.Event()

    def hang(_: Received) -> float:
        came.set()
        return 30.0

    with receiving(answer=hang) as hanging:
        told.subscribe(hanging.url, (DECIDED,))
        told.decide("s-1")
        told.seal()
        with told.delivering(replace(SWIFT, seconds=20)):
            assert came.wait(20)
            began = time.monotonic()
    assert 2 < time.monotonic() - began < 8
    assert len(rows(told, EventRow)) == 1
