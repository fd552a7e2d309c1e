"""What never comes into play is found, with its place and somebody who shows it: planted in a pack that is clean, one at a time."""

import re

import pytest

from app.cli.sarif import sarif
from app.engine.pack import check_files
from app.engine.problems import Problem
from tests.packs import SMALL, changed, facts, patterns, signals, small

pytestmark = pytest.mark.unit

RETENTION = "  - id: retention\n    title: {en: Retention"
NOT_ALREADY = "not_already: plan.id != 'plan_59'"
APPLIES = "tolls: signal('high.toll')"
CHEAPER = "cheaper: fee_on('plan_59', 3) < mean(billing.total, 3)"
ROW = "  - if: level('high.toll') == 'severe'\n"
NO_CONSENT = "    reason: {en: No consent., zh: 未同意。}\n"
CONSENT = "permits: consent.marketing == 'yes'"
ANY = "any: {toll: signal('high.toll')}"
MORE = "    title: {en: A, zh: B}\n"
PHASES = "phases: [prevention, retention]\neligible"
ON_THE_WEB = (
    'channels:\n  web: {text: {en: "{tariff.name} for {tariff.fee:money}, then {tariff.fee_after:money}.", '
    'zh: "{tariff.name}，{tariff.fee:money}，之后{tariff.fee_after:money}。"}}\n  app: {text: {en: "{tariff.name} for'
)
OFFER = "`to_plan_59` can never be offered"


def found(files: dict[str, bytes], code: str) -> list[Problem]:
    """The findings of one code; whatever else is found is a warning too."""
    problems = check_files(files)
    assert all(problem.severity == "warning" for problem in problems), problems
    return [problem for problem in problems if problem.code == code]


def level(*levels: str) -> str:
    """A signal of several levels, each as `high: condition`."""
    rows = "".join(f"      - {row}\n" for row in levels)
    return f"signals:\n  - id: x.y\n    title: {{en: A, zh: B}}\n    levels:\n{rows}    reason: {{en: A, zh: B}}\n"


def table(*conditions: str) -> str:
    """A fact that is read from the top."""
    rows = "".join(f"      - if: {condition}\n        is: {index}\n" for index, condition in enumerate(conditions))
    return f"facts:\n  - id: facts.step\n    title: {{en: A, zh: B}}\n    first:\n{rows}      - is: 9\n"


def phase(condition: str, before: str = RETENTION) -> tuple[str, str]:
    """A phase more, before the last one."""
    return before, f"  - id: rescue\n{MORE}    any: {{worse: {condition}}}\n    mix: {{policy: 1, service: 1, emotional: 1}}\n{before}"


def rule(name: str, permits: str, applies: str = "action.marketing") -> tuple[str, str]:
    """A contact clause more."""
    return NO_CONSENT, f"{NO_CONSENT}  - id: {name}\n{MORE}    applies: {applies}\n    permits: {permits}\n    reason: {{en: A, zh: B}}\n"


