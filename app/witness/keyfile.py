"""The witness's own key: one line in a file that only its owner can read, made when the witness first starts."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import shlex
from pathlib import Path

from app.record.keys import KEY_BYTES
from app.record.log.cosigning import Cosigner
from app.record.log.notes import BadKey

_MARK = "PRIVATE+KEY"
_KIND = b"\x04"
_OTHERS = 0o077


class KeyFileProblem(Exception):
    """The key cannot be had. Names the file, never what stands in it."""


def load_signer(file: Path, name: str | None) -> Cosigner:
    """The key of this witness.

    Args:
        file: where it is kept; made when it is not there.
        name: what a new one is called; a random name when left out.

    Raises:
        KeyFileProblem: the file cannot be read or made, others can read it, it holds no key, or the key has another name.
    """
    try:
        if not file.exists():
            _make(file, Cosigner(name or f"witness-{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES)))
        signer = _read(file)
    except BadKey as error:
        raise KeyFileProblem(f"{file}: {error}") from None
    except OSError as error:
        raise KeyFileProblem(f"the key file {file} cannot be read or made: {error.strerror}") from None
    if name is not None and name != signer.name:
        raise KeyFileProblem(f"the key in {file} is called `{signer.name}`; leave the name out, or name another file")
    return signer


def _make(file: Path, signer: Cosigner) -> None:
    """The text of a C2SP signer key, synced with its folder; another process that was first keeps its own."""
    text = f"{_MARK}+{signer.name}+{signer.key.id.hex()}+{base64.b64encode(_KIND + signer.seed).decode()}\n"
    beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(descriptor)
        file.hardlink_to(beside)
    except FileExistsError:
        return
    finally:
        beside.unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _read(file: Path) -> Cosigner:
    with file.open(encoding="utf-8") as opened:
        if os.fstat(opened.fileno()).st_mode & _OTHERS:
            raise KeyFileProblem(f"others can read the key file {file}; run: chmod 600 {shlex.quote(str(file))}")
        try:
            text = opened.read(4_096)
        except UnicodeDecodeError:
            text = ""
    name, _, rest = text.strip().removeprefix(f"{_MARK}+").partition("+")
    try:
        data = base64.b64decode(rest.partition("+")[2], validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if data[:1] != _KIND or len(data) != KEY_BYTES + 1:
        raise BadKey("this is no signer key of a witness; put the file back")
    return Cosigner(name, data[1:])
