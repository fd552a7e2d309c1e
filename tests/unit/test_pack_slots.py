"""A text names only what its condition makes known: everything else would show as a dash."""

import itertools
import random

import pytest

from app.engine.pack.checking import Parts, check
from app.engine.pack.checks.knowing import MOST, Knowing
from app.engine.pack.reading import read_files
from tests.expressions import tree, value
from tests.packs import changed, problems

pytestmark = pytest.mark.unit

RULES, OFFER, POLICY = "rules/rules.yaml", "policies/offers/to_plan_59.yaml", "policies/policy.yaml"

MORE = """\
custom:
  - {id: custom.n, type: number, title: {en: N, zh: N}}
  - {id: custom.m, type: number, title: {en: M, zh: M}}
  - {id: custom.ok, type: boolean, title: {en: OK, zh: OK}}
  - {id: custom.day, type: date, title: {en: D, zh: D}}
  - {id: custom.held, type: set, title: {en: S, zh: S}}
  - {id: custom.steps, type: series, title: {en: S, zh: S}}
facts:
  - {id: facts.sum, title: {en: A, zh: A}, is: custom.n + custom.m}
  - {id: facts.share, title: {en: A, zh: A}, is: custom.n / custom.m}
  - {id: facts.half, title: {en: A, zh: A}, is: custom.n / 2}
  - {id: facts.large, title: {en: A, zh: A}, is: custom.n > 5}
  - {id: facts.usual, title: {en: A, zh: A}, is: "mean(custom.steps, 3)"}
  - {id: facts.latest, title: {en: A, zh: A}, is: last(custom.steps)}
  - {id: facts.fitting, title: {en: A, zh: A}, is: best_fee(3)}
  - {id: facts.either, title: {en: A, zh: A}, is: "first_known(custom.n, custom.m)"}
  - {id: facts.anyway, title: {en: A, zh: A}, is: "first_known(custom.n, 3)"}
  - id: facts.asked
    title: {en: A, zh: A}
    first: [{if: custom.n > 1, is: true}, {if: custom.n > 0 and custom.ok, is: true}, {is: false}]
  - id: facts.kind
    title: {en: A, zh: A}
    values: [small, large]
    first: [{if: custom.n > 9, is: large}, {is: small}]
  - {id: facts.later, title: {en: A, zh: A}, is: custom.day > '2026-01-01'}
  - id: facts.seldom
    title: {en: A, zh: A}
    values: [large]
    first: [{if: custom.n > 9, is: large}]
  - id: facts.figure
    title: {en: A, zh: A}
    first: [{if: custom.n > 9, is: custom.n}, {is: custom.m}]
signals:
  - id: s.two
    title: {en: A, zh: A}
    levels: [{severe: custom.n > 9 and custom.m > 9}, {high: custom.n > 5}]
    reason: {en: A, zh: A}
patterns:
  - id: s.joined
    title: {en: A, zh: A}
    when: custom.n > 3
    facts: {fault: events.fault}
    level: high
    reason: {en: A, zh: A}
"""


@pytest.fixture(scope="module")
def small_parts() -> Parts:
    """The small pack with facts to ask about, and one derived condition for each test's expression."""
    draft = read_files(changed(more=MORE, asked="facts:\n" + "".join(_fact(index, text) for index, text in enumerate(ASKED))))
    parts = check(draft)
    assert draft.problems == []
    assert parts is not None
    return parts


def _fact(index: int, text: str) -> str:
    return f"  - id: facts.q{index}\n    title: {{en: A, zh: A}}\n    is: {text}\n"


