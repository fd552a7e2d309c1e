"""Changes of a pack, packs made quickly with them, and which of them tests notice."""

import signal
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

import pytest

from app.engine.decide import decide
from app.engine.pack import assembled
from app.engine.pack.reading import Draft
from app.engine.tree import BOOLEAN, NUMBER, TIME, Const, Node, Type, show
from app.workbench.suites import Bench, load
from app.workbench.suites.mutants import Key, Mutant, mutants, steps
from app.workbench.suites.mutation import Mutation, Trying, summed, try_all
from app.workbench.suites.remaking import Remaker
from app.workbench.suites.sharing import shared
from tests.packs import changed, patterns, small
from tests.pipeline import cases, shipped_files
from tests.suites import bench_of, suite

pytestmark = pytest.mark.unit

JOIN = """\
patterns:
  - id: x.twice
    title: {en: A, zh: B}
    facts: {fault: events.fault, complaint: events.complaint}
    where: complaint.days - fault.days <= 7
    without: {fix: {from: events.fix, where: fix.at > fault.at}}
    level: high
    reason: {en: A, zh: B}
"""


def tried(tests: str, **added: str) -> Mutation:
    """The outcome of all mutants of the small pack."""
    bench = bench_of(small(**added))
    trying = Trying(bench, load(suite(tests), bench).tests)
    return summed(trying.mutants, map(trying.trial, trying.mutants))


def told(found: list[Mutant]) -> list[str]:
    """Mutants in words."""
    return [f"{item.kind} {item.name} {item.change}" for item in found]


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (3, NUMBER, [2, 4]),
        (30, NUMBER, [27, 33]),
        (15, NUMBER, [13, 17]),
        (0, NUMBER, [-1, 1]),
        (0.3, NUMBER, [0.27, 0.33]),
        (9 * 60, TIME, [8 * 60 + 30, 9 * 60 + 30]),
        (15, TIME, [45]),
        (True, BOOLEAN, []),
        ("a", Type("text"), []),
    ],
)
def test_a_step_fits_the_figure(value: object, kind: Type, wanted: list[float]) -> None:
    """Small whole numbers move by one, others by a tenth, times by half an hour; what is no figure does not move."""
    assert steps(value, kind) == wanted


def test_every_threshold_clause_level_and_row_is_changed_once_each_way() -> None:
    """Of each kind some of the small pack's, each once and in the words of its authors."""
    found = told(mutants(bench_of(small(extra="fallback: {suppressed: thank_you}\n"))))
    assert len(set(found)) == len(found)
    assert {
        "parameter param.floor 1500 → 1350",
        "parameter param.floor 1500 → 1650",
        "figure high.toll severe 2 → 1 in `facts.toll >= 2 * param.floor`",
        "figure warning leaving 30 → 33 in `count(events.intent_leave, days=30)`",
        "figure warning leaving 1 → 0 in `count(events.intent_leave, days=30) >= 1`",
        "figure facts.worth row 1 100000 → 90000 in `value.annual >= 100000`",
        "row facts.worth row 1 gone",
        "level high.toll severe gone",
        "level high.toll high gone",
        "stage warning leaving gone",
        "phase prevention toll gone",
        "phase cn port_out_in_progress gone",
        "moment complaint gone",
        "gate to_plan_59 tolls gone",
        "contact consent gone",
        "guardrail cn minors gone",
        "fallback fallback.suppressed thank_you gone",
    } <= set(found)
    assert not [item for item in found if "propensity" in item or "0.05" in item]


def test_a_good_test_notices_and_a_careless_one_does_not() -> None:
    """A test of the list notices that consent is gone; one of the phase does not."""
    careful = tried("- {subject: caller, with: {consent.marketing: 'no'}, expect: {actions: [thank_you]}}")
    careless = tried("- {subject: caller, with: {consent.marketing: 'no'}, expect: {phase: prevention}}")
    assert "contact consent gone" not in told(list(careful.survivors))
    assert "contact consent gone" in told(list(careless.survivors))


def test_thresholds_are_noticed_by_tests_on_either_side() -> None:
    """One test just above and one just below: neither step of the parameter goes unseen, here in a fact that a level rests on."""
    above = "- {subject: caller, with: {billing.toll_fee: [0, 0, 1500]}, expect: {signals: {high.toll: high}}}\n"
    below = "- {subject: caller, with: {billing.toll_fee: [0, 0, 1499]}, expect: {signals: {high.toll: none}}}\n"

    def unseen(tests: str) -> list[str]:
        return [item.change for item in tried(tests).survivors if item.kind == "parameter"]

    assert unseen(above) == ["1500 → 1350"]
    assert unseen(below) == ["1500 → 1650"]
    assert unseen(above + below) == []


def test_patterns_are_taken_apart() -> None:
    """A pattern is gone, lacks its condition or an absence, and has its figures moved."""
    changes = [item.change for item in mutants(bench_of(small(extra=JOIN))) if item.kind == "pattern"]
    assert changes == [
        "7 → 6 in `complaint.days - fault.days <= 7`",
        "7 → 8 in `complaint.days - fault.days <= 7`",
        "`without` fix gone",
        "gone",
    ]
    open_only = [item.change for item in mutants(bench_of(small(extra=patterns(a="signal('high.toll')")))) if item.kind == "pattern"]
    assert "`when` gone" in open_only


