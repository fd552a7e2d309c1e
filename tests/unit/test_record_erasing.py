"""Erasing a person: nothing of them is left in any file, nothing that was proven is lost, and a legal hold refuses."""

from __future__ import annotations

import datetime
import importlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from app.record.contacts import contact_row
from app.record.entries import SUBJECT, Idempotency, NewEntry, NewRow
from app.record.erasing.holds import NotHeld, hold, release
from app.record.erasing.persons import Held, NotErased, erase, erasure_of
from app.record.erasing.scrubbing import scrub
from app.record.export.exporting import Wanted, export
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.log.stretches import between
from app.record.outcomes import outcome_row
from app.record.persons import NobodyKnown, person_of
from app.record.privacy import lookup_of
from app.record.reading.recorded import read_entry
from app.record.store.database import Database, stamp
from app.record.store.record import Record
from app.record.store.tables import ContactRow, DecisionRow, EntryRow, IdempotencyRow, OutcomeRow, SubjectLeafRow, SubjectRow
from app.record.verifying import verify_log
from tests.logs import Book, Clock, decision_body

pytestmark = pytest.mark.unit

SENTINEL = "s-zebra-7731"
SECRET = "reference-okapi-4482"


@pytest.fixture
def record(database: Database, keys: Keys) -> Iterator[Record]:
    """A record with decisions about two subscribers, an outcome and a contact of the one to be erased."""
    Book(database, keys)
    record = Record(database, keys, clock=Clock())
    for number in range(12):
        decide(record, SENTINEL if number % 3 == 0 else "s-other")
    decide(record, SENTINEL, answered=True)
    seal(record)
    yield record
    record.close_now()


def seal(record: Record) -> int:
    return Sealer(record.database, record.keys, record.clock).seal().size


def decide(record: Record, subscriber: str, *, answered: bool = False) -> str:
    """A decision; `answered` with an outcome and the contact it makes known."""
    now = record.clock()
    decision_id, outcome_id = Ids().new(now), Ids().new(now)
    idempotency = Idempotency("desk", f"key-{decision_id}", b"hash", now + datetime.timedelta(days=1))
    private = {"case": {"subscriber": {"id": subscriber}}, "answer": f'{{"for": "{subscriber}"}}'}
    record.write_now(NewEntry(decision_id, "decision", now, decision_body(), subscriber, private=private, idempotency=idempotency))
    if answered:
        body = {"decision": decision_id, "action": "a", "outcome": "refused", "channel": "call_centre", "at": stamp(now)}
        contact = contact_row(body, decision_id, {"action": "a", "kind": None}, "refused", now, None)
        rows = tuple(filter(None, (NewRow("outcome", outcome_row(outcome_id, SUBJECT, body, SECRET)), contact)))
        record.write_now(NewEntry(outcome_id, "outcome", now, body, subscriber, private={"reference": SECRET}, rows=rows))
    return decision_id


def subject_of(record: Record) -> Any:
    """The row of the one to be erased: of the two, who has more than one kind of entry."""
    with record.database.reading() as connection:
        token = connection.execute(select(col(ContactRow.subject))).scalar_one()
        return connection.execute(select(SubjectRow.__table__).where(col(SubjectRow.token) == token)).one()  # type: ignore[attr-defined]


def rows_of(record: Record, token: str) -> dict[str, int]:
    tables = (SubjectRow, ContactRow, IdempotencyRow, OutcomeRow, SubjectLeafRow)
    with record.database.reading() as connection:
        return {
            str(table.__tablename__): sum(token in row for row in connection.execute(select(table.__table__)))  # type: ignore[attr-defined]
            for table in tables
        }