@pytest.mark.parametrize(
    ("added", "place", "message", "witness"),
    [
        (
            level("high: plan.monthly_fee > 5900 and plan.monthly_fee < 5000"),
            "5:15",
            "the level `high` of `x.y` never holds: `plan.monthly_fee > 5900` and `plan.monthly_fee < 5000` exclude each other",
            {"plan.monthly_fee": "¥59.01"},
        ),
        (level("high: 1 < services.unsupported_count < 2"), "5:15", "exclude each other", {"services.unsupported_count": "2"}),
        (
            level("high: billing.best < 0").replace("billing.best", "last(usage.data_mb)"),
            "5:15",
            "the level `high` of `x.y` never holds",
            {},
        ),
        (level("high: share_over(billing.total, 0, 3) > 1"), "5:15", "the level `high` of `x.y` never holds", {}),
        (level("high: care.manager_assigned and not care.manager_assigned"), "5:15", "exclude", {"care.manager_assigned": "yes"}),
        (level("high: not known(billing.total) and last(billing.total) > 100"), "5:15", "exclude each other", {}),
        (level("high: account.status == 'active' and account.status == 'lost'"), "5:15", "exclude", {"account.status": "active"}),
        (
            level("high: last(billing.total) > plan.monthly_fee and plan.monthly_fee > last(billing.total)"),
            "5:15",
            "exclude each other",
            {"last(billing.total)": "¥0.10", "plan.monthly_fee": "¥0"},
        ),
        (
            level("high: 0 < days_until(contract.promo_end) < 9 and days_since(contract.promo_end) > 1"),
            "5:15",
            "exclude each other",
            {"days_until(contract.promo_end)": "1 day"},
        ),
        (level("high: \"'a' in services.held and not overlap(services.held, ('a', 'b'))\""), "5:16", "exclude", {"services.held": "a"}),
        (level("high: level('high.toll') >= 'severe' and not signal('high.toll')"), "5:15", "exclude", {"last(billing.toll_fee)": "¥30"}),
        (level("high: facts.worth == 'high' and value.annual < 50000"), "5:15", "exclude each other", {"value.annual": "¥1,000"}),
        (level("high: at_least(2, value.annual > 9, value.annual < 5)"), "5:15", "the level `high` of `x.y` never holds", {}),
        (
            level("high: custom.band == 'a' or (plan.monthly_fee > 5900 and plan.monthly_fee < 5000)"),
            "5:15",
            "`plan.monthly_fee > 5900 and plan.monthly_fee < 5000` in the level `high` of `x.y` never holds",
            {"plan.monthly_fee": "¥59.01"},
        ),
        (table("value.annual > 100 and value.annual < 50"), "5:13", "row 1 of `facts.step` never holds", {"value.annual": "¥1.01"}),
        (facts(odd="value.annual > 100 and value.annual < 50"), "4:9", "`facts.odd` never holds", {"value.annual": "¥1.01"}),
        (patterns(p="custom.band == 'a' and custom.band == 'b'"), "4:11", "the `when:` of `x.p` never holds", {"custom.band": "a"}),
        (
            patterns(p="custom.band == 'a'").replace("fault.days <= 7", "fault.days <= 7 and fault.days > 30"),
            "6:12",
            "the `where:` of `x.p` never holds",
            {"fault.days": "7 days"},
        ),
        (
            patterns(p="custom.band == 'a'").replace(
                "    level:", "    without:\n      fix: {from: events.fix, where: fix.at > fault.at and fault.at > fix.at}\n    level:"
            ),
            "8:38",
            "the `where:` of `fix` in `x.p` never holds",
            None,
        ),
    ],
)
def test_never_holds(added: str, place: str, message: str, witness: dict[str, str] | None) -> None:
    """A condition that nobody can meet is told where it stands, with the pieces that exclude each other and somebody at their edge."""
    (problem,) = found(small(x=added), "never-holds")
    assert str(problem.place) == f"rules/x.yaml:{place}"
    assert message in problem.message
    assert witness is None or dict(problem.witness) == witness