def test_fallbacks_and_other_jurisdictions_are_tried_where_they_count() -> None:
    """A fallback that is gone is noticed by a test of it; a guardrail is tried on the tests of its own jurisdiction."""
    files = small(extra="fallback: {not_applicable: thank_you}\n")
    files["policies/care/thank_you.yaml"] = files["policies/care/thank_you.yaml"].replace(b"[prevention, retention]", b"[hands_off]")
    bench = bench_of(files)
    tests = load(suite("- {subject: quiet, expect: {actions: [thank_you]}}"), bench).tests
    trying = Trying(bench, tests)
    fates = {item.name: trying.trial(item).noticed_by for item in trying.mutants if item.kind in ("fallback", "guardrail")}
    assert fates == {"fallback.not_applicable thank_you": 0, "cn minors": None}


def test_narrowing_keeps_what_the_tests_speak_of() -> None:
    """A test of one action is asked about that action and what it rests on, not about the moments."""
    bench = bench_of(small())
    trying = Trying(bench, load(suite("- {subject: caller, expect: {phase: prevention, offered: to_plan_59}}"), bench).tests)
    kinds = {(item.kind, item.name) for item in trying.narrowed()}
    assert ("gate", "to_plan_59 tolls") in kinds
    assert ("parameter", "param.floor") in kinds
    assert not [item for item in kinds if item[0] in ("moment", "stage")]


def test_processes_find_what_one_finds() -> None:
    """Several processes try the same mutants to the same end."""
    bench, files = Bench(small()), suite("- {subject: caller, expect: {phase: prevention, actions: [thank_you, to_plan_59]}}")
    trying = Trying(bench, load(files, bench).tests)
    wanted = trying.mutants[:12]
    assert list(try_all(trying, wanted, bench, files, 2)) == list(try_all(trying, wanted, bench, files, 1))


def test_of_stages_phases_and_moments_one_is_had_for_another() -> None:
    """Where a moment is there unasked, a test that expects none is the one to notice: it is run early."""
    bench = bench_of(small())
    files = suite("- {subject: caller, expect: {actions: [thank_you, to_plan_59]}}\n- {subject: caller, expect: {moment: none}}")
    trying = Trying(bench, load(files, bench).tests)
    assert [item.kind for item in trying.ordered(frozenset({"moment:bill_shock"}))[0].expectations] == ["moment"]


def ends_at_once(_tool: object, _item: int) -> bool:
    """Does an interrupt end this process without another word?"""
    return signal.getsignal(signal.SIGINT) == signal.SIG_DFL


def test_an_interrupt_ends_the_processes_at_once() -> None:
    """Whoever gives up waiting does not wait for what the other processes have begun."""
    assert list(shared(ends_at_once, [0, 1], None, dict, 2, 1)) == [True, True]


CALM = """\
contact:
  - id: calm
    title: {en: A, zh: B}
    applies: action.marketing
    permits: refused(days=30) < 2
    reason: {en: A, zh: B}
  - id: affordable
    title: {en: A, zh: B}
    applies: action.marketing
    permits: facts.toll < 100000
    reason: {en: A, zh: B}
"""


def test_what_two_conditions_share_is_there_when_one_of_them_is_gone() -> None:
    """A contact clause looks at what a gate looks at too, and at a fact: without the gate, and with another fact, it sees right."""
    files = changed(("  cheaper: fee_on", "  calm: refused(days=30) < 3\n  cheaper: fee_on"), calm=CALM)
    bench = bench_of(files)
    (test,) = load(suite("- {subject: caller, expect: {phase: prevention}}"), bench).tests
    remaker = Remaker(bench.home, bench.files)

    def became(trees: Mapping[Key, Node]) -> tuple[str | None, str | None]:
        decision = decide(remaker.with_trees(trees, {}, {}), test.case)
        return next((item.cause, item.clause) for item in decision.outcomes if item.action == "to_plan_59")

    (gate,) = (item for item in mutants(bench) if item.kind == "gate" and item.name == "to_plan_59 calm")
    assert became({}) == (None, None)
    assert became(gate.trees) == (None, None)
    (fact,) = (key for key, tree in bench.home.draft.trees.items() if show(tree) == "last(billing.toll_fee)")
    assert became({fact: Const(200_000, NUMBER)}) == ("suppressed", "affordable")


def test_pack_made_quickly_decides_as_one_made_from_the_start() -> None:
    """Over a spread of the shipped pack's mutants: what is reused is what would have come out."""
    bench = Bench(shipped_files())
    remaker, home = Remaker(bench.home, bench.files), bench.home
    chosen = [item for item in mutants(bench) if item.fallback is None and item.jurisdiction in (None, bench.jurisdiction)]
    people = list(islice(cases(remaker.pack, 11, 15), 15))
    differing = 0
    for mutant in chosen[:: len(chosen) // 6]:
        draft = Draft(home.draft.documents, home.draft.actions, [], {**home.draft.trees, **mutant.trees})
        parts = replace(home, draft=draft, opened={**home.opened, **mutant.opened}, joins={**home.joins, **mutant.joins})
        slow, fast = assembled(parts, bench.files), remaker.with_trees(mutant.trees, mutant.opened, mutant.joins)
        decisions = [decide(slow, case) for case in people]
        assert [decide(fast, case) for case in people] == decisions, mutant
        differing += decisions != [decide(remaker.pack, case) for case in people]
    assert differing