def test_what_points_at_a_person_is_gone_and_every_proof_stays(record: Record) -> None:
    """Key, contacts, idempotency entries, links of outcomes: gone. Entries, leaves and what was decided: there, and genuine."""
    subject = subject_of(record)
    erased = erase(record, SENTINEL, basis="request of the person", by="pia")
    assert erased.rows == {
        "subject": 1,
        "contact": 1,
        "idempotency": 5,
        "subject_leaf": 6,
        "choice": 0,
        "recommendation": 0,
        "event": 0,
        "event_line": 0,
        "outcome": 1,
    }
    assert erased.scrubbed
    assert not any(rows_of(record, subject.token).values())
    assert seal(record) == 16
    with record.database.reading() as connection:
        verdict = verify_log(connection, record.keys, opening=True)
        assert verdict.findings == ()
        assert (verdict.opened, verdict.sealed_for_good) == (8, 6)
        told = orjson.loads(erasure_of(connection, subject.token) or b"{}")
        assert told["body"] == {"by": "pia", "basis": "request of the person"}
        assert told["subject"] == subject.token
        assert connection.execute(select(col(OutcomeRow.subject), col(OutcomeRow.reference))).one() == (None, None)


def test_a_decision_of_an_erased_person_reads_as_erased(record: Record) -> None:
    """The codes are there, and nothing that was known; the others' are as before."""
    subject = subject_of(record)
    erase(record, SENTINEL, basis="request", by="pia")
    with record.database.reading() as connection:
        rows = connection.execute(select(col(EntryRow.id), col(EntryRow.subject)).where(col(EntryRow.kind) == "decision")).all()
        found = {(row.subject == subject.token, getattr(read_entry(connection, record.keys, row.id), "state", None)) for row in rows}
    assert found == {(True, "erased"), (False, "readable")}


def files_of(record: Record) -> dict[str, bytes]:
    """The bytes of the SQLite file and of what stands beside it."""
    assert record.database.file is not None
    return {path.name: path.read_bytes() for path in record.database.file.parent.glob(f"{record.database.file.name}*")}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_neither_the_person_nor_their_key_is_left_in_a_file(record: Record, tmp_path: Path) -> None:
    """Not in the database, its write-ahead log or a later export: not the id, what was known, its keyed hash, or the wrapped key."""
    subject = subject_of(record)
    traces = {"wrapped key": bytes(subject.wrapped_key), "lookup": bytes(subject.lookup), "reference": SECRET.encode()}
    before = b"".join(files_of(record).values())
    assert all(trace in before for trace in traces.values())
    assert SENTINEL.encode() not in before, "it never stood in the clear"
    assert erase(record, SENTINEL, basis="request", by="pia").scrubbed
    found = files_of(record)
    assert found["wanliu.db-wal"] == b""
    assert {name for name, trace in traces.items() for content in found.values() if trace in content} == set()
    seal(record)
    with record.database.reading() as connection:
        export(connection, record.keys, Wanted(between(connection, 16), (subject.token,), parquet=True), tmp_path / "made", record.clock())
    exported = b"".join(path.read_bytes() for path in (tmp_path / "made").rglob("*") if path.is_file())
    assert not [
        name for name, trace in {**traces, "id": SENTINEL.encode()}.items() if trace in exported or trace.hex().encode() in exported
    ]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_shows_nothing_of_the_person(record: Record) -> None:
    """As far as SQL shows: no row of any table holds the wrapped key, the keyed hash or the reference; written anew, no file does."""
    subject = subject_of(record)
    traces = [bytes(subject.wrapped_key).hex(), bytes(subject.lookup).hex(), SECRET]
    assert all(any(trace in line for line in dump(record)) for trace in traces)
    assert erase(record, SENTINEL, basis="request", by="pia").scrubbed
    assert not any(trace in line for trace in traces for line in dump(record))
    scrub(record.database, full=True)
    with record.database.engine.connect() as connection:
        connection.exec_driver_sql("CHECKPOINT")
        for table in ("subject", "contact", "idempotency", "outcome"):
            path = f"SELECT pg_read_binary_file(pg_relation_filepath('{table}'))"
            content = bytes(connection.exec_driver_sql(path).scalar_one()).hex()
            assert not any(trace in content for trace in (*traces[:2], SECRET.encode().hex()))