SAID = [
    ("custom.n > 5", "custom.n", True),
    ("custom.n > 5", "custom.m", False),
    ("known(custom.n)", "custom.n", True),
    ("not known(custom.n)", "custom.n", False),
    ("not (custom.n > 5)", "custom.n", True),
    ("custom.n > 5 and custom.ok", "custom.n", True),
    ("custom.n > 5 or custom.ok", "custom.n", False),
    ("custom.n > 5 or custom.n < custom.m", "custom.n", True),
    ("not (custom.n > 5 or custom.ok)", "custom.ok", True),
    ("not (custom.n > 5 and custom.m > 5)", "custom.n", False),
    ("not known(custom.n) or custom.n > 5", "custom.n", False),
    ("known(custom.n) and (not known(custom.n) or custom.n > 5)", "custom.n", True),
    ("custom.n + custom.m > 5", "custom.m", True),
    ("facts.sum > 5", "custom.m", True),
    ("custom.n > 5 and custom.m > 5", "facts.sum", True),
    ("custom.n > 5 and custom.m > 5", "facts.share", False),
    ("facts.share > 5", "facts.share", True),
    ("custom.n > 5", "facts.half", True),
    ("custom.n > 5", "facts.large", True),
    ("facts.large", "custom.n", True),
    ("not facts.large", "custom.n", True),
    ("days_until(custom.day) < 5", "custom.day", True),
    ("days_until(custom.day) < 5", "facts.later", False),
    ("'x' in custom.held", "custom.held", True),
    ("custom.ok", "custom.ok", True),
    ("not custom.ok", "custom.ok", True),
    ("mean(custom.steps, 3) > 1", "facts.latest", True),
    ("last(custom.steps) > 1", "facts.usual", False),
    ("change(custom.steps, 2) > 1", "facts.usual", True),
    ("share_over(custom.steps, custom.n, 3) > 0.5", "custom.n", True),
    ("best_fee(3) > 1", "facts.fitting", True),
    ("best_fee(3) > 1", "plan.best_public_id", True),
    ("best_fee(2) > 1", "facts.fitting", False),
    ("plan.best_public_saving > 1", "plan.best_public_id", True),
    ("plan.best_public_id != 'x'", "plan.best_public_saving", False),
    ("fee_on(plan.id, 3) > 1", "plan.id", True),
    ("custom.n > 5", "facts.either", True),
    ("facts.either > 5", "custom.n", False),
    ("true", "facts.anyway", True),
    ("true", "param.floor", True),
    ("true", "custom.n", False),
    ("false", "custom.n", True),
    ("count(events.fault, days=30) > 1", "custom.n", False),
    ("at_least(1, custom.n > 1, custom.m > 1)", "custom.n", False),
    ("at_least(2, custom.n > 1, custom.m > 1)", "custom.n", True),
    ("at_least(2, custom.n > 1, custom.n > custom.m, custom.ok)", "custom.n", True),
    ("not at_least(1, custom.n > 1, custom.m > 1)", "custom.n", True),
    ("not at_least(2, custom.n > 1, custom.m > 1)", "custom.n", False),
    ("signal('s.two')", "custom.n", True),
    ("signal('s.two')", "custom.m", False),
    ("level('s.two') >= 'severe'", "custom.m", True),
    ("not signal('s.two')", "custom.n", True),
    ("signal('s.joined')", "custom.n", True),
    ("not signal('s.joined')", "custom.n", False),
    ("facts.asked", "custom.n", True),
    ("facts.asked", "custom.ok", False),
    ("not facts.asked", "custom.n", False),
    ("facts.kind == 'large'", "custom.n", True),
    ("facts.kind == 'small'", "custom.n", False),
    ("facts.kind != 'small'", "custom.n", True),
    ("facts.kind in ('large',)", "custom.n", True),
    ("facts.figure > 3", "custom.n", False),
    ("true", "facts.kind", True),
    ("custom.n > 3", "facts.seldom", False),
    ("custom.n > 9 or custom.m > 9", "facts.seldom", False),
    ("facts.seldom == 'large'", "custom.n", True),
    ("true", "facts.asked", True),
    ("custom.m > 3", "facts.figure", True),
    ("custom.n > 3", "facts.figure", False),
]
ASKED = sorted({text for text, _, _ in SAID})


@pytest.mark.parametrize(("text", "name", "known"), SAID)
def test_known(small_parts: Parts, text: str, name: str, known: bool) -> None:
    """Whether the name is surely known where the condition holds."""
    knowing = Knowing(small_parts)
    found = small_parts.facts[f"facts.q{ASKED.index(text)}"]
    assert knowing.sure(name, knowing.when(small_parts.draft.tree(found, "is"))) is known


REASON = 'en: "{facts.toll:money} in calls."'
GATES = "signal('high.toll')\nsuitable"
APP = '"{tariff.name} for {tariff.fee:money}."'


def slots(files: dict[str, bytes]) -> list[str]:
    """What is said of slots alone: one language is changed here, and the other is told of in its own right."""
    return [problem for problem in problems(files) if "[slot" in problem]


def dash(place: str, name: str, where: str, hint: str) -> str:
    return f"{place}: error[slot-unknown]: `{name}` may be unknown where {where}, and shows as a dash; {hint}"


WHERE_OPEN = "the gates of `to_plan_59` are open"


