"""`wanliu caller`: who may call the service, and as what. Every change is on the record."""

from __future__ import annotations

import contextlib
import datetime
import getpass
from collections.abc import Iterator
from typing import Any

from app.api.identity.trusting import trust_of
from app.cli.columns import Columns, table
from app.cli.console import err, fail, out, write_json
from app.cli.pack_tables import moment
from app.cli.packs import settings
from app.cli.store import in_force, library
from app.engine.intake.wording import nearest_or_all
from app.engine.pack import Pack
from app.engine.problems import PackError, shown
from app.record.callers import ROLES, CallerRefused, Listed, add_caller, all_callers, revoke_caller
from app.record.ids import Ids
from app.record.keys import KeysProblem
from app.record.packs.steps import UnknownPack
from app.record.store.opening import record_now
from app.record.store.problems import StoreError
from app.record.store.record import Record

_NOBODY = "There are no callers: the service is in development mode. Add one with `wanliu caller add NAME --role ROLE`."
_TOKENS = "There are no callers with keys: those who call come with tokens (WANLIU_JWT_ISSUER)."


def add(name: str, role: str, grade: str | None, beside: str | None) -> None:
    """Add a caller, beside another where one is named, and print the key, the only time it is seen."""
    now = _now()
    with _opened() as record:
        if grade is not None:
            _check_grade(record, grade)
        added = add_caller(_known(record), Ids().new(now), now, name, role, by=_who(), grade=grade, beside=beside)
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
        write_json([{**caller._asdict(), "system": caller.system or caller.name} for caller in callers])
    elif callers:
        out().print(_table(callers))
    else:
        _tell(_NOBODY if trust_of(settings()) is None else _TOKENS)


def revoke(name: str) -> None:
    """Take a caller's key away."""
    now = _now()
    with _opened() as record:
        record.write_now(revoke_caller(_known(record), Ids().new(now), now, name, by=_who()))
    _tell(f"{name} may not call any more, within two seconds.")


@contextlib.contextmanager
def _opened() -> Iterator[Record]:
    """The record; what goes wrong with it, or is refused, ends the command."""
    try:
        with record_now(settings(), _now) as record:
            yield record
    except (CallerRefused, StoreError, KeysProblem) as error:
        fail(error)


def _check_grade(record: Record, grade: str) -> None:
    """Refuse a grade that the pack in force does not know: it could concede nothing.

    Raises:
        CallerRefused: with the name it is most like.
    """
    pack = _pack(record)
    if pack is None:
        _tell(f"No pack is to be had that says what the grade `{grade}` may concede; one that it does not know concedes nothing.")
    elif no_grade := no_grade_of(pack, grade):
        raise CallerRefused(f"--grade: {no_grade}")


def no_grade_of(pack: Pack, grade: str) -> str:
    """What to say of a grade that a pack does not know, with the one that was meant; nothing where it knows it.

    What an agent without a grade may concede, and other roles, stands in the same list under the name of the role.
    """
    grades = [name for name in pack.choosing.concession if name not in ROLES]
    if grade in grades:
        return ""
    kind = "a role, and no grade" if grade in ROLES else "no grade"
    return f"{shown(grade)} is {kind} under `arbitration.concession` of {pack.name} {pack.version}; {nearest_or_all(grade, grades)}"


def _pack(record: Record) -> Pack | None:
    """The pack in force, or the one that a new store will be seeded with."""
    packs = library(record)
    try:
        return in_force(record, packs) or packs.load_folder_or_digest(str(settings().pack))
    except (PackError, UnknownPack, OSError):
        return None


def _known(record: Record) -> dict[str, Listed]:
    return {caller.name: caller for caller in record.read_now(all_callers)}


def _table(callers: list[Listed]) -> Columns:
    made = table("", "name", "role", "grade", "system", "since", "added by", "revoked", whole=(4, 6), loose=(0, 3, 5))
    for caller in callers:
        since, revoked = moment(caller.since), moment(caller.revoked_at)
        cells: list[Any] = [caller.name, caller.role, caller.grade or "", caller.system or caller.name, since, caller.made_by, revoked]
        made.add_row(*cells, style="dim" if caller.revoked_at else None)
    return made


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
