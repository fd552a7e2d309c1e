"""What matching patterns means, whichever engine does it: here our own, in `test_patterns_durable.py` durable_rules."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from app.engine.language import Names, parse
from app.engine.patterns import BuiltinMatcher, Join, Matcher, Pattern, checked, durable_available, make_matcher, problems
from app.engine.problems import Place
from app.engine.tree import BOOLEAN, COUNT, DATE, DAYS, TEXT, Node, Ref, Type

pytestmark = pytest.mark.unit

DAY = 86_400_000_000
NOW = 20_000 * DAY
ATTRIBUTES = {
    "at": Type("number", integral=True, most=2.0**51),
    "days": DAYS,
    "area": TEXT,
    "topic": TEXT,
    "kind": Type("enum", values=("tv", "mobile")),
    "count": COUNT,
    "fee": COUNT,
    "done": BOOLEAN,
    "due": DATE,
}


@dataclass(frozen=True)
class Event:
    area: Any = None
    topic: Any = None
    kind: Any = None
    count: Any = None
    fee: Any = None
    done: Any = None
    due: Any = None


def condition(text: str, *aliases: str) -> Node:
    """A condition in the rule language, over events with all the attributes."""
    names = Names({f"{alias}.{name}": Ref(f"{alias}.{name}", kind) for alias in aliases for name, kind in ATTRIBUTES.items()})
    node, found = parse(text, Place(), names)
    assert node is not None, found
    return node


def join(facts: str, where: str = "", **without: str) -> Join:
    """`join("f:fault c:complaint", "f.at < c.at", x="fix: x.at > f.at")`."""
    pairs = tuple((alias, kind) for alias, kind in (word.split(":") for word in facts.split()))
    aliases = [alias for alias, _ in pairs]
    absent = []
    for alias, text in without.items():
        kind, _, rest = text.partition(":")
        absent.append((alias, kind, condition(rest.strip(), *aliases, alias) if rest else None))
    return Join(pairs, condition(where, *aliases) if where else None, tuple(absent))


def ago(days: float, **values: Any) -> tuple[int, Event]:
    return NOW - int(days * DAY), Event(**values)


class Behaviour:
    """Every test asks a matcher made by `engine`."""

    engine: ClassVar[Callable[[Iterable[Pattern]], Matcher]]

    @pytest.fixture
    def holds(self) -> Iterator[Callable[..., bool]]:
        """Do some joins, as one pattern, hold for these events."""
        matchers: dict[tuple[Join, ...], Matcher] = {}

        def ask(joins: Join | tuple[Join, ...], **history: list[tuple[int, Event]]) -> bool:
            joins = joins if isinstance(joins, tuple) else (joins,)
            if joins not in matchers:
                pattern = Pattern("p", joins)
                assert problems(pattern, Place()) == []
                matchers[joins] = type(self).engine([pattern])
            return matchers[joins].match(history, NOW) == {"p"}

        yield ask
        for matcher in matchers.values():
            matcher.close()

    def test_linked_events(self, holds: Callable[..., bool]) -> None:
        """A join holds when some choice of events satisfies its condition."""
        asked = join("f:fault c:complaint", "c.area == f.area and f.at < c.at and f.days - c.days <= 7")
        assert holds(asked, fault=[ago(9, area="a"), ago(40, area="b")], complaint=[ago(3, area="a")])
        assert not holds(asked, fault=[ago(9, area="a")], complaint=[ago(3, area="b")])
        assert not holds(asked, fault=[ago(1, area="a")], complaint=[ago(3, area="a")])
        assert not holds(asked, fault=[ago(11, area="a")], complaint=[ago(3, area="a")])

    def test_no_events(self, holds: Callable[..., bool]) -> None:
        """Without events of every joined kind nothing holds."""
        asked = join("f:fault c:complaint")
        assert holds(asked, fault=[ago(1)], complaint=[ago(1)])
        assert not holds(asked)
        assert not holds(asked, fault=[ago(1)])
        assert not holds(asked, fault=[ago(1)], complaint=[], other=[ago(1)])

    @pytest.mark.parametrize("sign", ["==", "!="])
    def test_missing_attribute(self, holds: Callable[..., bool], sign: str) -> None:
        """A comparison with a missing attribute is not true, on either side and whatever the operator."""
        asked = join("f:fault c:complaint", f"c.area {sign} f.area")
        other = "a" if sign == "==" else "b"
        assert holds(asked, fault=[ago(2, area="a")], complaint=[ago(1, area=other)])
        assert not holds(asked, fault=[ago(2)], complaint=[ago(1, area=other)])
        assert not holds(asked, fault=[ago(2, area="a")], complaint=[ago(1)])
        assert not holds(asked, fault=[ago(2)], complaint=[ago(1)])

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("not f.area == 'a'", {"area": "b"}),
            ("f.area not in ('a', 'c')", {"area": "b"}),
            ("not f.count > 1", {"count": 1}),
            ("not f.done", {"done": False}),
        ],
    )
    def test_negation_of_the_missing(self, holds: Callable[..., bool], text: str, value: dict[str, Any]) -> None:
        """Nor is the negation of a comparison true when its attribute is missing."""
        assert holds(join("f:fault", text), fault=[ago(1, **value)])
        assert not holds(join("f:fault", text), fault=[ago(1)])

    @pytest.mark.parametrize("value", ["1", True, 1.0, 2**60])
    def test_value_of_another_type(self, holds: Callable[..., bool], value: object) -> None:
        """`1` is not `"1"`, nor true: a value that is not of the attribute's type is missing."""
        asked = join("f:fault c:complaint", "c.count == f.count")
        assert holds(asked, fault=[ago(2, count=1)], complaint=[ago(1, count=1)])
        assert not holds(asked, fault=[ago(2, count=value)], complaint=[ago(1, count=1)])
        assert not holds(asked, fault=[ago(2, count=value)], complaint=[ago(1, count=value)])
        assert not holds(join("f:fault", "f.count >= 0"), fault=[ago(2, count=value)])

    def test_text_that_looks_like_something_else(self, holds: Callable[..., bool]) -> None:
        """Text is compared as it is: no number, no hash, no escape and no length makes two texts one."""
        asked = join("f:fault c:complaint", "c.area == f.area")
        texts = [
            "1",
            "01",
            "true",
            "",
            "null",
            "liquid",
            "costarring",
            "'",
            '"',
            "\\",
            '\\"',
            "a\0",
            "a\0b",
            "\ud800",
            "费",
            "费 ",
            "e" * 70_000,
        ]
        for text in texts:
            others = [ago(1, area=other) for other in texts if other != text]
            assert holds(asked, fault=[ago(2, area=text)], complaint=[*others, ago(1, area=text)])
            assert not holds(asked, fault=[ago(2, area=text)], complaint=others)

    def test_one_event_is_not_two_facts(self, holds: Callable[..., bool]) -> None:
        """Two facts of a kind are two events, even when one event alone satisfies the condition."""
        asked = join("a:fault b:fault", "a.area == b.area and a.at <= b.at")
        assert not holds(asked, fault=[ago(1, area="a"), ago(1, area="b")])
        assert holds(asked, fault=[ago(1, area="a"), ago(2, area="a")])

    def test_the_same_event_twice(self, holds: Callable[..., bool]) -> None:
        """A history that lists an event twice has two events."""
        event = ago(1, area="a")
        assert holds(join("a:fault b:fault", "a.area == b.area"), fault=[event, event])
        assert not holds(join("a:fault b:fault c:fault", "a.area == b.area"), fault=[event, event])

    def test_without(self, holds: Callable[..., bool]) -> None:
        """`without` rules out a choice of events to which some other event fits; another choice may still do."""
        asked = join("f:fault c:complaint", "c.area == f.area", x="fix: x.area == f.area and x.at > f.at")
        faults, complaints = [ago(9, area="a"), ago(8, area="b")], [ago(1, area="a"), ago(1, area="b")]
        assert holds(asked, fault=faults, complaint=complaints)
        assert holds(asked, fault=faults, complaint=complaints, fix=[ago(2, area="a")])
        assert holds(asked, fault=faults, complaint=complaints, fix=[ago(10, area="a"), ago(10, area="b")])
        assert not holds(asked, fault=faults, complaint=complaints, fix=[ago(2, area="a"), ago(2, area="b")])

    def test_without_condition(self, holds: Callable[..., bool]) -> None:
        """`without` and no condition rules out any other event of the kind; the joined ones do not count."""
        asked = join("f:fault", "f.count > 1", x="fault")
        assert holds(asked, fault=[ago(1, count=2)])
        assert not holds(asked, fault=[ago(1, count=2), ago(9)])

    def test_joined_events_do_not_rule_themselves_out(self, holds: Callable[..., bool]) -> None:
        """`no fault since the second` looks at other faults than the two."""
        asked = join("a:fault b:fault", "a.at < b.at", x="fault: x.at >= b.at")
        assert holds(asked, fault=[ago(3), ago(2), ago(1)])
        assert not holds(asked, fault=[ago(3), ago(1), ago(1)])

    def test_without_and_missing_attributes(self, holds: Callable[..., bool]) -> None:
        """An event that lacks what `without` compares rules nothing out, and a joined one that lacks it is not ruled out."""
        asked = join("f:fault", "f.count > 1", x="fix: x.area == f.area")
        assert not holds(asked, fault=[ago(2, count=2, area="a")], fix=[ago(1, area="a")])
        assert holds(asked, fault=[ago(2, count=2, area="a")], fix=[ago(1)])
        assert holds(asked, fault=[ago(2, count=2)], fix=[ago(1, area="a"), ago(1)])
        differs = join("f:fault", "f.count > 1", x="fix: x.area != f.area")
        assert holds(differs, fault=[ago(2, count=2)], fix=[ago(1, area="a")])

    def test_two_absences(self, holds: Callable[..., bool]) -> None:
        """Each `without` rules out by itself."""
        asked = join("f:fault", "f.count > 1", x="fix: x.area == f.area", y="visit: y.at > f.at")
        fault = ago(5, count=2, area="a")
        assert holds(asked, fault=[fault], fix=[ago(1, area="b")], visit=[ago(9)])
        assert not holds(asked, fault=[fault], fix=[ago(1, area="a")])
        assert not holds(asked, fault=[fault], visit=[ago(1)])

    def test_or(self, holds: Callable[..., bool]) -> None:
        """`or` holds by either side, among joined facts and within `without`."""
        asked = join("f:fault c:complaint", "c.area == f.area or c.topic == f.topic", x="fix: x.at > c.at or x.area == f.area")
        assert holds(asked, fault=[ago(2, area="a")], complaint=[ago(1, area="a")])
        assert holds(asked, fault=[ago(2, topic="t")], complaint=[ago(1, topic="t", area="b")])
        assert not holds(asked, fault=[ago(2, area="a")], complaint=[ago(1, area="b")])
        assert not holds(asked, fault=[ago(3, area="a")], complaint=[ago(2, area="a")], fix=[ago(1)])
        assert not holds(asked, fault=[ago(3, area="a")], complaint=[ago(2, area="a")], fix=[ago(9, area="a")])
        assert holds(asked, fault=[ago(3, area="a")], complaint=[ago(2, area="a")], fix=[ago(9, area="b")])

    def test_any(self, holds: Callable[..., bool]) -> None:
        """A pattern holds by any of its joins."""
        asked = (join("f:fault", "f.count > 1"), join("c:complaint", "c.count > 1"))
        assert holds(asked, complaint=[ago(1, count=2)])
        assert holds(asked, fault=[ago(1, count=2)], complaint=[ago(1, count=1)])
        assert not holds(asked, fault=[ago(1, count=1)], complaint=[ago(1, count=1)])

    def test_condition_that_is_always_or_never(self, holds: Callable[..., bool]) -> None:
        """A condition may be plainly true or false, as after a parameter was put in."""
        assert holds(join("f:fault", "true"), fault=[ago(1)])
        assert not holds(join("f:fault", "f.at > 0 and false"), fault=[ago(1)])
        assert holds(join("f:fault", "true", x="fix: x.at > 0 and false"), fault=[ago(1)], fix=[ago(1)])

    def test_age(self, holds: Callable[..., bool]) -> None:
        """`days` are whole days gone by: an hour short of seven days is six."""
        assert holds(join("f:fault", "f.days == 6"), fault=[ago(7 - 1 / 24)])
        assert holds(join("f:fault", "f.days == 7"), fault=[ago(7)])
        assert holds(join("f:fault", "f.days == 0"), fault=[ago(0)])

    def test_the_future(self, holds: Callable[..., bool]) -> None:
        """Events after `as_of` neither join nor rule out."""
        assert not holds(join("f:fault", "f.at > 0"), fault=[ago(-0.001)])
        assert holds(join("f:fault", "f.at > 0", x="fix"), fault=[ago(1)], fix=[ago(-0.001)])

    def test_dates(self, holds: Callable[..., bool]) -> None:
        """Dates come as ordinals or as they are; a date that is never is missing."""
        asked = join("p:promise q:promise", "p.due < q.due")
        one, other = datetime.date(2026, 1, 1), datetime.date(2026, 1, 2)
        assert holds(asked, promise=[ago(1, due=one), ago(2, due=other.toordinal())])
        assert not holds(asked, promise=[ago(1, due=one), ago(2, due=one.toordinal())])
        assert not holds(asked, promise=[ago(1, due=0), ago(2, due=one)])
        assert holds(join("p:promise", "p.due == '2026-01-01'"), promise=[ago(1, due=one)])

    def test_arithmetic_within_a_fact(self, holds: Callable[..., bool]) -> None:
        """One event's own attributes may be multiplied and added up."""
        asked = join("b:bill", "b.fee > 1.2 * b.count + 1")
        assert holds(asked, bill=[ago(1, fee=14, count=10)])
        assert not holds(asked, bill=[ago(1, fee=13, count=10)])

    def test_order_of_events(self, holds: Callable[..., bool]) -> None:
        """The order in which events are listed means nothing."""
        asked = join("a:fault b:fault c:fault", "a.at < b.at and b.at < c.at", x="fix: x.at > c.at")
        rows = [ago(1), ago(2), ago(3)]
        assert all(holds(asked, fault=[*rows[turn:], *rows[:turn]], fix=[ago(2)]) for turn in range(3))
        assert not any(holds(asked, fault=[*rows[turn:], *rows[:turn]], fix=[ago(0.5), ago(2)]) for turn in range(3))

    def test_subscribers_do_not_mix(self, holds: Callable[..., bool]) -> None:
        """Nothing of one subscriber's events is left for the next one, be it a match, half a match or what ruled one out."""
        asked = join("f:fault c:complaint", "c.area == f.area", x="fix: x.area == f.area")
        fault, complaint, fix = [ago(3, area="a")], [ago(2, area="a")], [ago(1, area="a")]
        for _ in range(50):
            assert holds(asked, fault=fault, complaint=complaint)
            assert not holds(asked, fault=fault, complaint=complaint, fix=fix)
            assert not holds(asked, fault=fault, complaint=[ago(2, area="b")])
            assert not holds(asked, fault=[ago(3, area="b")], complaint=complaint)

    def test_bound(self, holds: Callable[..., bool]) -> None:
        """Of very many events that could join, only the newest are looked at: 64 each for two facts."""
        asked = join("f:fault c:complaint", "c.count == f.count")
        faults = [ago(number, count=number) for number in range(1, 5_000)]
        assert holds(asked, fault=faults, complaint=[ago(1, count=64)])
        assert not holds(asked, fault=faults, complaint=[ago(1, count=65)])
        assert not holds(asked, fault=faults[::-1], complaint=[ago(1, count=65)])

    @pytest.mark.parametrize(("facts", "kept"), [("a:one b:two", 64), ("a:one b:two c:three", 25), ("a:one b:two c:three d:four", 11)])
    def test_bound_of_more_facts(self, holds: Callable[..., bool], facts: str, kept: int) -> None:
        """The more facts are joined, the fewer of each are looked at."""
        aliases = [word[0] for word in facts.split()]
        anything = " and ".join(f"a.count - {alias}.count < 1000" for alias in aliases[1:])
        asked = join(facts, f"{anything} and a.fee == {aliases[-1]}.fee")
        many = [ago(number, count=number, fee=number) for number in range(1, 100)]
        others = {kind: [ago(number, count=number, fee=0) for number in range(1, 100)] for kind in ("two", "three", "four")}
        last = facts.rpartition(":")[2]
        for wanted, found in ((kept, True), (kept + 1, False)):
            newest = [ago(0, count=0, fee=wanted)]
            assert holds(asked, one=many, **{**others, last: newest + others[last]}) is found

    @pytest.mark.parametrize("ages", [(1, 90), (90, 1)])
    def test_alike_events_are_as_new_as_the_newest(self, holds: Callable[..., bool], ages: tuple[int, int]) -> None:
        """Of events that look alike to the join, the newest says whether they are looked at."""
        asked = join("f:fault c:complaint", "c.area == f.area")
        faults = [ago(10 + number, area=f"{number}") for number in range(70)]
        assert holds(asked, fault=[ago(ages[0], area="a"), *faults, ago(ages[1], area="a")], complaint=[ago(1, area="a")])

    def test_bound_counts_what_may_join(self, holds: Callable[..., bool]) -> None:
        """Events that fail their own tests, or look alike to the join, take no room."""
        asked = join("f:fault c:complaint", "c.area == f.area and f.count > 1")
        many = [ago(1 + number / 1_000, area=f"{number}", count=1) for number in range(500)]
        alike = [ago(1 + number / 1_000, area="b", count=2) for number in range(500)]
        assert holds(asked, fault=[*many, *alike, ago(9, area="a", count=2)], complaint=[ago(1, area="a")])

    def test_bound_of_one_moment(self, holds: Callable[..., bool]) -> None:
        """Which of many events of one moment are looked at does not depend on their order."""
        asked = join("a:fault b:fault", "a.count + 1 == b.count and a.count in (62, 63, 64, 65)")
        faults = [ago(1, count=number) for number in range(100)]
        assert len({holds(asked, fault=[*faults[turn:], *faults[:turn]]) for turn in range(0, 100, 7)}) == 1

    def test_several_patterns(self) -> None:
        """Each pattern is found for itself."""
        matcher = type(self).engine(
            [Pattern("a", (join("f:fault"),)), Pattern("b", (join("c:complaint"),)), Pattern("c", (join("f:fix"),))]
        )
        assert matcher.match({"fault": [ago(1)], "complaint": [ago(1)]}, NOW) == {"a", "b"}
        assert matcher.match({}, NOW) == frozenset()
        matcher.close()

    def test_threads(self) -> None:
        """Threads may share a matcher; each gets the answer to its own question."""
        matcher = type(self).engine([Pattern("p", (join("f:fault c:complaint", "c.area == f.area", x="fix: x.area == f.area"),))])
        wrong: list[int] = []

        def ask(number: int) -> None:
            for turn in range(200):
                history = {"fault": [ago(2, area=f"{number}")], "complaint": [ago(1, area=f"{number + turn % 2}")]}
                if (matcher.match(history, NOW) == {"p"}) is (turn % 2 == 1):
                    wrong.append(number)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        matcher.close()
        assert not wrong


class TestBuiltin(Behaviour):
    engine = BuiltinMatcher


def test_without_durable_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where durable_rules does not load, our own matcher is the default and there is nothing to try in a child."""
    monkeypatch.setattr("app.engine.patterns.durable_available", lambda: False)
    monkeypatch.setattr("app.engine.patterns.trial.durable_available", lambda: False)
    patterns = [Pattern("p", (join("f:fault"),))]
    assert isinstance(make_matcher(patterns), BuiltinMatcher)
    assert checked(patterns, "d1") is None


def test_availability(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether durable_rules loads is found by loading it."""

    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("app.engine.patterns.durable.import_module", refuse)
    assert durable_available.__wrapped__() is False