def dump(record: Record) -> list[str]:
    """Every row of every table, as text."""
    with record.database.engine.connect() as connection:
        names = [row[0] for row in connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return [str(row[0]) for name in names for row in connection.exec_driver_sql(f"SELECT t::text FROM {name} t")]  # noqa: S608


def test_who_is_not_known_cannot_be_erased(record: Record) -> None:
    """Nobody the record never met; and nobody twice."""
    with pytest.raises(NobodyKnown):
        erase(record, "s-nobody", basis="request", by="pia")
    erase(record, SENTINEL, basis="request", by="pia")
    with pytest.raises(NobodyKnown):
        erase(record, SENTINEL, basis="request", by="pia")


def test_who_comes_back_is_somebody_else(record: Record) -> None:
    """A subscriber who was erased gets a new token and key; what was before stays closed."""
    before = subject_of(record).token
    erase(record, SENTINEL, basis="request", by="pia")
    decide(record, SENTINEL, answered=True)
    assert subject_of(record).token != before


@pytest.mark.parametrize("basis", ["", " ", "x" * 501, f"request of {SENTINEL}"])
def test_the_basis_says_something_and_nobodys_name(record: Record, basis: str) -> None:
    """It stays on the record for ever."""
    with pytest.raises(ValueError, match=r"^basis: "):
        erase(record, SENTINEL, basis=basis, by="pia")
    assert subject_of(record)


def test_a_legal_hold_refuses_with_its_reason(record: Record) -> None:
    """Until it is released; all of it is on the record, the reason only for whoever may read it."""
    entry_id = hold(record, SENTINEL, reason="court file 12", by="lea")
    with pytest.raises(Held, match="court file 12") as refused:
        erase(record, SENTINEL, basis="request", by="pia")
    assert (refused.value.by, refused.value.reason) == ("lea", "court file 12")
    with record.database.reading() as connection:
        assert erasure_of(connection, subject_of(record).token) is None, "what was refused did not happen"
        held = read_entry(connection, record.keys, entry_id)
    assert held is not None
    assert held.body == {"by": "lea", "step": "held"}
    assert held.private is not None
    assert held.private["reason"] == "court file 12"
    release(record, SENTINEL, by="lea")
    with pytest.raises(NotHeld, match="no legal hold"):
        release(record, SENTINEL, by="lea")
    assert erase(record, SENTINEL, basis="request", by="pia").rows["subject"] == 1


def test_somebody_whom_nobody_knows_is_not_held(record: Record) -> None:
    """A mistyped id would look held; nothing is on record of it."""
    before = rows_of_subjects(record)
    with pytest.raises(NobodyKnown, match="nobody on record has this id"):
        hold(record, "s-later", reason="investigation", by="lea")
    assert (of_kind(record, "hold"), rows_of_subjects(record)) == ([], before)


def rows_of_subjects(record: Record) -> int:
    with record.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(SubjectRow)).scalar_one()