@pytest.mark.parametrize(
    ("replaced", "place", "message"),
    [
        (ROW, "policies/offers/to_plan_59.yaml:15:9", "row 1 of `propensity:` of `to_plan_59`"),
        ("    applies: action.marketing\n    permits: consent", "policies/policy.yaml:26:14", "the `applies:` of `consent`"),
        (CONSENT, "policies/policy.yaml:27:14", "the `permits:` of `consent`"),
        ("when: port.state == 'applied'", "policies/policy.yaml:34:13", "the `when:` of `port_out_in_progress`"),
        ("who: both, en: Do", "rules/rules.yaml:24:49", "the `when:` of the question for `home.has_broadband`"),
        ("    effective: next_cycle", "policies/policy.yaml:14:14", "the `open_if:` of `plan_59`"),
        (NOT_ALREADY, "policies/offers/to_plan_59.yaml:9:16", "`not_already` of `to_plan_59`"),
        (ANY, "rules/places.yaml:19:17", "`toll` of the phase `prevention`"),
        ("leaving: count(events.intent_leave, days=30) >= 1", "rules/places.yaml:5:16", "`leaving` of the stage `warning`"),
        ("revealed_by: count(events.complaint, days=7) >= 1", "rules/places.yaml:11:18", "what reveals `complaint`"),
        ("if: value.annual >= 100000", "rules/rules.yaml:20:13", "row 1 of `facts.worth`"),
    ],
)
def test_never_holds_everywhere(replaced: str, place: str, message: str) -> None:
    """Wherever a condition may stand."""
    never = "request.channel == 'app' and request.channel == 'web'"
    forms = {
        ROW: f"  - if: {never}\n",
        "    applies: action.marketing\n    permits: consent": f"    applies: {never}\n    permits: consent",
        "who: both, en: Do": f"who: both, when: {never}, en: Do",
        "    effective: next_cycle": f"    open_if: {never}\n    effective: next_cycle",
        ANY: f"any: {{toll: {never}}}",
    }
    files = changed((replaced, forms.get(replaced) or f"{replaced.partition(': ')[0]}: {never}"))
    (problem,) = found(files, "never-holds")
    assert str(problem.place) == place
    assert problem.message.startswith(f"{message} never holds")


@pytest.mark.parametrize(
    ("files", "place", "message"),
    [
        (small(x=level("high: known(plan.id) or not known(plan.id)")), "rules/x.yaml:5:15", "the level `high` of `x.y` always holds"),
        (small(x=table("2 > 1")), "rules/x.yaml:5:13", "row 1 of `facts.step` always holds"),
        (
            changed((NOT_ALREADY, "not_already: action.kind == 'offer'")),
            "policies/offers/to_plan_59.yaml:9:16",
            "`not_already` of `to_plan_59` always holds",
        ),
        (
            changed(("permits: not holder.user_is_minor", "permits: holder.user_is_minor or not holder.user_is_minor")),
            "policies/policy.yaml:42:16",
            "the `permits:` of `minors` always holds",
        ),
    ],
)
def test_always_holds(files: dict[str, bytes], place: str, message: str) -> None:
    """So is one that everybody meets; where unknown permits, unknown meets it."""
    (problem,) = found(files, "always-holds")
    assert (str(problem.place), problem.message) == (place, message)


