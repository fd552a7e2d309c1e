"""The keys of a log: what signs its checkpoints, wraps the keys of its subjects, and finds a subject by id."""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime
import fcntl
import os
import secrets
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import orjson

from app.record.notes import SignerKey, VerifierKey

KEY_BYTES = 32
_VERSION = 1
_OTHERS = 0o077


class KeysProblem(Exception):
    """The keys cannot be had, or are not well formed. Names the file and the field, never what stands in it."""


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
        """The wrapping key with this id.

        Raises:
            KeysProblem: there is none.
        """
        for key in self.wrapping:
            if key.id == key_id:
                return key
        raise KeysProblem(f"the wrapping key `{key_id}` is not among the keys; put back the keys this record was written with")


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
        "signing": [{"id": key.id, "since": _written(key.since), "key": verifier.text()} for key, verifier in signing],
    }


def load_keys(file: Path | None, given: str | None) -> Keys:
    """The keys of this log.

    Args:
        file: where they are kept; made with new keys when it is not there. Processes that start at once agree on one file.
        given: the text of such a file, from the environment; then no file is read or made.

    Raises:
        KeysProblem: neither is there, somebody else may read the file, or it does not hold keys.
    """
    if given is not None:
        return keys_of(given, "WANLIU_KEYS")
    if file is None:
        raise KeysProblem("no keys: name a file that keeps them, or give them in WANLIU_KEYS")
    try:
        if not file.exists():
            _make(file)
        return keys_of(_private(file), str(file))
    except OSError as error:
        raise KeysProblem(f"the keys file {file} cannot be read or made: {error.strerror}; give keys in WANLIU_KEYS instead") from error


def save_keys(keys: Keys, file: Path) -> None:
    """Put these keys in the place of the file's, durably, for its owner only.

    Raises:
        KeysProblem: the file cannot be written; what it held is still there.
    """
    try:
        with _beside(file, text_of(keys)) as written:
            written.replace(file)
    except OSError as error:
        raise KeysProblem(f"the keys file {file} cannot be written: {error.strerror}") from error


def rotate_file(file: Path, which: Literal["signing", "wrapping"], now: datetime.datetime) -> Keys:
    """Add a new key to the file; two that do so at once each add theirs. The keys with it.

    Raises:
        KeysProblem: the file is not there, cannot be written or does not hold keys.
    """
    if not file.exists():
        raise KeysProblem(f"the keys file {file} is not there; the service makes it when it first starts")
    try:
        with _alone(file.parent):
            keys = rotated(load_keys(file, None), which, now)
            save_keys(keys, file)
    except OSError as error:
        raise KeysProblem(f"the folder of the keys file {file} cannot be locked: {error.strerror}") from error
    return keys


def text_of(keys: Keys) -> str:
    """The text of the keys file: JSON, secrets in base64."""
    document = {
        "version": _VERSION,
        "log": keys.log,
        "signing": [{"id": key.id, "since": _written(key.since), "seed": _encoded(key.seed)} for key in keys.signing],
        "wrapping": [{"id": key.id, "key": _encoded(key.key)} for key in keys.wrapping],
        "lookup": _encoded(keys.lookup),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def keys_of(text: str, where: str) -> Keys:
    """The keys that a text holds. `where` it comes from, for messages.

    Raises:
        KeysProblem: it does not hold keys; names the field.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise KeysProblem(f"{where}: this is no JSON; give the text of a keys file as it is") from None
    return _Reading(where).keys(document)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads a keys document; `where` it stands, for messages."""

    where: str

    def keys(self, document: object) -> Keys:
        if not isinstance(document, dict) or document.get("version") != _VERSION:
            raise KeysProblem(f"{self.where}: version: this is no keys file of version {_VERSION}")
        signing = tuple(map(self._signing, self._items(document, "signing")))
        wrapping = tuple(map(self._wrapping, self._items(document, "wrapping")))
        return self._consistent(Keys(self._text(document, "log"), signing, wrapping, self._secret(document, "lookup")))

    def _signing(self, item: Mapping[str, Any]) -> SigningKey:
        return SigningKey(self._text(item, "id"), self._secret(item, "seed"), self._time(item))

    def _wrapping(self, item: Mapping[str, Any]) -> WrappingKey:
        return WrappingKey(self._text(item, "id"), self._secret(item, "key"))

    def _consistent(self, keys: Keys) -> Keys:
        if not keys.log.isalnum() or not keys.log.isascii():
            raise self._wrong("log", "letters and digits")
        if [verifier.id.hex() for verifier in keys.verifiers] != [key.id for key in keys.signing]:
            raise self._wrong("signing", "keys with the ids of their own bytes and log")
        if len({key.id for key in keys.wrapping}) < len(keys.wrapping):
            raise self._wrong("wrapping", "keys with ids of their own")
        return keys

    def _items(self, document: Mapping[str, Any], name: str) -> list[Any]:
        found = document.get(name)
        if not isinstance(found, list) or not found or not all(isinstance(item, dict) for item in found):
            raise self._wrong(name, "a list with at least one key")
        return found

    def _text(self, document: Mapping[str, Any], name: str) -> str:
        found = document.get(name)
        if not isinstance(found, str) or not found:
            raise self._wrong(name, "a text")
        return found

    def _secret(self, document: Mapping[str, Any], name: str) -> bytes:
        try:
            found = base64.b64decode(self._text(document, name), validate=True)
        except (binascii.Error, ValueError):
            found = b""
        if len(found) != KEY_BYTES:
            raise self._wrong(name, f"{KEY_BYTES} bytes in base64")
        return found

    def _time(self, document: Mapping[str, Any]) -> datetime.datetime:
        try:
            found = datetime.datetime.fromisoformat(self._text(document, "since"))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise self._wrong("since", "a time with its zone, such as 2026-11-22T00:00:00+00:00")
        return found.astimezone(datetime.UTC)

    def _wrong(self, name: str, right: str) -> KeysProblem:
        return KeysProblem(f"{self.where}: {name}: {right} must stand here")


def _make(file: Path) -> None:
    """New keys in the file, unless another process was first: a link appears whole or not at all, and never in another's place."""
    with _beside(file, text_of(new_keys(datetime.datetime.now(datetime.UTC)))) as written, contextlib.suppress(FileExistsError):
        file.hardlink_to(written)


def _private(file: Path) -> str:
    """The text of a file that nobody but its owner can read."""
    with file.open(encoding="utf-8") as opened:
        if os.fstat(opened.fileno()).st_mode & _OTHERS:
            raise KeysProblem(f"others can read the keys file {file}; run: chmod 600 {shlex.quote(str(file))}")
        try:
            return opened.read()
        except UnicodeDecodeError:
            raise KeysProblem(f"{file}: this is no JSON; put the keys file back") from None


@contextlib.contextmanager
def _beside(file: Path, text: str) -> Iterator[Path]:
    """A synced file of the owner's only, in the same folder; gone afterwards. What was done with it meanwhile is synced too."""
    written = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        with open(
            written, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)
        ) as opened:  # Path.open takes no opener
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        yield written
    finally:
        written.unlink(missing_ok=True)
    with _opened(file.parent) as folder:
        os.fsync(folder)


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else who asks for this folder goes on meanwhile."""
    with _opened(folder) as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    opened = os.open(folder, os.O_RDONLY)
    try:
        yield opened
    finally:
        os.close(opened)


def _written(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).isoformat(timespec="microseconds")


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