@pytest.mark.parametrize(
    ("replaced", "expected"),
    [
        (
            [(REASON, 'en: "{value.annual:money} in calls."')],
            dash(
                f"{RULES}:32:19",
                "value.annual",
                "`high.toll` is `severe`",
                "add `known(value.annual)` to the level, or name another fact",
            ),
        ),
        (
            [
                (REASON, 'en: "{facts.toll:money}, {value.annual:money}."'),
                ("severe: facts.toll >=", "severe: value.annual > 0 and facts.toll >="),
            ],
            dash(f"{RULES}:32:19", "value.annual", "`high.toll` is `high`", "add `known(value.annual)` to the level, or name another fact"),
        ),
        (
            [(APP, '"{tariff.name} for {tariff.fee:money} with {device.generation}."')],
            dash(
                f"{OFFER}:21:21",
                "device.generation",
                WHERE_OPEN,
                "add `known(device.generation)` to `suitable:`, or name a fact that a gate looks at",
            ),
        ),
        (
            [(APP, '"{tariff.name} for {tariff.fee:money}, {tariff.saving:money} less."')],
            dash(
                f"{OFFER}:21:21",
                "tariff.saving",
                WHERE_OPEN,
                "add `known(plan.best_public_saving)` to `suitable:`, or name a fact that a gate looks at",
            ),
        ),
        (
            [("reason: {en: No consent.", 'reason: {en: "No consent, {value.annual:money}."')],
            dash(
                f"{POLICY}:28:19",
                "value.annual",
                "`consent` does not permit",
                "add `known(value.annual)` to `applies:`, or name a parameter",
            ),
        ),
        (
            [('disclose: {en: "{tariff.name} costs', 'disclose: {en: "{value.annual:money}: {tariff.name} costs')],
            dash(f"{POLICY}:15:21", "value.annual", "`to_plan_59` offers `plan_59`", "name what the tariff itself says"),
        ),
        (
            [
                ('disclose: {en: "{tariff.name} costs', 'disclose: {en: "{value.annual:money}: {tariff.name} costs'),
                ("tariff: plan_59\n", "tariff: plan.best_public_id\n"),
            ],
            dash(f"{POLICY}:15:21", "value.annual", "`to_plan_59` offers `plan_59`", "name what the tariff itself says"),
        ),
    ],
)
def test_told(replaced: list[tuple[str, str]], expected: str) -> None:
    """Each with its place, the condition, and what to do."""
    assert slots(changed(*replaced)) == [expected]


@pytest.mark.parametrize(
    "replaced",
    [
        [(REASON, 'en: "{facts.toll:money} beside {param.floor:money} in calls."')],
        [(APP, '"{facts.toll:money}, {plan.id}, {tariff.name}, {tariff.fee:money}, {action.valid_until:date}."')],
        [
            (APP, '"{tariff.name}, {tariff.fee:money}, {tariff.saving:money} less."'),
            ("plan.id != 'plan_59'", "plan.best_public_saving > 5"),
        ],
        [
            ("{en: Thank you., zh: 感谢您。}", '{en: "For {facts.toll:money}.", zh: 感谢您。}'),
            ("phases: [prevention, retention]\npropensity", "phases: [prevention]\npropensity"),
        ],
        [("reason: {en: No consent.", 'reason: {en: "No consent: {consent.marketing}."')],
        [
            ("reason: {en: No consent.", 'reason: {en: "Of {value.annual:money}."'),
            ("applies: action.marketing\n    permits: con", "applies: value.annual > 5\n    permits: con"),
        ],
        [
            (APP, '"In {account.county}, {tariff.fee:money}."'),
            ("effective: next_cycle", "effective: next_cycle\n    open_if: account.county != 'x'"),
        ],
        [
            ("{en: Thank you., zh: 感谢您。}", '{en: "For {value.annual:money}.", zh: 感谢您。}'),
            ("value: 100", "value: 100\nconcession: 0 * value.annual"),
        ],
        [('disclose: {en: "{tariff.name} costs', 'disclose: {en: "{facts.toll:money}: {tariff.name} costs')],
    ],
)
def test_right(replaced: list[tuple[str, str]]) -> None:
    """What a level, a gate or a closed clause has looked at may be named."""
    assert slots(changed(*replaced)) == []


FALLBACK = "fallback: {suppressed: [thank_you]}\n"


def test_fallback() -> None:
    """An action that stands in for an empty list has been asked only whether it is eligible."""
    named = ("{en: Thank you., zh: 感谢您。}", '{en: "For {value.annual:money}.", zh: 感谢您。}')
    gate = (
        "phases: [prevention, retention]\npropensity: 0.5",
        "phases: [prevention, retention]\n{}: {{a: value.annual > 5}}\npropensity: 0.5",
    )
    suitable, eligible = ((gate[0], gate[1].format(name)) for name in ("suitable", "eligible"))
    expected = dash(
        "policies/care/thank_you.yaml:12:21",
        "value.annual",
        "`thank_you` stands in for an empty list (suppressed)",
        "then only `eligible:` is looked at: add `known(value.annual)` there, or name no figure",
    )
    assert slots(changed(named, suitable)) == []
    assert slots(changed(named, suitable, back=FALLBACK)) == [expected]
    assert slots(changed(named, eligible, back=FALLBACK)) == []


