"""What must never happen (DOMAIN, section 8), held over thousands of random subscribers by facts of their own, not by the pack's clauses.

Each limit is a function that says whether an action on a list breaks it; `mutations` bring random subscribers nearer to the limit.
`test_each_limit_can_be_broken` takes the pack's protection away and sees the limit notice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import yaml

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision, Ranked
from app.engine.facts import microseconds
from app.engine.pack import Pack, PackError
from app.engine.pack.model import Action
from app.engine.runtime import DAY, best, fee_on
from tests.pipeline import TIMES, cases, pack_of, patched, shipped, shipped_files

ROLES = ("agent", "leader", "retention_desk", "self_service", "campaign", "city")
OWN_CHANNELS = ("app", "web", "call_centre", "shop", "video_desk", "robot")
CALLS = ("outbound_call", "robot")


@dataclass(frozen=True)
class Seen:
    """One action on a list, with all there is to judge it by."""

    pack: Pack
    case: Case
    decision: Decision
    ranked: Ranked
    action: Action

    def fact(self, name: str) -> Any:
        """A fact as it was passed in; none where it was not, or answered otherwise."""
        answers = self.case.answers or {}
        if name in answers:
            return answers[name]
        section, _, field = name.partition(".")
        part = getattr(self.case.subscriber, section)
        return None if part is None or name in self.decision.facts.too_old else getattr(part, field)

    @property
    def outbound(self) -> bool:
        """Do we make the contact?"""
        case = self.case
        if case.direction in ("inbound", "self"):
            return False
        return case.direction == "outbound" or case.channel not in OWN_CHANNELS

    def contacts(self, days: int, **filters: Any) -> int:
        """Contacts in the days before the contact now, counted by hand."""
        now = microseconds(self.case.times.contact_at)
        return sum(
            now - days * DAY < microseconds(contact.at) <= now and all(getattr(contact, name) == value for name, value in filters.items())
            for contact in self.case.subscriber.contacts or ()
        )


Limit = Callable[[Seen], bool]


def selling_without_consent(seen: Seen) -> bool:
    return seen.action.marketing and seen.fact("consent.marketing") != "yes"


def refused_channel(seen: Seen) -> bool:
    """What is owed stays allowed; to who comes to us on that channel, service too."""
    unasked = seen.action.kind == "care" or seen.outbound
    return seen.case.channel in (seen.fact("consent.refused_channels") or ()) and (
        seen.action.marketing or (seen.ranked.duty != "owed" and unasked)
    )


def out_of_hours(seen: Seen) -> bool:
    times = seen.case.times
    minute, day = times.contact_minute, times.contact_day.toordinal()
    permitted = (9 * 60 <= minute < 12 * 60 or 14 * 60 <= minute < 20 * 60) and day not in seen.pack.holidays
    return seen.action.marketing and seen.outbound and not permitted


def over_the_caps(seen: Seen) -> bool:
    if not seen.action.marketing or seen.case.subscriber.contacts is None:
        return seen.action.marketing
    over = seen.contacts(30, kind="offer") >= 4
    if seen.case.channel == "sms_marketing":
        over |= seen.contacts(7, channel="sms_marketing") >= 1 or seen.contacts(30, channel="sms_marketing") >= 3
    if seen.outbound and seen.case.channel in CALLS:
        over |= sum(seen.contacts(30, channel=channel, kind="offer") for channel in CALLS) >= 1
        over |= sum(seen.contacts(90, channel=channel, kind="offer") for channel in CALLS) >= 2
    return over


def in_cool_down(seen: Seen) -> bool:
    """The same action within 90 days, two refusals of anything within 30, a recent plan change or closed complaint."""
    if not seen.action.marketing:
        return False
    recent = [event for event in seen.case.subscriber.events or () if event.type in ("plan_change", "complaint_closed")]
    now = microseconds(seen.case.times.contact_at)
    settled = all(microseconds(event.at) <= now - 30 * DAY for event in recent)
    return seen.contacts(90, action=seen.action.id, result="refused") > 0 or seen.contacts(30, result="refused") >= 2 or not settled


def selling_to_whom_it_may_not(seen: Seen) -> bool:
    """A protected or test number, a device, a minor."""
    wrong = (
        seen.fact("account.protected_list")
        or seen.fact("account.test_number")
        or seen.fact("account.line_type") == "iot"
        or seen.fact("holder.user_is_minor")
        or seen.fact("holder.age_band") == "minor"
    )
    return seen.action.marketing and bool(wrong)


def selling_on_an_employers_line(seen: Seen) -> bool:
    return seen.action.marketing and seen.fact("account.payer") == "enterprise"


def calling_abroad(seen: Seen) -> bool:
    return seen.outbound and bool(seen.fact("account.roaming_abroad")) and (seen.action.marketing or seen.case.channel in CALLS)


def using_a_port_out(seen: Seen) -> bool:
    """From the code on: help with porting, or what is owed, as service or information without concession."""
    if seen.decision.phase.id != "hands_off" and seen.fact("port.state") not in ("code_issued", "applied"):
        return False
    owed = seen.ranked.duty == "owed" and seen.action.kind in ("service", "information") and seen.ranked.concession == 0
    return not (owed and not seen.action.marketing) and seen.action.purpose != "port_assistance"


def port_help_that_costs(seen: Seen) -> bool:
    return seen.action.purpose == "port_assistance" and (seen.ranked.concession > 0 or seen.action.kind not in ("service", "information"))


def selling_over_an_open_case(seen: Seen) -> bool:
    """An open complaint, fault or appeal, or an incident."""
    troubled = (
        (seen.fact("cases.open_complaints") or 0) >= 1
        or (seen.fact("cases.open_faults") or 0) >= 1
        or bool(seen.fact("cases.regulator_open"))
        or bool(seen.fact("incident.active"))
        or seen.case.moment in ("complaint", "fault")
    )
    return seen.action.marketing and troubled


OPEN_TO_ANYONE = frozenset(
    {
        "verify_holder",
        "incident_notice",
        "fix_open_fault",
        "resolve_complaint",
        "ask_reason",
        "port_help",
        "unsubscribe_guide",
        "senior_care",
        "hand_to_person",
        "stop_contact",
    }
)


def figures_for_strangers(seen: Seen) -> bool:
    """Somebody who calls or comes and is not the verified holder hears what anyone may hear."""
    came = seen.case.direction == "inbound" or (
        seen.case.direction not in ("self", "outbound") and seen.case.channel in ("call_centre", "robot", "shop", "video_desk")
    )
    holder = seen.case.caller_relation == "holder" and seen.case.verified not in (None, "none")
    return came and not holder and seen.action.id not in OPEN_TO_ANYONE


def switching_on_unconfirmed(seen: Seen) -> bool:
    binding = seen.action.commitment_months > 0
    return (seen.action.kind == "offer" and seen.action.confirm not in ("double", "holder")) or (
        binding and seen.action.confirm != "holder"
    )


def holding_who_refused(seen: Seen) -> bool:
    """After one refusal somebody who wants to leave is let go."""
    leaving = seen.case.moment in ("leave_intent", "cancel_request", "port_intent") or seen.case.reason == "cancel"
    held = seen.action.marketing or seen.action.category in ("rescue", "goodwill")
    return leaving and held and seen.contacts(30, result="refused") >= 1


def concession_beyond_limits(seen: Seen) -> bool:
    """Of a role, of the year, and of what failed."""
    granted = seen.ranked.concession
    if not granted:
        return False
    given, annual = seen.fact("cases.compensation_12m"), seen.fact("value.annual")
    return (
        sum(item.concession for item in seen.decision.ranked) > seen.case.asker.concession_limit
        or seen.action.kind == "offer"
        or given is None
        or given + granted > 100_000
        or (annual is not None and given + granted > 0.15 * annual)
    )


def hidden_price(seen: Seen) -> bool:
    """An offer names a tariff that is on sale, in this region, and whose conditions hold."""
    if seen.action.kind != "offer":
        return False
    tariff = seen.ranked.tariff
    values, slots = seen.decision.facts.values, seen.pack.slots
    if tariff is None or tariff not in seen.pack.tariffs or not seen.pack.tariffs[tariff].filing_no:
        return True
    if tariff == "plan_region_49":
        return seen.fact("account.province") != "510000"
    if tariff == "plan_student_29":
        return seen.fact("holder.student_verified") is not True
    return values[slots[f"open:{tariff}"]] is not True


def dearer_than_public(seen: Seen) -> bool:
    """A plan offered costs no more, for the use of three cycles, than the best plan open to the subscriber."""
    if seen.action.kind != "offer" or seen.action.category != "plan_fit" or seen.ranked.tariff is None:
        return False
    values, slots, pack = seen.decision.facts.values, seen.pack.slots, seen.pack
    use = values[slots["usage.voice_out_min"]], values[slots["usage.data_mb"]]
    cheapest = best(pack.plans, 3, *use, *(values[slots[f"open:{plan}"]] for plan in pack.plans))
    cost = fee_on(pack.plans, seen.ranked.tariff, 3, *use)
    return cost is None or cheapest is None or cost > cheapest[0]


def useless_for_the_device(seen: Seen) -> bool:
    return seen.ranked.tariff == "plan_199" and seen.fact("device.generation") != "5g"


def profiling_against_the_will(seen: Seen) -> bool:
    """A refusal leaves no offer that rests on a profile: every gate of such an action would need one."""
    return seen.action.marketing and seen.fact("consent.personalised") == "no" and bool(seen.action.gates)


def more_than_one_commitment(seen: Seen) -> bool:
    return sum(bool(seen.pack.by_id[item.action].commitment_months) for item in seen.decision.ranked) > 1


def crowding_a_category(seen: Seen) -> bool:
    same = [item for item in seen.decision.ranked if seen.pack.by_id[item.action].category == seen.action.category]
    return len(same) > seen.pack.choosing.per_category


def sales_before_service(seen: Seen) -> bool:
    """An offer beside a fix that is owed, or anything ahead of a stronger duty."""
    order = ["owed", "care", "offer"]
    ahead = [item for item in seen.decision.ranked if item.rank < seen.ranked.rank and item.fallback_for is None]
    fixing = any(
        item.duty == "owed" and seen.pack.by_id[item.action].category in seen.pack.choosing.service_first for item in seen.decision.ranked
    )
    return any(order.index(item.duty) > order.index(seen.ranked.duty) for item in ahead) or (seen.ranked.duty == "offer" and fixing)


def breaking_exclusions(seen: Seen) -> bool:
    return any(item.action in seen.action.excludes for item in seen.decision.ranked)


def too_long_a_list(seen: Seen) -> bool:
    return len(seen.decision.ranked) > min(seen.case.max_actions, seen.pack.choosing.max_actions)


LIMITS: tuple[Limit, ...] = (
    selling_without_consent,
    refused_channel,
    out_of_hours,
    over_the_caps,
    in_cool_down,
    selling_to_whom_it_may_not,
    selling_on_an_employers_line,
    calling_abroad,
    using_a_port_out,
    port_help_that_costs,
    selling_over_an_open_case,
    figures_for_strangers,
    switching_on_unconfirmed,
    holding_who_refused,
    concession_beyond_limits,
    hidden_price,
    dearer_than_public,
    useless_for_the_device,
    profiling_against_the_will,
    more_than_one_commitment,
    crowding_a_category,
    sales_before_service,
    breaking_exclusions,
    too_long_a_list,
)

MUTATIONS: tuple[dict[str, Any], ...] = (
    {"consent.marketing": "no"},
    {"consent.marketing": "unknown"},
    {"consent.marketing": None},
    {"consent.personalised": "no"},
    {"account.protected_list": True},
    {"account.test_number": True},
    {"account.line_type": "iot"},
    {"account.payer": "enterprise"},
    {"account.roaming_abroad": True},
    {"account.status": "suspended_arrears"},
    {"holder.user_is_minor": True},
    {"holder.age_band": "minor"},
    {"port.state": "queried"},
    {"port.state": "code_issued"},
    {"port.state": "applied"},
    {"port.state": "completed"},
    {"cases.open_complaints": 1},
    {"cases.open_faults": 1, "cases.fault_hours": 90},
    {"cases.regulator_open": True},
    {"incident.active": True},
    {"cases.compensation_12m": 99_500},
    {"cases.compensation_12m": None},
    {"device.generation": "4g"},
    {"account.province": "110000"},
    {"request.verified": "none"},
    {"request.verified": None},
    {"request.caller_relation": "user"},
    {"request.moment": "leave_intent"},
    {"request.moment": "port_intent"},
    {"request.moment": "complaint"},
    {"request.direction": "outbound"},
    {"request.channel": "sms_marketing"},
    {"request.channel": "outbound_call"},
    {"request.channel": "sms_service"},
)


def willing(case: Case) -> Case:
    """The case made ready for offers: consent, a verified holder, midday, nothing open; so that limits have something to stop."""
    quiet = {
        "consent.marketing": "yes",
        "consent.personalised": "yes",
        "consent.refused_channels": frozenset(),
        "account.status": "active",
        "account.tenure_months": 70,
        "account.payer": "self",
        "account.line_type": "main",
        "account.roaming_abroad": False,
        "cases.open_complaints": 0,
        "cases.open_faults": 0,
        "cases.regulator_open": False,
        "cases.promises_overdue": 0,
        "services.held": frozenset(),
        "device.generation": "5g",
        "port.state": "none",
        "request.caller_relation": "holder",
        "request.verified": "sms",
        "request.moment": None,
        "request.reason": None,
    }
    events = tuple(event for event in case.subscriber.events or () if event.type in ("bill", "use", "page", "topup", "enquiry"))
    calm = patched(case, quiet, max_actions=10)
    return Case.from_json(
        {**calm.as_json(), "subscriber": {**calm.as_json()["subscriber"], "events": [event.model_dump(mode="json") for event in events]}}
    )


def lists(pack: Pack, seed: int, n: int) -> Iterator[Seen]:
    """Every action on the lists of random subscribers, as they are, made willing, and with something held against them."""
    dice = random.Random(seed)
    for case in cases(pack, seed, n, role=dice.choice(ROLES)):
        ready = willing(case)
        for variant in (case, patched(case, dice.choice(MUTATIONS)), ready, patched(ready, dice.choice(MUTATIONS))):
            decision = decide(pack, variant)
            for item in decision.ranked:
                yield Seen(pack, variant, decision, item, pack.by_id[item.action])


@pytest.mark.parametrize("seed", range(10 * TIMES))
def test_no_hard_limit_is_broken(seed: int) -> None:
    """Over random subscribers, willing ones, and ones with a fact flipped towards each limit."""
    actions = offers = 0
    for seen in lists(shipped(), 5000 + seed, 300):
        actions += 1
        offers += seen.action.kind == "offer"
        for limit in LIMITS:
            assert not limit(seen), (limit.__name__, seen.action.id, seen.case.as_json())
    assert actions > 500
    assert offers > 60


CHOOSING = frozenset(
    {more_than_one_commitment, crowding_a_category, sales_before_service, breaking_exclusions, too_long_a_list, concession_beyond_limits}
)
"""Limits that arbitration holds, not a clause of the pack."""
ALTERED: dict[Limit, tuple[tuple[str, str, str], ...]] = {
    switching_on_unconfirmed: (("data_pack.yaml", "confirm: double", "confirm: none"),),
    hidden_price: (("tariffs.yaml", 'regions: ["510000"]', "regions: [all]"),),
    dearer_than_public: (("plan_fit_down.yaml", "tariff: plan.best_public_id", "tariff: plan_199"),),
    useless_for_the_device: (
        ("plan_fit_down.yaml", "tariff: plan.best_public_id", "tariff: plan_199"),
        ("tariffs.yaml", "    open_if: device.generation == '5g'\n", ""),
    ),
    more_than_one_commitment: (
        ("data_pack.yaml", "tariff: data_pack_5", "tariff: contract_renew_24"),
        ("tariff_pack.yaml", "tariff: toll_pack_30", "tariff: contract_renew_24"),
    ),
}
"""What else must be wrong with a pack before a limit can be broken."""


PORT_HELP = "policies/rescue/port_help.yaml"


@cache
def unprotected(limit: Limit) -> Pack:
    """The shipped pack without contact policy and guardrails, and with what else holds the limit taken away."""
    files = {path: content.decode() for path, content in shipped_files().items()}
    for path in [path for path, content in files.items() if "\ncontact:" in content or "\nguardrails:" in content]:
        document = yaml.load(files[path], Loader=yaml.BaseLoader)  # noqa: S506 - plain text, as the pack's own reader has it
        document.pop("contact", None)
        if "guardrails" in document:
            document["guardrails"] |= {"clauses": [], "hands_off": []}
        files[path] = yaml.safe_dump(document, allow_unicode=True, width=4000)
    for name, old, new in ALTERED.get(limit, ()):
        (path,) = (path for path in files if path.endswith(f"/{name}"))
        assert old in files[path], f"`{path}` no longer says `{old}`"
        files[path] = files[path].replace(old, new)
    return pack_of({path: content.encode() for path, content in files.items()})


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.__name__)
def test_each_limit_can_be_broken(limit: Limit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what protects it each limit is broken, and seen to be: the property above can fail."""
    if limit is port_help_that_costs:
        with pytest.raises(PackError, match="concedes nothing"):
            pack_of({**shipped_files(), PORT_HELP: shipped_files()[PORT_HELP].replace(b"approve:", b"concession: 500\napprove:")})
        return
    if limit in CHOOSING:
        monkeypatch.setattr("app.engine.arbitration._conflict", lambda *_: None)
    if limit is profiling_against_the_will:
        monkeypatch.setattr("app.engine.decide.may_profile", lambda _: True)
    assert any(limit(seen) for seen in lists(unprotected(limit), 77, 800))
