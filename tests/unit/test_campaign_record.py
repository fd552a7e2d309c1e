"""Campaigns on the record: parts and their files, decisions by their ids, choices, erasure, outcomes, retention, and tampering."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import polars as pl
import pytest
from sqlalchemy import delete, select, update
from sqlmodel import col

from app.api.answers import answer_bytes
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.view import view
from app.engine.vocabulary import OutcomeReport
from app.engine.vocabulary.choices import Choice
from app.record.callers import Caller
from app.record.campaigns import files, stored, subjects
from app.record.campaigns.bodies import Bodies, body_of
from app.record.campaigns.campaign import Campaign, end_campaign, left_open, open_campaign
from app.record.campaigns.choices import choices_of
from app.record.campaigns.ids import MOST_ROWS, is_row, place_of, row_id
from app.record.campaigns.model import Counts
from app.record.campaigns.problems import CampaignBusy, CampaignDiffers, CampaignOver, CampaignProblem, NoSuchCampaign, RowsRefused
from app.record.canonical import NotCanonical, canonical
from app.record.choices import MADE, TAKEN_BACK, Step, choice_entry
from app.record.contacts import contacts_of
from app.record.damage import DamagedEntry
from app.record.decisions import Asked, decision_entry
from app.record.erasing.holds import hold
from app.record.erasing.persons import erase
from app.record.erasing.retention import archive, old_months
from app.record.export.access import held_about
from app.record.export.bundle import verify as verifier
from app.record.export.complaint import answer_complaint
from app.record.export.sharing import Asked as AskedFor
from app.record.export.sharing import share
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.merkle import leaf_hash, verify_inclusion
from app.record.outcomes import Told, answerable, outcome_entry
from app.record.privacy import commitment_of, lookup_of, new_subjects, open_private, seal_cases, unwrap
from app.record.reading.consulting import explained, proof_of
from app.record.reading.conversations import step_of
from app.record.reading.dossier import dossier
from app.record.reading.many import read_decisions
from app.record.reading.recorded import Recorded, codes_of, read_decision, read_entry, token_of
from app.record.reading.remaking import with_answer
from app.record.reading.replaying import replay
from app.record.rechecks import Wanted, recheck_all
from app.record.store.database import Database
from app.record.store.partitions import partition_entries
from app.record.store.problems import KeyUnknown, RowRefused, StoreUnavailable
from app.record.store.tables import CampaignChunkRow, CampaignRow, ContactRow, EntryRow, SubjectRow
from app.record.verifying import Verdict, verify_entry, verify_log
from app.record.verifying.single import NoSuchEntry
from app.settings import Settings
from tests.campaigns import binary, head, part, people, run, some_row
from tests.decided import decisions, frames
from tests.pipeline import shipped
from tests.records import NOW, Written, written

pytestmark = pytest.mark.unit

SIZES = (7, 5)
DECIDED = sum(SIZES) - len(SIZES)


@pytest.fixture
def made(database_url: str, keys: Keys, tmp_path: Path) -> Iterator[Written]:
    """A record without anything on it."""
    database = Database(database_url, chunks=tmp_path / "chunks")
    with written(database, keys) as opened:
        yield opened
    database.dispose()


def verified(made: Written, *, opening: bool = True) -> Verdict:
    made.seal()
    return made.record.read_now(lambda connection: verify_log(connection, made.keys, opening=opening))


def findings(made: Written) -> str:
    stored._leaves.cache_clear()
    return "\n".join(finding.message for finding in verified(made).findings)


def read(made: Written, decision_id: str) -> Recorded:
    found = made.record.read_now(lambda connection: read_decision(connection, made.keys, decision_id))
    assert found is not None
    return found


class Packs:
    """The shipped pack, whatever is asked for."""

    def get(self, digest: str) -> Any:
        return shipped()


def choose(made: Written, number: int, choice: Any = "no_marketing", step: Step = MADE) -> None:
    """Have `p-number` choose something for good."""
    now = made.clock.ahead(seconds=1)
    made.record.write_now(choice_entry(made.ids.new(now), now, f"p-{number}", choice, None, step, by=Caller("app", "self_service")))


def entries(made: Written, kind: str) -> list[dict[str, Any]]:
    with made.database.reading() as connection:
        query = select(col(EntryRow.envelope)).where(col(EntryRow.kind) == kind).order_by(col(EntryRow.id))
        return [orjson.loads(bytes(envelope)) for envelope in connection.execute(query).scalars()]


class TestIds:
    def test_an_id_tells_campaign_and_row(self) -> None:
        """It is a UUIDv8 that sorts with the campaign's time, and leads back to both."""
        campaign = Ids().new(NOW)
        ids = [row_id(campaign, row) for row in (0, 1, 77, MOST_ROWS)]
        assert ids == sorted(ids)
        for found, row in zip(ids, (0, 1, 77, MOST_ROWS), strict=True):
            place = place_of(found)
            assert (len(found), found[14], found[:8], place.row) == (36, "8", campaign[:8], row)
            assert place.first <= campaign <= place.last
            assert found[19] in "89ab"
        assert all(map(is_row, ids))
        assert not is_row(campaign)


