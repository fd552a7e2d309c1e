"""What a part adds to the anonymous daily counts: what `app.record.counting` counts of each of its decisions, over columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import orjson
import polars as pl

from app.campaign.batch import PLACE
from app.record.campaigns.bodies import gate_of
from app.record.counting import GROUPS, TENURE, UNKNOWN, at_gate, grouped

if TYPE_CHECKING:
    from app.campaign.deciding import Decided
    from app.campaign.figures import Figures
    from app.campaign.screening import Became
    from app.engine.pack import Pack

Count = tuple[str, str, int]
"""Measure, what it is grouped by, number."""
_POLICY = ("contact", "guardrail")
_FACTS: Mapping[str, str] = {
    "tenure": "account.tenure_months",
    "age": "holder.age_band",
    "region": "account.province",
    "tier": "vip.tier",
}
_TEST_LINE = "account.test_number"
_WITHIN = r'(?:[^{}"]|"(?:[^"\\]|\\.)*")*?'
"""What stands in a section of a case before a field of it."""
_VALUE = r'([0-9]+|true|false|"(?:[^"\\]|\\.)*")'


def daily_counts(pack: Pack, facts: pl.DataFrame, cases: pl.Series, decided: Decided, figures: Figures) -> list[Count]:
    """What the decisions of a part add, without those about lines for tests and staff; in one order whatever the order of the rows.

    Args:
        pack: what decided.
        facts: of the part's subscribers.
        cases: of the same, as JSON.
        decided: the decisions.
        figures: of all of them.
    """
    told = _Told(pack, facts, cases)
    test = told.of(_TEST_LINE).eq("true").fill_null(value=False)
    kept_out = figures.kept_out
    if test.any():
        kept_out = kept_out - _kept_out(decided.outcomes.filter(test), decided.legend)
    values = {group: told.of(name).fill_null(UNKNOWN) for group, name in _FACTS.items() if group != "tenure"}
    values |= {"tenure": _bands(told.of(_FACTS["tenure"])), "channel": facts["request.channel"]}
    groups = facts.select(PLACE).with_columns(values[group].alias(group) for group in GROUPS).filter(~test)
    ranked = decided.ranked.join(groups, on=PLACE, how="semi")
    empty = decided.subscribers.filter(~test)["empty_because"]
    return sorted([*_by_group(groups, ranked), *_by_gate(pack, kept_out, ranked["action"], empty)])


class _Told:
    """What the cases of a part say, as text: from the columns, and where these are blank for what is too old from the cases."""

    def __init__(self, pack: Pack, facts: pl.DataFrame, cases: pl.Series) -> None:
        self._facts, self._cases = facts, cases
        self._whole = {base.name for base in pack.base if base.max_age is None}

    def of(self, name: str) -> pl.Series:
        """A fact as the cases have it; null where it is not known."""
        known = _as_text(self._facts[name]) if name in self._facts.columns else self._blank()
        if name in self._whole or not known.null_count():
            return known
        places = known.is_null().arg_true()
        section, _, field = name.partition(".")
        asked = self._cases.gather(places).cast(pl.String).alias("case").to_frame()
        found = asked.select(pl.col("case").str.extract(f'"{section}":\\{{{_WITHIN}"{field}":{_VALUE}')).to_series()
        return known.scatter(places, found.map_elements(_from_json, return_dtype=pl.String))

    def _blank(self) -> pl.Series:
        return pl.Series([None], dtype=pl.String).new_from_index(0, self._facts.height)


def _from_json(text: str) -> str:
    """A value as its case writes it, as text."""
    return str(orjson.loads(text)) if text.startswith('"') else text


def _as_text(values: pl.Series) -> pl.Series:
    return (values.cast(pl.Int64) if values.dtype == pl.Float64 else values).cast(pl.String)


def _bands(tenure: pl.Series) -> pl.Series:
    """The band of each tenure, as text, in months."""
    months = tenure.cast(pl.Int64)
    places = pl.Series(list(TENURE)).search_sorted(months.fill_null(0), side="right").cast(pl.Int64) - 1
    return pl.Series(list(TENURE.values()))[places].zip_with(months.is_not_null(), pl.Series([UNKNOWN]).new_from_index(0, len(months)))


def _kept_out(outcomes: pl.DataFrame, legend: Mapping[str, Sequence[Became]]) -> Counter[tuple[str, str, str]]:
    """Subscribers and actions that some rows keep apart, by action, cause and clause."""
    found = Counter[tuple[str, str, str]]()
    for action, became in legend.items():
        for code, number in outcomes[action].value_counts().iter_rows():
            cause, clause = became[code].cause, became[code].clause
            if cause is not None:
                found[action, cause, clause or ""] += number
    return found


def _by_group(groups: pl.DataFrame, ranked: pl.DataFrame) -> Iterator[Count]:
    given = ranked.group_by(PLACE).agg(offered=(pl.col("duty") == "offer").any(), concession=pl.col("concession").sum())
    people = groups.join(given, on=PLACE, how="left").with_columns(
        pl.col("offered").fill_null(value=False), pl.col("concession").fill_null(0)
    )
    sums = {
        "decision": pl.len(),
        "offered": pl.col("offered").sum(),
        "conceded": (pl.col("concession") > 0).sum(),
        "concession": pl.col("concession").sum(),
    }
    wanted = [expression.alias(f"sum of {name}") for name, expression in sums.items()]
    found: list[tuple[str, pl.DataFrame]] = [("{}", people.select(wanted))]
    for group in GROUPS:
        found += [
            (grouped(group, value), row) for (value,), row in people.group_by(group).agg(wanted).partition_by(group, as_dict=True).items()
        ]
    for told, row in found:
        yield from ((name, told, number) for name in sums if (number := row[f"sum of {name}"][0]))


def _by_gate(pack: Pack, kept_out: Counter[tuple[str, str, str]], offered: pl.Series, empty: pl.Series) -> Iterator[Count]:
    funnel, kept = Counter[str](), Counter[str]()
    for (action, cause, clause), number in kept_out.items():
        gate = gate_of(pack.by_id[action], cause, clause)
        funnel[at_gate(gate, cause)] += number
        if gate in _POLICY:
            kept[at_gate(gate, cause, clause)] += number
    if len(offered):
        funnel[at_gate("offered", "offered")] += len(offered)
    yield from (("funnel", told, number) for told, number in funnel.items())
    yield from (("kept_out", told, number) for told, number in kept.items())
    yield from (("action", grouped("action", action), number) for action, number in offered.value_counts().iter_rows())
    yield from (("empty", grouped("because", cause), number) for cause, number in empty.drop_nulls().value_counts().iter_rows())
