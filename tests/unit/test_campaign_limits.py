"""Limits over everybody: what goes out, on which day, and what is held with its cause. And the file they are read from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest

from app.campaign.limits import (
    CONTENDERS,
    Brake,
    Budget,
    Capacity,
    Cause,
    Control,
    Held,
    Household,
    Limits,
    LimitsError,
    contenders,
    hold,
    load_limits,
)
from app.campaign.problems import TableError
from app.engine.runtime import bucket
from app.engine.vocabulary import Fact
from tests.decided import decisions, frames
from tests.pipeline import ROOT, shipped

pytestmark = pytest.mark.unit

CALL = "outbound_call"
HOME = Fact("custom.household", "text", None, False, (), None, None, "Household", "家庭")
NUMBER = Fact("custom.number", "text", None, False, (), None, None, "Number", "号码")
LOYAL = Fact("custom.points", "number", None, True, (), None, None, "Points", "积分")


def rows(*given: dict[str, Any]) -> pl.DataFrame:
    """Contenders; left out, a care call of no cost to a person of their own who comes in the order given."""
    common = {"rank": 1, "action": "a", "duty": "care", "concession": 0, "channel": CALL, "team": None, "household": None}
    made = [{**common, "row": place, "score": 1000.0 - place, **row} for place, row in enumerate(given, 1)]
    return pl.DataFrame([{"subscriber": f"s-{row['row']:03}", **row} for row in made], CONTENDERS)


def held(limits: Limits, *given: dict[str, Any], **told: Any) -> Held:
    return hold(limits, rows(*given), salt="salt", **told)


def became(limits: Limits, *given: dict[str, Any], **told: Any) -> list[Any]:
    """For each row in the order given: the day it goes out, or why it is held."""
    found = {
        (row, action): day or f"{cause}: {limit}" for row, _, action, day, cause, limit in held(limits, *given, **told).rows.iter_rows()
    }
    return [found[row["row"], row["action"]] for row in rows(*given).iter_rows(named=True)]


def test_without_limits_everything_goes_out_on_the_first_day() -> None:
    """And nothing is held."""
    found = held(Limits(), {}, {"concession": 900})
    assert found.rows["day"].to_list() == [1, 1]
    assert (dict(found.counts), found.kept, found.emptied, found.given) == ({}, 2, 0, 900)


def test_what_is_owed_comes_before_care_and_care_before_offers() -> None:
    """Then the higher score, then the ids: that is the order in which what is limited is given out."""
    limits = Limits(capacity=(Capacity(channel=CALL, per_day=2),))
    assert became(limits, {"duty": "offer", "score": 9e9}, {"score": 5.0}, {"score": 7.0}, {"duty": "care", "score": 6.0}) == [
        f"capacity: {CALL}",
        f"capacity: {CALL}",
        1,
        1,
    ]
    assert became(limits, {"score": 5.0, "subscriber": "c"}, {"score": 5.0, "subscriber": "a"}, {"score": 5.0, "subscriber": "b"}) == [
        f"capacity: {CALL}",
        1,
        1,
    ]
    crossed = ({"score": 5.0, "subscriber": "b", "action": "a"}, {"score": 5.0, "subscriber": "a", "action": "z"})
    assert became(Limits(capacity=(Capacity(per_day=1),)), *crossed) == ["capacity: all", 1]
    same = ({"row": 1, "score": 5.0, "action": "b", "concession": 3}, {"row": 1, "score": 5.0, "action": "a", "concession": 3})
    assert became(Limits(Budget(concession=3)), *same) == ["budget: concession", 1]


def test_a_budget_cuts_the_order_where_the_next_would_not_fit() -> None:
    """Nobody further down gets what somebody further up did not; what costs nothing goes out all the same."""
    limits = Limits(Budget(concession=1000))
    assert became(limits, {"concession": 600}, {"concession": 500}, {"concession": 100}, {"concession": 0}) == [
        1,
        "budget: concession",
        "budget: concession",
        1,
    ]
    assert became(limits, {"concession": 600}, {"concession": 400}) == [1, 1]
    assert held(limits, {"concession": 600}, {"concession": 500}).given == 600


def test_contacts_cost_what_the_channel_costs() -> None:
    """Once a contact, however many actions are told in it."""
    limits = Limits(Budget(cost=700), {CALL: 350})
    first, second, third = {"row": 1}, {"row": 1, "action": "b", "score": 1.0}, {"row": 2}
    found = held(limits, first, second, third, {"row": 3, "score": 2.0}, {"row": 4, "channel": "app", "score": 3.0})
    assert found.rows.sort("row", "action")["cause"].to_list() == [None, None, None, "budget", None]
    assert found.cost == 700


def test_what_is_owed_is_never_held() -> None:
    """Not for a budget, a household, room, a comparison or a brake; it counts, and the result says where it went beyond."""
    limits = Limits(
        Budget(concession=0, cost=0),
        {CALL: 350},
        (Capacity(channel=CALL, per_day=1),),
        household=Household(fact="custom.household"),
        control=Control(name="c", percent=50),
    )
    given = [{"duty": "owed", "concession": 100, "household": "h"} for _ in range(4)]
    found = held(limits, *given, {"concession": 0, "household": "h", "channel": "app"}, braked=True)
    assert found.rows.filter(pl.col("row") < 5)["day"].to_list() == [1, 1, 1, 1]
    assert found.counts == {("a", "brake", "complaints"): 1}
    assert dict(found.beyond) == {CALL: 3, "custom.household": 3}
    assert (found.given, found.cost) == (400, 1400)


def test_what_is_owed_takes_from_the_budget_that_others_share() -> None:
    """So what is left is less for them."""
    assert became(Limits(Budget(concession=500)), {"duty": "owed", "concession": 400}, {"concession": 200}) == [1, "budget: concession"]


def test_room_is_filled_day_by_day() -> None:
    """The best on the first day; what no day has room for is held."""
    limits = Limits(capacity=(Capacity(channel=CALL, per_day=2),), days=2)
    assert became(limits, *[{}] * 5) == [1, 1, 2, 2, f"capacity: {CALL}"]
    assert became(limits, *[{"channel": "app"}] * 5) == [1] * 5


def test_every_team_has_its_own_room() -> None:
    """Beside that of all together, and of one team where the file names it; all that apply must have room."""
    team = Limits(capacity=(Capacity(per_team_and_day=1),), team="account.grid")
    assert became(team, {"team": "x"}, {"team": "x"}, {"team": "y"}, {}, {}) == [1, "capacity: all/team", 1, 1, "capacity: all/team"]
    one = Limits(capacity=(Capacity(channel=CALL, team="x", per_day=1),), team="account.grid")
    assert became(one, {"team": "x"}, {"team": "x"}, {"team": "y"}, {"team": "y"}, {"team": "x", "channel": "app"}) == [
        1,
        f"capacity: {CALL}/x",
        1,
        1,
        1,
    ]
    both = Limits(capacity=(Capacity(channel=CALL, per_day=2), Capacity(per_team_and_day=1)), days=2, team="account.grid")
    assert became(both, {"team": "x"}, {"team": "x"}, {"team": "y"}, {"team": "z"}, {"team": "z"}) == [1, 2, 1, 2, f"capacity: {CALL}"]


def test_a_contact_is_held_by_the_limit_that_is_full() -> None:
    """Whichever comes first in the file; the same for what goes beyond it."""
    team, together = Capacity(per_team_and_day=1), Capacity(per_day=10)
    for rules in ((team, together), (together, team)):
        limits = Limits(capacity=rules, team="account.grid")
        assert became(limits, {"team": "x"}, {"team": "x"}) == [1, "capacity: all/team"]
        assert held(limits, {"team": "x", "duty": "owed"}, {"team": "x", "duty": "owed"}).beyond == {"all/team": 1}


def test_owed_contacts_beyond_the_room_go_out_where_it_is_least_over() -> None:
    """So that no day takes all of them."""
    limits = Limits(capacity=(Capacity(channel=CALL, per_day=1),), days=2)
    assert became(limits, *[{"duty": "owed"}] * 6) == [1, 2, 1, 2, 1, 2]


def test_what_holds_a_contact_takes_nothing_of_the_rest() -> None:
    """One that finds no room leaves its budget and its household's contact to the next."""
    limits = Limits(
        Budget(concession=500, cost=350), {CALL: 350, "app": 0}, (Capacity(channel="shop", per_day=0),), household=Household(fact="f")
    )
    full = {"channel": "shop", "concession": 500, "household": "h"}
    assert became(limits, full, {"concession": 500, "household": "h"}) == ["capacity: shop", 1]


