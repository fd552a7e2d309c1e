"""What a pattern may not say, and what it is told."""

from __future__ import annotations

import pytest
from test_patterns_matching import ago, condition, join

from app.engine.patterns import BuiltinMatcher, Join, Pattern, problems
from app.engine.patterns.comparison import UnsupportedError
from app.engine.problems import Place
from app.engine.tree import BOOLEAN, COUNT, NUMBER, SET, TEXT, TIME, And, Arithmetic, Compare, Const, Member, Node, Or, Ref

pytestmark = pytest.mark.unit

PLACE = Place("rules/patterns.yaml", 7, 3)
NOT_LINEAR = "an attribute of one fact is compared with one of another, plus or minus a whole number"


def told(*joins: Join) -> list[tuple[str, str]]:
    found = problems(Pattern("p", joins), PLACE)
    assert all(problem.place == PLACE and problem.code == "pattern" for problem in found)
    return [(problem.message, problem.hint) for problem in found]


def about(where: Node | str) -> list[tuple[str, str]]:
    return told(Join((("f", "fault"), ("c", "complaint")), condition(where, "f", "c", "z") if isinstance(where, str) else where))


@pytest.mark.parametrize(
    "where",
    [
        "c.area == f.area and f.at < c.at and f.days - c.days <= 7",
        "f.at + 604800000000 >= c.at",
        "7 >= -c.days + f.days",
        "2 * f.count - f.count > c.count + 3 - 1",
        "f.fee * f.count > 1.2 * f.count and c.due > '2026-01-01'",
        "not (f.done or c.kind in ('tv', 'mobile')) and c.topic != f.area",
    ],
)
def test_what_is_for_patterns(where: str) -> None:
    """Comparisons of one event, and of two with a whole number between them."""
    assert about(where) == []


@pytest.mark.parametrize(
    ("where", "message", "hint"),
    [
        ("f.fee > 1.2 * c.fee", "`f.fee > 1.2 * c.fee` is not for patterns", NOT_LINEAR),
        ("f.fee > c.fee + 0.5", "`f.fee > c.fee + 0.5` is not for patterns", NOT_LINEAR),
        ("f.fee + c.fee > 7", "`f.fee + c.fee > 7` is not for patterns", NOT_LINEAR),
        ("f.fee > c.fee + c.count", "`f.fee > c.fee + c.count` is not for patterns", NOT_LINEAR),
        ("f.fee + c.count - c.count > c.fee", "`f.fee + c.count - c.count > c.fee` is not for patterns", NOT_LINEAR),
        ("f.fee - f.fee > c.fee", "`f.fee - f.fee > c.fee` is not for patterns", NOT_LINEAR),
        ("f.fee * c.fee > 7", "`f.fee * c.fee` multiplies attributes", "a comparison between facts adds and subtracts only"),
        ("f.fee / 2 > f.count", "`f.fee / 2` is not for patterns", "multiply the other side"),
        ("f.fee > abs(f.count)", "`abs(f.count)` is not for patterns", "compare attributes, numbers and text"),
        ("known(f.fee)", "`known(f.fee)` is not for patterns", "compare attributes of events; other conditions belong in `when:`"),
        ("1 < 2", "`1 < 2` names no attribute", ""),
        ("f.at < z.at", "unknown fact `z`", ""),
        ("f.at + c.at < z.at", "`f.at + c.at < z.at` compares more than two facts", "compare two at a time"),
    ],
)
def test_what_is_not(where: str, message: str, hint: str) -> None:
    """Anything else is refused with what to write."""
    assert (message, hint) in about(where)


def a(name: str, kind: object = COUNT) -> Ref:
    return Ref(name, kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (Compare("==", a("f.area", TEXT), Const(1, COUNT)), "`f.area == 1` compares number with text"),
        (Compare("==", a("f.area", TEXT), a("c.fee")), "`f.area == c.fee` compares number with text"),
        (Compare("<", a("f.area", TEXT), a("c.area", TEXT)), "`f.area < c.area` orders text"),
        (Compare("==", a("f.done", BOOLEAN), a("c.done", BOOLEAN)), "`f.done == c.done` compares truth"),
        (Compare("==", a("f.share", NUMBER), a("c.share", NUMBER)), "`f.share == c.share` is not for patterns"),
        (Compare("==", a("f.when", TIME), Const(540, TIME)), f"`f.when` is {TIME}"),
        (Compare("==", a("f.fee"), Const(2**60, COUNT)), f"`{2**60}` is not for patterns"),
        (Compare("==", a("f.fee"), Const(float("nan"), NUMBER)), "`nan` is not for patterns"),
        (Compare("==", Arithmetic("-", a("f.fee"), a("c.fee")), Const(float("inf"), NUMBER)), "`inf` is not for patterns"),
        (Member(a("f.area", TEXT), a("c.held", SET)), "`f.area in c.held` is not for patterns"),
        (Member(a("f.area", TEXT), Const(frozenset({1}), SET)), "`f.area in (1,)` compares values of different types"),
        (Member(a("f.done", BOOLEAN), Const(frozenset({1}), SET)), "`f.done in (1,)` compares values of different types"),
    ],
)
def test_what_the_language_would_refuse(where: Node, message: str) -> None:
    """Trees that the rule language does not make are refused, not compiled."""
    assert [found for found, _ in about(where)] == [message]


