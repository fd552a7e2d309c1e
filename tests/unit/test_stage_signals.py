"""Stage 2: derived facts, signals with levels, and patterns, in three values."""

from typing import Any

import pytest

from app.engine.pack import build_pack
from app.engine.patterns import durable_available
from app.engine.wanting import wanted
from tests.pipeline_packs import act, ago, answer, fact, fact_value, fate, listed, mini, mini_files, rule, signal, table

LEVELS = (("severe", "churn.score >= 0.9"), ("high", "churn.score >= 0.7"), ("watch", "account.tenure_months >= 1"))


@pytest.mark.parametrize(
    ("subscriber", "held"),
    [
        ({"churn": {"score": 0.95}}, {"risk": "severe"}),
        ({"churn": {"score": 0.9}}, {"risk": "severe"}),
        ({"churn": {"score": 0.7}}, {"risk": "high"}),
        ({"churn": {"score": 0.5}}, {}),
        ({}, {}),
        ({"account": {"tenure_months": 3}}, {"risk": "watch"}),
        ({"account": {"tenure_months": 3}, "churn": {"score": 0.95}}, {"risk": "severe"}),
    ],
)
def test_the_strongest_level_that_holds_is_taken(subscriber: dict[str, Any], held: dict[str, str]) -> None:
    """Levels are tried from the strongest; one that cannot be decided does not hold, and a weaker one still may."""
    pack = mini(signals=[signal("risk", *LEVELS)])
    assert dict(answer(pack, {"account": {}, **subscriber}).signals) == held


@pytest.mark.parametrize(
    ("test", "none", "low", "middle"),
    [
        ("signal('risk')", None, False, True),
        ("not signal('risk')", None, True, False),
        ("level('risk') == 'high'", None, False, True),
        ("level('risk') >= 'high'", None, False, True),
        ("level('risk') == 'severe'", None, False, False),
        ("level('risk') != 'severe'", None, True, True),
        ("level('risk') in ('severe', 'high')", None, False, True),
    ],
)
def test_conditions_on_signals_keep_three_values(test: str, none: bool | None, low: bool, middle: bool) -> None:
    """A signal with an unknown level is unknown: neither it nor its negation is recognised."""
    pack = mini({"plain": act(eligible={"a": test})}, signals=[signal("risk", *LEVELS[:2])])
    slot = pack.by_id["plain"].gates[0].slot
    seen = [answer(pack, body).facts.values[slot] for body in ({}, {"churn": {"score": 0.2}}, {"churn": {"score": 0.8}})]
    assert seen == [none, low, middle]


def test_negation_of_a_signal_needs_every_level_to_fail() -> None:
    """`not signal(x)` is unknown as long as one level is."""
    pack = mini({"plain": act(eligible={"a": "not signal('risk')"})}, signals=[signal("risk", *LEVELS)])
    assert fate(answer(pack, {"account": {"tenure_months": 0}})).cause == "unknown"
    assert listed(answer(pack, {"account": {"tenure_months": 0}, "churn": {"score": 0.1}})) == ["plain"]


def test_tables_skip_rows_that_cannot_be_decided() -> None:
    """The first row that holds gives the word; an unknown one is passed over."""
    pack = mini(
        {"plain": act(eligible={"a": "facts.band == 'low'"})},
        facts=[
            table(
                "band", ("churn.score >= 0.9", "high"), ("account.tenure_months > 12", "old"), (None, "low"), values=("high", "old", "low")
            )
        ],
    )
    for body, word in (
        ({}, "low"),
        ({"account": {"tenure_months": 13}}, "old"),
        ({"churn": {"score": 0.9}, "account": {"tenure_months": 13}}, "high"),
    ):
        assert fact_value(answer(pack, {"account": {}, **body}), pack, "facts.band") == word


def test_facts_and_signals_come_in_the_order_of_what_they_need() -> None:
    """However the file lists them, each is worked out after what it rests on."""
    pack = mini(
        facts=[fact("c", "facts.b + 1"), fact("b", "facts.a + 1"), fact("a", "account.tenure_months"), fact("d", "signal('z')")],
        signals=[signal("z", ("high", "facts.c == 4"))],
        actions={"plain": act(eligible={"a": "facts.d"})},
    )
    assert listed(answer(pack, {"account": {"tenure_months": 2}})) == ["plain"]


