"""What a search is asked for, as people and programs write it, made into a query; what is wrong is told with the nearest right value."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import get_args

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.chosen import OWN_CHOICE
from app.engine.decision import IN_CONVERSATION, EmptyBecause
from app.engine.intake import FieldProblem
from app.engine.pack import Pack
from app.engine.problems import nearest
from app.engine.vocabulary import Channel, Outcome
from app.engine.vocabulary.types import Code
from app.record.callers import DEVELOPMENT, ROLES
from app.record.entries import Kind
from app.record.packs.steps import UnknownPack
from app.record.search.naming import digest_of, is_caller, near_caller
from app.record.search.query import FILTERS, MOST_VALUES, Query
from app.record.search.terms import gate_and_clause, sought, term
from app.record.store.database import stamp
from app.record.store.tables import SearchBlockRow

LONGEST = 200
_CODE: TypeAdapter[str] = TypeAdapter(Code)
_FEW = 12
"""Names that are all told where none is near."""
_CLOSED: Mapping[str, Sequence[str]] = {
    "kind": get_args(Kind),
    "channel": get_args(Channel),
    "role": (*ROLES, DEVELOPMENT),
    "empty": get_args(EmptyBecause),
}
"""Filters whose values are known for all packs."""
_OF_PACKS = ("stage", "phase", "moment", "signal", "offered", "tariff", "suppressed", "clause")
"""Filters whose values are names of a pack."""


class BadFilters(ValueError):
    """The search cannot be made; `problems` names each field and the nearest right value."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(f"{item.field}: {item.message}" for item in problems))
        self.problems = tuple(problems)


def query_of(
    connection: Connection,
    given: Mapping[str, Sequence[str]],
    pack: Pack | None,
    *,
    since: str | None = None,
    until: str | None = None,
    subject: str | None = None,
) -> Query:
    """The query that filters ask for.

    Args:
        connection: a reading transaction: a name that no pack in force knows may still be on record.
        given: values by the names of `FILTERS`.
        pack: in force, for what its parts are called.
        since: a time with its offset, or a date (UTC): entries from then on.
        until: the same: entries before then; of a date, to its end.
        subject: token of a subscriber.

    Raises:
        BadFilters: a filter that there is not, or a value that it cannot have.
    """
    problems: list[FieldProblem] = []
    terms: dict[str, tuple[str, ...]] = {}
    for name, values in given.items():
        problems += _wrong(connection, name, values, pack)
        terms[name] = tuple(dict.fromkeys(_pack(connection, value)[0] if name == "pack" else value for value in values))
    times = {}
    for name, text in (("since", since), ("until", until)):
        try:
            times[name] = None if text is None else moment_of(text, end=name == "until")
        except ValueError:
            problems.append(FieldProblem(name, "expected a date such as 2026-11-01, or a time such as 2026-11-01T08:00:00+08:00"))
    if not problems and times["since"] and times["until"] and times["since"] >= times["until"]:
        problems.append(FieldProblem("until", "expected a time after `since`"))
    if problems:
        raise BadFilters(problems)
    return Query({name: values for name, values in terms.items() if values}, subject, times["since"], times["until"])


def _wrong(connection: Connection, name: str, values: Sequence[str], pack: Pack | None) -> Iterator[FieldProblem]:
    if name not in FILTERS:
        yield FieldProblem(name, f"is not a filter; {nearest(name, FILTERS) or 'one of ' + ', '.join(FILTERS)}")
    elif len(values) > MOST_VALUES:
        yield FieldProblem(name, f"takes at most {MOST_VALUES} values")
    else:
        for value in values:
            message = _wrong_value(connection, name, value, pack)
            if message:
                yield FieldProblem(name, message)


def _wrong_value(connection: Connection, name: str, value: str, pack: Pack | None) -> str | None:
    """What is wrong with a value; none where nothing is. The value itself is not repeated."""
    if not value or len(value) > LONGEST or not value.isprintable():
        return f"expected 1 to {LONGEST} printable characters"
    if name in _CLOSED:
        known = _CLOSED[name]
        return None if value in known else f"there is no such {name}; {nearest(value, known) or 'one of ' + ', '.join(known)}"
    if name == "pack":
        return _pack(connection, value)[1]
    if name == "agent" and not _is_agent(value):
        return "expected an agent's code: letters, Chinese characters or digits, then also _ . : @ / + -, at most 64"
    if name == "caller" and not is_caller(connection, value) and not _on_record(connection, sought(name, value)):
        hint = near_caller(connection, value)
        return f"nobody of this name ever called{f'; {hint}' if hint else ''}"
    if name == "campaign":
        return None if _on_record(connection, sought(name, value)) else "no campaign of this name is on record"
    if name == "outcome":
        return _wrong_outcome(connection, value, pack)
    return _wrong_name(connection, name, value, pack) if name in _OF_PACKS else None


