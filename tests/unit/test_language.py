"""What may be written, what it means as a tree, and how a tree is written back."""

import pytest

from app.engine.functions import FUNCTIONS
from app.engine.language import DEEPEST_EXPRESSION, LONGEST_EXPRESSION, mentioned, parse
from app.engine.problems import Place
from app.engine.tree import (
    BOOLEAN,
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    Member,
    Negative,
    Node,
    Not,
    Or,
    Ref,
    Type,
    fold,
    show,
    substitute,
)
from tests.expressions import CONTACT, FACTS, GATES, SCOPES, TODAY, tree, value

pytestmark = pytest.mark.unit


def text(word: str) -> Const:
    return Const(word, Type("text"))


def number(given: float) -> Const:
    return Const(given, Type("number", integral=isinstance(given, int), most=abs(given)))


def held(level: str) -> Ref:
    return Ref(f"level:tolls:{level}", BOOLEAN)


FEE = FACTS.values["plan.monthly_fee"]
PLAN = FACTS.values["plan.id"]
ON_TRIAL = FACTS.values["custom.ok"]


class TestTrees:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("plan.monthly_fee > 5900", Compare(">", FEE, number(5900))),
            ("5900 != plan.monthly_fee", Compare("!=", number(5900), FEE)),
            ("1 < plan.monthly_fee <= 9", And((Compare("<", number(1), FEE), Compare("<=", FEE, number(9))))),
            ("plan.id == 'a'", Compare("==", PLAN, text("a"))),
            ("plan.id in ('a', 'b')", Member(PLAN, Const(frozenset({"a", "b"}), Type("set", model="text")))),
            ("plan.id in ['a']", Member(PLAN, Const(frozenset({"a"}), Type("set", model="text")))),
            ("plan.id not in {'a'}", Not(Member(PLAN, Const(frozenset({"a"}), Type("set", model="text"))))),
            ("'a' in services.held", Member(text("a"), FACTS.values["services.held"])),
            ("not custom.ok", Not(ON_TRIAL)),
            ("custom.ok and true and false", And((ON_TRIAL, Const(True, BOOLEAN), Const(False, BOOLEAN)))),
            ("custom.ok or True", Or((ON_TRIAL, Const(True, BOOLEAN)))),
            ("-5", Const(-5, Type("number", integral=True, most=5))),
            ("signal('tolls')", Ref("signal:tolls", BOOLEAN)),
            ("param.floor", SCOPES.parameters["param.floor"]),
        ],
    )
    def test_forms(self, written: str, expected: Node) -> None:
        """Each form of the grammar is one tree."""
        assert tree(written) == expected

    def test_arithmetic(self) -> None:
        """Sums and products are trees of two, with a type that knows unit, wholeness and size."""
        node = tree("2 * plan.monthly_fee - 100 / 3")
        assert isinstance(node, Arithmetic)
        assert (node.operator, node.type.unit, node.type.integral) == ("-", "money", False)
        assert tree("2 * plan.monthly_fee").type == Type("number", "money", integral=True, most=2 * FEE.type.most)
        assert tree("-plan.monthly_fee") == Negative(FEE, FEE.type)
        assert tree("plan.monthly_fee / plan.min_commitment").type.unit == "share"

    def test_junctions_of_one_kind_are_one(self) -> None:
        """Parentheses that change nothing leave no trace: equal meaning is an equal tree, computed once."""
        assert tree("(custom.ok and param.on) and 0 < plan.monthly_fee < 9") == tree(
            "custom.ok and param.on and (0 < plan.monthly_fee < 9)"
        )
        assert tree("custom.ok or (custom.ok or param.on)") == Or((ON_TRIAL, ON_TRIAL, SCOPES.parameters["param.on"]))

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("level('tolls') == 'severe'", held("severe")),
            ("level('tolls') == 'high'", And((held("high"), Not(held("severe"))))),
            ("level('tolls') == 'watch'", And((held("watch"), Not(held("severe")), Not(held("high"))))),
            ("level('tolls') in ('severe', 'high')", Or((And((held("high"), Not(held("severe")))), held("severe")))),
            ("level('tolls') >= 'high'", Or((held("severe"), held("high")))),
            ("level('tolls') >= 'severe'", held("severe")),
            ("level('tolls') > 'watch'", Or((held("severe"), held("high")))),
            ("level('tolls') != 'severe'", Not(held("severe"))),
            ("level('tolls') not in ('severe',)", Not(held("severe"))),
        ],
    )
    def test_levels(self, written: str, expected: Node) -> None:
        """A level beside level words is conditions on the levels: exactly this one means that no stronger one holds."""
        assert tree(written) == expected

    def test_clocks(self) -> None:
        """Windows end when facts hold; in contact policy, when the person is contacted."""
        for written, clock in (("count(events.use)", "clock"), ("contacted(days=7)", "clock"), ("since(events.use)", "clock")):
            assert getattr(tree(written), clock) == "as_of"
            assert getattr(tree(written, CONTACT), clock) == "contact_at"
        assert Ref("today", tree("contract.promo_end").type) in tree("days_since(contract.promo_end)").arguments  # type: ignore[union-attr]
        (_, day) = tree("days_since(contract.promo_end)", CONTACT).arguments  # type: ignore[union-attr]
        assert day.name == "contact_day"

    @pytest.mark.parametrize("name", sorted(FUNCTIONS))
    def test_examples(self, name: str) -> None:
        """The example of every function in its table can be written as it stands, given its names exist."""
        example = FUNCTIONS[name].example
        for given, ours in (
            ("four_high.tariff", "tolls"),
            ("service.bill_unclear", "tolls"),
            ("service.friction", "fault"),
            ("param.toll_packs", "param.packs"),
        ):
            example = example.replace(given, ours)
        node = tree(example)
        assert name in example
        assert node.type.kind in ("boolean", "number")

    def test_deep_enough(self) -> None:
        """What people write nests a few levels; the deepest that is accepted also compiles and runs."""
        written = "not " * (DEEPEST_EXPRESSION - 2) + "custom.ok"
        assert value(written, {"custom.ok": True}) is True
        nested = "custom.ok"
        for _ in range(DEEPEST_EXPRESSION // 2 - 1):
            nested = f"(param.on and (param.on or {nested}))" if len(nested) < LONGEST_EXPRESSION - 40 else nested
        node, problems = parse(nested, Place(), FACTS)
        assert (node is None) == bool(problems)
        assert node is None or value(nested) is True

    def test_long_enough(self) -> None:
        """A long list of alternatives is no trouble up to the limit."""
        written = " or ".join(["custom.ok"] * 150)
        assert len(written) <= LONGEST_EXPRESSION
        assert value(written, {"custom.ok": False}) is False


class TestShow:
    @pytest.mark.parametrize(
        "written",
        [
            "plan.monthly_fee >= 1.5 * param.floor",
            "-(plan.monthly_fee * 2) < 0",
            "-plan.monthly_fee * 2 < 0",
            "plan.monthly_fee - (plan.min_commitment - 1) > 0",
            "plan.monthly_fee / (plan.min_commitment * 2) > 0.5",
            "plan.monthly_fee - -5 > 0",
            "not (custom.ok or param.on) and custom.ok",
            "not custom.ok",
            "not plan.monthly_fee > 3",
            "(custom.ok or param.on) and (custom.ok or not param.on)",
            "plan.id not in ('a', 'b')",
            "plan.id in ('a',)",
            "plan.monthly_fee in (1, 2)",
            "contract.promo_end >= '2026-11-22'",
            "contract.promo_end in ('2026-11-22', '2026-11-23')",
            "signal('tolls') and level('tolls') == 'severe'",
            "count(events.complaint, days=30, topic='billing') >= 1",
            "plan.id == 'it\\'s'",
            "true",
        ],
    )
    def test_round_trip(self, written: str) -> None:
        """A tree written back reads as the same tree."""
        node = tree(written)
        assert tree(show(node)) == node

    def test_times(self) -> None:
        """A time of day is written as one."""
        node = tree("clock.time >= '09:05'", CONTACT)
        assert node == Compare(">=", Ref("clock.time", Type("time")), Const(545, Type("time")))
        assert show(node) == "clock.time >= '09:05'"

    def test_as_written(self) -> None:
        """Calls keep the text they were written in; parameters keep their name."""
        assert show(tree("count( events.use,days = 3 )>=param.floor")) == "count(events.use, days=3) >= param.floor"


class TestMentioned:
    @pytest.mark.parametrize(
        ("written", "names"),
        [
            ("facts . a + facts.b", {"facts.a", "facts.b"}),
            ("signal ( ('x.y') ) or level(\"z\") == 'high'", {"signal:x.y", "signal:z", "signal()", "level()"}),
            ("best_fee(3) > 0 and 'facts.no' == plan.id", {"best_fee()", "plan.id"}),
            ("ｆａｃｔｓ.a", {"facts.a"}),
            ("not an expression", set()),
        ],
    )
    def test_however_spelt(self, written: str, names: set[str]) -> None:
        """What an expression names is seen however it is spelt, and never in the texts it compares with."""
        found = mentioned(written)
        assert names <= found
        assert {name for name in found if "facts." in name or "signal:" in name} <= names


KNOWN = {"action.kind": Const("offer", Type("enum", values=("offer", "care"))), "action.marketing": Const(True, BOOLEAN)}


class TestFolding:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("action.kind == 'offer'", "True"),
            ("action.kind != 'offer' or custom.ok", "custom.ok"),
            ("action.marketing and custom.ok", "custom.ok"),
            ("not action.marketing and custom.ok", "False"),
            ("not action.marketing or custom.ok or param.on", "custom.ok or param.on"),
            ("action.kind in ('care',)", "False"),
            ("not (action.kind in ('care',))", "True"),
            ("refused(days=90, kind=action.kind) == 0", "refused(days=90, kind=action.kind) == 0"),
        ],
    )
    def test_constants(self, written: str, expected: str) -> None:
        """What an action fixes is put in, and what that decides falls away."""
        assert show(substitute(tree(written, GATES), KNOWN)) == expected

    def test_keeps_unknown(self) -> None:
        """Nothing is folded on what is not constant: unknown stays unknown."""
        node = tree("custom.ok or not custom.ok")
        assert fold(node) == node
        assert value("custom.ok or not custom.ok") is None

    def test_known_of_a_constant(self) -> None:
        """A constant is known."""
        assert fold(Call("known", (number(1),), (), BOOLEAN)) == Const(True, BOOLEAN)


class TestDates:
    def test_literals(self) -> None:
        """A text beside a date is a date."""
        assert tree("contract.promo_end == '2026-11-22'") == Compare(
            "==", FACTS.values["contract.promo_end"], Const(TODAY, FACTS.values["contract.promo_end"].type)
        )
