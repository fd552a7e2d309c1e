"""The words of a batch, where one subscriber's are special: beside the examples of the shipped pack, which the properties compare."""

import datetime
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from app.campaign.batch import batch_of
from app.campaign.deciding import decide_batch
from app.campaign.wording import word_batch
from app.campaign.wording.actions import days_on
from app.campaign.wording.filling import Sheet, line_of
from app.engine.case import Case
from app.engine.facts import microseconds
from app.engine.pack import Pack
from app.engine.texts import Language, Text, cut
from tests.pipeline_packs import PRICED, act, ask, both, channels, fact, mini, rule, signal, tariff
from tests.worded import told, worded_by_columns, worded_by_rows


def said(pack: Pack, *cases: Case, language: Language = "en") -> list[list[dict[str, Any]]]:
    """The actions of each case in words, which are those that are given one by one."""
    found = worded_by_columns(pack, cases, language)
    assert found == worded_by_rows(pack, cases, language)
    return [answer["actions"] for answer in found]


def telling(text: str, **more: Any) -> dict[str, Any]:
    """An action that says this on every channel."""
    return act(channels=channels(both(text)), **more)


@pytest.mark.parametrize(
    ("contact_at", "until"),
    [
        ("2026-10-18T02:30:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("2026-03-22T02:30:00+01:00", "2026-03-29T02:30:00+01:00"),
        ("2026-03-22T03:30:00+01:00", "2026-03-29T03:30:00+02:00"),
        ("2026-10-25T02:30:00+01:00", "2026-11-01T02:30:00+01:00"),
    ],
)
def test_an_action_holds_until_the_same_time_of_a_later_day(contact_at: str, until: str) -> None:
    """Where the clocks change in between, and on that very day: a time that comes twice is the first, one that does not come is told by
    the clocks of before."""
    case = ask(mini(), {"zone": "Europe/Berlin"}, as_of=contact_at)
    ((action,),) = said(mini(), case)
    assert action["valid_until"] == microseconds(datetime.datetime.fromisoformat(until))


def test_the_day_an_action_holds_until_is_told_by_the_calendar() -> None:
    """Seven days on is the same day of the week, however long the days were."""
    pack = mini({"plain": telling("Until {action.valid_until:date}.")})
    berlin = [ask(pack, {"zone": "Europe/Berlin"}, as_of=f"2026-{day}T23:30:00+00:00") for day in ("10-24", "03-27")]
    assert [action["text"] for (action,) in said(pack, *berlin)] == ["Until 1 November 2026.", "Until 4 April 2026."]


def test_a_case_without_a_named_zone_has_days_of_24_hours() -> None:
    """One that was recorded with an offset alone is told in it."""
    case = ask(mini(), {"zone": "Europe/Berlin"}, as_of="2026-10-20T12:00:00+02:00")
    fixed = datetime.timezone(datetime.timedelta(hours=2))
    times = replace(case.times, as_of=case.times.as_of.astimezone(fixed), contact_at=case.times.contact_at.astimezone(fixed))
    ((action,),) = said(mini(), replace(case, times=times))
    assert action["valid_until"] == microseconds(case.times.contact_at) + 7 * 86_400_000_000


def test_without_a_column_of_zones_the_packs_holds() -> None:
    """A batch of a file whose subscribers are all where the operator is need not say so."""
    pack = mini(
        pack={"name": "m", "version": "1.0.0", "jurisdiction": "cn", "currency": "CNY", "zone": "Europe/Berlin", "salt": "mini-salt"}
    )
    batch = batch_of(pack, [ask(pack, as_of="2026-10-20T12:00:00+02:00")])
    worded = word_batch(pack, decide_batch(pack, replace(batch, facts=batch.facts.drop("zone"))), "en")
    berlin = datetime.datetime(2026, 10, 27, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert worded.actions["valid_until"].to_list() == [microseconds(berlin)]


def test_a_time_that_comes_twice_is_counted_from_by_its_own_clock() -> None:
    """Half past two in winter time, on the day the clocks go back, is not half past two in summer time."""
    second = microseconds(datetime.datetime(2026, 10, 25, 1, 30, tzinfo=datetime.UTC))
    assert days_on(second, "Europe/Berlin", 1) - second == 86_400_000_000
    assert days_on(second - 3_600_000_000, "Europe/Berlin", 1) - second == 86_400_000_000


def test_a_date_that_is_never_is_told_as_none() -> None:
    """It was given as null: there is none."""
    pack = mini({"plain": telling("Bound until {contract.commitment_end:date}.", eligible={"k": "known(contract.commitment_end)"})})
    dates = [{"contract": {"commitment_end": day}} for day in (None, "2026-12-01")]
    assert [action["text"] for (action,) in said(pack, *(ask(pack, known) for known in dates))] == [
        "Bound until none.",
        "Bound until 1 December 2026.",
    ]


def test_what_is_unknown_shows_as_a_dash() -> None:
    """Checked packs hardly let that happen; where it does, it is the dash of one answer."""
    text = Text(*(cut(f"{words} {{plan.monthly_fee:money}}, {{plan.id}}, {{device.capabilities}}.")[0] for words in ("At", "每月")))
    read = "known(plan.monthly_fee) and known(plan.id) and known(device.capabilities)"
    pack = mini({"plain": act(eligible={"k": read})})
    columns = {
        "plan.monthly_fee": pl.Series([5900.0, None]),
        "plan.id": pl.Series([None, "plan_a"]),
        "device.capabilities": pl.Series([["volte", "5g"], None]),
    }
    sheet, line = Sheet(pack, "en"), line_of(pack, "en", {"text": (text, None), "none": (None, None)})
    sheet.add(line, pl.DataFrame({"n": [0, 1]}), columns.__getitem__)
    sheet.add(line, pl.DataFrame({"n": [2]}), lambda name: columns[name].slice(0, 1))
    ((_, filled),) = sheet.filled()
    assert filled.rows() == [(0, "At ¥59, —, 5g, volte.", None), (1, "At —, plan_a, —.", None), (2, "At ¥59, —, 5g, volte.", None)]


def test_whole_numbers_and_decimals_are_told_apart_as_text() -> None:
    """`text` groups the digits of a decimal alone, even of one that is whole; of the larger of both the values decide."""
    facts = [
        fact("whole", "account.tenure_months * 100"),
        fact("decimal", "account.tenure_months * 300 / 3"),
        fact("larger", "max(account.tenure_months * 100, 1200.0)"),
    ]
    text = "{facts.whole} {facts.decimal} {facts.larger} {facts.whole:count}"
    pack = mini({"plain": telling(text, eligible={"k": "facts.larger > 0 and known(facts.decimal)"})}, facts=facts)
    people = [ask(pack, {"account": {"status": "active", "tenure_months": months}}) for months in (15, 11)]
    assert [action["text"] for (action,) in said(pack, *people)] == ["1500 1,500 1500 1,500", "1100 1,100 1,200 1,100"]


def test_who_stands_in_is_explained_by_the_engines_phrase() -> None:
    """Whatever its gates rest on; a reason of its own comes after."""
    holds = signal("s.one", ("high", "known(plan.id)"), reason="A plan.")
    pack = mini(
        {
            "first": act(phases=["hands_off"]),
            "second": telling(
                "Hello.", category="other", applicable={"a": "signal('s.one') and known(value.annual)"}, phases=["hands_off"]
            ),
        },
        signals=[holds],
        fallback={"not_applicable": ["first", "second"]},
    )
    (first, second), _ = said(pack, *(ask(pack, {"plan": plan}) for plan in ({"id": "plan_a"}, {})))
    assert first["reason_codes"] == ["fallback.not_applicable", "first"]
    assert second["reasons"][0] == "Nothing is due right now."
    assert second["fallback_for"] == "not_applicable"


@pytest.mark.parametrize(("customer", "told_customer"), [("A plan, as you know.", "A plan, as you know."), (None, "For you.")])
def test_an_actions_words_for_customers_stand_where_its_first_signal_has_none(customer: str | None, told_customer: str) -> None:
    """An action without a reason of its own has words for customers still; only the first of its signals takes them."""
    signals = [
        signal("s.one", ("high", "known(plan.id)"), reason="A plan.") | ({"customer": both(customer)} if customer else {}),
        signal("s.two", ("high", "account.status == 'active'"), reason="Active."),
    ]
    action = act(customer=both("For you."), applicable={"a": "signal('s.one') and signal('s.two')"})
    del action["reason"]
    pack = mini({"plain": action}, signals=signals)
    ((found,),) = said(pack, ask(pack, {"plan": {"id": "plan_a"}}))
    assert found["reasons"] == ["A plan.", "Active."]
    assert found["customer_reasons"] == [told_customer, None]


def test_words_for_customers_do_not_stand_for_what_gates_saw() -> None:
    """Where no signal holds, what the gates saw is told to those who sell alone."""
    action = act(customer=both("For you."), applicable={"a": "account.tenure_months > 3"})
    del action["reason"]
    pack = mini({"plain": action})
    ((found,),) = said(pack, ask(pack, {"account": {"status": "active", "tenure_months": 5}}))
    assert (found["reasons"], found["reason_codes"], found["customer_reasons"]) == (["Tenure: 5 months."], ["a"], [None])


def test_who_refused_personalisation_is_told_nothing_of_themselves_in_marketing() -> None:
    """Signals on which marketing rests do not hold then; what is no marketing is worded as for all."""
    gates = {"applicable": {"a": "signal('s.one') or request.channel == 'app'"}}
    care, sale = act(**gates), act(marketing="true", category="sale", **gates)
    del care["reason"], sale["reason"]
    pack = mini(
        {"care": care, "sale": sale},
        signals=[signal("s.one", ("high", "known(plan.id)"), reason="On {plan.id}.")],
        contact=[rule("consent", "consent.marketing == 'yes'", "action.marketing")],
    )
    refused = ask(pack, {"plan": {"id": "plan_a"}, "consent": {"marketing": "yes", "personalised": "no"}})
    (found,) = said(pack, refused)
    assert {action["action"]: action["reasons"] for action in found} == {
        "care": ["On plan_a."],
        "sale": ["Not recognised: s.one; channel: app."],
    }


def test_an_offers_words_tell_its_tariff_and_what_it_saves() -> None:
    """The tariff's own, and what it saves those whose use is known."""
    plan = tariff("plan_a", kind="plan", fee=3900, fee_after=3900, voice_minutes=100, data_mb=1024, voice_rate=15, data_rate=300)
    text = f"{PRICED} {{tariff.name}} saves {{tariff.saving:count}}."
    known = {"k": "known(plan.best_public_saving)"}
    offer = act("offer", tariff="plan_a", channels=channels(both(text)), eligible=known)
    pack = mini({"plain": offer}, tariffs=[plan], arbitration={"concession": {"agent": 0}})
    use = {
        "usage": {"voice_out_min": [1, 1, 1], "data_mb": [1, 1, 1]},
        "billing": {"voice_overage_fee": [0] * 3, "data_overage_fee": [0] * 3},
    }
    ((found,),) = said(pack, ask(pack, use | {"plan": {"id": "old", "monthly_fee": 12_900}}))
    assert (found["tariff"], found["tariff_name"], found["saving"]) == ("plan_a", "plan_a", 9000.0)
    assert found["text"].endswith("plan_a saves 9,000.")
    assert found["tariff_disclose"].startswith("Hello: ¥39 for 0 months")


def test_why_hands_are_off_is_told_by_the_rules_title() -> None:
    """Whatever signals the rule rests on; another phase by all of its signals, one after the other."""
    phases = [
        {"id": "hands_off", "title": both("Off"), "mix": _even},
        {"id": "prevention", "title": both("Prevent"), "any": {"x": "signal('s.one') or signal('s.two')"}, "mix": _even},
        {"id": "retention", "title": both("Keep"), "mix": _even},
    ]
    off = {"id": "account_closed", "title": both("Closed."), "when": "signal('s.one') and account.status == 'cancelled'"}
    signals = [
        signal("s.one", ("high", "known(plan.id)"), reason="One."),
        signal("s.two", ("high", "known(account.status)"), reason="Two."),
    ]
    pack = mini(phases=phases, hands_off=[off], signals=signals)
    people = [ask(pack, {"plan": {"id": "a"}, "account": {"status": status}}) for status in ("cancelled", "active")]
    found = worded_by_columns(pack, people, "en")
    assert found == worded_by_rows(pack, people, "en")
    assert [answer["phase"][2] for answer in found] == [["Closed."], ["One. Two."]]


_even = {"policy": 1, "service": 1, "emotional": 1}


def test_a_batch_in_which_nothing_is_offered_has_no_rows() -> None:
    """But every column, so that it goes with others."""
    pack = mini({"plain": act(eligible={"never": "account.tenure_months > 900"})})
    batch = batch_of(pack, [ask(pack)])
    worded = word_batch(pack, decide_batch(pack, batch), "zh", signals=True, phases=True)
    some = word_batch(pack, decide_batch(pack, batch_of(pack, [ask(mini())])), "zh")
    assert worded.actions.is_empty()
    assert worded.actions.schema == some.actions.schema
    assert told(replace(worded, actions=worded.actions))[0]["phase"] == ("Keep", "Stable", [])


def test_words_that_are_not_asked_for_are_left_out() -> None:
    """Most runs want no words for customers, nor those of signals and phases; the others are the same without them."""
    pack = mini()
    decided = decide_batch(pack, batch_of(pack, [ask(pack)]))
    few, all_words = word_batch(pack, decided, "en"), word_batch(pack, decided, "en", customers=True, signals=True, phases=True)
    assert (few.signals, few.phases) == (None, None)
    assert few.actions.equals(all_words.actions.drop("customer_reasons"))