class TestWriting:
    def test_a_campaign_is_opened_written_and_closed(self, made: Written) -> None:
        """A leaf for its opening, each part and its closing; everything adds up, and verifies."""
        campaign, chunks = run(made, SIZES, rows=12)
        verdict = verified(made)
        assert verdict.genuine, verdict.findings
        assert (verdict.rows, verdict.opened) == (DECIDED, DECIDED)
        [opened], parts, [closed] = entries(made, "campaign_opened"), entries(made, "campaign_chunk"), entries(made, "campaign_closed")
        assert (opened["id"], opened["body"]["rows"], opened["body"]["input"]) == (campaign.id, 12, head().input)
        assert [item["body"]["last_row"] for item in parts] == [7, 12]
        assert [item["body"]["root"] for item in parts] == [f"sha256:{chunk.root}" for chunk in chunks]
        told = closed["body"]
        assert (told["read"], told["decided"], told["rejected"], told["recorded"]) == (12, DECIDED, 2, DECIDED)
        assert (told["state"], told["chunks"], told["job"], told["campaign"]) == ("completed", 2, campaign.id, "spring")

    def test_a_file_has_what_is_searched_in_the_clear_and_nothing_of_a_person(self, made: Written) -> None:
        """Row, id, token and codes; no id of the operator, and nothing of the case."""
        campaign, _ = run(made, SIZES)
        files = sorted(campaign.folder.glob("*.parquet"))
        frame = pl.concat(map(pl.read_parquet, files))
        assert frame["row"].to_list() == [row for row in range(1, 13) if row not in (2, 9)]
        assert frame["id"].to_list() == [campaign.decision_id(row) for row in frame["row"]]
        row = some_row()
        decided = decide(shipped(), people()[row - 1])
        found = frame.row(by_predicate=pl.col("row") == row, named=True)
        assert (found["phase"], found["actions"]) == (decided.phase.id, [item.action for item in decided.ranked])
        assert not any(f'"p-{number}"'.encode() in path.read_bytes() for path in files for number in range(1, 13))
        assert not any(b'"p-' in item or b"tenure_months" in item for item in frame["envelope"])

    def test_subjects_are_those_of_the_record(self, made: Written) -> None:
        """Who was known keeps the token, and the key; who was not is known from now on, once."""
        made.decide(people()[0])
        before = made.record.read_now(lambda connection: token_of(connection, made.keys, "p-1"))
        campaign, _ = run(made, SIZES)
        run(made, SIZES)
        assert read(made, campaign.decision_id(1)).subject == before
        with made.database.reading() as connection:
            assert len(connection.execute(select(SubjectRow)).all()) == DECIDED
        assert verified(made).genuine

    def test_a_part_may_be_sent_while_the_one_before_goes_to_the_disk(self, made: Written) -> None:
        """Parts come onto the record in order; closing waits for the last."""
        campaign = open_campaign(made.record, head())
        for first in (1, 5, 9):
            campaign.send(part(first, first + 3))
            assert campaign.next_row == first + 4
        campaign.close(Counts(12, 12, 0))
        assert [item["body"]["number"] for item in entries(made, "campaign_chunk")] == [1, 2, 3]
        assert verified(made).genuine

    def test_a_part_that_was_sent_and_failed_is_told_with_the_next(self, made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
        """The next one is not sent, and `next_row` is where to go on."""
        campaign = open_campaign(made.record, head())
        campaign.write(part(1, 4))
        with monkeypatch.context() as patched:
            patched.setattr(made.record, "write_now", _away)
            campaign.send(part(5, 8))
            with pytest.raises(StoreUnavailable):
                campaign.send(part(9, 12))
        assert campaign.next_row == 5
        campaign.write(part(5, 12))
        campaign.close(Counts(12, 12, 0))
        assert verified(made).genuine

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"first_row": 0}, "the next row is 1, and this part begins with 0"),
            ({"last_row": 0}, "row 0 is before row 1"),
            ({"last_row": 3}, "not within rows 1 to 3"),
            ({"rows": (1, 3, 2, 4)}, "not in order"),
            ({"cases": binary([])}, "4 rows have 0 or 4 subscribers"),
            ({"conceded": (1,)}, "4 rows have 4 subscribers"),
            ({"plain": pl.DataFrame({"stage": ["a"] * 4})}, "expected the columns stage, phase"),
            ({"last_row": MOST_ROWS + 1}, "rows at most"),
        ],
    )
    def test_a_part_that_does_not_fit_is_refused(self, made: Written, change: dict[str, Any], says: str) -> None:
        """Before anything is stored, with what is wrong."""
        campaign = open_campaign(made.record, head())
        with pytest.raises(CampaignProblem, match=says):
            campaign.write(dataclasses.replace(part(1, 4), **change))
        assert not list(campaign.folder.glob("*.parquet"))

    @pytest.mark.parametrize("wrong", [b'{"b":1.0}', b'{"b":1,"a":2}', b'{"a":1e-05}', b'{"a": 1}'])
    def test_a_case_that_is_not_canonical_is_refused(self, made: Written, wrong: bytes) -> None:
        """The commitment is over canonical JSON: what is written otherwise would not verify."""
        campaign = open_campaign(made.record, head())
        given = part(1, 4)
        with pytest.raises(NotCanonical):
            campaign.write(dataclasses.replace(given, cases=binary([wrong, *given.cases[1:]])))

    def test_numbers_as_canonical_json_writes_them_are_taken(self, made: Written) -> None:
        """An exponent, where canonical JSON has one too."""
        campaign = open_campaign(made.record, head())
        given = part(1, 4)
        campaign.write(dataclasses.replace(given, cases=binary([*given.cases[:3], canonical({"subscriber": {"id": "p-4", "n": 1e-7}})])))
        assert verified(made).genuine

    def test_counts_that_differ_are_refused(self, made: Written) -> None:
        """A campaign is not closed on counts that its parts do not have, nor as completed with rows missing."""
        campaign, _ = run(made, SIZES, close=False, rows=14)
        with pytest.raises(CampaignProblem, match="12 rows read, 11 decided and 1 rejected were counted, and the parts have 12"):
            campaign.close(Counts(12, 11, 1))
        with pytest.raises(CampaignProblem, match="the input has 14 rows, and the parts have 12"):
            campaign.close(Counts(12, DECIDED, 2))
        campaign.close(Counts(12, DECIDED, 2), "stopped", "complaints")
        [closed] = entries(made, "campaign_closed")
        assert (closed["body"]["state"], closed["body"]["because"]) == ("stopped", "complaints")
        assert verified(made).genuine

    def test_a_campaign_without_rows(self, made: Written) -> None:
        """It may be opened and closed; there is no last part."""
        campaign = open_campaign(made.record, head())
        with pytest.raises(CampaignProblem, match="no part yet"):
            campaign.finish()
        campaign.close(Counts())
        assert verified(made).genuine

    def test_a_part_in_which_all_rows_were_rejected(self, made: Written) -> None:
        """It has a file without rows."""
        campaign = open_campaign(made.record, head())
        campaign.write(part(1, 2, rejected=(1, 2)))
        campaign.write(part(3, 4))
        campaign.close(Counts(4, 2, 2))
        assert verified(made).genuine

    def test_counts_are_added_to_the_days(self, made: Written) -> None:
        """What a part adds to the anonymous counts is added once, when it is sealed."""
        campaign = open_campaign(made.record, head())
        campaign.write(dataclasses.replace(part(1, 4), counts=[("decision", "{}", 4)]))
        made.seal()
        with made.database.reading() as connection:
            assert connection.exec_driver_sql("SELECT measure, grouped, number FROM daily_count").all() == [("decision", "{}", 4)]


def _away(*_: Any, **__: Any) -> None:
    raise StoreUnavailable("away")


