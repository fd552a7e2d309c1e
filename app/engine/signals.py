"""Stage 2: derived facts and signals, in the order the pack worked out, with the patterns over events in one pass between them."""

from __future__ import annotations

from itertools import compress

from app.engine.facts import Facts
from app.engine.pack.model import CONTACT, Clause, Pack, Signal
from app.engine.patterns import History, PatternEngineError


def recognise(pack: Pack, facts: Facts) -> tuple[tuple[str, str], ...]:
    """Work out everything that can be concluded from the facts; the signals that hold, each with its strongest level, by id."""
    values, around = facts.values, facts.around
    pack.recognise(values, around)
    _join_events(pack, facts)
    pack.conclude(values, around)
    held = compress(pack.signals.values(), pack.which_hold(values))
    return tuple([(signal.id, level.name) for signal in held if (level := strongest(signal, values)) is not None])


def strongest(signal: Signal, values: list[object]) -> Clause | None:
    """The strongest level that holds; what is unknown does not."""
    for level in signal.levels:
        if values[level.slot] is True:
            return level
    return None


def _join_events(pack: Pack, facts: Facts) -> None:
    """Fill in which patterns' events join: not asked where the condition fails or no such event exists, unknown without events.

    Contacts are joined as events too: without them the patterns that look at them are unknown.
    """
    values, events = facts.values, facts.around.events
    if events is None or pack.matcher is None:
        return
    joined: frozenset[str] = frozenset()
    if not pack.event_kinds.isdisjoint(events) and any(rule.when is None or values[rule.when] is not False for rule in pack.patterns):
        relevant = {kind: rows for kind, rows in events.items() if kind in pack.event_kinds}
        joined = _joined(pack, relevant, facts.around.as_of)
    contacts = facts.around.contacts is not None
    for rule in pack.patterns:
        values[rule.joined] = rule.id in joined if contacts or CONTACT not in rule.kinds else None


def _joined(pack: Pack, relevant: History, as_of: int) -> frozenset[str]:
    """The patterns that hold. Where durable_rules fails, our own matcher answers the same."""
    if pack.matcher is None or pack.spare_matcher is None:
        return frozenset()
    try:
        return pack.matcher.match(relevant, as_of)
    except PatternEngineError:
        return pack.spare_matcher.match(relevant, as_of)
