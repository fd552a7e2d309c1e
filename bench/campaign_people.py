"""The people of a population: some made one by one as the tests make them, the others like them but for figures, days, places and names."""

from __future__ import annotations

import datetime
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import polars as pl

from app.engine.case import Case
from app.engine.facts import read_facts
from app.engine.pack import Pack
from app.engine.vocabulary import EVENTS, Fact
from bench.campaign_facts import IN_YUAN, column_of, facts_of
from bench.mixture import CONTENT, mixed

NUMBER = "number"
"""The column of a person's number from 0, on which all that varies depends. It is not written."""
_SPREAD: Mapping[str, float] = {
    **dict.fromkeys(("billing.total", "billing.toll_fee", "billing.voice_overage_fee", "billing.data_overage_fee"), 0.08),
    **dict.fromkeys(("billing.info_fee", "billing.floor_topup", "now.bill_so_far", "value.arpu_6m", "value.annual"), 0.08),
    **dict.fromkeys(("usage.voice_out_min", "usage.voice_in_min", "usage.voice_intl_min", "usage.data_mb", "usage.data_5g_mb"), 0.1),
    **dict.fromkeys(("now.data_used_share", "now.voice_used_share", "churn.score", "home.measured_mbps"), 0.05),
    **dict.fromkeys(("network.dropped_call_rate", "network.poor_session_share", "network.camp_5g_share", "home.optical_dbm"), 0.02),
    **dict.fromkeys(("pay.balance", "pay.overdue_amount", "points.balance", "points.expiring", "cases.compensation_12m"), 0.2),
    "network.calls_30d": 0.2,
}
"""Figures that differ between people who are otherwise alike, by so much of themselves at most; those of a section all in one direction."""
_DAYS = 4
"""By so many days at most a date differs: what is past lies so much longer back, what is to come is so much farther off."""
_MINUTES = 12 * 60
"""By so many minutes at most events and contacts are older."""
_EVENT_FIELDS = (
    *("product", "topic", "case", "area", "reason", "fee", "kind", "page", "confirmation", "id", "total", "quoted", "amount"),
    *("overdue_days", "old", "new", "direction", "what", "to"),
)
_CONTACT_FIELDS = ("channel", "kind", "action", "result")
_types: Mapping[str, pl.DataType] = {
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "enum": pl.String(),
    "text": pl.String(),
    "set": pl.List(pl.String()),
    "series": pl.List(pl.Int64()),
}
_TIME = pl.Datetime("us", "UTC")


def prototype_people(pack: Pack, seed: int, many: int, as_of: datetime.datetime) -> pl.DataFrame:
    """People made one by one: a column a fact in the fact's own unit, `events` and `contacts` as lists of structures."""
    facts = facts_of(pack)
    cases = list(islice(mixed(pack, seed, CONTENT), many))
    told = [_told(pack, case, facts, as_of) for case in cases]
    columns = [pl.Series(name, [row[name] for row in told], _type(fact), strict=False) for name, fact in facts.items()]
    histories = {"events": _entry(_EVENT_FIELDS, _event_types(), "type"), "contacts": _entry(_CONTACT_FIELDS, {})}
    return pl.DataFrame([*columns, *(pl.Series(name, [row[name] for row in told], kind) for name, kind in histories.items())])


def _type(fact: Fact) -> pl.DataType:
    return pl.Int64() if fact.kind == "number" and fact.integral else _types[fact.kind]


def _event_types() -> Mapping[str, pl.DataType]:
    return {name: pl.Int64() for kind in EVENTS.values() for name, fact in kind.attributes.items() if fact.kind == "number"}


def _entry(fields: Sequence[str], types: Mapping[str, pl.DataType], *first: str) -> pl.DataType:
    return pl.List(pl.Struct({"at": _TIME, **{name: types.get(name, pl.String()) for name in (*first, *fields)}}))


def _told(pack: Pack, case: Case, facts: Mapping[str, Fact], as_of: datetime.datetime) -> dict[str, Any]:
    """What is known of a person, as of then; what the pack finds too old is as good as unknown."""
    later = as_of - case.times.as_of
    days = as_of.date() - case.times.today
    told = case.as_json()["subscriber"]
    too_old = read_facts(pack, case).too_old
    found: dict[str, Any] = {}
    for name, fact in facts.items():
        section, _, field = name.partition(".")
        value = None if name in too_old else (told.get(section) or {}).get(field)
        found[name] = datetime.date.fromisoformat(value) + days if fact.kind == "date" and value is not None else value
    if found["now.month"] is not None:
        found["now.month"] = as_of.month
    for name in ("events", "contacts"):
        entries = told.get(name)
        found[name] = None if entries is None else [{**entry, "at": _moment(entry["at"]) + later} for entry in entries]
    return found


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)