def test_facts() -> None:
    """At least one joined fact, at most four with those of `without`, each with a name of its own; without joins there is no pattern."""
    assert told() == [("`p` has no facts", "write `facts:`, or `any:` with several joins")]
    assert told(Join(())) == [
        ("a join needs at least one fact", "`without` alone is a count: write `count(events.x, days=30) == 0` in `when:`")
    ]
    hint = "counts, signals and single facts belong in `when:`"
    assert told(join("a:x b:x c:x d:x e:x")) == [("5 facts are joined, the limit is 4", hint)]
    assert told(join("a:x b:x c:x", "", y="x", z="x")) == [("5 facts are joined, the limit is 4", hint)]
    assert told(join("a:x b:x c:x d:x")) == []
    assert told(Join((("a", "x"), ("a", "y")))) == [("`a` names 2 facts", "give each fact a name of its own")]


def test_without() -> None:
    """A condition of `without` is about the absent event."""
    found = told(join("f:fault", "", x="fix: x.at > f.at and f.fee > 3"))
    assert found == [("a condition of `without` does not mention `x`", "move it to the `where:` of the join")]
    assert told(join("f:fault", "", x="fix: x.at > 3")) == []
    assert told(join("f:fault", "", x="fix: x.fee / 2 > 3")) == [("`x.fee / 2` is not for patterns", "multiply the other side")]
    other = Join((("f", "fault"),), None, (("x", "fix", None), ("y", "fix", condition("x.at == y.at", "x", "y"))))
    assert told(other) == [("unknown fact `x`", "")]


def test_alternatives() -> None:
    """`or` may multiply out to 16 alternatives, within `without` to eight."""
    either = "(f.fee == c.fee or f.count == c.count)"
    assert about(" and ".join([either] * 1)) == []
    many = And(tuple(Or((Compare("==", a("f.fee"), Const(n, COUNT)), Compare("==", a("c.fee"), Const(n, COUNT)))) for n in range(4)))
    assert about(many) == []
    hint = "use `in` for one attribute with several values, or `any:` with a join each"
    too_many = And((*many.operands, many.operands[0]))
    assert about(too_many) == [("its `or`s multiply out to more than 16 alternatives", hint)]
    row = Or(tuple(Compare("==", a("f.fee"), Const(n, COUNT)) for n in range(17)))
    assert about(row) == [("its `or`s multiply out to more than 16 alternatives", hint)]
    nine = " or ".join(f"x.fee == {n}" for n in range(9))
    assert told(join("f:fault", "", x=f"fix: {nine}")) == [
        ("`without` multiplies out to more than 8 conditions", "use `in` for one attribute with several values")
    ]


def test_comparisons_between_facts() -> None:
    """One alternative links facts by at most twelve comparisons."""
    links = [f"f.fee > c.fee - {n}" for n in range(13)]
    assert about(" and ".join(links[:12])) == []
    assert about(" and ".join(links)) == [("more than 12 comparisons between facts", "split it into several patterns")]


def test_mistakes_are_gathered() -> None:
    """Every mistake is told, each once."""
    twice = join("a:x b:x c:x d:x e:x", "a.fee / 2 > 1")
    assert len(told(twice, twice)) == 2


def test_refused_patterns_do_not_compile() -> None:
    """What the check refuses, a matcher refuses too."""
    with pytest.raises(UnsupportedError):
        BuiltinMatcher([Pattern("p", (join("f:fault", "f.fee / 2 > 1"),))])


def test_names_of_a_pack_are_only_data() -> None:
    """An attribute's name is looked up, never run."""
    where = Compare("==", a("f.__class__", TEXT), Const("'); raise SystemExit(", TEXT))
    assert BuiltinMatcher([Pattern("p", (Join((("f", "fault"),), where),))]).match({"fault": [ago(1)]}, ago(0)[0]) == frozenset()
