"""The names rules may use, read off the models so that documents, checks and rules cannot disagree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.engine.vocabulary.events import AnyEvent, Event
from app.engine.vocabulary.request import DecisionRequest, SubscriberContext
from app.engine.vocabulary.sections import Section
from app.engine.vocabulary.types import Computed, Fact, Reader


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event: its titles, the attributes that rules may filter on, and whether it is port data."""

    name: str
    zh: str
    en: str
    attributes: Mapping[str, Fact]
    port: bool


def _titles(extra: object) -> dict[str, Any]:
    return cast("dict[str, Any]", extra) if isinstance(extra, dict) else {}


def _describe(annotation: Any, marks: tuple[Any, ...], fact: Fact) -> Fact:
    """The fact with what its annotation says of kind, unit, bounds and words."""
    for mark in marks:
        if isinstance(mark, Computed):
            fact, mark = replace(fact, computed=True), mark.reader
        if isinstance(mark, Reader):
            return replace(fact, kind=mark.kind, unit=mark.unit, integral=mark.integral, least=mark.least, most=mark.most)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _describe(arguments[0], arguments[1:], fact)
    if origin in (Union, UnionType):
        return _describe(next(a for a in arguments if a is not type(None)), (), fact)
    if origin is Literal:
        return replace(fact, kind="enum", values=arguments)
    element = _describe(arguments[0], (), fact)
    return replace(element, kind="series" if origin is tuple else "set")


def _facts_of(model: type[BaseModel], prefix: str) -> Iterator[Fact]:
    for name, field in model.model_fields.items():
        titles = _titles(field.json_schema_extra)
        if "x-zh" in titles:
            yield _fact(f"{prefix}.{name}", field, titles)


def _fact(name: str, field: FieldInfo, titles: dict[str, Any]) -> Fact:
    bare = Fact(name, "text", "", False, (), None, None, field.title or name, titles["x-zh"])
    section = name.partition(".")[0]
    told = replace(bare, protected=titles.get("x-protected", False), port=section == "port", restricted=titles.get("x-restricted", ""))
    return _describe(field.annotation, tuple(field.metadata), told)


def _sections() -> Iterator[tuple[str, type[Section]]]:
    for name, field in SubscriberContext.model_fields.items():
        for option in get_args(field.annotation):
            if isinstance(option, type) and issubclass(option, Section):
                yield name, option


def _event_kinds() -> Iterator[EventKind]:
    for model in cast("tuple[type[Event], ...]", get_args(get_args(AnyEvent)[0])):
        (name,) = get_args(model.model_fields["type"].annotation)
        attributes = {f.name.rpartition(".")[2]: f for f in _facts_of(model, f"events.{name}")}
        zh = _titles(model.model_config.get("json_schema_extra"))["x-zh"]
        port = model.__module__.endswith(".port")
        yield EventKind(name, zh, model.model_config.get("title") or name, MappingProxyType(attributes), port)


def _homes_of_facts() -> Iterator[tuple[str, type[BaseModel]]]:
    yield "request", DecisionRequest
    yield from SECTIONS.items()


SECTIONS: Mapping[str, type[Section]] = MappingProxyType(dict(_sections()))
"""The sections of a subscriber's context, in the order of its documents."""

FACTS: Mapping[str, Fact] = MappingProxyType({fact.name: fact for prefix, model in _homes_of_facts() for fact in _facts_of(model, prefix)})
"""Every base fact by its dotted name."""

EVENTS: Mapping[str, EventKind] = MappingProxyType({kind.name: kind for kind in _event_kinds()})
"""Every kind of event by its name, without the `events.` that rules write before it."""
