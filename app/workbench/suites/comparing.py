"""One expectation against one decision: nothing where it holds, else what was wanted and what came, as a suite would write them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.engine.runtime import NEVER
from app.engine.signals import strongest
from app.engine.tree import Type
from app.workbench.suites.expecting import ANY
from app.workbench.suites.model import Expectation

if TYPE_CHECKING:
    from app.workbench.suites.running import Decided

Found = tuple[str, str] | None
"""What was wanted and what came, where they differ."""


def compare(decided: Decided, expectation: Expectation) -> Found:
    """Hold a decision against one expectation."""
    return _comparisons[expectation.kind](decided, expectation.name, expectation.wanted)


def holds(decided: Decided) -> bool:
    """Do all expectations of the test hold?"""
    return all(compare(decided, item) is None for item in decided.test.expectations)


def signal_word(decided: Decided, name: str) -> str:
    """The level of a signal, `none` where it is known not to hold, else `unknown`."""
    signal, values = decided.pack.signals[name], decided.decision.facts.values
    held = values[signal.slot]
    level = strongest(signal, values) if held is True else None
    return level.name if level is not None else "none" if held is False else "unknown"


def _differ(wanted: Any, got: Any) -> Found:
    said = _word(wanted), _word(got)
    return said if said[0] != said[1] else None


def _word(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _row(words: Iterable[str]) -> str:
    return f"[{', '.join(words)}]"


def _stage(decided: Decided, _name: str, wanted: Any) -> Found:
    return _differ(wanted, decided.decision.stage.id)


def _phase(decided: Decided, _name: str, wanted: Any) -> Found:
    return _differ(wanted, decided.decision.phase.id)


def _moment(decided: Decided, _name: str, wanted: Any) -> Found:
    return _differ(wanted, decided.decision.moment)


def _empty_because(decided: Decided, _name: str, wanted: Any) -> Found:
    return _differ(wanted, decided.decision.empty_because)


def _personalised(decided: Decided, _name: str, wanted: Any) -> Found:
    return _differ(wanted, decided.decision.personalised)


def _signals(decided: Decided, name: str, wanted: Any) -> Found:
    return _differ(wanted, signal_word(decided, name))


def _facts(decided: Decided, name: str, wanted: Any) -> Found:
    value, kind = decided.decision.facts.values[decided.pack.slots[name]], decided.pack.types[name]
    if value is None or wanted == "unknown":
        return _differ(fact_word(kind, wanted), "unknown" if value is None else fact_word(kind, value))
    if isinstance(wanted, Decimal):
        if abs(Decimal(str(value)) - wanted) <= Decimal(1).scaleb(int(wanted.as_tuple().exponent)) / 2:
            return None
        return f"{wanted}", fact_word(kind, value)
    return None if value == wanted else (fact_word(kind, wanted), fact_word(kind, value))


def fact_word(kind: Type, value: Any) -> str:
    """A fact's value as a suite writes it."""
    if kind.kind == "date" and isinstance(value, int):
        return "never" if value == NEVER else datetime.date.fromordinal(value).isoformat()
    if isinstance(value, frozenset):
        return _row(sorted(map(str, value)))
    return f"{value:.6g}" if isinstance(value, float) else _word(value)


def _actions(decided: Decided, _name: str, wanted: Any) -> Found:
    got = tuple(item.action for item in decided.decision.ranked)
    return None if got == wanted else (_row(wanted), _row(got))


def _first(decided: Decided, _name: str, wanted: Any) -> Found:
    ranked = decided.decision.ranked
    return _differ(wanted, ranked[0].action if ranked else None)


def _offered(decided: Decided, name: str, wanted: Any) -> Found:
    item = decided.ranked.get(name)
    if item is None:
        return f"rank {wanted}" if wanted else "offered", kept_out(decided, name)
    return None if wanted in (None, item.rank) else (f"rank {wanted}", f"rank {item.rank}")


def _not_offered(decided: Decided, name: str, wanted: Any) -> Found:
    cause, clause = wanted
    said = f"{cause}/{clause}" if clause else "not offered" if cause == ANY else cause
    item, outcome = decided.ranked.get(name), decided.outcomes[name]
    if item is not None:
        return said, f"offered, rank {item.rank}"
    same = cause in (ANY, outcome.cause) and clause in ("", outcome.clause)
    return None if same else (said, kept_out(decided, name))


def kept_out(decided: Decided, name: str) -> str:
    """Why an action is not on the list: cause and clause, as a suite writes them."""
    outcome = decided.outcomes[name]
    return f"{outcome.cause}/{outcome.clause}" if outcome.clause else str(outcome.cause)


def _reasons(decided: Decided, name: str, wanted: Any) -> Found:
    action = next((item for item in decided.answer.actions if item.action == name), None)
    if action is None:
        return _row(wanted), kept_out(decided, name)
    got = [reason.code for reason in action.reasons]
    return None if set(wanted) <= set(got) else (_row(wanted), _row(got))


def _says(decided: Decided, name: str, wanted: Any) -> Found:
    action = next((item for item in decided.answer.actions if item.action == name), None)
    if action is None:
        return _row(f"“{words}”" for words in wanted), kept_out(decided, name)
    said = action.script or action.text or ""
    missing = [words for words in wanted if words not in said]
    return (_row(f"“{words}”" for words in missing), said) if missing else None


def _tariffs(decided: Decided, name: str, wanted: Any) -> Found:
    item = decided.ranked.get(name)
    return _differ(wanted, item.tariff if item is not None else kept_out(decided, name))


def _concessions(decided: Decided, name: str, wanted: Any) -> Found:
    item = decided.ranked.get(name)
    return _differ(wanted, item.concession if item is not None else kept_out(decided, name))


def _asks(decided: Decided, _name: str, wanted: Any) -> Found:
    got = tuple(ask.fact for ask in decided.answer.ask)
    return None if got == wanted else (_row(wanted), _row(got))


_comparisons: Mapping[str, Callable[[Decided, str, Any], Found]] = {
    "stage": _stage,
    "phase": _phase,
    "moment": _moment,
    "signals": _signals,
    "facts": _facts,
    "actions": _actions,
    "first": _first,
    "offered": _offered,
    "reasons": _reasons,
    "not_offered": _not_offered,
    "empty_because": _empty_because,
    "says": _says,
    "tariffs": _tariffs,
    "concessions": _concessions,
    "asks": _asks,
    "personalised": _personalised,
}
"""By the key under `expect:`."""
