"""Every function of the rule language: typical, at its bounds, on unknowns."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.engine.functions import FUNCTIONS
from app.engine.runtime import FAR, NEVER
from app.engine.texts import LANGUAGES
from tests.expressions import CONTACT, GATES, PLANS, TODAY, around, value

pytestmark = pytest.mark.unit

SERIES: list[tuple[str, Sequence[float | None] | None, Any]] = [
    ("last(custom.steps)", (1, 2, 3), 3),
    ("last(custom.steps)", (1, 2, None), None),
    ("last(custom.steps)", (None, 2), 2),
    ("last(custom.steps)", (), None),
    ("last(custom.steps)", None, None),
    ("mean(custom.steps, 2)", (9, 1, 2), 1.5),
    ("mean(custom.steps, 1)", (9,), 9.0),
    ("mean(custom.steps, 3)", (1, 2), None),
    ("mean(custom.steps, 2)", (1, None, 2), None),
    ("mean(custom.steps, 2)", (None, 1, 2), 1.5),
    ("mean(custom.steps, 36)", tuple(range(36)), 17.5),
    ("total(custom.steps, 2)", (9, 1, 2), 3),
    ("total(custom.steps, 2)", (1.5, 2), 3.5),
    ("total(custom.steps, 2)", (2,), None),
    ("total(custom.steps, 2)", (None, 2), None),
    ("total(custom.steps, 2)", None, None),
    ("peak(custom.steps, 2)", (9, 1, 2), 2),
    ("peak(custom.steps, 3)", (-9, -1, -2), -1),
    ("peak(custom.steps, 2)", (9, None), None),
    ("median(custom.steps, 3)", (5, 1, 3), 3.0),
    ("median(custom.steps, 4)", (5, 1, 3, 2), 2.5),
    ("median(custom.steps, 1)", (5,), 5.0),
    ("median(custom.steps, 2)", (5,), None),
    ("median(custom.steps, 2)", (None, 5), None),
    ("change(custom.steps, 3)", (10, 20, 30, 40), 1.0),
    ("change(custom.steps, 1)", (10, 5), -0.5),
    ("change(custom.steps, 3)", (20, 30, 40), None),
    ("change(custom.steps, 3)", (0, 0, 0, 40), None),
    ("change(custom.steps, 2)", (None, 10, 10, 20), 1.0),
    ("change(custom.steps, 2)", (10, None, 20), None),
    ("change(custom.steps, 2)", (-10, -10, -5), -0.5),
    ("falling(custom.steps, 3)", (3, 2, 1), True),
    ("falling(custom.steps, 3)", (3, 2, 2), False),
    ("falling(custom.steps, 2)", (1, 3, 2), True),
    ("falling(custom.steps, 3)", (3, None, 1), None),
    ("falling(custom.steps, 3)", (2, 1), None),
    ("rising(custom.steps, 3)", (1, 2, 3), True),
    ("rising(custom.steps, 3)", (1, 2, 2), False),
    ("rising(custom.steps, 2)", None, None),
    ("share_over(custom.steps, 0, 4)", (0, 1, 2, 0), 0.5),
    ("share_over(custom.steps, 0, 4)", (0, 1, 2), None),
    ("share_over(custom.steps, 0, 2)", (None, 1, 0), 0.5),
    ("share_over(custom.steps, custom.n, 2)", (1, 2), None),
]


@pytest.mark.parametrize(("written", "steps", "expected"), SERIES)
def test_series(written: str, steps: Sequence[float | None] | None, expected: object) -> None:
    """Functions over the last n cycles are unknown when there are fewer, or one of them is missing."""
    found = value(written, {"custom.steps": steps})
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("written", "known", "expected"),
    [
        ("min(3, custom.n, 2)", {"custom.n": 1}, 1),
        ("min(3, custom.n, 2)", {}, None),
        ("max(3, custom.n)", {"custom.n": 3.5}, 3.5),
        ("max(custom.n)", {"custom.n": -1}, -1),
        ("max(custom.n, 0)", {}, None),
        ("abs(custom.n)", {"custom.n": -2}, 2),
        ("abs(custom.n)", {"custom.n": 0}, 0),
        ("abs(custom.n)", {}, None),
        ("days_since(account.joined_on)", {"account.joined_on": TODAY - 30}, 30),
        ("days_since(account.joined_on)", {"account.joined_on": TODAY + 1}, -1),
        ("days_since(account.joined_on)", {"account.joined_on": NEVER}, FAR),
        ("days_since(account.joined_on)", {}, None),
        ("days_until(contract.promo_end)", {"contract.promo_end": TODAY}, 0),
        ("days_until(contract.promo_end)", {"contract.promo_end": TODAY + 45}, 45),
        ("days_until(contract.promo_end)", {"contract.promo_end": NEVER}, FAR),
        ("days_until(contract.promo_end)", {}, None),
    ],
)
def test_figures(written: str, known: dict[str, Any], expected: object) -> None:
    """Figures and differences of days; a date that is never is a million days away."""
    assert value(written, known) == expected


def test_local_days() -> None:
    """Days are counted between local dates: to today for facts, to the day of the contact in contact policy."""
    known = {"contract.promo_end": TODAY + 10, "today": TODAY, "contact_day": TODAY + 1}
    assert value("days_until(contract.promo_end)", known) == 10
    assert value("days_until(contract.promo_end)", known, names=GATES) == 10
    assert value("days_until(contract.promo_end)", known, names=CONTACT) == 9


def complaint(at: str, **attributes: Any) -> dict[str, Any]:
    return {"type": "complaint", "at": f"2026-{at}+08:00", **attributes}


WINDOW = [
    complaint("10-23T12:00:00", topic="billing"),
    complaint("10-23T12:00:00.000001", topic="network"),
    complaint("11-22T12:00:00", topic="billing"),
    complaint("11-22T12:00:00.000001", topic="billing"),
]


class TestEvents:
    def test_window(self) -> None:
        """A window is half open to the microsecond: `as_of - n d < at <= as_of`."""
        assert value("count(events.complaint, days=30)", surroundings=around(WINDOW)) == 2
        assert value("count(events.complaint, days=31)", surroundings=around(WINDOW)) == 3
        assert value("count(events.complaint)", surroundings=around(WINDOW)) == 3
        assert value("count(events.complaint, days=30, topic='billing')", surroundings=around(WINDOW)) == 1

    def test_one_message_counts_once(self) -> None:
        """What one message told of several actions is one contact, and one refusal; by action, each was told of."""
        told = [
            contact("11-20T12:00:00", action="tariff_pack", channel="app", message="m-1", result="refused"),
            contact("11-20T12:00:00", action="thank_you", channel="app", message="m-1", result="refused"),
            contact("11-21T12:00:00", action="thank_you", channel="app", message="m-2"),
            contact("11-21T12:00:00", action="thank_you", channel="app"),
        ]
        history = around(contacts=told)
        assert value("contacted(days=7, channel='app')", surroundings=history) == 3
        assert value("refused(days=7)", surroundings=history) == 1
        assert value("contacted(days=7, action='tariff_pack')", surroundings=history) == 1
        assert value("contacted(days=7, action='thank_you')", surroundings=history) == 3

    def test_clock_of_contact(self) -> None:
        """In contact policy the window ends when the person is contacted."""
        morning = around(WINDOW, later="2026-11-23T12:00:00+08:00")
        assert value("count(events.complaint, days=30)", surroundings=morning) == 2
        assert value("count(events.complaint, days=1)", surroundings=morning, names=CONTACT) == 1
        assert value("count(events.complaint, days=32)", surroundings=morning, names=CONTACT) == 4

    def test_unknown_and_none(self) -> None:
        """Without a history nothing is known of events; an empty one is none."""
        for written, none in (("count(events.fault, days=30)", 0), ("count(events.fault)", 0), ("since(events.fault)", None)):
            assert value(written) is None
            assert value(written, surroundings=around([])) == none
        assert value("known(events.fault)") is False
        assert value("known(events.fault)", surroundings=around([])) is True
        assert value("count(events.fault, days=30) == 0 or custom.ok") is None

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("count(events.complaint, topic='billing')", 2),
            ("count(events.complaint, topic='network', area='a1')", 1),
            ("count(events.complaint, area=plan.id)", 2),
            ("count(events.complaint, area=plan.name)", None),
            ("count(events.complaint, same='topic')", 2),
            ("count(events.complaint, same='area')", 2),
            ("count(events.complaint, same='case')", 0),
            ("count(events.complaint, same='topic', area='a1')", 1),
            ("count(events.fault, same='kind')", 0),
            ("count(events.move_home, city_changed=true)", 1),
            ("count(events.move_home, city_changed=false)", 0),
            ("count(events.topup, amount=100)", 1),
            ("since(events.complaint)", 1),
            ("since(events.complaint, topic='billing')", 2),
            ("since(events.complaint, area=plan.name)", None),
            ("since(events.complaint, topic='network', area='zz')", None),
        ],
    )
    def test_filters(self, written: str, expected: int | None) -> None:
        """Filters hold one another: an attribute that an event lacks matches nothing, an unknown one to match makes the count unknown."""
        history = [
            complaint("11-20T12:00:00", topic="billing", area="a1"),
            complaint("11-19T12:00:00", topic="billing"),
            complaint("11-21T11:59:59", topic="network", area="a1"),
            {"type": "move_home", "at": "2026-11-01T00:00:00Z", "city_changed": True},
            {"type": "move_home", "at": "2026-11-01T00:00:00Z"},
            {"type": "topup", "at": "2026-11-01T00:00:00Z", "amount": 100},
        ]
        assert value(written, {"plan.id": "a1"}, around(history)) == expected

    @pytest.mark.parametrize(
        ("at", "days"), [("11-22T12:00:00", 0), ("11-21T12:00:00.000001", 0), ("11-21T12:00:00", 1), ("11-22T13:00:00", None)]
    )
    def test_since(self, at: str, days: int | None) -> None:
        """Whole days since the last one, counted by the hour; what is yet to come does not count."""
        assert (
            value("since(events.complaint)", surroundings=around([complaint(at), complaint("09-01T00:00:00")][: 1 if days is None else 2]))
            == days
        )


def contact(at: str, **told: Any) -> dict[str, Any]:
    return {"at": f"2026-{at}+08:00", **told}


CONTACTS = [
    contact("11-15T12:00:00", action="tariff_pack", channel="app", kind="offer", result="refused"),
    contact("11-15T12:00:00.000001", action="tariff_pack", channel="app", kind="offer", result="refused"),
    contact("11-20T12:00:00", action="roaming_pack", channel="sms_marketing", kind="offer", result="ignored"),
    contact("11-22T12:00:00", action="thank_you", channel="sms_marketing", kind="care", result="shown"),
    contact("11-22T12:00:00.000001", action="tariff_pack", channel="app", result="refused"),
    contact("11-21T12:00:00", action="long_gone", result="refused"),
    contact("11-21T12:00:00"),
]


class TestContacts:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("contacted(days=7)", 5),
            ("contacted(days=8)", 6),
            ("contacted(days=7, channel='sms_marketing')", 2),
            ("contacted(days=7, kind='offer')", 2),
            ("contacted(days=7, action='thank_you')", 1),
            ("contacted(days=7, category='toll')", 2),
            ("contacted(days=7, category='care', channel='app')", 0),
            ("refused(days=7)", 2),
            ("refused(days=8, action='tariff_pack')", 2),
            ("refused(days=7, category='toll')", 1),
            ("refused(days=7, channel='sms_marketing')", 0),
            ("refused(days=7, kind='offer', action='tariff_pack')", 1),
        ],
    )
    def test_counts(self, written: str, expected: int) -> None:
        """Contacts are counted by action, its category in this pack, kind, channel; refusals by their outcome."""
        assert value(written, surroundings=around(contacts=CONTACTS)) == expected

    def test_clock_of_contact(self) -> None:
        """Contact policy looks back from the moment of the contact."""
        morning = around(contacts=CONTACTS, later="2026-11-23T09:00:00+08:00")
        assert value("refused(days=7)", surroundings=morning) == 2
        assert value("refused(days=7)", surroundings=morning, names=CONTACT) == 2
        assert value("refused(days=1)", surroundings=morning, names=CONTACT) == 1

    def test_unknown(self) -> None:
        """An unknown history is no permission."""
        assert value("contacted(days=7) < 1") is None
        assert value("refused(days=7) == 0") is None
        assert value("contacted(days=7) < 1", surroundings=around(contacts=[])) is True
        assert value("known(contacts)") is False
        assert value("known(contacts)", surroundings=around(contacts=[])) is True


USE = {"usage.voice_out_min": (0, 50, 150, 700), "usage.data_mb": (0, 1024, 11264, 40960)}
"""Three cycles on plan_59: 5900; 5900 + 50 × 20 + 1 × 1024 = 7924; capped at 5000 over: 10900. On plan_129: 12900 twice, 20900."""


class TestPlans:
    def test_cost(self) -> None:
        """Use over the allowance costs its rate, minutes each and data by the GB, up to the cap."""
        assert value("fee_on('plan_59', 3)", USE) == (5900 + 7924 + 10900) / 3
        assert value("fee_on('plan_129', 3)", USE) == (12900 + 12900 + 12900 + 200 * 15 + 10 * 500) / 3
        assert value("fee_on('plan_59', 1)", USE) == 10900.0
        assert value("fee_on('plan_59', 1)", {"usage.voice_out_min": (100,), "usage.data_mb": (10240,)}) == 5900.0
        assert value("fee_on('plan_59', 1)", {"usage.voice_out_min": (100,), "usage.data_mb": (10240 + 512,)}) == 5900.0 + 512.0

    def test_by_a_fact(self) -> None:
        """The plan may be a fact that holds its id; one that is not in the catalogue costs nobody knows what."""
        assert value("fee_on(plan.id, 3)", {**USE, "plan.id": "plan_59"}) == value("fee_on('plan_59', 3)", USE)
        assert value("fee_on(plan.id, 3)", {**USE, "plan.id": "long_gone"}) is None
        assert value("fee_on(plan.id, 3)", USE) is None

    @pytest.mark.parametrize("missing", ["usage.voice_out_min", "usage.data_mb"])
    @pytest.mark.parametrize("series", [None, (), (1, 2), (1, None, 3)])
    def test_unknown_use(self, missing: str, series: Any) -> None:
        """Without the whole of the cycles there is no cost."""
        known = {**USE, missing: series, "open:plan_59": True}
        assert value("fee_on('plan_59', 3)", known) is None
        assert value("best_fee(3)", known) is None

    @pytest.mark.parametrize(
        ("small", "large", "expected"),
        [
            (True, True, 8241.333333333334),
            (False, True, 15566.666666666666),
            (None, True, 15566.666666666666),
            (False, False, None),
            (None, None, None),
        ],
    )
    def test_best(self, small: bool | None, large: bool | None, expected: float | None) -> None:
        """The cheapest plan that is known to be open to the subscriber."""
        assert value("best_fee(3)", {**USE, "open:plan_59": small, "open:plan_129": large}) == expected

    def test_catalogue(self) -> None:
        """The plans of these tests, as the figures above take them."""
        assert (PLANS["plan_59"].fee, PLANS["plan_59"].overage_cap, PLANS["plan_129"].data_rate) == (5900, 5000, 500)


class TestBucket:
    def test_stable(self) -> None:
        """A subscriber stays in a group for good: these figures never change."""
        assert [value(f"bucket('{name}')") for name in ("pilot", "holdout", "试点")] == BUCKETS

    def test_named(self) -> None:
        """The name may be a parameter."""
        assert value("bucket(param.plan)") == value("bucket('plan_59')")


BUCKETS = [4, 91, 35]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_described(function: Any) -> None:
    """Each function has a sentence in either language, which the reference page repeats."""
    assert function.meaning[0].islower() or not function.meaning[0].isalpha()
    assert re.search("[\u4e00-\u9fff]", function.meaning_zh)
    assert len(LANGUAGES) == 2
    assert f"`{function.name}(" in (Path(__file__).parents[2] / "docs/rule-language.md").read_text("utf-8")
