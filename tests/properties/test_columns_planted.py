"""Differences planted in either way of deciding: the comparisons of this folder notice each, whichever side it is on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import polars as pl
import pytest

from app.campaign import choosing, deciding, histories, joining, screening, wanting
from app.campaign.batch import PLACE, Batch
from app.campaign.deciding import decide_batch
from app.campaign.plan import Plan
from app.engine import arbitration, runtime, signals, to_polars, to_python
from app.engine.case import Case
from app.engine.pack import Pack
from app.engine.tree import Node
from tests.column_expressions import alike, column_values, random_people, row_values
from tests.columns import batch_on, by_rows, differences, on_channel, told, values_apart
from tests.expressions import CONTACT, tree
from tests.rich_packs import CHANNELS, rich_pack, rich_subscribers

pytestmark = pytest.mark.properties

Planting = Callable[[pytest.MonkeyPatch], None]
TEXTS = (
    "mean(billing.total, 3)",
    "mean(custom.steps, 4)",
    "median(custom.steps, 2)",
    "total(usage.data_mb, 2) / custom.n",
    "custom.n / 3 + custom.n / 7",
    "change(billing.total, 2)",
    "share_over(usage.data_mb, 2, 3)",
    "custom.n <= 3",
    "custom.whole > 1 and custom.n < 5",
    "not (custom.ok and custom.n == 1)",
    "custom.whole != 2 or known(plan.id)",
    "at_least(2, custom.ok, custom.n > 1, home.has_broadband)",
    "days_since(custom.visit)",
    "days_until(contract.promo_end) < 30",
    "custom.visit < contract.promo_end",
    "'red' in custom.tags",
    "overlap(services.held, param.packs)",
    "count(events.complaint, days=30)",
    "count(events.complaint, same='topic')",
    "count(events.fault, area=plan.id)",
    "count(events.contact, days=90, result='refused')",
    "since(events.fault)",
    "contacted(days=90)",
    "refused(days=90, category='toll')",
    "fee_on(plan.id, 2)",
    "best_fee(2)",
    "bucket('pilot')",
    "max(custom.n, 3)",
    "first_known(custom.n, 4)",
)
"""A little of everything that the language says."""


def test_nothing_is_noticed_where_nothing_is_planted() -> None:
    """What notices a plant has nothing else to notice."""
    assert list(expressions_apart()) == []
    assert list(decisions_apart()) == []


@cache
def _trees() -> tuple[Node, ...]:
    return tuple(tree(text, CONTACT) for text in TEXTS)


def expressions_apart() -> Iterator[Any]:
    """The expressions that come to something else on columns than one by one."""
    nodes = _trees()
    people = random_people(random.Random(3), nodes, 400)
    for one, other in zip(row_values(nodes, people), column_values(nodes, people), strict=True):
        yield from (text for text, value, found in zip(TEXTS, one, other, strict=True) if not alike(value, found))


@cache
def _subscribers() -> tuple[list[Case], Batch]:
    return rich_subscribers(21, 400)


@cache
def _packs() -> tuple[Pack, ...]:
    return tuple(map(rich_pack, (1, 8, 2, 5, 3, 9)))


def decisions_apart() -> Iterator[Any]:
    """The whole decisions, and the values behind them, that differ."""
    cases, batch = _subscribers()
    for seed, pack in enumerate(map(replace, _packs())):  # as if new: nothing is laid out yet
        channel = CHANNELS[seed % len(CHANNELS)]
        met = on_channel(cases, channel)
        decided = decide_batch(pack, batch_on(batch, channel))
        yield from differences(by_rows(pack, met), told(decided))
        yield from values_apart(pack, met[:40], decided)


def in_columns(table: Any, name: str, other: Any) -> Planting:
    """Something else in place of a name, or of an entry of a table."""
    if isinstance(table, dict):
        return lambda patch: patch.setitem(table, name, other)
    return lambda patch: patch.setattr(table, name, other)


in_rows = in_columns


def _unknown_is_false(self: Any, node: Any, compared: Any = to_polars.Columns._compared) -> pl.Expr:
    found: pl.Expr = compared(self, node).fill_null(False)
    return found


def _through_a_scalar(over: pl.Expr, under: pl.Expr) -> pl.Expr:
    ratio = over * (1 / under)
    return pl.when(ratio.abs() <= 1e12).then(ratio)


def _window_with_its_start(spec: Any, met: Any = histories._met) -> pl.Expr:
    later: pl.Expr = met(replace(spec, days=spec.days and spec.days + 1))
    return later if spec.days is None else later & (pl.col("at") >= pl.col(f"now:{spec.clock}") - spec.days * runtime.DAY)


def _every_contact_counts(rows: pl.DataFrame, specs: Any) -> pl.DataFrame:
    return rows.group_by(PLACE).agg(pl.col([spec.name for spec in specs]).sum())


def _whatever_the_filter(spec: Any, *given: Any, finished: Any = histories._finished) -> pl.Expr:
    found: pl.Expr = finished(replace(spec, filters=()), *given)
    return found


def _first_of_two(self: Any, node: Any) -> pl.Expr:
    found: pl.Expr = self.expression(node.arguments[0])
    return found


EXPRESSIONS: dict[str, Planting] = {
    "columns: less for at most": in_columns(to_polars._compare, "<=", pl.Expr.lt),
    "columns: unknown is false": in_columns(to_polars.Columns, "_compared", _unknown_is_false),
    "columns: division through the reciprocal": in_columns(to_polars, "_quotient", _through_a_scalar),
    "columns: a mean through a scalar": in_columns(to_polars, "_column", lambda value: 1 / pl.lit(float(value))),
    "columns: a window that holds its start": in_columns(histories, "_met", _window_with_its_start),
    "columns: every contact of a message counts": in_columns(histories, "_messages", _every_contact_counts),
    "columns: any group for the largest": in_columns(histories, "_of_groups", lambda spec: False),
    "columns: contacts are no events": in_columns(
        histories, "history_of", lambda batch, kind: batch.events.get(kind, pl.DataFrame(schema=histories.no_history(kind).schema))
    ),
    "columns: never is a day": in_columns(to_polars, "NEVER", -1),
    "columns: the first for the first known": in_columns(to_polars.Columns, "_first_known", _first_of_two),
    "columns: another salt": in_columns(Plan, "_hashed", lambda self, frame, column: pl.Series(column.name, [7.0] * frame.height)),
    "columns: sums from the right": in_columns(to_polars, "_sum", lambda values: sum(reversed(values[:-1]), values[-1])),
    "columns: an unknown filter finds nothing": in_columns(histories, "_finished", _whatever_the_filter),
    "rows: unknown conditions count as held": in_rows(
        to_python._environment, "at_least", lambda needed, *held: held.count(False) <= len(held) - needed
    ),
    "rows: the lower of two for the median": in_rows(
        to_python._environment, "median", lambda series, cycles: runtime.median(series, cycles - 1 + cycles % 2)
    ),
    "rows: the largest for the smallest cost": in_rows(to_python._environment, "best", lambda plans, *use: (1e9, "plan_59")),
    "rows: division that rounds": in_rows(
        to_python._environment, "quotient", lambda over, under: None if under == 0 else round(over / under, 9)
    ),
    "rows: unknown is true": in_rows(
        to_python, "_guarded", lambda unknown, expression: f"(True if {' or '.join(unknown)} else {expression})" if unknown else expression
    ),
    "rows: a share of what is no less": in_rows(
        to_python._environment, "share_over", lambda series, limit, cycles: runtime.share_over(series, limit and limit - 1, cycles)
    ),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_that_means_something_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function, a comparison or unknowns that one compiler takes otherwise."""
    EXPRESSIONS[name](monkeypatch)
    assert next(expressions_apart(), None) is not None


