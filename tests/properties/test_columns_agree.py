"""Deciding on columns is deciding one by one, whole decision for whole decision, whatever the pack and whoever the subscribers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from app.campaign.batch import Batch, batch_of
from app.campaign.deciding import decide_batch
from app.campaign.mapping import load_mapping
from app.campaign.rows import CsvTable, Lines, open_table
from app.campaign.table import Asking, Decided, decide_rows, table_requests
from app.engine.case import Case
from app.engine.pack import Pack
from tests.columns import batch_on, by_columns, by_rows, differences, on_channel, told, told_of, values_apart
from tests.pipeline import ROOT, TIMES, cases, patched, shipped
from tests.pipeline_packs import act, ask, both, fact, mini, rule, signal, table
from tests.population import END
from tests.random_packs import random_gates_pack, random_pack, random_talking_pack
from tests.rich_packs import CHANNELS, rich_pack, rich_subscribers

pytestmark = pytest.mark.properties

MANY = 10_000
"""Subscribers that are decided by each random pack."""
LOOKED_AT = 60
"""Of how many of them every value is compared."""
TELCO = ROOT.parent / "shared" / "data" / "telco_customers.csv"
needs_telco = pytest.mark.skipif(not TELCO.is_file(), reason="the file of a US operator is not beside the checkout, in ../shared/data")

BARE: dict[str, Any] = {
    "nothing but what must be": {},
    "no actions": {"actions": {}},
    "no plans, and what the best would cost": {"actions": {"plain": act(eligible={"a": "best_fee(3) > 5 or not known(plan.id)"})}},
    "no plans, and the best to be sold": {"actions": {"plain": act("offer", tariff="plan.best_public_id")}},
    "a fallback named twice": {
        "actions": {"plain": act(applicable={"never": "account.status == 'lost'"})},
        "fallback": {"not_applicable": ["plain", "plain"]},
        "arbitration": {"per_category": 5},
    },
    "excluded by itself": {"actions": {"plain": act(excludes=["plain"]), "other": act(excludes=["plain"]), "third": act()}},
    "constant gates": {
        "actions": {
            "open": act(eligible={"a": "true"}),
            "shut": act(eligible={"a": "false"}),
            "dear": act(concession="500", approve="leader"),
            "owed": act(duty=[{"is": "owed"}]),
            "unlikely": act(propensity=[{"if": "known(plan.id)", "is": "0.3"}]),
        }
    },
    "constant rules": {
        "actions": {"plain": act(), "fix": act("service"), "offer": act("offer")},
        "contact": [rule("kind", "action.kind == 'care'"), rule("any", "true"), rule("active", "account.status == 'active'", allow=True)],
    },
    "constant levels": {
        "actions": {"plain": act(applicable={"a": "signal('s.one')"})},
        "signals": [signal("s.one", ("high", "true"), ("watch", "known(plan.id)")), signal("s.two", ("high", "false"))],
    },
    "constant stages": {
        "stages": [
            {"id": "never", "title": both("Never"), "any": {"x": "false"}},
            {"id": "always", "title": both("Always"), "any": {"x": "true"}},
            {"id": "stable", "title": both("Stable")},
        ]
    },
    "constant facts": {
        "actions": {"plain": act(value="facts.a * facts.b / facts.c"), "other": act(value="facts.d")},
        "facts": [
            fact("a", "5"),
            fact("b", "7 / 3"),
            fact("c", "facts.a / 3"),
            {"id": "facts.d", "title": both("D"), "first": [{"if": "true", "is": "3"}, {"is": "5"}]},
            table("open", ("false", "x"), ("known(plan.id)", "y"), values=("x", "y")),
        ],
    },
    "no reason to keep hands off": {"hands_off": []},
}
"""What a pack may have little of, by what it is about."""


@cache
def subscribers() -> tuple[list[Case], Batch]:
    """Subscribers that every random pack can decide, and the same as columns."""
    return rich_subscribers(20, MANY)


@pytest.mark.parametrize("seed", range(20 * TIMES))
def test_random_packs(seed: int) -> None:
    """Of a pack with something of everything: the whole decisions, and for some every value behind them."""
    pack, (cases, batch) = rich_pack(seed), subscribers()
    channel = CHANNELS[seed % len(CHANNELS)]
    cases = on_channel(cases, channel)
    decided = decide_batch(pack, batch_on(batch, channel))
    assert differences(by_rows(pack, cases), told(decided)) == []
    assert list(values_apart(pack, cases[:LOOKED_AT], decided)) == []


@pytest.mark.parametrize("make", [random_pack, random_gates_pack, random_talking_pack])
@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_small_packs(make: Callable[[int], Pack], seed: int) -> None:
    """Of packs that read little: most facts are no columns, and on some channels there is nothing to do."""
    pack, found = make(seed), subscribers()[0][:800]
    own = [patched(case, {}, channel=CHANNELS[-1 if seed % 2 else 0]) for case in found]
    assert differences(by_rows(pack, own), by_columns(pack, own)) == []


@pytest.mark.parametrize("seed", range(10 * TIMES))
def test_one_alone_is_one_of_many(seed: int) -> None:
    """A batch of one, and one of two, is decided as the same people among others: no column is of one value by accident."""
    pack, found = rich_pack(seed), subscribers()[0]
    for place in (3 * seed + 1, 100 + seed):
        few = on_channel(found[place : place + 1 + seed % 2], CHANNELS[seed % len(CHANNELS)])
        decided = decide_batch(pack, batch_of(pack, few))
        assert differences(by_rows(pack, few), told(decided)) == []
        assert list(values_apart(pack, few, decided)) == []


@pytest.mark.parametrize("name", BARE)
def test_bare_packs(name: str) -> None:
    """Of packs in which parts are missing, constant or about the action itself; on a channel too that has no actions."""
    pack = mini(**BARE[name])
    asked = [
        ask(pack),
        ask(pack, {"account": {"status": "cancelled"}}),
        ask(pack, {"consent": {"personalised": "no"}}),
        ask(pack, channel="robot"),
        ask(pack, {"events": None, "contacts": None}),
        ask(pack, {"billing": {"total": [100, 200, 300]}, "usage": {"data_mb": [1, 2, 3], "voice_out_min": [4, 5, 6]}}),
    ]
    rows = by_rows(pack, asked)
    assert differences(rows, by_columns(pack, asked)) == []
    assert all(len({item[0] for item in row["ranked"]}) == len(row["ranked"]) for row in rows)


@pytest.mark.parametrize("seed", range(3))
def test_a_fact_that_nobody_has(seed: int) -> None:
    """A column that would be empty may be missing."""
    pack, unknown = rich_pack(seed), dict.fromkeys(("billing", "plan", "usage", "custom", "consent", "churn", "cases", "vip"))
    found = [replace(case, subscriber=case.subscriber.model_copy(update=unknown)) for case in on_channel(subscribers()[0][:300], "app")]
    batch = batch_of(pack, found)
    known = [column.name for column in batch.facts if column.null_count() < batch.size]
    assert len(known) < len(batch.facts.columns) - 15
    decided = decide_batch(pack, replace(batch, facts=batch.facts.select(known), events={}))
    own = [replace(case, subscriber=case.subscriber.model_copy(update={"events": case.subscriber.events and ()})) for case in found]
    assert differences(by_rows(pack, own), told(decided)) == []


def test_nobody() -> None:
    """Of nobody nothing is decided."""
    for pack in (rich_pack(0), shipped(), mini()):
        assert by_columns(pack, []) == []


def test_the_shipped_pack() -> None:
    """On every channel, for subscribers with events, contacts and missing values: whole decisions, and for some every value.

    `WANLIU_TEST_TIMES=20` makes a hundred thousand of them.
    """
    pack = shipped()
    found = list(cases(pack, 800, 5000, role="campaign"))
    decided = decide_batch(pack, batch_of(pack, found))
    assert differences(by_rows(pack, found), told(decided)) == []
    assert list(values_apart(pack, found[:LOOKED_AT], decided)) == []


@needs_telco
def test_a_published_file() -> None:
    """Of every row of a real file that the reference pack decides."""
    pack, mapping = shipped(), load_mapping(ROOT / "examples" / "telco_customers.map.yaml")
    asking = Asking("campaign", END, explain="none")
    with open_table(TELCO) as file:
        table = CsvTable(TELCO, Lines(file), encoding=mapping.document.encoding, delimiter=mapping.delimiter)
        rows = [
            item
            for item in decide_rows(pack, table, table_requests(mapping, table.header, asking, pack.zone), asking)
            if isinstance(item, Decided)
        ]
    assert len(rows) > 6900
    decided = decide_batch(pack, batch_of(pack, [item.case for item in rows]))
    assert differences((told_of(pack, item.decision) for item in rows), told(decided)) == []
    assert list(values_apart(pack, [item.case for item in rows[:LOOKED_AT]], decided)) == []
