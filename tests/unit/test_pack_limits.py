"""Protected facts decide neither the phase nor what an offer is gated, scored or priced by, however they get there."""

import pytest

from app.engine.pack.limits import PROTECTED
from tests.packs import changed, facts, patterns, problems, signals

pytestmark = pytest.mark.unit

HINT = "price and treatment never depend on it; a published condition belongs into the tariff's `open_if:`"
GATES = "policies/offers/to_plan_59.yaml"
PHASES = "rules/places.yaml"
FACTS = facts(senior="holder.user_is_minor", through="facts.senior or custom.band == 'a'")
SIGNALS = signals(near="account.province == 'gd'")


def protected(place: str, what: str, fact: str, *through: str) -> str:
    way = " through " + " → ".join(f"`{name}`" for name in through) if through else ""
    what = f"phase `{what}`" if place.startswith(PHASES) else f"`{what}` of the offer `to_plan_59`"
    return f"{place}: error[protected]: {what} rests on the protected fact `{fact}`{way}; {HINT}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("plan.id != 'plan_59'", "not holder.user_is_minor", (f"{GATES}:9:16", "eligible", "holder.user_is_minor")),
        ("signal('high.toll')\nsuitable", "account.city == 'gz'\nsuitable", (f"{GATES}:11:10", "applicable", "account.city")),
        ("fee_on('plan_59', 3) <", "known(holder.disability_card) or 1 <", (f"{GATES}:13:12", "suitable", "holder.disability_card")),
        (
            "if: level('high.toll') == 'severe'",
            "if: facts.through",
            (f"{GATES}:15:9", "propensity", "holder.user_is_minor", "facts.through", "facts.senior"),
        ),
        (
            "signal('high.toll')\nsuitable",
            "at_least(1, signal('x.near'))\nsuitable",
            (f"{GATES}:11:10", "applicable", "account.province", "signal:x.near"),
        ),
        (
            "signal('high.toll')\nsuitable",
            "level('x.near') >= 'high'\nsuitable",
            (f"{GATES}:11:10", "applicable", "account.province", "signal:x.near"),
        ),
        ("{toll: signal('high.toll')}", "{toll: facts.senior}", (f"{PHASES}:19:17", "prevention", "holder.user_is_minor", "facts.senior")),
        ("{toll: signal('high.toll')}", "{toll: signal('x.near')}", (f"{PHASES}:19:17", "prevention", "account.province", "signal:x.near")),
    ],
)
def test_refused(old: str, new: str, expected: tuple[str, ...]) -> None:
    """The way from the expression to the protected fact is named."""
    assert problems(changed((old, new), a=FACTS, b=SIGNALS)) == [protected(*expected)]


@pytest.mark.parametrize("key", ["value", "concession"])
def test_figures(key: str) -> None:
    """A value or a concession that rests on somebody's age is refused like a gate."""
    rows = "facts:\n  - id: facts.worth_more\n    title: {en: A, zh: B}\n    first: [{if: holder.user_is_minor, is: 1}, {is: 2}]\n"
    found = problems(
        changed(
            ("value: 0.05 * value.annual", f"{key}: facts.worth_more" + ("\napprove: agent\nvalue: 1" if key != "value" else "")), x=rows
        )
    )
    assert found == [protected(f"{GATES}:18:{len(key) + 3}", key, "holder.user_is_minor", "facts.worth_more")]


def test_through_stage_and_moment() -> None:
    """The stage and the moment, which phases and offers may look at, do not carry it either."""
    student = "holder.student_verified"
    stage = changed(
        ("leaving: count(events.intent_leave, days=30) >= 1", f"leaving: {student}"),
        ("tolls: signal('high.toll')", "tolls: stage == 'warning'"),
    )
    assert problems(stage) == [protected(f"{GATES}:11:10", "applicable", student, "stage")]
    moment = changed(("count(events.complaint, days=7) >= 1", student), ("{toll: signal('high.toll')}", "{toll: moment == 'complaint'}"))
    assert problems(moment) == [protected(f"{PHASES}:19:17", "prevention", student, "moment")]