@pytest.mark.parametrize(
    ("files", "code", "place", "by", "witness"),
    [
        (
            small(x=level("severe: facts.toll >= param.floor", "high: facts.toll >= 3000")),
            "hidden-level",
            "rules/x.yaml:6:15",
            "`severe` of `x.y` holds whenever `high` of `x.y` does",
            {"last(billing.toll_fee)": "¥30"},
        ),
        (
            small(x=level("severe: last(billing.toll_fee) > 1000", "high: facts.toll >= 2000 and care.manager_assigned")),
            "hidden-level",
            "rules/x.yaml:6:15",
            "`severe` of `x.y` holds",
            {"care.manager_assigned": "yes", "last(billing.toll_fee)": "¥20"},
        ),
        (
            small(x=level("severe: churn.score < 0.6", "high: churn.score > 0.5", "watch: churn.score >= 0.1")),
            "hidden-level",
            "rules/x.yaml:7:16",
            "`severe` of `x.y` or `high` of `x.y` holds whenever `watch` of `x.y` does",
            {"churn.score": "1"},
        ),
        (
            small(x=table("value.annual > 1000", "value.annual > 5000")),
            "hidden-row",
            "rules/x.yaml:7:13",
            "row 1 of `facts.step` holds whenever row 2",
            {"value.annual": "¥50.01"},
        ),
        (
            small(x=table("plan.id == 'a'", "plan.id == 'b'", "plan.id in ('a', 'b')")),
            "hidden-row",
            "rules/x.yaml:9:13",
            "row 1 of `facts.step` or row 2 of `facts.step` holds whenever row 3",
            {"plan.id": "a"},
        ),
        (
            small(x=table("2 * value.annual >= 3000", "value.annual - 500 > 1000")),
            "hidden-row",
            "rules/x.yaml:7:13",
            "row 1 of `facts.step` holds",
            {"value.annual": "¥15.01"},
        ),
        (
            changed((ROW, f"{ROW}    is: 0.4\n  - if: level('high.toll') == 'severe' and custom.band == 'a'\n")),
            "hidden-row",
            "policies/offers/to_plan_59.yaml:17:9",
            "row 1 of `propensity:` holds",
            {"custom.band": "a", "last(billing.toll_fee)": "¥30"},
        ),
        (
            changed(phase("level('high.toll') >= 'severe'")),
            "hidden-row",
            "rules/places.yaml:21:9",
            "`prevention` holds whenever `rescue` does",
            {"last(billing.toll_fee)": "¥30"},
        ),
        (
            changed((ANY, "any: {low: value.annual < 5000, high: value.annual > 4000}"), phase("value.annual >= 1")),
            "hidden-row",
            "rules/places.yaml:21:9",
            "`prevention` holds whenever `rescue` does",
            {"value.annual": "¥0.01"},
        ),
        (
            changed(
                ("  - id: stable\n", f"  - id: growth\n{MORE}    any: {{x: 'count(events.intent_leave, days=30) >= 2'}}\n  - id: stable\n")
            ),
            "hidden-row",
            "rules/places.yaml:6:9",
            "`warning` holds whenever `growth` does",
            {"count(events.intent_leave, days=30)": "2"},
        ),
        (
            changed(
                (
                    "  - id: complaint\n",
                    f"  - id: fault\n{MORE}    revealed_by: count(events.complaint, days=7) >= 1\n  - id: complaint\n",
                )
            ),
            "hidden-row",
            "rules/places.yaml:14:18",
            "`fault` holds whenever `complaint` does",
            {"count(events.complaint, days=7)": "1"},
        ),
    ],
)
def test_hidden(files: dict[str, bytes], code: str, place: str, by: str, witness: dict[str, str]) -> None:
    """A row that those before it hide, one alone or several together, is told with somebody for whom both hold."""
    (problem,) = found(files, code)
    assert str(problem.place) == place
    assert by in problem.message
    assert dict(problem.witness) == witness


