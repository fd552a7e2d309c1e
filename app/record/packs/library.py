"""Every pack that was ever published, and what was done with each: read from the store, built when asked for."""

from __future__ import annotations

import re
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from app.engine.pack import LARGEST_PACK, Pack, PatternEngine, build_pack, load_pack
from app.engine.problems import nearest
from app.record.packs.history import History, State, Step, shortened
from app.record.packs.standing import read_history
from app.record.packs.steps import TESTS, PackContent, UnknownPack
from app.record.store.database import Database, cause
from app.record.store.problems import StoreUnavailable
from app.record.store.tables import PackRow, PackStepRow

Made = TypeVar("Made")

MOST_KEPT = 8
_LARGEST_STORED = 3 * LARGEST_PACK
_DIGEST = "sha256:"
_prefix = re.compile(r"(sha256:)?[0-9a-fA-F]{1,64}")


class DamagedPack(Exception):
    """What the store has under a digest is not what was published under it."""


@dataclass(frozen=True, slots=True)
class StoredPack:
    """A pack in the store, without its files. `at` is when it was published first, by `author`."""

    digest: str
    name: str
    version: str
    at: str
    author: str


@dataclass(frozen=True, slots=True)
class PackSummary:
    """A pack and how far it has come.

    `approved_by` is null unless an approval stands, `active_since` unless it is in force, `scheduled_for` unless it will be; `refused` says
    why it was activated and could not take over.
    """

    digest: str
    name: str
    version: str
    state: State
    author: str
    published_at: str
    approved_by: str | None
    active_since: str | None
    scheduled_for: str | None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """All packs of the store, newest first, with all that was done with them."""

    packs: Mapping[str, StoredPack]
    history: History

    def summary(self, digest: str, moment: str) -> PackSummary:
        """A pack as the lists show it."""
        pack, history = self.packs[digest], self.history
        active, verdict = history.active(moment), history.verdict(digest)
        approved = verdict.by if verdict is not None and verdict.step == "approved" else None
        since = active.since if active is not None and active.digest == digest else None
        ahead = next((step.since for step in history.scheduled(moment, digest)), None)
        state = history.state(digest, moment)
        refusal = history.refusal(digest) if state == "refused" else None
        why = refusal.note if refusal is not None else None
        return PackSummary(digest, pack.name, pack.version, state, pack.author, pack.at, approved, since, ahead, why)

    def find(self, given: str) -> str:
        """The pack that `digest_among` finds.

        Raises:
            UnknownPack: none, or several.
        """
        return digest_among(list(self.packs), given)


def digest_among(digests: Sequence[str], given: str) -> str:
    """The digest that begins as given, with or without `sha256:`; a few characters do where they name one pack only.

    Raises:
        UnknownPack: none begins so, or several do. What was given is not repeated.
    """
    if not digests:
        raise UnknownPack("no pack was published yet; `wanliu pack publish` does")
    wanted = given.strip().lower().removeprefix(_DIGEST)
    found = [digest for digest in digests if wanted and digest.removeprefix(_DIGEST).startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownPack(f"begins {len(found)} digests: {', '.join(map(shortened, found[:5]))}; give more of it")
    raise UnknownPack(f"no pack has this digest; {_nearest(wanted, digests)}")


class PackLibrary:
    """Loads any pack ever used, by digest. Safe to use from several threads."""

    def __init__(
        self, database: Database, *, pattern_engine: PatternEngine | None = None, cache: Path | None = None, most: int = MOST_KEPT
    ) -> None:
        """
        Args:
            database: the store.
            pattern_engine: which matcher joins events.
            cache: folder that remembers which packs' patterns were tried.
            most: packs that are kept when they were built; those used longest ago go first.
        """
        self._database, self._engine, self._most = database, pattern_engine, most
        self.cache = cache
        self._kept: OrderedDict[str, Pack] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str) -> Pack:
        """The pack with this digest, built from the store.

        Raises:
            UnknownPack: the store has none.
            DamagedPack: its files are not those of the digest.
            PackError: this engine refuses it.
            StoreUnavailable: the store cannot be read.
        """
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
                return self._kept[digest]
        pack = self.build(self.content(digest))
        self.keep(pack)
        return pack

    def build(self, content: PackContent) -> Pack:
        """A pack from its files, with the matcher of this library.

        Raises:
            PackError: with every mistake found.
        """
        return build_pack(content.files, pattern_engine=self._engine, cache=self.cache)

    def keep(self, pack: Pack) -> None:
        """Have a pack at hand that was built elsewhere."""
        with self._lock:
            self._kept[pack.digest] = pack
            self._kept.move_to_end(pack.digest)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def content(self, digest: str) -> PackContent:
        """The files of a pack.

        Raises:
            UnknownPack: the store has none with this digest.
            DamagedPack: its files are not those of the digest.
            StoreUnavailable: the store cannot be read.
        """
        content = self._read(lambda connection: stored_content(connection, digest))
        if content is None:
            raise UnknownPack(f"no pack has the digest `{digest[:80]}`")
        return content

    def shelf(self) -> Shelf:
        """All packs and their history.

        Raises:
            StoreUnavailable: the store cannot be read.
        """
        return self._read(read_shelf)

    def _read(self, fn: Callable[[Connection], Made]) -> Made:
        try:
            with self._database.reading() as connection:
                return fn(connection)
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"the store cannot be read: {cause(error)}") from error

    def load_folder_or_digest(self, name: str) -> Pack:
        """A pack in a folder, a draft for example, or one of the store by its digest or the beginning of it.

        Raises:
            UnknownPack: neither a folder nor a digest of the store.
            PackError: it cannot be used.
        """
        if Path(name).is_dir():
            return load_pack(Path(name), pattern_engine=self._engine, cache=self.cache)
        if not _prefix.fullmatch(name):
            raise UnknownPack(f"`{name[:200]}` is neither a folder nor the digest of a pack")
        return self.get(self.shelf().find(name))


