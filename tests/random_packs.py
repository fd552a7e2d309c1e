"""Packs made of random conditions."""

from __future__ import annotations

import random

from app.engine.pack import Pack
from tests.packs import SMALL
from tests.pipeline import pack_of

_terms = (
    "last(billing.total)",
    "last(billing.toll_fee)",
    "mean(billing.total, 3)",
    "total(usage.data_mb, 2)",
    "peak(usage.data_mb, 3)",
    "change(billing.total, 3) * 1000",
    "account.tenure_months",
    "plan.monthly_fee",
    "plan.voice_minutes",
    "services.paid_unused_count",
    "churn.score * 100",
    "cases.open_complaints",
    "facts.toll",
    "abs(last(billing.total) - mean(billing.total, 3))",
    "max(plan.monthly_fee, last(billing.total))",
    "min(plan.monthly_fee, last(billing.toll_fee))",
    "first_known(value.annual, 12 * last(billing.total))",
    "-plan.monthly_fee",
    "last(billing.total) / plan.monthly_fee",
    "100 * last(billing.toll_fee) / last(billing.total)",
    "(total(billing.total, 4) - last(billing.total)) / 3",
    "last(billing.total) - last(billing.toll_fee)",
    "count(events.complaint, days=30)",
)
_bounds = (0, 1, 2, 5, 30, 120, 1000, 1500, 5900, 9900, 20480)
_days = (
    "days_since(contract.promo_end)",
    "days_until(contract.commitment_end)",
    "since(events.complaint)",
    "days_since(account.joined_on)",
)
_ready = (
    "account.status == 'active'",
    "signal('high.toll')",
    "not signal('high.toll')",
    "level('high.toll') == 'severe'",
    "known(plan.id)",
)


def random_condition(dice: random.Random, depth: int = 2) -> str:
    """A condition on figures and dates, of the kinds that rules write."""
    if depth and dice.random() < 0.45:
        parts = [random_condition(dice, depth - 1) for _ in range(dice.choice((2, 2, 3)))]
        form = dice.random()
        if form < 0.1:
            return f"not ({parts[0]})"
        if form < 0.25:
            return f"at_least({dice.randint(1, len(parts))}, {', '.join(parts)})"
        return "(" + dice.choice((" and ", " or ")).join(parts) + ")"
    kind = dice.random()
    if kind < 0.15:
        return dice.choice(_ready)
    if kind < 0.35:
        return f"{dice.choice(_days)} {dice.choice(('<', '<=', '>', '>='))} {dice.choice((0, 3, 30, 60, 200))}"
    if kind < 0.5:
        least, most = sorted(dice.sample(_bounds, 2))
        return f"{least} <= {dice.choice(_terms)} < {most}"
    right = str(dice.choice(_bounds)) if dice.random() < 0.8 else dice.choice(_terms)
    return f"{dice.choice(_terms)} {dice.choice(('<', '<=', '>', '>=', '>=', '==', '!='))} {right}"


def random_pack(seed: int, actions: int = 8) -> Pack:
    """The small pack with more actions, whose gates and guardrails are random conditions."""
    dice = random.Random(seed)
    files = dict(SMALL)
    for index in range(actions):
        gates = "".join(f"  c{number}: {random_condition(dice)}\n" for number in range(3))
        files[f"policies/random/a{index}.yaml"] = (
            f"action: a{index}\ntitle: {{en: A, zh: 甲}}\nkind: care\nlever: service\nduty: care\ncategory: c{index}\n"
            f"phases: [prevention, retention]\neligible:\n{gates}propensity: 0.5\nvalue: 100\n"
            "channels:\n  app: {text: {en: Hello., zh: 您好。}}\n"
        ).encode()
    files["policies/random/contact.yaml"] = (
        "contact:\n  - id: random_rest\n    title: {en: Rest, zh: 静默}\n    applies: action.kind == 'care'\n"
        f"    permits: {random_rest(dice)}\n    reason: {{en: Rest., zh: 静默。}}\n"
    ).encode()
    return pack_of(files)


