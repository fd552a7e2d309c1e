"""What somebody can do to an export: to its files alone, with the list of contents made to fit, or with everything signed again."""

from __future__ import annotations

import importlib.util
import io
import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import IO

from sqlalchemy import Connection

from app.record.export.bundling import CONTENTS, KIT
from app.record.export.exporting import Wanted, export
from app.record.keys import Keys, new_keys, public_half
from app.record.log import tree
from app.record.log.notes import SignerKey, read_checkpoint, sign_checkpoint, sign_note
from app.record.log.stretches import Stretch
from app.record.store.database import Database
from tests.faults import tampering
from tests.faults.making import START
from tests.faults.tampering_files import ACTS, Files
from tests.faults.tampering_store import NotHere, Scene


def _verifier() -> ModuleType:
    """The program that travels with every bundle."""
    found = importlib.util.spec_from_file_location("bundle_verify", KIT / "verify.py")
    if found is None or found.loader is None:
        raise FileNotFoundError("verify.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


verify = _verifier()


class InMemory(verify.Folder):  # type: ignore[name-defined, misc]
    """A bundle's files, in memory."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def names(self) -> set[str]:
        return set(self._files)

    def open(self, name: str) -> IO[bytes]:
        return io.BytesIO(self._files[name])

    def read(self, name: str) -> bytes:
        return self._files[name]


def findings(files: Files, *, trusted: list[str], kept: list[str]) -> list[str]:
    """What the verifier of the bundle finds wrong, as its program tells it."""
    check = verify.Check(InMemory(files), trusted, kept)
    try:
        check.run()
    except verify.Wrong as error:
        return [str(error)]
    except Exception as error:  # noqa: BLE001 - as the program itself does
        return [f"damaged: {error}"]
    return list(check.findings)


@dataclass
class Bundles:
    """Exports of one log: as it is, and tampered with."""

    database: Database
    connection: Connection
    keys: Keys
    dice: random.Random

    def __post_init__(self) -> None:
        newest = tree.checkpoint(self.connection)
        if newest is None:
            raise NotHere
        self._newest, self.size = newest.note, newest.size
        self.files = exported(self.connection, self.keys, self.size)
        self._trusted = [verifier.text() for verifier in self.keys.verifiers]

    def untouched(self) -> list[str]:
        """What is found wrong with the export as it is."""
        with self._kept() as kept:
            return findings(self.files, trusted=self._trusted, kept=[kept])

    def edit(self) -> tuple[str, bool]:
        """Tamper with the export in some way: what was done, and whether it was noticed."""
        while True:
            try:
                if self.dice.random() < 0.05:
                    return self._of_another_history()
                act, care = self.dice.choice(ACTS), self.dice.choice(CARES)
                files = dict(self.files)
                act(files, self.dice)
                care(files, self)
                return f"export {act.__name__}, {care.__name__}", bool(findings(files, trusted=self._trusted, kept=[]))
            except NotHere:
                continue

    def _of_another_history(self) -> tuple[str, bool]:
        """An export, in every way genuine, of a log that was rolled back or forked; somebody kept a checkpoint."""
        way = self.dice.choice((tampering.roll_back, tampering.fork, tampering.fork_shorter))
        with self.database.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                way(Scene(self.database, connection, self.keys, self.dice))
                newest = tree.checkpoint(connection)
                if newest is None:
                    raise NotHere
                files = exported(connection, self.keys, newest.size)
            finally:
                connection.exec_driver_sql("ROLLBACK")
        with self._kept() as kept:
            return f"export {way.__name__}", bool(findings(files, trusted=self._trusted, kept=[kept]))

    def _kept(self) -> _Kept:
        return _Kept(self._newest)


class _Kept:
    """A checkpoint in a file, as somebody keeps it."""

    def __init__(self, note: str) -> None:
        self._note = note

    def __enter__(self) -> str:
        self._file = tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8")
        self._file.write(self._note)
        self._file.flush()
        return self._file.name

    def __exit__(self, *_: object) -> None:
        self._file.close()


def exported(connection: Connection, keys: Keys, size: int) -> Files:
    """The files of a bundle of the whole log."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "bundle"
        export(connection, keys, Wanted([Stretch(0, size - 1)]), out, START)
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def as_it_is(files: Files, bundles: Bundles) -> None:
    """Nothing else."""


def listed(files: Files, bundles: Bundles) -> None:
    """The list of contents has the new hashes; its signature is the old one."""
    _, _, signed = files[CONTENTS].decode().rpartition("\n\n")
    files[CONTENTS] = f"{_contents(files)}\n{signed}".encode()


def signed_by_the_log(files: Files, bundles: Bundles) -> None:
    """The list of contents is signed again, with the log's own key; the checkpoint is what it was."""
    files[CONTENTS] = sign_note(_contents(files), bundles.keys.signer).encode()


def signed_by_another(files: Files, bundles: Bundles) -> None:
    """The list, the checkpoint and the keys are another's, under the log's name."""
    seed = new_keys(START).signing[-1].seed
    signer = SignerKey(bundles.keys.origin, seed)
    half = public_half(bundles.keys)
    half["signing"][0]["key"] = signer.verifier.text()
    files["keys.json"] = json.dumps(half).encode()
    for name in [name for name in files if name.startswith("checkpoint")]:
        try:
            files[name] = sign_checkpoint(read_checkpoint(files[name].decode(), bundles.keys.verifiers), signer).encode()
        except ValueError:
            continue
    files[CONTENTS] = sign_note(_contents(files), signer).encode()


def _contents(files: Files) -> str:
    rest = sorted(name for name in files if name != CONTENTS)
    return "wanliu bundle 1\n" + "".join(f"{sha256(files[name]).hexdigest()}  {name}\n" for name in rest)


CARES: tuple[Callable[[Files, Bundles], None], ...] = (as_it_is, listed, signed_by_the_log, signed_by_another)
