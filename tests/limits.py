"""What must never happen (DOMAIN, section 8), in Python of its own: nothing here reads a clause of the pack.

A limit is a function that says whether an action on somebody's list breaks it. `GUARDED` hold by guardrails and arbitration alone,
in every jurisdiction; `TUNED` are what contact policy adds. `lists` gives the actions to judge: random subscribers as they are, made
willing to buy, and with a fact flipped towards each limit.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import yaml

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision, Ranked
from app.engine.facts import microseconds
from app.engine.pack import Pack
from app.engine.pack.model import Action
from app.engine.runtime import DAY
from app.engine.texts import Text
from app.engine.vocabulary.contacts import Contact
from app.engine.vocabulary.events.service import ComplaintEvent
from tests.pipeline import ROOT, bodies, case_of, pack_of, patched, shipped_files

JURISDICTIONS = ("cn", "eu", "uk", "us")
ROLES = ("agent", "leader", "retention_desk", "self_service", "campaign", "city")
OWN_CHANNELS = ("app", "web", "call_centre", "shop", "video_desk", "robot")
CALLS = ("outbound_call", "robot")
PEOPLE = ("call_centre", "outbound_call", "video_desk", "shop", "account_manager", "field")
WRITTEN = ("sms_service", "sms_marketing", "email")
FIGURES = ("money", "MB", "minutes", "percent", "count")
LARGEST_CREDIT = 3_000
"""The highest row of the public table of service credits, in fen."""


@cache
def pack_in(jurisdiction: str, *, contact: bool = True, guardrails: bool = True, altered: tuple[tuple[str, str, str], ...] = ()) -> Pack:
    """The shipped pack under a jurisdiction's guardrails; with the contact policy or the clauses emptied, or lines of files altered."""
    files = {path: content.decode() for path, content in shipped_files().items()}
    files["rules/pack.yaml"] = files["rules/pack.yaml"].replace("jurisdiction: cn", f"jurisdiction: {jurisdiction}")
    for path in [path for path, content in files.items() if "\ncontact:" in content or "\nguardrails:" in content]:
        document = yaml.load(files[path], Loader=yaml.BaseLoader)  # noqa: S506 - plain text, as the pack's own reader has it
        if not contact:
            document.pop("contact", None)
        if "guardrails" in document and not guardrails:
            document["guardrails"] |= {"clauses": [], "hands_off": []}
        files[path] = yaml.safe_dump(document, allow_unicode=True, width=4000)
    for name, old, new in altered:
        (path,) = (path for path in files if path.endswith(f"/{name}"))
        assert old in files[path], f"`{path}` no longer says `{old}`"
        files[path] = files[path].replace(old, new)
    return pack_of({path: content.encode() for path, content in files.items()})


@cache
def tariffs() -> Mapping[str, dict[str, Any]]:
    """The published tariffs as the file has them."""
    with (ROOT / "policies" / "tariffs.yaml").open(encoding="utf-8") as file:
        return {tariff["id"]: tariff for tariff in yaml.safe_load(file)["tariffs"]}


