"""What a request may be asked with: the parameters of its route, each once. One that there is not would be passed over in silence."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from app.api.parameters import Gathering
from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.problems import MOST_PROBLEMS
from app.engine.intake.wording import is_plain, nearest_or_all, told

QUERY = "query"
"""The field of a parameter whose name is not repeated."""
_NEARLY = 0.8
"""How near a parameter has to be to the name of a header."""


def check_parameters(request: Request) -> None:
    """See that a request has no parameter that its route has not, and none twice that is one value.

    Raises:
        RequestError: naming each parameter that there is not, where it is a plain word, and the one that was meant; and, together with
            these, what is wrong with the values of others.
    """
    route: APIRoute = request.scope["route"]
    problems = [*_headers_twice(request, route.dependant)]
    if request.scope["query_string"]:
        problems += islice(_wrong_query(request, _parameters(route.dependant), _headers(route.dependant)), MOST_PROBLEMS)
    if problems:
        raise RequestError([*problems, *_wrong_values(request, route.dependant, {found.field for found in problems})])


def _wrong_query(request: Request, known: Mapping[str, bool], headers: Mapping[str, str]) -> Iterator[FieldProblem]:
    for name in dict.fromkeys(request.query_params):
        if name not in known:
            yield _unknown(name, _in_header(name, headers) or _those(name, tuple(known)))
        elif not known[name] and len(request.query_params.getlist(name)) > 1:
            yield FieldProblem(name, "is given twice; give it once")


def _wrong_values(request: Request, dependant: Dependant, told_already: Collection[str]) -> Iterator[FieldProblem]:
    """What is wrong with the values of the parameters that there are."""
    values, errors = request_params_to_args(dependant.query_params, request.query_params)
    found = [FieldProblem(".".join(map(str, item["loc"][1:])), told(item)) for item in errors]
    found += [problem for value in values.values() if isinstance(value, Gathering) for problem in value.wrong]
    yield from (problem for problem in found if problem.field.partition(".")[0] not in told_already)


def _unknown(name: str, instead: str) -> FieldProblem:
    """A parameter that there is not. A name that is no plain word may be somebody's, and is left out."""
    if is_plain(name):
        return FieldProblem(name, f"is no parameter of this call; {instead}")
    return FieldProblem(QUERY, f"has a parameter that there is not; {instead}")


def _in_header(name: str, headers: Mapping[str, str]) -> str:
    """Where to say it instead, when it is the name of a header, or nearly; `headers` has each by its `_letters`."""
    found = difflib.get_close_matches(_letters(name), headers, n=1, cutoff=_NEARLY)
    return f"send it as the header `{headers[found[0]]}`" if found else ""


def _headers(dependant: Dependant) -> dict[str, str]:
    """The headers of a route by what they may be called: `X-Subscriber-Id` is a subscriber's id, and says which subscriber."""
    names = [field.alias for field in dependant.header_params]
    return {called: name for name in names for called in (_letters(name), _letters(name).removesuffix("id"))}


def _letters(name: str) -> str:
    """A name without capitals and marks, and without the `X-` of headers."""
    return re.sub("[^a-z]", "", re.sub("^x[-_]", "", name.lower()))


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
            found[field.alias] = "list[" in str(shape)
    return found
