"""Access and complaints: everything held about a person, every decision in plain words, and an answer file that proves what it says."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from sqlmodel import col

from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.intake import parse_request, take
from app.engine.pack import Pack, load_pack, read_folder
from app.record.decisions import Asked as AskedBy
from app.record.decisions import decision_entry
from app.record.entries import SUBJECT, NewEntry, NewRow
from app.record.erasing.persons import erase
from app.record.export.bundle import verify as verifier
from app.record.export.complaint import NoSuchDecision
from app.record.export.exporting import NothingSealed
from app.record.export.sharing import Asked, TooMuch, give_access, give_answer, share
from app.record.export.words import CHANNELS
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.packs.library import PackLibrary
from app.record.packs.steps import PackContent
from app.record.persons import NobodyKnown
from app.record.store.database import Database, stamp
from app.record.store.record import Record
from app.record.store.tables import EntryRow, PackRow
from tests.docs.pages import ROOT
from tests.logs import NOW, Clock

pytestmark = pytest.mark.unit

REQUEST = {
    "channel": "call_centre",
    "reason": "bill",
    "caller_relation": "holder",
    "verified": "sms",
    "locale": "en",
    "subscriber": {
        "id": "s-7",
        "account": {"status": "active", "tenure_months": 42},
        "billing": {"total": [2900, 3050, 3400, 6600, 7100, 7900]},
        "consent": {"marketing": "no", "refused_channels": ["outbound_call"]},
        "events": [],
        "contacts": [{"at": "2026-11-01T10:00:00+08:00", "channel": "app", "kind": "offer", "action": "tariff_pack", "result": "refused"}],
    },
}


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT)


@pytest.fixture
def record(sqlite_database: Database, keys: Keys, pack: Pack) -> Iterator[Record]:
    """A record with two decisions about one subscriber by the reference pack, the second of which was answered by a refusal."""
    row = {"digest": pack.digest, "name": pack.name, "version": pack.version, "at": stamp(NOW), "author": "ann"}
    with sqlite_database.writing() as connection:
        sqlite_database.insert_missing(connection, PackRow, [{**row, "files": PackContent(read_folder(ROOT)).packed()}])
    record = Record(sqlite_database, keys, clock=Clock(NOW + datetime.timedelta(seconds=3)))
    yield record
    record.close_now()


@pytest.fixture
def ids(record: Record, pack: Pack) -> list[str]:
    found = [decided(record, pack, NOW), decided(record, pack, NOW + datetime.timedelta(seconds=1))]
    answered(record, found[1])
    Sealer(record.database, record.keys, lambda: NOW + datetime.timedelta(seconds=2)).seal()
    return found


def decided(record: Record, pack: Pack, now: datetime.datetime, **changes: Any) -> str:
    case = take(pack, parse_request(orjson.dumps({**REQUEST, **changes})), now=now, role="agent")
    decision = decide(pack, case)
    answer = orjson.dumps({"actions": [item.title for item in explain(pack, case, decision).actions]})
    decision_id = Ids().new(now)
    record.write_now(decision_entry(decision_id, now, pack, case, decision, answer, AskedBy("desk", "agent")))
    return decision_id


def answered(record: Record, decision_id: str) -> None:
    at = stamp(NOW)
    outcome_id = Ids().new(NOW + datetime.timedelta(seconds=2))
    row = {"entry_id": outcome_id, "decision_id": decision_id, "subject": SUBJECT, "action": "bill_explain", "outcome": "refused", "at": at}
    contact = {"id": outcome_id, "subject": SUBJECT, "at": at, "channel": "call_centre", "action": "bill_explain", "result": "refused"}
    rows = (NewRow("outcome", row), NewRow("contact", {**contact, "decision_id": decision_id}))
    body = {"decision": decision_id, "action": "bill_explain", "outcome": "refused", "channel": "call_centre"}
    record.write_now(NewEntry(outcome_id, "outcome", NOW, body, "s-7", private={"reference": "r-1"}, rows=rows))


def reads(record: Record) -> list[dict[str, Any]]:
    with record.database.reading() as connection:
        rows = connection.execute(select(col(EntryRow.envelope)).where(col(EntryRow.kind) == "read").order_by(col(EntryRow.id)))
        return [orjson.loads(bytes(row.envelope)) for row in rows]


@pytest.mark.parametrize(("locale", "word"), [("en", "On 2026-11-22 18:00"), ("zh-CN", "所依据的规则为")])
def test_a_person_gets_everything_in_plain_words(record: Record, ids: list[str], locale: str, word: str) -> None:
    """Every decision with what was known, what came of it and why; contacts, outcomes; in their language."""
    held = give_access(record, PackLibrary(record.database), "s-7", caller="pia", role="privacy_officer", locale=locale)
    assert [decision.id for decision in held.decisions] == ids
    words = held.decisions[0].words
    assert word in words[0]
    assert len(words) > 8
    assert held.decisions[0].known["subscriber"]["billing"]["total"][-1] == 7900
    assert [contact["action"] for contact in held.contacts] == ["bill_explain"]
    kinds = [told.kind for told in held.others]
    assert kinds == ["outcome", "read"], "who looks is told too"
    assert held.others[0].private == {"reference": "r-1"}
    assert "salt" not in orjson.dumps(held.as_json()).decode()


def test_what_they_refused_and_since_when(record: Record, ids: list[str]) -> None:
    """Actions, from our own record and from histories that callers sent; channels and uses of their data as last known."""
    held = give_access(record, PackLibrary(record.database), "s-7", caller="pia", role="privacy_officer", locale="en")
    told = {(refusal.what, refusal.channel): (refusal.since, refusal.times, refusal.first_seen) for refusal in held.refusals}
    assert told == {
        ("bill_explain", "call_centre"): (stamp(NOW), 1, False),
        ("tariff_pack", "app"): ("2026-11-01T10:00:00+08:00", 1, False),
        ("marketing", None): (stamp(NOW), 1, True),
        ("channel outbound_call", None): (stamp(NOW), 1, True),
    }


def test_who_agrees_again_has_refused_no_more(record: Record, pack: Pack, ids: list[str]) -> None:
    """What was last known counts."""
    subscriber = {**REQUEST["subscriber"], "consent": {"marketing": "yes"}}  # type: ignore[dict-item]
    decided(record, pack, NOW + datetime.timedelta(seconds=2), subscriber=subscriber)
    held = give_access(record, PackLibrary(record.database), "s-7", caller="pia", role="privacy_officer", locale="en")
    assert {refusal.what for refusal in held.refusals if refusal.channel is None} == {"channel outbound_call"}


def test_every_look_is_on_the_record_before(record: Record, ids: list[str], tmp_path: Path) -> None:
    """Who looked, with which role, at what, about whom; nobody is named."""
    packs = PackLibrary(record.database)
    give_access(record, packs, "s-7", caller="pia", role="privacy_officer", locale="en")
    give_answer(record, packs, ids[:1], tmp_path / "answer", caller="rex", role="compliance", locale="en")
    share(record, Asked(opened=("s-7",)), tmp_path / "export", caller="rex", role="compliance")
    share(record, Asked(), tmp_path / "closed", caller="rex", role="compliance")
    found = reads(record)
    assert [(told["body"]["caller"], told["body"]["what"], "subject" in told) for told in found] == [
        ("pia", "access", True),
        ("rex", "complaint", True),
        ("rex", "export", True),
        ("rex", "export", False),
    ]
    assert len({told["subject"] for told in found[:3]}) == 1
    assert not any(b"s-7" in orjson.dumps(told) for told in found)


def test_nobody_is_told_of_somebody_unknown(record: Record, ids: list[str], tmp_path: Path) -> None:
    """Whom the record never met, or who was erased, has nothing, and asking leaves no entry about them."""
    erase(record, "s-7", basis="request", by="pia")
    packs = PackLibrary(record.database)
    for subscriber in ("s-7", "s-8"):
        with pytest.raises(NobodyKnown):
            give_access(record, packs, subscriber, caller="pia", role="privacy_officer", locale="en")
        with pytest.raises(NobodyKnown):
            share(record, Asked(opened=(subscriber,)), tmp_path / "export", caller="rex", role="compliance")
    assert reads(record) == []


def test_an_answer_file_tells_and_proves(record: Record, ids: list[str], tmp_path: Path) -> None:
    """The decision in words, everything there is to it, its outcomes and pack, in a bundle that verifies."""
    made = give_answer(record, PackLibrary(record.database), ids[1:], tmp_path / "answer", caller="rex", role="compliance", locale="zh-CN")
    assert (made.records, made.opened) == (2, 2)
    check = verifier.Check(verifier.Folder(str(tmp_path / "answer")), [], [])
    check.run()
    assert check.findings == []
    page = (tmp_path / "answer" / "answer.md").read_text("utf-8")
    assert ids[1] in page
    assert "| 2026-11-22 18:00（UTC+08:00） | 账单解读 | 已拒绝 |" in page
    dossier = orjson.loads((tmp_path / "answer" / "dossiers" / f"{ids[1]}.json").read_bytes())
    assert dossier["working"]["considered"]
    assert ids[0] not in (tmp_path / "answer" / "records.ndjson").read_text("utf-8")


def test_an_answer_file_of_an_erased_person_holds_codes_only(record: Record, ids: list[str], tmp_path: Path) -> None:
    """It says so, and still proves what was decided."""
    erase(record, "s-7", basis="request", by="pia")
    made = give_answer(record, PackLibrary(record.database), ids[:1], tmp_path / "answer.zip", caller="rex", role="compliance", locale="en")
    assert (made.records, made.opened) == (1, 0)


def test_there_must_be_such_decisions_and_they_must_be_sealed(record: Record, pack: Pack, ids: list[str], tmp_path: Path) -> None:
    """An id of nothing, and one that waits, are told apart."""
    packs = PackLibrary(record.database)
    with pytest.raises(NoSuchDecision):
        give_answer(record, packs, ["019ab000-0000-7000-8000-000000000000"], tmp_path / "a", caller="rex", role="compliance", locale="en")
    waiting = decided(record, pack, NOW)
    with pytest.raises(NothingSealed):
        give_answer(record, packs, [waiting], tmp_path / "a", caller="rex", role="compliance", locale="en")


def test_no_more_is_handed_out_at_once_than_allowed(record: Record, ids: list[str], tmp_path: Path) -> None:
    """Before anything is written, on disk or on the record."""
    with pytest.raises(TooMuch, match="4 records"):
        share(record, Asked(), tmp_path / "export", caller="rex", role="compliance", most=3)
    assert reads(record) == []


def test_every_channel_has_a_name_for_people() -> None:
    """In both languages."""
    from typing import get_args

    from app.engine.vocabulary.words import Channel

    assert set(CHANNELS) == set(get_args(Channel))
    assert all(set(names) == {"en", "zh"} for names in CHANNELS.values())
