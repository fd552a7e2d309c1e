"""What must never happen (DOMAIN, section 8), over thousands of random subscribers in every jurisdiction.

The limits stand in `tests/limits.py`, apart from the pack's clauses. `test_each_limit_can_be_broken` takes the pack's protection away
and sees the limit notice.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision, Ranked
from app.engine.pack import Pack, PackError
from app.engine.vocabulary.contacts import Contact
from tests import limits
from tests.limits import (
    GUARDED,
    JURISDICTIONS,
    MUTATIONS,
    TUNED,
    Limit,
    Mutation,
    Seen,
    lists,
    pack_in,
    pestered,
    subscribers,
    willing,
)
from tests.pipeline import TIMES, pack_of, patched, shipped_files

SEEDS = 3
"""Seeds in each jurisdiction; with 200 subscribers each, four ways, that makes 9,600 in a test run."""


@pytest.mark.parametrize("seed", range(SEEDS * TIMES))
@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_no_hard_limit_is_broken(jurisdiction: str, seed: int) -> None:
    """Over random subscribers, willing ones, and ones with a fact flipped towards each limit."""
    actions = offers = 0
    for seen in lists(pack_in(jurisdiction), 1000 * JURISDICTIONS.index(jurisdiction) + seed, 200):
        actions += 1
        offers += seen.action.kind == "offer"
        for limit in (*GUARDED, *TUNED):
            assert not limit(seen), (limit.__name__, jurisdiction, seen.action.id, seen.case.as_json())
    assert actions > 250
    assert offers > 10


CHOOSING = frozenset(
    {
        limits.more_than_one_commitment,
        limits.crowding_a_category,
        limits.sales_before_service,
        limits.breaking_exclusions,
        limits.too_long_a_list,
        limits.concession_beyond_limits,
    }
)
"""Limits that arbitration holds, not a clause of the pack."""
ALTERED: Mapping[Limit, tuple[tuple[str, str, str], ...]] = {
    limits.hidden_price: (("tariffs.yaml", 'regions: ["510000"]', "regions: [all]"),),
    limits.dearer_than_public: (("plan_fit_down.yaml", "tariff: plan.best_public_id", "tariff: plan_199"),),
    limits.useless_for_the_device_or_line: (
        ("plan_fit_down.yaml", "tariff: plan.best_public_id", "tariff: plan_199"),
        ("tariffs.yaml", "    open_if: device.generation == '5g'\n", ""),
    ),
}
"""What else must be wrong with a pack before a limit can be broken."""
DOCTORED: Mapping[Limit, Callable[[Seen], Seen]] = {
    limits.switching_on_unconfirmed: lambda seen: replace(seen, action=replace(seen.action, confirm="readback")),
    limits.binding_for_too_long: lambda seen: replace(seen, action=replace(seen.action, commitment_months=36)),
    limits.selling_on_the_wrong_port: lambda seen: replace(seen, case=replace(seen.case, channel="sms_service")),
    limits.more_than_one_commitment: lambda seen: replace(
        seen,
        decision=replace(seen.decision, ranked=tuple(seen.ranked._replace(action=name) for name in ("contract_renew", "handset_contract"))),
    ),
}
"""Where `pack check` refuses a pack that could break the limit: what was seen, with the fault put into it."""
TOWARDS: Mapping[Limit, tuple[Mutation, ...]] = {
    limits.countering_a_spoken_wish: ({"request.moment": "port_intent"},),
    limits.selling_after_pushing_too_hard: (pestered,),
    limits.renewing_before_the_notice: ({"contract.commitment_end": datetime.date(2026, 11, 30)},),
    limits.selling_by_machine_against_the_will: ({"consent.human_review": True},),
}
"""Limits that few random subscribers come near."""
LAWS: Mapping[Limit, tuple[str, ...]] = {
    limits.selling_without_an_answer_on_usage: ("eu", "uk", "us"),
    limits.machines_without_evidence_of_consent: ("eu", "us"),
    limits.selling_at_night: JURISDICTIONS,
    limits.using_a_port_out: JURISDICTIONS,
    limits.renewing_before_the_notice: ("eu", "uk"),
}
"""Limits that differ by law; the others are broken under the first."""
PORT_HELP = "policies/rescue/port_help.yaml"


@pytest.mark.parametrize(
    ("limit", "law"),
    [pytest.param(limit, law, id=f"{limit.__name__}-{law}") for limit in (*GUARDED, *TUNED) for law in LAWS.get(limit, ("cn",))],
)
def test_each_limit_can_be_broken(limit: Limit, law: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what protects it each limit is broken, and seen to be: the property above can fail."""
    if limit is limits.port_help_that_costs:
        with pytest.raises(PackError, match="concedes nothing"):
            pack_of({**shipped_files(), PORT_HELP: shipped_files()[PORT_HELP].replace(b"approve:", b"concession: 500\napprove:")})
        return
    if limit in CHOOSING:
        monkeypatch.setattr("app.engine.arbitration._conflict", lambda *_: None)
    if limit is limits.profiling_against_the_will:
        monkeypatch.setattr("app.engine.decide.may_profile", lambda _: True)
    pack = pack_in(law, contact=False, guardrails=False, altered=ALTERED.get(limit, ()))
    doctor = DOCTORED.get(limit, lambda seen: seen)
    assert any(limit(doctor(seen)) for seen in lists(pack, 77, 800, TOWARDS.get(limit, MUTATIONS)))


