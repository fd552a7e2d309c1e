"""Whether a value may be sent for a fact: of single values by the vocabulary's own models, of whole columns by what those say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import TypeAdapter, ValidationError

from app.engine.intake.placing import reader_at
from app.engine.intake.values import custom_problem
from app.engine.vocabulary import SECTIONS, DecisionRequest
from app.engine.vocabulary.types import LARGEST, Loose, Reader

if TYPE_CHECKING:
    from app.engine.pack import Pack
    from app.engine.vocabulary import Fact

Fits = Callable[[Any], bool]
_loose: TypeAdapter[Any] = TypeAdapter(Loose)
_SPACES = r"^\s|\s$"


def fits(pack: Pack, fact: Fact) -> Fits:
    """Says of a JSON value whether a request with it for the fact is taken, as far as the fact alone decides that."""
    section, _, field = fact.name.partition(".")
    if section == "request":
        return lambda value: value in fact.values
    if section == "custom":
        return lambda value: _is_valid(_loose.validate_python, value) and custom_problem(pack.custom, field, value) is None
    model = SECTIONS[section]
    return lambda value: _is_valid(model.model_validate, {field: value})


def _is_valid(validate: Callable[[Any], Any], value: Any) -> bool:
    try:
        validate(value)
    except ValidationError:
        return False
    return True


def bounds(pack: Pack, fact: Fact) -> tuple[float | None, float | None] | None:
    """The least and most that the fact takes; none where they are not whole numbers."""
    least, most = fact.least, fact.most
    if fact.name in pack.custom:
        largest = min(pack.custom[fact.name].most, LARGEST)
        least, most = -largest, largest
    return (least, most) if all(bound is None or bound == int(bound) for bound in (least, most)) else None


def word_fits(fact: Fact) -> Callable[[pl.Expr], pl.Expr] | None:
    """Whether words of a column, or of lists in it, may be sent as they are; none where only the models know."""
    if fact.values:
        return lambda words: words.is_in(list(fact.values))
    reader = reader_at(DecisionRequest, ("subscriber", *fact.name.split("."))) if not fact.name.startswith("custom.") else None
    return None if reader is None or "pattern" not in reader.document else text_fits(reader)


def text_fits(reader: Reader) -> Callable[[pl.Expr], pl.Expr]:
    """Whether texts of a column match what a reader of texts takes, and have no blanks around them."""
    pattern, least, most = reader.document["pattern"], reader.document["minLength"], reader.document["maxLength"]
    may_have_spaces = re.search(pattern, " ") is not None

    def fit(texts: pl.Expr) -> pl.Expr:
        good = texts.str.contains(pattern) & texts.str.len_chars().is_between(least, most)
        return good & ~texts.str.contains(_SPACES) if may_have_spaces else good

    return fit