def test_through_patterns() -> None:
    """A pattern's condition carries it as a signal's does."""
    found = problems(changed(("tolls: signal('high.toll')", "tolls: signal('x.young')"), x=patterns(young="not holder.user_is_minor")))
    assert found == [protected(f"{GATES}:11:10", "applicable", "holder.user_is_minor", "signal:x.young")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: 100", "value: 100\napplicable: {young: not holder.user_is_minor}"),
        ("effective: next_cycle", "open_if: holder.student_verified\n    effective: next_cycle"),
        ("regions: [all]", "regions: [gd]"),
        ("permits: consent.marketing == 'yes'", "permits: not holder.user_is_minor"),
        ("leaving: count(events.intent_leave, days=30) >= 1", "leaving: holder.student_verified"),
    ],
)
def test_allowed(old: str, new: str) -> None:
    """Care, a tariff's published condition or region, contact policy and the lifecycle may look at them."""
    assert problems(changed((old, new))) == []


def test_legal_basis() -> None:
    """A legal basis allows an offer what it otherwise may not look at."""
    young = ("plan.id != 'plan_59'", "not holder.user_is_minor")
    assert len(problems(changed(young))) == 1
    assert problems(changed(young, ("tariff: plan_59\n", "tariff: plan_59\nlegal_basis: {en: Act, zh: 法}\n"))) == []


def test_who_is_protected() -> None:
    """Age, disability, study and where somebody lives; not what they hold."""
    assert {"holder.age_band", "holder.user_is_minor", "account.city", "account.province"} <= PROTECTED
    assert not any(name.startswith("services.") for name in PROTECTED)


OWN = "custom:\n  - {id: custom.family, type: boolean, protected: true, title: {en: A, zh: B}}\n"


def test_own_facts() -> None:
    """An operator marks facts of their own that tell the same; they are not asked for either."""
    gate = ("plan.id != 'plan_59'", "custom.family")
    assert problems(changed(gate, x=OWN)) == [protected(f"{GATES}:9:16", "eligible", "custom.family")]
    assert problems(changed(gate, x=OWN.replace("protected: true, ", ""))) == []
    (asked,) = problems(changed(x=OWN + "questions:\n  - {fact: custom.family, who: both, en: Married?, zh: 您已婚吗？}\n"))
    assert "error[question]: `custom.family` is protected and may not be asked for" in asked


def test_hands_off() -> None:
    """Keeping our hands off is a phase as well."""
    found = problems(changed(("when: port.state == 'applied'", "when: port.state == 'applied' or holder.age_band == 'senior_65'")))
    assert found == [
        f"policies/policy.yaml:34:13: error[protected]: phase `hands_off` rests on the protected fact `holder.age_band`; {HINT}"
    ]


def test_concession_of_care() -> None:
    """What is conceded goes to equal cases alike, whatever kind of action concedes it."""
    given = ("value: 100", "value: 100\napprove: agent\nconcession: 500\nsuitable: {old: holder.age_band == 'senior_65'}")
    (line,) = problems(changed(given))
    expected = "`suitable` of the concession `thank_you` rests on the protected fact `holder.age_band`"
    assert line == f"policies/care/thank_you.yaml:12:17: error[protected]: {expected}; {HINT}"
    assert problems(changed((given[0], given[1] + "\nlegal_basis: {en: Act, zh: 法}"))) == []


def test_relevance() -> None:
    """A moment weighs offers by what reveals it, and by what it hides."""
    minor = ("count(events.complaint, days=7) >= 1", "holder.user_is_minor")
    offers = ("relevance: {care: 2.0}", "relevance: {plan: 0.5}")
    expected = "the relevance of offers of `plan` rests on the protected fact `holder.user_is_minor`"
    assert problems(changed(minor)) == []
    assert problems(changed(minor, offers)) == [f"{PHASES}:11:18: error[protected]: {expected}; {HINT}"]
    later = ("    relevance: {care: 2.0}\n", "  - {id: fault, title: {en: A, zh: B}, relevance: {plan: 0.5}}\n")
    assert problems(changed(minor, later)) == [f"{PHASES}:11:18: error[protected]: {expected}; {HINT}"]
    assert problems(changed(minor, offers, ("tariff: plan_59\n", "tariff: plan_59\nlegal_basis: {en: Act, zh: 法}\n"))) == []