def test_a_broken_off_erasure_did_not_happen(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry and what it says come together or not at all; the same command does it then."""
    with monkeypatch.context() as patch:
        patch.setattr("app.record.erasing.persons._deleted", lambda *_: (_ for _ in ()).throw(RuntimeError("cut")))
        with pytest.raises(RuntimeError):
            erase(record, SENTINEL, basis="request", by="pia")
    subject = subject_of(record)
    assert of_kind(record, "erasure") == []
    assert erase(record, SENTINEL, basis="request", by="pia").rows["subject"] == 1
    assert [told["subject"] for told in of_kind(record, "erasure")] == [subject.token]


@pytest.mark.parametrize("step", ["_begin", "_end"])
def test_a_broken_off_hold_or_release_did_not_happen(record: Record, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing on record says that there is a hold where there is none, or that it was released where it stands."""
    if step == "_end":
        hold(record, SENTINEL, reason="court file 12", by="lea")
    before = (of_kind(record, "hold"), subject_of(record))
    monkeypatch.setattr(f"app.record.erasing.holds.{step}", lambda *_: (_ for _ in ()).throw(RuntimeError("cut")))
    with pytest.raises(RuntimeError):
        hold(record, SENTINEL, reason="court file 12", by="lea") if step == "_begin" else release(record, SENTINEL, by="lea")
    assert (of_kind(record, "hold"), subject_of(record)) == before


def of_kind(record: Record, kind: str) -> list[Any]:
    """The envelopes of this kind."""
    with record.database.reading() as connection:
        query = select(col(EntryRow.envelope)).where(col(EntryRow.kind) == kind).order_by(col(EntryRow.id))
        return [orjson.loads(envelope) for envelope in connection.execute(query).scalars()]


@pytest.mark.parametrize(("left", "says"), [("a.spool", "entries wait in the spool"), ("a.refused", "delete `a.refused`")])
def test_the_spool_is_emptied_first(record: Record, tmp_path: Path, left: str, says: str) -> None:
    """What waits there may be about the person, and what was refused too."""
    record.spool_folder = tmp_path / "spool"
    file = record.spool_folder / "0a" / left
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    with pytest.raises(NotErased, match=says):
        erase(record, SENTINEL, basis="request", by="pia")
    assert subject_of(record)
    file.unlink()
    assert erase(record, SENTINEL, basis="request", by="pia").rows["subject"] == 1


class TestAtTheSameInstant:
    """Two processes, one of which is half-way when the other begins: one of them wins, and the record says which."""

    @pytest.fixture
    def other(self, record: Record) -> Iterator[Record]:
        other = Record(Database(record.database.url.render_as_string(hide_password=False)), record.keys, clock=Clock())
        yield other
        other.close_now()

    @pytest.fixture
    def meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Callable[[], object]], Future[object]]]:
        """Begins the second when the first has done this within its transaction, which then takes a while."""
        with ThreadPoolExecutor(1) as thread:

            def arrange(after: str, second: Callable[[], object]) -> Future[object]:
                module, _, name = after.rpartition(".")
                original, half_way = getattr(importlib.import_module(module), name), threading.Event()

                def doing(*given: Any) -> Any:
                    found = original(*given)
                    if not half_way.is_set():
                        half_way.set()
                        time.sleep(0.4)
                    return found

                def then() -> object:
                    assert half_way.wait(20)
                    return second()

                monkeypatch.setattr(after, doing)
                return thread.submit(then)

            yield arrange

    def test_a_hold_that_came_first_refuses(self, record: Record, other: Record, meanwhile: Any) -> None:
        """Whoever erases had seen no hold, and gets its reason all the same; no entry says that somebody was erased."""
        token = subject_of(record).token
        second = meanwhile("app.record.erasing.holds._begin", lambda: erase(other, SENTINEL, basis="request", by="pia"))
        hold(record, SENTINEL, reason="court file 12", by="lea")
        with pytest.raises(Held, match="court file 12"):
            second.result(20)
        assert of_kind(record, "erasure") == []
        subject = subject_of(record)
        assert (subject.token, subject.hold) == (token, "court file 12")

    def test_an_erasure_that_came_first_is_whole(self, record: Record, other: Record, meanwhile: Any) -> None:
        """The hold finds nobody: no entry says that somebody is held, and nobody is."""
        token = subject_of(record).token
        second = meanwhile("app.record.erasing.persons._delete", lambda: hold(other, SENTINEL, reason="court file 12", by="lea"))
        erased = erase(record, SENTINEL, basis="request", by="pia")
        with pytest.raises(NobodyKnown):
            second.result(20)
        assert erased.token == token
        assert not any(rows_of(record, token).values())
        assert of_kind(record, "hold") == []
        with record.database.reading() as connection:
            assert connection.execute(select(col(SubjectRow.token)).where(col(SubjectRow.hold).is_not(None))).scalars().all() == []

    def test_a_person_is_erased_once(self, record: Record, other: Record, meanwhile: Any) -> None:
        """The second finds nobody, and no second entry says so."""
        second = meanwhile("app.record.erasing.persons._delete", lambda: erase(other, SENTINEL, basis="request", by="lea"))
        erase(record, SENTINEL, basis="request", by="pia")
        with pytest.raises(NobodyKnown):
            second.result(20)
        assert [told["body"]["by"] for told in of_kind(record, "erasure")] == ["pia"]

    def test_many_at_once(self, record: Record, other: Record) -> None:
        """One of them wins, whichever comes first: who is held is there, and who was erased is not held."""
        with ThreadPoolExecutor(2) as threads:
            for number in range(6):
                name = f"s-{number}"
                decide(record, name)
                held = threads.submit(hold, record, name, reason="court file", by="lea")
                erased = threads.submit(erase, other, name, basis="request", by="pia")
                lost = [error for error in (held.exception(30), erased.exception(30)) if error is not None]
                assert len(lost) == 1
                if isinstance(lost[0], NobodyKnown):
                    continue
                assert isinstance(lost[0], Held)
                entry = read(record, held.result(30))
                with record.database.reading() as connection:
                    person = person_of(connection, lookup_of(record.keys, name))
                    assert (erasure_of(connection, person.token), person.hold) == (None, "court file")
                    assert entry["subject"] == person.token
        seal(record)
        with record.database.reading() as connection:
            assert verify_log(connection, record.keys).findings == ()

    def test_a_hold_is_released_once(self, record: Record, other: Record, meanwhile: Any) -> None:
        """The second finds no hold."""
        hold(record, SENTINEL, reason="court file 12", by="lea")
        second = meanwhile("app.record.erasing.holds._end", lambda: release(other, SENTINEL, by="lea"))
        release(record, SENTINEL, by="lea")
        with pytest.raises(NotHeld):
            second.result(20)
        assert [told["body"]["step"] for told in of_kind(record, "hold")] == ["held", "released"]


