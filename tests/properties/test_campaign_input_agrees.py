"""The columns of a campaign's input hold what its rows say one by one, for random mappings and cells, hostile ones among them."""

from __future__ import annotations

import csv
import datetime
import itertools
import json
import math
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.campaign.table import Asking
from app.engine.pack import load_pack
from app.engine.vocabulary import Fact
from tests.campaign_rows import by_columns, by_rows, differences
from tests.pipeline import TIMES
from tests.population import population

pytestmark = pytest.mark.properties

PACK = load_pack(Path(__file__).parents[2])
NOW = datetime.datetime(2026, 11, 20, 2, tzinfo=datetime.UTC)
CUSTOM = {
    "custom.loyalty_band": Fact("custom.loyalty_band", "enum", "", False, ("a", "b", "c"), None, None, "Band", "分档"),
    "custom.occasion_on": Fact("custom.occasion_on", "date", "", False, (), None, None, "Day", "日"),
}
HOSTILE = [
    "1e308",
    "",
    " ",
    "NA",
    "null",
    "nan",
    "inf",
    "-0",
    "+5",
    "1e3",
    "５",
    "0x1",
    "1_0",
    '"',
    "a\\b",
    'a"b',
    "是",
    "\u3000",
    "x" * 300,
    "9" * 16,
    "-1",
    "1,299.5",
    "1,29",
]
NUMBERS = [
    "0",
    "1",
    "3",
    " 12 ",
    "0.5",
    "1.005",
    "0.285",
    "65.6",
    "31",
    "31.5",
    "100",
    "100.0000001",
    "1200",
    "1200.5",
    "97.3",
    "0.123456789",
    "2.5",
    "3.5",
    "999999999999",
    "-0.4",
]
DAYS = ["2024-02-29", "2023-02-29", "1899-12-31", "1900-01-01", "9999-12-31", "2026-11-20", "20240229", "2026-1-2"]
EVENTS = [
    "[]",
    "null",
    "{}",
    "[1]",
    '[{"type":"fault","at":"2026-11-01T10:00:00+08:00","kind":"mobile","area":"a-1"}]',
    '[{"type":"fault","at":"2026-11-01T10:00:00Z"}, {"type":"complaint","at":"2026-11-02T10:00:00.25+08:00","topic":"refund","case":null}]',
    '[{"type":"activate","at":"2026-11-01T10:00:00+08:00","fee":1200.0,"product":"p"},{"type":"promise","at":"2026-11-01T00:00:00Z","due":"2026-12-01"}]',
    '[{"type":"fault","at":"2026-12-01T10:00:00+08:00"}]',
    '[{"type":"fault","at":"2026-02-30T10:00:00+08:00"}]',
    '[{"type":"falut","at":"2026-11-01T10:00:00+08:00"}]',
    '[{"type":"fault","at":"2026-11-01T10:00:00+08:00","topic":"billing"}]',
    '[{"type":"fault","type":"fix","at":"2026-11-01T10:00:00+08:00"}]',
    '[{"type":"activate","at":"2026-11-01T10:00:00+08:00","fee":-1}]',
    '[{"type":"complaint_closed","at":"2026-11-01T10:00:00+08:00","satisfied":true}]',
    '[{"type":"complaint_closed","at":"2026-11-01T10:00:00+08:00","satisfied":1}]',
    '[{"type":"consent_change","at":"2026-11-01T10:00:00+08:00","what":"marketing","to":"no"}]',
    "[",
    '[{"type":"fault","at":"2026-11-01T10:00:00+08:00","area":"a\\ud800"}]',
]
CONTACTS = [
    "[]",
    '[{"at":"2026-11-01T10:00:00+08:00","channel":"sms_marketing","action":"tariff_pack","kind":"offer","result":"ignored"}]',
    '[{"at":"2026-11-01T10:00:00+08:00","campaign":"c 1"}]',
    '[{"at":"2026-11-01","channel":"app"}]',
    '[{"at":"2026-11-01T10:00:00+08:00","type":"fault"}]',
]


class Template(NamedTuple):
    """How a fact comes from columns `{0}`, `{1}`…, what their cells may be, and the types that a file with types may give them."""

    yaml: str
    cells: tuple[list[str], ...]
    types: tuple[str, ...] = ("text",)