DEAR = "fee: 6900\n    fee_after: 6900\n    voice_minutes: 200\n"
STUDENT = """\
tariffs:
  - id: plan_student
    kind: plan
    name: {en: Student, zh: 校园}
    filing_no: CN-0002
    fee: 4900
    fee_after: 4900
    voice_minutes: 200
    data_mb: 20480
    voice_rate: 15
    data_rate: 500
    regions: [all]
    on_sale_from: 2026-01-01
    open_if: holder.student_verified
    effective: next_cycle
    disclose: {en: "{tariff.fee:money}.", zh: "{tariff.fee:money}。"}
"""


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("fee: 4900", "fee: 4900", False),
        ("fee: 4900\n    fee_after: 4900", "fee: 5900\n    fee_after: 5900", True),
        ("fee: 4900\n    fee_after: 4900", "fee: 6900\n    fee_after: 6900", True),
        ("fee: 4900\n    fee_after: 4900", "fee: 4900\n    fee_after: 6900", False),
        ("fee: 4900\n    fee_after: 4900\n    voice_minutes: 200", "fee: 6900\n    fee_after: 6900\n    voice_minutes: 300", False),
        (
            "fee: 4900\n    fee_after: 4900\n    voice_minutes: 200\n    data_mb: 20480",
            "fee: 5900\n    fee_after: 5900\n    data_mb: 200",
            True,
        ),
        ("fee: 4900\n    fee_after: 4900\n    voice_minutes: 200\n    data_mb: 20480", f"{DEAR}    data_mb: 40960", False),
    ],
)
def test_published_conditions_are_for_their_good(old: str, new: str, wrong: bool) -> None:
    """A plan for students is none that everybody may have for less."""
    told = [line for line in problems(changed(x=STUDENT.replace(old, new))) if "protected" in line]
    expected = "`plan_student` is for people of a protected group and no better than `plan_59`, which is for everybody"
    hint = "such a condition is lawful where it is cheaper for them: lower the fee, or take `open_if:` out"
    line = 13 if "data_mb: 200" in new and "voice" not in new else 14
    assert told == ([f"rules/x.yaml:{line}:14: warning[protected-dearer]: {expected}; {hint}"] if wrong else [])


def test_a_plan_for_newcomers_is_none_to_compare_with() -> None:
    """Who is with us already could not have it."""
    dear = STUDENT.replace("4900", "5900")
    closed = ("on_sale_from: 2026-01-01", "on_sale_from: 2026-01-01\n    open_to_existing: false")
    files = changed(closed) | {"rules/x.yaml": dear.encode()}
    assert any("protected-dearer" in line for line in problems(changed(x=dear)))
    assert not any("protected-dearer" in line for line in problems(files))


@pytest.mark.parametrize("place", ["facts", "without"])
def test_port_events_in_patterns(place: str) -> None:
    """A pattern joins no events of porting, and says why."""
    pattern = patterns(porting="true")
    wrong = pattern.replace("{fault: events.fault}", "{fault: events.port_query}")
    if place == "without":
        wrong = pattern.replace("    level:", "    without:\n      p: {from: events.port_query}\n    level:")
    (line,) = [line for line in problems(changed(x=wrong)) if "port_query" in line]
    assert "error[scope]: `events.port_query` may not be used here; port data is for guardrails" in line


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("plan.id != 'plan_59'", "port.state == 'none'", "scope"),
        ("leaving: count(events.intent_leave, days=30) >= 1", "leaving: count(events.port_query, days=30) >= 1", "scope"),
        ("permits: consent.marketing == 'yes'", "permits: port.state == 'none'", "scope"),
        ("severe: facts.toll >= 2 * param.floor", "severe: port.state == 'applied'", "scope"),
        ("value: 0.05 * value.annual", "value: days_since(port.last_on)", "scope"),
        ('"{facts.toll:money} in calls."', '"{port.state} in calls."', "slot"),
        ("fact: home.has_broadband", "fact: port.state", "question"),
    ],
)
def test_port_data(old: str, new: str, code: str) -> None:
    """Port data is nowhere but in guardrails, hands-off clauses and help with porting."""
    assert any(f"error[{code}]" in line and "port" in line for line in problems(changed((old, new))))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("permits: not holder.user_is_minor", "permits: port.state != 'queried'"),
        ("when: port.state == 'applied'", "when: count(events.port_apply, days=30) >= 1"),
        ("under_way: port.state == 'applied'", "under_way: known(port.last_on)"),
    ],
)
def test_port_data_where_it_belongs(old: str, new: str) -> None:
    assert problems(changed((old, new))) == []