def _wrong_outcome(connection: Connection, value: str, pack: Pack | None) -> str | None:
    action, _, outcome = value.rpartition(":")
    if outcome not in get_args(Outcome):
        words = get_args(Outcome)
        return f"expected an outcome, alone or as action:outcome; {nearest(outcome, words) or 'one of ' + ', '.join(words)}"
    if value == outcome or _on_record(connection, sought("outcome", value)):
        return None
    return _unknown_name(action, () if pack is None else pack.by_id)


def _wrong_name(connection: Connection, name: str, value: str, pack: Pack | None) -> str | None:
    """What is wrong with a name of a pack: it is none of the pack in force, and none on record either."""
    known = () if pack is None else names_of(pack, name)
    given = value.partition(":")[0] if name == "signal" else value
    if given not in known:
        return None if _on_record(connection, _telling(name, value, known)) else _unknown_name(given, known)
    return _wrong_level(connection, value, pack) if name == "signal" and pack is not None else None


def _unknown_name(given: str, known: Collection[str]) -> str | None:
    """What to say of a name that nothing has; what somebody types is not put on the record of who searched for what."""
    if given in known:
        return None
    hint = nearest(given, known) or (f"one of {', '.join(known)}" if 0 < len(known) <= _FEW else "")
    return f"nothing on record and nothing in the pack in force has this name{f'; {hint}' if hint else ''}"


def _is_agent(value: str) -> bool:
    """May it be an agent's code? What else somebody types is not put on the record of who searched for what."""
    try:
        return bool(_CODE.validate_python(value))
    except ValidationError:
        return False


def _wrong_level(connection: Connection, value: str, pack: Pack) -> str | None:
    given, colon, level = value.partition(":")
    signal = pack.signals.get(given)
    if not colon or signal is None or level in signal.at or _on_record(connection, sought("signal", value)):
        return None
    return f"the signal has no such level; {nearest(level, signal.at) or 'one of ' + ', '.join(signal.at)}"


def pack_named(connection: Connection, given: str) -> str:
    """The digest of the pack that is named by it, or by its beginning.

    Raises:
        BadFilters: no pack is, or several are; with the nearest.
    """
    try:
        return digest_of(connection, given)
    except UnknownPack as error:
        raise BadFilters([FieldProblem("pack", str(error))]) from None


def _pack(connection: Connection, value: str) -> tuple[str, str | None]:
    """The digest that is meant, and what is wrong with what was given: nothing, where it is on record whatever became of the pack."""
    try:
        return digest_of(connection, value), None
    except UnknownPack as error:
        return value, None if _on_record(connection, sought("pack", value)) else str(error)


def names_of(pack: Pack, name: str) -> Collection[str]:
    """What a filter's values can be, by the pack in force."""
    if name == "signal":
        return pack.signals
    if name in ("offered", "suppressed"):
        return pack.by_id
    if name == "tariff":
        return pack.tariffs
    if name == "stage":
        return pack.stage_by_id
    if name == "phase":
        return pack.phase_by_id
    if name == "moment":
        return [*pack.moments, "none"]
    return _clauses(pack)


def _clauses(pack: Pack) -> Collection[str]:
    """Clauses with their gate, and by their name alone."""
    of_actions = {f"{gate}.{clause}" for pairs in pack.clauses.values() for gate, clause in pairs}
    rules = {f"contact.{name}" for name in pack.contact_rules} | {f"guardrail.{name}" for name in pack.guardrail_rules}
    found = (
        of_actions
        | rules
        | {
            "applicable.phase",
            "applicable.channel",
            *(f"applicable.{name}" for name in IN_CONVERSATION),
            f"contact.{OWN_CHOICE}",
            *(f"arbitration.{name}" for name in _ARBITRATION),
        }
    )
    return found | {name.partition(".")[2] for name in found}


_ARBITRATION = ("max_actions", "per_category", "commitments", "concession_limit", "service_first", "excludes")


def _telling(name: str, value: str, known: Collection[str]) -> Sequence[str]:
    """The terms that show a value to be on record. A clause of another gate than the pack's does not show that of the one asked for."""
    gate, clause = gate_and_clause(value)
    return (term(name, value),) if name == "clause" and gate is not None and clause in known else sought(name, value)


def _on_record(connection: Connection, terms: Sequence[str]) -> bool:
    return connection.execute(select(col(SearchBlockRow.block)).where(col(SearchBlockRow.term).in_(terms)).limit(1)).first() is not None


def moment_of(text: str, *, end: bool = False) -> str:
    """A time with its offset, or a date (UTC), as the store writes times; of a date the beginning, or with `end` the end.

    Raises:
        ValueError: it is none, or has no offset.
    """
    if len(text) == len("2026-11-01"):
        day = datetime.date.fromisoformat(text)
        if not 1970 <= day.year < datetime.MAXYEAR:
            raise ValueError
        day += datetime.timedelta(days=1 if end else 0)
        return stamp(datetime.datetime.combine(day, datetime.time(), datetime.UTC))
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1970 <= moment.year < 9999:
        raise ValueError
    return stamp(moment)
