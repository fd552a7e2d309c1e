"""Random packs in which every kind of part depends on facts: what holds the two ways of deciding against each other."""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.campaign.batch import Batch, batch_of
from app.engine.case import Case
from app.engine.pack import Pack
from app.engine.vocabulary import FACTS
from tests.pipeline import at, case_of, pack_of
from tests.pipeline_packs import DISCLOSED, act, both, channels, fact, guard, mini_files, rule, signal, table, tariff
from tests.population import population

CATEGORIES = ("plain", "fault", "plan", "gift")
CHANNELS = ("app", "call_centre", "outbound_call", "shop")
PATTERN_KINDS = ("fault", "complaint", "overage", "fix", "activate", "bill", "contact", "refusal", "inbound")
_area = ("fault", "complaint", "fix")
_figures = (
    "last(billing.total)",
    "mean(billing.total, 3)",
    "total(usage.data_mb, 2)",
    "peak(usage.voice_out_min, 3)",
    "median(billing.total, {cycles})",
    "change(billing.total, 3) * 1000",
    "share_over(billing.toll_fee, 0, 3) * 100",
    "account.tenure_months",
    "plan.monthly_fee",
    "churn.score * 100",
    "value.annual / 12",
    "pay.balance / pay.overdue_days",
    "last(billing.total) / plan.monthly_fee * 100",
    "days_since(account.joined_on)",
    "days_since(care.last_proactive_on)",
    "days_until(contract.commitment_end)",
    "days_since(custom.festival_on)",
    "count(events.complaint, days=30)",
    "count(events.complaint, same='topic')",
    "count(events.activate, days=90, confirmation='none')",
    "count(events.contact, days=30, result='sent')",
    "since(events.bill)",
    "since(events.complaint, topic='billing')",
    "contacted(days=30)",
    "contacted(days=90, channel=request.channel)",
    "refused(days=90, kind='offer')",
    "fee_on('plan_small', 3)",
    "fee_on(plan.id, 3)",
    "best_fee(3)",
    "bucket('pilot')",
    "first_known(satisfaction.x, 5)".replace("satisfaction.x", "perception.satisfaction"),
    "max(plan.monthly_fee, last(billing.total))",
    "min(cases.open_complaints, cases.open_faults, 3)",
    "abs(last(billing.total) - plan.monthly_fee)",
    "-pay.balance",
    "param.floor",
    "custom.level * 10",
)
_own = ("facts.spend", "facts.share", "facts.steps", "facts.worth")
"""Derived facts that every pack has, each made anew."""
_bounds = (0, 0, 1, 2, 5, 10, 30, 60, 100, 200, 1000, 1500, 5900, 9900, 20480)
_ready = (
    "account.status == 'active'",
    "facts.band == 'low'",
    "facts.band != 'high'",
    "facts.sure",
    "not facts.sure",
    "signal('s.one')",
    "not signal('s.two')",
    "level('s.one') == 'severe'",
    "level('s.two') >= 'high'",
    "level('s.one') in ('high', 'watch')",
    "signal('p.one')",
    "not signal('p.two')",
    "known(plan.id)",
    "known(events.fault)",
    "known(contacts)",
    "home.has_broadband",
    "custom.band in ('a', 'b')",
    "custom.loyal",
    "'red' in custom.tags",
    "'volte' in device.capabilities",
    "overlap(services.held, ('music_pack', 'cloud'))",
    "overlap(vip.interests, param.likes)",
    "falling(billing.total, 3)",
    "rising(usage.data_mb, 2)",
    "plan.id in ('plan_29', 'plan_59', 'legacy_88')",
    "vip.tier in ('gold', 'diamond')",
)
_acting = (
    "moment == 'complaint'",
    "stage != 'warning'",
    "phase == 'rescue'",
    "action.concession < 2000",
    "action.duty == 'owed'",
    "action.kind in ('care', 'offer')",
)
_touching = (
    "consent.marketing == 'yes'",
    "request.channel not in consent.refused_channels",
    "'09:00' <= clock.time < '20:00'",
    "clock.time > '13:30'",
    "clock.weekday <= 5",
    "not clock.holiday",
    "contacted(days=7) < 1",
    "contacted(days=30, action=action.id) < 1",
    "contacted(days=30, category=action.category) < 2",
    "refused(days=90, kind=action.kind) == 0",
    "count(events.complaint, days=14) == 0",
    "cases.open_complaints == 0",
    "days_until(contract.commitment_end) < 20",
)

