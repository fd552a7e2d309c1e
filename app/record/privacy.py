"""What is known about a person, readable only while the person's key is kept: erase the key, and nobody reads it again."""

from __future__ import annotations

import hmac
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from isal import isal_zlib

from app.record.canonical import NotCanonical, canonical
from app.record.keys import KEY_BYTES, Keys
from app.record.unread import Ordered

_NONCE_BYTES = 12
_SALT = "salt"
_COMPRESSION = 1
_SWIFT = 0
"""Compression where there are millions: half the time, a fifth more bytes."""
_TOKEN_BYTES, _TOGETHER_BYTES = 16, 4
_CASE, _CONCEDING = b'{"case":%b,"salt":"%b"}', b'{"case":%b,"conceded":%d,"salt":"%b"}'


class Unreadable(Exception):
    """A private payload, or a wrapped key, that this key does not open: another key's, another entry's, or changed."""


class NewSubject(NamedTuple):
    """A subscriber as the record knows it: a random token, the key of its payloads, and that key wrapped for keeping."""

    token: str
    key: bytes
    wrapped: bytes
    wrapped_with: str

    def __repr__(self) -> str:
        return f"NewSubject(token={self.token!r}, wrapped_with={self.wrapped_with!r})"


class Sealed(NamedTuple):
    """A private payload: what is kept, and the commitment to what it says, which the leaf covers."""

    ciphertext: bytes
    commitment: str


def lookup_of(keys: Keys, subscriber_id: str) -> bytes:
    """Under what the subscriber's row is found (32 bytes): HMAC-SHA256 of the id, letter for letter as it was given."""
    return hmac.digest(keys.lookup, _encoded(subscriber_id), "sha256")


def lookups_of(keys: Keys, subscriber_ids: Iterable[str]) -> list[bytes]:
    """`lookup_of` for as many as that at once, in half of the time."""
    begun, found = hmac.new(keys.lookup, digestmod="sha256"), list[bytes]()
    for subscriber_id in subscriber_ids:
        one = begun.copy()
        one.update(_encoded(subscriber_id))
        found.append(one.digest())
    return found


def _encoded(subscriber_id: str) -> bytes:
    return subscriber_id.encode("utf-8", "surrogatepass")


def new_subject(keys: Keys) -> NewSubject:
    """A token of 32 hexadecimal digits and a key, for a subscriber not met before."""
    key = secrets.token_bytes(KEY_BYTES)
    wrapped, wrapped_with = _wrap(keys, key)
    return NewSubject(secrets.token_hex(16), key, wrapped, wrapped_with)


def new_subjects(keys: Keys, number: int) -> list[NewSubject]:
    """As many as that at once, each as `new_subject` makes one, in a fraction of the time.

    Their tokens begin with the same eight digits, so that they stand side by side in the store's index, and differ in 96 random bits.
    """
    newest = keys.wrapping[-1]
    cipher, bound, together = AESGCM(newest.key), newest.id.encode(), secrets.token_hex(_TOGETHER_BYTES)
    sealed, each = KEY_BYTES + _NONCE_BYTES, KEY_BYTES + _NONCE_BYTES + _TOKEN_BYTES - _TOGETHER_BYTES
    random = secrets.token_bytes(each * number)
    made: list[NewSubject] = []
    for start in range(0, len(random), each):
        key, nonce = random[start : start + KEY_BYTES], random[start + KEY_BYTES : start + sealed]
        token = together + random[start + sealed : start + each].hex()
        made.append(NewSubject(token, key, nonce + cipher.encrypt(nonce, key, bound), newest.id))
    return made


def unwrap(keys: Keys, wrapped: bytes, key_id: str) -> bytes:
    """The subject's key.

    Raises:
        KeysProblem: there is no wrapping key of this id.
        Unreadable: it was not wrapped with this key, or was changed.
    """
    return unlock(keys, wrapped, key_id, key_id.encode())


def rewrap(keys: Keys, wrapped: bytes, key_id: str) -> tuple[bytes, str]:
    """The subject's key, wrapped with the newest wrapping key, and the id of that.

    Raises:
        KeysProblem, Unreadable: as `unwrap`.
    """
    return _wrap(keys, unwrap(keys, wrapped, key_id))