class TestStoreAway:
    def test_a_store_that_is_away_is_told(self, made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
        """While subjects are made known, as while the part's entry is stored."""
        campaign = open_campaign(made.record, head())
        monkeypatch.setattr(made.database, "is_one_of", lambda _: ("= nonsense", []))
        with pytest.raises(StoreUnavailable):
            campaign.write(part(1, 4))
        monkeypatch.undo()
        campaign.write(part(1, 4))

    def test_a_key_that_is_not_known_is_told(self, made: Written, keys: Keys) -> None:
        """Somebody's key is wrapped with one that this process does not have."""
        run(made, (3,))
        with made.database.writing() as connection:
            connection.execute(update(SubjectRow).values(wrapped_with="w9"))
        with pytest.raises(KeyUnknown):
            open_campaign(made.record, head()).write(part(1, 3))

    def test_somebody_made_known_meanwhile_is_found(self, made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another process may be first: its token counts."""
        if made.database.is_sqlite:
            pytest.skip("SQLite has one writer")
        real, others = subjects._found, list[str]()

        def first_by_another(*given: Any) -> Any:
            found = real(*given)
            if not others:
                made.decide(people()[0])
                others.append(made.record.read_now(lambda c: token_of(c, made.keys, "p-1")) or "")
            return found

        monkeypatch.setattr(subjects, "_found", first_by_another)
        campaign, _ = run(made, (3,))
        assert read(made, campaign.decision_id(1)).subject == others[0]
        assert verified(made).genuine


class TestGoingOn:
    def test_what_is_on_record_stays_and_the_rest_is_written(self, made: Written) -> None:
        """Whoever goes on begins after the last part; ids and time are the same; what was never on record is removed."""
        campaign, chunks = run(made, SIZES, close=False)
        (campaign.folder / "000003-0123456789abcdef.parquet").write_bytes(b"never told")
        (campaign.folder / "000003-0123456789abcdef.part").write_bytes(b"nev")
        campaign.leave()
        made.clock.ahead(hours=1)
        assert [one.id for one in left_open(made.record, head())] == [campaign.id]
        assert left_open(made.record, head(input="sha256:" + "2" * 64)) == []
        with open_campaign(made.record, head(), campaign.id) as again:
            assert (again.id, again.at, again.next_row, again.standing.chunks) == (campaign.id, campaign.at, 13, tuple(chunks))
            assert len(list(again.folder.glob("0*"))) == 2
            again.write(part(13, 14))
            again.close(Counts(14, DECIDED + 2, 2))
        assert left_open(made.record, head()) == []
        assert verified(made).genuine

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"input": "sha256:" + "2" * 64}, "input"),
            ({"mapping": "sha256:" + "3" * 64}, "mapping"),
            ({"pack": "sha256:" + "4" * 64}, "pack"),
            ({"channel": "app"}, "channel"),
            ({"name": "autumn"}, "name"),
            ({"options": {"most": 3}}, "options"),
        ],
    )
    def test_another_one_is_refused(self, made: Written, change: dict[str, Any], says: str) -> None:
        """Nothing is mixed: input, mapping, pack, channel, name and options must be those it was opened with."""
        campaign, _ = run(made, (3,), close=False)
        campaign.leave()
        with pytest.raises(CampaignDiffers, match=f"another {says};"):
            open_campaign(made.record, head(**change), campaign.id)

    def test_another_engine_is_refused(self, made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its decisions might be others."""
        campaign, _ = run(made, (3,), close=False)
        campaign.leave()
        monkeypatch.setattr("app.record.campaigns.model.__version__", "9.9.9")
        with pytest.raises(CampaignDiffers, match="another engine;"):
            open_campaign(made.record, head(), campaign.id)

    def test_one_that_is_given_up(self, made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is closed with what it has, also by another engine than began it; nobody closes it while it is at work."""
        campaign, _ = run(made, (3,), close=False)
        with pytest.raises(CampaignBusy):
            end_campaign(made.record, campaign.id, "cancelled", "ann")
        campaign.leave()
        monkeypatch.setattr("app.record.campaigns.model.__version__", "9.9.9")
        end_campaign(made.record, campaign.id, "cancelled", "ann")
        [closed] = entries(made, "campaign_closed")
        assert (closed["body"]["state"], closed["body"]["because"], closed["body"]["read"]) == ("cancelled", "ann", 3)
        with pytest.raises(CampaignOver):
            end_campaign(made.record, campaign.id, "cancelled")
        assert verified(made).genuine

    def test_one_that_is_over_or_never_was(self, made: Written) -> None:
        """Neither is gone on with."""
        campaign, _ = run(made, (3,))
        with pytest.raises(CampaignOver, match="is completed"):
            open_campaign(made.record, head(), campaign.id)
        with pytest.raises(NoSuchCampaign):
            open_campaign(made.record, head(), Ids().new(NOW))

    def test_one_process_at_a_time(self, made: Written) -> None:
        """While somebody is at work on it nobody else is."""
        campaign, _ = run(made, (3,), close=False)
        with pytest.raises(CampaignBusy):
            open_campaign(made.record, head(), campaign.id)
        campaign.leave()
        open_campaign(made.record, head(), campaign.id).leave()

    def test_two_that_do_not_see_each_others_lock(self, made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
        """The store takes a part once, and the file of the first stays as it was."""
        monkeypatch.setattr("app.record.campaigns.files.fcntl.flock", lambda *_: None)
        first = open_campaign(made.record, head())
        second = open_campaign(made.record, head(), first.id)
        first.write(part(1, 4))
        with pytest.raises(RowRefused):
            second.write(part(1, 4))
        first.close(Counts(4, 4, 0))
        with pytest.raises(CampaignOver, match="closed meanwhile"):
            second.close(Counts())
        assert verified(made).genuine

    def test_no_two_campaigns_have_the_same_ids(self, made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
        """An id whose first 22 digits are taken is passed over."""
        first, _ = run(made, (3,))
        ids = iter([first.id[:-1] + ("0" if first.id[-1] != "0" else "1"), Ids().new(NOW)])
        monkeypatch.setattr(Ids, "new", lambda *_: next(ids))
        made.clock.ahead(hours=1)
        assert open_campaign(made.record, head()).id[:26] != first.id[:26]


class TestReading:
    def test_it_is_the_decision_that_would_have_been_asked_for(self, made: Written) -> None:
        """The envelope's codes, and the answer, are those of a request for the same by the same caller."""
        campaign, _ = run(made, SIZES)
        made.seal()
        pack = shipped()
        for row in (1, 3, 7, 8, 12):
            case, decision_id = people()[row - 1], campaign.decision_id(row)
            decision = decide(pack, case)
            answer = answer_bytes(
                view(explain(pack, case, decision, "summary"), pack.restricted, "campaign"), pack, campaign.at, decision_id
            )
            asked = Asked("engine", "campaign")
            alone = decision_entry(decision_id, campaign.at, pack, case, decision, answer, asked)
            found = read(made, decision_id)
            same = dict(found.body) | {"channel": case.channel, "locale": case.locale}
            assert {name: value for name, value in same.items() if name != "campaign"} == orjson.loads(canonical(alone.body))
            assert found.body["campaign"] == "spring"
            assert (found.state, found.case) == ("readable", case)
            assert found.envelope["at"] == campaign.at.isoformat(timespec="microseconds")
            assert with_answer(found, Packs()).answer == answer.decode()
            assert with_answer(with_answer(found, Packs()), Packs()).answer == answer.decode()

    def test_it_is_made_again_and_told(self, made: Written) -> None:
        """Replayed to the byte of its codes, explained, and with all there is to it."""
        campaign, _ = run(made, SIZES)
        made.seal()
        found = read(made, campaign.decision_id(some_row()))
        assert replay(found, Packs()).verdict == "same_bytes"
        told = explained(Packs(), shipped().digest, found.case, "en")  # type: ignore[arg-type]
        assert [item.action for item in told.explanation.actions] == [item["action"] for item in found.body["offered"]]
        whole = made.record.read_now(lambda connection: dossier(connection, made.keys, found, Packs(), "en"))
        assert whole.working is not None
        assert whole.working.faithful
        assert whole.answer is not None
        assert whole.proof.leaf is not None

    def test_what_would_come_out_otherwise_is_told(self, made: Written) -> None:
        """Where the codes on record are others, replaying says which."""
        campaign, _ = run(made, SIZES)
        found = read(made, campaign.decision_id(some_row()))
        other = dataclasses.replace(found, envelope={**found.envelope, "body": {**found.body, "phase": "none", "closing": True}})
        again = replay(other, Packs())
        assert again.verdict == "differs"
        assert {item.path for item in again.differences} == {"phase", "closing"}
        whole = made.record.read_now(lambda connection: dossier(connection, made.keys, other, Packs(), "en"))
        assert whole.working is not None
        assert not whole.working.faithful

    def test_it_is_proved(self, made: Written) -> None:
        """From the decision's leaf to the root of its part, which the part's envelope names, whose leaf is in the signed log."""
        campaign, chunks = run(made, SIZES)
        made.seal()
        for row in (1, 3, 7, 8, 10, 11, 12):
            found = made.record.read_now(lambda c, row=row: proof_of(c, campaign.decision_id(row)))  # type: ignore[misc]
            assert found is not None
            assert found.row is not None
            assert found.inclusion is not None
            part_root = orjson.loads(found.envelope)["body"]["root"].removeprefix("sha256:")
            size = len(found.row.leaves)
            assert verify_inclusion(leaf_hash(found.row.envelope), found.row.position, size, found.row.path, bytes.fromhex(part_root))
            leaf, checkpoint = found.inclusion.leaf, found.inclusion.checkpoint
            assert leaf.entry_id in {chunk.entry_id for chunk in chunks}
            assert verify_inclusion(leaf_hash(found.envelope), leaf.index, checkpoint.size, found.inclusion.path, checkpoint.root)
            verdict = made.record.read_now(lambda c, row=row: verify_entry(c, made.keys, campaign.decision_id(row), opening=True))  # type: ignore[misc]
            assert verdict.genuine, verdict.findings
            assert (verdict.rows, verdict.opened) == (1, 1)

    def test_what_is_not_there(self, made: Written) -> None:
        """A row that was rejected, one beyond the end, and a campaign that never was have no decision."""
        campaign, _ = run(made, SIZES)
        for decision_id in (campaign.decision_id(2), campaign.decision_id(13), row_id(Ids().new(NOW), 1)):
            for look in (codes_of, proof_of, answerable):
                assert made.record.read_now(lambda c, d=decision_id, look=look: look(c, d)) is None  # type: ignore[operator, misc]
            assert made.record.read_now(lambda c, d=decision_id: read_entry(c, made.keys, d)) is None  # type: ignore[misc]
            with pytest.raises(NoSuchEntry):
                made.record.read_now(lambda c, d=decision_id: verify_entry(c, made.keys, d))  # type: ignore[misc]

    def test_what_it_conceded_is_known_to_the_next_one(self, made: Written) -> None:
        """Whoever goes on from it concedes no more to who refused."""
        campaign = open_campaign(made.record, head())
        campaign.write(dataclasses.replace(part(1, 4), conceded=(0, 0, 900, 0)))
        for row, conceded in ((1, 0), (3, 900)):
            step = made.record.read_now(lambda c, row=row: step_of(c, made.keys, campaign.decision_id(row)))  # type: ignore[misc]
            assert step is not None
            assert step.conceded == conceded
        assert verified(made).genuine

    def test_many_at_once(self, made: Written) -> None:
        """Beside decisions that were asked for alone, and only those that may be read."""
        campaign, _ = run(made, SIZES)
        alone = made.decide(people()[20])
        ids = [alone, campaign.decision_id(1), campaign.decision_id(12), campaign.decision_id(2)]
        found = made.record.read_now(lambda c: read_decisions(c, made.keys, ids, lambda *_: True))
        assert set(found) == set(ids[:3])
        assert found[ids[1]].case == people()[0]
        assert made.record.read_now(lambda c: read_decisions(c, made.keys, ids, lambda *_: False)) == {}

    def test_what_is_held_about_a_person_has_them(self, made: Written) -> None:
        """The answer to a request for access tells the decisions of campaigns too, in words."""
        row = some_row()
        campaign, _ = run(made, SIZES)
        made.decide(people()[row - 1])
        held = made.record.read_now(lambda c: held_about(c, made.keys, Packs(), f"p-{row}", "en"))
        assert held.decisions[0].id == campaign.decision_id(row)
        assert len(held.decisions) == 2
        assert held.decisions[0].words
        assert held.decisions[0].answer["actions"] == held.decisions[1].answer["actions"] or held.decisions[0].answer["actions"]


class TestChoices:
    def test_many_are_asked_at_once(self, made: Written) -> None:
        """Those who chose something, what stands; nothing of the others, nor of what was taken back."""
        run(made, SIZES)
        choose(made, 3)
        choose(made, 4, "no_profiling")
        choose(made, 4, "no_marketing")
        choose(made, 5)
        choose(made, 5, step=TAKEN_BACK)
        names = [f"p-{number}" for number in range(1, 30)]
        found = made.record.read_now(lambda c: choices_of(made.database, made.keys, c, names))
        assert {who: [item.choice for item in chosen] for who, chosen in found.items()} == {
            "p-3": ["no_marketing"],
            "p-4": ["no_profiling", "no_marketing"],
        }
        assert open_campaign(made.record, head()).choices_of(names) == found

    def test_a_decision_that_does_not_know_is_refused(self, made: Written) -> None:
        """Nothing of its part is stored, and it is told what stands; with that in the cases it is taken."""
        choose(made, 3)
        campaign = open_campaign(made.record, head())
        with pytest.raises(RowsRefused, match=r"1 subscribers chose otherwise .* \(rows 3\)") as refused:
            campaign.write(part(1, 4))
        assert entries(made, "campaign_chunk") == []
        assert list(campaign.folder.glob("*.parquet")) == [], "what is known before is told before anything is written"
        [(row, chosen)] = refused.value.choices.items()
        assert (row, chosen[0].choice) == (3, "no_marketing")
        campaign.write(part(1, 4, choices=refused.value.choices))
        assert read(made, campaign.decision_id(3)).case.choices == chosen  # type: ignore[union-attr]
        assert verified(made).genuine

    def test_one_that_knows_what_does_not_stand_is_refused(self, made: Written) -> None:
        """What was taken back does not bind."""
        choose(made, 3)
        chosen = made.record.read_now(lambda c: choices_of(made.database, made.keys, c, ["p-3"]))["p-3"]
        choose(made, 3, step=TAKEN_BACK)
        with pytest.raises(RowsRefused) as refused:
            open_campaign(made.record, head()).write(part(1, 4, choices={3: chosen}))
        assert refused.value.choices == {3: ()}

    @pytest.mark.parametrize("moment", ["file", "choices"])
    def test_what_is_chosen_while_the_part_is_written_binds(self, made: Written, moment: str) -> None:
        """It is looked for once more before the transaction that stores the part, and what came after that within it."""

        def chosen_meanwhile(done: str) -> None:
            if done == moment and not entries(made, "choice"):
                choose(made, 3)

        campaign = open_campaign(made.record, head(), step=chosen_meanwhile)
        with pytest.raises(RowsRefused) as refused:
            campaign.write(part(1, 4))
        assert list(refused.value.choices) == [3]
        campaign.write(part(1, 4, choices=refused.value.choices))
        campaign.close(Counts(4, 4, 0))
        assert len(list(campaign.folder.glob("*.parquet"))) == 1, "the file that never went on record is gone"
        assert verified(made).genuine

    def test_many_rows_are_told_by_the_first(self) -> None:
        """The message stays short."""
        chosen = {row: (Choice("no_marketing", None, "", ""),) for row in range(1, 9)}
        assert str(RowsRefused(chosen)).endswith("(rows 1, 2, 3, 4, 5 …)")


class TestErasing:
    def test_an_erased_persons_decision_stays_closed(self, made: Written) -> None:
        """Nobody reads it any more; it is proved as before, and the record verifies."""
        row = some_row()
        campaign, _ = run(made, SIZES)
        made.seal()
        before = made.record.read_now(lambda c: proof_of(c, campaign.decision_id(row)))
        erase(made.record, f"p-{row}", basis="asked", by="pia")
        verdict = verified(made)
        assert verdict.genuine, verdict.findings
        assert (verdict.opened, verdict.sealed_for_good, verdict.rows) == (DECIDED - 1, 1, DECIDED)
        found = read(made, campaign.decision_id(row))
        assert (found.state, found.case, found.leaf is not None) == ("erased", None, True)
        assert replay(found, Packs()).verdict == "erased"
        assert with_answer(found, Packs()) is found
        after = made.record.read_now(lambda c: proof_of(c, campaign.decision_id(row)))
        assert before is not None
        assert after is not None
        assert (after.row, after.envelope) == (before.row, before.envelope)
        whole = made.record.read_now(lambda c: dossier(c, made.keys, found, Packs(), "en"))
        assert (whole.state, whole.case, whole.answer) == ("erased", None, None)

    def test_who_comes_back_is_somebody_new(self, made: Written) -> None:
        """The next campaign knows them under another token; the decision before stays closed."""
        first, _ = run(made, SIZES)
        erase(made.record, "p-1", basis="asked", by="pia")
        second, _ = run(made, SIZES)
        assert read(made, first.decision_id(1)).state == "erased"
        assert read(made, second.decision_id(1)).state == "readable"
        assert verified(made).genuine

    def test_whoever_is_gone_without_a_word_is_found(self, made: Written) -> None:
        """A subject's row that was deleted past the record."""
        run(made, SIZES)
        lookup = lookup_of(made.keys, "p-1")
        with made.database.writing() as connection:
            connection.execute(delete(SubjectRow).where(col(SubjectRow.lookup) == lookup))
        assert "no entry says that the person was erased" in findings(made)


class TestOutcomes:
    def report(self, made: Written, campaign: Campaign, row: int, outcome: str = "sent") -> str:
        """Tell an outcome of the first action; the action."""
        found = made.record.read_now(lambda c: answerable(c, campaign.decision_id(row)))
        assert found is not None
        now, action = made.clock.ahead(seconds=1), found.body["offered"][0]["action"]
        told = Told(made.ids.new(now), now, found, OutcomeReport(action=action, outcome=outcome), Caller("engine", "campaign"))  # type: ignore[arg-type]
        made.record.write_now(outcome_entry(told, b"{}"))
        return action

    def test_an_outcome_is_told_of_it(self, made: Written) -> None:
        """As of any decision: it is a contact of the campaign, is told with the decision, and verifies."""
        row = some_row()
        campaign, _ = run(made, SIZES)
        action = self.report(made, campaign, row)
        self.report(made, campaign, row, "accepted")
        found = made.record.read_now(lambda c: answerable(c, campaign.decision_id(row)))
        assert found is not None
        assert found.told == {action: "accepted"}
        [contact] = made.record.read_now(lambda c: contacts_of(c, made.keys, f"p-{row}"))
        assert (contact.campaign, contact.action, contact.message) == ("spring", action, campaign.decision_id(row))
        whole = made.record.read_now(lambda c: dossier(c, made.keys, read(made, campaign.decision_id(row)), Packs(), "en"))
        assert [item.outcome for item in whole.outcomes] == ["sent", "accepted"]
        verdict = verified(made)
        assert verdict.genuine, verdict.findings
        assert made.record.read_now(lambda c: verify_entry(c, made.keys, campaign.decision_id(row))).genuine

    def test_a_contact_that_was_changed_is_found(self, made: Written) -> None:
        """It is held against the decision of the campaign."""
        campaign, _ = run(made, SIZES)
        self.report(made, campaign, some_row())
        with made.database.writing() as connection:
            connection.execute(update(ContactRow).values(campaign="autumn"))
        assert "contact row of decision" in findings(made)
        verdict = made.record.read_now(lambda c: verify_entry(c, made.keys, campaign.decision_id(some_row())))
        assert not verdict.genuine

    def test_it_is_rechecked_before_it_goes_out(self, made: Written) -> None:
        """What was sent does not go out again."""
        row = some_row()
        campaign, _ = run(made, SIZES)
        action = self.report(made, campaign, row)
        wanted = [Wanted(campaign.decision_id(row), action), Wanted(campaign.decision_id(2), action)]
        found = made.record.read_now(lambda c: recheck_all(c, made.keys, shipped(), wanted, made.clock(), "en", lambda *_: True))
        assert [item.cause for item in found] == ["told", "not_found"]

    def test_its_time_is_over_as_that_of_any(self, made: Written) -> None:
        """An action goes out until when its answer says; by another pack in force nothing is known of that."""
        campaign, _ = run(made, SIZES)
        row, until = next((row, until) for row in range(1, 13) if row not in (2, 9) for until in self.until(made, campaign, row))
        action = read(made, campaign.decision_id(row)).body["offered"][0]["action"]
        late = [Wanted(campaign.decision_id(row), action, contact_at=until + datetime.timedelta(minutes=1))]
        other = dataclasses.replace(shipped(), digest="sha256:other")
        for pack, expired in ((shipped(), True), (other, False)):
            made.clock.now = until
            [found] = made.record.read_now(lambda c, p=pack: recheck_all(c, made.keys, p, late, until, "en", lambda *_: True))  # type: ignore[misc]
            assert (found.cause == "expired") is expired

    def until(self, made: Written, campaign: Campaign, row: int) -> list[datetime.datetime]:
        """Until when the first action goes out."""
        answer = orjson.loads(with_answer(read(made, campaign.decision_id(row)), Packs()).answer or "{}")
        return [datetime.datetime.fromisoformat(item["valid_until"]) for item in answer["actions"][:1] if item["valid_until"]]

    def test_nothing_is_told_of_somebody_erased(self, made: Written) -> None:
        """The decision is there, and its subject is not."""
        row = some_row()
        campaign, _ = run(made, SIZES)
        erase(made.record, f"p-{row}", basis="asked", by="pia")
        found = made.record.read_now(lambda c: answerable(c, campaign.decision_id(row)))
        assert found is not None
        assert found.subject is None


def change_cell(campaign: Campaign, row: int, /, **cells: Any) -> None:
    """Write a file anew with other cells in a row, under the name it has."""
    for path in campaign.folder.glob("*.parquet"):
        frame = pl.read_parquet(path)
        if row in frame["row"]:
            changed = [
                pl.when(pl.col("row") == row).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in cells.items()
            ]
            frame.with_columns(changed).select(frame.columns).cast(frame.schema).write_parquet(path)  # type: ignore[arg-type]


def _envelope(campaign: Campaign, row: int) -> bytes:
    frame = pl.concat(map(pl.read_parquet, campaign.folder.glob("*.parquet")))
    found: bytes = frame.row(by_predicate=pl.col("row") == row, named=True)["envelope"]
    return found


class TestTampering:
    @pytest.fixture
    def made(self, sqlite_url: str, keys: Keys, tmp_path: Path) -> Iterator[Written]:
        """What is in files is the same with either database."""
        database = Database(sqlite_url, chunks=tmp_path / "chunks")
        with written(database, keys) as opened:
            yield opened
        database.dispose()

    def test_a_byte_that_was_changed_is_found(self, made: Written) -> None:
        """Wherever in a file it is: by verifying, and by reading, which does not look into the file."""
        campaign, _ = run(made, SIZES)
        path = sorted(campaign.folder.glob("*.parquet"))[0]
        content = path.read_bytes()
        for place in range(0, len(content), max(len(content) // 24, 1)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            assert "part 1 of the campaign" in findings(made)
            stored._leaves.cache_clear()
            with pytest.raises(DamagedEntry, match="is not the one that was recorded"):
                read(made, campaign.decision_id(1))
        path.write_bytes(content)
        assert findings(made) == ""
        assert read(made, campaign.decision_id(1)).state == "readable"

    def test_a_torn_file_is_found(self, made: Written) -> None:
        """By verifying and by reading, without anything else going wrong."""
        campaign, _ = run(made, SIZES)
        path = sorted(campaign.folder.glob("*.parquet"))[0]
        content = path.read_bytes()
        for kept in (0, 3, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:kept])
            assert "part 1 of the campaign" in findings(made)
            stored._leaves.cache_clear()
            with pytest.raises(DamagedEntry):
                read(made, campaign.decision_id(1))
            assert read(made, campaign.decision_id(12)).state == "readable"

    def test_a_file_that_is_missing_is_found(self, made: Written) -> None:
        """Each of its decisions is told to be damaged, not to be unknown."""
        campaign, _ = run(made, SIZES)
        sorted(campaign.folder.glob("*.parquet"))[0].unlink()
        assert "cannot be read: No such file" in findings(made)
        stored._leaves.cache_clear()
        with pytest.raises(DamagedEntry, match="cannot be read"):
            read(made, campaign.decision_id(1))
        verdict = made.record.read_now(lambda c: verify_entry(c, made.keys, campaign.decision_id(1)))
        assert [finding.what for finding in verdict.findings] == ["chunk"]

    @pytest.mark.parametrize(
        ("cells", "says"),
        [
            ({"phase": "rescue!"}, "what it is searched by is not what its envelope says"),
            ({"subject": "0" * 32}, "its columns say something else than its envelope"),
            ({"private": b"0" * 80}, "the private payload was changed"),
            ({"leaf": b"0" * 32}, "its leaf is not that of its envelope"),
            ({"envelope": b"{}"}, "its columns say something else than its envelope"),
            ({"envelope": b"[]"}, "its envelope is not what this program writes"),
            ({"row": 40}, "its columns say something else than its envelope"),
        ],
    )
    def test_a_row_that_was_changed_is_named(self, made: Written, cells: dict[str, Any], says: str) -> None:
        """Even in a file that was written anew; the row's number is told."""
        campaign, _ = run(made, SIZES)
        change_cell(campaign, 3, **cells)
        told = findings(made)
        assert f"row {cells.get('row', 3)}: {says}" in told
        assert "its file is not the one that was recorded" in told
        stored._leaves.cache_clear()
        with pytest.raises(DamagedEntry):
            read(made, campaign.decision_id(3))

    def test_a_forged_row_with_its_leaf_is_found(self, made: Written) -> None:
        """Whoever changes envelope and leaf has another root than the part's entry names."""
        campaign, _ = run(made, SIZES)
        forged = (
            _envelope(campaign, 3)
            .replace(b'"personalised":true', b'"personalised":null')
            .replace(b'"campaign":"spring"', b'"campaign":"winter"')
        )
        change_cell(campaign, 3, envelope=forged, leaf=leaf_hash(forged))
        assert "its decisions are not those that were recorded" in findings(made)
        stored._leaves.cache_clear()
        with pytest.raises(DamagedEntry, match="is not the one that was recorded"):
            read(made, campaign.decision_id(1))

    def test_rows_out_of_their_place_are_found(self, made: Written) -> None:
        """Put in twice, left out, or in another order."""
        campaign, _ = run(made, SIZES)
        path = sorted(campaign.folder.glob("*.parquet"))[0]
        frame = pl.read_parquet(path)
        for other in (pl.concat([frame, frame[:1]]), frame[1:], frame.reverse()):
            other.write_parquet(path)
            assert "its decisions are not those that were recorded" in findings(made)

    def test_other_columns_are_found(self, made: Written) -> None:
        """A Parquet file, and not ours."""
        campaign, _ = run(made, SIZES)
        pl.DataFrame({"row": [1]}).write_parquet(sorted(campaign.folder.glob("*.parquet"))[0])
        assert "has other columns than were written" in findings(made)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (update(CampaignRow).values(name="autumn"), "campaign row"),
            (update(CampaignRow).values(state="open"), "campaign row"),
            (delete(CampaignRow), "it is missing"),
            (update(CampaignChunkRow).where(col(CampaignChunkRow.number) == 1).values(last_row=6), "campaign_chunk row"),
            (delete(CampaignChunkRow).where(col(CampaignChunkRow.number) == 1), "it has 2 parts, and 1 are there"),
        ],
    )
    def test_rows_of_the_store_are_held_against_their_entries(self, made: Written, change: Any, says: str) -> None:
        """A campaign's row, or one by which a part is found, that was changed or taken away."""
        run(made, SIZES)
        with made.database.writing() as connection:
            connection.execute(change)
        assert says in findings(made)

    def test_rows_that_were_put_in_are_found(self, made: Written) -> None:
        """Campaigns and parts that nobody wrote."""
        run(made, SIZES)
        row = {"campaign": "x", "number": 9, "entry_id": "y", "first_row": 1, "last_row": 2, "file": "sha256:0"}
        with made.database.writing() as connection:
            made.database.insert(connection, CampaignChunkRow, [row])
            made.database.insert(connection, CampaignRow, [{"id": "x", "name": "n", "at": "t", "state": "open"}])
        told = findings(made)
        assert "no entry opened it" in told
        assert "there is no such part of a campaign" in told

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"decided": 9}, "something else of `decided`"),
            ({"recorded": 9}, "something else of `recorded`"),
            ({"root": "sha256:0"}, "something else of `root`"),
        ],
    )
    def test_a_closing_that_does_not_add_up_is_found(
        self, made: Written, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], says: str
    ) -> None:
        """What it says is worked out again from the parts."""
        written_now = made.record.write_now

        def lie(entry: Any, **options: Any) -> Any:
            return written_now(dataclasses.replace(entry, body={**entry.body, **change}) if "recorded" in entry.body else entry, **options)

        monkeypatch.setattr(made.record, "write_now", lie)
        run(made, SIZES)
        assert says in findings(made)

    @pytest.mark.parametrize(("change", "says"), [({"read": 8}, "do not add up"), ({"root": 5}, "does not say what the part is")])
    def test_a_part_that_does_not_add_up_is_found(
        self, made: Written, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], says: str
    ) -> None:
        """What its entry says is worked out again from its rows."""
        written_now = made.record.write_now

        def lie(entry: Any, **options: Any) -> Any:
            return written_now(dataclasses.replace(entry, body={**entry.body, **change}) if "file" in entry.body else entry, **options)

        monkeypatch.setattr(made.record, "write_now", lie)
        campaign, _ = run(made, SIZES, close=False)
        assert says in findings(made)
        if "root" in change:
            with pytest.raises(DamagedEntry, match="says something else"):
                read(made, campaign.decision_id(1))

    def test_a_row_that_leads_to_another_entry_is_no_part(self, made: Written) -> None:
        """Rows find; entries tell."""
        campaign, _ = run(made, SIZES)
        other, _ = run(made, SIZES)
        with made.database.writing() as connection:
            theirs = select(col(CampaignChunkRow.entry_id)).where(
                col(CampaignChunkRow.campaign) == other.id, col(CampaignChunkRow.number) == 1
            )
            entry_id = connection.execute(theirs).scalar_one()
            connection.execute(delete(CampaignChunkRow).where(col(CampaignChunkRow.entry_id) == entry_id))
            mine = (col(CampaignChunkRow.campaign) == campaign.id, col(CampaignChunkRow.number) == 1)
            connection.execute(update(CampaignChunkRow).where(*mine).values(entry_id=entry_id))
        with pytest.raises(DamagedEntry, match="is not that of a part of the campaign"):
            read(made, campaign.decision_id(1))