def _but(place: int) -> Callable[..., Any]:
    """The tests of an action without one of its gates."""
    at_the_gates = screening._at_the_gates

    def tests(action: Any, entry: Any) -> Iterator[Any]:
        return at_the_gates(action, entry and replace(entry, gates=entry.gates[place:]))

    return tests


def _open_when_unknown(*given: Any, at_the_gates: Any = screening._at_the_gates) -> Iterator[Any]:
    return (item for item in at_the_gates(*given) if item.became.cause != "unknown" or item.became.clause == "concession")


def _scored_without(name: str, value: pl.Expr) -> Callable[..., Any]:
    scored = deciding._scored

    def parts(pack: Pack, entry: Any) -> list[pl.Expr]:
        return [value.alias(name) if part.meta.output_name() == name else part for part in scored(pack, entry)]

    return parts


def _ties_by_the_last_id(standing: Any) -> pl.DataFrame:
    found = deciding_in_order(standing)
    return (
        found.sort(PLACE, "duty", "score", "act", descending=[False, True, True, True])
        .drop("order")
        .with_row_index("order")
        .select(found.columns)
    )


deciding_in_order = deciding._in_order


def _everybody_is_in_a_hurry(*given: Any, conflict: Any = arbitration._conflict) -> Any:
    found = conflict(*given)
    return None if found is not None and found[0] == "commitments" else found


