"""The rule language: text to a typed tree.

Python's grammar through `ast`, a whitelist of it, and types from the vocabulary. Every mistake of an expression is reported with its
column and the nearest valid name; nothing of the text is ever executed.
"""

from __future__ import annotations

import ast
import datetime
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from app.engine.functions import FUNCTIONS, LONGEST_DAYS, Function
from app.engine.problems import Place, Problem, nearest, shown
from app.engine.tree import (
    BOOLEAN,
    EXACT_LIMIT,
    INPUT_LIMIT,
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
    joined,
    show,
)

LONGEST_EXPRESSION = 2_000
DEEPEST_EXPRESSION = 40

_comparisons = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_operators = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_INSTEAD = {"&&": "and", "||": "or", "!": "not", "=>": ">=", "=<": "<=", "<>": "!=", "===": "=="}
_HALF_WIDTH = "use half-width signs: , ( ) ' >= <="
_NOTHING = ("null", "nil", "none", "undefined", "nan", "na")
_quoted = re.compile(r"'[^']*'|\"[^\"]*\"")
_in_capitals = re.compile(r"\b(AND|OR|NOT|IN|And|Or|Not|In)\b")
_percentage = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*%")
_with_unit = re.compile(r"[¥￥$€]|\b[0-9]+(\.[0-9]+)?([A-Za-z]|[\u4e00-\u9fff])")
_bracket = re.compile(r"(?:unmatched )?'([](){}[])'")
_nesting = (ast.expr, ast.keyword, ast.comprehension, ast.arguments)
_ordered = ("number", "date", "time")


@dataclass(frozen=True)
class Names:
    """What an expression may name at its place in the pack.

    `values` are references and parameters by name; `events` the attributes of each event kind; `signals` the levels of each, strongest
    first; `plans` the ids that `fee_on` knows; `elsewhere` says where a name that exists may be used; `clock` is what windows run to;
    `broken` names have a mistake of their own, so what rests on them is not told twice.
    """

    values: Mapping[str, Ref | Const]
    events: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    signals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plans: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    contact_filters: Mapping[str, Type] = field(default_factory=dict)
    clock: str = "as_of"
    broken: Set[str] = frozenset()


class _Wrong(Exception):
    """A mistake inside an expression; becomes a `Problem` at the node's column."""

    def __init__(self, node: ast.AST, message: str, hint: str = "", code: str = "expression") -> None:
        self.node, self.message, self.hint, self.code = node, message, hint, code


def parse(text: str, place: Place, names: Names, wanted: str = "boolean") -> tuple[Node | None, list[Problem]]:
    """Read one expression.

    Args:
        text: one line of the rule language.
        place: where its first character stands.
        names: what it may name.
        wanted: the kind of value needed: `boolean`, `number`, or `any`.

    Returns:
        The tree, or none with what is wrong, by place. Nothing is wrong where all that is wrong is a broken name.
    """
    reader = _Reader(place, names, text)
    node: Node | None = None
    try:
        node = reader.read(_syntax(text, place))
        if wanted != "any" and not reader.problems and node.type.kind != wanted:
            reader.add(
                Problem(
                    place,
                    "type",
                    f"{shown(text)} is {node.type}, not {'a condition' if wanted == 'boolean' else 'a number'}",
                    _wanted_hint(node, wanted),
                )
            )
    except _Wrong as wrong:
        reader.add_wrong(wrong)
        node = None
    except _Unreadable as unreadable:
        reader.add(unreadable.problem)
    return (None if reader.problems else node), sorted(set(reader.problems))


def mentioned(text: str) -> frozenset[str]:
    """What an expression names, before anything is known of the names: `section.field`, `signal:x`, and `f()` for functions called."""
    try:
        root = _syntax(text, Place())
    except _Unreadable:
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(root):
        if isinstance(node, ast.Name | ast.Attribute):
            found.add(_dotted(node) or "")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(f"{node.func.id}()")
            if node.func.id in ("signal", "level"):
                found |= {f"signal:{item.value!s}" for item in node.args if isinstance(item, ast.Constant)}
    return frozenset(found)


def _wanted_hint(node: Node, wanted: str) -> str:
    if wanted == "boolean" and node.type.kind == "number":
        return "compare it, as in `… > 0`"
    return "compare it with one of its words" if node.type.kind == "enum" else ""


