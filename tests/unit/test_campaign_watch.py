"""Watching signals and tiers from run to run: who came and who went, shares against limits, and whether care did any good."""

from __future__ import annotations

import datetime
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from app.campaign.intervals import difference, wilson
from app.campaign.limits import CONTENDERS, Control, Limits, hold
from app.campaign.problems import TableError
from app.campaign.watch import Day, TierShare, Watch, Watched, forget, groups_of, tier_limits
from app.engine.runtime import bucket
from tests.decided import decisions, frames
from tests.pipeline import shipped

pytestmark = pytest.mark.unit

ONE, TWO, THREE = (datetime.date(2026, 11, day) for day in (20, 21, 22))
TARIFF, STACK = "four_high.tariff", "four_high.stack"
Carriers = dict[str, dict[str, str]]


def looked(folder: Path, day: datetime.date, people: Carriers, cuts: int = 1, groups: dict[str, str] | None = None, **facts: Any) -> Day:
    """A run over these people: the signals of each with their levels; `facts` by person."""
    watch = Watch(folder, day)
    names = list(people)
    for begin in range(0, len(names), -(-len(names) // cuts)):
        part = names[begin : begin + -(-len(names) // cuts)]
        base = frames(shipped(), ())
        held = [(i, signal, level) for i, name in enumerate(part) for signal, level in people[name].items()]
        signals = pl.DataFrame(held, base.signals.schema, orient="row")
        told = {name.replace("__", "."): [values.get(who) for who in part] for name, values in facts.items()}
        given = pl.DataFrame({"i": range(len(part)), "row": range(begin, begin + len(part)), "subscriber": part, **told})
        watch.add(replace(base, signals=signals, legend={}), given.cast({"i": pl.UInt32}))
    rows = {name: row for row, name in enumerate(names)}
    group = pl.DataFrame([(rows[name], of) for name, of in (groups or {}).items()], {"row": pl.Int64, "group": pl.String}, orient="row")
    return watch.finish(group, {"gold": 0.4})


def test_carriers_are_counted_by_signal_level_tier_and_region(tmp_path: Path) -> None:
    """Of watched signals only; what is not known stands by itself."""
    people = {"a": {TARIFF: "high", "relation.no_care": "high"}, "b": {TARIFF: "severe"}, "c": {TARIFF: "high"}, "d": {}}
    day = looked(tmp_path, ONE, people, vip__tier={"a": "gold", "b": "gold"}, account__city={"a": "x", "b": "x", "c": "y"})
    assert [(one.signal, one.subscribers, dict(one.levels)) for one in day.signals] == [(TARIFF, 3, {"high": 2, "severe": 1})]
    assert day.cube.rows() == [(TARIFF, "high", "gold", "x", 1), (TARIFF, "high", None, "y", 1), (TARIFF, "severe", "gold", "x", 1)]
    assert (day.subscribers, day.since) == (4, None)


def test_a_first_run_has_nothing_to_compare_with(tmp_path: Path) -> None:
    """So nobody came."""
    day = looked(tmp_path, ONE, {"a": {TARIFF: "high"}})
    assert [(one.before, one.entered, one.left) for one in day.signals] == [(0, 0, 0)]
    assert day.effects == ()


def test_who_came_and_who_went_is_told_by_id(tmp_path: Path) -> None:
    """Also who is on another level; who is not in the input is counted, and not named."""
    before = {"a": {TARIFF: "high"}, "b": {TARIFF: "high"}, "c": {TARIFF: "severe"}, "d": {TARIFF: "high"}, "e": {TARIFF: "high"}}
    before["g"] = {TARIFF: "watch"}
    looked(tmp_path, ONE, before)
    now = {"a": {TARIFF: "high"}, "b": {}, "c": {TARIFF: "high"}, "d": {TARIFF: "severe"}, "f": {TARIFF: "high"}, "g": {TARIFF: "high"}}
    day = looked(tmp_path, TWO, now, account__city=dict.fromkeys(now, "x"))
    assert day.since == ONE
    (found,) = day.signals
    assert (found.subscribers, found.before, found.entered, found.left, found.unseen, found.worse, found.better) == (5, 6, 1, 1, 1, 2, 1)
    assert day.moves.select("subscriber", "region", "before", "now").rows() == [
        ("b", "x", "high", None),
        ("c", "x", "severe", "high"),
        ("d", "x", "high", "severe"),
        ("f", "x", None, "high"),
        ("g", "x", "watch", "high"),
    ]


def test_a_signal_that_everybody_lost_is_still_told(tmp_path: Path) -> None:
    """With nobody carrying it."""
    looked(tmp_path, ONE, {"a": {TARIFF: "high"}})
    (found,) = looked(tmp_path, TWO, {"a": {}}).signals
    assert (found.subscribers, found.before, found.left) == (0, 1, 1)


def test_batches_make_no_difference(tmp_path: Path) -> None:
    """Of a run, nor of the one before."""
    before = {f"s{n}": {TARIFF: "high"} if n % 2 else {STACK: "severe"} for n in range(20)}
    now = {f"s{n}": {TARIFF: "severe"} if n % 3 else {} for n in range(25)}
    days = []
    for name, cuts in (("whole", 1), ("parts", 4)):
        looked(tmp_path / name, ONE, before, cuts)
        days.append(looked(tmp_path / name, TWO, now, cuts))
    assert days[0].as_json() == days[1].as_json()
    assert days[0].moves.equals(days[1].moves)
    assert days[0].cube.equals(days[1].cube)


def test_a_run_compares_with_the_last_earlier_day(tmp_path: Path) -> None:
    """Run again on the same day, it takes that day's place; older flags than those compared with are gone."""
    looked(tmp_path, ONE, {"a": {TARIFF: "high"}})
    looked(tmp_path, TWO, {"a": {}})
    again = looked(tmp_path, TWO, {"a": {}})
    assert (again.since, again.signals[0].left) == (ONE, 1)
    assert looked(tmp_path, THREE, {"a": {TARIFF: "high"}}).signals[0].entered == 1
    assert sorted(path.name for path in tmp_path.glob("flags-*")) == [f"flags-{TWO}.parquet", f"flags-{THREE}.parquet"]
    assert sorted(path.name for path in tmp_path.glob("*.json")) == [f"{day}.json" for day in (ONE, TWO, THREE)]


def test_the_folder_names_nobody(tmp_path: Path) -> None:
    """Only who carries something stands there, under a key of the folder's own; nobody else may read it."""
    folders = [tmp_path / name for name in ("x", "y")]
    for folder in folders:
        looked(folder, ONE, {"13812345678": {TARIFF: "high"}, "13900000000": {}})
    for folder in folders:
        for path in folder.iterdir():
            assert b"13812345678" not in path.read_bytes()
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    one, other = (pl.read_parquet(folder / f"flags-{ONE}.parquet") for folder in folders)
    assert (one.height, other.height) == (1, 1)
    assert one["who"].to_list() != other["who"].to_list()
    assert not {"subscriber", "row"} & set(one.columns)


def test_a_person_is_forgotten(tmp_path: Path) -> None:
    """In every run that is kept; the others stay."""
    for day in (ONE, TWO):
        looked(tmp_path, day, {"a": {TARIFF: "high"}, "b": {TARIFF: "high"}})
    assert (forget(tmp_path, "a"), forget(tmp_path, "a"), forget(tmp_path, "z")) == (2, 0, 0)
    (found,) = looked(tmp_path, THREE, {"a": {}, "b": {}}).signals
    assert (found.before, found.left) == (1, 1)


def test_flags_without_their_key_are_of_no_use(tmp_path: Path) -> None:
    """That is told, and no new key is made in its place."""
    looked(tmp_path, ONE, {"a": {TARIFF: "high"}})
    (tmp_path / "key").unlink()
    with pytest.raises(TableError, match="has no key"):
        Watch(tmp_path, TWO)
    with pytest.raises(TableError, match="has no key"):
        forget(tmp_path / "none", "a")
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(TableError, match="is not the key of a watch folder"):
        Watch(tmp_path, TWO)


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    """By its name."""
    looked(tmp_path, ONE, {"a": {TARIFF: "high"}})
    (tmp_path / f"flags-{ONE}.parquet").write_bytes(b"PAR1")
    with pytest.raises(TableError, match=f"flags-{ONE}.parquet` is not a file of a watch folder"):
        Watch(tmp_path, TWO)


def test_tiers_are_held_against_their_limit(tmp_path: Path) -> None:
    """Of those whose tier is known; one without a limit is never over it."""
    tiers = {"a": "gold", "b": "gold", "c": "silver", "e": "none"}
    day = looked(tmp_path, ONE, {name: {} for name in "abcde"}, vip__tier=tiers)
    assert [(one.tier, one.subscribers, one.share, one.limit, one.over) for one in day.tiers] == [
        ("gold", 2, 0.5, 0.4, True),
        ("none", 1, 0.25, None, False),
        ("silver", 1, 0.25, None, False),
    ]


def test_a_tier_may_reach_its_limit() -> None:
    """Over it is only more."""
    assert not TierShare("gold", 4, 0.4, 0.4).over


def test_limits_of_tiers_are_parameters_of_the_pack() -> None:
    """Those whose name ends with the tier."""
    assert tier_limits(shipped()) == {"diamond": 0.01, "gold": 0.03, "silver": 0.06, "standard": 0.1}
    assert tier_limits(shipped(), "param.care_days_")["gold"] == 60


def test_care_is_compared_with_who_was_held_out(tmp_path: Path) -> None:
    """By signal: of how many each is gone; who is not in the input counts for neither."""
    met, out = [f"m{n}" for n in range(56 + 14)], [f"o{n}" for n in range(48 + 32)]
    everybody: Carriers = {name: {TARIFF: "high"} for name in (*met, *out, "lost")} | {"apart": {STACK: "high"}}
    groups = {**dict.fromkeys((*met, "lost"), "contacted"), **dict.fromkeys(out, "control")}
    looked(tmp_path, ONE, everybody, groups=groups)
    cured = {*met[:56], *out[:48], "apart"}
    now = {name: {} if name in cured else held for name, held in everybody.items() if name != "lost"}
    (effect,) = looked(tmp_path, TWO, now).effects
    assert (effect.signal, effect.contacted, effect.contacted_gone, effect.control, effect.control_gone) == (TARIFF, 70, 56, 80, 48)
    assert effect.difference == pytest.approx(0.2)
    assert effect.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert effect.verdict == "works"


@pytest.mark.parametrize(("gone", "verdict"), [((9, 0), "works"), ((0, 9), "harms"), ((5, 4), "unclear")])
def test_an_effect_is_clear_where_the_interval_leaves_no_doubt(tmp_path: Path, gone: tuple[int, int], verdict: str) -> None:
    """Else nothing can be said."""
    names = {"contacted": [f"m{n}" for n in range(10)], "control": [f"o{n}" for n in range(10)]}
    everybody: Carriers = {name: {TARIFF: "high"} for part in names.values() for name in part}
    looked(tmp_path, ONE, everybody, groups={name: group for group, part in names.items() for name in part})
    cured = {name for part, count in zip(names.values(), gone, strict=True) for name in part[:count]}
    (effect,) = looked(tmp_path, TWO, {name: {} if name in cured else held for name, held in everybody.items()}).effects
    assert effect.verdict == verdict


def test_without_a_control_group_there_is_no_difference(tmp_path: Path) -> None:
    """The share of those contacted is told all the same."""
    looked(tmp_path, ONE, {"a": {TARIFF: "high"}}, groups={"a": "contacted"})
    (effect,) = looked(tmp_path, TWO, {"a": {}}).effects
    assert (effect.contacted_gone, effect.difference, effect.interval, effect.verdict) == (1, None, None, "unclear")


def test_groups_come_from_what_limits_made_of_the_run() -> None:
    """Contacted is for whom something goes out that is not owed; control is who was held out."""
    control = Control(name="c", percent=50)
    names = [f"p{n}" for n in range(40)]
    drawn = {name for name in names if bucket("salt", "c", name) < 50}
    common = {"rank": 1, "score": 1.0, "concession": 0, "channel": "app", "team": None, "household": None}
    given = [{"row": n, "subscriber": name, "action": "a", "duty": "care", **common} for n, name in enumerate(names)]
    owed = [{"row": n, "subscriber": name, "action": "b", "duty": "owed", **common} for n, name in enumerate(names)]
    alone = {"row": 99, "subscriber": "p99", "action": "b", "duty": "owed", **common}
    rows = pl.DataFrame([*given, *owed, alone], dict(CONTENDERS))
    found = dict(groups_of(hold(Limits(control=control), rows, salt="salt"), rows).iter_rows())
    assert found == {n: "control" if name in drawn else "contacted" for n, name in enumerate(names)}


def test_a_day_is_written_as_a_pair(tmp_path: Path) -> None:
    """The cube as Parquet, the rest as JSON; about nobody in particular."""
    day = looked(tmp_path, ONE, {"a": {TARIFF: "high"}}, vip__tier={"a": "gold"})
    told = orjson.loads((tmp_path / f"{ONE}.json").read_bytes())
    assert told == orjson.loads(orjson.dumps(day.as_json()))
    assert told["tiers"] == [{"tier": "gold", "subscribers": 1, "share": 1.0, "limit": 0.4, "over": True}]
    cube = pl.read_parquet(tmp_path / f"{ONE}.parquet")
    assert cube.columns == ["signal", "level", "tier", "region", "subscribers", "day"]
    assert cube["day"].to_list() == [ONE]


def test_whole_decisions_are_watched(tmp_path: Path) -> None:
    """As the pipeline gives them; a fact that nobody has is unknown of all."""
    decided = frames(shipped(), decisions(5, 60))
    watch = Watch(tmp_path, ONE, Watched(groups=("churn",)))
    watch.add(decided, decided.subscribers.select("i", "row", "subscriber"))
    day = watch.finish()
    expected = decided.signals.filter(pl.col("signal").str.starts_with("churn."))
    assert sum(one.subscribers for one in day.signals) == expected.height > 0
    assert day.cube["region"].null_count() == day.cube.height


NEWCOMBE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0)),
]


@pytest.mark.parametrize(("counts", "interval"), NEWCOMBE)
def test_intervals_of_differences_are_the_published_ones(counts: tuple[int, int, int, int], interval: tuple[float, float]) -> None:
    """Newcombe 1998, table II, method 10, to the four places it prints."""
    assert difference(*counts) == pytest.approx(interval, abs=5.1e-5)


@pytest.mark.parametrize(
    ("count", "of", "interval"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_intervals_of_shares_are_the_published_ones(count: int, of: int, interval: tuple[float, float]) -> None:
    """Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3."""
    assert wilson(count, of) == pytest.approx(interval, abs=5.1e-5)
    assert wilson(of - count, of) == pytest.approx((1 - interval[1], 1 - interval[0]), abs=5.1e-5)
