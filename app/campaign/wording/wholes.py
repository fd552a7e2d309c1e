"""Which numbers are whole ones by their kind: the format `text` writes `1500` for a whole number and `1,500` for a decimal that is whole.

Columns have floats alone, so what one case has as an `int` is told from its definition. Where only the values decide, as with the larger of
a whole number and a decimal, a column of figures does: each written so that reading it gives the number of the right kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from app.engine.texts import FORMATS, Language, Slot
from app.engine.tree import Arithmetic, Call, Const, Negative, Node, Ref

if TYPE_CHECKING:
    from app.engine.pack.model import Pack
    from app.engine.to_polars import Columns
    from app.engine.to_python import Row

FIGURE = "figure:"
"""What begins the name of a column of figures."""
_of_one = ("last", "peak", "total", "abs")
_of_many = ("first_known", "min", "max")


def is_whole(pack: Pack, node: Node) -> bool | None:
    """Is the number always an `int`, or never; none where its value decides."""
    if node.type.integral:
        return True
    match node:
        case Const(value=value):
            return isinstance(value, int)
        case Ref(name=name) if name in pack.definitions:
            return _same(is_whole(pack, item) for item in _values(pack, name))
        case Ref(name=name):
            return None if name.startswith("custom.") else False
        case Negative(operand=operand):
            return is_whole(pack, operand)
        case Arithmetic(operator=operator, left=left, right=right):
            both = {False} if operator == "/" else {is_whole(pack, left), is_whole(pack, right)}
            return False if False in both else None if None in both else True
        case Call(function=function, arguments=arguments) if function in _of_one:
            return is_whole(pack, arguments[0])
        case Call(function=function, arguments=arguments) if function in _of_many:
            return _same(is_whole(pack, item) for item in arguments)
    return False


def _same(found: Iterable[bool | None]) -> bool | None:
    kinds = set(found)
    return kinds.pop() if len(kinds) == 1 else None


def _values(pack: Pack, name: str) -> list[Node]:
    """What a defined name may stand for."""
    found = pack.definitions[name]
    return [row.value for row in found] if isinstance(found, tuple) else [found]


def figure_of(pack: Pack, slot: Slot) -> str | None:
    """The name of the column of figures that a slot of a text tells; none where the fact's own will do."""
    kind = pack.types[slot.name]
    mixed = slot.format == "text" and kind.kind == "number" and is_whole(pack, Ref(slot.name, kind)) is None
    return FIGURE + slot.name if mixed else None


def figures(pack: Pack, columns: Columns, node: Ref) -> pl.Expr:
    """A number whose kind its value decides, as text: whole numbers without a point, decimals with one."""
    value = columns.value(node)
    return pl.when(_whole(pack, columns, node)).then(value.cast(pl.Int64).cast(pl.String)).otherwise(value.cast(pl.String))


def _whole(pack: Pack, columns: Columns, node: Node) -> pl.Expr:
    known = is_whole(pack, node)
    if known is not None:
        return pl.lit(known)
    match node:
        case Ref(name=name) if name in pack.definitions:
            defined = pack.definitions[name]
            return _whole_row(pack, columns, defined) if isinstance(defined, tuple) else _whole(pack, columns, defined)
        case Negative(operand=operand):
            return _whole(pack, columns, operand)
        case Arithmetic(left=left, right=right):
            return _whole(pack, columns, left) & _whole(pack, columns, right)
        case Call(function="abs", arguments=(operand,)):
            return _whole(pack, columns, operand)
        case Call(function=function, arguments=arguments) if function in _of_many:
            value, found = columns.value(node), pl.lit(False)
            for item in reversed(arguments):
                given = columns.value(item)
                chosen = given.is_not_null() if function == "first_known" else given == value
                found = pl.when(chosen).then(_whole(pack, columns, item)).otherwise(found)
            return found
    value = columns.value(node)
    return value == value.floor()


def _whole_row(pack: Pack, columns: Columns, rows: Sequence[Row]) -> pl.Expr:
    """Of the first row of a table that holds."""
    found = pl.lit(False)
    for row in reversed(rows):
        kind = _whole(pack, columns, row.value)
        found = kind if row.condition is None else pl.when(columns.value(row.condition)).then(kind).otherwise(found)
    return found


def figure_as_text(value: str, language: Language, currency: str) -> str:
    """The format `text` for what a column of figures has."""
    return FORMATS["text"](int(value) if value.lstrip("-").isdecimal() else float(value), language, currency)
