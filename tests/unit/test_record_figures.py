"""Figures for a reviewer: from daily counts, and from the search index what agents did."""

import math
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from app.engine.decide import decide
from app.record.keys import Keys
from app.record.reading.agents import agent_figures
from app.record.reading.figures import Figures, caps_of, figures
from app.record.reading.groups import wilson
from app.record.store.database import Database
from app.record.store.tables import DailyCountRow
from tests.pipeline import cases, shipped
from tests.records import Written, written

pytestmark = pytest.mark.unit


class Shelf:
    def get(self, digest: str) -> object:
        return shipped()


@pytest.fixture
def record(database: Database, keys: Keys) -> Iterator[Written]:
    with written(database, keys) as made:
        yield made


def of(record: Written, since: str = "2026-11-01", until: str = "2026-11-30", pack: str | None = None) -> Figures:
    with record.database.reading() as connection:
        return figures(connection, Shelf(), since, until, pack)  # type: ignore[arg-type]


def test_figures_are_those_of_the_decisions(record: Written) -> None:
    """Funnel, suppressions, empty answers and groups count what was decided."""
    pool = [case for case in cases(shipped(), 21, 60) if not (case.subscriber.account and case.subscriber.account.test_number)]
    decisions = [decide(shipped(), case) for case in pool]
    for case in pool:
        record.decide(case)
    record.seal()
    made = of(record)
    assert made.decisions == len(pool)
    assert made.packs == {shipped().digest: len(pool)}
    became = Counter(item.cause or "offered" for decision in decisions for item in decision.outcomes)
    funnel = Counter(dict.fromkeys(became, 0))
    for row in made.funnel:
        funnel[row.cause] += row.actions
    assert funnel == became
    assert sum(row.actions for row in made.suppressions if row.cause == "suppressed") == became["suppressed"]
    assert sum(row.actions for row in made.suppressions if row.cause == "guardrail") == became["guardrail"]
    empty = Counter(decision.empty_because for decision in decisions if decision.empty_because)
    assert {row.because: row.decisions for row in made.empty} == empty
    channels = Counter(case.channel for case in pool)
    assert {row.group: row.decisions for row in made.groups if row.by == "channel"} == channels
    offered = sum(any(item.duty == "offer" for item in decision.ranked) for decision in decisions)
    for by in ("tenure", "age", "region", "tier", "channel"):
        rows = [row for row in made.groups if row.by == by]
        assert sum(row.offered for row in rows) == offered
        assert sum(row.decisions for row in rows) == len(pool)
        assert all(row.few == (row.decisions < 30) for row in rows)


def counts(record: Written, *rows: tuple[str, str, int], day: str = "2026-11-05", pack: str = "sha256:p") -> None:
    with record.database.writing() as connection:
        for measure, grouped, number in rows:
            row = {"day": day, "pack": pack, "measure": measure, "grouped": grouped, "number": number}
            connection.execute(insert(DailyCountRow), row)


def test_rate_ratios(record: Written) -> None:
    """A group's rate is held against that of all others under the same pack."""
    counts(
        record,
        ("decision", "{}", 1000),
        ("decision", '{"tier":"gold"}', 100),
        ("decision", '{"tier":"none"}', 900),
        ("offered", "{}", 200),
        ("offered", '{"tier":"gold"}', 40),
        ("offered", '{"tier":"none"}', 160),
        ("conceded", "{}", 10),
        ("conceded", '{"tier":"gold"}', 10),
        ("concession", "{}", 5000),
        ("concession", '{"tier":"gold"}', 5000),
    )
    gold, none = of(record).groups
    assert (gold.group, gold.offer_share, gold.mean_concession) == ("gold", 0.4, 50)
    assert gold.offer_ratio == pytest.approx(0.4 / (160 / 900))
    assert none.offer_ratio == pytest.approx((160 / 900) / 0.4)
    assert (gold.concession_ratio, gold.mean_ratio) == (None, None)
    assert (none.concession_ratio, none.mean_ratio) == (0, 0)


def test_packs_and_days_apart(record: Written) -> None:
    """Groups are told pack by pack; other days and, where one is named, other packs are left out."""
    for pack in ("sha256:a", "sha256:b"):
        counts(record, ("decision", "{}", 10), ("decision", '{"age":"adult"}', 10), pack=pack)
    counts(record, ("decision", "{}", 99), day="2026-10-31")
    assert of(record).decisions == 20
    assert [(row.pack, row.decisions) for row in of(record).groups] == [("sha256:a", 10), ("sha256:b", 10)]
    assert of(record, pack="sha256:b").packs == {"sha256:b": 10}
    assert of(record, "2026-10-31", "2026-10-31").decisions == 99


def test_nothing_counted(record: Written) -> None:
    """Of days without decisions there are no figures, and no division by nothing."""
    made = of(record)
    assert (made.decisions, list(made.funnel), made.capped, list(made.groups), list(made.agents)) == (0, [], 0.0, [], [])


def test_caps() -> None:
    """Caps are the contact clauses that count contacts."""
    caps = caps_of(shipped())
    assert "sms_cap" in caps
    assert "consent" not in caps


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (0, 0, 0, 1)]
)
def test_wilson(part: int, whole: int, low: float, high: float) -> None:
    """Wilson's interval, as tables have it."""
    assert all(math.isclose(one, other, abs_tol=1e-4) for one, other in zip(wilson(part, whole), (low, high), strict=True))


def test_agents(record: Written) -> None:
    """Of each agent: decisions, those nobody told of, and how often another than the first was told of first."""
    pool = [case for case in cases(shipped(), 21, 40) if decide(shipped(), case).ranked][:6]
    ids = [record.decide(case, agent="a-1" if number < 4 else "a-2") for number, case in enumerate(pool)]
    record.decide(next(case for case in cases(shipped(), 21, 200) if not decide(shipped(), case).ranked), agent="a-2")
    record.tell(ids[0], "x", "accepted")
    record.tell(ids[4], "x", "refused")
    record.seal()
    counts(
        record,
        ("told", '{"agent":"a-1","first":true,"role":"agent"}', 3),
        ("told", '{"agent":"a-1","first":false,"role":"agent"}', 1),
    )
    with record.database.reading() as connection:
        one, two = agent_figures(connection, "2026-11-01", "2026-11-30")
        assert (one.agent, one.decisions, one.unanswered, one.told, one.first, one.other, one.override_rate) == ("a-1", 4, 3, 4, 3, 1, 0.25)
        assert (two.agent, two.decisions, two.unanswered, two.override_rate) == ("a-2", 2, 1, None)
        other = agent_figures(connection, "2026-11-01", "2026-11-30", "sha256:other")
        assert not other
        assert agent_figures(connection, "2020-01-01", "2020-01-02") == []
