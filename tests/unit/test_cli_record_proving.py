"""`wanliu record verify`, `export`, `erase`, `hold`, `retention`, `access`, `complaint` and `wanliu keys`, as a person types them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.record.keys import load_keys
from app.record.log import tree
from app.record.log.cosigning import WitnessKey
from app.record.log.notes import read_checkpoint
from app.record.log.sealer import Sealer
from app.record.log.witness_client import WitnessUnreachable
from app.record.store.record import Record
from tests.databases import migrated, using
from tests.logs import Book, Clock

pytestmark = pytest.mark.unit

Run = Callable[..., Result]


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    """A record of 21 leaves with keys of its own, that the environment names."""
    monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path}/wanliu.db")
    monkeypatch.setenv("WANLIU_PACK", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    migrated(f"sqlite:///{tmp_path}/wanliu.db")
    with using(f"sqlite:///{tmp_path}/wanliu.db") as database:
        book = Book(database, load_keys(tmp_path / "wanliu.keys", None))
        for number in range(20):
            book.decide(f"s-{number % 4}")
        book.seal()
        yield book


@pytest.fixture
def run(book: Book) -> Run:
    """Runs the command line."""

    def call(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return call


def tamper(tmp_path: Path, statement: str) -> None:
    with sqlite3.connect(tmp_path / "wanliu.db") as connection:
        connection.execute(statement)
    connection.close()


def checkpoint_file(book: Book, place: Path) -> str:
    with book.database.reading() as connection:
        newest = tree.checkpoint(connection)
    assert newest is not None
    place.write_text(newest.note, "utf-8")
    return str(place)


class TestVerify:
    """`wanliu record verify`."""

    def test_a_clean_record(self, run: Run) -> None:
        """Says what was read, and that nothing is wrong."""
        told = run("record", "verify", "--open").output
        assert "21 leaves, 21 records, 1 checkpoint, 2 writers" in told
        assert "20 private payloads opened" in told
        assert "Nothing was changed, added, taken away or moved." in told

    def test_the_first_bad_leaf_is_named(self, run: Run, tmp_path: Path) -> None:
        """With what is wrong in plain words, and exit code 1."""
        tamper(tmp_path, "UPDATE entry SET private = x'00' WHERE id = (SELECT entry_id FROM leaf WHERE leaf_index = 7)")
        told = run("record", "verify", code=1).output
        assert "leaf 7: the private payload was changed" in told
        assert "NOT GENUINE; the first bad leaf is 7" in told

    def test_as_json(self, run: Run, tmp_path: Path) -> None:
        """The verdict for programs."""
        assert json.loads(run("record", "verify", "--json").output)["genuine"] is True
        tamper(tmp_path, "DELETE FROM leaf WHERE leaf_index = 3")
        found = json.loads(run("record", "verify", "--json", code=1).output)
        assert [(finding["what"], finding["leaf"]) for finding in found["findings"]] == [("leaf", 3)]

    def test_since(self, run: Run, book: Book, tmp_path: Path) -> None:
        """From a number of leaves, a date, or a checkpoint that was kept in a file."""
        assert "leaves 5 to 21" in run("record", "verify", "--since", "5").output
        assert "leaves 21 to 21" in run("record", "verify", "--since", "2027-01-01").output
        assert (
            "1 checkpoint compared that was kept elsewhere"
            in run("record", "verify", "--since", checkpoint_file(book, tmp_path / "kept.txt")).output
        )
        assert "the log has 21 leaves, not 99" in run("record", "verify", "--since", "99", code=1).output
        assert "no checkpoint is as old" in run("record", "verify", "--since", "2020-01-01", code=1).output
        assert "`soon` is no date" in run("record", "verify", "--since", "soon", code=1).output

    def test_against_what_a_witness_has_seen(self, run: Run, book: Book, tmp_path: Path) -> None:
        """From a file; a log that was rolled back is told."""
        kept = checkpoint_file(book, tmp_path / "kept.txt")
        assert "1 checkpoint compared that was kept elsewhere" in run("record", "verify", "--witness", kept).output
        for statement in (
            "DELETE FROM leaf",
            "DELETE FROM subject_leaf",
            "DELETE FROM entry",
            "DELETE FROM tile",
            "DELETE FROM checkpoint",
            "UPDATE tree SET size = 0, heartbeat = '', heartbeats = 0",
        ):
            tamper(tmp_path, statement)
        assert "Nothing was changed" in run("record", "verify").output
        assert "it was rolled back" in run("record", "verify", "--witness", kept, code=1).output
        (tmp_path / "other.txt").write_text("no checkpoint", "utf-8")
        assert "holds no checkpoint of this log" in run("record", "verify", "--witness", str(tmp_path / "other.txt"), code=1).output
        assert "cannot read" in run("record", "verify", "--witness", str(tmp_path / "nothing"), code=1).output
        assert "WANLIU_WITNESS_KEY" in run("record", "verify", "--witness", "https://witness.example", code=1).output

    def test_a_row_that_was_forged(self, run: Run, tmp_path: Path) -> None:
        """What the service obeys by its rows is held against the entries; the exit code says so."""
        tamper(tmp_path, "UPDATE subject SET hold = 'x'")
        told = run("record", "verify", code=1).output
        assert "no entry says that there is a legal hold" in told
        assert "NOT GENUINE" in told

    def test_a_witness_that_is_asked(self, run: Run, book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its newest checkpoint is compared; one that has not seen the log, or is away, is told."""
        note: str | None = Path(checkpoint_file(book, tmp_path / "kept.txt")).read_text("utf-8")
        key = WitnessKey("witness.example", bytes(range(32)))

        class Witness:
            def __init__(self, url: str, known: WitnessKey) -> None:
                assert (url, known) == ("https://witness.example", key)

            def latest(self, origin: str) -> str | None:
                assert origin == book.keys.origin
                if note == "":
                    raise WitnessUnreachable("the witness does not answer: ConnectError")
                return note

            def close(self) -> None: ...

        monkeypatch.setattr("app.record.log.witness_client.WitnessClient", Witness)
        monkeypatch.setenv("WANLIU_WITNESS_KEY", key.text())
        command = ("record", "verify", "--witness", "https://witness.example")
        assert "1 checkpoint compared that was kept elsewhere" in run(*command).output
        note = None
        assert "the witness has not seen this log" in run(*command, code=1).output
        note = ""
        assert "does not answer" in run(*command, code=1).output
        monkeypatch.setenv("WANLIU_WITNESS_KEY", "no key")
        assert "--witness: " in run(*command, code=1).output

    def test_one_decision(self, run: Run, book: Book, tmp_path: Path) -> None:
        """By its proof."""
        entry_id = book.decide("s-1")
        assert "1 waiting to be sealed" in run("record", "verify", "--decision", entry_id).output
        book.seal()
        assert "The record is the one that was sealed." in run("record", "verify", "--decision", entry_id, "--open").output
        assert "no entry of this id" in run("record", "verify", "--decision", "x", code=1).output
        tamper(tmp_path, f"UPDATE entry SET kind = 'read' WHERE id = '{entry_id}'")  # noqa: S608
        assert "leaf 21: the column `kind`" in run("record", "verify", "--decision", entry_id, code=1).output

    def test_a_record_that_is_not_there(self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Nothing is made: an empty record would verify."""
        monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path}/other.db")
        assert "there is no record at" in run("record", "verify", code=1).output
        assert not (tmp_path / "other.db").exists()
        monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path}/wanliu.db")
        monkeypatch.setenv("WANLIU_KEY_FILE", str(tmp_path / "other.keys"))
        assert "there are no keys at" in run("record", "verify", code=1).output
        assert not (tmp_path / "other.keys").exists()


class TestExport:
    """`wanliu record export`."""

    def test_a_bundle_that_checks_itself(self, run: Run, tmp_path: Path) -> None:
        """The command says how to check it; the export is on the record."""
        told = run("record", "export", str(tmp_path / "made"), "--open", "s-1", "--parquet", "--by", "rex").output
        assert "22 records, 5 opened, proven in a log of 22 leaves" in told
        command = told.splitlines()[-1].partition(": ")[2].split()
        done = subprocess.run([sys.executable, *command[1:]], capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[-1].startswith("GENUINE"), done.stdout
        run("record", "export", str(tmp_path / "again.zip"))
        kinds = [json.loads(line)["kind"] for line in (tmp_path / "made" / "records.ndjson").read_text("utf-8").splitlines()]
        assert kinds.count("decision") == 20
        assert "is there already" in run("record", "export", str(tmp_path / "made"), code=1).output

    def test_a_pack_whose_files_were_changed_is_told(self, run: Run, book: Book, tmp_path: Path) -> None:
        """In one line, and nothing is left behind."""
        book.shelve()
        tamper(tmp_path, "UPDATE pack SET files = x'00'")
        told = run("record", "export", str(tmp_path / "made"), code=1).output
        assert "are not those that were published" in told
        assert len(told.strip().splitlines()) == 1
        assert not (tmp_path / "made").exists()

    def test_what_cannot_be_exported(self, run: Run, tmp_path: Path) -> None:
        """Both kinds of choice at once, somebody unknown, nothing at all."""
        out = str(tmp_path / "made")
        assert "leave --from and --to out" in run("record", "export", out, "--decision", "x", "--from", "2026-01-01", code=1).output
        assert "nobody on record has this id" in run("record", "export", out, "--open", "s-nobody", code=1).output
        assert "nothing of this is in the log" in run("record", "export", out, "--to", "2020-01-01", code=1).output
        span = ("--from", "2026-11-22", "--to", "2026-11-01")
        assert "--to: expected a time after --from" in run("record", "export", out, *span, code=1).output
        assert not Path(out).exists()


class TestPersons:
    """Erasure, hold, access, complaint."""

    def test_erase(self, run: Run) -> None:
        """The record verifies afterwards; a second time nobody is found."""
        told = run("record", "erase", "s-1", "--basis", "request of the person", "--by", "pia").output
        assert told.startswith("Erased: the person's key and token, 5 places in the search index. On record as ")
        assert "docs/record.md" in told
        assert "5 of erased persons stay closed" in run("record", "verify", "--open").output
        assert "nobody on record has this id" in run("record", "erase", "s-1", "--basis", "request", code=1).output
        assert "basis: names the subscriber" in run("record", "erase", "s-2", "--basis", "request of s-2", code=1).output
        assert "overwritten" in run("record", "scrub").output

    def test_hold_and_release(self, run: Run) -> None:
        """A held subscriber is not erased, and the reason is told."""
        assert "On record as" in run("record", "hold", "s-1", "--reason", "court file 12", "--by", "lea").output
        told = run("record", "erase", "s-1", "--basis", "request", code=1).output
        assert "legal hold" in told
        assert "set by lea: court file 12" in told
        run("record", "release", "s-1", "--by", "lea")
        assert "no legal hold" in run("record", "release", "s-1", code=1).output
        assert "reason: expected" in run("record", "hold", "s-1", "--reason", " ", code=1).output

    def test_nobody_is_held_by_a_slip(self, run: Run) -> None:
        """A mistyped id would look held, and leave the person erasable."""
        for _ in range(2):
            told = run("record", "hold", "s-l", "--reason", "court file 12", code=1).output
            assert "nobody on record has this id: never met, or erased" in told

    def test_access(self, run: Run, book: Book) -> None:
        """Everything, for a person to read or as JSON; somebody unknown has nothing."""
        book.publish()
        told = run("record", "access", "s-1", "--locale", "en").output
        assert "Known since" in told
        assert "The rules that decided cannot be run by this version" in told
        found = json.loads(run("record", "access", "s-1", "--json").output)
        assert len(found["decisions"]) == 5
        assert [other["kind"] for other in found["others"]] == ["read", "read"]
        assert "nobody on record has this id" in run("record", "access", "s-9", code=1).output

    def test_complaint(self, run: Run, tmp_path: Path) -> None:
        """An answer file that verifies."""
        with sqlite3.connect(tmp_path / "wanliu.db") as connection:
            decision = connection.execute("SELECT entry_id FROM leaf WHERE leaf_index = 4").fetchone()[0]
        connection.close()
        assert "1 record with what it rests on" in run("record", "complaint", decision, "--out", str(tmp_path / "answer")).output
        assert decision in (tmp_path / "answer" / "answer.md").read_text("utf-8")
        assert "has no decision" in run("record", "complaint", "x", "--out", str(tmp_path / "other"), code=1).output


def test_retention_lists_and_says_when_there_is_nothing(run: Run, book: Book) -> None:
    """Three years under the law of the packs that were published."""
    book.publish()
    told = run("record", "retention").output
    assert "kept for 3 years (cn)" in told
    assert "No month is older." in told
    assert json.loads(run("record", "retention", "--json", "--jurisdiction", "eu").output) == {
        "jurisdictions": ["eu"],
        "years": 3,
        "months": [],
    }


@pytest.mark.parametrize(("given", "hint"), [("xx", ""), ("cnn", "; did you mean `cn`?"), ("EU", "")])
def test_retention_knows_four_laws(run: Run, given: str, hint: str) -> None:
    """A law that nobody looked up would be three years by accident."""
    told = run("record", "retention", "--jurisdiction", given, code=1).output
    assert f"--jurisdiction: expected one of cn, eu, uk, us{hint}" in told


def test_retention_archives(run: Run, book: Book, tmp_path: Path) -> None:
    """With --apply, old months go into bundles."""
    old = Book(book.database, book.keys, "w-2")
    old.now = old.now.replace(year=2022)
    old.decide("s-1")
    old.seal()
    assert "2022-11" in run("record", "retention").output
    assert (
        "2022-11: 1 entries archived, 0 kept"
        in run("record", "retention", "--apply", "--archive", str(tmp_path / "old"), "--by", "pia").output
    )
    assert (tmp_path / "old" / "wanliu-2022-11.zip").exists()
    assert "1 record was archived; the log has the leaves" in run("record", "verify").output


class TestKeys:
    """`wanliu keys`."""

    def test_show(self, run: Run, book: Book) -> None:
        """The public halves only."""
        told = run("keys", "show").output
        assert book.keys.verifiers[0].text() in told
        found = json.loads(run("keys", "show", "--json").output)
        assert found["origin"] == book.keys.origin
        assert "seed" not in json.dumps(found)

    def test_rotate_signing(self, run: Run, book: Book, tmp_path: Path) -> None:
        """A new key signs from now on, both verify, and it is on the record with its public half."""
        told = run("keys", "rotate", "signing", "--by", "ops").output
        keys = load_keys(tmp_path / "wanliu.keys", None)
        assert len(keys.signing) == 2
        assert keys.verifiers[-1].text() in told
        book.keys = keys
        book.seal()
        with book.database.reading() as connection:
            newest = tree.checkpoint(connection)
        assert newest is not None
        assert read_checkpoint(newest.note, keys.verifiers[1:]).size == newest.size
        run("record", "verify")
        run("record", "export", str(tmp_path / "made"))
        done = subprocess.run([sys.executable, "-I", tmp_path / "made" / "verify.py"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        body = next(told["body"] for told in envelopes(tmp_path) if told["kind"] == "key_changed")
        assert body == {"by": "ops", "which": "signing", "key": keys.verifiers[1].text(), "before": keys.verifiers[0].text()}

    def test_rotate_wrapping_and_rewrap(self, run: Run, book: Book, tmp_path: Path) -> None:
        """All subjects are wrapped anew in batches, and what was written before still opens."""
        run("keys", "rotate", "wrapping", "--by", "ops")
        keys = load_keys(tmp_path / "wanliu.keys", None)
        done = run("keys", "rewrap")
        assert "4 subjects re-wrapped" in done.output
        assert f"every process of the service has to know the wrapping key {keys.wrapping[-1].id} by now" in done.output
        assert "0 subjects re-wrapped" in run("keys", "rewrap").output
        with sqlite3.connect(tmp_path / "wanliu.db") as connection:
            assert connection.execute("SELECT DISTINCT wrapped_with FROM subject").fetchall() == [(keys.wrapping[-1].id,)]
        connection.close()
        assert "20 private payloads opened" in run("record", "verify", "--open").output

    def test_keys_of_the_environment_are_not_rotated(self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """There is no file to put a new one into; the command says what to do."""
        monkeypatch.setenv("WANLIU_KEYS", (tmp_path / "wanliu.keys").read_text("utf-8"))
        assert "WANLIU_KEYS" in run("keys", "rotate", "signing", code=1).output
        run("record", "verify")


def envelopes(tmp_path: Path) -> list[dict[str, Any]]:
    with sqlite3.connect(tmp_path / "wanliu.db") as connection:
        found = [json.loads(row[0]) for row in connection.execute("SELECT envelope FROM entry ORDER BY id")]
    connection.close()
    return found


def test_rewrapping_goes_on_in_batches(book: Book, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However many subjects there are, each transaction has a few."""
    from app.record import rotating

    record = Record(book.database, book.keys, clock=Clock())
    keys = rotating.rotate(record, tmp_path / "wanliu.keys", "wrapping", by="ops")
    monkeypatch.setattr(rotating, "_BATCH", 3)
    assert rotating.rewrap_subjects(record, keys) == 4
    Sealer(book.database, keys, record.clock).seal()
    record.close_now()