def looked_at(place: Path) -> tuple[list[str], list[str]]:
    """What the verifier of bundles finds, and what it tells."""
    check = verifier.Check(verifier.Folder(str(place)), [], [])
    with contextlib.suppress(verifier.Wrong):
        check.run()
    return check.findings, check.told


class TestBundles:
    @pytest.fixture
    def made(self, sqlite_url: str, keys: Keys, tmp_path: Path) -> Iterator[Written]:
        """What is in files is the same with either database."""
        database = Database(sqlite_url, chunks=tmp_path / "chunks")
        with written(database, keys) as opened:
            yield opened
        database.dispose()

    def test_one_decision_is_proved_offline(self, made: Written, tmp_path: Path) -> None:
        """Its record, its path to the part's root, and the part's leaf; opened for whom that is asked."""
        row = some_row()
        campaign, _ = run(made, SIZES)
        TestOutcomes().report(made, campaign, row)
        made.seal()
        asked = AskedFor(decisions=(campaign.decision_id(row),), opened=(f"p-{row}",))
        exported = share(made.record, asked, tmp_path / "bundle", caller="ann", role="compliance")
        assert (exported.rows, exported.records, exported.opened) == (1, 2, 2)
        found, told = looked_at(tmp_path / "bundle")
        assert found == []
        assert "1 decision of campaigns in the parts that the records name, 1 of them opened" in told
        line = (tmp_path / "bundle" / "rows.ndjson").read_bytes()
        assert orjson.loads(orjson.loads(line)["opened"]["committed"])["subscriber"]["id"] == f"p-{row}"

    @pytest.mark.parametrize(
        ("change", "says"),
        {
            "envelope": (lambda row: {"envelope": row["envelope"].replace("spring", "winter")}, "it or its path was changed"),
            "position": (lambda row: {"position": row["position"] + 1}, "it or its path was changed"),
            "no position": (lambda _: {"position": -1}, "it or its path was changed"),
            "a shorter path": (lambda row: {"path": row["path"][1:]}, "it or its path was changed"),
            "a longer path": (lambda row: {"path": row["path"] * 2}, "it or its path was changed"),
            "ciphertext": (lambda _: {"ciphertext": "AAAA"}, "the private payload was changed"),
            "what was opened": (lambda row: {"opened": {**row["opened"], "committed": "{}"}}, "what was opened is not what was sealed"),
            "another part": (lambda _: {"chunk": "another"}, "no record here is that of its part"),
        }.values(),
        ids=range(8),
    )
    def test_a_row_of_a_bundle_that_was_changed_is_found(
        self, made: Written, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], says: str
    ) -> None:
        """By its own proof, beside that of the list of contents."""
        row = some_row()
        campaign, _ = run(made, SIZES)
        made.seal()
        asked = AskedFor(decisions=(campaign.decision_id(row),), opened=(f"p-{row}",))
        share(made.record, asked, tmp_path / "bundle", caller="ann", role="compliance")
        file = tmp_path / "bundle" / "rows.ndjson"
        told = orjson.loads(file.read_bytes())
        file.write_bytes(orjson.dumps(told | change(told)) + b"\n")
        assert any(says in finding for finding in looked_at(tmp_path / "bundle")[0])

    def test_a_bundle_of_the_log_has_the_files(self, made: Written, tmp_path: Path) -> None:
        """Each is the one that its record names; one that was changed is not."""
        run(made, SIZES)
        made.seal()
        share(made.record, AskedFor(), tmp_path / "bundle", caller="ann", role="compliance")
        found, told = looked_at(tmp_path / "bundle")
        assert found == []
        assert "2 parts of campaigns, each the file that its record names" in told
        file = next((tmp_path / "bundle" / "chunks").glob("*/*.parquet"))
        file.write_bytes(file.read_bytes() + b"\0")
        assert any("it is not the file that the record" in finding for finding in looked_at(tmp_path / "bundle")[0])

    def test_a_bundle_needs_the_files(self, made: Written, tmp_path: Path) -> None:
        """One that is missing is told."""
        campaign, _ = run(made, SIZES)
        made.seal()
        sorted(campaign.folder.glob("*.parquet"))[0].unlink()
        with pytest.raises(DamagedEntry, match="cannot be read"):
            share(made.record, AskedFor(), tmp_path / "bundle", caller="ann", role="compliance")

    def test_a_complaint_about_one_is_answered(self, made: Written, tmp_path: Path) -> None:
        """With the letter, all there is to it, and the proof."""
        row = some_row()
        campaign, _ = run(made, SIZES)
        made.seal()
        out, ids = tmp_path / "bundle", [campaign.decision_id(row)]
        made.record.read_now(lambda c: answer_complaint(c, made.keys, Packs(), ids, out, made.clock(), "en"))
        assert looked_at(out)[0] == []
        assert (out / "dossiers" / f"{ids[0]}.json").exists()
        assert (out / "answer.md").read_text("utf-8").strip()

    def test_its_pack_is_in_the_bundle(self, made: Written, tmp_path: Path) -> None:
        """What decided the rows of a part is there to be read."""
        made.publish()
        run(made, SIZES)
        made.seal()
        exported = share(made.record, AskedFor(), tmp_path / "bundle", caller="ann", role="compliance")
        assert exported.packs == {shipped().digest}
        assert looked_at(tmp_path / "bundle")[0] == []


