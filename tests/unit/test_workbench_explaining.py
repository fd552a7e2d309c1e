"""What a named part of a pack means: how it is worked out, what it rests on, who uses it."""

import pytest

from app.engine.pack import parts_of
from app.workbench.explaining import Explainer, Meaning, UnknownName
from tests.packs import changed, patterns, small

pytestmark = pytest.mark.unit


def meaning(name: str, language: str = "en", files: dict[str, bytes] | None = None) -> Meaning:
    (found,) = Explainer(parts_of(files or small()), "zh" if language == "zh" else "en").explain(name)
    return found


def test_a_signal_says_its_levels_its_thresholds_and_its_readers() -> None:
    """Everything a marketing person asks before changing a threshold, in one look."""
    found = meaning("high.toll")
    assert (found.kind, found.title) == ("signal", "High tolls")
    assert [(item.name, item.test) for item in found.conditions] == [
        ("severe", "facts.toll >= 2 * param.floor"),
        ("high", "facts.toll >= param.floor"),
    ]
    assert [(item.name, item.value, item.why) for item in found.thresholds] == [("param.floor", "¥15", "Under this a call bill is noise.")]
    assert [(item.name, item.how) for item in found.supports] == [("facts.toll", "last(billing.toll_fee)")]
    assert [item.name for item in found.needs] == ["billing.toll_fee"]
    assert [(item.kind, item.id, item.where) for item in found.readers] == [
        ("phase", "prevention", "any toll"),
        ("action", "to_plan_59", "applicable tolls"),
        ("action", "to_plan_59", "propensity 1 if"),
    ]


def test_it_speaks_chinese() -> None:
    """Titles, texts and figures are those of the language asked for."""
    found = meaning("high.toll", "zh")
    assert found.title == "高资费"
    assert found.thresholds[0].value == "15元"
    assert dict(found.texts)["reason"] == "通话费{facts.toll:money}。"


def test_what_lies_behind_a_signal_is_needed_too() -> None:
    """An action needs the facts of the signals it rests on; the signal's own working is told where the signal is explained."""
    found = meaning("to_plan_59")
    assert {"billing.toll_fee", "billing.total", "plan.id", "value.annual"} <= {item.name for item in found.needs}
    assert [item.name for item in found.supports] == ["high.toll"]
    assert dict(found.words)["channels"] == "app"


def test_a_base_fact_an_event_and_a_threshold_say_who_uses_them() -> None:
    """Whoever feeds a fact learns what would change with it."""
    assert [item.id for item in meaning("billing.toll_fee").readers] == ["facts.toll"]
    assert [item.id for item in meaning("events.complaint").readers] == ["complaint"]
    assert [item.id for item in meaning("param.floor").readers] == ["high.toll", "high.toll"]
    assert dict(meaning("churn.score").words)["age"] == "35 days"
    assert dict(meaning("home.has_broadband").texts)["question"] == "Do you have broadband?"
    assert dict(meaning("holder.age_band").words)["protected"] == "true"


def test_a_phase_lists_its_actions_and_a_tariff_its_offers() -> None:
    """Where a phase, moment or tariff is named outside conditions counts as use."""
    assert [item.id for item in meaning("hands_off").readers] == ["port_help"]
    assert "to_plan_59" in [item.id for item in meaning("plan_59").readers]
    files = changed(("permits: consent.marketing == 'yes'", "permits: consent.marketing == 'yes' or moment == 'complaint'"))
    assert [item.id for item in meaning("complaint", files=files).readers] == ["consent"]


def test_conditions_stand_as_they_were_written() -> None:
    """An author finds again what is in the file: `>=` stays `>=`."""
    files = changed(("level('high.toll') == 'severe'", "level('high.toll') >= 'severe'"))
    assert [item.test for item in meaning("to_plan_59", files=files).conditions if item.name == "propensity 1 if"] == [
        "level('high.toll') >= 'severe'"
    ]


def test_a_pattern_needs_the_events_that_must_be_absent() -> None:
    """Whoever feeds events has to feed the repair too, or the pattern would take every fault for open."""
    absent = "    without: {fix: {from: events.fix, where: fix.at > fault.at}}\n    level: high\n"
    added = patterns(open="known(billing.total)").replace("    level: high\n", absent)
    found = meaning("x.open", files=small(x=added))
    assert {"events.fault", "events.fix", "billing.total"} <= {item.name for item in found.needs}


def test_a_category_lists_its_actions_and_the_moments_that_weigh_it() -> None:
    """Nobody declares a category; this is where it can be looked up."""
    assert [(item.kind, item.id, item.where) for item in meaning("care").readers] == [
        ("action", "thank_you", "category"),
        ("moment", "complaint", "relevance 2"),
    ]
    assert dict(meaning("hands_off").words)["mix"] == "policy 0, service 1, emotional 0.5"


def test_a_guardrail_is_found_with_its_jurisdiction() -> None:
    """The checker and the comparison write `cn.minors`; both names lead to it."""
    assert meaning("cn.minors") == meaning("minors")
    assert meaning("cn.minors").kind == "guardrail"


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    """A slip of the pen costs one line."""
    with pytest.raises(UnknownName) as slip:
        meaning("high.tol")
    assert slip.value.hint == "did you mean `high.toll`?"
