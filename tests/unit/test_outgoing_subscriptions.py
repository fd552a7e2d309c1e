"""Subscriptions on the record: what stands in the store is held against the entries, and what waits goes with what it is about."""

import dataclasses
import datetime
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, delete, select, update
from sqlmodel import col

from app.record.callers import Caller
from app.record.choices import choice_entry
from app.record.erasing.retention import archive
from app.record.export.access import held_about
from app.record.keys import Keys, rotated
from app.record.outgoing.model import DECIDED, Filters
from app.record.outgoing.rewrapping import rewrap_secrets
from app.record.outgoing.secrets import shown, unlocked
from app.record.outgoing.subscriptions import new_secret_of, webhook, webhooks
from app.record.reading.recorded import read_entry
from app.record.store.database import Database
from app.record.store.tables import EntryRow, EventRow, WebhookRow
from app.record.verifying import verify_log
from tests.outgoing import Telling, now, telling

pytestmark = pytest.mark.unit

URL = "https://crm.example/hooks/key-4711"


@pytest.fixture
def told(database: Database, keys: Keys) -> Iterator[Telling]:
    with telling(database, keys) as made:
        yield made


def findings(told: Telling, act: Callable[[Connection], Any] | None = None) -> list[str]:
    """What the verifier finds, after something was done to the store."""
    if act is not None:
        with told.record.database.writing() as connection:
            act(connection)
    verdict = told.record.read_now(lambda connection: verify_log(connection, told.record.keys))
    return [finding.message for finding in verdict.findings]


def test_a_subscription_is_kept_as_it_was_made(told: Telling) -> None:
    """What was wanted is read back as it was, by every process; once removed, it is gone."""
    added = told.subscribe(URL, (DECIDED,), system="desk", filters=Filters(channels=("app",), outcomes=("refused",)))
    [kept] = told.record.read_now(webhooks)
    assert kept.subscription == added.subscription
    assert told.record.read_now(lambda c: webhooks(c, owner="somebody")) == []
    assert told.record.read_now(lambda c: webhooks(c, format="tmf680")) == []
    told.unsubscribe(added.subscription.id)
    assert told.record.read_now(webhooks) == []
    assert told.record.read_now(lambda c: webhook(c, added.subscription.id)) is None


def test_the_record_says_who_and_where_but_no_secret(told: Telling) -> None:
    """The entry names the owner, the host and the types; of the callback, whose path may be secret, and of the secret only digests."""
    added = told.subscribe(URL)
    with told.record.database.reading() as connection:
        envelope = connection.execute(select(col(EntryRow.envelope)).where(col(EntryRow.kind) == "webhook_changed")).scalar_one()
    body = orjson.loads(envelope)["body"]
    assert (body["change"], body["by"], body["host"], body["types"][0]) == ("added", "crm-admin", "crm.example", DECIDED)
    assert b"4711" not in bytes(envelope)
    assert added.secret.encode() not in bytes(envelope)


def test_verified(told: Telling) -> None:
    """Subscriptions that were added, given a new secret and removed are as their entries say, sealed or not."""
    first, second = told.subscribe(URL), told.subscribe(URL, (DECIDED,), filters=Filters(actions=("a",)))
    kept = told.record.read_now(lambda connection: webhook(connection, first.subscription.id))
    assert kept is not None
    told.record.write_now(new_secret_of(told.new_id(), now(), told.record.keys, kept, by="crm-admin").entry)
    told.unsubscribe(second.subscription.id)
    assert findings(told) == []
    told.seal()
    assert findings(told) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"callback": "https://evil.example/"},
            ["`callback` says something else than its entry", "the secret is not the one that was shown"],
        ),
        ({"owner": "somebody"}, ["`owner` says something else than its entry"]),
        ({"system": "desk"}, ["`system` says something else than its entry"]),
        ({"types": '["wanliu.promise.v1"]'}, ["`types` says something else than its entry"]),
        ({"filters": '{"channels":["app"]}'}, ["`filters` says something else than its entry"]),
        ({"filters": "{"}, ["`filters` says something else than its entry"]),
        ({"secret": b"x" * 60}, ["the secret is not the one that was shown"]),
        ({"removed_at": "2026-11-22T02:00:00.000000+00:00"}, ["`removed_at` says something else than its entry"]),
    ],
)
def test_what_was_changed_is_found(told: Telling, values: Any, says: list[str]) -> None:
    """Whoever changes in the store who is told of what, or where, is found out; the message repeats nothing of it."""
    added = told.subscribe(URL, (DECIDED,))
    told.seal()
    expected = [f"webhook row {added.subscription.id}: {item}" for item in says]
    assert findings(told, lambda c: c.execute(update(WebhookRow).values(**values))) == expected


