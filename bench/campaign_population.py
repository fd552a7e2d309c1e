"""Subscribers of a mass-market operator as Parquet, seeded: the population of `mixture.py`, spread over as many people as are wanted.

    python -m bench.campaign_population FOLDER [--n 1000000] [--seed 1] [--as-of 2026-11-20T10:00:00+08:00]

Some tens of thousands of people are made one by one, as the tests make them, and dated to one day; everybody else is like one of them
in what is amiss, and differs in figures, days, places and names. A longer population of a seed begins with the shorter one.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).resolve().parent.parent
if sys.path[0] == str(ROOT / "bench"):  # in this folder `http` is not the standard library's
    sys.path[0] = str(ROOT)

from app.cli.tables import own_facts  # noqa: E402 - after the path that makes a script of this folder see the project
from app.engine.case import Case  # noqa: E402
from app.engine.facts import read_facts  # noqa: E402
from app.engine.pack import Pack, load_pack  # noqa: E402
from app.engine.vocabulary import EVENTS, FACTS, Fact  # noqa: E402
from bench.mixture import CONTENT, mixed  # noqa: E402

AS_OF = datetime.datetime(2026, 11, 20, 10, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
"""When the figures hold, for everybody, unless another time is given: a working day, at an hour at which people may be written to."""
PROTOTYPES = 20_000
"""People that are made one by one."""
PART = 100_000
"""Rows of a file."""
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
_IN_YUAN = frozenset({"pay.balance", "pay.overdue_amount", "value.arpu_6m", "value.annual"})
_NEVER = frozenset(
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
_ADDED = ("contract.rebate_due", "home.fttr")
"""Facts that the pack reads and the tests' population does not have."""
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


@dataclass(frozen=True, slots=True)
class Population:
    """Where a population is: a folder of Parquet files, and the mapping that says which column is which fact."""

    folder: Path
    mapping: Path

    @classmethod
    def at(cls, folder: Path) -> Population:
        """The population that is, or will be, in a folder."""
        return cls(folder / "rows", folder / "population.map.yaml")


def write_population(
    pack: Pack,
    folder: Path,
    n: int,
    *,
    seed: int = 1,
    as_of: datetime.datetime = AS_OF,
    prototypes: int = PROTOTYPES,
    part: int = PART,
    told: Callable[[int], None] = lambda _: None,
) -> Population:
    """Write a population, so many rows a file and no more in memory.

    Args:
        pack: says which facts are the operator's own, and who has events that patterns look at.
        folder: is made; `rows/` in it gets the files.
        n: how many people.
        seed: of the population.
        as_of: when the figures hold.
        prototypes: how many of them are made one by one.
        part: rows of a file.
        told: is told how many are written.
    """
    population = Population.at(folder)
    population.folder.mkdir(parents=True, exist_ok=True)
    population.mapping.write_text(mapping_text(pack), encoding="utf-8")
    made = prototype_people(pack, seed, min(n, prototypes), as_of)
    for first in range(0, n, part):
        many = min(part, n - first)
        people(pack, made, Draw(seed, as_of.date()), first, many).write_parquet(population.folder / f"part-{first // part:05}.parquet")
        told(first + many)
    return population


def facts_of(pack: Pack) -> Mapping[str, Fact]:
    """The facts that the population has, by name."""
    return {name: fact for name, fact in {**FACTS, **own_facts(pack)}.items() if name in _held(pack)}


def _held(pack: Pack) -> frozenset[str]:
    """What the tests' population tells, and what the pack reads besides; not what is about a conversation."""
    told = "account.city account.county account.grid account.star_level account.customer_class billing.discount cases.id churn.model"
    told += " contract.floor_amount contract.kind device.capabilities device.dual_sim digital.compare_visits_30d incident.expected_end"
    told += " network.fix_planned_on now.days_in_cycle plan.on_sale plan.overage_data_rate usage.voice_intl_min"
    return frozenset([*told.split(), *(fact.name for fact in pack.base if not fact.name.startswith("request."))])


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
    return pl.col(fact.name) / 100.0 if fact.name in _IN_YUAN else pl.col(fact.name)


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
    if fact.name in _IN_YUAN:
        return f"{{column: {column}, unit: yuan}}"
    return f"{{column: {column}, if_missing: null}}" if fact.name in _NEVER else column


def requests(pack: Pack, rows: pl.DataFrame, channel: str, as_of: datetime.datetime) -> Iterator[dict[str, Any]]:
    """The rows as bodies of `POST /v1/decisions` that say the same, in what-if."""
    facts = facts_of(pack)
    for row in rows.iter_rows(named=True):
        subscriber: dict[str, Any] = {"id": row["subscriber"]}
        for name, fact in facts.items():
            section, _, field = name.partition(".")
            value = row[column_of(name)]
            if value is not None or name in _NEVER:
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
    return round(value * 100) if fact.name in _IN_YUAN else _text(value)


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Writes a population of subscribers as Parquet, and its mapping.")
    parser.add_argument("folder", type=Path, help="is made")
    parser.add_argument("--n", type=int, default=1_000_000, help="subscribers")
    parser.add_argument("--seed", type=int, default=1, help="of the population")
    parser.add_argument("--as-of", type=datetime.datetime.fromisoformat, default=AS_OF, help=f"when the figures hold ({AS_OF.isoformat()})")
    options = parser.parse_args(arguments)
    made = write_population(load_pack(ROOT), options.folder, options.n, seed=options.seed, as_of=options.as_of, told=_tell)
    print(f"{made.folder} with {made.mapping}")


def _tell(written: int) -> None:
    print(f"{written:,} written", flush=True)


if __name__ == "__main__":
    main()