def _forgetful(*given: Any, score: Any = arbitration.score) -> Any:
    found = score(*given)
    return found._replace(ranked=found.ranked._replace(score=found.ranked.score / (found.ranked.relevance or 1)))


def _weakest(signal: Any, values: Any) -> Any:
    return next((level for level in reversed(signal.levels) if values[level.slot] is True), None)


def _in_haste(self: Any, entry: Any, undecided: Any, of_action: Any = wanting._Asked.of_action) -> None:
    of_action(self, replace(entry, contact=(), guardrails=()), undecided)


DECISIONS: dict[str, Planting] = {
    "columns: a gate skipped": in_columns(screening, "_at_the_gates", _but(1)),
    "columns: unknown gates are open": in_columns(screening, "_at_the_gates", _open_when_unknown),
    "columns: priority ignored": in_columns(deciding, "_scored", _scored_without("priority", pl.lit(0, pl.Int64))),
    "columns: ties by the last id": in_columns(deciding, "_in_order", _ties_by_the_last_id),
    "columns: no cap of a category": in_columns(choosing, "_too_many_alike", lambda pack: pl.lit(False)),
    "columns: a limit that may not be reached": in_columns(
        choosing, "_too_dear", lambda: pl.col("spent") + pl.col("concession") >= pl.col("concession_limit")
    ),
    "columns: offers before service": in_columns(choosing, "_comes_after_service", lambda pack: pl.lit(False)),
    "columns: one list as long as any": in_columns(
        deciding, "_limits", lambda pack, seen: seen.select(PLACE, pl.lit(pack.choosing.max_actions).alias("limit"), "concession_limit")
    ),
    "columns: fallbacks that are not permitted": in_columns(deciding, "permitted", lambda entry: pl.lit(True)),
    "columns: fallbacks that are not possible": in_columns(deciding, "possible", lambda entry: pl.lit(True)),
    "columns: marketing by the whole profile": in_columns(deciding, "_OWN", ()),
    "columns: patterns whose condition fails": in_columns(
        joining, "_column", lambda rule, places: pl.lit(False).alias(f"joined:{rule.id}")
    ),
    "columns: stronger phases want nothing": in_columns(wanting._Asked, "of_phases", lambda self: None),
    "columns: contact policy and guardrails want nothing": in_columns(wanting._Asked, "of_action", _in_haste),
    "columns: what is too old is not missed": in_columns(wanting._Asked, "_too_old", lambda self: ()),
    "columns: what is known is missed": in_columns(wanting, "_nothing_in", lambda seen: seen.select(pl.all().is_null() | True).to_dict()),
    "rows: bound as often as may be": in_rows(arbitration, "_conflict", _everybody_is_in_a_hurry),
    "rows: the moment weighs nothing": in_rows(arbitration, "score", _forgetful),
    "rows: the weakest level": in_rows(signals, "strongest", _weakest),
    "rows: fallbacks that nobody asked about": in_rows(arbitration, "rules_out", lambda kept: False),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_that_goes_another_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate, a rule of choosing, a fallback or a part of the score that one pipeline leaves out or takes otherwise."""
    DECISIONS[name](monkeypatch)
    assert next(decisions_apart(), None) is not None
