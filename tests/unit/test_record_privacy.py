"""What is known about a person: opened with the person's key, of the right entry, unchanged; and not at all without."""

import datetime
import itertools
import re
import zlib
from collections import Counter
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import orjson
import pytest
import rfc8785
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from app.record.canonical import NotCanonical, ordered
from app.record.keys import Keys, new_keys, rotated
from app.record.privacy import Unreadable, commitment_of, lookup_of, lookups_of, new_subject, open_private, rewrap, seal, unwrap
from app.record.unread import Ordered

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
KEYS = new_keys(NOW)
KEY = bytes(range(32))
CASE = {"subscriber": {"id": "s-1001", "billing": {"total": [5900.0, 7164.5]}, "network": {"dropped_call_rate": 0.000002}}}
PAYLOAD = {"case": CASE, "answer": '{"offered":["万流",1.0]}'}


def test_a_payload_is_opened_as_it_was_sealed() -> None:
    """Case and answer come back to the letter and to the kind of number, with the salt beside them."""
    opened = open_private(KEY, seal(KEY, PAYLOAD, b"entry").ciphertext, b"entry")
    assert len(bytes.fromhex(opened.pop("salt"))) == 32
    assert opened == PAYLOAD
    assert repr(opened["case"]) == repr(CASE)


def test_a_case_that_came_as_json_is_sealed_as_it_is() -> None:
    """Its text is kept to the letter, and committed to as if it had been given as a mapping."""
    for case in (CASE, {"note": [1.0, 2.5e-7], "\U00010000": 1, "\uffff": 2}, {}):
        sealed = seal(KEY, {**PAYLOAD, "case": Ordered(ordered(case))}, b"entry")
        opened = open_private(KEY, sealed.ciphertext, b"entry")
        assert sealed.commitment == commitment_of(opened) == commitment_of({**opened, "case": case})
        assert list(opened) == [*PAYLOAD, "salt"]
        assert repr(opened["case"]) == repr(orjson.loads(ordered(case)))
        assert opened["case"] == case


def test_nothing_of_a_payload_shows() -> None:
    """Neither key, id nor text stands in what is kept, and two sealings of one payload have nothing in common."""
    one, two = seal(KEY, PAYLOAD, b"entry"), seal(KEY, PAYLOAD, b"entry")
    for kept in (one.ciphertext, one.commitment.encode(), repr(new_subject(KEYS)).encode()):
        assert not any(part in kept for part in (KEY, b"s-1001", b"offered", b"salt"))
    assert one.commitment != two.commitment
    assert one.ciphertext[:12] != two.ciphertext[:12]


def test_the_commitment_is_what_the_documentation_says() -> None:
    """An auditor gets it from the opened payload with a hash and any canonical JSON: over the case, or over all where there is none."""
    for payload, told in ((PAYLOAD, CASE), ({"note": "read", "of": [1.0]}, {"note": "read", "of": [1]}), ({}, {})):
        sealed = seal(KEY, payload, b"entry")
        opened = open_private(KEY, sealed.ciphertext, b"entry")
        wanted = sha256(bytes.fromhex(opened["salt"]) + rfc8785.dumps(told)).hexdigest()
        assert sealed.commitment == f"sha256:{wanted}" == commitment_of(opened)


@given(st.lists(st.floats(-(2**52), 2**52) | st.integers(-(2**52), 2**52) | st.text(st.characters(exclude_categories=["Cs"]))))
def test_the_commitment_holds_for_what_is_opened(values: list[Any]) -> None:
    """Whatever the values, those of the opened case have the commitment that the leaf covers."""
    sealed = seal(KEY, {"case": {"values": tuple(values)}}, b"entry")
    assert commitment_of(open_private(KEY, sealed.ciphertext, b"entry")) == sealed.commitment


def test_the_commitment_tells_cases_apart_and_needs_the_salt() -> None:
    """Another case, or the same one without the salt, has another commitment or none: who has no key cannot try cases."""
    opened = open_private(KEY, seal(KEY, PAYLOAD, b"entry").ciphertext, b"entry")
    assert commitment_of({**opened, "case": {}}) != commitment_of(opened)
    assert commitment_of({**opened, "salt": "00" * 32}) != commitment_of(opened)
    for salt in ({}, {"salt": "no hex"}, {"salt": 5}, {"salt": None}):
        with pytest.raises(Unreadable):
            commitment_of({"case": CASE, **salt})


def test_a_payload_opens_for_its_key_and_entry_only() -> None:
    """With another person's key, or moved to another entry, it is unreadable."""
    sealed = seal(KEY, PAYLOAD, b"entry")
    for key, entry in ((bytes(32), b"entry"), (KEY, b"other"), (KEY, b""), (b"short", b"entry")):
        with pytest.raises(Unreadable):
            open_private(key, sealed.ciphertext, entry)


def test_no_bit_of_a_payload_can_be_turned() -> None:
    """Changed in one bit, shortened or lengthened, it is unreadable."""
    kept = seal(KEY, {"a": 1}, b"entry").ciphertext
    turned = [kept[:at] + bytes([kept[at] ^ 1 << bit]) + kept[at + 1 :] for at in range(len(kept)) for bit in (0, 7)]
    for changed in [*turned, *(kept[:at] for at in range(len(kept))), kept + b"\0"]:
        with pytest.raises(Unreadable):
            open_private(KEY, changed, b"entry")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_was_never_sealed_is_unreadable(kept: bytes, key: bytes) -> None:
    """Any other bytes, with any key, raise nothing but that."""
    with pytest.raises(Unreadable):
        open_private(key, kept, b"entry")