class TestRetention:
    OLD = datetime.datetime(2023, 9, 20, tzinfo=datetime.UTC)

    @pytest.fixture
    def old(self, made: Written) -> Campaign:
        """A campaign of three years ago, about twelve people, of whom two are in one of today, and one is held."""
        if not made.database.is_sqlite:
            with made.database.writing() as connection:
                partition_entries(connection, self.OLD)
        made.clock.now = self.OLD
        campaign, _ = run(made, SIZES)
        made.seal()
        made.clock.now = NOW
        now = open_campaign(made.record, head(name="autumn"))
        now.write(part(1, 3, rejected=[2], name="autumn"))
        now.close(Counts(3, 2, 1))
        made.seal()
        return campaign

    def test_an_old_campaign_goes_with_its_month(self, made: Written, old: Campaign, tmp_path: Path) -> None:
        """Its parts, their files and whoever is known by nothing else; that it was, and how many it decided about, stays."""
        [month] = made.record.read_now(lambda c: old_months(c, NOW, 3))
        archive(made.record, month.month, years=3, by="pia", folder=tmp_path / "archive")
        assert list(old.folder.glob("*.parquet")) == []
        verdict = verified(made)
        assert verdict.genuine, verdict.findings
        assert verdict.rows == 2
        assert made.record.read_now(lambda c: read_entry(c, made.keys, old.decision_id(1))) is None
        assert [item["body"]["campaign"] for item in entries(made, "campaign_closed")] == ["spring", "autumn"]
        with made.database.reading() as connection:
            assert len(connection.execute(select(SubjectRow)).all()) == 2, "those of today's campaign are known still"
        archived = verifier.Check(verifier.Archive(str(tmp_path / "archive" / f"wanliu-{month.month}.zip")), [], [])
        archived.run()
        archived.bundle.close()
        assert archived.findings == []
        assert any("2 parts of campaigns" in line for line in archived.told)

    def test_a_part_about_somebody_held_stays(self, made: Written, old: Campaign) -> None:
        """With its file; the other part goes."""
        hold(made.record, "p-12", reason="court", by="lea")
        made.seal()
        archive(made.record, "2023-09", years=3, by="pia")
        verdict = verified(made)
        assert verdict.genuine, verdict.findings
        assert verdict.rows == 4 + 2
        assert read(made, old.decision_id(12)).state == "readable"
        assert made.record.read_now(lambda c: read_entry(c, made.keys, old.decision_id(1))) is None

    def test_files_left_over_are_removed_with_the_next_month(self, made: Written, old: Campaign) -> None:
        """Broken off after the entries went, it may be run again."""
        files = {path: path.read_bytes() for path in old.folder.glob("*.parquet")}
        archive(made.record, "2023-09", years=3, by="pia")
        for path, content in files.items():
            path.write_bytes(content)
        archive(made.record, "2023-09", years=3, by="pia")
        assert list(old.folder.glob("*.parquet")) == []


