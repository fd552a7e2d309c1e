"""`wanliu pack publish | approve | reject | activate | schedule | withdraw | rollback | list`: packs in force, on the record."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from app.cli.console import cannot_read, complain, fail, out, write_json
from app.cli.pack_tables import moment, packs_table, say, steps_table, tests_in_words
from app.cli.packs import folder_of, settings, unusable
from app.engine.problems import PackError
from app.engine.texts import language_of
from app.record.callers import callers_by_key
from app.record.entries import NewEntry
from app.record.ids import Ids
from app.record.keys import KeysProblem
from app.record.packs.history import COLUMNS, shortened
from app.record.packs.library import DamagedPack, Shelf, read_shelf, stored_content
from app.record.packs.publishing import checked, read_content
from app.record.packs.steps import BadStep, Checked, Desk, PackContent, PackStepError, person
from app.record.store.database import stamp
from app.record.store.opening import record_now
from app.record.store.problems import RowRefused, StoreError
from app.record.store.record import Record
from app.workbench.trial import Trial


def publish(given: Path | None, author: str, locale: str) -> None:
    """Check a pack, run its tests, and put it on the record. Tests that fail are told: they keep a pack from deciding."""
    with _told():
        by = person(author, "author")
    folder = folder_of(given)
    pack, trial = _checked(folder)
    digest, language = pack.content.digest, language_of(locale)
    with _told(), _record() as record:
        is_new = _published(record, pack, by)
    complain(*trial.failures)
    console = out()
    console.print(f"{digest}", soft_wrap=True)
    named, told = f"{pack.name} {pack.version}", tests_in_words(pack.passed, pack.failed, language)
    console.print(say("is published" if is_new else "was published", language, named, told), markup=False, soft_wrap=True)
    if trial.failures:
        console.print(say("failing", language), style="red")
    elif is_new:
        console.print(say("next", language, shortened(digest)), markup=False, soft_wrap=True)


def approve(digest: str, by: str, note: str | None, locale: str) -> None:
    """Approve a pack that somebody else published."""
    _take(digest, by, lambda desk, found, name: desk.approve(found, name, note), "is approved", locale)


def reject(digest: str, by: str, note: str, locale: str) -> None:
    """Refuse a pack, or take its approval back."""
    _take(digest, by, lambda desk, found, name: desk.reject(found, name, note), "is rejected", locale)


def activate(digest: str, by: str, at: str | None, note: str | None, locale: str) -> None:
    """Let an approved pack decide, now or from a time on."""
    with _told():
        since = _moment(at) if at is not None else None
    told = "is scheduled" if at else "is active"
    _take(digest, by, lambda desk, found, name: desk.activate(found, name, since, note), told, locale, warn=True)


def withdraw(digest: str, by: str, note: str | None, locale: str) -> None:
    """Take a pack's scheduled activations back."""
    _take(digest, by, lambda desk, found, name: desk.withdraw(found, name, note), "is withdrawn", locale)


def rollback(by: str, note: str | None, locale: str) -> None:
    """Bring back the pack that was active before."""
    _take(None, by, lambda desk, _, name: desk.rollback(name, note), "is back", locale, warn=True)


def show_list(locale: str, *, steps: bool, as_json: bool) -> None:
    """Every pack of the store with its state; with `steps` all that was done with each."""
    with _told(), _record() as record:
        shelf = record.read_now(read_shelf)
    now, language = stamp(_now()), language_of(locale)
    if as_json:
        packs = [{**asdict(shelf.summary(name, now)), "steps": _steps_of(shelf, name)} for name in shelf.packs]
        write_json({"packs": packs, "not_on_record": [item.told for item in shelf.history.unfounded]})
        return
    complain(*(item.told for item in shelf.history.unfounded))
    console = out()
    if not shelf.packs:
        console.print(say("nothing", language))
        return
    console.print(packs_table(shelf, now, language))
    for pack in (shelf.summary(digest, now) for digest in shelf.packs):
        if pack.refused is not None:
            console.print(say("cannot", language, shortened(pack.digest), pack.refused), markup=False, soft_wrap=True)
    if steps:
        console.print(steps_table(shelf, language))


def _steps_of(shelf: Shelf, digest: str) -> list[dict[str, Any]]:
    return [{name: getattr(step, name) for name in COLUMNS} for step in shelf.history.of_pack(digest)]


def _checked(folder: Path) -> tuple[Checked, Trial]:
    try:
        content = read_content(folder)
        return asyncio.run(checked(content, today=_now().astimezone().date(), cache=settings().cache_folder))
    except OSError as error:
        fail(cannot_read(f"the pack in `{folder}`", error))
    except PackError as error:
        unusable(folder, error)


def _published(record: Record, pack: Checked, by: str) -> bool:
    """Publish it; false where that was done before."""
    for last in (False, True):
        shelf, stored = record.read_now(lambda connection: (read_shelf(connection), _stored(connection, pack)))
        entry = _desk(shelf).publish(pack, by, stored)
        if entry is None:
            return False
        try:
            record.write_now(entry)
            break
        except RowRefused:  # somebody published it meanwhile
            if last:
                raise
    return True


def _stored(connection: Any, pack: Checked) -> PackContent | None:
    return stored_content(connection, pack.content.digest)


def _take(given: str | None, by: str, wish: Callable[[Desk, str, str], NewEntry], told: str, locale: str, *, warn: bool = False) -> None:
    """Take a step, and say what became of which pack."""
    with _told(), _record() as record:
        name = person(by)
        shelf, development = record.read_now(lambda connection: (read_shelf(connection), callers_by_key(connection) is None))
        found = shelf.find(given) if given is not None else ""
        entry = wish(_desk(shelf), found, name)
        record.write_now(entry)
    pack = shelf.packs[str(entry.body["digest"])]
    language = language_of(locale)
    out().print(
        say(told, language, f"{shortened(pack.digest)} {pack.name} {pack.version}", moment(entry.body.get("effective_at"))),
        markup=False,
        soft_wrap=True,
    )
    if warn and development:
        complain(say("follows folder", language))


def _desk(shelf: Shelf) -> Desk:
    return Desk(shelf.history, _now(), Ids())


@contextlib.contextmanager
def _record() -> Iterator[Record]:
    with record_now(settings(), _now) as record:
        yield record


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say what goes wrong, and end the command."""
    try:
        yield
    except BadStep as error:
        _fail(f"--{error.field}: {error}")
    except (PackStepError, StoreError, KeysProblem, DamagedPack) as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    fail(*message.splitlines())


def _moment(written: str) -> datetime.datetime:
    try:
        found = datetime.datetime.fromisoformat(written)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadStep("at", f"`{written[:80]}` is no time with its offset; write it as 2026-12-01T00:00:00+08:00")
    return found


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