YES_NO = ["Yes", "No", "yes", "1", "0", "true", "是", "否", "maybe"]
NUMERIC = ("text", "whole", "float", "single", "decimal")
TEMPLATES = [
    Template("account.tenure_months: {0}", (NUMBERS,), NUMERIC),
    Template("plan.monthly_fee: {{column: {0}, unit: yuan}}", (NUMBERS,), NUMERIC),
    Template("plan.monthly_fee: {{column: {0}, factor: 700}}", (NUMBERS,), NUMERIC),
    Template("plan.data_mb: {{column: {0}, unit: GB, if_missing: 1}}", (NUMBERS,), NUMERIC),
    Template("plan.voice_minutes: {{column: {0}, missing: ['', '-1', '0'], if_missing: 7}}", ([*NUMBERS, "-1"],), NUMERIC),
    Template("plan.overage_cap: {{column: {0}, offset: 50}}", (NUMBERS,), NUMERIC),
    Template("plan.min_commitment: {{column: {0}, factor: 100, offset: -50}}", (NUMBERS,), NUMERIC),
    Template("now.data_used_share: {{column: {0}, unit: percent}}", (NUMBERS,), NUMERIC),
    Template("now.voice_used_share: {0}", (NUMBERS,), NUMERIC),
    Template("churn.score: {{column: {0}, if_missing: 0}}", (NUMBERS,), NUMERIC),
    Template("home.optical_dbm: {0}", ([*NUMBERS, "-21.5", "-100", "-100.5"],), NUMERIC),
    Template(
        "pay.balance: {{column: {0}, unit: yuan, values: {{'1': 5, '0': null, '65.6': 65.6, 是: 3}}}}", (["1", "0", "65.6", "是"],), NUMERIC
    ),
    Template("value.annual: {{column: {0}, factor: 8400, divide_by: {1}}}", (NUMBERS, NUMBERS), NUMERIC),
    Template(
        "value.arpu_6m: {{add: [{{column: {0}, factor: 700}}, {{column: {1}, factor: 7, if_missing: 0}}, "
        "{{column: {2}, factor: 700, divide_by: {0}}}], offset: 1}}",
        (NUMBERS, NUMBERS, NUMBERS),
        NUMERIC,
    ),
    Template("billing.total: {{columns: [{0}, {1}, {2}], unit: yuan}}", (NUMBERS, NUMBERS, NUMBERS), NUMERIC),
    Template("billing.discount: {{columns: [{0}, {1}]}}", (NUMBERS, NUMBERS), NUMERIC),
    Template("billing.toll_fee: {{column: {0}, unit: yuan, cycles: 3}}", (NUMBERS,), NUMERIC),
    Template(
        "usage.data_mb: {{column: {0}, split: ';', unit: GB}}", (["1;2;3", "1.5;;2", "x;1", "1;2"],), ("text", "floats", "wholes", "texts")
    ),
    Template(
        "usage.voice_out_min: {{column: {0}, split: '|', if_missing: [1, 2, 3]}}",
        (["1|2|3", "1.5|2|3", "1|2"],),
        ("text", "wholes", "floats"),
    ),
    Template("home.has_broadband: {0}", (YES_NO,), ("text", "truth", "whole", "float")),
    Template("home.fttr: {{column: {0}, values: {{Yes: yes, No: no}}, if_missing: yes}}", (YES_NO,), ("text", "truth")),
    Template("home.resource_ok: {{column: {0}, if_missing: no}}", (YES_NO,), ("text", "truth")),
    Template("account.joined_on: {0}", (DAYS,), ("text", "day", "time")),
    Template("contract.commitment_end: {{column: {0}, if_missing: null}}", (DAYS,), ("text", "day", "time")),
    Template("contract.promo_end: {{column: {0}, date: '%Y%m%d', values: {{无: null}}}}", (["无"],), ("text", "whole")),
    Template("pay.last_topup_on: {{column: {0}, date: '%Y%m%d'}}", (["20240229", "20241301"],), ("text", "whole", "day")),
    Template("device.changed_on: {{column: {0}, date: months_ago}}", (NUMBERS,), NUMERIC),
    Template(
        "care.last_visit_on: {{column: {0}, date: term_end, since: {1}, values: {{a: null, b: 12, c: 24}}}}",
        (["a", "b", "c"], NUMBERS),
        ("text",),
    ),
    Template("device.generation: {0}", (["3g", "4g", "5g", "5gg", "4g "],)),
    Template("device.generation: {{column: {0}, values: {{是: 5g, 否: 4g}}}}", (["是", "否"],), ("text", "truth")),
    Template("consent.personalised: {{column: {0}, if_missing: unknown}}", (["yes", "no", "unknown"],)),
    Template("cases.compensation_12m: {{column: {0}, unit: yuan}}", (NUMBERS,), NUMERIC),
    Template("plan.id: {0}", (["plan_59", "p 1", " plan_29", "套餐"],), ("text", "whole", "category")),
    Template("plan.name: {0}", (["5G 畅享", 'a"b\\c', " x ", "\u00a0y"],)),
    Template("consent.evidence: {{column: {0}, if_missing: none}}", (["a", "b\tc"],)),
    Template(
        "services.held: {{column: {0}, split: ';', if_missing: []}}", (["music;video;music", "a b;c", ";", "b;a"],), ("text", "texts")
    ),
    Template("vip.interests: {{column: {0}, split: ','}}", (['tea,"x"', "b,a,b", "饮茶"],), ("text", "texts")),
    Template(
        "consent.refused_channels: {{column: {0}, split: ';', values: {{短信: sms_marketing, 外呼: outbound_call}}}}",
        (["短信;外呼", "短信", "电邮"],),
        ("text", "texts"),
    ),
    Template("device.capabilities: {{collect: {{{0}: volte, {1}: esim}}, when: 是}}", (YES_NO, YES_NO), ("text", "truth")),
    Template("request.reason: {0}", (["bill", "fault", "bil"],)),
    Template("request.direction: {0}", (["inbound", "", "outbound"],)),
    Template("request.channel: {0}", (["app", "sms_marketing", "shop"],)),
    Template("custom.loyalty_band: {0}", (["a", "b", "d"],)),
    Template("custom.occasion_on: {{column: {0}, if_missing: null}}", (DAYS,), ("text", "day")),
    Template("events: {0}", (EVENTS,), ("text", "histories")),
    Template("contacts: {{column: {0}, if_missing: []}}", (CONTACTS,), ("text", "histories")),
]
IDS = ["s1", "s2", "s3", "s4", "s5", "s6", "s7", " s8", "s-9", "a b", "", "1001", "x" * 65]


