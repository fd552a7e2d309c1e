"""The terms an entry is found by. Codes only, as the envelope has them; `search` asks for the same ones.

Of each action that was not offered, the clause named as cause is a term with its gate, which the cause tells: `contact.quiet_hours`. Of
what was unknown the envelope does not tell the gate: its clause is a term by its bare name, which a search of any gate finds too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

LONGEST = 300
_KEPT = 16_384
KEPT_OUT = ("suppressed", "guardrail")
"""Causes by which contact policy or a guardrail kept an action from somebody whom it would have fitted."""
GATES: Mapping[str, str] = {
    "not_eligible": "eligible",
    "not_applicable": "applicable",
    "not_suitable": "suitable",
    "suppressed": "contact",
    "guardrail": "guardrail",
    "outranked": "arbitration",
}
"""The gate that each cause tells of."""
_PLAIN = ("caller", "role", "agent", "channel", "pack", "stage", "phase", "moment", "campaign")


@lru_cache(maxsize=_KEPT)
def term(name: str, value: str) -> str:
    """A term as the index has it; a value too long for it goes by its digest."""
    found = f"{name}={value}"
    return found if len(found) <= LONGEST else f"{name}=sha256:{hashlib.sha256(value.encode()).hexdigest()}"


def sought(name: str, value: str) -> tuple[str, ...]:
    """The terms of which one finds a value of a filter: of a clause those of its gate, or of every gate where none is named."""
    if name != "clause":
        return (term(name, value),)
    gate, clause = gate_and_clause(value)
    gates = GATES.values() if gate is None else (gate,)
    return (term(name, clause), *(term(name, f"{one}.{clause}") for one in gates))


def gate_and_clause(value: str) -> tuple[str | None, str]:
    """A clause as it is asked for, `contact.quiet_hours` or `quiet_hours`, in its two parts."""
    gate, dot, clause = value.partition(".")
    return (gate, clause) if dot and gate in GATES.values() else (None, value)


def terms_of(envelope: Mapping[str, Any]) -> list[str]:
    """The search terms of an entry, each once.

    Args:
        envelope: as the writer made it.
    """
    kind, body = envelope["kind"], envelope.get("body", {})
    found = [term("kind", kind), *(term(name, body[name]) for name in _PLAIN if isinstance(body.get(name), str))]
    if "caller" not in body and isinstance(body.get("by"), str):
        found.append(term("caller", body["by"]))
    if kind == "decision":
        found += _of_decision(body)
    elif kind == "outcome":
        found += outcome_terms(body["outcome"], body.get("action"))
    elif kind.startswith("pack_") and "pack" not in body and isinstance(body.get("digest"), str):
        found.append(term("pack", body["digest"]))
    return found


def outcome_terms(outcome: str, action: str | None) -> tuple[str, ...]:
    """The terms of an outcome, which both it and the decision it answers are found by."""
    return (term("outcome", outcome),) if action is None else (term("outcome", outcome), term("outcome", f"{action}:{outcome}"))


def _of_decision(body: Mapping[str, Any]) -> Iterator[str]:
    for signal, level in body.get("signals", {}).items():
        yield from _of_signal(signal, level)
    offered = body.get("offered", ())
    yield from dict.fromkeys(term("offered", item["action"]) for item in offered)
    yield from dict.fromkeys(term("tariff", item["tariff"]) for item in offered if item.get("tariff"))
    outcomes: Mapping[str, Mapping[str, list[str]]] = body.get("outcomes", {})
    yield from [_of_clause(cause, clause) for cause, clauses in outcomes.items() for clause in clauses if clause]
    for cause in KEPT_OUT:
        for actions in outcomes.get(cause, {}).values():
            yield from [term("suppressed", action) for action in actions]
    if body.get("empty_because"):
        yield term("empty", body["empty_because"])


@lru_cache(maxsize=_KEPT)
def _of_signal(signal: str, level: str) -> tuple[str, str]:
    return term("signal", signal), term("signal", f"{signal}:{level}")


@lru_cache(maxsize=_KEPT)
def _of_clause(cause: str, clause: str) -> str:
    return term("clause", f"{GATES[cause]}.{clause}" if cause in GATES else clause)
