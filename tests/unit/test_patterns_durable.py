"""Matching with durable_rules: all that matching means, and that the engine is only spoken to in the safe way."""

from __future__ import annotations

import gc
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from test_patterns_matching import NOW, Behaviour, ago, join

from app.engine.patterns import BuiltinMatcher, DurableMatcher, Pattern, PatternEngineError, collisions, durable_available, make_matcher
from app.engine.patterns.network import definition
from app.engine.patterns.plan import Plans

durable_rules = pytest.importorskip("durable_rules_engine", reason="durable_rules does not load on Python 3.13", exc_type=ImportError)

pytestmark = pytest.mark.unit

PATTERN = Pattern("p", (join("f:fault c:complaint", "c.area == f.area and c.at > f.at", x="fix: x.area != f.area"),))
MATCHING = {"fault": [ago(2, area="a")], "complaint": [ago(1, area="a")], "fix": [ago(3, area="a")]}


class TestDurable(Behaviour):
    engine = DurableMatcher


class Spy:
    """The engine, with its calls written down; `fails` makes the next call of that name fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.fails = ""
        self.error: BaseException = RuntimeError("out of memory")

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls.append((name, *arguments))
            if name == self.fails:
                self.fails = ""
                raise self.error
            return getattr(durable_rules, name)(*arguments)

        return call


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    found = Spy()
    monkeypatch.setattr("app.engine.patterns.network.import_module", lambda _: found)
    return found


def test_default_engine() -> None:
    """durable_rules is the default where it loads; either can be asked for."""
    assert durable_available()
    assert isinstance(make_matcher([PATTERN]), DurableMatcher)
    assert isinstance(make_matcher([PATTERN], "durable"), DurableMatcher)
    assert isinstance(make_matcher([PATTERN], "builtin"), BuiltinMatcher)


def test_only_whole_numbers_are_sent(spy: Spy) -> None:
    """No text, truth value or fraction reaches the engine, and every fact has an id of its own."""
    matcher = DurableMatcher([PATTERN])
    spy.calls.clear()
    assert matcher.match(MATCHING, NOW) == {"p"}
    facts = [json.loads(call[2]) for call in spy.calls if call[0] == "assert_fact"]
    assert [fact.pop("id") for fact in facts] == ["0", "1", "2"]
    assert {type(value) for fact in facts for value in fact.values()} == {int}


def test_absent_facts_go_first(spy: Spy) -> None:
    """Facts are asserted one at a time: the absent ones, the joined ones, the first fact last; then the state is deleted."""
    matcher = DurableMatcher([PATTERN])
    spy.calls.clear()
    matcher.match(MATCHING, NOW)
    assert [json.loads(call[2])["fact"] for call in spy.calls if call[0] == "assert_fact"] == [2, 1, 0]
    assert [call[0] for call in spy.calls] == [*["assert_fact"] * 3, "start_action_for_state", "delete_state"]


def test_not_asked_in_vain(spy: Spy) -> None:
    """When some joined fact has no row, the engine is not called."""
    matcher = DurableMatcher([PATTERN])
    spy.calls.clear()
    assert matcher.match({"fault": MATCHING["fault"], "fix": MATCHING["fix"]}, NOW) == frozenset()
    assert matcher.match({**MATCHING, "complaint": [ago(1)]}, NOW) == frozenset()
    assert spy.calls == []


@pytest.mark.parametrize("call", ["assert_fact", "start_action_for_state", "delete_state"])
def test_failure_is_not_kept(spy: Spy, call: str) -> None:
    """After the engine failed, the rule set is a new one and knows nothing of what was asserted."""
    matcher = DurableMatcher([PATTERN])
    spy.fails = call
    with pytest.raises(PatternEngineError, match="durable_rules failed on pattern `p`: out of memory"):
        matcher.match(MATCHING, NOW)
    assert matcher.match({**MATCHING, "complaint": [ago(1, area="b")]}, NOW) == frozenset()
    assert matcher.match(MATCHING, NOW) == {"p"}


def test_interruption_is_not_kept(spy: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's Ctrl-C passes through as it is, and leaves nothing behind either."""
    matcher = DurableMatcher([PATTERN])
    spy.fails, spy.error = "start_action_for_state", KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        matcher.match(MATCHING, NOW)
    assert matcher.match({**MATCHING, "complaint": [ago(1, area="b")]}, NOW) == frozenset()


