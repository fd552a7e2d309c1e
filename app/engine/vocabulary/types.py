"""The types a fact can have: what is accepted, in which unit, within which bounds.

Each alias is a Python type annotated with one small object that says both how pydantic reads it and what the rule language may know of
it. All of them are strict (`"12"` is not a number, `1` is not true), except that `7164.0` is an integer, as JSON Schema has it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError
from pydantic_core import core_schema as core

Kind = Literal["number", "text", "boolean", "date", "enum", "set", "series"]

LARGEST = 10**12
"""No number passed in is larger in size; the type checker keeps what is worked out from them below 2**53."""

_AS_IT_IS, _CLOSELY = "as it is", "closely"
"""How a whole number is read: most are one, which takes half the time to see."""
_OF_NUMBERS = frozenset(
    (
        "int_type",
        "int_parsing",
        "int_parsing_size",
        "int_from_float",
        "float_type",
        "finite_number",
        "greater_than_equal",
        "less_than_equal",
    )
)
"""Errors of a number. Of others, the place may end with any name that somebody sent."""

LONGEST_SERIES = 36
LARGEST_SET = 500


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a name that rules may use.

    `name` is dotted (`plan.monthly_fee`, `events.complaint.topic`). A series has the unit and bounds of its elements; a set or an
    enumeration its words in `values`, empty where any word goes. `computed` facts come from the engine and are never passed in.
    """

    name: str
    kind: Kind
    unit: str
    integral: bool
    values: tuple[str, ...]
    least: float | None
    most: float | None
    en: str
    zh: str
    protected: bool = False
    port: bool = False
    computed: bool = False
    restricted: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """How pydantic reads a scalar, given outright so that every alias is one step of compiled code."""

    kind: Kind
    reads: CoreSchema
    document: Mapping[str, Any]
    unit: str = ""
    integral: bool = False
    least: float | None = None
    most: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self.reads

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(self.document)

    @classmethod
    def whole(cls, unit: str, least: int, most: int) -> Self:
        """An integer; `7164.0` is one, `7164.5` and `true` are not. What is wrong with another is told by `details`."""
        steps: list[CoreSchema] = [core.float_schema(strict=True, allow_inf_nan=False, ge=least, le=most), core.int_schema()]
        reads = core.union_schema(
            [(core.int_schema(strict=True, ge=least, le=most), _AS_IT_IS), (core.chain_schema(steps), _CLOSELY)],
            mode="left_to_right",
            serialization=core.simple_ser_schema("int"),
        )
        document = {"type": "integer", "minimum": least, "maximum": most}
        return cls("number", reads, _with_unit(document, unit), unit, True, least, most)

    @classmethod
    def real(cls, unit: str, least: float, most: float) -> Self:
        """A finite number, whole or not."""
        reads = core.float_schema(strict=True, allow_inf_nan=False, ge=least, le=most)
        document = {"type": "number", "minimum": least, "maximum": most}
        return cls("number", reads, _with_unit(document, unit), unit, False, least, most)

    @classmethod
    def text(cls, pattern: str, longest: int, *, means: str) -> Self:
        """Text of a bounded length in which every character is one that `pattern` allows; `means` says so in words."""
        reads = core.custom_error_schema(
            core.str_schema(strict=True, pattern=pattern, min_length=1, max_length=longest),
            custom_error_type="text_expected",
            custom_error_message=f"expected 1 to {longest} characters: {means}",
        )
        return cls("text", reads, {"type": "string", "pattern": pattern, "minLength": 1, "maxLength": longest})


def details(error: ValidationError) -> Iterator[ErrorDetails]:
    """What is wrong, each once and where it was sent: of a whole number, what was found when it was looked at closely."""
    for detail in error.errors(include_url=False):
        last = detail["loc"][-1] if detail["loc"] and detail["type"] in _OF_NUMBERS else None
        if last == _CLOSELY:
            detail["loc"] = detail["loc"][:-1]
        if last != _AS_IT_IS:
            yield detail