def read(record: Record, entry_id: str) -> Any:
    """The envelope of an entry."""
    with record.database.reading() as connection:
        return orjson.loads(connection.execute(select(col(EntryRow.envelope)).where(col(EntryRow.id) == entry_id)).scalar_one())


def test_decisions_of_the_first_release_are_taken_over_first(record: Record) -> None:
    """They stand in the clear, where erasing would not reach them."""
    row = {"id": "1", "decided_at": "", "pack_digest": "", "engine": "1", "case": b"{}", "answer": b"{}"}
    with record.database.writing() as connection:
        connection.execute(DecisionRow.__table__.insert(), row)  # type: ignore[attr-defined]
    with pytest.raises(NotErased, match="first release"):
        erase(record, SENTINEL, basis="request", by="pia")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_reader_that_holds_on_keeps_the_bytes_from_being_overwritten(record: Record) -> None:
    """Then erasing says so, and scrubbing later does it."""
    with record.database.reading() as reader:
        reader.execute(select(col(SubjectRow.token))).all()
        decide(record, "s-other")
        assert not scrub(record.database, patience=0.1)
    assert scrub(record.database)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_deleted_without_care_is_overwritten_too(record: Record) -> None:
    """By another program, or in a page from which rows have moved: the file is written anew."""
    with record.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        connection.exec_driver_sql("CREATE TABLE careless (text)")
        connection.exec_driver_sql("INSERT INTO careless VALUES ('quagga-5120')")
        connection.exec_driver_sql("DELETE FROM careless")
    assert any(b"quagga-5120" in content for content in files_of(record).values())
    assert scrub(record.database)
    assert not any(b"quagga-5120" in content for content in files_of(record).values())