# Equal cases, equal prices: the same person with one thing changed


def offers(decision: Decision) -> dict[str, Ranked]:
    """What costs the person or us something."""
    return {item.action: item for item in decision.ranked if item.duty == "offer" or item.concession}


ANYBODY = {
    "account.province": "110000",
    "holder.age_band": "adult",
    "holder.disability_card": False,
    "holder.student_verified": False,
}
SAME_PERSON: tuple[dict[str, Any], ...] = (
    {"account.city": "440300", "account.county": "440305", "account.grid": "G-99"},
    {"account.province": "310000"},
    {"holder.age_band": "senior_60"},
    {"holder.disability_card": True},
    {"holder.student_verified": True},
)
"""Who somebody is and where they live. Only a published condition may make one of these cheaper."""


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_price_and_score_do_not_depend_on_the_person(jurisdiction: str) -> None:
    """District, age, disability and studies change nothing but the cheapest public plan, and that to a cheaper one."""
    pack, compared, cheaper = pack_in(jurisdiction), 0, 0
    for case in subscribers(pack, 300, 250):
        plain = {
            "account.province": "110000",
            "holder.age_band": "adult",
            "holder.disability_card": False,
            "holder.student_verified": False,
        }
        before = patched(willing(case), plain)
        was = decide(pack, before)
        for change in SAME_PERSON:
            after = patched(before, change)
            now = decide(pack, after)
            one, other = best_plan(pack, was), best_plan(pack, now)
            if one == other:
                compared += len(offers(was))
                assert (now.phase, now.stage, now.moment) == (was.phase, was.stage, was.moment), change
                assert (now.signals, now.ranked, now.outcomes) == (was.signals, was.ranked, was.outcomes), change
            else:
                cheaper += 1
                cost = {plan: limits.plan_cost(Seen(pack, after, now, SOMETHING, pack.actions[0]), plan) or 0 for plan in (one, other)}
                assert set(change) & {"holder.disability_card", "holder.student_verified"}
                assert cost[other] < cost[one]
    assert compared > 50
    assert cheaper > 10


SOMETHING = Ranked(1, "", "offer", 0, 0, 0, 1, 1, 0, None)


def best_plan(pack: Pack, decision: Decision) -> str:
    """The cheapest public plan that the engine found; empty where use is not known."""
    return decision.facts.values[pack.slots["plan.best_public_id"]] or ""


WRONGED = {
    "cases.promises_overdue": 2,
    "cases.compensation_12m": 0,
    "churn.score": 0.9,
    "value.annual": 200_000,
    "request.channel": "call_centre",
    "request.direction": "inbound",
}
"""A recorded failure, somebody likely to leave, and room for a credit."""


