"""Exporting: the bundle's own verifier finds it genuine, alone and with nothing installed, and finds what was done to it."""

from __future__ import annotations

import ast
import base64
import datetime
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete

from app.record.canonical import canonical
from app.record.export.bundle import verify as verifier
from app.record.export.bundling import KIT, BundleProblem
from app.record.export.exporting import Exported, NothingSealed, Wanted, export
from app.record.keys import Keys, new_keys
from app.record.log import tree
from app.record.log.notes import sign_note
from app.record.log.stretches import Stretch, between, cover, joined, of_entries
from app.record.store.database import Database, stamp
from app.record.store.tables import PackRow
from app.record.verifying.reading import leaves
from tests.logs import NOW, PACK, Book

pytestmark = pytest.mark.unit


@pytest.fixture
def book(sqlite_database: Database, keys: Keys) -> Book:
    """A sealed log of 31 leaves about three subscribers, of two rounds."""
    return filled(sqlite_database, keys)


@pytest.fixture
def any_book(database: Database, keys: Keys) -> Book:
    """The same on either kind of database."""
    return filled(database, keys)


def filled(database: Database, keys: Keys) -> Book:
    book = Book(database, keys)
    book.shelve()
    for number in range(29):
        entry_id = book.decide(f"s-{number % 3}")
        if number == 14:
            book.add("outcome", outcome_body(entry_id), "s-2", {"answer": "{}", "reference": "r-1"})
            book.seal()
            book.now += datetime.timedelta(seconds=40)
    assert book.seal() == 31
    return book


def outcome_body(decision: str) -> dict[str, Any]:
    at = stamp(NOW)
    return {"decision": decision, "channel": "app", "pack": PACK, "action": "bill_explain", "outcome": "refused", "at": at, "agent": "a-1"}


def bundle(book: Book, out: Path, opened: tuple[str, ...] = (), **options: Any) -> Exported:
    with book.database.reading() as connection:
        wanted = Wanted(options.pop("stretches", None) or between(connection, tree.size(connection)), opened, **options)
        return export(connection, book.keys, wanted, out, book.now)


def token(book: Book, index: int) -> str:
    with book.database.reading() as connection:
        batch = next(leaves(connection, index))
    entry = batch[0].entry
    assert entry is not None
    assert entry.subject is not None
    return entry.subject