def test_made_up_and_missing_subscriptions_are_found(told: Telling) -> None:
    """A subscription that nobody made, and one that is gone."""
    added = told.subscribe(URL, (DECIDED,))
    told.seal()
    made_up = findings(told, lambda c: c.execute(update(WebhookRow).values(id="id-1")))
    assert sorted(made_up) == [f"webhook row {added.subscription.id}: it is missing", "webhook row id-1: no entry added this subscription"]
    assert findings(told, lambda c: c.execute(delete(WebhookRow))) == [f"webhook row {added.subscription.id}: it is missing"]


def test_secrets_under_a_new_wrapping_key(told: Telling, keys: Keys) -> None:
    """After re-wrapping, both secrets of a subscription are the same, and open with the newest key alone."""
    added = told.subscribe(URL)
    kept = told.record.read_now(lambda connection: webhook(connection, added.subscription.id))
    assert kept is not None
    renewed = new_secret_of(told.new_id(), now(), told.record.keys, kept, by="crm-admin")
    told.record.write_now(renewed.entry)
    both = rotated(keys, "wrapping", now())
    newest = dataclasses.replace(both, wrapping=both.wrapping[-1:])
    assert rewrap_secrets(told.record.database, both) == 1
    assert rewrap_secrets(told.record.database, both) == 0
    [after] = told.record.read_now(webhooks)
    row, about = after.row, added.subscription.id
    assert shown(unlocked(newest, bytes(row["secret"]), row["wrapped_with"], about, URL)) == renewed.secret
    assert shown(unlocked(newest, bytes(row["secret_before"]), row["before_wrapped_with"], about, URL)) == added.secret


def test_a_month_that_is_archived_takes_its_events_along(told: Telling, keys: Keys) -> None:
    """What still waits of an old month goes with it; subscriptions stay."""
    told.subscribe(URL, (DECIDED,))
    told.decide("s-1")
    told.seal()
    month = now().strftime("%Y-%m")
    later = now() + datetime.timedelta(days=3_000)
    told.record.clock = lambda: later
    archive(told.record, month, years=1, by="tests")
    with told.record.database.reading() as connection:
        assert connection.execute(select(EventRow.__table__)).all() == []  # type: ignore[attr-defined]
    assert len(told.record.read_now(webhooks)) == 1


def test_only_a_wish_for_a_person_opens_a_case(told: Telling) -> None:
    """Other choices of a customer, and one that is taken back, open nothing."""
    told.subscribe(URL)
    customer = Caller("app", "self_service")
    for choice, step in (("no_marketing", "made"), ("human_review", "taken_back"), ("human_review", "made")):
        entry = choice_entry(told.new_id(), now(), "s-1", choice, None, step, by=customer)  # type: ignore[arg-type]
        told.record.write_now(entry)
    told.seal()
    with told.record.database.reading() as connection:
        [row] = connection.execute(select(EventRow.__table__)).all()  # type: ignore[attr-defined]
    assert (row.type, row.entry_id) == ("wanliu.escalation.v1", entry.id)
    recorded = told.record.read_now(lambda connection: read_entry(connection, told.record.keys, entry.id))
    assert recorded is not None
    assert recorded.private is not None
    assert recorded.private["subscriber"] == {"id": "s-1"}


def test_the_access_report_tells_what_waits(told: Telling) -> None:
    """Who asks what is held about them hears of what other systems are still to be told, of which host, and of nobody else's."""
    told.subscribe(URL, (DECIDED, "wanliu.promise.v1"))
    told.tell(told.decide("s-1"))
    told.decide("s-2")
    told.seal()
    held = told.record.read_now(lambda connection: held_about(connection, told.record.keys, {}, "s-1"))  # type: ignore[arg-type]
    assert [(item["type"], item["to"], item["given_up"]) for item in held.events] == [
        (DECIDED, "crm.example", False),
        ("wanliu.promise.v1", "crm.example", False),
    ]
