"""The file that keeps the keys: made once, for its owner only, and replaced as a whole."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import secrets
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from app.record.keys.model import Keys, new_keys, rotated
from app.record.keys.problems import KeysProblem
from app.record.keys.source import KeySource
from app.record.keys.text import keys_of, text_of

_OTHERS = 0o077
_START_ANEW = "set WANLIU_KEYS to the text that the keys file of the rotation holds, and start this process anew"


def load_keys(file: Path | None, given: str | None) -> Keys:
    """The keys of this log.

    Args:
        file: where they are kept; made with new keys when it is not there. Processes that start at once agree on one file.
        given: the text of such a file, from the environment; then no file is read or made.

    A wrapping key that is added to the file later is found when something is met that it wraps.

    Raises:
        KeysProblem: neither is there, somebody else may read the file, or it does not hold keys.
    """
    if given is not None:
        return replace(keys_of(given, "WANLIU_KEYS"), source=KeySource(what_to_do=_START_ANEW))
    if file is None:
        raise KeysProblem("no keys: name a file that keeps them, or give them in WANLIU_KEYS")
    try:
        if not file.exists():
            _make(file)
        found = keys_of(_private(file), str(file))
        return replace(found, source=KeySource(lambda: keys_of(_private(file), str(file)), _into(file)))
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


def _into(file: Path) -> str:
    return f"put the keys file of the rotation at {file}, which is read again when an unknown key is met"


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
