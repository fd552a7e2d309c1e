"""Packs as they stand on the record: what a step begins with, and how a pack is shown."""

from __future__ import annotations

import contextlib
import re
from itertools import islice

from sqlalchemy import Connection

from app.api.calls import Call
from app.api.packs.answers import PackDetail, steps_of
from app.record.packs.library import DamagedPack, Shelf, read_shelf, stored_content
from app.record.packs.publishing import texts_of
from app.record.packs.steps import Desk, PackContent, UnknownPack
from app.record.store.database import stamp


async def shelf_with(call: Call, digest: str) -> Shelf:
    """Every pack, this one among them.

    Raises:
        UnknownPack: it was never published.
        StoreError: they cannot be read.
    """
    shelf = await call.read(read_shelf)
    if digest not in shelf.packs:
        raise UnknownPack("no pack has this digest")
    return shelf


def desk_of(call: Call, shelf: Shelf) -> Desk:
    """Where the next step is taken, at this time."""
    return Desk(shelf.history, call.now(), call.services.ids)


def detail_of(call: Call, shelf: Shelf, digest: str, content: PackContent | None = None) -> PackDetail:
    """A pack and all that was done with it; with its files, where they are given."""
    files = dict(texts_of(content)) if content is not None else None
    return PackDetail(shelf.summary(digest, stamp(call.now())), steps_of(shelf.history, digest), files)


async def other_actions(call: Call) -> frozenset[str]:
    """Actions of the newest packs in the store, whatever became of them: one of them may be in force tomorrow.

    Raises:
        StoreError: they cannot be read.
    """
    return await call.read(actions_on_shelf)


_ACTION = re.compile(rb"^action:[ \t]*[\"']?([A-Za-z0-9_.-]+)", re.MULTILINE)
_NEWEST = 20


def actions_on_shelf(connection: Connection) -> frozenset[str]:
    """Actions that the files of the newest packs name; of files that were changed in the store, none.

    Args:
        connection: a reading transaction.
    """
    found: set[str] = set()
    for digest in islice(read_shelf(connection).packs, _NEWEST):
        with contextlib.suppress(DamagedPack):
            content = stored_content(connection, digest)
            for file in () if content is None else content.files.values():
                found.update(name.decode() for name in _ACTION.findall(file))
    return frozenset(found)
