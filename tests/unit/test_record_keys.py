"""The keys of a log: made once, for their owner only, and never lost by rotating them."""

import datetime
import errno
import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from app.record.keys import Keys, KeysProblem, keys_of, load_keys, new_keys, public_half, rotate_file, rotated, save_keys, text_of
from app.record.log.notes import Checkpoint, VerifierKey, read_checkpoint, sign_checkpoint
from app.record.privacy import new_subject, unwrap

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
LATER = datetime.datetime(2027, 5, 1, 8, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))

FILES = 20
START_AND_LOAD = f"""
import sys
from pathlib import Path
from app.record.keys import load_keys
print("ready", flush=True)
sys.stdin.readline()
for name in range({FILES}):
    print(load_keys(Path(sys.argv[1]) / str(name), None).lookup.hex())
"""
START_AND_ROTATE = """
import datetime, sys
from pathlib import Path
from app.record.keys import rotate_file
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    rotate_file(Path(sys.argv[1]), "wrapping", datetime.datetime.now(datetime.UTC))
"""


def at_once(program: str, path: Path, processes: int) -> list[str]:
    """What processes print that wait until all are there, and then go on together."""
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0] * processes
    return printed


def test_the_first_start_makes_keys_for_their_owner_only(tmp_path: Path) -> None:
    """The file appears with mode 0600, whatever the umask; the next start reads the same keys."""
    file = tmp_path / "wanliu.keys"
    before = os.umask(0)
    try:
        made = load_keys(file, None)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_keys(file, None) == made
    assert [path.name for path in tmp_path.iterdir()] == ["wanliu.keys"]
    assert datetime.datetime.now(datetime.UTC) - made.signing[0].since < datetime.timedelta(minutes=1)


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    """All that start together go on with the keys of one file, and leave nothing else behind."""
    printed = at_once(START_AND_LOAD, tmp_path, 3)
    there = [load_keys(tmp_path / str(name), None).lookup.hex() for name in range(FILES)]
    assert [text.split() for text in printed] == [there] * 3
    assert len(list(tmp_path.iterdir())) == FILES


def test_the_loser_of_the_race_takes_the_keys_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another process makes the file between the look and the making, its keys are read, and not replaced."""
    file, theirs = tmp_path / "wanliu.keys", new_keys(NOW)
    link = Path.hardlink_to

    def late(path: Path, target: Path) -> None:
        save_keys(theirs, path)
        link(path, target)

    monkeypatch.setattr(Path, "hardlink_to", late)
    assert load_keys(file, None) == theirs


def test_rotations_at_once_each_add_a_key(tmp_path: Path) -> None:
    """No key is lost when two rotate at the same time."""
    file = tmp_path / "wanliu.keys"
    load_keys(file, None)
    at_once(START_AND_ROTATE, file, 2)
    assert len(load_keys(file, None).wrapping) == 1 + 2 * 20


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message is the command that repairs it; run, it does."""
    file = tmp_path / "my wanliu.keys"
    made = load_keys(file, None)
    file.chmod(mode)
    with pytest.raises(KeysProblem) as problem:
        load_keys(file, None)
    subprocess.run(shlex.split(str(problem.value).partition("run: ")[2]), check=True)
    assert load_keys(file, None) == made


def test_keys_given_by_the_environment_need_no_file(tmp_path: Path) -> None:
    """Given keys are the keys; no file is read or made."""
    made, file = new_keys(NOW), tmp_path / "wanliu.keys"
    assert load_keys(file, text_of(made)) == made
    assert load_keys(None, text_of(made)) == made
    assert not file.exists()


def test_no_keys_at_all_is_an_error(tmp_path: Path) -> None:
    """Neither a file nor given keys: the message names both ways."""
    with pytest.raises(KeysProblem, match="WANLIU_KEYS"):
        load_keys(None, None)
    with pytest.raises(KeysProblem, match="WANLIU_KEYS: this is no JSON"):
        load_keys(tmp_path / "wanliu.keys", "")