@pytest.mark.parametrize("inside", [b"no zlib", zlib.compress(b"no json"), zlib.compress(b"[1]"), zlib.compress(b"\xff")], ids=repr)
def test_what_another_program_sealed_is_unreadable(inside: bytes) -> None:
    """Sealed with the right key, but not a payload."""
    kept = bytes(12) + AESGCM(KEY).encrypt(bytes(12), inside, b"entry")
    with pytest.raises(Unreadable, match="not what this program writes"):
        open_private(KEY, kept, b"entry")


def test_a_case_without_canonical_form_is_refused() -> None:
    """What could not be proved later is not sealed."""
    for case in ({"a": float("nan")}, {"a": 2**60}, {"a": 1e300}):
        with pytest.raises(NotCanonical):
            seal(KEY, {"case": case}, b"entry")


def test_a_payload_may_be_any_mapping() -> None:
    """Frozen mappings are sealed as what they hold, and what is given is left as it was."""
    payload = MappingProxyType({"case": MappingProxyType({"a": 1})})
    sealed = seal(KEY, payload, b"entry")
    assert open_private(KEY, sealed.ciphertext, b"entry")["case"] == {"a": 1}
    assert dict(payload) == {"case": {"a": 1}}
    for wrong in ({"case": {1, 2}}, {"case": {}, "answer": {1, 2}}):
        with pytest.raises(NotCanonical, match="set"):
            seal(KEY, wrong, b"entry")


def test_subjects_are_random_and_unwrap() -> None:
    """A token tells nothing; no two subjects share one, or a key; the key comes back from what is kept."""
    made = [new_subject(KEYS) for _ in range(200)]
    for values in zip(*((subject.token, subject.key, subject.wrapped) for subject in made), strict=True):
        assert max(Counter(values).values()) == 1
    for subject in made[:20]:
        assert re.fullmatch("[0-9a-f]{32}", subject.token)
        assert unwrap(KEYS, subject.wrapped, subject.wrapped_with) == subject.key
        assert subject.key not in subject.wrapped
        assert repr(subject.key)[2:-1] not in repr(subject)


def test_a_wrapped_key_that_was_changed_is_unreadable() -> None:
    """Turned bits, another wrapping key of the set or another log's keys do not unwrap it."""
    both = rotated(KEYS, "wrapping", NOW)
    token, _, wrapped, key_id = new_subject(KEYS)
    assert token
    turned = wrapped[:20] + bytes([wrapped[20] ^ 1]) + wrapped[21:]
    strangers = Keys(KEYS.log, KEYS.signing, tuple(type(key)(key.id, bytes(32)) for key in KEYS.wrapping), KEYS.lookup)
    for keys, kept, named in (
        (both, turned, key_id),
        (both, wrapped, both.wrapping[-1].id),
        (strangers, wrapped, key_id),
        (both, b"", key_id),
    ):
        with pytest.raises(Unreadable):
            unwrap(keys, kept, named)


def test_a_key_does_not_unwrap_under_another_name() -> None:
    """The id of the wrapping key is covered: the same secret under another id unwraps nothing."""
    subject = new_subject(KEYS)
    renamed = tuple(type(key)("other", key.key) for key in KEYS.wrapping)
    with pytest.raises(Unreadable):
        unwrap(Keys(KEYS.log, KEYS.signing, renamed, KEYS.lookup), subject.wrapped, "other")


def test_rewrapping_keeps_the_key_and_changes_what_is_kept() -> None:
    """After rotation a subject is wrapped anew with the newest key; its payloads stay as they are."""
    subject = new_subject(KEYS)
    both = rotated(KEYS, "wrapping", NOW)
    wrapped, key_id = rewrap(both, subject.wrapped, subject.wrapped_with)
    assert (key_id, unwrap(both, wrapped, key_id)) == (both.wrapping[-1].id, subject.key)
    assert wrapped != subject.wrapped
    only_new = Keys(both.log, both.signing, both.wrapping[-1:], both.lookup)
    assert unwrap(only_new, wrapped, key_id) == subject.key


texts = st.text(max_size=30)


@given(texts, texts)
def test_an_id_is_found_by_its_letters(one: str, two: str) -> None:
    """One id has one lookup under one log's keys, any other id another; half surrogates are letters too."""
    found = lookup_of(KEYS, one)
    assert len(found) == 32
    assert (found == lookup_of(KEYS, two)) == (one == two)
    assert found != lookup_of(new_keys(NOW), one)
    assert lookup_of(rotated(rotated(KEYS, "signing", NOW), "wrapping", NOW), one) == found
    assert lookups_of(KEYS, [two, one, one]) == [lookup_of(KEYS, two), found, found]


def test_spellings_of_one_letter_are_two_ids() -> None:
    """Ids are the operator's: nothing is normalised, trimmed or folded."""
    spellings: list[Any] = ["é", "e\u0301", "É", "é ", " é", "\ud800", "?", "\ufffd", ""]
    assert all(lookup_of(KEYS, one) != lookup_of(KEYS, two) for one, two in itertools.combinations(spellings, 2))


def test_a_payload_is_made_small() -> None:
    """What repeats is compressed before it is encrypted: a large answer takes a fraction of its room."""
    payload = {"case": CASE, "answer": orjson.dumps([CASE] * 100).decode()}
    assert len(seal(KEY, payload, b"entry").ciphertext) < len(payload["answer"]) / 10
