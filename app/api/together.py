"""Mistakes of one request that several parts of it find, told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from app.engine.intake import FieldProblem, RequestError, parse_body
from app.record.search.filters import BadFilters

BODY = "body"
"""The field of what is wrong with a body as a whole."""
_Body = TypeVar("_Body", bound=BaseModel)


@contextmanager
def gathered(problems: list[FieldProblem]) -> Iterator[None]:
    """Keep what is found wrong within, and go on: whoever gathers has to refuse the request in the end."""
    try:
        yield
    except (RequestError, BadFilters) as error:
        problems += error.problems


def names_in(problems: Iterable[FieldProblem]) -> set[str]:
    """The first names of the fields that are wrong."""
    return {found.field.partition(".")[0] for found in problems}


def taken_in_part(body: bytes, model: type[_Body], problems: list[FieldProblem], **standing_in: Any) -> _Body | None:
    """What a JSON body says or, where fields of it are wrong, what its other fields say, so that they can be looked at too.

    Args:
        body: as for `parse_body`.
        model: what it should be.
        problems: where what is wrong goes.
        standing_in: by name, values of required fields, for where theirs are wrong or missing.

    Returns:
        none, where nothing can be said of the other fields.
    """
    try:
        return parse_body(body, model)
    except RequestError as error:
        problems += error.problems
    wrong = names_in(problems)
    if BODY in wrong:
        return None
    try:
        data = orjson.loads(body)
        right = {name: value for name, value in data.items() if name not in wrong} if isinstance(data, dict) else {}
        return model.model_validate({**standing_in, **right})
    except (orjson.JSONDecodeError, ValidationError):
        return None
