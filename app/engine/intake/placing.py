"""Which fields a body may have at which place, and where else a name belongs: read off the body's model."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.engine.vocabulary.types import Computed, Reader

Path = tuple[str | int, ...]
Shape = type[BaseModel]
MOST_PLACES = 3
"""Where a name stands at more places than these, none of them was probably meant."""


def as_sent(model: Shape, path: Path) -> Path:
    """A path of pydantic's as the body has it: without the kind that stands after what may be of several kinds."""
    return tuple(step for step, _ in _walk(model, path) if step is not None)


def fields_at(model: Shape, path: Path) -> tuple[str, ...]:
    """Names of the fields that may be sent at a place; none where that is no place with names of its own."""
    home = _home(model, path)
    return () if home is None else tuple(_fields(home))


def reader_at(model: Shape, path: Path) -> Reader | None:
    """How the number, text, flag or date at a place is read, or those of the series there; none where it is something else."""
    names = path[:-1] if path and isinstance(path[-1], int) else path
    home = _home(model, names[:-1])
    field = None if home is None or not names else _fields(home).get(str(names[-1]))
    return None if field is None else _reader(field.annotation, field.metadata)


def elements_at(model: Shape, path: Path) -> Reader | tuple[str, ...] | type | None:
    """What an array at a place holds: how its values are read, the words that there are, or their type; none where that is not told."""
    reader = reader_at(model, path)
    home = _home(model, path[:-1])
    field = None if home is None or not path else _fields(home).get(str(path[-1]))
    if reader is not None or field is None:
        return reader
    element = next(iter(get_args(_bare(field.annotation))), None)
    bare = _bare(element)
    if get_origin(bare) is Literal:
        return get_args(bare)
    return str if bare is str else next(_shapes(element), None)


def places_of(model: Shape, path: Path, name: str) -> tuple[str, ...]:
    """Where a name belongs that cannot stand at a place: nearby first, then further up. Lists are not looked into.

    Args:
        model: of the body.
        path: the place, as pydantic has it.
        name: of the field that is not there.

    Returns:
        Dotted fields, `MOST_PLACES` of them at most; where there are more or none, the nearest further up.
    """
    found = [place for place, known in _elsewhere(model, path) if known == name]
    return tuple(found) if 0 < len(found) <= MOST_PLACES else _nearest_up(model, path, name)


def names_elsewhere(model: Shape, path: Path) -> dict[str, str]:
    """Names that stand at one other place only, and that place."""
    found: dict[str, list[str]] = {}
    for place, name in _elsewhere(model, path):
        found.setdefault(name, []).append(place)
    return {name: places[0] for name, places in found.items() if len(places) == 1}


def _nearest_up(model: Shape, path: Path, name: str) -> tuple[str, ...]:
    """The nearest place above that has the name itself."""
    above = (path[:length] for length in range(len(path) - 1, -1, -1))
    return next(((_dotted((*as_sent(model, place), name)),) for place in above if name in fields_at(model, place)), ())


def _elsewhere(model: Shape, path: Path) -> Iterator[tuple[str, str]]:
    """Every field below the body, or below the entry of a list that the path is in, with its name; but for those of the place itself."""
    start = max((index + 1 for index, step in enumerate(path) if isinstance(step, int)), default=0)
    home = _home(model, path[:start])
    before, here = "".join(f"{step}." for step in path[:start]), _dotted(path[start:])
    for place, name in () if home is None else _below(home):
        if place.rpartition(".")[0] != here:
            yield before + place, name


@functools.cache
def _below(model: Shape) -> tuple[tuple[str, str], ...]:
    """Every field below a shape, dotted, with its name."""
    found: list[tuple[str, str]] = []
    for name, field in _fields(model).items():
        found.append((name, name))
        inner = _bare(field.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += [(f"{name}.{place}", last) for place, last in _below(inner)]
    return tuple(found)


def _home(model: Shape, path: Path) -> Shape | None:
    *_, (_, shapes) = [(None, (model,)), *_walk(model, path)]
    return shapes[0] if len(shapes) == 1 else None


def _walk(model: Shape, path: Path) -> Iterator[tuple[str | int | None, Sequence[Shape]]]:
    """Each step as it was sent, none for a kind, and the shapes that what stands there may have."""
    shapes: Sequence[Shape] = (model,)
    for step in path:
        if isinstance(step, str) and len(shapes) > 1:
            shapes = [shape for shape in shapes if step in get_args(shape.model_fields["type"].annotation)]
            yield None, shapes
            continue
        if isinstance(step, str):
            field = _fields(shapes[0]).get(step) if shapes else None
            shapes = () if field is None else tuple(_shapes(field.annotation))
        yield step, shapes


@functools.cache
def _fields(model: Shape) -> Mapping[str, FieldInfo]:
    """The fields that may be sent, by the names that they are sent under."""
    fields = model.model_fields.items()
    return {field.alias or name: field for name, field in fields if not any(isinstance(mark, Computed) for mark in field.metadata)}


def _shapes(annotation: Any) -> Iterator[Shape]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _shapes(argument)


def _bare(annotation: Any) -> Any:
    """The annotation without its marks and without none."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        return _bare(options[0]) if len(options) == 1 else None
    return annotation


def _reader(annotation: Any, marks: Sequence[Any]) -> Reader | None:
    found = next((mark for mark in marks if isinstance(mark, Reader)), None)
    if found is not None:
        return found
    if get_origin(annotation) is Annotated:
        first, *further = get_args(annotation)
        return _reader(first, further)
    return next((found for option in get_args(annotation) if (found := _reader(option, ())) is not None), None)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
