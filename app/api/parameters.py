"""Parameters that several routes take, each with the words for what is expected of it."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from fastapi import Header, Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema
from pydantic_core import core_schema as core
from starlette.convertors import StringConvertor, register_url_convertor

from app.engine.intake import FieldProblem
from app.engine.intake.wording import told
from app.engine.vocabulary.types import Identifier

DIGEST = r"^sha256:[0-9a-f]{64}$"
_ID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[78][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
IN_HEADER = "-"
"""Stands in a path for the id that the header `X-Subscriber-Id` has."""


@dataclass(frozen=True, slots=True)
class Worded:
    """Says in our words what is expected of a parameter or a field, whatever is wrong with it; stands after what is checked."""

    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core.custom_error_schema(handler(source), custom_error_type="value_expected", custom_error_message=f"expected {self.words}")


@dataclass(frozen=True, slots=True)
class Whole:
    """Reads a whole number within bounds."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core.custom_error_schema(
            core.int_schema(ge=self.least, le=self.most),
            custom_error_type="value_expected",
            custom_error_message=f"expected a whole number from {self.least:,} to {self.most:,}",
        )


class Gathering(BaseModel):
    """The parameters of a call that looks at those that are right although others are wrong, to tell of all of them at once."""

    _wrong: tuple[FieldProblem, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _gather(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """What is right of them, with what is wrong beside it."""
        try:
            return handler(given)
        except ValidationError as error:
            problems = [(item["loc"], told(item)) for item in error.errors()]
        wrong = {place[0] for place, _ in problems}
        made = handler({name: value for name, value in given.items() if name not in wrong})
        made._wrong = tuple(FieldProblem(".".join(map(str, place)), message) for place, message in problems)
        return made

    @property
    def wrong(self) -> tuple[FieldProblem, ...]:
        """What cannot be what it is said to be; each of these parameters is as if left out."""
        return self._wrong


class _DigestConvertor(StringConvertor):
    """Takes digests only, so that other words below `/v1/packs/` are paths of their own."""

    regex = DIGEST[1:-1]


class _DecisionConvertor(StringConvertor):
    """Takes whatever is no call of its own below `/v1/decisions/`."""

    regex = "(?!(?:batch|recheck)$)[^/]+"


register_url_convertor("digest", _DigestConvertor())
register_url_convertor("decision", _DecisionConvertor())


def _written_as_date(value: object) -> object:
    """A date as ISO 8601 has it; pydantic alone would take a number of seconds for one."""
    if isinstance(value, str) and not _DATE.fullmatch(value):
        raise ValueError("not a date")
    return value


EntryId = Annotated[str, Field(pattern=_ID), AfterValidator(str.lower), Worded("an id such as 019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b")]
DecisionId = Annotated[EntryId, Path(description="A `decision_id`.")]
FullDigest = Annotated[str, Field(pattern=DIGEST), Worded("a digest: `sha256:` and 64 of 0-9 a-f, as `GET /v1/packs` lists them")]
Digest = Annotated[FullDigest, Path(description="A pack's digest.")]
PackName = Annotated[
    str,
    Field(pattern="^(sha256:)?[0-9a-f]{1,64}$"),
    Worded("a pack's digest, `sha256:` and 64 of 0-9 a-f, or as many of them from the first on as name one pack"),
]
"""A digest, or its beginning, as tables print it."""
Day = Annotated[datetime.date, BeforeValidator(_written_as_date), Worded("a day such as 2026-11-01")]
Locale = Annotated[Literal["zh-CN", "en"], Query(description="Language of the words.")]
Subscriber = Annotated[
    Annotated[str, Field(pattern="^(-|[0-9A-Za-z][0-9A-Za-z_.:@+-]{0,63})$")],
    Worded("`-`, with the id in the header `X-Subscriber-Id`; or an id: letters or digits, then also _ . : @ + -, at most 64"),
    Path(description="`-`, with the id in the header `X-Subscriber-Id`, so that it stands in no log of URLs; or the operator's id itself."),
]
SubscriberHeader = Annotated[Identifier | None, Header(alias="X-Subscriber-Id", description="The operator's id of the subscriber.")]
Fields = Annotated[
    Annotated[
        str, Field(pattern="^[a-z_]+(,[a-z_]+)*$", max_length=400), Worded("names of fields with commas between, such as actions,phase")
    ]
    | None,
    Query(description="Names of fields, commas between: only these are answered; of a list, of each that is on it. Left out, all."),
]
