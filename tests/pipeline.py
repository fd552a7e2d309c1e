"""What tests of the pipeline share: the shipped pack, cases made from request bodies, and cases with something changed."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from app.engine.answer import Change
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.gates import in_full
from app.engine.intake import take
from app.engine.pack import Pack, build_pack, load_pack, read_folder
from app.engine.vocabulary import SECTIONS, DecisionRequest
from tests.population import END, population

ROOT = Path(__file__).parent.parent
TIMES = int(os.environ.get("WANLIU_TEST_TIMES", "1"))
"""How many times the usual number of random cases the properties look at: `WANLIU_TEST_TIMES=20` for a long run."""

_window = re.compile(r"(\w+)\((\w+\.\w+)(?:, (\d+))?\)")
_section_names = tuple(SECTIONS)


@cache
def shipped_files() -> Mapping[str, bytes]:
    """The shipped pack's files."""
    return read_folder(ROOT)


@cache
def shipped() -> Pack:
    """The shipped pack, with our own matcher."""
    return load_pack(ROOT, pattern_engine="builtin")


@cache
def built(files: tuple[tuple[str, bytes], ...]) -> Pack:
    """A pack from files, built once for each."""
    return build_pack(dict(files), pattern_engine="builtin")


def pack_of(files: Mapping[str, bytes]) -> Pack:
    """A pack from files."""
    return built(tuple(sorted(files.items())))


def case_of(pack: Pack, body: Mapping[str, Any], role: str = "retention_desk") -> Case:
    """The case that a request body makes, asked long after."""
    return take(pack, DecisionRequest.model_validate(body), now=END + datetime.timedelta(days=400), role=role)


def bodies(seed: int, n: int, **changes: Any) -> Iterator[dict[str, Any]]:
    """Request bodies of the population with top-level fields replaced; n is multiplied for long runs."""
    for body in population(seed, n * TIMES):
        yield {**body, **changes}


def cases(pack: Pack, seed: int, n: int, role: str = "retention_desk", **changes: Any) -> Iterator[Case]:
    """Cases of the population. The own facts are the shipped pack's; another gets none."""
    for body in bodies(seed, n, **changes):
        if "custom.loyalty_band" not in pack.custom:
            body["subscriber"].pop("custom", None)
        body["answers"] = {name: value for name, value in body.get("answers", {}).items() if name in pack.questions}
        yield case_of(pack, body, role)


def patched(case: Case, facts: Mapping[str, Any] | None = None, **changes: Any) -> Case:
    """The case with base facts replaced (`{"consent.marketing": "no"}`) and fields of the case changed."""
    subscriber = case.subscriber
    for name, value in (facts or {}).items():
        section, _, field = name.partition(".")
        if section == "request":
            changes[field] = value
            continue
        held = getattr(subscriber, section)
        part = SECTIONS[section](**{field: value}) if held is None else held.model_copy(update={field: value})
        subscriber = subscriber.model_copy(update={section: part})
    return replace(case, subscriber=subscriber, **changes)


def decided_in_full(pack: Pack, case: Case) -> Decision:
    """The decision with every gate looked at, of actions too that one clause kept out already."""
    return in_full(pack, decide(pack, case))


def fresh(case: Case) -> Case:
    """The case with every section as new as the request, so that no age comes into play."""
    held = {name: getattr(case.subscriber, name) for name in _section_names}
    parts = {name: part.model_copy(update={"as_of": None}) for name, part in held.items() if part is not None}
    return replace(case, subscriber=case.subscriber.model_copy(update=parts))


def at(case: Case, moment: datetime.datetime, as_of: datetime.datetime | None = None) -> Case:
    """The case asked at another moment, in the same zone."""
    zone = datetime.timezone(datetime.timedelta(minutes=case.times.offset))
    here, there = (as_of or moment).astimezone(zone), moment.astimezone(zone)
    minute = there.hour * 60 + there.minute
    return replace(
        case, times=replace(case.times, as_of=here, contact_at=there, today=here.date(), contact_day=there.date(), contact_minute=minute)
    )


def later(case: Case, days: int) -> Case:
    """The case so many days on, with nothing else happening."""
    wait = datetime.timedelta(days=days)
    return at(case, case.times.contact_at + wait, case.times.as_of + wait)


def applied(case: Case, changes: list[Change]) -> Case:
    """The case with the changes an answer states made to its facts.

    A fact is set to the value; of `last`, `mean`, `total`, `peak` and `change` the last closed cycle is set so that the term has it.
    """
    for change in changes:
        if change.in_days is not None:
            case = later(case, change.in_days)
        elif change.value is not None:
            case = _with_term(case, change.fact, change.value, change.direction)
    return case


def _with_term(case: Case, term: str, value: float, direction: str) -> Case:
    found = _window.fullmatch(term)
    if found is None:
        if case.answers and term in case.answers:
            return replace(case, answers={**case.answers, term: _whole(value)})
        return patched(case, {term: _whole(value)})
    function, name, cycles = found[1], found[2], int(found[3] or 1)
    section, _, field = name.partition(".")
    series = getattr(getattr(case.subscriber, section), field)
    if function == "mean":
        value = value * cycles - sum(series[-cycles:-1])
    elif function == "total":
        value -= sum(series[-cycles:-1])
    elif function == "change":
        before = sum(series[-cycles - 1 : -1])
        value = before * (1 + value) / cycles
    up = direction in ("at_least", "over", "exactly", "other_than")
    rounded = int(value) if value == int(value) else int(value // 1) + up
    return patched(case, {name: (*series[:-1], rounded)})


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value
