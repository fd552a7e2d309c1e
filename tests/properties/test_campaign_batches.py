"""A campaign is the same whatever its batches: figures and held rows do not depend on how many there are, how large or in which order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.campaign.figures import Figures, figures_of
from app.campaign.limits import CONTENDERS, Budget, Capacity, Control, Household, Limits, contenders, hold
from tests.decided import Frames, decisions, frames
from tests.pipeline import TIMES, shipped

pytestmark = pytest.mark.properties

N = 240
LIMITS = Limits(
    budget=Budget(concession=1_500, cost=40_000),
    cost={"outbound_call": 350, "sms_marketing": 5},
    capacity=(Capacity(channel="outbound_call", per_day=15), Capacity(per_team_and_day=9)),
    days=2,
    team="account.grid",
    household=Household(fact="custom.household"),
    control=Control(name="c", percent=10),
)


def facts(batch: Frames) -> pl.DataFrame:
    """Teams, households and channels by the subscriber's own row, whichever batch it is in."""
    row = pl.col("row")
    return batch.subscribers.select("i", "row", "subscriber").with_columns(
        pl.when(row % 7 == 0).then(None).otherwise(pl.format("t{}", row % 5)).alias("account.grid"),
        pl.when(row % 3 == 0).then(pl.format("h{}", row % 31)).alias("custom.household"),
        pl.when(row % 4 == 0).then(pl.lit("sms_marketing")).otherwise(pl.lit("outbound_call")).alias("request.channel"),
    )


def batches(cuts: Sequence[int]) -> list[Frames]:
    done, ends = decisions(11, N), [0, *sorted(cuts), N]
    return [frames(shipped(), done[begin:end], first=begin + 1) for begin, end in pairwise(ends)]


def counted(parts: Sequence[Frames]) -> Figures:
    found = Figures()
    for part in parts:
        found.add(part)
    return found


WHOLE = batches(())
FIGURES = orjson.dumps(counted(WHOLE).as_json())
HELD = hold(LIMITS, contenders(WHOLE[0], facts(WHOLE[0]), LIMITS), salt="salt")


def test_the_limits_hold_something_for_every_cause() -> None:
    """Else what follows would show nothing."""
    assert {cause for _, cause, _ in HELD.counts} == {"control", "household", "budget", "capacity"}
    assert HELD.rows["day"].n_unique() == 3
    assert HELD.kept > 20


@settings(max_examples=12 * TIMES, deadline=None)
@given(st.lists(st.integers(0, N), max_size=9), st.randoms(use_true_random=False))
def test_batches_of_any_size_in_any_order_give_the_same(cuts: list[int], dice: random.Random) -> None:
    """Figures to the byte, merged one into the other or added to one; and the same rows are held, on the same days."""
    parts = batches(cuts)
    dice.shuffle(parts)
    assert orjson.dumps(counted(parts).as_json()) == FIGURES
    merged = Figures()
    for part in parts:
        merged.merge(figures_of(orjson.loads(orjson.dumps(counted([part]).as_json()))))
    assert orjson.dumps(merged.as_json()) == FIGURES
    rows = pl.concat([contenders(part, facts(part), LIMITS) for part in parts])
    found = hold(LIMITS, rows.lazy(), salt="salt")
    assert found.rows.equals(HELD.rows)
    assert (found.counts, found.kept, found.emptied, found.given, found.cost, found.beyond) == (
        HELD.counts,
        HELD.kept,
        HELD.emptied,
        HELD.given,
        HELD.cost,
        HELD.beyond,
    )


@settings(max_examples=60 * TIMES, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["owed", "care", "offer"]), st.integers(0, 3), st.integers(0, 5), st.integers(0, 4)), max_size=30)
)
def test_what_goes_out_is_within_the_limits(given: list[tuple[str, int, int, int]]) -> None:
    """But for what is owed; and whatever is held would not have fitted, or comes after one that did not."""
    rows = pl.DataFrame(
        [
            {"row": n, "subscriber": f"s{n}", "rank": 1, "action": "a", "duty": duty, "score": float(score), "concession": 10 * gives}
            | {"channel": "app", "team": f"t{home % 2}", "household": f"h{home}"}
            for n, (duty, score, gives, home) in enumerate(given)
        ],
        dict(CONTENDERS),
    )
    limits = Limits(Budget(concession=60), {}, (Capacity(per_team_and_day=2),), 2, "t", household=Household(fact="h"))
    found = hold(limits, rows, salt="x")
    went = found.rows.join(rows.select("row", "duty", "concession", "team", "household"), on="row").filter(pl.col("day").is_not_null())
    assert found.rows.height == len(given)
    assert rows.filter(duty="owed").height == went.filter(duty="owed").height
    free = went.filter(pl.col("duty") != "owed")
    owed = went.filter(duty="owed")
    assert free["concession"].sum() == 0 or went["concession"].sum() <= 60
    assert went.height == 0 or owed.height > 0 or went.group_by("team", "day").len()["len"].max() <= 2
    assert free.join(owed, on="household", how="semi").height == 0
    assert free["household"].is_duplicated().sum() == 0