@dataclass(frozen=True)
class Seen:
    """One action on a list, with all there is to judge it by."""

    pack: Pack
    case: Case
    decision: Decision
    ranked: Ranked
    action: Action

    def fact(self, name: str) -> Any:
        """A fact as it was passed in; none where it was not, is too old, or was answered otherwise."""
        answers = self.case.answers or {}
        if name in answers:
            return answers[name]
        section, _, field = name.partition(".")
        part = getattr(self.case.subscriber, section)
        return None if part is None or name in self.decision.facts.too_old else getattr(part, field)

    @property
    def law(self) -> str:
        """The jurisdiction."""
        return self.pack.jurisdiction

    @property
    def side(self) -> str:
        """Who makes the contact: they, self or we."""
        case = self.case
        said = {"inbound": "they", "self": "self", "outbound": "we"}.get(case.direction or "")
        if said:
            return said
        return "self" if case.channel in ("app", "web") else "they" if case.channel in OWN_CHANNELS else "we"

    @property
    def outbound(self) -> bool:
        """Do we make the contact?"""
        return self.side == "we"

    @property
    def today(self) -> datetime.date:
        """The person's day when the contact is made."""
        return self.case.times.contact_day

    def contacts(self, days: int, **filters: Any) -> int:
        """Contacts in the days before the contact now, counted by hand."""
        now = microseconds(self.case.times.contact_at)
        return sum(
            now - days * DAY < microseconds(contact.at) <= now and all(getattr(contact, name) == value for name, value in filters.items())
            for contact in self.case.subscriber.contacts or ()
        )

    def events(self, days: float, *kinds: str, **filters: Any) -> int:
        """Events in the days before the facts were taken, counted by hand."""
        now = microseconds(self.case.times.as_of)
        return sum(
            event.type in kinds
            and now - days * DAY < microseconds(event.at) <= now
            and all(getattr(event, name) == value for name, value in filters.items())
            for event in self.case.subscriber.events or ()
        )


Limit = Callable[[Seen], bool]


# Who may not be sold to


def selling_without_consent(seen: Seen) -> bool:
    return seen.action.marketing and seen.fact("consent.marketing") != "yes"


def selling_without_an_answer_on_usage(seen: Seen) -> bool:
    """Outside China usage serves marketing only by an answer: with a no, the engine makes no profile."""
    return seen.action.marketing and seen.law != "cn" and seen.fact("consent.personalised") not in ("yes", "no")


def machines_without_evidence_of_consent(seen: Seen) -> bool:
    """Outside China a machine, a text or an e-mail needs the consent's evidence; in the United States e-mail does not."""
    channels: tuple[str, ...] = () if seen.law == "cn" else ("robot", "sms_marketing", "email")[: 2 if seen.law == "us" else 3]
    return seen.action.marketing and seen.case.channel in channels and not seen.fact("consent.evidence")


def selling_on_a_refused_channel(seen: Seen) -> bool:
    return seen.action.marketing and seen.case.channel in (seen.fact("consent.refused_channels") or ())


def selling_to_whom_it_may_not(seen: Seen) -> bool:
    """A protected or test number, a device, a minor, a line that an employer pays for."""
    wrong = (
        seen.fact("account.protected_list")
        or seen.fact("account.test_number")
        or seen.fact("account.line_type") == "iot"
        or seen.fact("account.payer") == "enterprise"
        or seen.fact("holder.user_is_minor")
        or seen.fact("holder.age_band") == "minor"
    )
    return seen.action.marketing and bool(wrong)


def selling_by_machine_against_the_will(seen: Seen) -> bool:
    """Who asked for a human decision hears offers from people."""
    return seen.action.marketing and bool(seen.fact("consent.human_review")) and seen.case.channel not in PEOPLE


# When and how often


def selling_at_night(seen: Seen) -> bool:
    """The outer hours of each jurisdiction, in the person's own time."""
    minute, call = seen.case.times.contact_minute, seen.case.channel in CALLS
    first, last = (9, 20) if seen.law == "eu" else (8, 21)
    weekday, holiday = seen.today.isoweekday(), seen.today.toordinal() in seen.pack.holidays
    rest = call and ((seen.law == "eu" and (weekday > 5 or holiday)) or (seen.law == "uk" and weekday == 7))
    return seen.action.marketing and seen.outbound and (rest or not first * 60 <= minute < last * 60)


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
    """The same action within 90 days, its kind or two of anything within 30, a change or closed complaint, or newly joined."""
    if not seen.action.marketing or seen.case.subscriber.events is None:
        return seen.action.marketing
    recent = [event for event in seen.case.subscriber.events if event.type in ("plan_change", "complaint_closed")]
    now = microseconds(seen.case.times.contact_at)
    unsettled = any(now - 30 * DAY < microseconds(event.at) <= now for event in recent)
    kin = [action.id for action in seen.pack.actions if action.category == seen.action.category]
    refused = sum(seen.contacts(30, action=action, result="refused") for action in kin)
    new = seen.fact("account.tenure_months") == 0 and (seen.today - seen.fact("account.joined_on")).days <= 30
    return (
        seen.contacts(90, action=seen.action.id, result="refused") > 0
        or refused > 0
        or seen.contacts(30, result="refused") >= 2
        or unsettled
        or new
    )