def random_gates_pack(seed: int) -> Pack:
    """The small pack, with actions that share random gates and differ in phases, channels, duty and concession."""
    dice = random.Random(seed)
    pool = [random_condition(dice) for _ in range(6)]
    files = dict(SMALL)
    for index in range(12):
        conditions = [dice.choice(pool) if dice.random() < 0.5 else random_condition(dice) for _ in range(dice.randint(0, 4))]
        if dice.random() < 0.3:
            conditions.append("action.concession < 2000")
        gates = "".join(f"  c{number}: {condition}\n" for number, condition in enumerate(conditions))
        duty = "[{if: 'account.tenure_months > 12', is: care}, {is: owed}]" if dice.random() < 0.3 else "care"
        files[f"policies/random/b{index}.yaml"] = (
            f"action: b{index}\ntitle: {{en: A, zh: 甲}}\nkind: care\nmarketing: {dice.choice(('true', 'false'))}\nlever: service\n"
            f"duty: {duty}\ncategory: c{index}\nphases: {dice.choice(('[prevention]', '[prevention, retention]'))}\n"
            + (f"{dice.choice(('eligible', 'applicable', 'suitable'))}:\n{gates}" if gates else "")
            + f"concession: {dice.choice(('0', 'last(billing.toll_fee)', 'plan.monthly_fee / 2'))}\npropensity: 0.5\nvalue: 100\n"
            f"channels:\n  {dice.choice(('app', 'app', 'shop'))}: {{text: {{en: Hello., zh: 您好。}}}}\n"
        ).encode()
    return pack_of(files)


def random_talking_pack(seed: int) -> Pack:
    """The small pack, with actions of every kind and duty that concede more or less, and random rules for who wants to leave."""
    dice = random.Random(seed)
    files = dict(SMALL)
    for index in range(14):
        kind, duty = dice.choice(("service", "care", "information", "escalation")), dice.choice(("care", "care", "owed"))
        gates = f"eligible:\n  c: {random_condition(dice)}\n" if dice.random() < 0.5 else ""
        files[f"policies/random/t{index}.yaml"] = (
            f"action: t{index}\ntitle: {{en: A, zh: 甲}}\nkind: {kind}\nlever: service\nduty: {duty}\ncategory: c{index}\n"
            f"phases: [prevention, retention]\n{gates}concession: {dice.choice(('0', '500', 'last(billing.toll_fee)', '1500'))}\n"
            f"propensity: 0.{dice.randint(1, 9)}\nvalue: {dice.randint(1, 900)}\n"
            "channels:\n" + "".join(f"  {name}: {{text: {{en: Hello., zh: 您好。}}}}\n" for name in ("app", "shop", "web", "social"))
        ).encode()
    leaving = dice.choice(("account.tenure_months > 60", "signal('high.toll')", random_condition(dice)))
    ending = "\n".join(f"  {cause}: [t{index}]" for index, cause in enumerate(("let_go", "refused")))
    files["policies/random/conversation.yaml"] = (
        f"conversation:\n  steps: {dice.randint(1, 4)}\n  leaving: {leaving}\nfallback:\n{ending}\n"
    ).encode()
    return pack_of(files)


def random_rest(dice: random.Random) -> str:
    """A clause of contact policy that time ends, or nothing does."""
    parts = (
        "contacted(days=7) < 1",
        "contacted(days=30, kind='offer') < 2",
        "refused(days=90) == 0",
        "refused(days=30, action=action.id) < 1",
        "'09:00' <= clock.time < '18:00'",
        "clock.time > '13:30'",
        "clock.weekday <= 5",
        "not clock.holiday",
        "days_since(account.joined_on) > 300",
        "days_until(contract.commitment_end) < 20",
        "count(events.complaint, days=14) == 0",
        "since(events.bill) >= 9",
        "consent.marketing == 'yes'",
    )
    chosen = dice.sample(parts, dice.randint(1, 3))
    return dice.choice((" and ", " and ", " or ")).join(chosen)