def _with_unit(document: dict[str, Any], unit: str) -> dict[str, Any]:
    return {**document, "x-unit": unit} if unit else document


def _read_as(schema: CoreSchema, instance: CoreSchema, pattern: str, *, means: str, serial: Literal["date", "datetime"]) -> CoreSchema:
    """Text of one form, or an instance made elsewhere in Python. Serial numbers and other spellings of dates are refused."""
    text = core.chain_schema([core.str_schema(strict=True, pattern=pattern), schema])
    return core.union_schema(
        [text, instance],
        mode="left_to_right",
        custom_error_type=f"{serial}_expected",
        custom_error_message=f"expected {means}",
        serialization=core.simple_ser_schema(serial),
    )


_DAY_PATTERN = r"^(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$"
_DAY = Reader(
    "date",
    _read_as(
        core.date_schema(),
        core.date_schema(strict=True, ge=date(1900, 1, 1)),
        _DAY_PATTERN,
        means="a date from 1900 on such as 2026-11-22",
        serial="date",
    ),
    {"type": "string", "format": "date", "pattern": _DAY_PATTERN},
)

_INSTANT_PATTERN = r"^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
_INSTANT = Reader(
    "date",
    _read_as(
        core.datetime_schema(tz_constraint="aware"),
        core.datetime_schema(strict=True, tz_constraint="aware"),
        _INSTANT_PATTERN,
        means="a time from 1900 to 2199 with its offset such as 2026-11-22T10:00:00+08:00",
        serial="datetime",
    ),
    {"type": "string", "format": "date-time", "pattern": _INSTANT_PATTERN},
)


@dataclass(frozen=True, slots=True)
class Computed:
    """Marks a fact that the engine works out: it has a type, and a request that passes it is refused."""

    reader: Reader

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core.no_info_plain_validator_function(_refuse_computed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**self.reader.document, "readOnly": True}


def _refuse_computed(_value: object) -> object:
    raise PydanticCustomError("computed", "is computed by the engine and cannot be passed in; leave it out")