def read_shelf(connection: Connection) -> Shelf:
    """All packs that were published on the record, as their entries tell of them, and their history, in one transaction."""
    history = read_history(connection)
    stored = set(connection.execute(select(col(PackRow.digest))).scalars())
    first: dict[str, Step] = {}
    for step in history.steps:
        if step.step == "published" and step.digest in stored:
            first.setdefault(step.digest, step)
    newest = sorted(first.values(), key=lambda step: step.digest)
    return Shelf({step.digest: _published(step) for step in sorted(newest, key=lambda step: step.at, reverse=True)}, history)


def _published(step: Step) -> StoredPack:
    return StoredPack(step.digest, str(step.told.get("name", "")), str(step.told.get("version", "")), step.at, step.by)


def steps_mark(connection: Connection) -> tuple[int, str]:
    """What changes when a step is taken; cheap to ask for each second."""
    count, last = connection.execute(select(func.count(), func.max(col(PackStepRow.entry_id))).select_from(PackStepRow)).one()
    return int(count), last or ""


def stored_content(connection: Connection, digest: str) -> PackContent | None:
    """The files under a digest; none where the store has no such pack.

    Raises:
        DamagedPack: they are not those of the digest.
    """
    packed = connection.execute(select(col(PackRow.files)).where(col(PackRow.digest) == digest)).scalar_one_or_none()
    if packed is None:
        return None
    texts = _unpacked(packed)
    content = content_of(texts) if texts is not None else None
    if content is None or content.digest != digest:
        raise DamagedPack(f"the files under {shortened(digest)} are not those that were published")
    return content


def content_of(texts: Mapping[str, str]) -> PackContent:
    """A pack from the text of its files by path, those of suites among them."""
    files = {path: text.encode() for path, text in texts.items() if not path.startswith(TESTS)}
    return PackContent(files, {path: text.encode() for path, text in texts.items() if path.startswith(TESTS)})


def _unpacked(packed: bytes) -> dict[str, str] | None:
    """The stored texts; none where the bytes are not what `PackContent.packed` writes, or far too many."""
    try:
        found: Any = orjson.loads(zlib.decompressobj().decompress(packed, _LARGEST_STORED))
    except (zlib.error, orjson.JSONDecodeError):
        return None
    is_text = isinstance(found, dict) and all(isinstance(text, str) for text in found.values())
    return found if is_text else None


def _nearest(wanted: str, digests: Iterable[str]) -> str:
    """What to say of a digest that is not there: the one most like it, or the newest."""
    short = {shortened(digest): digest for digest in digests}
    return nearest(wanted[:12], short) or f"the newest is {next(iter(short))}"
