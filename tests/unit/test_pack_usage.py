"""What nothing uses is warned of: parameters, facts, signals, tariffs, questions, ages, categories, exclusions."""

import pytest

from app.engine.pack import build_pack, check_files
from tests.packs import changed, facts, patterns, signals

pytestmark = pytest.mark.unit


def unused(*replaced: tuple[str, str], **added: str) -> list[str]:
    """What is said of things that are not used."""
    found = check_files(changed(*replaced, **added))
    assert all(item.severity == "warning" for item in found if item.code.startswith("unused"))
    return [f"{item.place}: [{item.code}]: {item.message}" for item in found if item.code.startswith("unused")]


PARAMETER = "parameters:\n  - {id: param.idle, is: 3, why: {en: A, zh: B}}\n"
CUSTOM = "custom:\n  - {id: custom.idle, type: number, title: {en: A, zh: B}}\n"
TARIFF = """\
tariffs:
  - id: idle
    kind: pack
    name: {en: A, zh: B}
    filing_no: CN-0003
    fee: 100
    fee_after: 100
    regions: [all]
    on_sale_from: 2026-01-01
    effective: at_once
    disclose: {en: "{tariff.fee:money}.", zh: "{tariff.fee:money}。"}
"""


def test_the_small_pack() -> None:
    """All of it is used."""
    assert unused() == []


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (PARAMETER, "rules/x.yaml:2:10: [unused-parameter]: nothing reads the parameter `param.idle`"),
        (CUSTOM, "rules/x.yaml:2:10: [unused-custom-fact]: nothing reads the fact `custom.idle`"),
        (facts(idle="value.annual > 3"), "rules/x.yaml:2:9: [unused-fact]: nothing reads the fact `facts.idle`"),
        (signals(idle="value.annual > 3"), "rules/x.yaml:2:9: [unused-signal]: nothing reads the signal `x.idle`"),
        (patterns(idle="value.annual > 3"), "rules/x.yaml:2:9: [unused-signal]: nothing reads the signal `x.idle`"),
        (TARIFF, "rules/x.yaml:2:9: [unused-tariff]: no action offers the tariff `idle`"),
        ("ages: {pay: 3}\n", "rules/x.yaml:1:8: [unused-age]: nothing reads `pay`, so its age does not matter"),
        ("ages: {pay.balance: 3}\n", "rules/x.yaml:1:8: [unused-age]: nothing reads `pay.balance`, so its age does not matter"),
    ],
)
def test_unused(added: str, expected: str) -> None:
    """Each with its place."""
    assert expected in unused(x=added)


@pytest.mark.parametrize(
    ("added", "name"),
    [
        (PARAMETER + facts(a="value.annual > param.idle"), "param.idle"),
        (CUSTOM + signals(a="custom.idle > 3"), "custom.idle"),
        (facts(idle="value.annual > 3") + signals(a="facts.idle"), "facts.idle"),
        (facts(idle="value.annual > 3", b="not facts.idle") + signals(a="facts.b"), "facts.idle"),
        (facts(idle="value.annual > 3", b="not facts.idle", c="not facts.b") + signals(a="facts.c"), "facts.idle"),
        (facts(idle="value.annual > 3") + signals(a="known(facts.idle)"), "facts.idle"),
        (patterns(a="value.annual > 3") + signals(b="signal('x.a')"), "x.a"),
        (facts(b="level('x.idle') >= 'high'") + signals(idle="value.annual > 3", a="facts.b"), "x.idle"),
        (TARIFF.replace("pack\n", "plan\n"), "idle"),
        ("ages: {pay: 3}\n" + signals(a="pay.balance > 3"), "pay"),
        ("ages: {usage: 3}\n", "usage"),
        ("ages: {events: 3}\n", "events"),
    ],
)
def test_used(added: str, name: str) -> None:
    """What a rule, another fact, a signal or a comparison of plans reads is used."""
    merged = added.replace("facts:\n  - id: facts.b", "  - id: facts.b") if added.count("facts:\n") > 1 else added
    assert not any(f"`{name}`" in line for line in unused(x=merged))


