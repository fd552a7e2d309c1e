"""Types that take what TM Forum's clients send: an object where an array belongs, a number or "true" as text, null for left out.

What is nobody's here is passed over, but for a name that is nearly one with a say: what it says would be lost in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, JsonValue
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core import core_schema as core

from app.engine.intake.wording import MISSPELT
from app.engine.problems import nearest

MOST_REFERENCES = 100
LONGEST_ID = 200
_LONGEST = 2_000
_LONGEST_NAME = 60
_LIKE = 0.8
"""How alike a misspelt attribute is to what was meant: others have `agreement` and `payment`, which are not `agent`."""
_NUMBERS = {"type": "number"}
_WORDS = {"true": True, "false": False}
_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Several:
    """An array, or one of its elements for an array of one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core.no_info_before_validator_function(lambda value: value if isinstance(value, list) else [value], handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        array = handler(schema)
        return {"anyOf": [array, array["items"]]}


@dataclass(frozen=True, slots=True)
class _AsText:
    """Text, or a number for it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core.no_info_before_validator_function(_worded, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), _NUMBERS]}


@dataclass(frozen=True, slots=True)
class _AsFlag:
    """True or false, or the word for it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core.no_info_plain_validator_function(_flag)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"enum": [True, False, *_WORDS]}


@dataclass(frozen=True, slots=True)
class _ById:
    """A reference, or its id alone: as text, or as one of these other types."""

    others: tuple[type, ...] = (int, float)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        text = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
        return {"anyOf": [handler(schema), text, *([_NUMBERS] if self.others else [])]}

    def _read(self, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return value
        if not isinstance(value, (str, *self.others)):
            raise PydanticCustomError("value_expected", "expected an object with `id` and `role`, or an id as text")
        return {"id": value}


def _worded(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    raise PydanticCustomError("value_expected", "expected true or false")


Words = Annotated[str, Field(max_length=_LONGEST, pattern=_NO_CONTROLS), _AsText()]
"""Text of at most 2,000 characters; a number is taken as text."""
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID, pattern=_NO_CONTROLS), _AsText()]
Flag = Annotated[bool, _AsFlag()]
Several = Annotated[list[T], Field(max_length=MOST_REFERENCES), _Several()]
"""At most 100; one may stand without its array."""
Free = JsonValue
"""Whatever JSON can say."""


class Extended(BaseModel):
    """A part of a request that may have more attributes than we know of, but none that is nearly one with a say."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    deciding: ClassVar[Sequence[str]] = ()
    """Attributes that have a say."""
    passed_over: ClassVar[Sequence[str]] = ()
    """Attributes of TM Forum's that are nobody's misspelling, though we have no use for them."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """With each further name looked at, so that it is told together with whatever else is wrong."""
        schema = handler(source)
        fields: Any = handler.resolve_ref_schema(schema)
        fields["schema"]["extras_keys_schema"] = core.no_info_after_validator_function(cls._look_at, core.str_schema())
        return schema

    @classmethod
    def _look_at(cls, name: str) -> str:
        known = name in cls.passed_over or len(name) > _LONGEST_NAME
        meant = "" if known else nearest(_plainly(name), cls.deciding, likeness=_LIKE)
        if meant:
            raise PydanticCustomError(MISSPELT, "{meant}", {"meant": meant})
        return name


def _plainly(name: str) -> str:
    """The first word of a name as it is spelt here: `RelatedParty` and `related_party` are `relatedParty`."""
    first, *others = name.partition(" ")[0].split("_")
    return first[:1].lower() + first[1:] + "".join(map(str.capitalize, others))


class Liberal(Extended):
    """A part of a request, as liberal as it is taken."""

    model_config = ConfigDict(strict=True, validate_by_name=False)

    type_name: Annotated[Words | None, Field(alias="@type")] = None
    base_type: Annotated[Words | None, Field(alias="@baseType")] = None
    schema_location: Annotated[Words | None, Field(alias="@schemaLocation")] = None


class GivenItem(Liberal):
    """Something that is named without an id of its own, such as an item of a cart."""

    entity_href: Annotated[Words | None, Field(alias="entityHref")] = None
    entity_id: Annotated[Words | None, Field(alias="entityId")] = None
    item_id: Annotated[Words | None, Field(alias="itemId")] = None
    name: Words | None = None
    referred_type: Annotated[Words | None, Field(alias="@referredType")] = None


class GivenReference(Liberal):
    """Something that is named by its id, with the part that it plays."""

    id: Id
    href: Words | None = None
    name: Words | None = None
    version: Words | None = None
    role: Words | None = None
    referred_type: Annotated[Words | None, Field(alias="@referredType")] = None


class GivenParty(GivenReference):
    """Somebody, with the part that they play."""

    deciding = ("role", "@referredType")


Referred = Annotated[GivenReference, _ById()]
"""A reference; its id may stand for it."""
Party = Annotated[GivenParty, _ById()]
"""The same, of somebody."""
Person = Annotated[GivenParty, _ById(others=())]
"""The same, but a bare number names nobody: it may be a place on somebody's list."""


class GivenPlace(Liberal):
    """Where something is: by its id, or told."""

    id: Words | None = None
    href: Words | None = None
    name: Words | None = None
    role: Words | None = None
    referred_type: Annotated[Words | None, Field(alias="@referredType")] = None
