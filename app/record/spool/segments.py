"""Files of the spool: entries one after the other, each encrypted with the file's own key, which the record's keys wrap."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.record.keys import Keys
from app.record.privacy import new_subject, unwrap

_NONCE = 12
_LENGTH = 4
SUFFIX = ".spool"
REFUSED = ".refused"
"""Of a file that has entries which could not be stored, for a person to see."""


class Segment:
    """A file that takes entries. What `append` was given is on the disk when it returns."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.path = folder / f"{secrets.token_hex(8)}{SUFFIX}"
        made = new_subject(keys)
        self._cipher = AESGCM(made.key)
        self._number = 0
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        header = {"version": 1, "key": base64.b64encode(made.wrapped).decode(), "wrapped_with": made.wrapped_with}
        os.write(self._file, orjson.dumps(header) + b"\n")
        sync_folder(folder)
        self.size = os.fstat(self._file).st_size

    def append(self, entries: Sequence[bytes]) -> None:
        """Add entries.

        Raises:
            OSError: they are not on the disk; close this file, which may end anywhere now.
        """
        content = b"".join(map(self._closed, entries))
        if os.write(self._file, content) != len(content):
            raise OSError("the disk took a part only")
        os.fsync(self._file)
        self.size += len(content)

    def close(self) -> None:
        """Take no more."""
        os.close(self._file)

    def _closed(self, entry: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        content = nonce + self._cipher.encrypt(nonce, entry, _place(self.path, self._number))
        self._number += 1
        return len(content).to_bytes(_LENGTH) + content


def entries_in(path: Path, keys: Keys) -> Iterator[bytes | None]:
    """The entries in a file; none for one that cannot be read. What is torn off at the end was never acknowledged, and is left out.

    Raises:
        KeysProblem, Unreadable: its key cannot be unwrapped.
        ValueError: it is no file of the spool.
    """
    header, whole, content = path.read_bytes().partition(b"\n")
    if not whole:
        return
    told = orjson.loads(header)
    cipher = AESGCM(unwrap(keys, base64.b64decode(told["key"]), told["wrapped_with"]))
    for number, sealed in enumerate(_parts(content)):
        try:
            yield cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _place(path, number))
        except (InvalidTag, ValueError):
            yield None


def _parts(content: bytes) -> Iterator[bytes]:
    start = 0
    while start + _LENGTH <= len(content):
        end = start + _LENGTH + int.from_bytes(content[start : start + _LENGTH])
        if end > len(content):
            return
        yield content[start + _LENGTH : end]
        start = end


def sync_folder(folder: Path) -> None:
    """Make what was done with files of the folder last."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _place(path: Path, number: int) -> bytes:
    """Binds an entry to its place, so that none can be moved or left out from within."""
    return f"{path.stem} {number}".encode()
