"""Random packs whose texts tell facts of every kind in every format that shows them, and subscribers about whom they are known or not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from app.engine.case import Case
from app.engine.pack import Pack
from tests.pipeline import case_of, pack_of
from tests.pipeline_packs import DISCLOSED, act, both, fact, mini_files, rule, signal, tariff
from tests.population import population

CHANNELS = ("app", "call_centre")
_slots = (
    "account.tenure_months:years",
    "account.tenure_months:months",
    "account.tenure_months:text",
    "plan.monthly_fee:money",
    "plan.monthly_fee:about",
    "churn.score:percent",
    "churn.score:percent",
    "contract.commitment_end:date",
    "care.last_proactive_on:date",
    "custom.festival_on:date",
    "custom.ratio:text",
    "custom.ratio:count",
    "custom.level:text",
    "custom.tags:text",
    "custom.loyal:text",
    "device.capabilities:text",
    "home.has_broadband:text",
    "plan.id:text",
    "vip.tier:text",
    "cases.open_complaints:count",
    "facts.data:MB",
    "facts.spend:money",
    "facts.spend:about",
    "facts.quotient:text",
    "facts.quotient:count",
    "facts.larger:text",
    "facts.larger:count",
    "facts.known:text",
    "facts.steps:text",
    "facts.steps:hours",
    "facts.waited:days",
    "facts.waited:minutes",
    "facts.sure:text",
    "facts.band:text",
    "param.floor:money",
    "param.many:text",
)
_of_actions = ("action.valid_until:date", "action.concession:text", "action.concession:count")
_of_tariffs = (
    "tariff.name:text",
    "tariff.filing_no:text",
    "tariff.saving:text",
    "tariff.saving:count",
    "tariff.months:text",
    "tariff.effective:text",
)
_of_packs = tuple(slot for slot in _of_tariffs if "saving" not in slot)
"""What is known of tariffs that are no plans, and of what must be told of any."""
_tests = (
    "signal('s.one')",
    "signal('s.two')",
    "level('s.one') == 'severe'",
    "signal('s.three') or signal('s.one')",
    "account.tenure_months > 24",
    "facts.larger >= 0",
    "facts.sure",
    "known(device.capabilities)",
    "known(custom.ratio) or known(plan.id)",
    "days_since(care.last_proactive_on) > 30 or signal('s.two')",
    "days_until(contract.commitment_end) < 400",
    "not signal('s.three')",
    "'volte' in device.capabilities or last(billing.total) > 0",
    "facts.band != 'high'",
    "mean(usage.data_mb, 3) >= 0",
)


class _Making:
    """One pack in the making."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.told: set[str] = set()

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def text(self, *more: str) -> dict[str, str]:
        """A text with a few slots, at times with none, that is not the same in both languages."""
        slots = self.dice.choices((*_slots, *more, *more), k=self.dice.randint(0, 4))
        names = {slot.partition(":")[0].replace("tariff.saving", "plan.best_public_saving") for slot in slots}
        self.told |= {name for name in names if not name.startswith(("param.", "action.", "tariff."))}
        said = [f"{{{slot}}}" for slot in slots]
        return {"en": " of ".join(["So", *said]) + ".", "zh": "，".join(["为此", *reversed(said)]) + "。"}

    def signal(self, name: str, *levels: tuple[str, str]) -> dict[str, Any]:
        found = {"reason": self.text()} | ({"customer": self.text()} if self.chance(0.5) else {})
        known = self.known()
        return signal(name, *((level, f"({test}) and {known}" if known else test) for level, test in levels)) | found

    def known(self) -> str:
        """That everything is known that was told since this was last asked."""
        told, self.told = sorted(self.told), set()
        return " and ".join(f"known({name})" for name in told)

    def action(self, number: int) -> dict[str, Any]:
        kind = self.dice.choice(("offer", "care", "care", "service"))
        more: dict[str, Any] = {"category": f"c{number}", "phases": ["retention", "prevention"]}
        sold = self.dice.choice(("small_pack", "plan_small", "plan.best_public_id"))
        slots = _of_actions if kind != "offer" else (*_of_actions, *(_of_packs if sold == "small_pack" else _of_tariffs))
        said = both(DISCLOSED) if kind == "offer" else {"en": "Hello. ", "zh": "您好。"}
        more["channels"] = {
            channel: {"script" if channel == "call_centre" else "text": {key: said[key] + text for key, text in self.text(*slots).items()}}
            for channel in CHANNELS
        }
        more["concession"] = self.dice.choice(("0", "1500", "plan.monthly_fee / 3"))
        more["valid_days"] = self.dice.choice((1, 7, 30))
        more["approve"] = "leader"
        for gate in ("eligible", "applicable"):
            tests = {f"{gate[0]}{place}": self.dice.choice(_tests) for place in range(self.dice.choice((0, 1, 2)))}
            if tests:
                more[gate] = tests
        if kind == "offer":
            more["tariff"] = sold
        elif kind == "care" and self.chance(0.4):
            more["marketing"] = "true"
        made = act(kind, **more)
        del made["reason"]
        for key, share in (("reason", 0.5), ("customer", 0.5), ("disclose", 0.4)):
            made |= {key: self.text(*slots)} if self.chance(share) else {}
        known = self.known()
        return made | ({"eligible": {**made.get("eligible", {}), "told": known}} if known else {})

    def files(self) -> dict[str, bytes]:
        names = [f"a{number}" for number in range(8)]
        return mini_files(
            {name: self.action(number) for number, name in enumerate(names)},
            parameters=[
                {"id": "param.floor", "is": "1500", "unit": "money", "why": both("So.")},
                {"id": "param.many", "is": "123456.5", "why": both("So.")},
            ],
            custom=[
                {"id": f"custom.{name}", "title": both(name), **kind}
                for name, kind in {
                    "ratio": {"type": "number"},
                    "level": {"type": "int"},
                    "festival_on": {"type": "date"},
                    "loyal": {"type": "boolean"},
                    "tags": {"type": "set", "values": ["red", "blue", "green"]},
                }.items()
            ],
            facts=[
                fact("data", "last(usage.data_mb)"),
                fact("spend", "mean(billing.total, 3)"),
                fact("quotient", "account.tenure_months * 10000 / 3"),
                fact("larger", "max(account.tenure_months * 100, -custom.ratio, 1200.5)"),
                fact("known", "first_known(custom.level, 1234.5, account.tenure_months)"),
                {
                    "id": "facts.steps",
                    "title": both("steps"),
                    "first": [{"if": "account.tenure_months > 60", "is": "account.tenure_months * 100"}, {"is": "custom.ratio + 1000"}],
                },
                fact("waited", "days_since(care.last_proactive_on)"),
                fact("sure", "account.tenure_months > 36"),
                {
                    "id": "facts.band",
                    "title": both("band"),
                    "values": ["low", "high"],
                    "first": [{"if": "plan.monthly_fee > 5900", "is": "high"}, {"is": "low"}],
                },
            ],
            signals=[
                self.signal("s.one", ("severe", "account.tenure_months > 100"), ("high", "last(billing.total) > 5000")),
                self.signal("s.two", ("high", "cases.open_complaints >= 1 or churn.score > 0.4")),
                self.signal("s.three", ("watch", "request.channel == 'app'")),
            ],
            phases=[
                {"id": "hands_off", "title": both("Off"), "mix": _even},
                {"id": "prevention", "title": both("Prevent"), "any": {"x": "signal('s.two')", "y": "facts.larger > 5000"}, "mix": _even},
                {"id": "retention", "title": both("Keep"), "mix": _even},
            ],
            tariffs=[
                tariff("small_pack", disclose=self.priced()),
                *(
                    tariff(
                        name, kind="plan", fee=fee, fee_after=fee, voice_minutes=100, data_mb=5120, voice_rate=15, data_rate=300,
                        disclose=self.priced(),
                    )
                    for name, fee in (("plan_small", 3900), ("plan_large", 12900))
                ),
            ],
            fallback={cause: self.dice.sample(names, 3) for cause in ("not_applicable", "suppressed", "guardrail", "unknown")},
            contact=[rule("consent", "consent.marketing == 'yes'", "action.marketing")],
            arbitration={"concession": {"retention_desk": 3000}},
        )  # fmt: skip

    def priced(self) -> dict[str, str]:
        """A tariff's own words: what it says beside its prices is of itself."""
        slots = self.dice.choices(_of_packs, k=self.dice.randint(0, 2))
        return both(" ".join([DISCLOSED, *(f"{{{slot}}}." for slot in slots)]))


_even = {"policy": 1, "service": 1, "emotional": 1}


def telling_pack(seed: int) -> Pack:
    """A random pack that says much about subscribers."""
    return pack_of(_Making(seed).files())


def told_of(pack: Pack, seed: int, n: int) -> Iterator[Case]:
    """Subscribers of the population, with the pack's own facts, met on one of its channels; one in six refused personalisation."""
    dice = random.Random(seed)
    for body in population(seed, n):
        known = {
            "ratio": dice.choice((0.25, 1500, 1500.5, -2345.75, -20000, 999999)),
            "level": dice.choice((0, 7, 1000, 12345)),
            "festival_on": dice.choice((None, "2026-12-24")),
            "loyal": dice.random() < 0.5,
            "tags": dice.sample(("red", "blue", "green"), dice.randint(0, 3)),
        }
        body["subscriber"]["custom"] = {name: value for name, value in known.items() if dice.random() < 0.7}
        if dice.random() < 1 / 6:
            body["subscriber"]["consent"] = {"marketing": "yes", "personalised": "no"}
        if dice.random() < 0.3:
            body["subscriber"]["zone"] = dice.choice(("Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe"))
        yield case_of(pack, {**body, "channel": dice.choice(CHANNELS), "answers": {}, "max_actions": 5})