def calling_abroad(seen: Seen) -> bool:
    return seen.outbound and bool(seen.fact("account.roaming_abroad")) and seen.case.channel in CALLS


# Porting


def _port_protected(seen: Seen) -> bool:
    state, last = seen.fact("port.state"), seen.fact("port.last_on")
    if state in (None, "none", "queried"):  # a state may be older than the events beside it
        begun = max(seen.events(30, "port_apply"), seen.events({"cn": 1, "uk": 30}.get(seen.law, 0), "port_code"))
        return begun > seen.events(30, "port_withdraw", "port_done")
    lapsed = last is not None and (seen.case.times.today - last).days > 30
    coded = state == "code_issued" and (seen.law == "cn" or (seen.law == "uk" and not lapsed))
    return coded or bool(state == "applied")


def using_a_port_out(seen: Seen) -> bool:
    """While protected: help with porting, or what is owed, as service or information without concession."""
    if seen.decision.phase.id != "hands_off":
        return _port_protected(seen)
    owed = seen.ranked.duty == "owed" and seen.action.kind in ("service", "information") and seen.ranked.concession == 0
    return not (owed and not seen.action.marketing) and seen.action.purpose != "port_assistance"


def port_help_that_costs(seen: Seen) -> bool:
    return seen.action.purpose == "port_assistance" and (seen.ranked.concession > 0 or seen.action.kind not in ("service", "information"))


def following_a_bare_query(seen: Seen) -> bool:
    """In China nothing goes out and nothing is conceded for 30 days after a query of eligibility."""
    last = seen.fact("port.last_on")
    fresh = seen.fact("port.state") == "queried" and (last is None or (seen.today - last).days <= 30)
    reaching = (seen.outbound and seen.action.kind in ("offer", "care")) or seen.ranked.concession > 0
    return seen.law == "cn" and fresh and reaching


def winning_back_a_port_out(seen: Seen) -> bool:
    joined, last = seen.fact("account.joined_on"), seen.fact("port.last_on")
    back = joined is not None and last is not None and joined > last
    return seen.fact("port.state") == "completed" and not back and (seen.action.marketing or seen.ranked.concession > 0)


def countering_a_spoken_wish(seen: Seen) -> bool:
    """Who says that they want to port hears public plans if they ask for plans, else no offer and no concession."""
    asked = seen.action.category == "plan_fit" and seen.case.reason in ("plan_change", "downgrade")
    pressing = (seen.action.marketing and not asked) or seen.ranked.concession > 0
    return seen.decision.moment == "port_intent" and pressing


def holding_who_refused(seen: Seen) -> bool:
    """After one refusal somebody who wants to leave is let go."""
    case = seen.case
    leaving = (
        case.moment in ("leave_intent", "cancel_request", "port_intent")
        or case.reason == "cancel"
        or seen.fact("declared.leave_reason") is not None
        or seen.events(30, "intent_leave") > 0
    )
    held = seen.action.marketing or seen.action.category in ("rescue", "goodwill")
    return leaving and held and seen.contacts(30, result="refused") >= 1


# Who is on the line, and what they confirm


def _shown(texts: tuple[Text | None, ...]) -> set[str]:
    return {slot.format for text in texts if text for template in (text.en, text.zh) for slot in template.slots}


def figures_for_strangers(seen: Seen) -> bool:
    """Who is not the verified holder hears no figure, changes nothing, and is offered nothing, whoever began the contact."""
    case, action = seen.case, seen.action
    known = case.caller_relation == "holder" and case.verified not in (None, "none")
    stranger = case.caller_relation not in (None, "holder") or case.verified == "none"
    if known or (case.channel in WRITTEN and seen.side != "they") or (seen.side != "they" and not stranger):
        return False
    said = _shown((action.channels[case.channel][1] if case.channel in action.channels else None, action.disclose))
    return action.kind == "offer" or action.confirm != "none" or seen.ranked.concession > 0 or not said.isdisjoint(FIGURES)


