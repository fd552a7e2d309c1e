"""`wanliu pack publish | approve | reject | activate | schedule | withdraw | rollback | list`: packs in force, on the record."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from rich.text import Text

from app.cli.console import cannot_read, complain, fail, out, write_json
from app.cli.packs import folder_of, settings, table, unusable
from app.engine.problems import PackError
from app.record import Ids, Record, RowRefused, StoreError
from app.record.callers import callers_by_key
from app.record.entries import NewEntry
from app.record.keys import KeysProblem
from app.record.packs.history import State, shortened
from app.record.packs.library import DamagedPack, Shelf, read_shelf, stored_content
from app.record.packs.publishing import checked, read_content
from app.record.packs.steps import BadStep, Checked, Desk, PackContent, PackStepError, person
from app.record.store.database import stamp
from app.record.store.opening import record_now
from app.workbench.trial import Trial

_STYLES: dict[State, str] = {"active": "bold green", "scheduled": "green", "rejected": "red", "retired": "dim"}
_FOLLOWS_FOLDER = "no callers are configured, so the service follows its folder and not this; `wanliu caller add` ends development mode"


def publish(given: Path | None, author: str) -> None:
    """Check a pack, run its tests, and put it on the record. Tests that fail are told: they keep a pack from deciding."""
    with _told():
        by = person(author, "author")
    folder = folder_of(given)
    pack, trial = _checked(folder)
    digest = pack.content.digest
    with _told(), _record() as record:
        is_new = _published(record, pack, by)
    complain(*trial.failures)
    console = out()
    console.print(f"{digest}", soft_wrap=True)
    console.print(f"{pack.name} {pack.version} {'published' if is_new else 'was published before'}; {pack.told}", soft_wrap=True)
    if trial.failures:
        console.print("it cannot take over while its tests fail", style="red")
    elif is_new:
        console.print(f"next: wanliu pack approve {shortened(digest)} --by NAME", markup=False, soft_wrap=True)


def approve(digest: str, by: str, note: str | None) -> None:
    """Approve a pack that somebody else published."""
    _take(digest, by, lambda desk, found, name: desk.approve(found, name, note), "approved")


def reject(digest: str, by: str, note: str) -> None:
    """Refuse a pack, or take its approval back."""
    _take(digest, by, lambda desk, found, name: desk.reject(found, name, note), "rejected")


def activate(digest: str, by: str, at: str | None, note: str | None) -> None:
    """Let an approved pack decide, now or from a time on."""
    with _told():
        moment = _moment(at) if at is not None else None
    _take(digest, by, lambda desk, found, name: desk.activate(found, name, moment, note), "scheduled" if at else "active", warn=True)


def withdraw(digest: str, by: str, note: str | None) -> None:
    """Take a pack's scheduled activations back."""
    _take(digest, by, lambda desk, found, name: desk.withdraw(found, name, note), "no longer scheduled")


def rollback(by: str, note: str | None) -> None:
    """Bring back the pack that was active before."""
    _take(None, by, lambda desk, _, name: desk.rollback(name, note), "active again", warn=True)


def show_list(*, steps: bool, as_json: bool) -> None:
    """Every pack of the store with its state; with `steps` all that was done with each."""
    with _told(), _record() as record:
        shelf = record.read_now(read_shelf)
    now = stamp(_now())
    if as_json:
        steps_of = shelf.history.of_pack
        write_json({"packs": [{**asdict(shelf.summary(name, now)), "steps": [*map(asdict, steps_of(name))]} for name in shelf.packs]})
        return
    console = out()
    if not shelf.packs:
        console.print("no pack was published yet")
        return
    console.print(_packs(shelf, now))
    if steps:
        console.print(_steps(shelf))


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


def _take(given: str | None, by: str, wish: Callable[[Desk, str, str], NewEntry], told: str, *, warn: bool = False) -> None:
    """Take a step, and say what became of which pack."""
    with _told(), _record() as record:
        name = person(by)
        shelf, development = record.read_now(lambda connection: (read_shelf(connection), callers_by_key(connection) is None))
        found = shelf.find(given) if given is not None else ""
        entry = wish(_desk(shelf), found, name)
        record.write_now(entry)
    pack = shelf.packs[str(entry.body["digest"])]
    since = entry.body.get("effective_at")
    when = f" from {since}" if since is not None else ""
    out().print(f"{shortened(pack.digest)} {pack.name} {pack.version} {told}{when}", markup=False, soft_wrap=True)
    if warn and development:
        complain(_FOLLOWS_FOLDER)


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


def _packs(shelf: Shelf, now: str) -> Any:
    made = table("", "digest", "pack", "version", "state", "published by", "approved by", "decides from")
    for digest in shelf.packs:
        pack = shelf.summary(digest, now)
        state = Text(pack.state, style=_STYLES.get(pack.state, "none"))
        since = _short(pack.active_since or pack.scheduled_for)
        made.add_row(shortened(digest), pack.name, pack.version, state, pack.author, pack.approved_by or "", since)
    return made


def _steps(shelf: Shelf) -> Any:
    made = table("\nSteps", "at", "digest", "step", "by", "from", "note")
    for step in shelf.history.steps:
        ahead = step.effective_at if step.effective_at != step.at else None
        made.add_row(_short(step.at), shortened(step.digest), step.step, step.by, _short(ahead), Text(step.note or ""))
    return made


def _short(time: str | None) -> str:
    """A time to the second, as people read it."""
    return f"{time[:10]} {time[11:19]}Z" if time else ""
