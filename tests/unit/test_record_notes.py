"""Signed notes and checkpoints: what others sign we read, what we sign others read, and what was changed nobody does."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.record.log.notes import (
    LONGEST_NOTE,
    MOST_SIGNATURES,
    BadKey,
    BadNote,
    Checkpoint,
    SignerKey,
    VerifierKey,
    open_note,
    read_checkpoint,
    sign_checkpoint,
    sign_note,
)

GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
FOO_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
OURS = SignerKey("wanliu/0123", bytes(range(32)))
WITNESS = SignerKey("witness.example/one", bytes(range(1, 33)))
POINT = Checkpoint("wanliu/0123", 20_852_163, bytes(range(100, 132)))


@pytest.mark.parametrize(("key", "note"), [(GO_KEY, GO_NOTE), (FOO_KEY, FOO_NOTE)], ids=["Go", "C2SP"])
def test_published_notes_are_read(key: str, note: str) -> None:
    """Notes that others published, signed with other programs, are read with their published keys."""
    verifier = VerifierKey.parse(key)
    assert verifier.text() == key
    assert open_note(note, [verifier]) == note.partition("\n\n")[0] + "\n"
    with pytest.raises(BadNote, match="false"):
        open_note(note.replace("is", "was", 1), [verifier])


def test_a_checkpoint_has_the_form_that_others_read() -> None:
    """Origin, size and root a line, an empty line, and name, key id and signature."""
    note = sign_checkpoint(POINT, OURS)
    text, signed = note.split("\n\n")
    assert text.split("\n") == ["wanliu/0123", "20852163", "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM="]
    dash, name, encoded = signed.removesuffix("\n").split(" ")
    assert (dash, name) == ("\N{EM DASH}", "wanliu/0123")
    assert base64.b64decode(encoded)[:4] == OURS.verifier.id
    assert len(base64.b64decode(encoded)) == 4 + 64
    assert read_checkpoint(note, [OURS.verifier]) == POINT


def test_every_signer_has_a_line_and_one_known_is_enough() -> None:
    """Signatures of keys that the reader does not know are passed over, as witnesses' are by who knows only the log."""
    note = sign_checkpoint(POINT, OURS, WITNESS)
    for known in ([OURS.verifier], [WITNESS.verifier], [WITNESS.verifier, OURS.verifier]):
        assert read_checkpoint(note, known) == POINT
    stranger = SignerKey("wanliu/0123", bytes(32))
    for unknown in ([], [stranger.verifier]):
        with pytest.raises(BadNote, match="no key that is trusted"):
            open_note(note, unknown)


def test_one_false_signature_of_a_known_key_is_too_many() -> None:
    """A line that says to be of a known key and is not spoils the note, though another known key has signed it."""
    note = sign_note("text\n", OURS, WITNESS)
    false = sign_note("other text\n", WITNESS).split("\n\n")[1]
    spoilt = note.replace(note.split("\n\n")[1], sign_note("text\n", OURS).split("\n\n")[1] + false)
    with pytest.raises(BadNote, match="false"):
        open_note(spoilt, [OURS.verifier, WITNESS.verifier])
    assert open_note(spoilt, [OURS.verifier]) == "text\n"


def test_no_bit_of_a_note_can_be_turned() -> None:
    """A note changed in any one place is refused, in its text, name, key id or signature."""
    note = sign_checkpoint(POINT, OURS)
    for at, letter in enumerate(note):
        for other in {chr(ord(letter) ^ 1), "\n", " ", ""} - {letter}:
            with pytest.raises(BadNote):
                read_checkpoint(note[:at] + other + note[at + 1 :], [OURS.verifier])


def test_a_text_may_hold_empty_lines() -> None:
    """The last empty line divides text from signatures."""
    text = "one\n\ntwo 万流\n\n"
    assert open_note(sign_note(text, OURS), [OURS.verifier]) == text


@pytest.mark.parametrize(
    "line", ["— a+b AAAAAAAA", "— a\u00a0b AAAAAAAA", "— \ud800 AAAAAAAA", "— a AAAAAA==", "- a AAAAAAAA", "", "— a"], ids=ascii
)
def test_a_line_that_is_no_signature_spoils_the_note(line: str) -> None:
    """Every line has the form, also those of keys that the reader does not know: a name, and an id with something behind it."""
    note = sign_note("text\n", OURS)
    assert open_note(note + "— a AAAAAAAA\n", [OURS.verifier]) == "text\n"
    with pytest.raises(BadNote):
        open_note(f"{note}{line}\n", [OURS.verifier])


