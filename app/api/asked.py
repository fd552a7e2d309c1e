"""What a request may be asked with: the parameters of its route, each once. One that there is not would be passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.wording import nearest_or_all


def check_parameters(request: Request) -> None:
    """See that a request has no parameter that its route has not, and none twice that is one value.

    Raises:
        RequestError: naming the parameter that was meant; one that there is not is not repeated.
    """
    route: APIRoute = request.scope["route"]
    problems = [*_headers_twice(request, route.dependant)]
    if request.scope["query_string"]:
        problems += _wrong_query(request, _parameters(route.dependant))
    if problems:
        raise RequestError(problems)


def _wrong_query(request: Request, known: Mapping[str, bool]) -> Iterator[FieldProblem]:
    for name in dict.fromkeys(request.query_params):
        if name not in known:
            yield FieldProblem("query", f"has a parameter that there is not; {_those(name, tuple(known))}")
        elif not known[name] and len(request.query_params.getlist(name)) > 1:
            yield FieldProblem(name, "is given twice; give it once")


def _those(name: str, known: Sequence[str]) -> str:
    """The parameter that was meant, else all. Of a name with a dot, which is of another language's filters, the last part means nothing."""
    return f"there are {', '.join(known)}" if known and "." in name else nearest_or_all(name, known)


def _headers_twice(request: Request, dependant: Dependant) -> Iterator[FieldProblem]:
    for field in dependant.header_params:
        if len(request.headers.getlist(field.alias)) > 1:
            yield FieldProblem(field.alias, "is given twice; give it once")


def _parameters(dependant: Dependant) -> dict[str, bool]:
    """The query parameters of a route, and whether each may be given more than once."""
    found: dict[str, bool] = {}
    for field in dependant.query_params:
        shape = field.field_info.annotation
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            found |= {name: "list[" in str(part.annotation) for name, part in shape.model_fields.items()}
        else:
            found[field.alias] = False
    return found
