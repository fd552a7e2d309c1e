"""`wanliu caller`: who may call the service, and as what. Every change is on the record."""

from __future__ import annotations

import contextlib
import datetime
import getpass
from collections.abc import Iterator
from typing import Any

from rich.table import Table

from app.cli.console import err, fail, out, write_json
from app.cli.packs import settings
from app.record import Ids, StoreError
from app.record.callers import CallerRefused, Listed, add_caller, all_callers, revoke_caller
from app.record.keys import KeysProblem
from app.record.store.opening import record_now
from app.record.store.record import Record


def add(name: str, role: str, grade: str | None) -> None:
    """Add a caller and print the key, the only time it is seen."""
    now = _now()
    with _opened() as record:
        added = add_caller(_known(record), str(Ids().new(now)), now, name, role, by=_who(), grade=grade)
        record.write_now(added.entry)
    print(added.key)  # noqa: T201 - the answer, alone on standard output so that a program can take it
    _tell(
        f"This is the key of {name}, with the role {role}. It is shown once and kept nowhere; a lost key is revoked, and another one added."
    )


def show(*, as_json: bool) -> None:
    """Print who was ever added."""
    with _opened() as record:
        callers = record.read_now(all_callers)
    if as_json:
        write_json([caller._asdict() for caller in callers])
    elif callers:
        out().print(_table(callers))
    else:
        _tell("There are no callers: the service is in development mode. Add one with `wanliu caller add NAME --role ROLE`.")


def revoke(name: str) -> None:
    """Take a caller's key away."""
    now = _now()
    with _opened() as record:
        record.write_now(revoke_caller(_known(record), str(Ids().new(now)), now, name, by=_who()))
    _tell(f"{name} may not call any more, within two seconds.")


@contextlib.contextmanager
def _opened() -> Iterator[Record]:
    """The record; what goes wrong with it, or is refused, ends the command."""
    try:
        with record_now(settings(), _now) as record:
            yield record
    except (CallerRefused, StoreError, KeysProblem) as error:
        fail(error)


def _known(record: Record) -> dict[str, Listed]:
    return {caller.name: caller for caller in record.read_now(all_callers)}


def _table(callers: list[Listed]) -> Table:
    table = Table("name", "role", "grade", "since", "added by", "revoked", box=None, pad_edge=False)
    for caller in callers:
        cells: list[Any] = [caller.name, caller.role, caller.grade or "", caller.since[:19], caller.made_by, (caller.revoked_at or "")[:19]]
        table.add_row(*cells, style="dim" if caller.revoked_at else None)
    return table


def _tell(text: str) -> None:
    err().print(text, soft_wrap=True)


def _who() -> str:
    """The name under which the operating system knows whoever runs the command."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