def switching_on_unconfirmed(seen: Seen) -> bool:
    action = seen.action
    switching = action.kind == "offer" or (action.kind == "care" and action.category in ("loyalty", "points", "entitlement", "unused"))
    gift = action.kind == "care" and action.category == "goodwill"
    return ((switching or gift) and action.confirm not in ("double", "holder")) or (
        action.commitment_months > 0 and action.confirm != "holder"
    )


def binding_for_too_long(seen: Seen) -> bool:
    return seen.action.commitment_months > 24


def renewing_before_the_notice(seen: Seen) -> bool:
    """In the Union and the United Kingdom the notice of the end comes before an offer to renew."""
    end = seen.fact("contract.commitment_end")
    due = isinstance(end, datetime.date) and 0 <= (end - seen.today).days <= 40
    told = seen.contacts(60, action="contract_end_notice") > 0
    binding = seen.action.commitment_months > 0 and seen.action.category == "contract"
    return seen.law in ("eu", "uk") and binding and due and not told


# Price


def _slow_or_poor(seen: Seen) -> bool:
    """Urged twice, past the date named, called three times in a week, or a network far below what is paid for."""
    due = seen.fact("cases.due_on")
    return (
        (seen.fact("cases.urges_7d") or 0) >= 2
        or (isinstance(due, datetime.date) and due < seen.case.times.today)
        or seen.events(7, "inbound") >= 3
        or (seen.fact("network.poor_session_share") or 0) >= 0.2
        or (seen.fact("network.camp_5g_share") or 1) < 0.3
    )


def concession_beyond_limits(seen: Seen) -> bool:
    """Of a role, of the year, and of the public table for a recorded failure."""
    if not seen.ranked.concession:
        return False
    granted = sum(item.concession for item in seen.decision.ranked)
    given, annual = seen.fact("cases.compensation_12m"), seen.fact("value.annual")
    failed = (
        (seen.fact("cases.open_faults") or 0) >= 1
        or (seen.fact("cases.promises_overdue") or 0) >= 1
        or seen.events(90, "complaint") >= 3
        or seen.events(60, "fault") >= 2
        or _slow_or_poor(seen)
    )
    return (
        granted > min(seen.case.asker.concession_limit, LARGEST_CREDIT)
        or not failed
        or seen.action.kind == "offer"
        or given is None
        or given + granted > 100_000
        or (annual is not None and given + granted > 0.15 * annual)
    )


PUBLISHED_CONDITIONS: Mapping[str, Callable[[Seen], bool]] = {
    "plan_199": lambda seen: seen.fact("device.generation") == "5g",
    "plan_299": lambda seen: seen.fact("device.generation") == "5g",
    "plan_student_29": lambda seen: seen.fact("holder.student_verified") is True,
    "plan_senior_19": lambda seen: seen.fact("holder.age_band") == "senior_65",
    "plan_care_19": lambda seen: seen.fact("holder.disability_card") is True,
    "smart_home_15": lambda seen: seen.fact("home.has_broadband") is True,
    "broadband_500": lambda seen: seen.fact("home.has_broadband") is True,
    "vip_number_128": lambda seen: seen.fact("vip.tier") in ("gold", "diamond"),
    "vip_device_24": lambda seen: seen.fact("vip.tier") in ("silver", "gold", "diamond"),
}
"""What the published tariffs ask for, read by hand."""


def _open(seen: Seen, name: str) -> bool:
    tariff, today, held = tariffs()[name], seen.case.times.today, seen.fact("services.held")
    needed, barred = set(tariff["requires"]), set(tariff["excludes"])
    return (
        tariff["on_sale_from"] <= today <= tariff.get("on_sale_to", today)
        and tariff["open_to_existing"]
        and (tariff["regions"] == ["all"] or seen.fact("account.province") in tariff["regions"])
        and (not needed | barred or (held is not None and needed <= held and barred.isdisjoint(held)))
        and ("open_if" not in tariff or PUBLISHED_CONDITIONS[name](seen))
    )


def hidden_price(seen: Seen) -> bool:
    """An offer names a tariff that is published, on sale, and open to this person here."""
    if seen.action.kind != "offer":
        return False
    name = seen.ranked.tariff
    return name is None or name not in tariffs() or not tariffs()[name]["filing_no"] or not _open(seen, name)


def plan_cost(seen: Seen, plan: str) -> float | None:
    """The mean of three cycles' use on the plan."""
    tariff, usage = tariffs()[plan], seen.case.subscriber.usage
    if usage is None or not usage.voice_out_min or not usage.data_mb:
        return None
    cycles = list(zip(usage.voice_out_min[-3:], usage.data_mb[-3:], strict=True))
    if len(cycles) < 3 or any(value is None for cycle in cycles for value in cycle):
        return None
    costs = []
    for minutes, data in cycles:
        over = max(minutes - tariff["voice_minutes"], 0) * tariff["voice_rate"]
        over += max(data - tariff["data_mb"], 0) * tariff["data_rate"] / 1024
        costs.append(tariff["fee"] + (min(over, tariff["overage_cap"]) if tariff["overage_cap"] else over))
    return sum(costs) / 3


def dearer_than_public(seen: Seen) -> bool:
    """A plan offered costs no more, for the use of three cycles, than any plan open to the subscriber."""
    name = seen.ranked.tariff
    if seen.action.kind != "offer" or seen.action.category != "plan_fit" or name is None or tariffs()[name]["kind"] != "plan":
        return False
    cost = plan_cost(seen, name)
    plans = [plan for plan, tariff in tariffs().items() if tariff["kind"] == "plan" and _open(seen, plan)]
    return cost is None or any(cost > (plan_cost(seen, plan) or 0) + 0.01 for plan in plans)


def useless_for_the_device_or_line(seen: Seen) -> bool:
    """What a handset, or a home without a line, cannot use."""
    handset = seen.ranked.tariff in ("plan_199", "plan_299") and seen.fact("device.generation") != "5g"
    no_line = seen.action.kind == "offer" and seen.action.category == "fusion" and seen.fact("home.resource_ok") is not True
    on_line = seen.ranked.tariff in ("broadband_500", "smart_home_15", "home_speed_10")
    return handset or no_line or (on_line and seen.fact("home.has_broadband") is not True)


def profiling_against_the_will(seen: Seen) -> bool:
    """A refusal leaves no offer that rests on a profile: every gate of such an action would need one."""
    return seen.action.marketing and seen.fact("consent.personalised") == "no" and bool(seen.action.gates)


# Channels


def selling_on_the_wrong_port(seen: Seen) -> bool:
    """Service SMS carries no selling."""
    return seen.action.marketing and seen.case.channel == "sms_service"


def robots_beyond_their_place(seen: Seen) -> bool:
    """A robot neither holds, nor settles complaints, nor takes a firm confirmation; in China it hands over whoever is 65."""
    action = seen.action
    firm = action.category in ("rescue", "complaint", "goodwill", "refund") or action.confirm in ("double", "holder")
    aged = seen.law == "cn" and seen.fact("holder.age_band") == "senior_65"
    handing = action.id in ("senior_care", "hand_to_person", "incident_notice", "stop_contact")
    return seen.case.channel == "robot" and (firm or (aged and not handing))


# The list as a whole


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


# What contact policy adds


def out_of_hours(seen: Seen) -> bool:
    minute = seen.case.times.contact_minute
    permitted = (9 * 60 <= minute < 12 * 60 or 14 * 60 <= minute < 20 * 60) and seen.today.toordinal() not in seen.pack.holidays
    return seen.action.marketing and seen.outbound and not permitted


def care_on_a_refused_channel(seen: Seen) -> bool:
    """What is owed stays allowed; to who comes to us on that channel, service too."""
    unasked = seen.action.kind == "care" or seen.outbound
    return seen.case.channel in (seen.fact("consent.refused_channels") or ()) and seen.ranked.duty != "owed" and unasked


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


def selling_to_a_line_out_of_service(seen: Seen) -> bool:
    return seen.action.marketing and seen.fact("account.status") != "active"


def texting_offers_abroad(seen: Seen) -> bool:
    return seen.action.marketing and seen.outbound and bool(seen.fact("account.roaming_abroad"))


def caring_too_often(seen: Seen) -> bool:
    """Two care contacts in 30 days, and one marketing call to a household in a fortnight."""
    called = seen.fact("account.household_contacted_on")
    soon = isinstance(called, datetime.date) and (seen.today - called).days < 14
    unasked = seen.action.kind == "care" and seen.ranked.duty != "owed" and seen.outbound
    return (unasked and seen.contacts(30, kind="care") >= 2) or (
        seen.action.marketing and seen.outbound and seen.case.channel in CALLS and soon
    )


def selling_after_pushing_too_hard(seen: Seen) -> bool:
    now = microseconds(seen.case.times.contact_at)
    pestered = any(
        event.type == "complaint" and event.topic == "harassment" and now - 180 * DAY < microseconds(event.at) <= now
        for event in seen.case.subscriber.events or ()
    )
    return seen.action.marketing and pestered and seen.contacts(240, result="refused") >= 2


GUARDED: tuple[Limit, ...] = (
    selling_without_consent,
    selling_without_an_answer_on_usage,
    machines_without_evidence_of_consent,
    selling_on_a_refused_channel,
    selling_to_whom_it_may_not,
    selling_by_machine_against_the_will,
    selling_at_night,
    over_the_caps,
    in_cool_down,
    calling_abroad,
    using_a_port_out,
    port_help_that_costs,
    following_a_bare_query,
    winning_back_a_port_out,
    countering_a_spoken_wish,
    holding_who_refused,
    figures_for_strangers,
    switching_on_unconfirmed,
    binding_for_too_long,
    renewing_before_the_notice,
    concession_beyond_limits,
    hidden_price,
    dearer_than_public,
    useless_for_the_device_or_line,
    profiling_against_the_will,
    selling_on_the_wrong_port,
    robots_beyond_their_place,
    more_than_one_commitment,
    crowding_a_category,
    sales_before_service,
    breaking_exclusions,
    too_long_a_list,
)
TUNED: tuple[Limit, ...] = (
    out_of_hours,
    care_on_a_refused_channel,
    selling_over_an_open_case,
    selling_to_a_line_out_of_service,
    texting_offers_abroad,
    caring_too_often,
    selling_after_pushing_too_hard,
)


def pestered(case: Case) -> Case:
    """Refused twice long ago, and then complained of being pestered."""
    moment = case.times.as_of
    refusals = [
        Contact(at=moment - datetime.timedelta(days=days), channel="sms_marketing", kind="offer", action="fusion_bundle", result="refused")
        for days in (170, 175)
    ]
    complaint = ComplaintEvent(type="complaint", at=moment - datetime.timedelta(days=150), topic="harassment")
    events, contacts = case.subscriber.events or [], case.subscriber.contacts or []
    return replace(case, subscriber=case.subscriber.model_copy(update={"events": [*events, complaint], "contacts": [*contacts, *refusals]}))