def cells(draw: st.DrawFn, words: list[str], count: int) -> list[str]:
    """Most columns have few different cells and nothing hostile, so that most rows are decided."""
    few = draw(st.lists(st.sampled_from(words), min_size=1, max_size=3))
    hostile = draw(st.sampled_from([[], [], [], HOSTILE]))
    return draw(st.lists(st.sampled_from([*few, *few, *hostile[:: draw(st.integers(1, 9))]]), min_size=count, max_size=count))


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, dict[str, list[str]], dict[str, str]]:
    """A mapping, the cells of its columns as text, and a type for each."""
    chosen = draw(st.lists(st.sampled_from(TEMPLATES), min_size=1, max_size=5, unique_by=lambda one: one.yaml.partition(":")[0]))
    count = draw(st.integers(1, 15))
    names = (f"c{number}" for number in itertools.count())
    ids = draw(
        st.sampled_from([[f"s{place}" for place in range(count)], draw(st.lists(st.sampled_from(IDS), min_size=count, max_size=count))])
    )
    facts, columns, types = [], {"id": ids}, {"id": "text"}
    for template in chosen:
        own = [next(names) for _ in template.cells]
        facts.append(template.yaml.format(*own))
        for name, words in zip(own, template.cells, strict=True):
            columns[name] = cells(draw, words, count)
            types[name] = draw(st.sampled_from(template.types))
    missing = draw(st.sampled_from(["", "missing: ['', NA, ' ']\n", "missing: [NA]\n"]))
    zone = draw(st.sampled_from(["", "constants: {zone: America/New_York, services.toll_pack_fee: 1000}\n"]))
    channel = "" if any(fact.startswith("request.channel") for fact in facts) else "channel: app, "
    head = f"subscriber: id\n{missing}request: {{{channel}direction: self, as_of: 2026-11-20T10:00:00+08:00}}\n"
    return head + zone + "facts:\n" + "".join(f"  {fact}\n" for fact in facts), columns, types