class _Unreadable(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _syntax(text: str, place: Place) -> ast.expr:
    if len(text) > LONGEST_EXPRESSION:
        raise _Unreadable(
            Problem(place, "expression-too-long", f"expression of {len(text):,} characters, the limit is {LONGEST_EXPRESSION:,}")
        )
    if "\n" in text or "\r" in text:
        raise _Unreadable(Problem(place, "expression", "an expression stands on one line", "split it into several named clauses"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        column = min(_indent(text) + max((error.offset or 1) - 1, 0), len(text))
        hint = _syntax_hint(text, error.msg)
        raise _Unreadable(
            Problem(place.shifted(column), "syntax", f"{shown(text)} is not an expression of the rule language", hint)
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise _Unreadable(Problem(place, "syntax", f"{shown(text)} cannot be read")) from None
    if _depth(body) > DEEPEST_EXPRESSION:
        raise _Unreadable(
            Problem(place, "expression-too-deep", f"expression nested deeper than {DEEPEST_EXPRESSION} levels", "name parts of it as facts")
        )
    return body


def _depth(root: ast.AST) -> int:
    deepest, layer = 0, [root]
    while layer and deepest <= DEEPEST_EXPRESSION:
        deepest += 1
        layer = [child for node in layer for child in ast.iter_child_nodes(node) if isinstance(child, _nesting)]
    return deepest


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _syntax_hint(text: str, said: str) -> str:
    """What was probably meant by a text that is no expression; `said` is what Python's parser says of it."""
    plain = _quoted.sub("''", text)
    for sign, word in _INSTEAD.items():
        if sign in plain.replace("!=", ""):
            return f"write `{word}` for `{sign}`"
    if set(plain) & set("“”‘’"):
        return _HALF_WIDTH
    if said.startswith("unterminated"):
        return "a quote is not closed"
    if any((unicodedata.east_asian_width(char) == "F" and char != "\u3000") or char in "≥≤" for char in plain):
        return _HALF_WIDTH
    odd = next((char for char in plain.strip() if char != " " and unicodedata.category(char) in ("Zs", "Zl", "Zp", "Cf")), None)
    if odd:
        return f"U+{ord(odd):04X} is not a plain space; type the space again"
    capital = _in_capitals.search(plain)
    if capital:
        return f"write `{capital[0].lower()}` for `{capital[0]}`"
    share = _percentage.search(plain)
    if share:
        return f"write `{float(share[1]) / 100:.12g}` for `{share[0]}`"
    if _with_unit.search(plain):
        return "numbers stand without a unit, money in fen"
    closing = _bracket.match(said)
    if closing:
        return f"the `{closing[1]}` is not closed" if said.endswith("closed") else f"nothing is opened that this `{closing[1]}` would close"
    return "write `==` to compare" if " = " in plain else ""


class _Reader:
    """Turns Python's syntax tree into ours, checking types on the way."""

    def __init__(self, place: Place, names: Names, text: str) -> None:
        self.place, self.names, self.text = place, names, text
        self.problems: list[Problem] = []

    def add(self, problem: Problem) -> None:
        self.problems.append(problem)

    def add_wrong(self, wrong: _Wrong) -> None:
        if wrong.message:
            self.add(Problem(self.place.shifted(self.column(wrong.node)), wrong.code, wrong.message, wrong.hint))

    def column(self, node: ast.AST) -> int:
        """Characters before the node; the parser counts bytes."""
        before = self.text.strip().encode(errors="replace")[: getattr(node, "col_offset", 0)]
        return _indent(self.text) + len(before.decode(errors="replace"))

    def read(self, node: ast.expr) -> Node:
        match node:
            case ast.BoolOp(op=operator, values=values):
                operands = self.read_all(values)
                self.demand_conditions(values, operands)
                return joined(And if isinstance(operator, ast.And) else Or, operands)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.read(operand)
                self.demand_conditions([operand], (inner,))
                return Not(inner)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.negative(node, operand)
            case ast.BinOp():
                return self.arithmetic(node)
            case ast.Compare():
                return self.comparison(node)
            case ast.Call():
                return self.call(node)
            case ast.Constant():
                return self.literal(node)
            case ast.Name() | ast.Attribute():
                return self.name(node)
            case ast.Tuple() | ast.List() | ast.Set():
                return self.words(node)
        raise _Wrong(
            node,
            f"{shown(ast.unparse(node))} is not part of the rule language",
            "use `and or not`, comparisons, `in`, `+ - * /`, names and functions",
        )

    def read_all(self, nodes: Iterable[ast.expr]) -> tuple[Node, ...]:
        """Read siblings, gathering the mistakes of each before giving up."""
        return self.gather(self.read, nodes)

    def gather(self, read: Callable[..., Node], *given: Iterable[Any]) -> tuple[Node, ...]:
        """What `read` makes of each, gathering the mistakes before giving up."""
        found: list[Node] = []
        wrongs: list[_Wrong] = []
        for items in zip(*given, strict=True):
            try:
                found.append(read(*items))
            except _Wrong as wrong:
                wrongs.append(wrong)
        for other in wrongs[1:]:
            self.add_wrong(other)
        if wrongs:
            raise wrongs[0]
        return tuple(found)

    def demand_conditions(self, written: Iterable[ast.expr], operands: tuple[Node, ...]) -> None:
        self.gather(self.demand_condition, written, operands)

    def demand_condition(self, text: ast.expr, operand: Node) -> Node:
        if operand.type.kind != "boolean":
            raise _Wrong(text, f"{shown(ast.unparse(text))} is {operand.type}, not a condition", _wanted_hint(operand, "boolean"), "type")
        return operand

    def name(self, node: ast.expr) -> Node:
        dotted = _dotted(node)
        if dotted is None:
            raise _Wrong(node, f"{shown(ast.unparse(node))} is not a name", "names are written `section.field`")
        if dotted in ("true", "false"):
            return Const(dotted == "true", BOOLEAN)
        found = self.names.values.get(dotted)
        if found is not None:
            return found
        if dotted in self.names.broken:
            raise _Wrong(node, "")
        if dotted in self.names.elsewhere:
            raise _Wrong(node, f"`{dotted}` may not be used here", self.names.elsewhere[dotted], "scope")
        if dotted.startswith("events."):
            raise _Wrong(node, f"`{dotted}` is a list of events", f"count it: `count({dotted}, days=30) >= 1`", "type")
        if dotted.lower() in _NOTHING:
            raise _Wrong(node, f"{shown(dotted)} is not part of the rule language", "write `known(x)` or `not known(x)`")
        hint = f"write `{dotted.lower()}`" if dotted in ("TRUE", "FALSE") else nearest(dotted, self.names.values)
        raise _Wrong(node, f"unknown name {shown(dotted)}", hint, "unknown-name")

    def literal(self, node: ast.Constant) -> Const:
        value = node.value
        if isinstance(value, bool):
            return Const(value, BOOLEAN)
        if isinstance(value, int | float):
            if abs(value) > INPUT_LIMIT or value != value:
                raise _Wrong(node, f"{shown(value)} is larger than 10^12", "", "number-too-large")
            return Const(value, Type("number", integral=isinstance(value, int), most=abs(value)))
        if isinstance(value, str):
            if not value.isprintable():
                raise _Wrong(node, f"{shown(value)} holds characters that cannot be printed", "leave them out")
            return Const(value, Type("text"))
        if value is None:
            raise _Wrong(node, "`None` is not part of the rule language", "write `known(x)` or `not known(x)`")
        raise _Wrong(node, f"{shown(ast.unparse(node))} is not a number, a text or a truth value")

    def words(self, node: ast.Tuple | ast.List | ast.Set) -> Const:
        values = self.read_all(node.elts)
        if not values or not all(isinstance(item, Const) for item in values):
            raise _Wrong(node, "a list holds literals only", "as in `('a', 'b')`")
        kinds = {item.type.kind for item in values}
        if len(kinds) != 1:
            raise _Wrong(node, "a list holds literals of one kind", "", "type")
        return Const(frozenset(item.value for item in values if isinstance(item, Const)), Type("set", model=kinds.pop()))

    def negative(self, node: ast.UnaryOp, operand: ast.expr) -> Node:
        inner = self.read(operand)
        self.demand_number(operand, inner)
        if isinstance(inner, Const) and not inner.name and isinstance(inner.value, int | float):
            return Const(-inner.value, inner.type)
        return Negative(inner, inner.type)

    def demand_number(self, written: ast.expr, node: Node) -> None:
        if node.type.kind != "number":
            hint = "use last(), mean() or total()" if node.type.kind == "series" else ""
            raise _Wrong(written, f"{shown(ast.unparse(written))} is {node.type}, not a number", hint, "type")

    def arithmetic(self, node: ast.BinOp) -> Node:
        operator = _operators.get(type(node.op))
        if operator is None:
            raise _Wrong(node, f"{shown(ast.unparse(node))} uses an operator outside the rule language", "there are `+ - * /`")
        left, right = self.read_all([node.left, node.right])
        self.demand_number(node.left, left)
        self.demand_number(node.right, right)
        if operator == "/" and isinstance(right, Const) and not right.name and right.value == 0:
            raise _Wrong(node, f"{shown(ast.unparse(node))} is never known", "nothing can be divided by 0")
        result = _result(operator, left.type, right.type)
        if result.most >= EXACT_LIMIT:
            raise _Wrong(
                node,
                f"{shown(ast.unparse(node))} can reach {result.most:.1g}, more than 2^53",
                "two large figures are divided or compared, not multiplied",
                "number-too-large",
            )
        return Arithmetic(operator, left, right, result)

    def comparison(self, node: ast.Compare) -> Node:
        written = [node.left, *node.comparators]
        return joined(And, self.gather(self.one_comparison, node.ops, written[:-1], written[1:]))

    def one_comparison(self, operator: ast.cmpop, left: ast.expr, right: ast.expr) -> Node:
        if _is_level(left) or _is_level(right):
            return self.level(operator, left, right)
        if isinstance(operator, ast.In | ast.NotIn):
            member = self.membership(left, right, "!=" if isinstance(operator, ast.NotIn) else "==")
            return Not(member) if isinstance(operator, ast.NotIn) else member
        sign = _comparisons.get(type(operator))
        if sign is None:
            raise _Wrong(left, "`is` is not part of the rule language", f"write `{'==' if isinstance(operator, ast.Is) else '!='}`")
        first, second = self.read_all([left, right])
        first, second = self.agree(left, first, second), self.agree(right, second, first)
        self.demand_comparable(sign, left, first, right, second)
        return Compare(sign, first, second)

    def agree(self, written: ast.expr, node: Node, other: Node) -> Node:
        """A text literal beside a date, a time or an enumeration is one of those."""
        if not (isinstance(node, Const) and node.type.kind == "text"):
            return node
        word = str(node.value)
        if other.type.kind == "enum":
            if word not in other.type.values:
                raise _Wrong(
                    written,
                    f"`{show(other)}` is never {shown(word)}",
                    nearest(word, other.type.values) or _one_of(other.type.values),
                    "unknown-word",
                )
            return replace(node, type=other.type)
        if other.type.kind == "date":
            return replace(node, value=_date(written, word), type=other.type)
        return replace(node, value=_time(written, word), type=other.type) if other.type.kind == "time" else node

    def demand_comparable(self, sign: str, left: ast.expr, first: Node, right: ast.expr, second: Node) -> None:
        kinds = {first.type.kind, second.type.kind}
        if kinds == {"enum"} and set(first.type.values) & set(second.type.values):
            kinds = {"text"}
        if kinds == {"boolean"}:
            raise _Wrong(left, f"{shown(ast.unparse(left))} is already a condition", "write it alone, or with `not`", "type")
        if len(kinds) > 1 or kinds & {"enum", "set", "series", "events"}:
            raise _Wrong(
                right,
                f"{shown(ast.unparse(left))} is {first.type} and {shown(ast.unparse(right))} is {second.type}",
                _compare_hint(first, second),
                "type",
            )
        if sign not in ("==", "!=") and not kinds & set(_ordered):
            raise _Wrong(left, f"{shown(ast.unparse(left))} has no order", "compare with `==`, `!=` or `in`", "type")

    def membership(self, left: ast.expr, right: ast.expr, single: str) -> Node:
        item, collection = self.read_all([left, right])
        if collection.type.kind != "set":
            word = isinstance(collection, Const) and item.type.kind in ("text", "enum", "number", "date")
            hint = f"for one word write `{single} {ast.unparse(right)}`" if word else "as in `x in ('a', 'b')`"
            raise _Wrong(right, f"{shown(ast.unparse(right))} is {collection.type}, not a set or a list", hint, "type")
        if isinstance(collection, Const):
            return Member(item, self.members(left, item, right, collection))
        if item.type.kind not in ("text", "enum"):
            raise _Wrong(left, f"{shown(ast.unparse(left))} is {item.type}; a set holds text", "", "type")
        if isinstance(item, Const):
            self.demand_words(left, [item.value], collection)
        return Member(item, collection)

    def demand_words(self, written: ast.expr, words: Iterable[Any], collection: Node) -> None:
        """Words that a set, whose words are known, can hold."""
        for word in sorted(words):
            if collection.type.values and word not in collection.type.values:
                hint = nearest(word, collection.type.values) or f"there are {_listed(collection.type.values)}"
                raise _Wrong(written, f"`{show(collection)}` never holds {shown(word)}", hint, "unknown-word")

    def members(self, left: ast.expr, item: Node, right: ast.expr, collection: Const) -> Const:
        words = collection.value if isinstance(collection.value, frozenset) else frozenset()
        if item.type.kind == "enum" and collection.type.model == "text":
            for word in sorted(words):
                if word not in item.type.values:
                    hint = nearest(word, item.type.values) or _one_of(item.type.values)
                    raise _Wrong(right, f"`{show(item)}` is never {shown(word)}", hint, "unknown-word")
        elif item.type.kind == "date" and collection.type.model == "text":
            return replace(collection, value=frozenset(_date(right, word) for word in words), type=Type("set", model="date"))
        elif item.type.kind != collection.type.model or item.type.kind not in ("text", "number"):
            raise _Wrong(left, f"{shown(ast.unparse(left))} is {item.type}, the list holds {collection.type.model}", "", "type")
        return collection

    def level(self, operator: ast.cmpop, left: ast.expr, right: ast.expr) -> Node:
        """`level('x')` beside a level word, as conditions on the signal's levels."""
        if not _is_level(left) or not isinstance(left, ast.Call):
            raise _Wrong(right, "write the level first", "as in `level('x') >= 'high'`")
        signal = self.signal_id(left)
        levels = self.names.signals[signal]
        given = self.read(right)
        words = given.value if isinstance(given, Const) else None
        chosen = [words] if isinstance(words, str) else sorted(words, key=str) if isinstance(words, frozenset) else []
        sign = (
            "in" if isinstance(operator, ast.In) else "not in" if isinstance(operator, ast.NotIn) else _comparisons.get(type(operator), "")
        )
        if not chosen or (sign in ("in", "not in")) != isinstance(words, frozenset):
            raise _Wrong(right, "a level is compared with level words", f"`{signal}` has {_listed(levels)}", "type")
        for word in chosen:
            if word not in levels:
                raise _Wrong(
                    right,
                    f"`{signal}` has no level {shown(word)}",
                    nearest(str(word), levels) or f"it has {_listed(levels)}",
                    "unknown-word",
                )
        return _levels(signal, levels, sign, [str(word) for word in chosen], left)

    def signal_id(self, node: ast.Call) -> str:
        if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], ast.Constant) or not isinstance(node.args[0].value, str):
            raise _Wrong(node, f"{shown(ast.unparse(node))} takes one signal id in quotes", "as in `signal('four_high.tariff')`")
        signal = node.args[0].value
        if signal not in self.names.signals:
            raise _Wrong(node.args[0], f"unknown signal {shown(signal)}", nearest(signal, self.names.signals), "unknown-name")
        return signal

    def call(self, node: ast.Call) -> Node:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            hint = nearest(name, FUNCTIONS) if name else "functions have plain names, as in `last(billing.total)`"
            if name in ("AND", "OR", "NOT"):
                hint = f"write `{name.lower()}` for `{name}`"
            raise _Wrong(node, f"unknown function {shown(ast.unparse(node.func))}", hint, "unknown-function")
        if any(isinstance(item, ast.Starred) for item in node.args) or any(item.arg is None for item in node.keywords):
            raise _Wrong(node, "`*` is not part of the rule language")
        if name == "signal":
            return Ref(f"signal:{self.signal_id(node)}", BOOLEAN)
        if name == "level":
            raise _Wrong(node, "a level is compared", "as in `level('x') >= 'high'`", "type")
        return _Calls(self, FUNCTIONS[name], node).read()


def _levels(signal: str, levels: tuple[str, ...], sign: str, words: list[str], written: ast.expr) -> Node:
    """Conditions on levels; `levels` are strongest first."""

    def held(word: str) -> Node:
        return Ref(f"level:{signal}:{word}", BOOLEAN)

    def exactly(word: str) -> Node:
        stronger = levels[: levels.index(word)]
        return joined(And, (held(word), *(Not(held(other)) for other in stronger)))

    def any_of(chosen: Iterable[str], form: Callable[[str], Node]) -> Node:
        return joined(Or, map(form, chosen))

    if sign in ("==", "in"):
        return any_of(words, exactly)
    if sign in ("!=", "not in"):
        return Not(any_of(words, exactly))
    rank = levels.index(words[0])
    if sign == ">=":
        return any_of(levels[: rank + 1], held)
    if sign == ">" and rank:
        return any_of(levels[:rank], held)
    raise _Wrong(written, f"`level('{signal}') {sign} '{words[0]}'` can never hold or says too little", "use `==`, `in` or `>=`", "type")


class _Calls:
    """Reads one call by the function's entry in the table."""

    def __init__(self, reader: _Reader, function: Function, node: ast.Call) -> None:
        self.reader, self.function, self.node = reader, function, node
        self.names = reader.names

    def read(self) -> Node:
        written = self.written()
        arguments = list(self.reader.gather(lambda pair: getattr(self, f"a_{pair[0]}")(pair[1]), written))
        if self.function.name == "overlap":
            self.demand_known_words(arguments)
        options = self.options(arguments[0] if arguments else None)
        return self.finish(arguments, options)

    def written(self) -> list[tuple[str, ast.expr]]:
        kinds, given = self.function.arguments, self.node.args
        many = {"numbers": "number", "sets": "set", "conditions": "condition"}
        if kinds and kinds[-1] in many:
            least = {"numbers": 1, "sets": 2, "conditions": 1}[kinds[-1]]
            fixed = len(kinds) - 1
            if len(given) < fixed + least or (kinds[-1] == "sets" and len(given) != 2):
                self.refuse_arity()
            return [(kinds[index] if index < fixed else many[kinds[-1]], item) for index, item in enumerate(given)]
        if len(given) != len(kinds):
            self.refuse_arity()
        return list(zip(kinds, given, strict=True))

    def refuse_arity(self) -> None:
        given = len(self.node.args)
        said = f"{shown(ast.unparse(self.node))} has {given or 'no'} argument{'' if given == 1 else 's'}"
        raise _Wrong(self.node, said, f"as in `{self.function.example}`", "arguments")

    def demand_known_words(self, sets: list[Node]) -> None:
        for one, other, item in ((sets[0], sets[1], self.node.args[0]), (sets[1], sets[0], self.node.args[1])):
            if isinstance(one, Const) and isinstance(one.value, frozenset):
                self.reader.demand_words(item, one.value, other)

    def a_series(self, item: ast.expr) -> Node:
        node = self.reader.read(item)
        if node.type.kind != "series":
            raise _Wrong(item, f"{shown(ast.unparse(item))} is {node.type}, not a series", f"as in `{self.function.example}`", "type")
        return node

    def whole(self, item: ast.expr, most: int, what: str, least: int = 1) -> Const:
        node = self.reader.read(item)
        if not isinstance(node, Const) or type(node.value) is not int or not least <= node.value <= most:
            raise _Wrong(
                item,
                f"{shown(ast.unparse(item))} is not a whole number of {what} from {least} to {most:,}",
                f"as in `{self.function.example}`",
                "type",
            )
        return node

    def a_cycles(self, item: ast.expr) -> Node:
        return self.whole(item, self.function.most, "cycles", self.function.least)

    def a_needed(self, item: ast.expr) -> Node:
        return self.whole(item, len(self.node.args) - 1, "conditions")

    def a_number(self, item: ast.expr) -> Node:
        node = self.reader.read(item)
        self.reader.demand_number(item, node)
        return node

    def a_date(self, item: ast.expr) -> Node:
        node = self.reader.read(item)
        if node.type.kind != "date":
            raise _Wrong(item, f"{shown(ast.unparse(item))} is {node.type}, not a date", f"as in `{self.function.example}`", "type")
        return node

    def a_set(self, item: ast.expr) -> Node:
        node = self.reader.read(item)
        if node.type.kind != "set" or node.type.model not in ("", "text"):
            raise _Wrong(item, f"{shown(ast.unparse(item))} is {node.type}, not a set of text", f"as in `{self.function.example}`", "type")
        return node

    def a_condition(self, item: ast.expr) -> Node:
        node = self.reader.read(item)
        self.reader.demand_conditions([item], (node,))
        return node

    def a_any(self, item: ast.expr) -> Node:
        if (dotted := _dotted(item) or "").startswith("events.") and dotted[7:] in self.names.events:
            return Ref("events", Type("events"))
        if dotted == "contacts":
            return Ref("contacts", Type("events"))
        node = self.reader.read(item)
        if not isinstance(node, Ref):
            raise _Wrong(item, f"{shown(ast.unparse(item))} is not a fact", "as in `known(home.has_broadband)`", "type")
        return node

    def a_word(self, item: ast.expr) -> Node:
        node = self.reader.read(item)
        if not isinstance(node, Const) or not isinstance(node.value, str):
            raise _Wrong(item, f"{shown(ast.unparse(item))} is not a text in quotes", f"as in `{self.function.example}`", "type")
        return node

    def a_tariff(self, item: ast.expr) -> Node:
        node = self.reader.read(item)
        if node.type.kind != "text":
            raise _Wrong(item, f"{shown(ast.unparse(item))} is {node.type}, not a plan's id", f"as in `{self.function.example}`", "type")
        if isinstance(node, Const) and node.value not in self.names.plans:
            raise _Wrong(item, f"no plan {shown(node.value)} in the tariffs", nearest(str(node.value), self.names.plans), "unknown-name")
        return node

    def a_events(self, item: ast.expr) -> Node:
        dotted = _dotted(item) or ""
        kind = dotted.removeprefix("events.")
        if dotted in self.names.elsewhere:
            raise _Wrong(item, f"`{dotted}` may not be used here", self.names.elsewhere[dotted], "scope")
        if not dotted.startswith("events.") or kind not in self.names.events:
            near = nearest(dotted, (f"events.{name}" for name in self.names.events))
            raise _Wrong(item, f"unknown events {shown(ast.unparse(item))}", near, "unknown-name")
        return Ref("events", Type("events", model=kind))

    def options(self, first: Node | None) -> tuple[tuple[str, Node], ...]:
        found: dict[str, Node] = {}
        if self.node.keywords and not self.function.options:
            message = f"`{self.function.name}` takes no named arguments"
            raise _Wrong(self.node.keywords[0], message, f"as in `{self.function.example}`", "arguments")
        for keyword in self.node.keywords:
            name = str(keyword.arg)
            if name in found:
                raise _Wrong(keyword, f"`{name}` is given twice", "", "arguments")
            found[name] = self.option(name, keyword, first)
        if "days" in self.function.options and self.function.name != "count" and "days" not in found:
            raise _Wrong(self.node, f"{shown(ast.unparse(self.node))} needs `days=`", f"as in `{self.function.example}`", "arguments")
        return tuple(sorted(found.items()))

    def option(self, name: str, keyword: ast.keyword, first: Node | None) -> Node:
        value = keyword.value
        if name == "days" and "days" in self.function.options:
            return self.whole(value, LONGEST_DAYS, "days")
        known: Mapping[str, Type] = self.names.contact_filters if first is None else self.names.events.get(first.type.model, {})
        if name == "same" and "same" in self.function.options:
            node = self.reader.read(value)
            if not isinstance(node, Const) or node.value not in known:
                raise _Wrong(
                    value,
                    f"{shown(ast.unparse(value))} is not an attribute of these events",
                    nearest(str(getattr(node, "value", "")), known) or _listed(known),
                    "unknown-name",
                )
            return node
        if name not in known or ("*" not in self.function.options and name not in self.function.options):
            choices = dict.fromkeys([*known, *(option for option in self.function.options if option != "*")])
            raise _Wrong(
                keyword,
                f"`{self.function.name}` has no filter {shown(name)} here",
                nearest(name, choices) or f"there are {_listed(choices)}",
                "arguments",
            )
        return self.filter_value(name, value, known[name])

    def filter_value(self, name: str, value: ast.expr, wanted: Type) -> Node:
        node = self.reader.read(value)
        node = self.reader.agree(value, node, Ref(name, wanted)) if wanted.kind == "enum" else node
        same = node.type.kind == wanted.kind or {node.type.kind, wanted.kind} == {"text", "enum"}
        if not same or wanted.kind not in ("text", "enum", "boolean", "number"):
            raise _Wrong(value, f"{shown(ast.unparse(value))} is {node.type}, `{name}` is {wanted}", "", "type")
        return node

    def finish(self, arguments: list[Node], options: tuple[tuple[str, Node], ...]) -> Node:
        name, text = self.function.name, ast.unparse(self.node)
        if name in ("fee_on", "best_fee"):
            values = self.names.values
            if "usage.data_mb" not in values:
                raise _Wrong(self.node, f"`{name}` may not be used here", "put it into a fact", "scope")
            arguments += [values["usage.voice_out_min"], values["usage.data_mb"]]
            if name == "best_fee":
                arguments += [Ref(f"open:{plan}", BOOLEAN) for plan in self.names.plans]
        if name in ("count", "since"):
            arguments = [Ref("events", Type("events")), Const(arguments[0].type.model, Type("text"))]
        if name in ("refused", "contacted"):
            arguments = [Ref("contacts", Type("events"))]
        if name in ("days_since", "days_until"):
            arguments.append(Ref("today" if self.names.clock == "as_of" else "contact_day", Type("date")))
        clocked = name in ("count", "since", "refused", "contacted")
        return Call(name, tuple(arguments), options, self.result(arguments), self.names.clock if clocked else "as_of", text)

    def result(self, arguments: list[Node]) -> Type:
        name, first = self.function.name, arguments[0].type if arguments else None
        if name in ("min", "max", "first_known"):
            kinds = [item.type for item in arguments]
            return Type("number", kinds[0].unit, all(kind.integral for kind in kinds), max(kind.most for kind in kinds))
        if self.function.result is not None:
            return self.function.result
        if first is None:
            raise AssertionError(name)
        window = next((item.value for item in arguments[1:] if isinstance(item, Const) and isinstance(item.value, int)), 1)
        most = first.most * window if name == "total" else first.most
        return Type("number", first.unit, first.integral and name not in ("mean", "median"), most)


def _result(operator: str, left: Type, right: Type) -> Type:
    integral = left.integral and right.integral and operator != "/"
    if operator in "+-":
        return Type("number", left.unit if left.unit == right.unit else left.unit or right.unit, integral, left.most + right.most)
    if operator == "*":
        unit = (
            left.unit
            if not right.unit or right.unit in ("share", "count")
            else right.unit
            if not left.unit or left.unit in ("share", "count")
            else ""
        )
        return Type("number", unit, integral, left.most * right.most)
    unit = "share" if left.unit == right.unit else left.unit if not right.unit or right.unit in ("share", "count") else ""
    return Type("number", unit, False, INPUT_LIMIT)


def _dotted(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _is_level(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "level"


def _listed(words: Iterable[Any]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _one_of(words: Iterable[Any]) -> str:
    listed = _listed(words)
    return f"it is one of {listed}" if listed else ""


def _date(written: ast.expr, word: str) -> int:
    try:
        return datetime.date.fromisoformat(word).toordinal()
    except ValueError:
        raise _Wrong(written, f"{shown(word)} is not a date", "write it as '2026-11-22'", "type") from None


def _time(written: ast.expr, word: str) -> int:
    try:
        moment = datetime.time.fromisoformat(word)
    except ValueError:
        raise _Wrong(written, f"{shown(word)} is not a time of day", "write it as '09:00'", "type") from None
    return moment.hour * 60 + moment.minute


def _compare_hint(first: Node, second: Node) -> str:
    kinds = (first.type.kind, second.type.kind)
    if "series" in kinds:
        return "use last(), mean() or total()"
    if "set" in kinds:
        return "write `'word' in the_set`"
    if set(kinds) == {"number", "text"}:
        return "numbers are written without quotes"
    return "enumerations that share no word are never equal" if kinds == ("enum", "enum") else ""
