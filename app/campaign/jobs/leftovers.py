"""What is not to stay in the folder of campaigns: files whose time is over, and who was erased, noted until a worker has taken them out."""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.campaign.jobs.places import ERASED, OUT, WATCH
from app.record.campaigns.jobs import outdated
from app.record.persons import NobodyKnown
from app.record.store.problems import StoreUnavailable

if TYPE_CHECKING:
    from app.record.store.record import Record

_BEGUN = "."
"""How the name of a note begins that is not whole yet."""


@contextlib.contextmanager
def reaching_files(folder: Path, subscriber: str) -> Iterator[None]:
    """Erase somebody within; afterwards a worker takes them out of the files of campaigns, those too whom the record does not know.

    Raises:
        StoreUnavailable: that could not be noted; erase them once more.
    """
    try:
        yield
    except NobodyKnown:
        note_erased(folder, subscriber)
        raise
    note_erased(folder, subscriber)


def note_erased(folder: Path, subscriber: str) -> None:
    """Note who was erased, where campaigns have left files. It is on the disk when this returns.

    Raises:
        StoreUnavailable: it could not be noted.
    """
    if not any((folder / name).is_dir() for name in (OUT, WATCH)):
        return
    try:
        place, name = folder / ERASED, secrets.token_hex(8)
        place.mkdir(exist_ok=True, mode=0o700)
        begun = place / f"{_BEGUN}{name}"
        with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(subscriber.encode("utf-8", "surrogatepass"))
            file.flush()
            os.fsync(file.fileno())
        begun.rename(place / name)
    except OSError as error:
        told = f"the folder of campaigns cannot be written: {(error.strerror or 'unknown error').lower()}; erase once more"
        raise StoreUnavailable(told) from error


def noted(folder: Path) -> list[Path]:
    """The notes of who was erased."""
    try:
        return [path for path in (folder / ERASED).iterdir() if not path.name.startswith(_BEGUN)]
    except FileNotFoundError:
        return []


def is_untidy(record: Record, folder: Path, keep_days: int) -> bool:
    """Is there anything that is not to stay.

    Raises:
        StoreUnavailable: the record cannot be read.
    """
    return bool(noted(folder) or over(record, keep_days, 1))


def over(record: Record, keep_days: int, most: int) -> list[str]:
    """Ids of jobs whose files have had their time, so many of them.

    Raises:
        StoreUnavailable: the record cannot be read.
    """
    if not keep_days:
        return []
    since = record.clock() - datetime.timedelta(days=keep_days)
    return record.read_now(lambda connection: outdated(connection, since, most))