def test_used_by_texts_actions_phases_and_clauses() -> None:
    """A slot, a gate, a phase, a clause of contact policy reads as well as a rule."""
    idle = signals(idle="value.annual > 3")
    places = [
        ("plan.id != 'plan_59'", "signal('x.idle')"),
        ("{toll: signal('high.toll')}", "{toll: signal('x.idle')}"),
        ("permits: consent.marketing == 'yes'", "permits: signal('x.idle')"),
        ("permits: not holder.user_is_minor", "permits: signal('x.idle')"),
        ("count(events.complaint, days=7) >= 1", "signal('x.idle')"),
    ]
    assert all(not any("x.idle" in line for line in unused(place, x=idle)) for place in places)
    shown = ("en: Thank you., zh: 感谢您。", 'en: "Thank you, {param.idle:count}.", zh: "感谢您，{param.idle:count}。"')
    assert not any("param.idle" in line for line in unused(shown, x=PARAMETER))


def test_a_chain_that_leads_nowhere() -> None:
    """A fact that only an unused fact reads is unused too."""
    chain = unused(x=facts(one="value.annual > 3", two="not facts.one"))
    assert [line.rpartition("`facts.")[2] for line in chain if "x.yaml" in line] == ["one`", "two`"]


def test_categories_and_exclusions() -> None:
    """Service first for a category without actions; an exclusion of itself, or of what is never beside it."""
    assert unused(("service_first: [care]", "service_first: [care, cair]")) == [
        "policies/policy.yaml:20:25: [unused-category]: no action has the category `cair`, so `service_first:` does nothing for it"
    ]
    excludes = "value: 0\nexcludes: [thank_you, port_help]\n"
    assert unused(("value: 0\n", excludes)) == [
        "policies/help/port_help.yaml:13:12: [unused-exclusion]: `port_help` excludes `thank_you`, which no phase has beside it",
        "policies/help/port_help.yaml:13:23: [unused-exclusion]: `port_help` excludes itself",
    ]
    stands_in = unused(("value: 0\n", excludes.replace(", port_help", "")), x="fallback: {suppressed: [thank_you]}\n")
    assert not any("unused-exclusion" in line for line in stands_in)


def test_only_warned_of() -> None:
    """A pack with parts that nothing uses runs."""
    assert build_pack(changed(x=PARAMETER + TARIFF)).name == "small"


@pytest.mark.parametrize(
    ("applicable", "more", "told"),
    [
        ("signal('high.toll')", "", True),
        ("signal('high.toll')", "reason: {en: A, zh: B}\n", True),
        ("last(billing.toll_fee) >= 1500", "", False),
        ("last(billing.toll_fee) >= 1500", "reason: {en: A, zh: B}\n", True),
        ("signal('x.worded')", "", False),
        ("signal('x.worded') or signal('high.toll')", "", True),
        ("not signal('high.toll')", "", False),
    ],
)
def test_words_for_customers(applicable: str, more: str, told: bool) -> None:
    """They are told beside the action's own reason, or where a signal it rests on has none for customers."""
    worded = signals(worded="value.annual > 3") + "    customer: {en: A, zh: B}\n"
    words = ("confirm: holder\n", f"confirm: holder\ncustomer: {{en: A, zh: B}}\n{more}")
    lines = unused(("tolls: signal('high.toll')", f"tolls: {applicable}"), words, x=worded)
    expected = "[unused-text]: the words for customers of `to_plan_59` are never told: its signals bring their own, or there is none"
    assert any(expected in line for line in lines) is not told


def test_what_the_comparison_of_plans_looks_at() -> None:
    """The best public plan is worked out from what the person has and uses: a question for that is not in vain."""
    asked = "questions:\n  - {fact: plan.monthly_fee, who: both, en: What do you pay?, zh: 您的月费是多少？}\n"
    best = ("tariff: plan_59\n", "tariff: plan.best_public_id\n")
    assert any("[unused-question]" in line for line in unused(x=asked))
    assert unused(best, x=asked) == []