class TestBodies:
    """What envelopes say, made from columns."""

    @staticmethod
    def facts(decided: Any, *, all_of: bool = True) -> Any:
        """The facts that bodies tell, of some of whom they are not known."""
        cases = [case for case, _ in decided]
        accounts = [case.subscriber.account for case in cases]
        columns = {
            "i": pl.Series(range(len(cases)), dtype=pl.UInt32),
            "request.channel": [case.channel for case in cases],
            "request.direction": [case.direction for case in cases],
            "request.reason": [case.reason for case in cases],
            "account.test_number": [account and account.test_number for account in accounts],
        }
        return SimpleNamespace(facts=pl.DataFrame(columns if all_of else {"i": columns["i"]}))

    def test_they_are_those_of_one_decision_at_a_time(self) -> None:
        """To the byte, whatever was decided: lists, tariffs, fallbacks, refused personalisation, causes in several gates, test lines."""
        decided = [*decisions(5, 400)]
        at, (case, decision) = next((at, one) for at, one in enumerate(decided) if one[1].ranked)
        stood_in = (decision.ranked[0]._replace(fallback_for="thank_you"), *decision.ranked[1:])
        decided[at] = (case, dataclasses.replace(decision, ranked=stood_in))
        made = Bodies(head(), shipped()).of(self.facts(decided), frames(shipped(), decided), {})
        assert made.to_list() == [body_of(head(), shipped(), case, decision) for case, decision in decided]
        told = [orjson.loads(body) for body in made]
        assert {"tariff", "fallback_for", "opens"} <= {name for body in told for item in body["offered"] for name in item}
        assert any(body.get("test_line") for body in told)
        assert {body["personalised"] for body in told} == {True, False}
        assert any("direction" not in body for body in told)

    def test_who_was_decided_alone_is_told_so(self) -> None:
        """Their own case and decision count, whatever stands in the columns."""
        decided, others = decisions(5, 20), decisions(6, 20)
        single = SimpleNamespace(case=others[3][0], decision=others[3][1])
        made = Bodies(head(), shipped()).of(self.facts(decided), frames(shipped(), decided), {3: single})
        assert made[3] == body_of(head(), shipped(), *others[3])
        assert made[4] == body_of(head(), shipped(), *decided[4])

    def test_facts_that_nobody_has_are_left_out(self) -> None:
        """The channel is that of the campaign then."""
        decided = decisions(5, 5)
        made = Bodies(head(), shipped()).of(self.facts(decided, all_of=False), frames(shipped(), decided), {})
        assert not any({"direction", "reason", "test_line"} & orjson.loads(body).keys() for body in made)
        assert {orjson.loads(body)["channel"] for body in made} == {"call_centre"}

    def test_a_clause_of_several_gates(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where a clause of one name is unknown in two gates, actions come one gate after the other, as they do one at a time."""
        decided = decisions(5, 300)
        frame = frames(shipped(), decided)
        bodies = Bodies(head(), shipped())
        bodies.of(self.facts(decided), frame, {})
        told = bodies._told
        assert told is not None
        swift = [told.text(codes) for codes in frame.outcomes.select(told.actions).iter_rows()]
        monkeypatch.setattr(told, "_swift", [[kept and (None, "") for kept in table] for table in told._swift])
        assert [told.text(codes) for codes in frame.outcomes.select(told.actions).iter_rows()] == swift

    def test_not_too_many_are_kept_in_mind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was told before is worked out again."""
        monkeypatch.setattr("app.record.campaigns.bodies._MOST_KEPT", 1)
        decided = decisions(5, 30)
        bodies = Bodies(head(), shipped())
        first = bodies.of(self.facts(decided), frames(shipped(), decided), {})
        assert bodies.of(self.facts(decided), frames(shipped(), decided), {}).equals(first)

    def test_what_stands_beside_is_told(self) -> None:
        """What became of an action within the limits of the campaign, say."""
        case, decision = decisions(5, 1)[0]
        told = orjson.loads(body_of(head(), shipped(), case, decision, {"held": {"action": "budget"}, "none": None}))
        assert told["held"] == {"action": "budget"}
        assert "none" not in told


class TestParts:
    @pytest.mark.parametrize(
        ("given", "place"),
        [
            ({"database_url": "sqlite:////srv/store/w.db"}, "/srv/store/wanliu.chunks"),
            ({"database_url": "postgresql://db.example/w"}, "wanliu.chunks"),
            ({"database_url": "sqlite:////srv/store/w.db", "chunk_dir": Path("/srv/chunks")}, "/srv/chunks"),
        ],
    )
    def test_where_files_are(self, given: dict[str, Any], place: str) -> None:
        """Beside the SQLite file, or where the service starts, unless the setting says where; a connection knows."""
        settings = Settings(**given)
        assert settings.chunk_folder == Path(place)
        database = Database(settings.database_url, chunks=settings.chunk_dir)
        assert database.chunks == Path(place)
        database.dispose()

    def test_cases_are_sealed_as_any_payload(self, keys: Keys) -> None:
        """What seals many is opened, and committed to, as what one seals."""
        cases = [canonical({"n": number, "x": "y" * number}) for number in range(5)]
        subjects = new_subjects(keys, 5)
        many = seal_cases([one.key for one in subjects], cases, [b"id"] * 5, range(5))
        for number, (case, subject, sealed) in enumerate(zip(cases, subjects, many, strict=True)):
            opened = open_private(subject.key, sealed.ciphertext, b"id")
            assert canonical(opened["case"]) == case
            assert commitment_of(opened) == sealed.commitment
            assert set(opened) - {"conceded"} == {"case", "salt"}
            assert opened.get("conceded", 0) == number

    def test_each_case_has_a_salt_and_a_nonce_of_its_own(self, keys: Keys) -> None:
        """What is drawn for all of them at once is given to each in its turn, and no byte of it twice."""
        subject = new_subjects(keys, 1)[0]
        sealed = list(seal_cases([subject.key] * 9, [b"{}"] * 9, [b"id"] * 9, [0] * 9))
        salts = [bytes.fromhex(open_private(subject.key, one.ciphertext, b"id")["salt"]) for one in sealed]
        nonces = [one.ciphertext[:12] for one in sealed]
        assert {len(salt) for salt in salts} == {32}
        assert len(set(salts)) == len(set(nonces)) == len({one.commitment for one in sealed}) == 9
        drawn = b"".join(salt + nonce for salt, nonce in zip(salts, nonces, strict=True))
        assert len({drawn[at : at + 6] for at in range(len(drawn) - 5)}) == len(drawn) - 5

    def test_rows_that_are_sealed_some_at_a_time_are_one_part(self, made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
        """In their order, each with its own case under its own key; the leaves come to the root of the part."""
        monkeypatch.setattr("app.record.campaigns.sealing._TOGETHER", 3)
        given = dataclasses.replace(part(1, 8, rejected=[2]), conceded=range(1, 8))
        campaign = open_campaign(made.record, head())
        chunk = campaign.write(given)
        frame = files.read_columns(campaign.folder / files.name_of(1, chunk.file), chunk.file, ["row", "id", "stage", "private"])
        assert frame["row"].to_list() == [1, 3, 4, 5, 6, 7, 8]
        assert frame["stage"].to_list() == given.plain["stage"].to_list()
        subjects = campaign.subjects_of(given.subscribers)
        for place, (row, (_, decision_id, _, private)) in enumerate(zip(given.rows, frame.rows(), strict=True)):
            assert decision_id == campaign.decision_id(row)
            opened = open_private(subjects[place].key, private, decision_id.encode())
            assert (canonical(opened["case"]), opened["conceded"]) == (given.cases[place], place + 1)
        campaign.close(Counts(8, 7, 1))
        assert verified(made).genuine

    def test_many_subjects_are_as_one(self, keys: Keys) -> None:
        """Tokens and keys of their own, wrapped as any; nothing of them is shown."""
        made = new_subjects(keys, 50)
        assert len({one.token for one in made}) == len({one.key for one in made}) == 50
        for one in made:
            assert len(one.token) == 32
            assert unwrap(keys, one.wrapped, one.wrapped_with) == one.key
            assert one.key.hex() not in repr(one)
        assert new_subjects(keys, 0) == []
        assert made[0].token[:8] != new_subjects(keys, 1)[0].token[:8]
