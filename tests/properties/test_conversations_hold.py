"""What holds of every conversation, whatever pack, subscriber and answers: haggling gains nothing, and nobody is asked twice."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import IN_CONVERSATION
from app.engine.explain import explain
from app.engine.pack import Pack
from tests.conversations import Said, talked
from tests.pipeline import TIMES, cases, shipped
from tests.random_packs import random_talking_pack


def conversations(pack: Pack, seed: int, n: int, longest: int = 8) -> Iterator[list[Said]]:
    """Conversations with the population; half of them on lines whom nothing in the contact policy would spare."""
    dice = random.Random(seed)
    for case in cases(pack, seed, n, role="development"):
        yield talked(pack, case, dice, longest)


def all_conversations(seed: int) -> Iterator[tuple[Pack, list[Said]]]:
    """Of the shipped pack, and of one made of random conditions."""
    for pack, n in ((shipped(), 150), (random_talking_pack(seed), 60)):
        for talk in conversations(pack, 700 + seed, n):
            yield pack, talk


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_what_was_refused_or_accepted_never_comes_again(seed: int) -> None:
    """In no later step, whatever its duty; as a fallback no more than by itself."""
    later = 0
    for _, talk in all_conversations(seed):
        settled: set[str] = set()
        for said in talk:
            assert settled.isdisjoint(item.action for item in said.decision.ranked)
            later += bool(settled)
            settled |= {item.action for item in said.settled}
    assert later > 50


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_the_next_step_is_another_kind_of_help(seed: int) -> None:
    """Save what is owed, and what is said to end with."""
    for pack, talk in all_conversations(seed):
        kinds: set[str] = set()
        for said in talk:
            for item in said.decision.ranked:
                assert pack.by_id[item.action].kind not in kinds or item.duty == "owed" or item.fallback_for in ("let_go", "refused")
            kinds |= {settled.kind for settled in said.settled if settled.refused}


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_the_concession_never_grows_once_somebody_refused(seed: int) -> None:
    """Neither in sum nor the largest, whoever asks next and however much their role may concede."""
    conceding = 0
    for _, talk in all_conversations(seed):
        refused = False
        for before, now in itertools.pairwise(talk):
            refused = refused or any(item.refused for item in before.settled)
            one, other = ([item.concession for item in said.decision.ranked] for said in (before, now))
            if refused:
                assert sum(other) <= sum(one)
                assert max(other, default=0) <= max(one, default=0)
                conceding += any(one)
    assert conceding > 10


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_prices_and_concessions_do_not_know_how_often_somebody_refused(seed: int) -> None:
    """What an action concedes, its tariff and its score are those it has for the same case without a conversation."""
    for pack, talk in all_conversations(seed):
        for said in talk[1:]:
            fresh = {item.action: item for item in decide(pack, unlimited(replace(said.case, conversation=None))).ranked}
            for item in said.decision.ranked:
                if item.action in fresh:
                    alone = fresh[item.action]
                    assert (item.concession, item.tariff, item.score) == (alone.concession, alone.tariff, alone.score)


def unlimited(case: Case) -> Case:
    """The case with room for every action, whatever it concedes."""
    return replace(case, max_actions=10, asker=replace(case.asker, concession_limit=10**9))


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_who_wants_to_leave_and_refused_once_is_let_go(seed: int) -> None:
    """The list holds what is owed, and what the pack says to end with: no offer, no care, no concession."""
    let_go = 0
    for pack, talk in all_conversations(seed):
        for said in talk:
            facts, refused = said.decision.facts, said.case.conversation is not None and said.case.conversation.refused
            assert pack.choosing.leaving is not None
            if not refused or facts.values[pack.choosing.leaving] is not True or said.decision.phase.id == "hands_off":
                continue
            let_go += 1
            assert said.decision.closing == "let_go"
            for item in said.decision.ranked:
                assert item.duty == "owed" or item.fallback_for == "let_go"
                assert item.duty == "owed" or (item.concession == 0 and not pack.by_id[item.action].marketing)
    assert let_go > 5


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_after_the_last_step_nothing_more_is_proposed(seed: int) -> None:
    """As many refusals as the pack has steps, or nothing left of another kind: what is owed, and the end."""
    for pack, talk in all_conversations(seed):
        for said in talk:
            refused = len(said.case.conversation.refused) if said.case.conversation else 0
            if refused >= pack.choosing.steps and said.decision.phase.id != "hands_off":
                assert said.decision.closing is not None
            if said.decision.closing is not None:
                assert refused
                assert all(item.duty == "owed" or item.fallback_for == said.decision.closing for item in said.decision.ranked)


@pytest.mark.parametrize("seed", range(2 * TIMES))
def test_what_is_owed_stays(seed: int) -> None:
    """Whatever else was refused, the owed actions of the list before stand on the next one."""
    pack, kept = shipped(), 0
    for talk in conversations(pack, 900 + seed, 250):
        for before, now in itertools.pairwise(talk):
            settled = {item.action for item in before.settled}
            owed = {item.action for item in before.decision.ranked if item.duty == "owed"}
            if settled and settled.isdisjoint(owed):
                assert owed <= {item.action for item in now.decision.ranked}
                kept += bool(owed)
    assert kept > 20


@pytest.mark.parametrize("seed", range(2 * TIMES))
def test_a_conversation_is_decided_again_from_its_record(seed: int) -> None:
    """A case read back from its JSON is equal and gives the same decision, explained in both languages."""
    for pack, talk in all_conversations(seed):
        for said in talk[1:]:
            again = Case.from_json(said.case.as_json())
            assert again == said.case
            assert decide(pack, again) == said.decision
            for locale in ("zh-CN", "en"):
                told = explain(pack, replace(again, locale=locale), said.decision, "full")
                gone = [item for item in told.not_offered or () if item.clause in IN_CONVERSATION]
                assert all(item.text and item.cause == "not_applicable" for item in gone)