def test_a_folder_that_takes_no_keys_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is not there, a folder in the file's place, or a disk without links: the message names the file and the other way."""
    (tmp_path / "folder").mkdir()
    for file in (tmp_path / "missing" / "keys", tmp_path / "folder"):
        with pytest.raises(KeysProblem, match="WANLIU_KEYS"):
            load_keys(file, None)

    def refuse(path: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with pytest.raises(KeysProblem, match="Operation not permitted"):
        load_keys(tmp_path / "keys", None)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_keys_that_cannot_be_saved_are_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing fails, the file holds what it held, and nothing else is left."""
    file = tmp_path / "wanliu.keys"
    made = load_keys(file, None)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeysProblem, match="No space left"):
        rotate_file(file, "signing", NOW)
    assert load_keys(file, None) == made
    assert list(tmp_path.iterdir()) == [file]


def test_keys_are_on_the_disk_before_they_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is synced before it takes its name, and the folder after."""
    file, sync = tmp_path / "wanliu.keys", os.fsync
    synced: list[str] = []

    def note(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append("folder" if folder else "text")
        assert folder == file.exists()
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    load_keys(file, None)
    assert synced == ["text", "folder"]


def test_there_is_nothing_to_rotate_before_the_first_start(tmp_path: Path) -> None:
    """Rotating makes no new log by mistake."""
    with pytest.raises(KeysProblem, match="is not there"):
        rotate_file(tmp_path / "wanliu.keys", "signing", NOW)
    assert not list(tmp_path.iterdir())


def test_after_rotation_old_notes_verify_and_new_ones_too(tmp_path: Path) -> None:
    """A new signing key signs from now on; what the old one signed is still read, and who knows only the old key sees the change."""
    file = tmp_path / "wanliu.keys"
    old = load_keys(file, None)
    new = rotate_file(file, "signing", LATER)
    assert (new.log, new.lookup, new.wrapping, new.signing[:1]) == (old.log, old.lookup, old.wrapping, old.signing)
    assert new.signing[1].since == LATER
    point = Checkpoint(old.origin, 3, bytes(32))
    before, after = sign_checkpoint(point, old.signer), sign_checkpoint(point, new.signer)
    assert before != after
    assert read_checkpoint(before, new.verifiers) == read_checkpoint(after, new.verifiers) == point
    with pytest.raises(ValueError, match="no key that is trusted"):
        read_checkpoint(after, old.verifiers)
    assert load_keys(file, None) == new


def test_after_rotation_old_subjects_are_unwrapped(tmp_path: Path) -> None:
    """A key wrapped before is unwrapped with the new set; new subjects are wrapped with the new key, which the old set has not."""
    old = new_keys(NOW)
    new = rotated(old, "wrapping", LATER)
    subject, later = new_subject(old), new_subject(new)
    assert unwrap(new, subject.wrapped, subject.wrapped_with) == subject.key
    assert later.wrapped_with == new.wrapping[-1].id != subject.wrapped_with
    with pytest.raises(KeysProblem, match=later.wrapped_with):
        unwrap(old, later.wrapped, later.wrapped_with)


def test_what_is_published_names_every_key_and_no_secret() -> None:
    """The public half holds the log's name and verifier keys that others can parse; none of the secrets, in any writing."""
    keys = rotated(new_keys(NOW), "signing", LATER)
    told = public_half(keys)
    assert told["origin"] == f"wanliu/{keys.log}"
    assert [VerifierKey.parse(item["key"]) for item in told["signing"]] == list(keys.verifiers)
    assert [(item["id"], item["since"]) for item in told["signing"]] == [
        (keys.signing[0].id, "2026-11-22T02:00:00.000000+00:00"),
        (keys.signing[1].id, "2027-05-01T00:30:00.000000+00:00"),
    ]
    hold_no_secret(json.dumps(told), keys)


def hold_no_secret(text: str, keys: Keys) -> None:
    document = json.loads(text_of(keys))
    encoded = [document["lookup"], *(key["seed"] for key in document["signing"]), *(key["key"] for key in document["wrapping"])]
    plain = [keys.lookup, *(key.seed for key in keys.signing), *(key.key for key in keys.wrapping)]
    assert len(encoded) == len(plain) == 1 + len(keys.signing) + len(keys.wrapping)
    for secret in [*encoded, *(bits.hex() for bits in plain), *(repr(bits) for bits in plain)]:
        assert secret not in text


def test_secrets_are_not_shown() -> None:
    """What a log line would show of the keys holds none of their secrets."""
    keys = rotated(rotated(new_keys(NOW), "wrapping", LATER), "signing", LATER)
    for shown in (keys, keys.signing, keys.wrapping, keys.signer, keys.verifiers, new_subject(keys)):
        hold_no_secret(repr(shown), keys)
    assert "seed" not in repr(keys)


def test_two_logs_have_nothing_in_common() -> None:
    """Every log has its own name and its own secrets."""
    one, two = new_keys(NOW), new_keys(NOW)
    assert one.origin != two.origin
    assert not {one.lookup, one.signing[0].seed, one.wrapping[0].key} & {two.lookup, two.signing[0].seed, two.wrapping[0].key}


def without(document: dict[str, Any], name: str) -> None:
    del document[name]


def change(part: str, name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def make(document: dict[str, Any]) -> None:
        (document[part][0] if part else document)[name] = value

    return make


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (lambda document: without(document, "lookup"), "lookup"),
        (lambda document: without(document, "version"), "version"),
        (lambda document: without(document["signing"][0], "since"), "since"),
        (change("", "version", 2), "version"),
        (change("", "log", "two words"), "log"),
        (change("", "log", "other"), "signing"),
        (change("", "log", ["x"]), "log"),
        (change("", "lookup", "QUJD"), "lookup"),
        (change("", "lookup", "n\u00e9"), "lookup"),
        (change("", "signing", []), "signing"),
        (change("", "signing", "x"), "signing"),
        (change("", "signing", 5), "signing"),
        (change("", "wrapping", [1]), "wrapping"),
        (change("signing", "seed", 5), "seed"),
        (change("signing", "id", "00000000"), "signing"),
        (change("signing", "since", "yesterday"), "since"),
        (change("signing", "since", "2026-11-22T00:00:00"), "since"),
        (change("wrapping", "key", "!" * 44), "key"),
        (lambda document: document["wrapping"].append(document["wrapping"][0]), "wrapping"),
    ],
    ids=[
        "no lookup",
        "no version",
        "no since",
        "other version",
        "odd log",
        "other log",
        "log list",
        "short lookup",
        "odd lookup",
        "no signing",
        "signing text",
        "signing number",
        "wrapping number",
        "seed number",
        "other id",
        "no time",
        "no zone",
        "odd key",
        "key twice",
    ],
)
def test_a_spoilt_file_is_refused_by_the_name_of_the_field(spoil: Callable[[dict[str, Any]], None], field: str) -> None:
    """The message names where it stands and which field, and shows nothing of what stands in it."""
    keys = new_keys(NOW)
    document = json.loads(text_of(keys))
    spoil(document)
    with pytest.raises(KeysProblem, match=f"^here: {field}: ") as problem:
        keys_of(json.dumps(document), "here")
    hold_no_secret(str(problem.value), keys)


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"{", b"\xff\xfe"], ids=repr)
def test_a_file_that_holds_no_keys_is_refused_and_kept(tmp_path: Path, text: bytes) -> None:
    """What is no keys file is an error and never overwritten with new keys: they might be somebody's only copy, spoilt by one letter."""
    file = tmp_path / "wanliu.keys"
    file.write_bytes(text)
    file.chmod(0o600)
    with pytest.raises(KeysProblem):
        load_keys(file, None)
    assert file.read_bytes() == text


@pytest.mark.parametrize("which", ["signing", "wrapping"])
def test_keys_read_back_as_they_were_written(which: Literal["signing", "wrapping"]) -> None:
    """The text of keys, however often rotated, holds all of them, in order."""
    keys = rotated(rotated(new_keys(NOW), which, LATER), which, LATER)
    assert keys_of(text_of(keys), "here") == keys
