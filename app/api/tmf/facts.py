"""Facts given as pairs of name and value: `{"name": "plan.monthly_fee", "value": 5900}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.api.tmf.given import GivenFact
from app.engine.intake import FieldProblem
from app.engine.problems import nearest
from app.engine.vocabulary import FACTS, Fact

_WORDS: Mapping[str, bool] = {"true": True, "false": False}


def put_facts(pairs: Sequence[GivenFact], request: dict[str, Any]) -> Sequence[FieldProblem]:
    """Put facts where a request for a decision has them.

    Args:
        pairs: of the request; a value that is text is read as what the fact is.
        request: is added to.

    Returns:
        A problem for each pair whose fact there is not, or that stands there already.
    """
    return list(_put(pairs, request))


def _put(pairs: Sequence[GivenFact], request: dict[str, Any]) -> Iterator[FieldProblem]:
    for index, pair in enumerate(pairs):
        section, _, name = pair.name.partition(".")
        known = FACTS.get(pair.name)
        if section != "custom" and known is None:
            yield FieldProblem(f"characteristic.{index}.name", _no_fact(pair.name))
            continue
        home = _home(request, section)
        if home is None or name in home:
            yield FieldProblem(f"characteristic.{index}.name", "stands in the request already; say it once")
            continue
        home[name] = pair.value if known is None else _read(known, pair.value)


_LONGEST_NAME = 100
_IDS = ("subscriber.id", "id", "relatedParty.id", "customer.id")
"""What is said of whom it is about, which is no fact about them."""


def _no_fact(name: str) -> str:
    """What to say of a name that is no fact's."""
    if name in _IDS:
        return "is not a fact of the vocabulary; whom it is about stands in `relatedParty`, with the role `subscriber` or `customer`"
    hint = nearest(name.removeprefix("subscriber."), FACTS) if len(name) <= _LONGEST_NAME else ""
    return f"is not a fact of the vocabulary{f'; {hint}' if hint else ''}"


def _home(request: dict[str, Any], section: str) -> dict[str, Any] | None:
    """The part of the request that a section's facts belong in; none where something else stands there."""
    if section == "request":
        return request
    subscriber = request.setdefault("subscriber", {})
    home = subscriber.setdefault(section, {}) if isinstance(subscriber, dict) else None
    return home if isinstance(home, dict) else None


def _read(fact: Fact, value: Any) -> Any:
    """A value as the fact's kind has it, where text says so; what is wrong with it is told by whoever takes the request."""
    if isinstance(value, str) and fact.kind == "boolean":
        return _WORDS.get(value.lower(), value)
    if isinstance(value, str) and fact.kind == "number":
        return _number(value)
    if fact.kind in ("set", "series") and not isinstance(value, list | None):
        return [value]
    return value


def _number(text: str) -> Any:
    try:
        number = float(text) if len(text) <= _LONGEST_NUMBER else None
    except ValueError:
        return text
    return text if number is None else int(number) if number.is_integer() else number


_LONGEST_NUMBER = 24
