"""Figures of a campaign: counts over batches that add up, as JSON, and read again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import orjson
import polars as pl
import pytest

from app.campaign.figures import EDGES, FORM, Figures, figures_of
from app.campaign.problems import CellProblem, TableError
from tests.decided import Frames, decisions, frames
from tests.pipeline import shipped

pytestmark = pytest.mark.unit

N = 150


def counted(seed: int = 5, n: int = N) -> Figures:
    found = Figures()
    found.add(frames(shipped(), decisions(seed, n)))
    return found


def nobody() -> Frames:
    return frames(shipped(), ())


def test_what_is_counted_is_what_was_decided() -> None:
    """Stages, phases, moments, signals, lists and causes, subscriber by subscriber."""
    found, done = counted(), [decision for _, decision in decisions(5, N)]
    assert (found.read, found.decided, found.rejected) == (N, N, 0)
    assert found.stages == Counter(decision.stage.id for decision in done)
    assert found.phases == Counter(decision.phase.id for decision in done)
    assert found.moments == Counter(decision.moment for decision in done)
    assert found.signals == Counter(held for decision in done for held in decision.signals)
    assert found.with_signal == sum(bool(decision.signals) for decision in done)
    assert found.personalised == sum(decision.personalised for decision in done)
    assert found.lengths == Counter(len(decision.ranked) for decision in done)
    assert found.with_actions == sum(bool(decision.ranked) for decision in done)
    assert found.empty == Counter(decision.empty_because for decision in done if decision.empty_because)
    assert found.ranks == Counter((item.action, item.rank) for decision in done for item in decision.ranked)
    assert found.first() == Counter(decision.ranked[0].action for decision in done if decision.ranked)
    assert found.offered() == Counter(item.action for decision in done for item in decision.ranked)
    assert +found.given == +Counter(
        {action.id: sum(i.concession for d in done for i in d.ranked if i.action == action.id) for action in shipped().actions}
    )
    assert found.fallbacks == Counter((i.action, i.fallback_for) for d in done for i in d.ranked if i.fallback_for)


def test_every_action_that_was_not_offered_has_its_cause_and_clause() -> None:
    """Those that lost their place as well; offered and kept out together make every pair of subscriber and action."""
    found, done = counted(), [decision for _, decision in decisions(5, N)]
    causes = Counter((o.action, o.cause, o.clause or "") for decision in done for o in decision.outcomes if o.cause)
    assert found.kept_out == causes
    assert any(cause == "outranked" for _, cause, _ in causes)
    assert found.kept_out.total() + found.offered().total() == N * len(shipped().actions)
    most = max(found.clauses().items(), key=lambda item: item[1])
    assert next(iter(found.clauses().items())) == most
    action = shipped().actions[0].id
    assert sum(found.kept_out_of(action).values()) + found.offered()[action] == N


@pytest.mark.parametrize(
    ("score", "bucket"),
    [(-5.0, 0), (0.0, 0), (0.99, 0), (1.0, 1), (1.5, 1), (2.0, 2), (4.99, 2), (5.0, 3), (10.0, 4), (9.9e99, len(EDGES))],
)
def test_a_score_falls_into_the_bucket_that_begins_at_or_below_it(score: float, bucket: int) -> None:
    """A score on an edge belongs to the bucket above it; what is beyond the last edge stays in the last bucket."""
    empty = nobody()
    one = pl.DataFrame({**dict.fromkeys(empty.ranked.columns), "i": 0, "rank": 1, "action": "a", "score": score, "concession": 0})
    found = Figures()
    found.add(replace(empty, ranked=one.cast({"fallback_for": pl.String}), legend={}))
    assert found.scores == Counter({("a", bucket): 1})
    assert found.scores_of("a")[bucket] == 1


def test_concessions_are_summed_in_fen() -> None:
    """By action, over every list it is on."""
    empty = nobody()
    two = pl.DataFrame(
        {**dict.fromkeys(empty.ranked.columns), "i": [0, 1], "rank": 1, "action": "a", "score": 1.0, "concession": [500, 700]}
    )
    found = Figures()
    for _ in range(2):
        found.add(replace(empty, ranked=two.cast({"fallback_for": pl.String}), legend={}))
    assert found.given == {"a": 2400}


def test_a_batch_of_nobody_counts_nothing() -> None:
    """And leaves what was counted as it is."""
    found = counted()
    before = found.as_json()
    found.add(nobody())
    assert found.as_json() == before


def test_rejected_rows_are_read_and_not_decided() -> None:
    """Once each, however many reasons a row has; reasons are counted by column, or field where no column is known."""
    found = Figures()
    found.reject([CellProblem("`x` is not a number", "fee", kind="not a number"), CellProblem("y", None, "plan.id", "too long")])
    found.reject([CellProblem("`z` is not a number", "fee", kind="not a number")])
    found.rejected_rows(3, {("fee", "not a number"): 3})
    assert (found.read, found.decided, found.rejected) == (5, 0, 5)
    assert found.rejects == {("fee", "not a number"): 5, ("plan.id", "too long"): 1}


def test_facts_are_counted_for_whom_they_were_wanted_and_not_known() -> None:
    """By fact, over all batches; none stands there with nought."""
    found = Figures()
    for plan, value, fee in (([True, False], [True, True], [False, False]), ([True], [True], [False])):
        unknown = pl.DataFrame({"i": range(len(plan)), "plan.id": plan, "value.annual": value, "plan.monthly_fee": fee})
        found.add(replace(nobody(), unknown=unknown))
    assert found.as_json()["unknown_facts"] == {"value.annual": 3, "plan.id": 2}


def test_what_limits_kept_back_is_counted_beside_what_was_decided() -> None:
    """By action, cause and limit; deciding is not changed by it."""
    found = counted()
    before = found.offered()
    found.hold({("care_call", "capacity", "outbound_call"): 7, ("topup_rebate", "budget", "concession"): 9}, kept=40, emptied=6)
    found.hold({}, kept=2, emptied=1)
    told = found.as_json()
    assert [row["action"] for row in told["held"]] == ["topup_rebate", "care_call"]
    assert (told["kept"], told["emptied"]) == (42, 7)
    assert found.offered() == before


def test_figures_of_batches_add_up() -> None:
    """Two halves, merged either way round, are the whole; so are their bytes."""
    done = decisions(5, N)
    halves = [Figures(), Figures()]
    for half, part in zip(halves, (done[:60], done[60:]), strict=True):
        half.add(frames(shipped(), part))
        half.reject([CellProblem("x", "fee", kind="not a number")])
        half.hold({("a", "budget", "concession"): 2}, 3, 4)
    whole = counted()
    whole.rejected_rows(2, {("fee", "not a number"): 2})
    whole.hold({("a", "budget", "concession"): 4}, 6, 8)
    for one, other in ((0, 1), (1, 0)):
        merged = figures_of(halves[one].as_json())
        merged.merge(halves[other])
        assert orjson.dumps(merged.as_json()) == orjson.dumps(whole.as_json())


def test_json_has_the_most_frequent_first_and_ties_by_name() -> None:
    """So that equal runs give equal bytes."""
    found = Figures()
    found.stages.update({"b": 2, "a": 2, "c": 5})
    found.signals.update({("y", "high"): 1, ("x", "watch"): 1, ("x", "severe"): 1})
    found.ranks.update({("z", 1): 1, ("m", 2): 1, ("t", 1): 3})
    told = found.as_json()
    assert list(told["stages"]) == ["c", "a", "b"]
    assert list(told["signals"]) == ["x", "y"]
    assert list(told["actions"]) == ["t", "m", "z"]


def test_figures_are_read_as_they_were_written() -> None:
    """Every count is there again, so that a later run compares with it."""
    found = counted()
    found.reject([CellProblem("x", "fee", kind="not a number")])
    found.hold({("a", "budget", "concession"): 2}, 3, 4)
    found.unknown["plan.id"] = 8
    again = figures_of(orjson.loads(orjson.dumps(found.as_json())))
    for name in vars(found):
        one, other = getattr(found, name), getattr(again, name)
        assert (+one == +other) if isinstance(one, Counter) else one == other, name


@pytest.mark.parametrize(
    "data", [None, [], {}, {"form": FORM}, {**Figures().as_json(), "stages": 3}, {**Figures().as_json(), "held": [{}]}]
)
def test_what_are_no_figures_is_refused(data: Any) -> None:
    """With a message, not a traceback."""
    with pytest.raises(TableError, match="no figures of a campaign"):
        figures_of(data)


def test_figures_of_another_form_are_refused() -> None:
    """A release says which form it reads."""
    with pytest.raises(TableError, match="form 7, and this release reads form 1"):
        figures_of({**Figures().as_json(), "form": 7})
