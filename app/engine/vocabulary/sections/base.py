"""What every section of a subscriber's context carries."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.engine.vocabulary.model import Model
from app.engine.vocabulary.types import Instant


class Section(Model):
    """Facts of one topic, all optional: absent is unknown. A date given as null means never, or none."""

    as_of: Annotated[
        Instant | None,
        Field(title="As of", description="When these facts held; left out, the request's own time."),
    ] = None
    source: Annotated[
        Literal["system", "model", "declared"] | None,
        Field(title="Source", description="An operator's system, a model's estimate, or declared by the person."),
    ] = None


class CycleSection(Section):
    """Facts per closed billing cycle, oldest first, null where a cycle is missing. Series given together cover the same cycles."""

    @model_validator(mode="after")
    def _cover_the_same_cycles(self) -> Self:
        first: tuple[str, int] | None = None
        for name, value in self.__dict__.items():
            if not isinstance(value, tuple):
                continue
            if first is None:
                first = name, len(value)
            elif len(value) != first[1]:
                raise PydanticCustomError(
                    "series_lengths",
                    "`{first}` has {first_length} cycles and `{other}` has {other_length}; series of one section cover the same cycles",
                    {"first": first[0], "first_length": first[1], "other": name, "other_length": len(value)},
                )
        return self
