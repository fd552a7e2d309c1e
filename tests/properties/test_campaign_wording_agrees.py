"""What holds for every batch: its words are to the letter those that `explain` and `view` give each subscriber as the role `campaign`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from app.campaign.batch import batch_of
from app.campaign.deciding import Decided, decide_batch
from app.campaign.wording import word_batch
from app.engine.case import Case
from app.engine.intake import parse_request, take
from app.engine.pack import Pack
from app.engine.texts import LANGUAGES, Language
from tests.pipeline import ROOT, TIMES, cases, shipped
from tests.population import END
from tests.random_packs import random_gates_pack, random_pack
from tests.telling_packs import telling_pack, told_of
from tests.worded import Told, told, worded_by_rows

pytestmark = pytest.mark.properties


def examples() -> list[Case]:
    """The examples that can be decided in a batch, asked after what they are about."""
    requests = [
        parse_request(path.read_bytes()).model_copy(update={"mode": "what_if"}) for path in sorted((ROOT / "examples").glob("*.json"))
    ]
    return [take(shipped(), request, now=END, role="development") for request in requests if not request.answers]


@cache
def people() -> tuple[Case, ...]:
    """Subscribers of three seeds, and the examples."""
    return (*(case for seed in (61, 62, 63) for case in cases(shipped(), seed, 200)), *examples())


@cache
def decided() -> Decided:
    return decide_batch(shipped(), batch_of(shipped(), people()))


def agree(pack: Pack, asked: Sequence[Case], found: Decided, language: Language) -> list[Told]:
    """What both ways say, which is the same."""
    by_rows = worded_by_rows(pack, asked, language)
    by_columns = told(word_batch(pack, found, language, customers=True, signals=True, phases=True))
    for case, one, other in zip(asked, by_rows, by_columns, strict=True):
        assert one == other, case.subscriber.id
    return by_rows


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shipped_packs_words_are_the_same(language: Language) -> None:
    """On every channel, with facts missing, and for people who refused personalisation."""
    said = agree(shipped(), people(), decided(), language)
    assert len({case.channel for case in people()}) == 13
    ours = [action for answer in said for action in answer["actions"]]
    assert {action["form"] for action in ours} == {"script", "text"}
    assert any(action["saving"] for action in ours)
    refused = decided().subscribers.filter(~decided().subscribers["personalised"])["i"]
    assert sum(len(said[place]["actions"]) for place in refused) > 20


@pytest.mark.parametrize("seed", range(8 * TIMES))
def test_texts_that_tell_facts_of_every_kind_are_the_same(seed: int) -> None:
    """Whole numbers and decimals, dates, sets, words, sums and shares, of facts and of tariffs, in every format that shows them."""
    pack = telling_pack(seed)
    asked = list(told_of(pack, seed, 60))
    said = agree(pack, asked, decide_batch(pack, batch_of(pack, asked)), LANGUAGES[seed % 2])
    assert sum(len(answer["actions"]) for answer in said) > 10


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_what_gates_saw_is_told_the_same(seed: int) -> None:
    """Of actions without a reason of their own, whose gates look at random figures and dates; and of random phases."""
    for pack in (random_pack(seed), random_gates_pack(seed)):
        asked = list(cases(pack, seed, 60, channel="app"))
        agree(pack, asked, decide_batch(pack, batch_of(pack, asked)), LANGUAGES[seed % 2])