def test_a_note_without_its_empty_line_is_refused() -> None:
    """The line that divides is part of the form, also where the text would be empty."""
    note = sign_note("\n", OURS)
    assert open_note(note, [OURS.verifier]) == "\n"
    with pytest.raises(BadNote, match="an empty line"):
        open_note(note.removeprefix("\n\n"), [OURS.verifier])


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n", "return\r\n", "nul\0\n", "half \ud800\n"], ids=ascii)
def test_a_text_that_is_no_note_is_not_signed(text: str) -> None:
    """What the format does not allow is refused before it is signed."""
    with pytest.raises(BadNote):
        sign_note(text, OURS)


def test_a_note_is_signed_by_somebody() -> None:
    """Without a signer there is no note."""
    with pytest.raises(BadNote):
        sign_note("text\n")


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, bytes(32)),
        ("two\nlines", 1, bytes(32)),
        ("o", -1, bytes(32)),
        ("o", 10**20, bytes(32)),
        ("o", 1, bytes(31)),
        ("o", 1, b""),
    ],
    ids=["no origin", "two lines", "negative", "too large", "short root", "no root"],
)
def test_what_is_no_checkpoint_is_not_signed(origin: str, size: int, root: bytes) -> None:
    """A log signs nothing that its readers would refuse."""
    with pytest.raises(BadNote):
        sign_checkpoint(Checkpoint(origin, size, root), OURS)


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        f"o\n1\n{ROOT}\nextension\n",
        f"o\n1\n{ROOT}\n\nextension\n",
        f"o\n01\n{ROOT}\n",
        f"o\n+1\n{ROOT}\n",
        f"o\n1_0\n{ROOT}\n",
        f"o\n\u0661\n{ROOT}\n",
        f"o\n1\u0661\n{ROOT}\n",
        f"o\n{'9' * 20}\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
        f"o\n1\n{ROOT[:-1]}\n",
        f"o\n1\n{ROOT[:-2]}B=\n",
        f"o\n1\n {ROOT}\n",
        "o\n1\nAAAA\n",
    ],
    ids=ascii,
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    """Well signed or not: leading zeros, signs, other digits, more lines, other lengths and other ways to write base64 are refused."""
    with pytest.raises(BadNote, match="three lines"):
        read_checkpoint(sign_note(text, OURS), [OURS.verifier])


def test_too_much_is_refused() -> None:
    """A note beyond all measure is refused before anything is verified; sixteen signatures are read."""
    line = sign_note("text\n", OURS).split("\n\n")[1]
    assert open_note("text\n\n" + 16 * line, [OURS.verifier]) == "text\n"
    with pytest.raises(BadNote, match="at most"):
        open_note("text\n\n" + (MOST_SIGNATURES + 1) * line, [OURS.verifier])
    with pytest.raises(BadNote):
        open_note(sign_note("t" * LONGEST_NOTE + "\n", OURS), [OURS.verifier])


@settings(max_examples=1_000, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(["\n", "\n\n", "— ", "wanliu/0123", " ", "a", "DJk0ZQ==", "\ud800"])).map("".join)))
def test_hostile_notes_are_refused(note: str) -> None:
    """Whatever the text, it is refused as a note and raises nothing else."""
    with pytest.raises(BadNote):
        read_checkpoint(note, [OURS.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        FOO_KEY.replace("530d903a", "530d903b"),
        FOO_KEY.replace("foo", "bar"),
        FOO_KEY[:-4],
        FOO_KEY[:-1],
        FOO_KEY.replace("+A", "+B"),
        "+" + FOO_KEY.partition("+")[2],
        FOO_KEY.replace("/", " "),
    ],
    ids=repr,
)
def test_a_text_that_is_no_verifier_key_is_refused(text: str) -> None:
    """A key whose id, kind, length or name is not right is refused, so that a slip in copying is seen at once."""
    with pytest.raises(BadKey):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\u2003b", "a\x00", "\ud800"], ids=ascii)
def test_names_that_would_break_a_line_are_refused(name: str) -> None:
    """A key's name is no space, plus sign or control character away from another line of the note."""
    with pytest.raises(BadKey):
        VerifierKey(name, bytes(32))


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)], ids=len)
def test_keys_have_their_length(seed: bytes) -> None:
    """Both halves of a key have 32 bytes."""
    with pytest.raises(BadKey):
        SignerKey("n", seed)
    with pytest.raises(BadKey):
        VerifierKey("n", seed)


def test_secrets_are_not_shown() -> None:
    """The private half is not in what a log line would show of the key."""
    assert repr(bytes(range(32)))[2:20] not in repr(OURS)


def test_keys_that_cannot_be_points_verify_nothing() -> None:
    """A public key that is no point of the curve accepts no signature, and breaks nothing."""
    broken = VerifierKey("n", b"\x02" + bytes(30) + b"\xff")
    assert not broken.accepts("text\n", bytes(64))
    assert not OURS.verifier.accepts("text\n", b"short")
    assert not OURS.verifier.accepts("half \ud800\n", bytes(64))