def typed(cells: list[str], kind: str) -> pl.Series:
    """The cells as a column of a type; what is not of it becomes null."""
    convert, dtype = KINDS[kind]
    return pl.Series([attempt(convert, text) for text in cells], dtype=dtype, strict=False)


def attempt(convert: Any, text: str) -> Any:
    try:
        return convert(text)
    except (ValueError, ArithmeticError, KeyError, TypeError):
        return None


def entries(text: str) -> Any:
    found = orjson.loads(text)
    return [history(entry) for entry in found] if isinstance(found, list) else None


def history(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry.get(name) for name in HISTORY} | {"at": datetime.datetime.fromisoformat(entry["at"])}


HISTORY = {
    "type": pl.String,
    "at": pl.Datetime("us", "UTC"),
    "kind": pl.String,
    "area": pl.String,
    "topic": pl.String,
    "case": pl.String,
    "fee": pl.Float64,
    "satisfied": pl.Boolean,
    "due": pl.String,
    "channel": pl.String,
    "action": pl.String,
    "result": pl.String,
    "campaign": pl.String,
}
KINDS: dict[str, tuple[Any, Any]] = {
    "text": (lambda text: text or None, pl.String),
    "category": (lambda text: text, pl.Categorical),
    "whole": (lambda text: int(float(text)), pl.Int64),
    "float": (float, pl.Float64),
    "single": (float, pl.Float32),
    "decimal": (lambda text: Decimal(str(float(text) / math.isfinite(float(text)))).quantize(Decimal("0.001")), pl.Decimal(38, 3)),
    "truth": (lambda text: {"Yes": True, "是": True, "No": False, "否": False}[text], pl.Boolean),
    "day": (datetime.date.fromisoformat, pl.Date),
    "time": (lambda text: datetime.datetime.fromisoformat(f"{text}T23:30:00+00:00"), pl.Datetime("ms", "UTC")),
    "texts": (lambda text: text.replace(",", ";").split(";"), pl.List(pl.String)),
    "floats": (lambda text: [attempt(float, part) for part in text.replace("|", ";").split(";")], pl.List(pl.Float32)),
    "wholes": (lambda text: [attempt(int, part) for part in text.replace("|", ";").split(";")], pl.List(pl.Int16)),
    "histories": (entries, pl.List(pl.Struct(HISTORY))),
}
ASKINGS = st.sampled_from(
    [
        Asking("campaign", NOW),
        Asking("agent", NOW, channel="sms_marketing", locale="en"),
        Asking("development", NOW, mode="live"),
        Asking("compliance", NOW + datetime.timedelta(days=1), mode="live"),
    ]
)


@settings(max_examples=100 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), ASKINGS, st.sampled_from([1, 3, 50]), st.sampled_from(["csv", "parquet"]))
def test_columns_hold_what_rows_say(table: tuple[str, dict[str, list[str]], dict[str, str]], asking: Asking, size: int, kind: str) -> None:
    """Values, refusals, messages and cases are the same, for tables of text and files with types, however they are cut."""
    mapping, columns, types = table
    with tempfile.TemporaryDirectory() as folder:
        written, file = Path(folder, "map.yaml"), Path(folder, f"input.{kind}")
        written.write_text(mapping, encoding="utf-8")
        if kind == "parquet":
            pl.DataFrame({name: typed(cells, types[name]) for name, cells in columns.items()}).write_parquet(file)
        else:
            with file.open("w", encoding="utf-8", newline="") as out:
                csv.writer(out).writerows([list(columns), *zip(*columns.values(), strict=True)])
        one = by_columns(PACK, file, asking, written, size, CUSTOM)
        assert differences(one, by_rows(PACK, file, asking, written, CUSTOM)) == []


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([7, 1000]))
def test_requests_hold_what_they_say(seed: int, size: int) -> None:
    """Lines of NDJSON, with a broken one and a subscriber twice among them."""
    bodies = [json.dumps(body).encode() for body in population(seed, 20)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "input.ndjson")
        file.write_bytes(b"\n".join([*bodies, b"{", b"", bodies[3], b'{"channel":"app"}']))
        asking = Asking("campaign", NOW, channel="sms_marketing")
        one = by_columns(PACK, file, asking, None, size)
        assert len(one.rejects) == 3
        assert differences(one, by_rows(PACK, file, asking, None)) == []