@pytest.mark.parametrize("answer", [1, 2])
def test_unexpected_answer(spy: Spy, monkeypatch: pytest.MonkeyPatch, answer: int) -> None:
    """A fact that the engine does not take, or has seen before, is an error and not a missed match."""
    matcher = DurableMatcher([PATTERN])
    monkeypatch.setattr(spy, "assert_fact", lambda *_: (answer, 1), raising=False)
    with pytest.raises(PatternEngineError, match="answered"):
        matcher.match(MATCHING, NOW)


def test_sentinel_must_act(spy: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule set whose sentinel does not act is not used."""
    monkeypatch.setattr(spy, "start_action_for_state", lambda *_: None, raising=False)
    with pytest.raises(PatternEngineError, match="the sentinel rule did not act"):
        DurableMatcher([PATTERN])


def test_threads_take_turns(spy: Spy) -> None:
    """No thread's facts get between another's, and all use the one rule set."""
    matcher = DurableMatcher([PATTERN])
    spy.calls.clear()
    threads = [threading.Thread(target=lambda: [matcher.match(MATCHING, NOW) for _ in range(50)]) for _ in range(4)]
    with often_switched():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    one = [*["assert_fact"] * 3, "start_action_for_state", "delete_state"]
    assert [call[0] for call in spy.calls] == one * 200


@contextmanager
def often_switched() -> Iterator[None]:
    """Let threads interrupt each other as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_rule_sets_are_given_back(spy: Spy) -> None:
    """Closing a matcher, twice too, or dropping it deletes its rule sets once."""
    closed, dropped = DurableMatcher([PATTERN]), DurableMatcher([PATTERN])
    closed.close()
    closed.close()
    del dropped
    gc.collect()
    assert [call[0] for call in spy.calls].count("delete_ruleset") == 2


def test_after_a_fork() -> None:
    """In a forked process a matcher starts afresh, even if another thread's turn was copied half done."""
    matcher = DurableMatcher([PATTERN])
    matcher._turn.acquire()
    matcher._process = -1
    assert matcher.match(MATCHING, NOW) == {"p"}


def test_tests_end_with_one_that_cannot_fail() -> None:
    """durable_rules reads beyond a list of tests whose last one fails, so the last one never does."""
    (plan,) = Plans([PATTERN]).all
    lists = [test["$and"] for fact in definition(plan)["join"]["all"] for test in fact.values() if "$and" in test]
    assert len(lists) == 2
    assert all(tests[-1] == {"one": {"f0": "one"}} for tests in lists)


def test_own_names_do_not_collide() -> None:
    """The names and ids that we make up are distinct to the engine."""
    columns = [f"{kind}{number}" for kind in "ckf" for number in range(64)]
    assert collisions(["id", "sid", "m", "$m", "$s", "one", "fact", "join", "sentinel", *columns]) == []
    assert collisions(map(str, range(5_000))) == []


@pytest.mark.parametrize(("one", "other"), [("costarring", "liquid"), ("视天电w", "视期域a")])
def test_hash_of_names(one: str, other: str) -> None:
    """The engine takes `costarring` for `liquid`, and so does our hash; bytes beyond ASCII count as signed."""
    assert collisions([other, "third", one, other]) == [(one, other)]
    handle = durable_rules.create_ruleset("collision", f'{{"r": {{"all": [{{"m": {{"{one}": 1}}}}]}}}}')
    assert durable_rules.assert_fact(handle, f'{{"id": "1", "{other}": 1}}')[0] == 0
    assert durable_rules.assert_fact(handle, '{"id": "2", "third": 1}')[0] == 1
    durable_rules.delete_ruleset(handle)