def lock(keys: Keys, secret: bytes, bound: bytes) -> tuple[bytes, str]:
    """A secret of our own, encrypted with the newest wrapping key, and the id of that. It opens where `bound` is the same only."""
    newest = keys.wrapping[-1]
    return _closed(newest.key, secret, bound), newest.id


def unlock(keys: Keys, kept: bytes, key_id: str, bound: bytes) -> bytes:
    """A secret that `lock` encrypted.

    Raises:
        KeysProblem: there is no wrapping key of this id.
        Unreadable: it was bound to something else, or changed.
    """
    return _opened(keys.wrapping_key(key_id).key, kept, bound)


def seal(key: bytes, payload: Mapping[str, Any], aad: bytes) -> Sealed:
    """The payload, encrypted with the subject's key.

    Args:
        key: the subject's, 32 bytes.
        payload: what JSON can say; `salt` is put into it.
        aad: the id of the entry, so that no payload can be moved to another.

    Raises:
        NotCanonical: there is no canonical JSON of the case, or no JSON of what is beside it.
    """
    salt = secrets.token_bytes(KEY_BYTES)
    commitment = _commitment(salt, payload)
    try:
        plaintext = isal_zlib.compress(_salted(payload, salt.hex()), _COMPRESSION)
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error).lower()) from None
    return Sealed(_closed(key, plaintext, aad), commitment)


def seal_cases(keys: Sequence[bytes], cases: Iterable[bytes], aads: Iterable[bytes], conceded: Iterable[int]) -> Iterator[Sealed]:
    """Each case as `seal` would seal it, without an answer beside it, in a fraction of the time.

    Args:
        keys: of the subjects.
        cases: canonical JSON: it is not looked at.
        aads: ids of the entries.
        conceded: the largest concession of each, which stands beside the case where there is one.
    """
    each = KEY_BYTES + _NONCE_BYTES
    random = secrets.token_bytes(each * len(keys))
    starts = range(0, len(random), each)
    for start, key, case, aad, most in zip(starts, keys, cases, aads, conceded, strict=True):
        salt, nonce = random[start : start + KEY_BYTES], random[start + KEY_BYTES : start + each]
        text = salt.hex().encode()
        plaintext = isal_zlib.compress(_CONCEDING % (case, most, text) if most else _CASE % (case, text), _SWIFT)
        yield Sealed(nonce + AESGCM(key).encrypt(nonce, plaintext, aad), f"sha256:{sha256(salt + case).hexdigest()}")


def open_private(key: bytes, ciphertext: bytes, aad: bytes) -> dict[str, Any]:
    """The payload, with its `salt`.

    Raises:
        Unreadable: another key or entry, or it was changed.
    """
    try:
        payload = orjson.loads(zlib.decompress(_opened(key, ciphertext, aad)))
    except (zlib.error, orjson.JSONDecodeError):
        raise Unreadable("the private payload is not what this program writes") from None
    if not isinstance(payload, dict):
        raise Unreadable("the private payload is not what this program writes")
    return payload


def commitment_of(payload: Mapping[str, Any]) -> str:
    """What the leaf says about an opened payload: `sha256:` over its salt and its case, or all else where it has none.

    Raises:
        Unreadable: the payload has no salt.
        NotCanonical: there is no canonical JSON of it.
    """
    try:
        salt = bytes.fromhex(payload[_SALT])
    except (KeyError, TypeError, ValueError):
        raise Unreadable("the private payload has no salt") from None
    return _commitment(salt, payload)


def _commitment(salt: bytes, payload: Mapping[str, Any]) -> str:
    told = payload["case"] if "case" in payload else {name: value for name, value in payload.items() if name != _SALT}
    return f"sha256:{sha256(salt + canonical(told)).hexdigest()}"


def _salted(payload: Mapping[str, Any], salt: str) -> bytes:
    return orjson.dumps({**payload, _SALT: salt}, default=_plain)


def _wrap(keys: Keys, key: bytes) -> tuple[bytes, str]:
    return lock(keys, key, keys.wrapping[-1].id.encode())


def _closed(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """AES-256-GCM, with the random nonce in front."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def _opened(key: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], aad)
    except (InvalidTag, ValueError):
        raise Unreadable("the key does not open this: it is another's, or something was changed") from None


def _plain(value: object) -> object:
    """A mapping of another kind, for orjson."""
    if type(value) is Ordered:
        return orjson.Fragment(value.text)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError
