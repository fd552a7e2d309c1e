"""Random subscribers as requests for the shipped pack: seeded, fast, and spread so that every kind of signal, phase and action appears.

`population(seed, n)` yields bodies of `POST /v1/decisions` as plain JSON values; a longer one begins with the shorter one of the same seed.
About a fifth have events that patterns join; facts are missing at rates from none to nearly all; no body is refused.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator
from typing import Any

END = datetime.datetime(2026, 11, 22, 10, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
"""The latest `as_of`; the earliest is sixty days before, so that public holidays are among them."""
JOINED_WEIGHTS = {
    "fault": 5,
    "complaint": 5,
    "overage": 3,
    "plan_change": 2,
    "enquiry": 3,
    "fix": 1,
    "complaint_closed": 2,
    "page": 3,
    "activate": 3,
    "use": 1,
    "unsubscribe": 3,
    "promise": 2,
    "promise_kept": 1,
    "inbound": 4,
    "urge": 1,
    "join": 1,
    "bill": 2,
    "bill_enquiry": 2,
    "overdue": 2,
    "topup": 1,
    "refusal": 2,
    "consent_change": 1,
}
"""Kinds of events that the shipped patterns look at, and how often each comes up in a story."""

Values = dict[str, Any]

_plans = (
    ("plan_keep_8", 800, 30, 200, "4g"),
    ("plan_29", 2900, 100, 5120, "4g"),
    ("plan_59", 5900, 200, 20480, "4g"),
    ("plan_99", 9900, 500, 51200, "4g"),
    ("plan_199", 19900, 1200, 153600, "5g"),
    ("legacy_18", 1800, 200, 0, "legacy"),
    ("legacy_88", 8800, 300, 10240, "legacy"),
    ("legacy_128", 12800, 600, 30720, "5g"),
    ("legacy_299", 29900, 1500, 61440, "5ga"),
)
_channels = (
    ("call_centre", 26),
    ("outbound_call", 13),
    ("app", 16),
    ("sms_marketing", 10),
    ("sms_service", 8),
    ("shop", 8),
    ("account_manager", 9),
    ("robot", 4),
    ("web", 3),
    ("email", 2),
    ("social", 1),
    ("field", 1),
    ("video_desk", 2),
)
_moments = (
    "onboarding",
    "first_bill",
    "plan_change",
    "downgrade_request",
    "unsubscribe_request",
    "fault",
    "complaint",
    "bill_shock",
    "contract_end",
    "move_home",
    "suspension",
    "roaming",
    "leave_intent",
    "cancel_request",
    "port_intent",
    "port_out",
)
_reasons = (
    "bill",
    "balance",
    "usage",
    "plan_change",
    "downgrade",
    "unsubscribe",
    "fault",
    "complaint",
    "urge",
    "roaming",
    "suspend",
    "resume",
    "contract",
    "invoice",
    "points",
    "broadband_install",
    "move",
    "port_info",
    "cancel",
    "other",
)
_products = ("music_pack", "video_pack", "cloud")
_interests = ("travel", "fitness", "running", "tea", "special_number", "home", "gaming")
_troubles = ("services", "usage", "now", "billing", "pay", "network", "home", "perception", "digital")
"""Sections in which something may be amiss."""
_topics = ("billing", "unsolicited", "network", "broadband", "service_attitude", "contract", "refund", "harassment")
_leave_reasons = ("price", "coverage", "service", "unsolicited", "moved", "other_number", "rival_bundle", "not_said")
_services = ("caller_id", "music_pack", "video_pack", "digital_benefit", "cloud", "ring_tone", "toll_pack_30", "data_pack_5")
_contacted = (
    ("tariff_pack", "offer"),
    ("data_pack", "offer"),
    ("plan_fit_down", "offer"),
    ("contract_renew", "offer"),
    ("digital_benefit", "offer"),
    ("fusion_bundle", "offer"),
    ("welcome_call", "care"),
    ("ask_reason", "care"),
    ("satisfaction_callback", "care"),
    ("points_redeem", "care"),
    ("tenure_gift", "care"),
    ("remind_unused_data", "information"),
    ("remind_unused_minutes", "information"),
    ("bill_explain", "service"),
)
_results = ("shown", "sent", "sent", "accepted", "refused", "ignored", "activated")
_missing_rates = (0.0, 0.0, 0.0, 0.0, 0.02, 0.05, 0.15, 0.4, 0.9)
_shapes = ("level", "level", "level", "level", "fall", "collapse", "rise", "spike", "idle")


def population(seed: int, n: int, content: float = 0.45) -> Iterator[Values]:
    """`n` request bodies (`mode: what_if`), each a new dict; `content` is the share of people with nothing amiss."""
    dice = random.Random(seed)
    for index in range(n):
        yield _Subscriber(dice, content).request(f"s-{seed}-{index}")


class _Subscriber:
    """One random subscriber. Facts hang together where a rule would notice: use with the plan, bills with use, events with open cases."""

    def __init__(self, dice: random.Random, content: float) -> None:
        self.dice = dice
        self.as_of = self.daytime()
        self.plan = dice.choice(_plans)
        self.tenure = (
            dice.randint(0, 2) if self.chance(0.12) else dice.choice((dice.randint(3, 36), dice.randint(13, 60), dice.randint(60, 260)))
        )
        self.cycles = dice.choice((1, 2, 3, 4, 4, 5, 6, 6, 6, 6, 8, 12))
        self.content = self.chance(content)
        self.amiss = frozenset(dice.sample(_troubles, 2)) if self.chance(0.4) else frozenset(_troubles)
        self.section = ""
        self.broadband = self.chance(0.5)
        self.spend = round(self.plan[1] * dice.uniform(0.9, 2.2))
        self.troubled = not self.content and self.chance(0.35)
        self.eventful = self.chance(0.2)
        self.story = dice.choice(list(_stories)) if self.eventful and self.chance(0.5) else ""

    def daytime(self) -> datetime.datetime:
        """A moment of the last sixty days, four times in five between nine and twenty."""
        day = END.replace(hour=0) - datetime.timedelta(days=self.dice.randrange(60))
        minute = self.dice.randrange(9 * 60, 20 * 60) if self.chance(0.8) else self.dice.randrange(24 * 60)
        return min(day + datetime.timedelta(minutes=minute), END)

    def often(self, usual: Any, *others: Any) -> Any:
        """The usual figure for somebody content, and in sections where nothing is amiss; any of them otherwise."""
        return usual if self.content or self.section not in self.amiss else self.dice.choice((usual, usual, *others))

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def day(self, least: int, most: int) -> str:
        """A date between so many days before `as_of` (negative: after) and so many."""
        return (self.as_of - datetime.timedelta(days=self.dice.randint(least, most))).date().isoformat()

    def moment(self, days: float) -> str:
        return (self.as_of - datetime.timedelta(minutes=int(days * 1440))).isoformat()

    def request(self, name: str) -> Values:
        dice = self.dice
        channel = dice.choices([word for word, _ in _channels], [weight for _, weight in _channels])[0]
        sections: dict[str, Callable[[], Values]] = {
            "account": self.account,
            "holder": self.holder,
            "plan": self.plan_section,
            "services": self.services,
            "contract": self.contract,
            "usage": self.usage,
            "now": self.now,
            "billing": self.billing,
            "pay": self.pay,
            "device": self.device,
            "network": self.network,
            "home": self.home,
            "cases": self.cases,
            "care": self.care,
            "consent": self.consent,
            "points": self.points,
            "vip": self.vip,
            "value": self.value,
            "churn": self.churn,
            "perception": self.perception,
            "digital": self.digital,
            "declared": self.declared,
            "port": self.port,
            "incident": self.incident,
        }
        subscriber: Values = {}
        for self.section, section in sections.items():
            subscriber[self.section] = section()
        subscriber["custom"] = {
            "loyalty_band": dice.choice("abc"),
            "occasion_on": self.day(-10, 0),
            "festival_on": self.day(0, 0) if self.chance(0.05) else self.day(-60, -1),
        }
        self.thin(subscriber)
        subscriber["id"] = name
        if self.chance(0.03):
            subscriber["zone"] = dice.choice(("Europe/London", "America/New_York", "Asia/Urumqi"))
        if self.chance(0.93):
            subscriber["events"] = self.events()
        if self.chance(0.93):
            subscriber["contacts"] = self.contacts()
        body: Values = {
            "channel": channel,
            "mode": "what_if",
            "as_of": self.as_of.isoformat(),
            "locale": "en" if self.chance(0.3) else "zh-CN",
            "max_actions": dice.choice((1, 2, 3, 4, 5, 5, 5)),
            "subscriber": subscriber,
        }
        return self.situation(body)

    def situation(self, body: Values) -> Values:
        """Who speaks with whom, and about what."""
        dice = self.dice
        if self.chance(0.15):
            later = datetime.timedelta(minutes=dice.randrange(1, 3 * 24 * 60))
            body["contact_at"] = (self.as_of + later).isoformat()
        if self.chance(0.15):
            body["moment"] = dice.choice(_moments)
        if self.chance(0.7):
            own = {"outbound_call": "outbound", "sms_marketing": "outbound", "sms_service": "outbound", "app": "self", "web": "self"}
            body["direction"] = (
                own.get(body["channel"], "inbound") if self.chance(0.8) else dice.choice(("inbound", "outbound", "self", "none"))
            )
        if self.chance(0.3):
            body["reason"] = dice.choice(_reasons)
        if self.chance(0.9):
            body["caller_relation"] = dice.choices(("holder", "user", "agent", "unknown"), (88, 5, 3, 4))[0]
        if self.chance(0.9):
            body["verified"] = dice.choices(("none", "password", "sms", "id_document", "face"), (10, 20, 50, 15, 5))[0]
        if self.chance(0.1):
            body["answers"] = {"home.has_broadband": self.chance(0.5), "device.generation": dice.choice(("4g", "5g"))}
        return body

    def thin(self, subscriber: Values) -> None:
        """Leave out sections and fields at this subscriber's own rate, and make some sections old."""
        dice = self.dice
        rate = dice.choice(_missing_rates)
        for name in list(subscriber):
            section = subscriber[name]
            if rate and dice.random() < rate * 0.4:
                del subscriber[name]
                continue
            if rate:
                for field in list(section):
                    if dice.random() < rate * 0.6:
                        del section[field]
            if name != "custom" and dice.random() < 0.04:
                section["as_of"] = self.moment(dice.choice((0.5, 2, 5, 8, 20, 34, 36, 61, 63, 200)))

    def account(self) -> Values:
        dice = self.dice
        others = ("barred_out", "suspended_arrears", "suspended_request", "lost", "suspended_risk", "pre_cancelled", "cancelled")
        return {
            "status": "active" if self.chance(0.94) else dice.choice(others),
            "joined_on": self.day(self.tenure * 30, self.tenure * 30 + 30),
            "tenure_months": self.tenure,
            "line_type": dice.choices(("main", "secondary", "fixed", "broadband", "iot"), (82, 9, 3, 4, 2))[0],
            "customer_class": "public" if self.chance(0.9) else "enterprise",
            "payer": dice.choices(("self", "family", "enterprise"), (86, 9, 5))[0],
            "pay_mode": dice.choice(("prepaid", "postpaid")),
            "province": dice.choice(("510000", "440000", "110000", "310000")),
            "city": "510100",
            "county": "510104",
            "grid": "G-17",
            "urban": self.chance(0.7),
            "star_level": dice.randint(0, 7),
            "protected_list": self.chance(0.02),
            "test_number": self.chance(0.01),
            "roaming_abroad": self.chance(0.03),
            "household_contacted_on": None if self.chance(0.8) else self.day(0, 30),
        }

    def holder(self) -> Values:
        dice = self.dice
        return {
            "age_band": dice.choices(("minor", "adult", "senior_60", "senior_65"), (2, 80, 9, 9))[0],
            "user_is_minor": self.chance(0.02),
            "disability_card": self.chance(0.02),
            "student_verified": self.chance(0.08),
            "hardship": self.chance(0.03),
            "needs_plain": self.chance(0.04),
        }

    def plan_section(self) -> Values:
        dice = self.dice
        name, fee, minutes, data, generation = self.plan
        promo = fee + dice.choice((0, 0, 500, 1000, 3000))
        return {
            "id": name,
            "monthly_fee": fee,
            "generation": generation,
            "on_sale": not name.startswith("legacy"),
            "withdrawn_on": self.day(100, 2000) if name.startswith("legacy") else None,
            "min_commitment": 0 if self.content else dice.choice((0, 0, fee, fee, fee + 3000)),
            "voice_minutes": minutes,
            "data_mb": data,
            "overage_data_rate": 500,
            "overage_cap": dice.choice((0, 0, 10000)),
            "fee_after_promo": promo,
            "change_allowed": self.chance(0.95),
        }

    def services(self) -> Values:
        dice = self.dice
        unused = self.often(0, 0, 1, 2, 4)
        return {
            "held": dice.sample(_services, dice.choice((0, 0, 1, 1, 2, 3))) + ["broadband"] * self.broadband,
            "paid_unused_count": unused,
            "paid_unused_fee": unused * dice.choice((300, 600, 900)),
            "unsupported_count": self.often(0, 0, 0, 0, 1, 2),
            "without_confirmation_count": self.often(0, *(0,) * 12, 1, 2),
            "info_fee_blocked": self.chance(0.2),
            "toll_pack_fee": dice.choice((1000, 1000, 19800)),
            "unclaimed_entitlements": self.often(0, 0, 1, 2),
            "auto_renew_on": None if self.chance(0.9) else self.day(-40, 0),
        }

    def contract(self) -> Values:
        dice = self.dice
        ends = dice.choice(
            (None, None, None, self.day(-30, 60), self.day(-90, -31), self.day(-700, -91), self.day(-700, -91), self.day(61, 700))
        )
        return {
            "commitment_end": ends,
            "promo_end": None if self.chance(0.8) else self.day(-60, 20),
            "kind": dice.choice(("none", "handset", "fee_rebate")),
            "exit_fee": dice.choice((0, 0, 12000, 30000)),
            "floor_amount": dice.choice((0, 3900, 5900)),
        }

    def series(self, usual: float, least: int = 0) -> list[int | None]:
        """A value per cycle around the usual, in one of several shapes; now and then a cycle is missing."""
        dice, cycles = self.dice, self.cycles
        values = [usual * dice.uniform(0.85, 1.15) for _ in range(cycles)]
        shape = "collapse" if self.story == "goes quietly" else self.often("level", *_shapes)
        if shape == "fall":
            values = [value * (1 - 0.5 * at / cycles) for at, value in enumerate(values)]
        elif shape == "rise":
            values = [value * (0.6 + 0.7 * at / cycles) for at, value in enumerate(values)]
        elif shape == "idle":
            values[-2:] = [0.0] * len(values[-2:])
        elif shape in ("collapse", "spike"):
            values[-1] *= dice.uniform(0.0, 0.4) if shape == "collapse" else dice.uniform(1.4, 7)
        result: list[int | None] = [max(least, round(value)) for value in values]
        if dice.random() < 0.015:
            result[dice.randrange(cycles)] = None
        return result

    def usage(self) -> Values:
        dice = self.dice
        _, _, minutes, data, _ = self.plan
        calls = minutes * self.often(dice.uniform(0.4, 0.9), 0.0, 0.03, 0.15, 1.3)
        traffic = (data or self.often(30, 400)) * self.often(dice.uniform(0.4, 0.9), 0.0, 0.03, 0.15, 1.3)
        return {
            "voice_out_min": self.series(calls),
            "voice_in_min": self.series(calls * dice.uniform(0.5, 1.5)),
            "voice_intl_min": self.series(dice.choice((0, 0, 0, 30))),
            "data_mb": self.series(traffic),
            "data_5g_mb": self.series(traffic * dice.choice((0, 0.5))),
            "active_days": [min(31, value) if value is not None else None for value in self.series(24)],
        }

    def now(self) -> Values:
        dice = self.dice
        day = dice.randint(1, 31)
        return {
            "day_of_cycle": day,
            "days_in_cycle": 31,
            "month": self.as_of.month,
            "data_used_share": round(min(day / 31, 1) * dice.uniform(0.2, 1.2), 3),
            "voice_used_share": round(dice.uniform(0, 1.2), 3),
            "bill_so_far": round(self.plan[1] * self.often(0.6, 0.9, 1.2, 8)),
            "throttled_days": self.often(0, 0, 0, 2, 6, 12),
        }

    def billing(self) -> Values:
        fee = self.plan[1]
        toll, data = self.often(0, 0, 1700, 4500, 40000), self.often(0, 0, 600, 1500, 8000)
        voice, info = self.often(0, 0, 600), self.often(0, 0, 500, 2500, 6000)
        floor = self.often(0, 0, 0, 1200, 4000)
        return {
            "total": self.series(fee + toll + data + voice + info + floor, -(10**6)),
            "toll_fee": self.series(toll),
            "voice_overage_fee": self.series(voice),
            "data_overage_fee": self.series(data),
            "info_fee": self.series(info),
            "floor_topup": self.series(floor),
            "discount": self.series(0),
        }

    def pay(self) -> Values:
        late = self.story == "good payer"
        days = 3 if late else self.often(0, 0, 0, 3, 17, 45)
        return {
            "balance": self.dice.randint(-5000, 20000),
            "overdue_amount": days and self.dice.randint(1000, 30000),
            "overdue_days": days,
            "late_cycles": 0 if late else self.dice.choice((0, 0, 1, 4)),
            "last_topup_on": self.day(0, self.often(30, 60, 90)),
            "median_topup_gap": self.dice.choice((20, 30, 30)),
            "autopay": self.chance(0.4),
        }

    def device(self) -> Values:
        dice = self.dice
        return {
            "generation": "5g" if self.chance(0.8) else dice.choice(("3g", "4g", "4g")),
            "capabilities": dice.sample(("5g_sa", "volte", "vonr", "esim"), dice.randint(0, 3)),
            "dual_sim": self.chance(0.4),
            "age_months": dice.randint(0, 70),
            "changed_on": self.day(0, 900),
        }

    def network(self) -> Values:
        dice = self.dice
        return {
            "dropped_call_rate": self.often(0.004, 0.01, 0.025, 0.05),
            "calls_30d": dice.randint(0, 200),
            "poor_session_share": self.often(0.03, 0.06, 0.14, 0.3),
            "camp_5g_share": self.often(0.8, 0.5, 0.2),
            "fix_planned_on": None if self.chance(0.8) else self.day(-30, 0),
        }

    def home(self) -> Values:
        dice = self.dice
        bandwidth = dice.choice((100, 300, 1000))
        return {
            "has_broadband": self.broadband,
            "resource_ok": self.chance(0.6),
            "bandwidth_mbps": bandwidth,
            "measured_mbps": bandwidth * self.often(90, 80, 60, 20) // 100,
            "optical_dbm": self.often(-18.5, -22.0, -27.0, -29.5),
            "drops_7d": self.often(0, 1, 4, 9),
            "family_lines": dice.choice((0, 1, 1, 2, 3, 4)),
            "in_fusion": self.chance(0.2),
        }

    def cases(self) -> Values:
        dice, busy = self.dice, self.troubled
        complaints = dice.choice((0, 1, 1, 2)) if busy else 0
        faults = dice.choice((0, 0, 1, 1)) if busy else 0
        return {
            "open_complaints": complaints,
            "complaint_days": dice.randint(0, 20) if complaints else 0,
            "complaint_topic": dice.choice(_topics),
            "regulator_open": busy and self.chance(0.1),
            "open_faults": faults,
            "fault_hours": dice.randint(1, 120) if faults else 0,
            "id": "C-20261101-3",
            "owner": "OPS-7",
            "due_on": self.day(-3, 3),
            "urges_7d": dice.choice((0, 0, 1, 3)) if busy else 0,
            "promises_overdue": 1 if self.story == "promise" else dice.choice((0, 0, 1, 2)) if busy else 0,
            "compensation_12m": dice.choice((0, 0, 0, 1500, 20000, 99000)),
        }

    def care(self) -> Values:
        return {
            "last_proactive_on": self.day(0, 60) if self.content else self.dice.choice((self.day(0, 120), self.day(60, 400), None)),
            "last_visit_on": None,
            "loyalty_benefit_on": self.dice.choice((None, self.day(0, 360), self.day(0, 800))),
            "manager_assigned": self.chance(0.2),
        }

    def consent(self) -> Values:
        dice = self.dice
        refused = dice.choice(
            ((), (), (), (), ("outbound_call",), ("sms_marketing", "robot"), ("app",), ("call_centre",), ("sms_service",))
        )
        return {
            "marketing": dice.choices(("yes", "no", "unknown"), (84, 10, 6))[0],
            "personalised": dice.choices(("yes", "no", "unknown"), (78, 12, 10))[0],
            "refused_channels": list(refused),
            "partner_sharing": dice.choice(("yes", "no", "unknown")),
            "human_review": self.chance(0.03),
        }

    def points(self) -> Values:
        dice = self.dice
        return {
            "balance": dice.randint(0, 20000),
            "expiring": dice.choice((0, 0, 2000)),
            "expiring_on": self.day(-120, 0),
            "redeemed_12m": dice.choice((0, 0, 0, 1, 3)),
        }

    def vip(self) -> Values:
        dice = self.dice
        return {
            "tier": self.tier() if self.chance(0.85) else dice.choice(("none", "standard", "silver", "gold")),
            "benefits_unused": dice.choice((0, 0, 1, 3)),
            "benefits_expire_on": self.day(-200, 0),
            "interests": dice.sample(_interests, dice.choice((0, 1, 2, 3))),
            "occasions": dice.sample(("birthday", "wedding_day", "retirement"), dice.choice((0, 0, 1, 2))),
        }

    def tier(self) -> str:
        """The tier that spend and tenure earn, nearly."""
        if self.tenure < 24 or self.spend < 8000:
            return "standard" if self.tenure >= 120 else "none"
        return "diamond" if self.spend >= 50000 else "gold" if self.spend >= 20000 else "silver" if self.spend >= 12000 else "standard"

    def value(self) -> Values:
        return {"arpu_6m": self.spend, "annual": self.spend * 12, "referrals_12m": self.dice.choice((0, 0, 0, 1, 2))}

    def churn(self) -> Values:
        return {"score": round(self.dice.random() ** 3 * (0.8 if self.content else 1), 4), "model": "churn-2026.10"}

    def perception(self) -> Values:
        dice = self.dice
        usual, felt = dice.randint(60, 90), self.often(0, 10, 20, 40)
        return {
            "satisfaction": self.often(8, 2, 4, 6, 7, 9, 10),
            "surveyed_on": self.day(0, 150),
            **{name: usual + dice.randint(-5, 5) for name in ("expected", "rival_quality", "rival_value")},
            **{name: usual - felt + dice.randint(-5, 5) for name in ("brand", "quality", "value")},
        }

    def digital(self) -> Values:
        dice = self.dice
        return {
            "app_login_on": dice.choice((None, self.day(0, 60), self.day(0, 300))),
            "failed_transactions_14d": self.often(0, 0, 1, 3),
            "compare_visits_30d": dice.choice((0, 0, 0, 1, 4)),
            "benefit_visits_30d": dice.choice((0, 0, 1, 2, 5)),
        }

    def declared(self) -> Values:
        said: Values = {"unaware_service": self.chance(0.04)}
        if self.chance(0.02):
            said |= {"leave_reason": self.dice.choice(_leave_reasons), "rival_fee": self.dice.choice((2900, 5900))}
        return said

    def port(self) -> Values:
        state = self.dice.choices(("none", "queried", "code_issued", "applied", "completed"), (94, 3, 1, 1, 1))[0]
        return {"state": state, "last_on": None if state == "none" else self.day(0, 60)}

    def incident(self) -> Values:
        active = self.chance(0.02)
        return {"active": active, "expected_end": self.day(-2, 0) if active else None}

    def events(self) -> list[Values]:
        """A few events of any kind; for a fifth of subscribers, stories that patterns look for."""
        dice = self.dice
        found = [
            self.event(dice.choice(("threshold", "throttle", "survey", "benefit_use", "points_redeem", "visit")))
            for _ in range(dice.choice((0, 0, 1, 2, 4)))
        ]
        if self.chance(0.05):
            found.append(self.event(dice.choice(("intent_leave", "suspend", "roaming_on", "move_home", "join", "regulator_appeal"))))
        if self.chance(0.02):
            found.append(self.event(dice.choice(("port_query", "port_code", "port_apply", "port_withdraw", "port_done"))))
        if self.chance(0.06):
            found += [self.event(kind) for kind in ("device_change", "unsubscribe", "unsubscribe", "unsubscribe", "enquiry", "enquiry")]
        if self.chance(0.01):
            found += [{**self.event("complaint"), "topic": "network"} for _ in range(4)]
        if self.eventful:
            found += [self.event(kind) for kind in dice.choices(list(JOINED_WEIGHTS), list(JOINED_WEIGHTS.values()), k=dice.randint(2, 6))]
        if self.story:
            found += [{"type": kind, "at": self.moment(days), **details} for kind, days, details in _stories[self.story]]
        return found

    def event(self, kind: str) -> Values:
        dice = self.dice
        days = dice.choice((dice.uniform(0, 7), dice.uniform(0, 30), dice.uniform(0, 30), dice.uniform(0, 100)))
        found: Values = {"type": kind, "at": self.moment(days)}
        if kind in ("complaint", "complaint_closed"):
            found["topic"] = dice.choice(("billing", "billing", *_topics))
        if kind == "complaint":
            found["product"] = dice.choice(_products)
        if kind in ("complaint", "fault", "fix"):
            found["area"] = dice.choice(("A-1", "A-1", "A-2"))
        if kind in ("complaint", "fault", "fix", "complaint_closed"):
            found["case"] = dice.choice(("C-1", "C-2"))
        return found | _details[kind](dice) if kind in _details else found

    def contacts(self) -> list[Values]:
        found = [self.contact() for _ in range(self.dice.choice((0, 0, 0, 0, 1, 1, 2, 4)))]
        told = {"channel": "sms_marketing", "kind": "offer", "action": "digital_benefit"}
        if self.story == "opened unasked":
            found.append({"at": self.moment(37), "result": "sent", **told})
        elif self.story == "sold to too hard":
            found += [{"at": self.moment(days), "result": "refused", **told} for days in (9, 20)]
        return found

    def contact(self) -> Values:
        dice = self.dice
        action, kind = dice.choice(_contacted)
        channel = dice.choice(("sms_marketing", "outbound_call", "robot", "app", "call_centre", "sms_service"))
        at = self.moment(dice.choice((dice.uniform(0, 8), dice.uniform(0, 40), dice.uniform(0, 100))))
        return {"at": at, "channel": channel, "kind": kind, "action": action, "result": dice.choice(_results)}