def test_a_household_is_contacted_once() -> None:
    """Or as often as the file says; who has none stands for nobody else."""
    limits = Limits(household=Household(fact="custom.household"))
    assert became(limits, {"household": "h"}, {"household": "h"}, {"household": "g"}, {}, {}) == [
        1,
        "household: custom.household",
        1,
        1,
        1,
    ]
    assert became(Limits(household=Household(fact="f", contacts=2)), *[{"household": "h"}] * 3) == [1, 1, "household: f"]
    assert became(limits, {"row": 1, "household": "h"}, {"row": 1, "action": "b", "score": 1.0, "household": "h"}) == [1, 1]


def test_what_a_person_gets_goes_out_in_one_contact() -> None:
    """The first action that fits makes it; the others take no more room and go out on the same day."""
    limits = Limits(capacity=(Capacity(channel=CALL, per_day=1),), days=2)
    assert became(limits, {"row": 1}, {"row": 2}, {"row": 2, "action": "b", "score": 1.0}) == [1, 2, 2]
    dear = Limits(Budget(concession=100))
    assert became(dear, {"row": 1, "concession": 500}, {"row": 1, "action": "b", "score": 1.0}) == ["budget: concession", 1]


def test_an_action_does_not_go_out_after_it_has_expired() -> None:
    """Not on a day of its own, nor on that of another."""
    limits = Limits(capacity=(Capacity(channel=CALL, per_day=1),), days=3)
    assert became(limits, {}, {"action": "b"}, valid_days={"b": 1}) == [1, f"capacity: {CALL}"]
    assert became(limits, {}, {"row": 2}, {"row": 2, "action": "b", "score": 1.0}, valid_days={"b": 1}) == [1, 2, "capacity: valid_days"]
    owed = {"duty": "owed"}
    assert became(limits, owed, {"row": 2, **owed}, {"row": 2, "action": "b", "score": 1.0, **owed}, valid_days={"b": 1}) == [1, 2, 2]


