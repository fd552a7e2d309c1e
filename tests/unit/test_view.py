"""What each role sees of an answer: only what is listed for it."""

import dataclasses
import datetime
import itertools
import typing
from dataclasses import dataclass, fields, is_dataclass, make_dataclass
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter

from app.engine import answer
from app.engine import view as module
from app.engine.answer import Explanation
from app.engine.view import EVERYTHING, SIGHTS, sees_as_much, sees_scores, sight_of, view

pytestmark = pytest.mark.unit

SECRET = "SECRET"
LIMITED = ("agent", "campaign", "self_service")


def filled(hint: Any, text: str = SECRET) -> Any:
    """A value of the type with something in every place."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if type(None) in arguments:
        return filled(next(option for option in arguments if option is not type(None)), text)
    if origin is list:
        return [filled(arguments[0], text)]
    if origin is not None and issubclass(origin, typing.Mapping):
        return {text: text}
    if is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{field.name: filled(hints[field.name], f"{hint.__name__}.{field.name}") for field in fields(hint)})
    plain = {str: text, int: 7, float: 7.5, bool: True, datetime.datetime: datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)}
    return plain[hint]


FULL: Explanation = filled(Explanation)


def words(part: Any) -> set[str]:
    """Every text in an answer."""
    if is_dataclass(part) and not isinstance(part, type):
        return {word for field in fields(part) for word in words(getattr(part, field.name))}
    if isinstance(part, list):
        return {word for item in part for word in words(item)}
    if isinstance(part, dict):
        return words([*part, *part.values()])
    return {part} if isinstance(part, str) and part else set()


@pytest.mark.parametrize("role", sorted(EVERYTHING))
def test_some_see_everything(role: str) -> None:
    """Development, authors and compliance get the answer as it is."""
    assert view(FULL, {}, role) is FULL


def test_an_unknown_role_sees_nothing() -> None:
    """A role that is not listed is an error."""
    with pytest.raises(KeyError):
        view(FULL, {}, "visitor")


def test_self_service_sees_texts_for_customers_only() -> None:
    """Exactly these texts reach a customer, and no figure beside the tariff's."""
    seen = view(FULL, {}, "self_service")
    assert words(seen) == {
        *(f"ActionAnswer.{name}" for name in ("action", "kind", "text", "confirm", "disclose")),
        "Reason.customer",
        *(f"TariffAnswer.{name}" for name in ("id", "name", "filing_no", "effective", "disclose")),
        "Ask.fact",
        "Ask.question",
    }
    (action,) = seen.actions
    assert (action.score, action.parts, action.concession, action.approve, action.script) == (None, None, None, None, None)
    assert (seen.signals, seen.not_offered, seen.unknown, seen.phase.id, seen.phase.not_stronger) == ([], None, [], "", None)
    assert seen.personalised


def test_a_reason_without_words_for_customers_is_dropped() -> None:
    """Self-service gets the customer's wording of a reason or no reason."""
    reasons = [
        answer.Reason("vip.watch", "at risk", None, None),
        answer.Reason("bill", "toll fee high", "Your calls abroad cost a lot.", None),
    ]
    told = dataclasses.replace(FULL, actions=[dataclasses.replace(FULL.actions[0], reasons=reasons)])
    assert [reason.text for reason in view(told, {}, "self_service").actions[0].reasons] == ["Your calls abroad cost a lot."]
    assert [reason.text for reason in view(told, {}, "agent").actions[0].reasons] == ["at risk", "toll fee high"]


def test_an_agent_sees_what_to_say_and_no_figures_behind_it() -> None:
    """Agents get reasons, scripts, concession, approval and tariff, but no scores and no evidence."""
    seen = view(FULL, {}, "agent")
    (action,) = seen.actions
    assert (action.score, action.parts) == (None, None)
    assert (action.script, action.concession, action.approve, action.tariff) == (
        "ActionAnswer.script",
        7,
        "ActionAnswer.approve",
        FULL.actions[0].tariff,
    )
    assert action.reasons[0].text == "Reason.text"
    assert not [word for word in words(seen) if word.startswith("Evidence")]


