"""What campaigns add to the anonymous daily counts is what their decisions would, one by one."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter

import polars as pl
import pytest

from app.campaign.batch import PLACE, batch_of
from app.campaign.counting import daily_counts
from app.campaign.deciding import decide_batch
from app.campaign.figures import Figures
from app.campaign.single import decide_singly, put_among
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.vocabulary.choices import Choice
from app.record.canonical import canonical
from app.record.counting import GROUPS, UNKNOWN, counts_of, grouped, is_test_line, kept_out
from tests.columns import by_rows, on_channel, told
from tests.pipeline import cases, shipped

pytestmark = pytest.mark.properties

LATE = datetime.timedelta(days=100)


CHANNELS = ("call_centre", "outbound_call", "shop")
"""Each is a program of its own over columns."""


def people() -> list[Case]:
    """Random ones; of every seventh the card was looked up long ago, every eleventh has a province with odd signs."""
    found = []
    for number, case in enumerate(case for case in cases(shipped(), 11, 600) if case.channel in CHANNELS):
        vip, account = case.subscriber.vip, case.subscriber.account
        changed = {"id": f"p-{number}"}
        if vip is not None and number % 7 == 0:
            changed["vip"] = vip.model_copy(update={"tier": "gold", "as_of": case.times.as_of - LATE})
        if account is not None and number % 11 == 0:
            changed["account"] = account.model_copy(update={"province": 'Nei "Menggu" \\ {north}'})
        choices = (Choice("no_marketing"),) if number % 23 == 0 else ()
        asker = dataclasses.replace(case.asker, concession_limit=50_000)
        found.append(dataclasses.replace(case, asker=asker, subscriber=case.subscriber.model_copy(update=changed), choices=choices))
    return found


def one_by_one(found: list[Case]) -> Counter[tuple[str, str]]:
    total = Counter[tuple[str, str]]()
    for case in found:
        if not is_test_line(case):
            decision = decide(shipped(), case)
            for measure, by, number in counts_of(shipped(), case, decision, kept_out(shipped(), case, decision)):
                total[measure, by] += number
    return total


def by_columns(found: list[Case], hidden: tuple[str, ...] = ()) -> Counter[tuple[str, str]]:
    """The same over columns; `hidden` are facts that the pack is said not to read."""
    pack = shipped()
    batch = batch_of(pack, found)
    singles = decide_singly(pack, {place: case for place, case in enumerate(found) if case.choices})
    decided = put_among(pack, decide_batch(pack, batch), singles)
    figures = Figures()
    figures.add(decided)
    pack = dataclasses.replace(pack, base=tuple(base for base in pack.base if base.name not in hidden))
    written = pl.Series([canonical(case.as_json()) for case in found], dtype=pl.Binary())
    counted = daily_counts(pack, batch.facts.drop(hidden), written, decided, figures)
    assert counted == sorted(counted)
    assert len({(measure, by) for measure, by, _ in counted}) == len(counted)
    return Counter({(measure, by): number for measure, by, number in counted})


def test_columns_count_what_each_decision_counts() -> None:
    """Every measure by every group, without lines for tests and staff; of what is too old for rules, and what no rule reads, too."""
    found = people()
    assert any(map(is_test_line, found))
    expected = one_by_one(found)
    assert by_columns(found) == expected
    assert by_columns(found, ("account.province", "holder.age_band", "account.test_number", "account.tenure_months")) == expected
    assert {measure for measure, _ in expected} == {
        "decision",
        "offered",
        "conceded",
        "concession",
        "empty",
        "funnel",
        "kept_out",
        "action",
    }
    assert all(expected["decision", grouped(group, UNKNOWN)] < expected["decision", "{}"] for group in GROUPS)
    assert expected["decision", grouped("region", 'Nei "Menggu" \\ {north}')] > 3


def test_facts_that_were_wanted_and_not_known_are_what_each_decision_lists() -> None:
    """Of those who chose something for good too, who are decided one by one; what is too old is listed whether it was wanted or not."""
    pack, found = shipped(), on_channel(people()[:70], "outbound_call")
    singles = decide_singly(pack, {place: case for place, case in enumerate(found) if case.choices})
    listed = [row["unknown"] for row in told(put_among(pack, decide_batch(pack, batch_of(pack, found)), singles))]
    assert listed == [row["unknown"] for row in by_rows(pack, found)]
    assert sum("vip.tier" in names for names in listed) > 4


def test_nobody_and_lines_for_tests_alone_add_nothing() -> None:
    """No count of nought stands there."""
    test_lines = [case for case in people() if is_test_line(case)]
    assert by_columns(test_lines[:3]) == by_columns([]) == Counter()
    assert PLACE not in GROUPS