PATTERN = {
    "id": "fault.complaint",
    "title": {"en": "P", "zh": "P"},
    "when": "account.tenure_months >= 1",
    "facts": {"f": "events.fault", "c": "events.complaint"},
    "where": "c.area == f.area and f.at < c.at and f.days - c.days <= 7",
    "without": {"x": {"from": "events.fix", "where": "x.area == f.area and x.at > f.at"}},
    "level": "high",
    "reason": {"en": "R", "zh": "R"},
}


def events(*pairs: tuple[str, float, str]) -> list[dict[str, Any]]:
    return [{"type": kind, "at": ago(days), "area": area} for kind, days, area in pairs]


OFFERED = {"facts": {"c": "events.complaint", "o": "events.contact"}, "where": "o.at < c.at"}
UNANSWERED = {"facts": {"c": "events.complaint"}, "where": None, "without": {"o": {"from": "events.contact", "where": "o.at > c.at"}}}


@pytest.mark.parametrize(
    ("pattern", "contacts", "value"),
    [
        (OFFERED, None, None),
        (OFFERED, [], False),
        (OFFERED, [5], True),
        (UNANSWERED, None, None),
        (UNANSWERED, [], True),
        (UNANSWERED, [1], False),
    ],
)
def test_a_pattern_over_contacts_is_unknown_without_them(pattern: dict[str, Any], contacts: list[int] | None, value: bool | None) -> None:
    """Whether it looks for a contact or for the want of one, and what is missing then are the contacts; without a complaint too."""
    joined = {key: part for key, part in {**PATTERN, "without": None, **pattern}.items() if part is not None and key != "when"}
    pack = mini({"plain": act(eligible={"a": "signal('fault.complaint')"})}, patterns=[joined])
    history = (
        None if contacts is None else [{"at": ago(days), "action": "plain", "channel": "app", "result": "accepted"} for days in contacts]
    )
    for complaints, found in ((events(("complaint", 2, "A")), value), ([], None if contacts is None else False)):
        decision = answer(pack, {"account": {}, "events": complaints, "contacts": history})
        assert fact_value(decision, pack, "signal:fault.complaint") is found
        assert wanted(pack, decision, pack.by_id["plain"].gates, decision.facts.values) == ({"contacts"} if found is None else set())


def test_what_no_action_came_to_is_not_missed() -> None:
    """A known part of an unknown clause wants nothing, though it is also a gate of an action that the phase shuts."""
    part = "consent.marketing == 'yes' or churn.score > 0.5"
    actions = {"plain": act(), "other": act(phases=["hands_off"], eligible={"a": part})}
    pack = mini(actions, contact=[rule("both", f"({part}) and pay.overdue_days == 0")])
    decision = answer(pack, {"account": {}, "consent": {"marketing": "yes"}})
    assert (fate(decision).cause, fate(decision).clause) == ("unknown", "both")
    assert wanted(pack, decision, pack.by_id["plain"].contact, decision.facts.values) == {"pay.overdue_days"}


@pytest.mark.parametrize("engine", ["builtin", "durable"])
@pytest.mark.parametrize(
    ("tenure", "history", "value"),
    [
        (5, events(("fault", 3, "A"), ("complaint", 2, "A")), True),
        (5, events(("fault", 3, "A"), ("complaint", 2, "B")), False),
        (5, events(("fault", 3, "A"), ("complaint", 2, "A"), ("fix", 1, "A")), False),
        (5, events(("fault", 3, "A"), ("complaint", 2, "A"), ("fix", 4, "A")), True),
        (5, events(("fault", 12, "A"), ("complaint", 2, "A")), False),
        (5, [], False),
        (5, None, None),
        (0, None, False),
        (0, events(("fault", 3, "A"), ("complaint", 2, "A")), False),
        (None, events(("fault", 3, "A"), ("complaint", 2, "A")), None),
        (None, [], False),
    ],
)
def test_patterns_have_three_values(engine: Any, tenure: int | None, history: Any, value: bool | None) -> None:
    """Without events a pattern is unknown, unless its condition already fails; an unknown condition leaves it unknown if events join."""
    if engine == "durable" and not durable_available():
        pytest.skip("durable_rules does not load on this Python")
    pack = build_pack(mini_files({"plain": act(eligible={"p": "signal('fault.complaint')"})}, patterns=[PATTERN]), pattern_engine=engine)
    decision = answer(pack, {"events": history, "account": {} if tenure is None else {"tenure_months": tenure}})
    assert decision.facts.values[pack.signals["fault.complaint"].slot] is value
    assert dict(decision.signals) == ({"fault.complaint": "high"} if value else {})
