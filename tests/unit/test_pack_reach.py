"""Parts of a pack that nothing reaches are warned of: rows hidden by an earlier one, dead clauses, idle phases and categories."""

from itertools import product

import pytest

from app.engine.pack import check_files
from app.engine.pack.implication import implies
from app.engine.runtime import NEVER
from tests.expressions import TODAY, tree, value
from tests.packs import SMALL, changed, problems, small

pytestmark = pytest.mark.unit

HIDDEN = "is never reached: one before it holds whenever it does; the narrower condition comes first"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("custom.n > 5", "custom.n > 5"),
        ("custom.n > 5", "custom.n > 4"),
        ("custom.n > 5", "custom.n >= 5"),
        ("custom.n >= 5.5", "custom.n > 5"),
        ("custom.n < 5", "custom.n <= 5"),
        ("5 < custom.n", "custom.n > 4"),
        ("custom.n == 5", "custom.n >= 5"),
        ("custom.n == 5", "custom.n != 4"),
        ("custom.n in (5, 6)", "5 <= custom.n <= 6"),
        ("custom.n != 5", "custom.n != 5"),
        ("custom.band == 'a'", "custom.band in ('a', 'b')"),
        ("custom.band in ('a',)", "custom.band == 'a'"),
        ("custom.visit >= '2026-11-22'", "custom.visit > '2026-11-21'"),
        ("custom.n > 5 and custom.ok", "custom.n > 3"),
        ("custom.n > 5", "custom.n > 3 or custom.ok"),
        ("custom.n > 5 or custom.n > 7", "custom.n > 3"),
        ("custom.n > 5 and custom.ok", "custom.ok and custom.n > 5"),
        ("level('tolls') >= 'high'", "signal('tolls')"),
        ("level('tolls') == 'watch'", "signal('tolls')"),
        ("custom.ok", "true"),
        ("false", "custom.ok"),
    ],
)
def test_implied(one: str, other: str) -> None:
    """What is plain to see from the two conditions."""
    assert implies(tree(one), tree(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("custom.n > 5", "custom.n > 6"),
        ("custom.n >= 5", "custom.n > 5"),
        ("custom.n > 5", "custom.n < 9"),
        ("custom.n > 5", "custom.whole > 4"),
        ("custom.n in (5, 6)", "custom.n == 5"),
        ("custom.n > 5", "custom.n == 6"),
        ("custom.n != 5", "custom.n != 6"),
        ("custom.n != 5", "custom.n > 5"),
        ("custom.n > 5", "custom.n != 5"),
        ("custom.n > 3 or custom.ok", "custom.n > 3"),
        ("custom.n > 3", "custom.n > 3 and custom.ok"),
        ("not custom.ok", "custom.ok"),
        ("signal('tolls')", "level('tolls') >= 'high'"),
        ("signal('tolls')", "signal('fault')"),
        ("custom.ok", "false"),
        ("true", "custom.ok"),
    ],
)
def test_not_implied(one: str, other: str) -> None:
    """What does not follow, or is not plain to see."""
    assert not implies(tree(one), tree(other))


def test_never_wrongly() -> None:
    """Where one condition is said to imply another, no value makes the first true and the second anything else."""
    signs, bounds = ("<", "<=", ">", ">=", "==", "!="), (1, 2, 3)
    conditions = [f"custom.n {sign} {bound}" for sign, bound in product(signs, bounds)] + [
        "custom.n in (1, 2)",
        "custom.n in (2, 3)",
        "1 < custom.n < 3",
    ]
    values = (None, 0, 1, 1.5, 2, 2.5, 3, 4)
    held = {text: [value(text, {"custom.n": given}) for given in values] for text in conditions}
    found = 0
    for one, other in product(conditions, conditions):
        if implies(tree(one), tree(other)):
            found += 1
            assert all(second is True for first, second in zip(held[one], held[other], strict=True) if first is True), (one, other)
    assert found > 60


def test_dates() -> None:
    """A date that is never makes neither condition true."""
    assert implies(tree("custom.visit >= '2026-11-22'"), tree("custom.visit >= '2026-11-21'"))
    assert value("custom.visit >= '2026-11-21'", {"custom.visit": NEVER}) is None
    assert value("custom.visit >= '2026-11-21'", {"custom.visit": TODAY}) is True


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("severe: facts.toll >= 2 * param.floor", "severe: facts.toll >= param.floor", "rules/rules.yaml:31:15", f"this level {HIDDEN}"),
        (
            "      - is: low\n",
            "      - if: value.annual > 200000\n        is: high\n      - is: low\n",
            "rules/rules.yaml:22:13",
            f"this row {HIDDEN}",
        ),
        ("if: value.annual >= 100000", "if: 2 > 3", "rules/rules.yaml:20:13", "this row never holds"),
        ("if: value.annual >= 100000", "if: 3 > 2", None, None),
        (
            "  - is: 0.2\n",
            "  - if: level('high.toll') == 'severe' and custom.band == 'a'\n    is: 0.3\n  - is: 0.2\n",
            "policies/offers/to_plan_59.yaml:17:9",
            f"this row {HIDDEN}",
        ),
        (
            "  - id: retention\n",
            "  - id: rescue\n    title: {en: A, zh: B}\n    any: {worse: level('high.toll') >= 'severe'}\n"
            "    mix: {policy: 1, service: 1, emotional: 1}\n  - id: retention\n",
            "rules/places.yaml:21:5",
            f"this phase {HIDDEN}",
        ),
        (
            "permits: consent.marketing == 'yes'",
            "permits: action.category == 'care'",
            "policies/offers/to_plan_59.yaml:1:1",
            "`consent` never holds for `to_plan_59`, which can therefore never be offered",
        ),
        (
            "not_already: plan.id != 'plan_59'",
            "not_already: action.kind == 'offer'",
            "policies/offers/to_plan_59.yaml:9:16",
            "`not_already` of `to_plan_59` always holds; leave it out",
        ),
        ("phases: [hands_off]", "phases: [retention]", "rules/places.yaml:14:9", "no action belongs to the phase `hands_off`"),
        (
            "relevance: {care: 2.0}",
            "relevance: {cair: 2.0}",
            "rules/places.yaml:12:23",
            "no action has the category `cair`, so its relevance in `complaint` does nothing",
        ),
    ],
)
def test_warned(old: str, new: str, place: str | None, message: str | None) -> None:
    """Each is a warning with its place: the pack decides all the same."""
    found = problems(changed((old, new)))
    assert place is None or f"{place}: warning[unreachable]: {message}" in found
    assert all("warning[unreachable]" in problem for problem in found)


def test_tables_that_are_right() -> None:
    """Strongest first, nothing hidden."""
    assert problems(small()) == []


def test_a_pack_without_contact_policy_is_warned_of() -> None:
    """Nothing refuses it, for guardrails stand by themselves; but whoever lost the file is told."""
    policy = SMALL["policies/policy.yaml"].decode()
    files = changed((policy[policy.index("contact:") : policy.index("guardrails:")], ""))
    warned = [(problem.severity, problem.message) for problem in check_files(files) if problem.code == "missing"]
    assert ("warning", "the pack has no `contact:`") in warned