def refusing(case: Case, times: int) -> Case:
    """The case after so many refusals of something else, a week ago."""
    at = case.times.as_of - datetime.timedelta(days=7)
    refused = [Contact(at=at, channel="call_centre", kind="care", action="welcome_call", result="refused") for _ in range(times)]
    held = case.subscriber.contacts or []
    return replace(case, subscriber=case.subscriber.model_copy(update={"contacts": [*held, *refused]}))


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_refusing_never_raises_a_concession(jurisdiction: str) -> None:
    """Haggling pays nothing: who refuses once, twice or five times is granted what they would have been, or less."""
    pack, granted = pack_in(jurisdiction), 0
    for case in subscribers(pack, 400, 150):
        asked = patched(willing(case), WRONGED)
        conceded = [sum(item.concession for item in decide(pack, refusing(asked, times)).ranked) for times in (0, 1, 2, 5)]
        granted += conceded[0] > 0
        assert conceded == sorted(conceded, reverse=True)
    assert granted > 30


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_port_data_raise_nothing(jurisdiction: str) -> None:
    """Whatever the state of a port-out: no score rises, no phase but hands-off follows, and no offer or concession is brought forth."""
    pack, compared = pack_in(jurisdiction), 0
    for case in subscribers(pack, 500, 120):
        quiet = patched(willing(case), {"port.state": "none", "port.last_on": None})
        was = decide(pack, quiet)
        for state in ("queried", "code_issued", "applied", "completed"):
            now = decide(pack, patched(quiet, {"port.state": state, "port.last_on": quiet.times.today - datetime.timedelta(days=3)}))
            possible = {item.action for item in was.ranked} | {item.action for item in was.outcomes if item.cause == "outranked"}
            scores = {item.action: item.score for item in was.ranked}
            assert now.phase.id in (was.phase.id, "hands_off")
            assert offers(now).keys() <= possible
            assert now.phase.id != "hands_off" or not offers(now)
            for item in now.ranked if now.phase.id != "hands_off" else ():
                compared += item.action in scores
                assert item.score == scores.get(item.action, item.score)
    assert compared > 100


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_the_end_of_a_promotion_holds_nobody(jurisdiction: str) -> None:
    """Who wants to leave gets the same help and the same words on what leaving costs, whatever promotion still runs."""
    pack, helped = pack_in(jurisdiction), 0
    going = {"request.moment": "cancel_request", "request.reason": "cancel", "request.channel": "shop", "request.direction": "inbound"}
    for case in subscribers(pack, 600, 120):
        leaving = patched(willing(case), going)
        ends = (case.times.today + datetime.timedelta(days=days) for days in (200, 20))
        found = [decide(pack, patched(leaving, {"contract.promo_end": end})) for end in (None, *ends)]
        exits = [[item.action for item in decision.ranked if pack.by_id[item.action].category == "exit"] for decision in found]
        helped += bool(exits[0])
        assert exits[0] == exits[1] == exits[2]
    assert helped > 100


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
@pytest.mark.parametrize("channel", ["call_centre", "shop", "app"])
def test_a_port_out_of_a_closing_account_is_a_port_out(jurisdiction: str, channel: str) -> None:
    """Two reasons to keep hands off at once: the first row of the profile gives moment and fallback."""
    pack = pack_in(jurisdiction)
    case = next(iter(subscribers(pack, 1, 1)))
    both = {"port.state": "applied", "port.last_on": None, "account.status": "pre_cancelled", "request.channel": channel}
    found = decide(pack, patched(case, both))
    assert [rule.clause.name for rule in pack.hands_off] == ["port_out_in_progress", "account_closed"]
    assert (found.phase.id, found.moment) == ("hands_off", "port_out")
    assert "port_help" in [item.action for item in found.ranked]


def test_profiles_agree_on_what_no_law_changes() -> None:
    """The limits of the domain stand in every profile under the same name; a profile only adds to them."""
    clauses = {law: set(pack_in(law).guardrail_rules) for law in JURISDICTIONS}
    shared = set.intersection(*clauses.values())
    added = {law: sorted(found - shared) for law, found in clauses.items()}
    assert len(shared) > 20
    assert added == {
        "cn": ["port_query", "port_query_event", "senior_to_person"],
        "eu": ["consent_in_evidence", "notice_before_renewal", "usage_for_marketing"],
        "uk": ["consent_in_evidence", "notice_before_renewal", "usage_for_marketing"],
        "us": ["consent_in_evidence", "usage_for_marketing"],
    }