def people(pack: Pack, prototypes: pl.DataFrame, draw: Draw, first: int, many: int) -> pl.DataFrame:
    """So many people from a number on, as an operator's table has them: a column a fact, dots as underscores.

    Args:
        pack: as of the prototypes.
        prototypes: whom the people are like, in turn.
        draw: in what they differ.
        first: the first one's number.
        many: how many.
    """
    numbers = pl.int_range(first, first + many, dtype=pl.UInt64, eager=True).alias(NUMBER)
    frame = prototypes[(numbers % prototypes.height).cast(pl.UInt32)].with_columns(numbers)
    facts = facts_of(pack)
    frame = frame.with_columns(_varied(facts[name], draw) for name in facts)
    frame = frame.with_columns(_older(frame, name, draw) for name in ("events", "contacts"))
    subscriber = pl.format("s{}-{}", pl.lit(str(draw.seed)), pl.col(NUMBER).cast(pl.String).str.zfill(9)).alias("subscriber")
    return frame.select(
        subscriber, *(_written(fact).alias(column_of(name)) for name, fact in facts.items()), pl.col("events"), pl.col("contacts")
    )


@dataclass(frozen=True, slots=True)
class Draw:
    """Chance by a person's number: the same in every version of every library, and in whatever batch the person is made."""

    seed: int
    today: datetime.date

    def share(self, word: str) -> pl.Expr:
        """From 0 up to 1, another for each word (SplitMix64, Steele, Lea, Flood 2014)."""
        salt = zlib.crc32(f"{self.seed}:{word}".encode())
        mixed = pl.col(NUMBER) * _word(0x9E3779B97F4A7C15) + _word(salt * 0x9E3779B97F4A7C15 % 2**64)
        mixed = (mixed ^ (mixed // _word(2**30))) * _word(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed // _word(2**27))) * _word(0x94D049BB133111EB)
        return (mixed // _word(2**11)).cast(pl.Float64) / 2.0**53

    def between(self, word: str, least: int, most: int) -> pl.Expr:
        """A whole number."""
        return (self.share(word) * (most - least + 1)).floor().cast(pl.Int64) + least


def _word(value: int) -> pl.Expr:
    return pl.lit(value, pl.UInt64)


def _varied(fact: Fact, draw: Draw) -> pl.Expr:
    """A fact as it is for one of those who are alike."""
    column = pl.col(fact.name)
    if fact.name in _SPREAD:
        factor = 1 + (draw.share(fact.name.partition(".")[0]) * 2 - 1) * _SPREAD[fact.name]
        if fact.kind == "series":
            return (column * factor).list.eval(pl.element().round().cast(pl.Int64)).alias(fact.name)
        spread = column * factor
        return (spread.round().cast(pl.Int64) if fact.integral else spread.round(4).clip(fact.least, fact.most)).alias(fact.name)
    if fact.kind == "date" and not fact.name.startswith("custom."):
        days = draw.between("days", 0, _DAYS)
        today = pl.lit(draw.today)
        return (column + pl.duration(days=pl.when(column > today).then(days).otherwise(-days))).alias(fact.name)
    return _named(fact, draw).alias(fact.name)


def _named(fact: Fact, draw: Draw) -> pl.Expr:
    """Places, persons and cases, of which there are many."""
    column = pl.col(fact.name)
    city = pl.col("account.province").str.slice(0, 2) + draw.between("city", 1, 20).cast(pl.String).str.zfill(2)
    county = city + draw.between("county", 1, 9).cast(pl.String).str.zfill(2)
    grid = pl.format("G-{}-{}", county, draw.between("grid", 1, 40))
    made: dict[str, pl.Expr] = {
        "account.city": city + "00",
        "account.county": county,
        "account.grid": grid,
        "cases.id": pl.format("C-202611{}-{}", draw.between("case day", 10, 20), draw.between("case", 1, 9999)),
        "cases.owner": pl.format("OPS-{}", draw.between("owner", 1, 400)),
    }
    if fact.name in made:
        return pl.when(column.is_not_null()).then(made[fact.name])
    if fact.name == "contract.rebate_due":
        return pl.when(draw.share(fact.name) < 0.02).then(draw.between("rebate", 5, 60) * 100).otherwise(0)
    if fact.name == "home.fttr":
        return pl.when(pl.col("home.has_broadband").is_not_null()).then(draw.share(fact.name) < 0.1)
    return column


def _older(frame: pl.DataFrame, name: str, draw: Draw) -> pl.Series:
    """A history that is older by so much, the same for all of it, so that its order stays."""
    long = frame.select(NUMBER, pl.col(name).alias("entry"), (draw.between("minutes", 0, _MINUTES) * 60_000_000).alias("by"))
    long = long.filter(pl.col("entry").list.len() > 0).explode("entry")
    fields = [field.name for field in _fields(frame.schema[name])]
    at = pl.col("entry").struct.field("at") - pl.col("by").cast(pl.Duration("us"))
    entry = pl.struct(at.alias("at"), *(pl.col("entry").struct.field(field) for field in fields if field != "at"))
    lists = long.select(NUMBER, entry.alias("entry")).group_by(NUMBER, maintain_order=True).agg("entry")
    whole = frame.select(NUMBER, name).join(lists, on=NUMBER, how="left", maintain_order="left")
    return whole.select(pl.coalesce("entry", name).alias(name)).to_series()


def _fields(kind: Any) -> Sequence[pl.Field]:
    return kind.inner.fields  # type: ignore[no-any-return]


def _written(fact: Fact) -> pl.Expr:
    return pl.col(fact.name) / 100.0 if fact.name in IN_YUAN else pl.col(fact.name)
