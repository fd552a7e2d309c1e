"""What stands under `expect:`, held against the pack: names that exist, values of the right type."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from app.engine.decision import IN_CONVERSATION, Cause, EmptyBecause
from app.engine.pack import Pack
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem, nearest
from app.engine.runtime import NEVER
from app.engine.tree import Type
from app.engine.vocabulary import Moment
from app.workbench.suites.documents import Question, StepPart
from app.workbench.suites.model import Expectation

CAUSES: tuple[str, ...] = get_args(Cause)
ANY = "any"
"""A cause: not on the list, whatever keeps it out."""
NOT_HELD = ("none", "unknown")
"""What a signal may be beside its levels."""
CONFLICTS = ("max_actions", "per_category", "commitments", "concession_limit", "service_first", "excludes")
"""What an action is outranked by."""
_gates = {"not_eligible": ("eligible",), "not_applicable": ("applicable",), "not_suitable": ("suitable",)}
_added = {"not_applicable": ("phase", "channel", *IN_CONVERSATION), "unknown": ("phase", "channel", "concession")}


def expectations(found: Found[Question] | Found[StepPart], pack: Pack, problems: list[Problem]) -> list[Expectation]:
    """What a test or row expects, by the key it stands under; mistakes are noted."""
    reader = _Reader(found, pack, problems)
    return [item for key in type(found.part.expect).model_fields if key in found.part.expect.model_fields_set for item in reader.read(key)]


class _Reader:
    """Reads one `expect:`."""

    def __init__(self, found: Found[Question] | Found[StepPart], pack: Pack, problems: list[Problem]) -> None:
        self.found, self.pack, self.problems = found, pack, problems
        self.expect = found.part.expect

    def place(self, *path: str | int) -> Place:
        return self.found.place("expect", *path)

    def wrong(self, place: Place, message: str, hint: str = "", code: str = "unknown-name") -> None:
        self.problems.append(Problem(place, code, message, hint))

    def known(self, what: str, name: str, known: Iterable[str], *path: str | int) -> bool:
        """Is it a name that exists? A mistake is noted."""
        words = list(known)
        if name in words:
            return True
        place = self.found.source.key_place(*self.found.path, "expect", *path)
        listed = f"it is one of {', '.join(f'`{word}`' for word in words)}" if len(words) <= 8 else ""
        self.wrong(place, f"unknown {what} `{name}`", nearest(name, words) or listed)
        return False

    def read(self, key: str) -> Iterator[Expectation]:
        """The expectations under one key."""
        value = getattr(self.expect, key)
        if value is None:
            return
        own: Callable[[], Iterator[Expectation]] | None = getattr(self, f"_{key}", None)
        if own is not None:
            yield from own()
        elif isinstance(value, dict):
            yield from self.by_action(key, value)
        else:
            yield from self.single(key, value)

    def single(self, key: str, value: Any) -> Iterator[Expectation]:
        """A key with one value."""
        pack = self.pack
        words: Mapping[str, Iterable[str]] = {
            "stage": [stage.id for stage in pack.stages],
            "phase": [phase.id for phase in pack.phases],
            "moment": [*get_args(Moment), "none"],
            "first": ["none", *pack.by_id],
            "empty_because": ["none", *get_args(EmptyBecause)],
        }
        if key not in words or self.known(key.replace("_", " "), value, words[key], key):
            yield Expectation(key, "", value, self.place(key))

    def by_action(self, key: str, value: Mapping[str, Any]) -> Iterator[Expectation]:
        """A key with a value for each of some actions."""
        for action, wanted in value.items():
            if self.known("action", action, self.pack.by_id, key, action):
                yield Expectation(key, action, wanted, self.place(key, action))

    def listed(self, key: str, what: str, known: Iterable[str]) -> bool:
        """Are all the names of a list known?"""
        words = list(known)
        found = [self.known(what, name, words, key, index) for index, name in enumerate(getattr(self.expect, key))]
        return all(found)

    def _signals(self) -> Iterator[Expectation]:
        for name, level in self.expect.signals.items():
            if self.known("signal", name, self.pack.signals, "signals", name):
                words = [clause.name for clause in self.pack.signals[name].levels]
                if level in (*words, *NOT_HELD):
                    yield Expectation("signals", name, level, self.place("signals", name))
                else:
                    told = ", ".join(f"`{word}`" for word in (*words, *NOT_HELD))
                    self.wrong(self.place("signals", name), f"`{name}` has no level `{level}`", f"it is one of {told}", "unknown-word")

    def _facts(self) -> Iterator[Expectation]:
        readable = [name for name in self.pack.types if name in self.pack.slots]
        for name, value in self.expect.facts.items():
            if self.known("fact", name, readable, "facts", name):
                kind = self.pack.types[name]
                wanted = fact_value(kind, value)
                if wanted is None:
                    self.wrong(self.place("facts", name), f"`{value}` is not a value of `{name}`, which is {kind}", _form(kind), "type")
                else:
                    yield Expectation("facts", name, wanted, self.place("facts", name))

    def _actions(self) -> Iterator[Expectation]:
        if self.listed("actions", "action", self.pack.by_id):
            yield Expectation("actions", "", tuple(self.expect.actions or ()), self.place("actions"))

    def _asks(self) -> Iterator[Expectation]:
        if self.listed("asks", "question about", self.pack.questions):
            yield Expectation("asks", "", tuple(self.expect.asks or ()), self.place("asks"))

    def _offered(self) -> Iterator[Expectation]:
        offered = self.expect.offered
        if isinstance(offered, dict):
            yield from self.by_action("offered", offered)
        elif self.listed("offered", "action", self.pack.by_id):
            for index, action in enumerate(offered):
                yield Expectation("offered", action, None, self.place("offered", index))

    def _not_offered(self) -> Iterator[Expectation]:
        kept_out = self.expect.not_offered
        if isinstance(kept_out, list):
            if self.listed("not_offered", "action", self.pack.by_id):
                for index, action in enumerate(kept_out):
                    yield Expectation("not_offered", action, (ANY, ""), self.place("not_offered", index))
            return
        for action, written in kept_out.items():
            if self.known("action", action, self.pack.by_id, "not_offered", action):
                cause, _, clause = written.partition("/")
                if self.cause(action, cause.strip(), clause.strip()):
                    wanted = cause.strip(), clause.strip()
                    yield Expectation("not_offered", action, wanted, self.place("not_offered", action))

    def cause(self, action: str, cause: str, clause: str) -> bool:
        """Is it a cause, and a clause that the action can be kept out by for that cause?"""
        place = self.place("not_offered", action)
        if cause not in (*CAUSES, ANY):
            told = ", ".join(f"`{word}`" for word in (*CAUSES, ANY))
            self.wrong(place, f"unknown cause `{cause}`", nearest(cause, (*CAUSES, ANY)) or f"it is one of {told}", "unknown-word")
            return False
        known = self.clauses(action, cause)
        if clause and clause not in known:
            kind = {"suppressed": "contact clause", "guardrail": "guardrail", "outranked": "rule of the order"}.get(cause, "clause")
            whose = f" of `{action}`" if kind == "clause" else ""
            hint = nearest(clause, known) or (f"there are {', '.join(f'`{name}`' for name in known)}" if 0 < len(known) <= 12 else "")
            self.wrong(place, f"no {kind}{whose} `{clause}` gives the cause `{cause}`", hint)
            return False
        return True

    def clauses(self, action: str, cause: str) -> list[str]:
        """The names that may stand after a cause."""
        if cause == "outranked":
            return list(CONFLICTS)
        if cause == "suppressed":
            return list(self.pack.contact_rules)
        if cause == "guardrail":
            return list(self.pack.guardrail_rules)
        gates = _gates.get(cause, ("eligible", "applicable", "suitable"))
        own = [clause.name for clause in self.pack.by_id[action].gates if clause.gate in gates]
        rules = [*self.pack.contact_rules, *self.pack.guardrail_rules] if cause == "unknown" else []
        return [*own, *_added.get(cause, ()), *rules]

    def _reasons(self) -> Iterator[Expectation]:
        for action, codes in self.expect.reasons.items():
            if self.known("action", action, self.pack.by_id, "reasons", action):
                gates = [clause.name for clause in self.pack.by_id[action].gates]
                fallbacks = [f"fallback.{cause}" for cause in self.pack.choosing.fallback]
                known = [*self.pack.signals, action, *gates, *fallbacks]
                found = [self.known("reason", code, known, "reasons", action, index) for index, code in enumerate(codes)]
                if all(found):
                    yield Expectation("reasons", action, tuple(codes), self.place("reasons", action))

    def _tariffs(self) -> Iterator[Expectation]:
        for action, tariff in self.expect.tariffs.items():
            known = self.known("action", action, self.pack.by_id, "tariffs", action)
            if known and self.known("tariff", tariff, self.pack.tariffs, "tariffs", action):
                yield Expectation("tariffs", action, tariff, self.place("tariffs", action))


def fact_value(kind: Type, written: Any) -> Any:
    """What an expected value is to the engine, or none where it is not of the type. Numbers keep the decimals they are written with."""
    if written == "unknown":
        return "unknown"
    if isinstance(written, list):
        return frozenset(written) if kind.kind == "set" else None
    if kind.kind == "number":
        try:
            return Decimal(written)
        except InvalidOperation:
            return None
    if kind.kind == "boolean":
        return {"true": True, "false": False}.get(written)
    if kind.kind == "date":
        return _day(written)
    if kind.kind == "enum" and kind.values and written not in kind.values:
        return None
    return written if kind.kind in ("text", "enum") else None


def _day(written: str) -> int | None:
    if written in ("never", "null", "none"):
        return NEVER
    try:
        return datetime.date.fromisoformat(written).toordinal()
    except ValueError:
        return None


def _form(kind: Type) -> str:
    forms = {
        "number": "write a number, or `unknown`",
        "boolean": "write `true`, `false` or `unknown`",
        "date": "write a day such as 2026-11-22, `never` or `unknown`",
        "set": "write a list, or `unknown`",
    }
    return forms.get(kind.kind, f"it is one of {', '.join(f'`{word}`' for word in kind.values)}" if kind.values else "")