@dataclass(frozen=True, slots=True)
class AnyOrder:
    """A set given as an array, in any order and with repeats; dumped sorted, so that equal sets dump to equal bytes."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        items = cast("core.SetSchema", handler(source))["items_schema"]
        sort = core.plain_serializer_function_ser_schema(sorted, return_schema=core.list_schema(core.str_schema()), when_used="json")
        return core.frozenset_schema(items, max_length=LARGEST_SET, serialization=sort)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        document = handler(schema)
        document.pop("uniqueItems", None)
        return document


# Characters of any script and pictures; no controls, line breaks, zero-width marks, direction overrides or halves of a character.
_LETTERS = " -~\u00a0-\u200a\u2010-\u2027\u202f-\u205f\u2070-\ud7ff\ue000-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U0010fffd"
_CODE = "0-9A-Za-z\u4e00-\u9fff"

Flag = Annotated[bool, Reader("boolean", core.bool_schema(strict=True), {"type": "boolean"})]
Day = Annotated[date, _DAY]
"""A local date. Left out is unknown; an explicit null means never, or none."""
Instant = Annotated[datetime, _INSTANT]
"""A time with its offset from UTC."""

_PRINTED = "of any script, without line breaks or control characters"

Text = Annotated[str, Reader.text(f"^[{_LETTERS}]*$", 200, means=_PRINTED)]
Word = Annotated[str, Reader.text(f"^[{_LETTERS}]*$", 60, means=_PRINTED)]
Note = Annotated[str, Reader.text(f"^[{_LETTERS}]*$", 500, means=_PRINTED)]
Code = Annotated[
    str, Reader.text(f"^[{_CODE}][{_CODE}_.:@/+-]*$", 64, means="letters, Chinese characters or digits, then also _ . : @ / + -")
]
Identifier = Annotated[str, Reader.text(r"^[0-9A-Za-z][0-9A-Za-z_.:@+-]*$", 64, means="letters or digits, then also _ . : @ + -")]
ZoneName = Annotated[str, Reader.text(r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$", 64, means="a zone's name such as Asia/Shanghai")]

Money = Annotated[int, Reader.whole("money", 0, LARGEST)]
SignedMoney = Annotated[int, Reader.whole("money", -LARGEST, LARGEST)]
Megabytes = Annotated[int, Reader.whole("MB", 0, 10**9)]
Minutes = Annotated[int, Reader.whole("minutes", 0, 10**6)]
Hours = Annotated[int, Reader.whole("hours", 0, 10**6)]
Days = Annotated[int, Reader.whole("days", 0, 36_525)]
Months = Annotated[int, Reader.whole("months", 0, 1_200)]
Count = Annotated[int, Reader.whole("count", 0, 10**6)]
PointsAmount = Annotated[int, Reader.whole("points", 0, 10**9)]
Bandwidth = Annotated[int, Reader.whole("mbps", 0, 10**6)]
OpticalPower = Annotated[float, Reader.real("dbm", -100, 20)]
Share = Annotated[float, Reader.real("share", 0, 1)]
UsedShare = Annotated[float, Reader.real("share", 0, 1_000)]
"""Above 1 when more was used than bought; a small legacy plan can be used many times over."""
Percent = Annotated[int, Reader.whole("percent", 0, 100)]
Score10 = Annotated[int, Reader.whole("score", 0, 10)]
Score100 = Annotated[int, Reader.whole("score", 0, 100)]

_series = Field(max_length=LONGEST_SERIES)
MoneySeries = Annotated[tuple[Money | None, ...], _series]
SignedMoneySeries = Annotated[tuple[SignedMoney | None, ...], _series]
MegabytesSeries = Annotated[tuple[Megabytes | None, ...], _series]
MinutesSeries = Annotated[tuple[Minutes | None, ...], _series]
DaysSeries = Annotated[tuple[Annotated[int, Reader.whole("days", 0, 31)] | None, ...], _series]
CodeSet = Annotated[frozenset[Code], AnyOrder()]
WordSet = Annotated[frozenset[Word], AnyOrder()]

LooseValue = bool | int | float | str | tuple[bool | int | float | str | None, ...] | None
"""A value whose type only the pack knows: an operator's own fact, or an answer."""


def _read_loosely() -> CoreSchema:
    one: list[CoreSchema] = [
        core.bool_schema(strict=True),
        core.int_schema(strict=True, ge=-LARGEST, le=LARGEST),
        core.float_schema(strict=True, allow_inf_nan=False, ge=-LARGEST, le=LARGEST),
        core.str_schema(strict=True, pattern=f"^[{_LETTERS}]*$", max_length=200),
    ]
    several = core.tuple_variable_schema(core.nullable_schema(core.union_schema(list(one), mode="left_to_right")), max_length=LARGEST_SET)
    return core.nullable_schema(
        core.union_schema(
            [*one, several],
            mode="left_to_right",
            custom_error_type="value_expected",
            custom_error_message=f"expected true, false, a number of at most {LARGEST:,} in size, text of at most 200 characters or a list",
        )
    )


def _document_loosely() -> dict[str, Any]:
    one: list[dict[str, Any]] = [
        {"type": "boolean"},
        {"type": "number", "minimum": -LARGEST, "maximum": LARGEST},
        {"type": "string", "pattern": f"^[{_LETTERS}]*$", "maxLength": 200},
        {"type": "null"},
    ]
    return {"anyOf": [*one, {"type": "array", "items": {"anyOf": one}, "maxItems": LARGEST_SET}]}


Loose = Annotated[LooseValue, Reader("text", _read_loosely(), _document_loosely())]