def test_a_campaign_sees_scores_too() -> None:
    """Campaigns rank subscribers by score; evidence stays out."""
    seen = view(FULL, {}, "campaign")
    assert (seen.actions[0].score, seen.actions[0].parts) == (FULL.actions[0].score, FULL.actions[0].parts)
    assert not [word for word in words(seen) if word.startswith("Evidence")]


@pytest.mark.parametrize(("role", "grade"), [*SIGHTS, *((role, None) for role in sorted(EVERYTHING)), ("agent", "night_shift")])
def test_scores_are_worked_out_for_those_who_see_them(role: str, grade: str | None) -> None:
    """Whoever is said not to see scores is shown none, and the other way round."""
    assert sees_scores(role, grade) is (view(FULL, {}, role, grade).actions[0].score is not None)


@pytest.mark.parametrize("role", LIMITED)
def test_a_new_field_is_hidden(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that is added to an answer is hidden from every limited role until it is listed."""
    grown = make_dataclass("Explanation", [("secret", str), ("risk", float), ("more", list[str])], bases=(Explanation,))
    shown = {role: {**module._limited[role], grown: module._limited[role][Explanation]}}
    monkeypatch.setattr(module, "_limited", shown)
    told = grown(**{field.name: getattr(FULL, field.name) for field in fields(FULL)}, secret=SECRET, risk=0.9, more=[SECRET])
    seen: Any = view(told, {}, role)
    assert (seen.secret, seen.risk, seen.more) == ("", 0.0, [])


@pytest.mark.parametrize("role", LIMITED)
def test_a_new_part_is_hidden(role: str) -> None:
    """A part of a class no list knows shows nothing, even where it stands in a field that is shown."""

    @dataclass
    class Unlisted:
        secret: str

    told = dataclasses.replace(FULL, ask=[Unlisted(SECRET)])  # type: ignore[list-item]
    assert SECRET not in words(view(told, {}, role))


@pytest.mark.parametrize("role", LIMITED)
def test_lists_name_fields_that_exist(role: str) -> None:
    """No list names a field that is gone."""
    for kind, names in module._limited[role].items():
        assert names <= {field.name for field in fields(kind)}


@pytest.mark.parametrize("role", [*LIMITED, *sorted(EVERYTHING)])
def test_every_view_is_of_the_answers_type(role: str) -> None:
    """What is hidden still has the type that the API's document promises."""
    TypeAdapter(Explanation).validate_json(orjson.dumps(view(FULL, {}, role)))


MARKED = {
    "vip.watch": frozenset({"vip"}),
    "churn": frozenset({"risk"}),
    "act:applicable.both": frozenset({"risk", "vip"}),
    "act:own": frozenset({"risk"}),
}
GRADES = {
    None: set(),
    "agent": set(),
    "leader": {"vip"},
    "retention_desk": {"risk", "vip"},
    "manager": {"risk", "vip"},
    "city": {"risk", "vip"},
}


def restricted() -> Explanation:
    """An answer in which something tells of risk and something of VIP reasoning, beside what does not."""
    codes = ("vip.watch", "churn", "plain", "own")
    reasons = [answer.Reason(code, f"text {code}", "for customers" if code == "churn" else None, None) for code in codes]
    signals = [dataclasses.replace(FULL.signals[0], id=code) for code in codes]
    kept_out = [
        dataclasses.replace((FULL.not_offered or [])[0], action="act", clause=clause) for clause in ("applicable.both", "eligible.plain")
    ]
    return dataclasses.replace(
        FULL,
        phase=dataclasses.replace(FULL.phase, reasons=reasons),
        signals=signals,
        actions=[dataclasses.replace(FULL.actions[0], action="act", reasons=reasons)],
        not_offered=kept_out,
    )


@pytest.mark.parametrize("grade", GRADES)
def test_what_is_restricted_is_seen_by_grade(grade: str | None) -> None:
    """Signals, reasons and the words of clauses that tell of risk or VIP reasoning are left out for those who do not see them."""
    seen, marks = view(restricted(), MARKED, "agent", grade), GRADES[grade]
    shown = {code for code, mark in (("vip.watch", "vip"), ("churn", "risk")) if mark in marks} | {"plain", "own"}
    assert {signal.id for signal in seen.signals} == shown
    texts = {reason.code: reason.text for reason in seen.actions[0].reasons}
    assert texts.get("vip.watch") == ("text vip.watch" if "vip" in marks else None)
    assert texts["churn"] == ("text churn" if "risk" in marks else "for customers")
    assert texts.get("own") == ("text own" if "risk" in marks else None)
    assert [reason.code for reason in seen.phase.reasons if reason.code == "vip.watch"] == (["vip.watch"] if "vip" in marks else [])
    both, plain = seen.not_offered or []
    assert (both.text, both.change) == (
        ("NotOffered.text", "NotOffered.change") if marks == {"risk", "vip"} else ("Why it was left out is not shown to your role.", None)
    )
    assert (plain.text, plain.change, both.cause) == ("NotOffered.text", "NotOffered.change", "NotOffered.cause")
    assert seen.actions[0].script == "ActionAnswer.script"


@pytest.mark.parametrize(
    ("titles", "phase", "action"),
    [
        ("Rescue", "What this phase rests on is not shown to your role.", "Why this comes up is not shown to your role."),
        ("挽留", "阶段的判断依据不在您的查看权限内。", "推荐依据不在您的查看权限内。"),
    ],
)
def test_where_no_reason_may_be_seen_one_says_so(titles: str, phase: str, action: str) -> None:
    """Never a blank: the reason is neutral, in the language of the answer, and its code tells nothing of what it stands for."""
    whole = restricted()
    reasons = [reason for reason in whole.phase.reasons if reason.code == "vip.watch"]
    whole = dataclasses.replace(
        whole,
        phase=dataclasses.replace(whole.phase, title=titles, reasons=reasons),
        actions=[dataclasses.replace(whole.actions[0], reasons=reasons), dataclasses.replace(whole.actions[0], action="bare", reasons=[])],
    )
    seen = view(whole, MARKED, "agent")
    assert seen.phase.reasons == [answer.Reason("withheld", phase, None, None)]
    assert [item.reasons for item in seen.actions] == [[answer.Reason("withheld", action, None, None)], []]
    assert view(whole, MARKED, "agent", "manager").phase.reasons[0].text == "text vip.watch"
    assert view(whole, MARKED, "self_service").actions[0].reasons == []


def test_customers_see_nothing_restricted() -> None:
    """But the words that were written for them."""
    seen = view(restricted(), MARKED, "self_service", "manager")
    assert [reason.text for reason in seen.actions[0].reasons] == ["for customers"]


@pytest.mark.parametrize(
    ("grade", "scores"), [(None, False), ("leader", False), ("retention_desk", False), ("manager", True), ("city", True)]
)
def test_scores_are_seen_by_grade(grade: str | None, scores: bool) -> None:
    """From the manager on; a grade nobody knows sees what an agent sees."""
    (action,) = view(FULL, {}, "agent", grade).actions
    assert ((action.score is not None), (action.parts is not None)) == (scores, scores)
    assert view(FULL, {}, "agent", "unheard_of") == view(FULL, {}, "agent")


def test_whose_answers_somebody_may_read() -> None:
    """Those that were made for the same eyes, or for eyes that see less."""
    assert sees_as_much(("agent", "leader"), ("agent", None))
    assert not sees_as_much(("agent", None), ("agent", "leader"))
    assert sees_as_much(("compliance", None), ("agent", "city"))
    assert not sees_as_much(("campaign", None), ("self_service", None))
    assert not sees_as_much(("agent", "leader"), ("campaign", None))


def test_the_table_of_sights_is_a_ladder() -> None:
    """Each grade sees what the one below sees, and more or as much; without a grade nobody sees other people's decisions."""
    ladder = [sight_of("agent", grade) for grade in GRADES]
    for lower, higher in itertools.pairwise(ladder):
        assert lower.marks <= higher.marks
        assert lower.scores <= higher.scores
        assert lower.others <= higher.others
    assert not SIGHTS["agent", None].others