@pytest.mark.parametrize(
    ("replaced", "code", "place", "message"),
    [
        ([(CHEAPER, "few: facts.toll < 100")], "excluding-clauses", "13:8", f"{OFFER}: `tolls` and `few` exclude each other"),
        (
            [
                (NOT_ALREADY, "a: plan.monthly_fee >= 5000 or care.manager_assigned"),
                (APPLIES, "b: plan.monthly_fee < 5000"),
                (CHEAPER, "c: not care.manager_assigned"),
            ],
            "excluding-clauses",
            "13:6",
            f"{OFFER}: `a` and `b` and `c` exclude each other",
        ),
        (
            [
                ("    effective: next_cycle", "    requires: [broadband]\n    effective: next_cycle"),
                (NOT_ALREADY, "no: \"'broadband' not in services.held\""),
            ],
            "excluding-clauses",
            "9:8",
            f"{OFFER}: `tariff_on_sale` and `no` exclude each other",
        ),
        (
            [(PHASES, "phases: [retention]\neligible")],
            "unreachable-action",
            "11:10",
            f"{OFFER}: `tolls` and its `phases:` exclude each other",
        ),
        (
            [
                (PHASES, "phases: [prevention]\neligible"),
                (ANY, "any: {toll: signal('high.toll') and stage == 'stable'}"),
                (NOT_ALREADY, "leaving: stage == 'warning'"),
            ],
            "unreachable-action",
            "9:12",
            f"{OFFER}: `leaving` and its `phases:` exclude each other",
        ),
        (
            [(CONSENT, "permits: action.category == 'care'")],
            "unreachable-action",
            "1:1",
            f"{OFFER}: the contact clause `consent` never lets it pass",
        ),
        (
            [(CONSENT, "permits: value.annual < 100"), (CHEAPER, "worth: value.annual >= 5000")],
            "unreachable-action",
            "13:10",
            f"{OFFER}: `worth` and the contact clause `consent` exclude each other",
        ),
        (
            [("permits: not holder.user_is_minor", "permits: not account.test_number"), (CHEAPER, "test: account.test_number")],
            "unreachable-action",
            "13:9",
            f"{OFFER}: `test` and the guardrail `minors` exclude each other",
        ),
        (
            [rule("poor", "value.annual < 100"), rule("rich", "value.annual > 100")],
            "unreachable-action",
            "1:1",
            f"{OFFER}: the contact clause `poor` and the contact clause `rich` exclude each other",
        ),
        (
            [(CONSENT, "permits: request.channel == 'shop'")],
            "unreachable-action",
            "21:3",
            f"{OFFER}: its `channels:` and the contact clause `consent` exclude each other",
        ),
        (
            [
                (
                    "    effective: next_cycle",
                    "    open_if: holder.student_verified and not holder.student_verified\n    effective: next_cycle",
                )
            ],
            "unreachable-action",
            "19:9",
            f"{OFFER}: `tariff_on_sale` never lets it pass",
        ),
        (
            [(CONSENT, "permits: request.channel != 'web'"), ('channels:\n  app: {text: {en: "{tariff.name} for', ON_THE_WEB)],
            "closed-channel",
            "21:8",
            "`to_plan_59` can never be offered on `web`: the contact clause `consent` never lets it pass there",
        ),
        (
            [(NOT_ALREADY, "in_the_app: request.channel == 'app'"), ('channels:\n  app: {text: {en: "{tariff.name} for', ON_THE_WEB)],
            "closed-channel",
            "21:8",
            "`to_plan_59` can never be offered on `web`: `in_the_app` never lets it pass there",
        ),
    ],
)
def test_out_of_reach(replaced: list[tuple[str, str]], code: str, place: str, message: str) -> None:
    """An action that its clauses, phases, channels, contact policy and guardrails leave to nobody is told with the fewest of them."""
    merged: dict[str, str] = {}
    for old, new in replaced:
        merged[old] = new if old not in merged else merged[old] + new.removeprefix(old)
    (problem,) = found(changed(*merged.items()), code)
    assert str(problem.place) == f"policies/offers/to_plan_59.yaml:{place}"
    assert problem.message == message
    assert problem.witness or "exclude" not in message or "channels" in message