def check(place: Path, *options: str, script: Path = KIT / "verify.py") -> tuple[int, str]:
    """What the verifier says when an auditor runs it, isolated from everything that is installed."""
    done = subprocess.run([sys.executable, "-I", "-S", str(script), str(place), *options], capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def looked_at(place: Path, *kept: Path) -> list[str]:
    """The findings of the verifier, run in this process."""
    source = verifier.Archive(str(place)) if place.is_file() else verifier.Folder(str(place))
    found = verifier.Check(source, [], [str(path) for path in kept])
    try:
        found.run()
    except verifier.Wrong as error:
        found.findings.append(str(error))
    source.close()
    return found.findings


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_bundle_of_the_whole_log_is_genuine(any_book: Book, tmp_path: Path, name: str) -> None:
    """Its own verifier says so, with nothing but the standard library, and tells what it rests on."""
    made = bundle(any_book, tmp_path / name, (token(any_book, 1),), parquet=True)
    assert (made.size, made.records, made.opened, made.archived) == (31, 31, 10, 0)
    code, told = check(tmp_path / name)
    assert code == 0, told
    assert "leaves 0 to 30: all there" in told
    assert "31 records, 10 of them opened" in told
    assert "1 pack, with the digest that the records name" in told
    assert "the numbers of 2 writers, without a gap" in told
    assert any_book.keys.verifiers[0].text() in told


def test_one_of_something_is_told_as_one() -> None:
    """Leaves, records and writers."""
    assert [verifier._many(number, "leaf", "leaves") for number in (0, 1, 2)] == ["0 leaves", "1 leaf", "2 leaves"]
    assert [verifier._many(number, "writer") for number in (1, 2)] == ["1 writer", "2 writers"]


def test_the_copy_in_the_bundle_checks_its_own_folder(book: Book, tmp_path: Path) -> None:
    """An auditor runs `verify.py` where it lies; the zip has it too."""
    bundle(book, tmp_path / "made")
    done = subprocess.run([sys.executable, "-I", tmp_path / "made" / "verify.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("GENUINE")
    assert (tmp_path / "made" / "README.md").read_bytes() == (KIT / "README.md").read_bytes()


def test_the_verifier_needs_python_3_8_only() -> None:
    """It parses as Python 3.8 and imports nothing but the standard library."""
    source = (KIT / "verify.py").read_text("utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"__future__", "argparse", "base64", "contextlib", "hashlib", "io", "json", "os", "sys", "typing", "zipfile"}
    later = {"removeprefix", "removesuffix", "bit_count", "is_relative_to"}
    assert not later & {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_its_signatures_are_those_of_everybody_else() -> None:
    """Ed25519 in the verifier agrees with the library, and refuses what was changed or malformed (RFC 8032, 7.1)."""
    vector = (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    )
    assert verifier.is_signature(*map(bytes.fromhex, vector))
    for number in range(20):
        private = Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))
        public, message = private.public_key().public_bytes_raw(), b"message %d" % number
        signature = private.sign(message)
        assert verifier.is_signature(public, message, signature)
        scalar = int.from_bytes(signature[32:], "little") + verifier.ORDER
        wrong = [
            (public, message + b"!", signature),
            (public, message, signature[:-1] + bytes([signature[-1] ^ 1])),
            (public, message, bytes([signature[0] ^ 1]) + signature[1:]),
            (public[::-1], message, signature),
            (public, message, signature[:32] + scalar.to_bytes(32, "little")),
            (public, message, b""),
            (b"\xff" * 32, message, signature),
            (b"", message, signature),
        ]
        assert not any(verifier.is_signature(*case) for case in wrong)


def test_any_stretch_is_proven(book: Book, tmp_path: Path) -> None:
    """From any leaf to any other, alone or several at once, the root of the log follows."""
    for number, (first, last) in enumerate([(0, 0), (30, 30), (5, 5), (1, 30), (0, 29), (7, 16), (15, 16)]):
        bundle(book, tmp_path / str(number), stretches=[Stretch(first, last)])
        assert looked_at(tmp_path / str(number)) == [], (first, last)
    bundle(book, tmp_path / "several", stretches=[Stretch(9, 9), Stretch(2, 3), Stretch(20, 25), Stretch(24, 28)])
    assert looked_at(tmp_path / "several") == []


def test_a_range_of_time_holds_every_entry_of_it(any_book: Book, tmp_path: Path) -> None:
    """From one time to before another; what is earlier and later is not in it."""
    with any_book.database.reading() as connection:
        times = [row[0] for row in connection.exec_driver_sql("SELECT at FROM leaf ORDER BY leaf_index")]
        assert between(connection, 31, times[4], times[9]) == [Stretch(4, 8)]
        assert between(connection, 31, times[20]) == [Stretch(20, 30)]
        assert between(connection, 31, None, times[0]) == []
        assert between(connection, 0) == []


def test_subtrees_cover_a_range_once() -> None:
    """Side by side, without a gap, each whole and in its place."""
    for end in range(40):
        for start in range(end + 1):
            parts = [(index << level, (index + 1) << level) for level, index in cover(start, end)]
            edges = [start, *(last for _, last in parts)]
            assert [first for first, _ in parts] == edges[:-1]
            assert edges[-1] == end
            assert verifier.cover(start, end) == [level for level, _ in cover(start, end)]


def test_stretches_that_touch_are_one() -> None:
    """Whatever order they come in."""
    assert joined([Stretch(5, 6), Stretch(1, 2), Stretch(3, 3), Stretch(6, 9), Stretch(11, 12)]) == [
        Stretch(1, 3),
        Stretch(5, 9),
        Stretch(11, 12),
    ]


def test_entries_are_found_by_their_ids(any_book: Book) -> None:
    """Those that are sealed; others have no place yet."""
    waiting = any_book.decide("s-1")
    with any_book.database.reading() as connection:
        ids = [row[0] for row in connection.exec_driver_sql("SELECT entry_id FROM leaf WHERE leaf_index IN (3, 4, 8)")]
        assert of_entries(connection, 31, [*ids, waiting]) == [Stretch(3, 4), Stretch(8, 8)]


def test_a_checkpoint_that_was_kept_is_compared(book: Book, tmp_path: Path) -> None:
    """It proves that nothing before it changed; one of a fork, of another log, or newer than the bundle, is told."""
    with book.database.reading() as connection:
        first = tree.checkpoint(connection, covering=0)
    assert first is not None
    kept = tmp_path / "kept.txt"
    kept.write_text(first.note, "utf-8")
    bundle(book, tmp_path / "whole")
    code, told = check(tmp_path / "whole", "--checkpoint", str(kept))
    assert code == 0
    assert f"nothing before leaf {first.size} has changed since" in told
    bundle(book, tmp_path / "part", stretches=[Stretch(25, 30)])
    assert "ask for a bundle that begins at or before" in looked_at(tmp_path / "part", kept)[0]
    kept.write_text(sign_note(f"{book.keys.origin}\n16\n{base64.b64encode(bytes(32)).decode()}\n", book.keys.signer), "utf-8")
    assert "are not those that were signed then" in looked_at(tmp_path / "whole", kept)[0]
    kept.write_text(sign_note(f"{book.keys.origin}\n99\n{base64.b64encode(bytes(32)).decode()}\n", book.keys.signer), "utf-8")
    assert "newer than the bundle" in looked_at(tmp_path / "whole", kept)[0]


def test_only_the_named_key_counts(book: Book, tmp_path: Path) -> None:
    """With `--key` a bundle that is signed by another is not genuine."""
    bundle(book, tmp_path / "made")
    assert check(tmp_path / "made", "--key", book.keys.verifiers[0].text())[0] == 0
    code, told = check(tmp_path / "made", "--key", new_keys(NOW).verifiers[0].text())
    assert code == 1
    assert "NOT GENUINE: 1 finding; the first is: keys.json: none of the keys that you named with --key is a key of this log" in told


def test_what_was_opened_is_what_was_sealed(book: Book, tmp_path: Path) -> None:
    """The case stands in the clear as the exact text the leaf commits to; the others' payloads stay closed."""
    mine = token(book, 1)
    bundle(book, tmp_path / "made", (mine,))
    lines = [json.loads(line) for line in (tmp_path / "made" / "opened.ndjson").read_text("utf-8").splitlines()]
    assert {json.loads(line["committed"])["subscriber"]["id"] for line in lines} == {"s-1"}
    everything = b"".join(path.read_bytes() for path in (tmp_path / "made").rglob("*") if path.is_file())
    assert b"s-1" in everything
    assert b'"s-2"' not in everything


def test_a_pack_goes_with_its_decisions(book: Book, tmp_path: Path) -> None:
    """Its files stand under its digest, readable."""
    bundle(book, tmp_path / "made")
    text = (tmp_path / "made" / "packs" / PACK.partition(":")[2] / "policies" / "a.yaml").read_text("utf-8")
    assert text == "# 挽留\n"


def test_a_pack_that_the_store_does_not_have_is_told(book: Book, tmp_path: Path) -> None:
    """Its decisions are proven all the same; the bundle says that it is missing."""
    with book.database.writing() as connection:
        connection.execute(delete(PackRow))
    assert bundle(book, tmp_path / "made").without == {PACK}
    code, told = check(tmp_path / "made")
    assert code == 0
    assert "does not have it any more" in told


def test_the_tables_for_analysis_hold_nobody(book: Book, tmp_path: Path) -> None:
    """Decisions, offers, outcomes and what was not offered, by decision, without subjects."""
    bundle(book, tmp_path / "made", parquet=True)
    tables = {path.stem.rpartition("-")[0]: pl.read_parquet(path) for path in (tmp_path / "made" / "parquet").glob("*.parquet")}
    assert {name: table.height for name, table in tables.items()} == {"decisions": 29, "offers": 29, "not_offered": 29, "outcomes": 1}
    assert tables["outcomes"].row(0, named=True)["outcome"] == "refused"
    assert tables["decisions"]["signals"].to_list()[0] == ["price.bill_rise:high"]
    assert "subject" not in {column for table in tables.values() for column in table.columns}


def test_there_must_be_something_to_export_and_a_place_for_it(book: Book, database: Database, tmp_path: Path) -> None:
    """What is there already is not written over; nothing gives no bundle, and nothing is left behind."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(BundleProblem):
        bundle(book, tmp_path / "taken")
    with database.reading() as connection, pytest.raises(NothingSealed):
        export(connection, book.keys, Wanted([]), tmp_path / "none", book.now)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".bundle", "none"))] == []


def test_what_waits_is_no_gap(book: Book, tmp_path: Path) -> None:
    """A bundle of the whole log names the numbers that have no leaf yet."""
    book.decide("s-1")
    bundle(book, tmp_path / "made")
    assert looked_at(tmp_path / "made") == []
    about = json.loads((tmp_path / "made" / "bundle.json").read_bytes())
    assert about["waiting"] == [{"writer": "w-1", "sequence": 31}]


def test_a_number_that_is_missing_is_told(sqlite_database: Database, keys: Keys, tmp_path: Path) -> None:
    """In a bundle of the whole log, what was taken away before it was sealed leaves a gap."""
    book = Book(sqlite_database, keys)
    book.decide("s-1")
    book.add("read", {}, skip=True)
    book.decide("s-1")
    book.seal()
    bundle(book, tmp_path / "made")
    assert "entry 2 of the writer w-1 is missing" in looked_at(tmp_path / "made")[0]


def resigned(place: Path, keys: Keys) -> None:
    """Sign the list of contents anew, as somebody with the key could."""
    from app.record.export.bundling import Bundle

    (place / "contents.txt").unlink()
    Bundle(place).finish(keys)


def change_lines(name: str, change: Callable[[list[bytes]], Any]) -> Callable[[Path], None]:
    def edit(place: Path) -> None:
        lines = (place / name).read_bytes().splitlines(keepends=True)
        change(lines)
        (place / name).write_bytes(b"".join(lines))

    return edit


def change_text(name: str, before: str, after: str) -> Callable[[Path], None]:
    def edit(place: Path) -> None:
        text = (place / name).read_text("utf-8")
        assert before in text
        (place / name).write_text(text.replace(before, after, 1), "utf-8")

    return edit


def reseal(place: Path) -> None:
    """Change a record and its leaf hash with it."""
    lines = (place / "records.ndjson").read_bytes().splitlines(keepends=True)
    before = verifier.leaf_hash(lines[3][:-1]).hex()
    lines[3] = lines[3].replace(b"stable", b"growth")
    (place / "records.ndjson").write_bytes(b"".join(lines))
    change_text("leaves.csv", before, verifier.leaf_hash(lines[3][:-1]).hex())(place)


def drop_leaf(place: Path) -> None:
    """Leave a record out and number the rest anew."""
    change_lines("records.ndjson", lambda lines: lines.pop(3))(place)
    lines = (place / "leaves.csv").read_text("utf-8").splitlines()
    kept = [line.split(",", 1)[1] for line in lines[1:4] + lines[5:]]
    (place / "leaves.csv").write_text("\n".join([lines[0], *(f"{index},{rest}" for index, rest in enumerate(kept))]) + "\n", "utf-8")


def hide(place: Path) -> None:
    """Say of a record that it was archived."""
    change_lines("records.ndjson", lambda lines: lines.pop(3))(place)
    change_lines("private.ndjson", lambda lines: lines.pop(3))(place)
    change_lines("leaves.csv", lambda lines: lines.__setitem__(4, lines[4].replace(b",\n", b",archived\n")))(place)


def change_record(lines: list[bytes]) -> None:
    lines[3] = lines[3].replace(b"stable", b"growth")


def exchange(lines: list[bytes]) -> None:
    lines[3], lines[4] = lines[4], lines[3]


def change_pack(place: Path) -> None:
    next(place.glob("packs/*/rules/pack.yaml")).write_text("pack: {}\n", "utf-8")


def drop_packs(place: Path) -> None:
    shutil.rmtree(place / "packs")


EDITS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a record": (change_lines("records.ndjson", change_record), "leaf 3: the record is not the one that was sealed"),
    "a record and its leaf": (reseal, "leaves 0 to 30: they are not in the log"),
    "a record left out": (drop_leaf, "leaf 30 is missing"),
    "a record said to be archived": (hide, "1 record is said to be archived"),
    "two records change places": (change_lines("records.ndjson", exchange), "leaf 3: the record is not"),
    "a record more": (change_lines("records.ndjson", lambda lines: lines.append(lines[3])), "it goes on after the last leaf"),
    "a private payload": (change_text("private.ndjson", '"ciphertext":"', '"ciphertext":"AAAA'), "the private payload was changed"),
    "a payload left out": (change_lines("private.ndjson", lambda lines: lines.pop(0)), "the private payload is missing"),
    "what was opened": (change_text("opened.ndjson", "12900", "12901"), "what was opened is not what was sealed"),
    "the salt": (change_text("opened.ndjson", '"salt":"', '"salt":"00'), "what was opened is not what was sealed"),
    "a payload of nobody": (change_lines("opened.ndjson", lambda lines: lines.append(lines[0])), "belongs to no record"),
    "a pack": (change_pack, "the files are not those of this digest"),
    "a pack left out": (drop_packs, "a record was decided with this pack, and it is missing"),
    "the stretch": (change_text("bundle.json", '"last": 30', '"last": 29'), "hashes of the rest of the log"),
    "the checkpoint": (change_text("checkpoint.txt", "\n31\n", "\n30\n"), "the signature is false"),
    "an earlier checkpoint": (change_text("checkpoints/000000000031.txt", "\n31\n", "\n30\n"), "the signature is false"),
}


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """A bundle of a whole log with opened payloads, to be copied."""
    from tests.databases import migrated

    folder = tmp_path_factory.mktemp("bundle")
    migrated(f"sqlite:///{folder}/wanliu.db")
    database = Database(f"sqlite:///{folder}/wanliu.db")
    book = Book(database, keys)
    book.shelve()
    for number in range(30):
        book.decide(f"s-{number % 3}")
    assert book.seal() == 31
    bundle(book, folder / "made", (token(book, 1),), parquet=True)
    database.dispose()
    return folder / "made"


@pytest.mark.parametrize("name", EDITS)
def test_what_somebody_with_the_key_changed_is_found(made_once: Path, keys: Keys, tmp_path: Path, name: str) -> None:
    """Even with the list of contents signed anew, records, leaves, payloads and packs must fit together and to the checkpoint."""
    edit, told = EDITS[name]
    place = tmp_path / "edited"
    shutil.copytree(made_once, place)
    edit(place)
    assert looked_at(place), "the list of contents alone tells it"
    resigned(place, keys)
    findings = looked_at(place)
    assert findings, "nothing was found"
    assert any(told in finding for finding in findings), findings


def test_damaged_bundles_are_told_without_a_traceback(made_once: Path, tmp_path: Path) -> None:
    """Whatever is given to it, the verifier ends with a plain sentence."""
    assert check(tmp_path / "nowhere")[0] == 1
    (tmp_path / "file").write_bytes(b"no zip")
    assert check(tmp_path / "file")[1].startswith("NOT VERIFIED")
    shutil.copytree(made_once, tmp_path / "copy")
    (tmp_path / "copy" / "bundle.json").write_text("[", "utf-8")
    code, told = check(tmp_path / "copy")
    assert code == 1
    assert told.splitlines()[-1].startswith("NOT GENUINE")
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.write(made_once / "keys.json", "keys.json")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.write(made_once / "keys.json", "keys.json")
    assert "twice" in check(tmp_path / "twice.zip")[1]


def test_what_cannot_be_read_is_not_called_a_forgery(made_once: Path, tmp_path: Path) -> None:
    """A slip of the auditor: a wrong folder, a checkpoint that is not there, a key that is none. Nothing is said of the bundle then."""
    (tmp_path / "empty").mkdir()
    for place, options, why in (
        (tmp_path / "nowhere", (), "there is no folder or zip file"),
        (tmp_path / "empty", (), "this is no bundle"),
        (made_once, ("--checkpoint", str(tmp_path / "nope")), "the checkpoint `"),
        (made_once, ("--key", "垃圾"), "--key: `垃圾` is no key"),
    ):
        code, told = check(place, *options)
        assert code == 1
        assert told.splitlines()[-1].startswith("NOT VERIFIED"), told
        assert why in told


def test_what_is_wrong_with_a_mistyped_key_is_said(made_once: Path, keys: Keys) -> None:
    """Which part of it, its length or its letters, of each that is wrong at once; and who gives the right one."""
    name, key_id, encoded = keys.verifiers[0].text().split("+", 2)
    for text, why in (
        (name, "it has 1 of the three parts of name+id+base64"),
        (f"{name}++", "its id, between the first + and the second, has 0 characters and needs 8"),
        (f"+{key_id}+{encoded}", "its name, before the first +, is empty or holds a space"),
        (f"{name}+{key_id[:-1]}+{encoded}", "its id, between the first + and the second, has 7 characters and needs 8"),
        (f"{name}+{key_id[:-1]}G+{encoded}", "its id, between the first + and the second, holds `G` and may hold 0-9 a-f only"),
        (f"{name}+{key_id}+{encoded[:-1]}", "its last part, after the second +, has 43 characters and needs 44"),
        (f"{name}+{key_id}+{encoded[:-1]}_", "its last part, after the second +, holds `_` and may hold A-Z a-z 0-9 + / only"),
        (f"{name}+{key_id}+B{encoded[1:]}", "its last part, after the second +, is of another kind than Ed25519"),
        (f"{name}x+{key_id}+{encoded}", "its id does not belong to its name and its last part"),
    ):
        code, told = check(made_once, "--key", text)
        assert code == 1
        assert told.splitlines()[-1].startswith(f"NOT VERIFIED: --key: `{text}` is no key: {why}"), told
        assert "The operator gives you the log's key, apart from the bundle (`wanliu keys show` prints it)" in told
    _, told = check(made_once, "--key", name, "--key", keys.verifiers[0].text(), "--key", f"{name}+{key_id}+{encoded[:-1]}")
    assert told.count("is no key") == 2


def test_a_bundle_that_lost_a_part_is_not_genuine(made_once: Path, tmp_path: Path) -> None:
    """Where other parts are there, one was taken away."""
    for name in verifier.PARTS:
        shutil.copytree(made_once, tmp_path / name)
        (tmp_path / name / name).unlink()
        assert f"NOT GENUINE: 1 finding; the first is: {name}: the file is missing" in check(tmp_path / name)[1]


def test_an_older_key_alone_verifies_nothing(made_once: Path, keys: Keys, tmp_path: Path) -> None:
    """After a rotation the newest key signs; who names an older one is told which key to ask the operator about."""
    older = new_keys(NOW).verifiers[0].text()
    shutil.copytree(made_once, tmp_path / "copy")
    document = json.loads((made_once / "keys.json").read_bytes())
    document["signing"].insert(0, {**document["signing"][0], "key": older})
    (tmp_path / "copy" / "keys.json").write_text(json.dumps(document), "utf-8")
    resigned(tmp_path / "copy", keys)
    code, told = check(tmp_path / "copy", "--key", older)
    assert code == 1
    assert f"NOT VERIFIED: contents.txt is signed by a key that you did not name with --key: {keys.verifiers[0].text()}" in told
    assert "none of the keys that you named" in check(made_once, "--key", older)[1]


def test_files_beside_the_bundle_are_named_and_not_believed(made_once: Path, tmp_path: Path) -> None:
    """A file that the signed list does not name is no part of the bundle."""
    shutil.copytree(made_once, tmp_path / "copy")
    (tmp_path / "copy" / "notes.txt").write_text("mine", "utf-8")
    code, told = check(tmp_path / "copy")
    assert code == 0
    assert "not part of the bundle, and not looked at: notes.txt" in told
    assert "does not hold for 1 file that is not part of the bundle, which nobody signed: notes.txt" in told.splitlines()[-1]


def test_canonical_text_is_what_was_committed_to(made_once: Path) -> None:
    """`committed` is the canonical JSON of the case."""
    line = json.loads((made_once / "opened.ndjson").read_text("utf-8").splitlines()[0])
    assert canonical(json.loads(line["committed"])).decode() == line["committed"]
