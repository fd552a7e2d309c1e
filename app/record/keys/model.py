"""What a key is, and which there are: newest last, none ever dropped."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from app.record.keys.source import KeySource
from app.record.log.notes import SignerKey, VerifierKey

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs checkpoints from `since` on. The id is that of the key in signed notes, 8 hexadecimal digits."""

    id: str
    seed: bytes = field(repr=False)
    since: datetime.datetime


@dataclass(frozen=True, slots=True)
class WrappingKey:
    """Wraps the keys of subjects (AES-256)."""

    id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one log, newest last.

    `lookup` is never rotated: it turns a subscriber's id into the one key under which the subject's row is found, and to compute these anew
    takes the ids, which are kept nowhere. Whoever learns it and the table can test guesses of ids, and read nothing else.
    """

    log: str
    signing: tuple[SigningKey, ...]
    wrapping: tuple[WrappingKey, ...]
    lookup: bytes = field(repr=False)
    source: KeySource = field(default_factory=KeySource, repr=False, compare=False)
    """Where a wrapping key is looked for that another process has added since."""

    @property
    def origin(self) -> str:
        """The name of the log in checkpoints, and of its signing keys."""
        return f"wanliu/{self.log}"

    @property
    def signer(self) -> SignerKey:
        """The newest signing key: the one that signs."""
        return SignerKey(self.origin, self.signing[-1].seed)

    @property
    def verifiers(self) -> tuple[VerifierKey, ...]:
        """The public halves of all signing keys, so that old checkpoints verify too."""
        return tuple(SignerKey(self.origin, key.seed).verifier for key in self.signing)

    def wrapping_key(self, key_id: str) -> WrappingKey:
        """The wrapping key with this id, looked for where the keys come from if it was added later.

        Raises:
            UnknownKey: there is none.
        """
        known = next((key for key in self.wrapping if key.id == key_id), None)
        return known or self.source.find(self, key_id)


def new_keys(now: datetime.datetime) -> Keys:
    """Keys for a new log."""
    bare = Keys(secrets.token_hex(8), (), (), secrets.token_bytes(KEY_BYTES))
    return rotated(rotated(bare, "signing", now), "wrapping", now)


def rotated(keys: Keys, which: Literal["signing", "wrapping"], now: datetime.datetime) -> Keys:
    """The keys with a new one that is used from now on. The old ones stay, for what they have signed and wrapped."""
    secret = secrets.token_bytes(KEY_BYTES)
    if which == "signing":
        made = SigningKey(SignerKey(keys.origin, secret).verifier.id.hex(), secret, now.astimezone(datetime.UTC))
        return replace(keys, signing=(*keys.signing, made))
    return replace(keys, wrapping=(*keys.wrapping, WrappingKey(secrets.token_hex(4), secret)))


def public_half(keys: Keys) -> dict[str, Any]:
    """What may be given to anybody: the log's name, and the verifier keys with their times."""
    signing = zip(keys.signing, keys.verifiers, strict=True)
    return {
        "log": keys.log,
        "origin": keys.origin,
        "signing": [{"id": key.id, "since": written(key.since), "key": verifier.text()} for key, verifier in signing],
    }


def written(time: datetime.datetime) -> str:
    """A time as the record writes it."""
    return time.isoformat(timespec="microseconds")