_stories: dict[str, tuple[tuple[str, float, Values], ...]] = {
    "opened unasked": (("activate", 36, {"product": "cloud", "confirmation": "none"}),),
    "opened, then complaint": (
        ("activate", 12, {"product": "cloud", "confirmation": "none"}),
        ("complaint", 3, {"topic": "unsolicited", "product": "cloud", "case": "C-9"}),
    ),
    "closed too early": (("complaint_closed", 20, {"topic": "network"}), ("complaint", 4, {"topic": "network", "case": "C-9"})),
    "promise": (("promise", 20, {"id": "P-9", "kind": "rebate"}), ("inbound", 2, {"reason": "other"})),
    "first bill": (("join", 40, {}), ("bill", 9, {"total": 7000, "quoted": 5000}), ("bill_enquiry", 3, {})),
    "goes quietly": tuple(("unsubscribe", days, {"product": "cloud"}) for days in (1, 4, 9)),
    "good payer": (("overdue", 4, {"amount": 5900}),),
    "sold to too hard": (("complaint", 5, {"topic": "harassment", "case": "C-9"}),),
    "calls again": tuple(("inbound", days, {"reason": "bill"}) for days in (1, 3, 6)),
    "overage, then complaint": (("overage", 12, {"kind": "data", "fee": 3000}), ("complaint", 4, {"topic": "billing", "case": "C-9"})),
    "looks at broadband": tuple(("page", days, {"page": "broadband"}) for days in (2, 5, 8)),
    "compares": (("enquiry", 6, {"topic": "exit_fee"}), ("page", 3, {"page": "compare"})),
}
"""What happens to half of those who have events that patterns join: kind, age in days, the rest. Figures elsewhere follow the story."""
_details: dict[str, Callable[[random.Random], Values]] = {
    "enquiry": lambda dice: {"topic": dice.choice(("contract_end", "exit_fee", "cancel", "rival", "refund_balance", "plan", "other"))},
    "page": lambda dice: {"page": dice.choice(("compare", "compare", "cancel", "benefit"))},
    "overage": lambda dice: {"kind": "data", "fee": dice.randint(100, 9000)},
    "plan_change": lambda dice: {"old": "plan_59", "new": "plan_29", "direction": "down"},
    "intent_leave": lambda dice: {"reason": dice.choice(_leave_reasons)},
    "activate": lambda dice: {"product": dice.choice(_products), "fee": 1000, "confirmation": dice.choice(("none", "none", "double"))},
    "use": lambda dice: {"product": dice.choice(_products)},
    "unsubscribe": lambda dice: {"product": dice.choice(_products)},
    "promise": lambda dice: {"id": dice.choice(("P-1", "P-2")), "kind": dice.choice(("rebate", "callback"))},
    "promise_kept": lambda dice: {"id": dice.choice(("P-1", "P-2"))},
    "inbound": lambda dice: {"reason": dice.choice(("bill", "bill", "fault", "usage"))},
    "urge": lambda dice: {"case": dice.choice(("C-1", "C-2"))},
    "bill": lambda dice: {"total": dice.randint(3000, 9000), "quoted": 5000},
    "overdue": lambda dice: {"amount": dice.randint(1000, 9000), "overdue_days": dice.randint(1, 40)},
    "consent_change": lambda dice: {"what": dice.choice(("channel", "marketing", "partner")), "to": dice.choice(("no", "no", "yes"))},
}
"""What an event of a kind says besides its moment; other kinds say nothing, or hang together with open cases."""
