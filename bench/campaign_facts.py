"""How the facts of a population stand in its table: the columns, the mapping, and the same as requests."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from app.campaign.mapping import own_facts
from app.engine.pack import Pack
from app.engine.vocabulary import FACTS, Fact

AS_OF = datetime.datetime(2026, 11, 20, 10, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
"""When the figures hold, for everybody, unless another time is given: a working day, at an hour at which people may be written to."""
IN_YUAN = frozenset({"pay.balance", "pay.overdue_amount", "value.arpu_6m", "value.annual"})
NEVER = frozenset(
    {
        "account.household_contacted_on",
        "plan.withdrawn_on",
        "services.auto_renew_on",
        "contract.commitment_end",
        "contract.promo_end",
        "network.fix_planned_on",
        "care.last_proactive_on",
        "care.last_visit_on",
        "care.loyalty_benefit_on",
        "digital.app_login_on",
        "port.last_on",
        "incident.expected_end",
    }
)
"""Dates of which an empty cell says that there is none; of others it says that nobody knows."""


def facts_of(pack: Pack) -> Mapping[str, Fact]:
    """The facts that the population has, by name."""
    return {name: fact for name, fact in {**FACTS, **own_facts(pack)}.items() if name in _held(pack)}


def _held(pack: Pack) -> frozenset[str]:
    """What the tests' population tells, and what the pack reads besides; not what is about a conversation."""
    told = "account.city account.county account.grid account.star_level account.customer_class billing.discount cases.id churn.model"
    told += " contract.floor_amount contract.kind device.capabilities device.dual_sim digital.compare_visits_30d incident.expected_end"
    told += " network.fix_planned_on now.days_in_cycle plan.on_sale plan.overage_data_rate usage.voice_intl_min"
    return frozenset([*told.split(), *(fact.name for fact in pack.base if not fact.name.startswith("request."))])


def column_of(fact: str) -> str:
    """The column of a fact."""
    return fact.replace(".", "_")


def mapping_text(pack: Pack) -> str:
    """The mapping file of every population."""
    lines = ["subscriber: subscriber", "request:", "  channel: sms_marketing", "  direction: outbound"]
    lines += ["facts:", *(f"  {name}: {_origin(fact)}" for name, fact in facts_of(pack).items())]
    return "\n".join([*lines, "  events: events", "  contacts: contacts", ""])


def _origin(fact: Fact) -> str:
    column = column_of(fact.name)
    if fact.kind in ("set", "series"):
        return f'{{column: {column}, split: ";"}}'
    if fact.name in IN_YUAN:
        return f"{{column: {column}, unit: yuan}}"
    return f"{{column: {column}, if_missing: null}}" if fact.name in NEVER else column


def requests(pack: Pack, rows: pl.DataFrame, channel: str, as_of: datetime.datetime) -> Iterator[dict[str, Any]]:
    """The rows as bodies of `POST /v1/decisions` that say the same, in what-if."""
    facts = facts_of(pack)
    for row in rows.iter_rows(named=True):
        subscriber: dict[str, Any] = {"id": row["subscriber"]}
        for name, fact in facts.items():
            section, _, field = name.partition(".")
            value = row[column_of(name)]
            if value is not None or name in NEVER:
                subscriber.setdefault(section, {})[field] = _sent(fact, value)
        for name in ("events", "contacts"):
            if row[name] is not None:
                subscriber[name] = [{field: _text(value) for field, value in entry.items() if value is not None} for entry in row[name]]
        yield {
            "channel": channel,
            "direction": "outbound",
            "mode": "what_if",
            "as_of": as_of.isoformat(),
            "locale": "zh-CN",
            "subscriber": subscriber,
        }


def _sent(fact: Fact, value: Any) -> Any:
    return round(value * 100) if fact.name in IN_YUAN else _text(value)


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value