@pytest.mark.parametrize(
    ("files", "code", "place", "message"),
    [
        (
            changed((CHEAPER, "some: facts.toll >= 100")),
            "subsumed-clause",
            "policies/offers/to_plan_59.yaml:13:9",
            "`some` does nothing beside `tolls`",
        ),
        (
            changed((CHEAPER, "again: facts.toll >= param.floor")),
            "duplicate-clause",
            "policies/offers/to_plan_59.yaml:13:10",
            "`again` says the same as `tolls`",
        ),
        (
            changed((NOT_ALREADY, "a: \"'x' in services.held\""), (CHEAPER, "b: \"overlap(services.held, ('x', 'y'))\"")),
            "subsumed-clause",
            "policies/offers/to_plan_59.yaml:13:7",
            "`b` does nothing beside `a`",
        ),
        (
            changed(rule("asked", "consent.marketing in ('yes', 'no')", "action.kind == 'offer' and action.marketing")),
            "subsumed-clause",
            "policies/policy.yaml:29:5",
            "`asked` does nothing beside `consent` of the contact policy",
        ),
        (
            changed(rule("again", "not (consent.marketing != 'yes')")),
            "duplicate-clause",
            "policies/policy.yaml:29:5",
            "`again` says the same as `consent` of the contact policy",
        ),
        (
            changed((ANY, "any: {toll: signal('high.toll'), worse: level('high.toll') >= 'severe'}")),
            "subsumed-clause",
            "rules/places.yaml:19:45",
            "`worse` adds nothing to `toll` of the phase `prevention`",
        ),
        (
            changed((ANY, "any: {toll: signal('high.toll'), same: facts.toll >= param.floor}")),
            "duplicate-clause",
            "rules/places.yaml:19:44",
            "`same` says the same as `toll` of the phase `prevention`",
        ),
        (
            small(x=signals(a="value.annual > 100", b="not value.annual <= 100")),
            "duplicate-signal",
            "rules/x.yaml:7:9",
            "`x.b` holds for the same people as `x.a`, level by level",
        ),
        (
            small(x=patterns(a="custom.band == 'a'", b="custom.band == 'a'")),
            "duplicate-signal",
            "rules/x.yaml:9:9",
            "`x.b` holds for the same people as `x.a`",
        ),
        (
            changed(("phases: [hands_off]", "phases: [retention]")),
            "empty-phase",
            "rules/places.yaml:14:9",
            "no action belongs to the phase `hands_off`",
        ),
        (changed(("{care: 2.0}", "{cair: 2.0}")), "idle-relevance", "rules/places.yaml:12:23", "no action has the category `cair`"),
    ],
)
def test_idle(files: dict[str, bytes], code: str, place: str, message: str) -> None:
    """What says nothing new is told: of two clauses of one action, of contact policy, of a phase; of two signals."""
    (problem,) = found(files, code)
    assert str(problem.place) == place
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    "files",
    [
        small(),
        small(x=level("severe: facts.toll >= 3000", "high: facts.toll >= 2000 and custom.band == 'a'", "watch: facts.toll >= 2000")),
        small(x=table("plan.id == 'a'", "plan.id in ('a', 'b')")),
        small(x=level("high: last(billing.total) > plan.monthly_fee and 2 * plan.monthly_fee > last(billing.total)")),
        changed((CHEAPER, "figure_known: known(billing.toll_fee)")),
        changed((NOT_ALREADY, "named: not known(plan.id) or plan.id != 'plan_59'")),
        changed(rule("other", "consent.marketing != 'no'", "action.kind == 'care'")),
    ],
)
def test_nothing_wrong(files: dict[str, bytes]) -> None:
    """What is in order is left alone; a clause that closes an action where another would leave it undecided does something."""
    assert [problem for problem in check_files(files) if not problem.code.startswith("unused-")] == []


def test_a_witness_is_part_of_what_is_printed() -> None:
    """After the hint, as `e.g.`."""
    (problem,) = found(small(x=table("value.annual > 1000", "value.annual > 5000")), "hidden-row")
    assert str(problem).endswith("; the narrower condition comes first; e.g. `value.annual` = ¥50.01")


def test_a_witness_is_told_to_forges() -> None:
    """SARIF carries it in the message."""
    (result,) = sarif(found(small(x=table("value.annual > 1000", "value.annual > 5000")), "hidden-row"))["runs"][0]["results"]
    assert result["message"]["text"].endswith("; e.g. `value.annual` = ¥50.01")
    assert result["level"] == "warning"


def test_a_pack_without_contact_policy_is_warned_of() -> None:
    """Nothing refuses it, for guardrails stand by themselves; but whoever lost the file is told."""
    policy = SMALL["policies/policy.yaml"].decode()
    files = changed((policy[policy.index("contact:") : policy.index("guardrails:")], ""))
    warned = [(problem.severity, problem.message) for problem in check_files(files) if problem.code == "missing"]
    assert ("warning", "the pack has no `contact:`") in warned


def test_messages_have_one_form() -> None:
    """Lower case or a quotation first, no final stop."""
    texts = [str(problem.message) for problem in check_files(changed((CHEAPER, "few: facts.toll < 100"), (ROW, "  - if: 2 > 3\n")))]
    assert texts
    assert all(re.match(r"[a-z`]", text) and not text.endswith(".") for text in texts)