def test_who_is_held_out_is_drawn_by_salt_name_and_id() -> None:
    """The same in every run; everything but what is owed is held."""
    limits = Limits(control=Control(name="autumn", percent=20))
    given = [{"subscriber": f"p-{n}"} for n in range(500)]
    out = [bucket("salt", "autumn", row["subscriber"]) < 20 for row in given]
    assert became(limits, *given) == ["control: autumn" if drawn else 1 for drawn in out]
    assert 60 < sum(out) < 140
    owed = [{**row, "duty": "owed"} for row in given]
    assert set(became(limits, *owed)) == {1}


def test_who_is_held_out_compares_with_who_is_contacted() -> None:
    """Only those are whom everything else would have let go; they take no room, no money and no household's contact."""
    control = Control(name="c", percent=50)
    names = [f"p-{n}" for n in range(60)]
    out = next(name for name in names if bucket("salt", "c", name) < 50)
    others = [name for name in names if bucket("salt", "c", name) >= 50]
    drawn, one, other = ({"subscriber": name} for name in (out, *others[:2]))
    room = Limits(capacity=(Capacity(per_day=1),), control=control)
    assert became(room, drawn, one, other) == ["control: c", 1, "capacity: all"]
    assert became(room, one, drawn) == [1, "capacity: all"]
    home = Limits(household=Household(fact="f"), control=control)
    assert became(home, {**drawn, "household": "h"}, {**one, "household": "h"}) == ["control: c", 1]
    purse = Limits(Budget(concession=100), control=control)
    assert became(purse, {**drawn, "concession": 90}, {**one, "concession": 90}) == ["control: c", 1]
    assert became(purse, {**drawn, "concession": 900}, {**one, "concession": 90}) == ["budget: concession", 1]
    owed = {"row": 1, **drawn, "duty": "owed", "action": "b"}
    assert became(room, owed, {"row": 1, **drawn}, one) == [1, "control: c", "capacity: all"]
    assert became(room, owed, {**owed, "action": "a"}) == [1, 1]


