"""What somebody refused is in no decision, whatever anybody knows of them; and what was decided may go out as long as nothing changed."""

from __future__ import annotations

import dataclasses
import datetime
import random
from typing import Any, get_args

import pytest

from app.engine.asking import questions
from app.engine.case import Case
from app.engine.chosen import OWN_CHOICE
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.rechecking import still
from app.engine.vocabulary import Channel
from app.engine.vocabulary.choices import Choice
from app.record.callers import Caller
from app.record.choices import MADE, TAKEN_BACK, choice_entry, choices_told, standing_of
from app.record.reading.recorded import read_entry, token_of
from app.record.store.database import Database
from tests.pipeline import TIMES, cases, decided_in_full, shipped
from tests.records import written

CHANNELS = get_args(Channel)
KINDS = ("no_marketing", "no_personalisation", "no_channel", "no_action", "human_review")
_STALE = (
    None,
    {"marketing": "yes", "personalised": "yes", "refused_channels": frozenset()},
    {"marketing": "yes", "personalised": "yes", "as_of": datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC)},
)


def drawn(chance: random.Random, actions: list[str], channel: str) -> Choice:
    """A choice that may matter: as often as not of the channel that is asked about."""
    kind: Any = chance.choice(KINDS)
    about = {"no_channel": chance.choice((channel, chance.choice(CHANNELS))), "no_action": chance.choice(actions)}.get(kind)
    return Choice(kind, about, "2026-11-01T00:00:00.000000+00:00", "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b")


def stale(case: Case, chance: random.Random) -> Case:
    """What a caller knows who has not heard: consent to everything, of long ago, or none."""
    consent = chance.choice(_STALE)
    section = type(case.subscriber).model_fields["consent"]
    made = None if consent is None else get_args(section.annotation)[0].model_construct(**consent, _fields_set=set(consent))
    answers = chance.choice(({}, {"consent.marketing": "yes"}))
    return dataclasses.replace(case, subscriber=case.subscriber.model_copy(update={"consent": made}), answers=answers)


def breaches(case: Case, choices: tuple[Choice, ...]) -> list[str]:
    """What a decision has that was refused."""
    pack = shipped()
    decision = decide(pack, case)
    offered = [item.action for item in decision.ranked]
    marketing = [name for name in offered if pack.by_id[name].marketing]
    made = {(item.choice, item.about) for item in choices}
    found = [name for name in offered if ("no_action", name) in made]
    if ("no_marketing", None) in made or ("no_channel", case.channel) in made:
        found += marketing
    if ("no_personalisation", None) in made and decision.personalised:
        found.append("profile")
    if ("human_review", None) in made and case.channel in ("app", "web", "robot", "sms_service", "sms_marketing", "social", "email"):
        found += marketing
    asked = questions(pack, case, decision, "en")
    found += [name for item in asked for name in item.may_unlock if ("no_action", name) in made]
    return found


@pytest.mark.parametrize("seed", range(3 * TIMES))
def test_what_was_refused_is_in_no_decision(seed: int) -> None:
    """Neither on the list nor asked for, whatever the caller knows, how old it is, and what was answered."""
    pack, chance = shipped(), random.Random(seed)
    stopped = 0
    for case in cases(pack, 700 + seed, 150):
        before = [item.action for item in decide(pack, case).ranked]
        pool = before or [action.id for action in pack.actions]
        choices = tuple(drawn(chance, pool, case.channel) for _ in range(chance.randint(1, 4)))
        asked = dataclasses.replace(stale(case, chance), choices=choices)
        assert breaches(asked, choices) == []
        whole = decided_in_full(pack, asked)
        stopped += sum(item.clause == OWN_CHOICE for item in whole.outcomes)
        explain(pack, asked, whole, "full")
        assert Case.from_json(asked.as_json()).choices == choices
    assert stopped > 20


@pytest.mark.parametrize("seed", range(TIMES))
def test_after_any_sequence_of_choices_what_stands_is_honoured(seed: int, sqlite_database: Database, keys: Any) -> None:
    """Made and taken back in any order, stored in any order: rows and entries say the same, and the next decision keeps to it."""
    pack, chance = shipped(), random.Random(40 + seed)
    with written(sqlite_database, keys) as book:
        for number, case in enumerate(cases(pack, 800 + seed, 12)):
            who, model = f"s-{number}", dict[tuple[str, str | None], bool]()
            entries = []
            for _ in range(chance.randint(1, 12)):
                choice = drawn(chance, [action.id for action in pack.actions][:3], case.channel)
                step = chance.choice((MADE, TAKEN_BACK))
                now = book.clock.ahead(seconds=1)
                entry_id = book.ids.new(now)
                entries.append(choice_entry(entry_id, now, who, choice.choice, choice.about, step, by=Caller("app", "self_service")))
                model[choice.choice, choice.about] = step == MADE
            chance.shuffle(entries)
            ids = sorted(book.record.write_now(one).entry_id for one in entries)
            token = str(book.record.read_now(lambda c, who=who: token_of(c, keys, who)))  # type: ignore[misc]
            standing = book.record.read_now(lambda c, token=token: standing_of(c, token))  # type: ignore[misc]
            assert {(item.choice, item.about) for item in standing} == {name for name, stands in model.items() if stands}
            found = [book.record.read_now(lambda c, name=name: read_entry(c, keys, name)) for name in ids]  # type: ignore[misc]
            assert tuple(choices_told(item.envelope for item in found if item)) == standing
            assert breaches(dataclasses.replace(stale(case, chance), choices=standing), standing) == []


@pytest.mark.parametrize("seed", range(2 * TIMES))
def test_what_was_decided_may_go_out_while_nothing_changed(seed: int) -> None:
    """Every action on a list, fallbacks among them, and every one that was only outranked; nothing else."""
    pack = shipped()
    for case in cases(pack, 900 + seed, 60):
        decision = decide(pack, case)
        for item in decision.ranked:
            assert still(pack, case, item.action, tariff=item.tariff, stood_in=item.fallback_for is not None).cause is None
        for became in decision.outcomes:
            if became.cause is not None:
                assert (still(pack, case, became.action).cause is None) == (became.cause == "outranked")