Mutation = Mapping[str, Any] | Callable[[Case], Case]
MUTATIONS: tuple[Mutation, ...] = (
    pestered,
    {"consent.marketing": "no"},
    {"consent.marketing": "unknown"},
    {"consent.marketing": None},
    {"consent.personalised": "no"},
    {"consent.personalised": "unknown"},
    {"consent.evidence": None, "request.channel": "sms_marketing"},
    {"consent.human_review": True},
    {"consent.refused_channels": frozenset({"call_centre", "app", "sms_marketing", "outbound_call", "shop", "account_manager"})},
    {"account.protected_list": True},
    {"account.test_number": True},
    {"account.line_type": "iot"},
    {"account.payer": "enterprise"},
    {"account.roaming_abroad": True},
    {"account.roaming_abroad": True, "request.channel": "outbound_call", "request.direction": "outbound"},
    {"account.status": "suspended_arrears"},
    {"account.tenure_months": 0, "account.joined_on": datetime.date(2026, 11, 20)},
    {"account.household_contacted_on": datetime.date(2026, 11, 15), "request.channel": "outbound_call"},
    {"holder.user_is_minor": True},
    {"holder.age_band": "minor"},
    {"port.state": "queried", "port.last_on": None},
    {"port.state": "code_issued", "port.last_on": datetime.date(2026, 9, 20)},
    {"port.state": "code_issued", "port.last_on": None},
    {"port.state": "applied"},
    {"port.state": "completed"},
    {"port.state": None},
    {"cases.open_complaints": 1},
    {"cases.open_faults": 1, "cases.fault_hours": 90},
    {"cases.regulator_open": True},
    {"incident.active": True},
    {"cases.compensation_12m": 99_500},
    {"cases.compensation_12m": None},
    {"contract.commitment_end": datetime.date(2026, 11, 30)},
    {"device.generation": "4g"},
    {"home.has_broadband": False, "home.resource_ok": False},
    {"account.province": "110000"},
    {"request.verified": "none"},
    {"request.verified": None},
    {"request.caller_relation": "user"},
    {"request.caller_relation": "user", "request.channel": "outbound_call", "request.direction": "outbound"},
    {"request.moment": "leave_intent"},
    {"request.moment": "port_intent"},
    {"request.moment": "complaint"},
    {"request.direction": "outbound"},
    {"request.channel": "sms_marketing"},
    {"request.channel": "outbound_call", "request.direction": "outbound"},
    {"request.channel": "sms_service"},
    {"request.channel": "robot"},
)


def willing(case: Case) -> Case:
    """The case made ready for offers: consent, a verified holder, nothing open; so that limits have something to stop."""
    quiet = {
        "consent.marketing": "yes",
        "consent.personalised": "yes",
        "consent.refused_channels": frozenset(),
        "consent.evidence": "sms 2025-06-01",
        "consent.human_review": False,
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
        "declared.leave_reason": None,
        "request.caller_relation": "holder",
        "request.verified": "sms",
        "request.moment": None,
        "request.reason": None,
    }
    calm = patched(case, quiet, max_actions=10)
    kept = ("bill", "use", "page", "topup", "enquiry")
    events = [event for event in calm.subscriber.events or () if event.type in kept]
    return replace(calm, subscriber=calm.subscriber.model_copy(update={"events": events}))


def subscribers(pack: Pack, seed: int, n: int, role: str = "retention_desk") -> Iterator[Case]:
    """Random subscribers as cases; of their own facts those that the pack knows."""
    for body in bodies(seed, n):
        own = body["subscriber"].pop("custom", {})
        body["subscriber"]["custom"] = {name: value for name, value in own.items() if f"custom.{name}" in pack.custom}
        body["answers"] = {name: value for name, value in body.get("answers", {}).items() if name in pack.questions}
        yield case_of(pack, body, role)


def mutated(case: Case, mutation: Mutation) -> Case:
    """The case with something held against it."""
    return mutation(case) if callable(mutation) else patched(case, mutation)


def lists(pack: Pack, seed: int, n: int, mutations: tuple[Mutation, ...] = MUTATIONS) -> Iterator[Seen]:
    """Every action on the lists of random subscribers, as they are, made willing, and with something held against them."""
    dice = random.Random(seed)
    for case in subscribers(pack, seed, n, dice.choice(ROLES)):
        ready = willing(case)
        for variant in (case, mutated(case, dice.choice(mutations)), ready, mutated(ready, dice.choice(mutations))):
            decision = decide(pack, variant)
            for item in decision.ranked:
                yield Seen(pack, variant, decision, item, pack.by_id[item.action])