@pytest.mark.parametrize(
    ("contacted", "complaints", "stopped"), [(999, 999, False), (1000, 1, False), (1000, 2, True), (20_000, 20, False), (20_000, 21, True)]
)
def test_the_brake_acts_above_its_rate_and_not_before_enough_were_contacted(contacted: int, complaints: int, stopped: bool) -> None:
    """Ten in 10,000 is the limit here, after the first 1,000."""
    assert Limits(brake=Brake(complaints_per_10000=10)).stopped(contacted, complaints) is stopped
    assert not Limits().stopped(contacted, complaints)


def test_a_brake_holds_all_that_is_not_owed() -> None:
    """With its own cause, before any other."""
    assert became(Limits(Budget(concession=0)), {"concession": 5}, {}, braked=True) == ["brake: complaints", "brake: complaints"]


def test_subscribers_are_counted_by_whether_anything_of_theirs_goes_out() -> None:
    """One action held of two is still a contact."""
    found = held(Limits(Budget(concession=0)), {"row": 1, "concession": 5}, {"row": 1, "action": "b"}, {"row": 2, "concession": 5})
    assert (found.kept, found.emptied) == (1, 1)
    assert found.counts == {("a", "budget", "concession"): 2}


def test_contenders_are_what_was_ranked_with_team_household_and_channel() -> None:
    """From the facts that the limits name; the run's own channel goes before."""
    decided = frames(shipped(), decisions(5, 40), first=101)
    facts = decided.subscribers.select("i", "row", "subscriber").with_columns(
        pl.lit("g-7").alias("account.grid"), pl.lit("h-1").alias("custom.household"), pl.lit("app").alias("request.channel")
    )
    limits = Limits(team="account.grid", household=Household(fact="custom.household"))
    found = contenders(decided, facts, limits)
    assert dict(found.schema) == dict(CONTENDERS)
    assert found.height == decided.ranked.height
    assert found.select("team", "household", "channel").unique().rows() == [("g-7", "h-1", "app")]
    assert found["row"].to_list() == [101 + i for i in decided.ranked["i"]]
    assert set(contenders(decided, facts, limits, "field")["channel"]) == {"field"}
    assert contenders(decided, facts.drop("account.grid"), Limits())["team"].null_count() == found.height


FILE = """\
budget: {concession: 5000000, cost: 300000}
cost:
  outbound_call: 350
capacity:
  - {channel: outbound_call, per_day: 4000}
  - {channel: field, per_team_and_day: 40}
  - {team: haidian, per_day: 25}
days: 3
team: account.grid
household: {fact: custom.household}
brake: {complaints_per_10000: 5.5, after: 2000}
control: {name: autumn-care, percent: 10}
"""


def loaded(tmp_path: Path, text: str) -> Limits:
    path = tmp_path / "limits.yaml"
    path.write_text(text)
    return load_limits(path, {fact.name: fact for fact in (HOME, NUMBER, LOYAL)})