def test_saving_of_a_pack() -> None:
    """Only a plan can be compared with the present one."""
    pack = ("    kind: plan\n", "    kind: pack\n"), ("cheaper: fee_on('plan_59', 3) <", "cheaper: 1 <")
    found = problems(changed(*pack, (APP, '"{tariff.name} for {tariff.fee:money}, {tariff.saving:money} less."')))
    assert (
        f"{OFFER}:21:21: error[slot-unknown]: `tariff.saving` is known for plans only, and shows as a dash; leave it out, or name a fact"
        in found
    )
    disclosed = ("costs {tariff.fee:money} a month.", "costs {tariff.fee:money}, until {action.valid_until:date}.")
    (told,) = slots(changed(disclosed))
    assert "`action.valid_until` is not known in what must be told of a tariff" in told


@pytest.mark.parametrize(
    ("old", "new", "place", "what", "name"),
    [
        ("title: {en: High tolls,", 'title: {en: "High, {param.floor:money}",', f"{RULES}:28:18", "`title:`", "param.floor"),
        ("name: {en: Plan 59,", 'name: {en: "Plan {param.floor:money}",', f"{POLICY}:4:17", "`name:`", "param.floor"),
        ("en: Do you have broadband?", 'en: "Over {param.floor:money}?"', f"{RULES}:24:48", "the question", "home.has_broadband"),
        (
            "tariff: plan_59\n",
            'tariff: plan_59\npilot: {until: 2027-01-01, why: {en: "{param.floor:money}", zh: 试点}}\n',
            f"{OFFER}:20:39",
            "`why:`",
            "param.floor",
        ),
        ("source: {en: Law on minors", 'source: {en: "Law {param.floor:money}"', f"{POLICY}:46:21", "`source:`", "param.floor"),
    ],
)
def test_plain_texts(old: str, new: str, place: str, what: str, name: str) -> None:
    """Titles, names, sources and questions are never filled."""
    told = f"{place}: error[slot]: {what} is shown as it is written, with `{{{name}}}` in braces; say it without the figure"
    assert told in problems(changed((old, new)))


def test_long_chains() -> None:
    """A chain of facts, each naming the one before twice, is followed without end or explosion; beyond some length nothing is sure."""
    rows = "".join(f"  - {{id: facts.c{n}, title: {{en: A, zh: A}}, is: 'max(facts.c{n - 1}, facts.c{n - 1})'}}\n" for n in range(1, 1500))
    first = "custom:\n  - {id: custom.n, type: number, title: {en: A, zh: A}}\n"
    first += "facts:\n  - {id: facts.c0, title: {en: A, zh: A}, is: custom.n}\n"
    parts = check(read_files(changed(chain=first + rows)))
    assert parts is not None
    knowing = Knowing(parts)
    known = knowing.when(parts.draft.tree(parts.facts["facts.c1499"], "is"))
    assert known is not None
    assert len(known) == MOST
    assert knowing.sure("facts.c1498", known)
    near = knowing.when(parts.draft.tree(parts.facts["facts.c1"], "is"))
    assert knowing.sure("facts.c5", near)
    assert not knowing.sure("facts.c25", near)
    assert not knowing.sure("facts.c1499", near)


ATOMS = ("custom.n > 5", "known(custom.n)", "custom.whole == 2", "custom.ok", "custom.n < custom.whole", "not known(custom.ok)")


def _random(dice: random.Random, depth: int) -> str:
    if depth == 0:
        return dice.choice(ATOMS)
    parts = [f"({_random(dice, depth - 1)})" for _ in range(dice.randint(2, 3))]
    form = dice.choice(("and", "or", "not", "at_least"))
    if form == "not":
        return f"not {parts[0]}"
    return f"at_least({dice.randint(1, len(parts))}, {', '.join(parts)})" if form == "at_least" else f" {form} ".join(parts)


@pytest.mark.parametrize("seed", range(60))
def test_never_wrongly_known(small_parts: Parts, seed: int) -> None:
    """Whatever is said to be known is known, for every value of a random condition's facts that gives it that truth."""
    text = _random(random.Random(seed), 2 + seed % 2)
    knowing = Knowing(small_parts)
    given = itertools.product((None, 1, 9), (None, 2, 7), (None, True, False))
    for values in (dict(zip(("custom.n", "custom.whole", "custom.ok"), row, strict=True)) for row in given):
        held = value(text, values)
        if held is not None:
            known = knowing.when(tree(text), truth=held)
            assert known is not None, text
            assert all(values[name] is not None for name in values if name in known), (text, values)
