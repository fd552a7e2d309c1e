"""The terms an entry is found by. Codes only, as the envelope has them; `search` asks for the same ones.

Of each action that was not offered, the clause named as cause is a term: by its own name, for the envelope does not tell the gate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST = 300
KEPT_OUT = ("suppressed", "guardrail")
"""Causes by which contact policy or a guardrail kept an action from somebody whom it would have fitted."""
_PLAIN = ("caller", "role", "agent", "channel", "pack", "stage", "phase", "moment", "campaign")


def term(name: str, value: str) -> str:
    """A term as the index has it; a value too long for it goes by its digest."""
    found = f"{name}={value}"
    return found if len(found) <= LONGEST else f"{name}=sha256:{hashlib.sha256(value.encode()).hexdigest()}"


def terms_of(envelope: Mapping[str, Any]) -> Iterator[str]:
    """The search terms of an entry, each once.

    Args:
        envelope: as the writer made it.
    """
    kind, body = envelope["kind"], envelope.get("body", {})
    yield term("kind", kind)
    for name in _PLAIN:
        value = body.get(name)
        if isinstance(value, str):
            yield term(name, value)
    if "caller" not in body and isinstance(body.get("by"), str):
        yield term("caller", body["by"])
    if kind == "decision":
        yield from _of_decision(body)
    elif kind == "outcome":
        yield from outcome_terms(body["outcome"], body.get("action"))
    elif kind.startswith("pack_") and "pack" not in body and isinstance(body.get("digest"), str):
        yield term("pack", body["digest"])


def outcome_terms(outcome: str, action: str | None) -> Iterator[str]:
    """The terms of an outcome, which both it and the decision it answers are found by."""
    yield term("outcome", outcome)
    if action is not None:
        yield term("outcome", f"{action}:{outcome}")


def _of_decision(body: Mapping[str, Any]) -> Iterator[str]:
    for signal, level in body.get("signals", {}).items():
        yield term("signal", signal)
        yield term("signal", f"{signal}:{level}")
    offered = body.get("offered", ())
    yield from dict.fromkeys(term("offered", item["action"]) for item in offered)
    yield from dict.fromkeys(term("tariff", item["tariff"]) for item in offered if item.get("tariff"))
    outcomes: Mapping[str, Mapping[str, list[str]]] = body.get("outcomes", {})
    yield from dict.fromkeys(term("clause", clause) for clauses in outcomes.values() for clause in clauses if clause)
    for cause in KEPT_OUT:
        for actions in outcomes.get(cause, {}).values():
            yield from (term("suppressed", action) for action in actions)
    if body.get("empty_because"):
        yield term("empty", body["empty_because"])