def test_a_file_says_all_of_it(tmp_path: Path) -> None:
    """Amounts in fen; what is left out is not limited."""
    found = loaded(tmp_path, FILE)
    assert found.budget == Budget(concession=5_000_000, cost=300_000)
    assert [(rule.name, rule.room) for rule in found.capacity] == [("outbound_call", 4000), ("field/team", 40), ("all/haidian", 25)]
    assert (found.days, found.team, found.household, found.cost) == (3, "account.grid", Household(fact=HOME.name), {CALL: 350})
    assert (found.brake, found.control) == (Brake(complaints_per_10000=5.5, after=2000), Control(name="autumn-care", percent=10))
    assert found.digest.startswith("sha256:")
    assert loaded(tmp_path, "days: 2\n").capacity == ()


def test_the_limits_of_the_page_are_accepted(tmp_path: Path) -> None:
    """And every key of theirs is on it, and every cause."""
    page = (ROOT / "docs" / "campaigns.md").read_text("utf-8")
    block = page.split("```yaml\n")[1].split("```")[0]
    found = loaded(tmp_path, block)
    assert (len(found.capacity), found.number) == (3, NUMBER.name)
    for part in (Limits, Budget, Capacity, Household, Brake, Control):
        names = set(getattr(part, "model_fields", Limits.__dataclass_fields__)) - {"digest"}
        assert all(f"`{name}`" in page or f"{name}:" in block for name in names), names
    for cause in get_args(Cause):
        assert f"| `{cause}` |" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budget: {concesion: 5}", "limits.yaml:1:10: error[schema]: unknown key `concesion`; did you mean `concession`?"),
        ("capasity: []", "limits.yaml:1:1: error[schema]: unknown key `capasity`; did you mean `capacity`?"),
        ("cost: {outbond_call: 5}", "limits.yaml:1:8: error[channel]: unknown channel `outbond_call`; did you mean `outbound_call`?"),
        ("capacity:\n  - {channel: sms, per_day: 5}", "limits.yaml:2:15: error[channel]: unknown channel `sms`"),
        ("team: account.gird", "limits.yaml:1:7: error[fact]: unknown fact `account.gird`; did you mean `account.grid`?"),
        ("household: {fact: custom.points}", "`custom.points` is a number, and what tells groups apart is a text"),
        ("capacity:\n  - {per_team_and_day: 5}", "name the fact that says so, as in `team: account.grid`"),
        ("capacity:\n  - {team: x, per_day: 5}", "a limit for teams needs to know which team a subscriber belongs to"),
        ("capacity:\n  - {channel: app}", "exactly one of `per_day` and `per_team_and_day` says how much room there is"),
        ("team: account.grid\ncapacity:\n  - {team: x, per_team_and_day: 5}", "`per_team_and_day` is for each; keep one of them"),
        ("capacity:\n  - {per_day: 5}\n  - {per_day: 6}", "limits.yaml:3:5: error[twice]: there is a limit for `all` already"),
        ("budget: {cost: 5}", "a budget for contacts needs to know what they cost; write it by channel"),
        ("budget: {concession: -5}", "`budget.concession`: input should be greater than or equal to 0"),
        ("days: 0", "`days`: input should be greater than or equal to 1"),
        ("control: {name: a b, percent: 10}", "`control.name`"),
        ("control: {name: a}", "`control.percent` is missing"),
        ("control: {name: a, percent: 51}", "less than or equal to 50"),
        ("- days: 2", "the file is not a mapping"),
        ("days: 2\ndays: 3", "`days`"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_nearest_right_thing(tmp_path: Path, text: str, said: str) -> None:
    """All of them at once."""
    with pytest.raises(LimitsError) as caught:
        loaded(tmp_path, text)
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_several_mistakes_are_told_together(tmp_path: Path) -> None:
    """Whoever writes the file sees them once."""
    with pytest.raises(LimitsError) as caught:
        loaded(tmp_path, "team: x\nhousehold: {fact: y}\ncost: {z: 1}")
    assert len(caught.value.problems) == 3


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing one, and a folder."""
    with pytest.raises(TableError, match="cannot read"):
        load_limits(tmp_path / "none.yaml")
    with pytest.raises(TableError, match="is a folder, not a file of limits"):
        load_limits(tmp_path)