READ = sorted(
    {
        name
        for text in (*_figures, *_ready, *_touching)
        for name in re.findall(r"\b[a-z]+\.[a-z_0-9]+", text)
        if name in FACTS or name.startswith("custom.")
    }
)
"""The base facts that some rule may read; every pack reads them all, so that the same columns serve them all."""


class _Making:
    """One pack in the making. Most packs let many actions through, so that much is left to choose among; the others keep most out."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.generous = seed % 3 > 0

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def figure(self, own: Sequence[str] = _own) -> str:
        """Something that is compared or counted with."""
        return self.dice.choice((*_figures, *own)).replace("{cycles}", str(self.dice.randint(1, 4)))

    def condition(self, ready: Sequence[str] = _ready, own: Sequence[str] = _own, depth: int = 2) -> str:
        """A condition of the kinds that rules write."""
        form = self.dice.random()
        if depth and form < 0.4:
            parts = [self.condition(ready, own, depth - 1) for _ in range(self.dice.choice((2, 2, 3)))]
            kind = self.dice.random()
            if kind < 0.1:
                return f"not ({parts[0]})"
            if kind < 0.25:
                return f"at_least({self.dice.randint(1, len(parts))}, {', '.join(parts)})"
            return "(" + self.dice.choice((" and ", " or ")).join(parts) + ")"
        if form < 0.65:
            return self.dice.choice(ready)
        if form < 0.75:
            least, most = sorted(self.dice.sample(_bounds, 2))
            return f"{least} <= {self.figure(own)} <= {most}"
        right = self.dice.choice(_bounds) if self.chance(0.85) else self.figure(own)
        return f"{self.figure(own)} {self.dice.choice(('<', '<=', '>', '>=', '==', '!='))} {right}"

    def plain(self, depth: int = 1) -> str:
        """A condition on base facts alone, for what comes before signals."""
        bare = [text for text in _ready if not any(word in text for word in ("facts.", "signal(", "level("))]
        return self.condition(bare, (), depth)

    def rows(self, words: Sequence[str], test: Callable[[], str], last: bool = True) -> list[dict[str, str]]:
        """A first-match table; without a last row that always holds it may leave the value open."""
        chosen = self.dice.sample(words, min(len(words), self.dice.randint(1, 3)))
        found = [{"if": test(), "is": word} for word in chosen]
        return [*found, {"is": self.dice.choice(words)}] if last else found

    def files(self) -> dict[str, bytes]:
        names = [f"a{number:02}" for number in range(self.dice.randint(9, 16))]
        return mini_files(
            {name: self.action(names) | ({"category": "plan"} if name == names[0] else {}) for name in names} | {"port_help": self.help()},
            parameters=self.parameters(),
            custom=self.custom(),
            facts=self.facts(),
            signals=self.signals(),
            patterns=[self.pattern(name) for name in ("p.one", "p.two")],
            stages=self.places(("warning", "growth"), "stable"),
            moments=self.moments(),
            phases=self.phases(),
            tariffs=self.tariffs(),
            arbitration=self.arbitration(),
            fallback=self.fallback(names),
            ages={"churn": 35, "billing.total": 20},
            holidays=["2026-10-01", "2026-11-11"],
            contact=[self.rule(rule, f"c{number}") for number in range(1 if self.generous else self.dice.randint(1, 4))],
            clauses=[self.rule(guard, f"g{number}") for number in range(1 if self.generous else self.dice.randint(1, 3))],
            hands_off=self.hands_off(),
        )

    def parameters(self) -> list[dict[str, Any]]:
        why = {"why": both("So it is.")}
        return [
            {"id": "param.floor", "is": str(self.dice.choice((1500, 5900))), "unit": "money", **why},
            {"id": "param.likes", "is": ["travel", "tea"], **why},
        ]

    def custom(self) -> list[dict[str, Any]]:
        kinds: dict[str, dict[str, Any]] = {
            "band": {"type": "enum", "values": ["a", "b", "c"]},
            "festival_on": {"type": "date"},
            "loyal": {"type": "boolean"},
            "tags": {"type": "set", "values": ["red", "blue"]},
            "level": {"type": "int"},
        }
        return [{"id": f"custom.{name}", "title": both(name), **kind} for name, kind in kinds.items()]

    def facts(self) -> list[dict[str, Any]]:
        numbers: tuple[str, ...] = ("10", "200", "3500", "plan.monthly_fee", "last(billing.total)")
        return [
            fact("spend", self.dice.choice(("mean(billing.total, 3)", "last(billing.total) + plan.monthly_fee", "value.annual / 12"))),
            fact("share", self.dice.choice(("last(billing.toll_fee) / last(billing.total)", "change(usage.data_mb, 2)", "churn.score"))),
            fact("sure", self.plain()),
            {"id": "facts.steps", "title": both("steps"), "first": self.rows(numbers, self.plain, self.chance(0.6))},
            {"id": "facts.worth", "title": both("worth"), "first": self.rows(("value.annual", "0", "120"), self.plain, self.chance(0.6))},
            table("band", *self.bands(), values=("low", "middle", "high")),
            fact("read", f"at_least(1, {', '.join(f'known({name})' for name in READ)})"),
        ]

    def bands(self) -> list[tuple[str | None, str]]:
        found: list[tuple[str | None, str]] = [(self.plain(), "low"), (self.plain(), "middle"), (self.plain(), "high")]
        return [*found, (None, "low")] if self.chance(0.5) else found

    def signals(self) -> list[dict[str, Any]]:
        early = [text for text in _ready if not any(word in text for word in ("signal(", "level("))]
        one = [(level, self.condition(early)) for level in ("severe", "high", "watch")]
        late = [*early, "signal('s.one')", "not signal('s.one')", "level('s.one') >= 'high'"]
        return [signal("s.one", *one), signal("s.two", *[(level, self.condition(late)) for level in ("severe", "high")])]

    def pattern(self, name: str) -> dict[str, Any]:
        """Joined events, at times on a condition, in one of several ways, or without another event."""
        found = {"id": name, "title": both(name), "level": "high", "reason": both("Because.")}
        if self.chance(0.5):
            found["when"] = self.condition([text for text in _ready if "'p." not in text], depth=1)
        joins = [self.join() for _ in range(2 if self.chance(0.3) else 1)]
        return found | ({"any": joins} if len(joins) > 1 else joins[0])

    def join(self) -> dict[str, Any]:
        kinds = [self.dice.choice(PATTERN_KINDS) for _ in range(self.dice.choice((1, 2, 2, 3)))]
        facts = {f"e{number}": f"events.{kind}" for number, kind in enumerate(kinds)}
        tests = [f"e0.days <= {self.dice.choice((7, 30, 90))}"]
        for number in range(1, len(kinds)):
            sign = self.dice.choice(("<", "<=", ">"))
            tests.append(self.dice.choice((f"e{number}.at {sign} e0.at", f"e{number}.days - e0.days <= {self.dice.choice((3, 14))}")))
            if {kinds[0], kinds[number]} <= set(_area):
                tests.append(f"e0.area == e{number}.area")
        found: dict[str, Any] = {"facts": facts, "where": " and ".join(tests)}
        if self.chance(0.4):
            kind = self.dice.choice(PATTERN_KINDS)
            found["without"] = {"w": {"from": f"events.{kind}", "where": self.dice.choice(("w.at > e0.at", "w.days <= e0.days + 2"))}}
        return found

    def places(self, words: Iterable[str], last: str) -> list[dict[str, Any]]:
        found = [
            {"id": word, "title": both(word), "any": {f"x{number}": self.condition() for number in range(self.dice.randint(1, 2))}}
            for word in words
        ]
        return [*found, {"id": last, "title": both(last)}]

    def phases(self) -> list[dict[str, Any]]:
        ready = (*_ready, "stage == 'warning'", "moment == 'complaint'", "moment in ('fault', 'bill_shock')")
        weights = lambda: {lever: self.dice.choice((0, 0.5, 1, 1.3)) for lever in ("policy", "service", "emotional")}  # noqa: E731
        found: list[dict[str, Any]] = [{"id": "hands_off", "title": both("Off"), "mix": weights()}]
        for word in ("rescue", "prevention"):
            tests = {f"x{number}": self.condition(ready) for number in range(self.dice.randint(1, 2))}
            found.append({"id": word, "title": both(word), "any": tests, "mix": weights()})
        return [*found, {"id": "retention", "title": both("Keep"), "mix": weights()}]

    def moments(self) -> list[dict[str, Any]]:
        revealing = {
            "complaint": "count(events.complaint, days=14) >= 1",
            "fault": "since(events.fault) <= 7",
            "bill_shock": "change(billing.total, 3) > 0.3",
            "contract_end": None,
        }
        found = []
        for name, test in revealing.items():
            weights = {category: self.dice.choice((0, 0.5, 2, 3)) for category in CATEGORIES if self.chance(0.6)}
            found.append({"id": name, "title": both(name), "relevance": weights} | ({"revealed_by": test} if test else {}))
        return found

    def tariffs(self) -> list[dict[str, Any]]:
        plans = [
            tariff(
                f"plan_{name}",
                kind="plan",
                fee=fee,
                fee_after=fee,
                voice_minutes=self.dice.choice((0, 100, 500)),
                data_mb=self.dice.choice((0, 5120, 40960)),
                voice_rate=self.dice.choice((0, 15, 30)),
                data_rate=self.dice.choice((0, 300, 1000)),
                overage_cap=self.dice.choice((0, 0, 5000)),
                **({"commitment_months": 12, "exit_fee": 100} if self.chance(0.3) else {}),
                **({"open_if": self.opening()} if self.chance(0.5) else {}),
                **({"open_to_existing": False} if self.chance(0.2) else {}),
                disclose=both(DISCLOSED),
            )
            for name, fee in (("small", 3900), ("middle", 5900), ("twin", 5900), ("large", 12900))
        ]
        bound = tariff("bound_pack", fee=500, fee_after=900, months=6, commitment_months=12, exit_fee=300)
        return [*plans, tariff("small_pack"), bound]

    def opening(self) -> str:
        """A published condition; what the open plans cost cannot be one."""
        return next(text for text in iter(self.plain, "") if "best_fee" not in text)

    def arbitration(self) -> dict[str, Any]:
        return {
            "max_actions": self.dice.choice((2, 3, 5, 10)),
            "per_category": self.dice.choice((1, 1, 2, 3)),
            "commitments": self.dice.choice((0, 1, 1, 2)),
            "service_first": self.dice.sample(CATEGORIES, self.dice.randint(1, 3)),
            "concession": {"retention_desk": self.dice.choice((0, 1500, 3000)), "agent": 0, "self_service": 0},
        }

    def fallback(self, names: Sequence[str]) -> dict[str, list[str]]:
        found = {
            cause: self.dice.sample(names, self.dice.randint(1, 4)) for cause in ("not_applicable", "suppressed", "guardrail", "unknown")
        }
        return found | {"port_out_in_progress": ["port_help"]}

    def hands_off(self) -> list[dict[str, Any]]:
        port = "known(port.state) and port.state in ('code_issued', 'applied') or count(events.port_apply, days=30) > 0"
        closed = "account.status in ('cancelled', 'pre_cancelled')"
        return [
            {"id": "port_out_in_progress", "title": both("Port"), "when": port, "moment": "port_out"},
            {"id": "account_closed", "title": both("Closed"), "when": closed},
        ]

    def rule(self, make: Callable[..., dict[str, Any]], name: str) -> dict[str, Any]:
        """A clause of contact policy or guardrail; it concerns some actions, or cases, only."""
        applies = self.dice.choice((None, "action.marketing", "action.kind == 'care'", "action.category == 'plan'", "phase == 'rescue'"))
        parts = [
            self.dice.choice((*_touching, *_touching, self.condition((*_ready, *_acting), depth=1))) for _ in range(self.dice.randint(1, 2))
        ]
        return make(name, self.dice.choice((" and ", " or ")).join(parts), applies, self.chance(0.35))

    def help(self) -> dict[str, Any]:
        state = {"applicable": {"under_way": "port.state == 'applied'"}} if self.chance(0.5) else {}
        return act("information", phases=["hands_off"], purpose="port_assistance", category="porting", **state)

    def action(self, names: Sequence[str]) -> dict[str, Any]:
        kind = self.dice.choice(("offer", "offer", "care", "care", "service", "information", "escalation"))
        more: dict[str, Any] = {
            "lever": self.dice.choice(("policy", "service", "emotional")),
            "category": self.dice.choice(CATEGORIES),
            "phases": self.dice.sample(("rescue", "prevention", "retention"), 3 if self.generous else self.dice.randint(1, 3)),
            "priority": self.dice.choice((0, 0, 0, 5, -5)),
            "value": self.dice.choice(("200", "0", "0.05 * value.annual - 500", "facts.worth", "facts.spend / 10", "-100")),
            "excludes": self.dice.sample(names, self.dice.choice((0, 0, 1, 2))),
            "channels": channels(both(self.said(kind)))
            | {name: {"script": both(self.said(kind))} for name in ("outbound_call", "shop") if self.chance(0.5)},
        }
        shares = ("0.1", "0.35", "0.9", "churn.score")
        more["propensity"] = (
            self.rows(shares[:3], self.test, self.chance(0.7)) if self.chance(0.5) else self.dice.choice(("0.5", "0.2", "0"))
        )
        if kind == "offer":
            more["tariff"] = self.dice.choice(("small_pack", "bound_pack", "bound_pack", "plan.best_public_id", "plan_small"))
        elif kind == "care" and self.chance(0.5):
            more["marketing"] = "true"
        if kind != "offer" and self.chance(0.5):
            more["duty"] = self.rows(("owed", "care", "offer"), self.condition, self.chance(0.5))
        if self.chance(0.3 if self.generous else 0.45):
            more["concession"] = self.dice.choice(
                ("500", "last(billing.toll_fee)", "plan.monthly_fee / 3", "0.4 * last(billing.total)", "facts.steps")
            )
            more["approve"] = "leader"
        for gate in ("eligible", "applicable", "suitable"):
            tests = {
                f"{gate[0]}{number}": self.test() for number in range(self.dice.choice((0, 0, 0, 1) if self.generous else (0, 0, 1, 1, 2)))
            }
            if tests:
                more[gate] = tests
        return act(kind, **more)

    def test(self) -> str:
        """A gate, mostly one that many pass."""
        return self.condition((*_ready, *_acting[:3]), depth=self.dice.choice((0, 1, 2)))

    def said(self, kind: str) -> str:
        return DISCLOSED if kind == "offer" else "Hello."


def rich_files(seed: int) -> Mapping[str, bytes]:
    """The files of a random pack."""
    return _Making(seed).files()


def rich_pack(seed: int) -> Pack:
    """A random pack with something of everything."""
    return pack_of(rich_files(seed))


def rich_subscribers(seed: int, size: int) -> tuple[list[Case], Batch]:
    """Subscribers that every random pack can decide, and the same as columns, of whom every pack knows as much."""
    dice, pack = random.Random(seed), rich_pack(0)
    found = [_subscriber(pack, dice, body) for body in population(seed, size)]
    return found, batch_of(pack, found)


def _subscriber(pack: Pack, dice: random.Random, body: dict[str, Any]) -> Case:
    """A case with the packs' own facts and messages among the contacts, at times for the next morning."""
    subscriber = body["subscriber"]
    own = {
        "band": dice.choice("abc"),
        "festival_on": subscriber.get("custom", {}).get("festival_on"),
        "loyal": dice.random() < 0.5,
        "tags": dice.sample(("red", "blue"), dice.randint(0, 2)),
        "level": dice.randint(-2, 9),
    }
    subscriber["custom"] = {name: value for name, value in own.items() if dice.random() < 0.85}
    for contact in subscriber.get("contacts") or ():
        if dice.random() < 0.5:
            contact["message"] = dice.choice(("m-1", "m-2"))
    body.pop("answers", None)
    case = case_of(pack, body | {"max_actions": dice.choice((1, 3, 5, 10))})
    if dice.random() < 0.3:
        case = at(case, case.times.as_of + datetime.timedelta(hours=dice.randint(1, 40)), case.times.as_of)
    return replace(case, asker=replace(case.asker, concession_limit=dice.choice((0, 1500, 3000, 100_000))))
