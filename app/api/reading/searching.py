"""Searching the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Header, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.bodies import json_answer
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.reading.answers import EntryList, entry_list
from app.api.reading.filters import SearchFilters
from app.api.recorded import REVIEWERS
from app.engine.intake import FieldProblem
from app.engine.problems import nearest
from app.record.callers import Caller
from app.record.reading.recorded import token_of
from app.record.search.filters import BadFilters, query_of
from app.record.search.finding import Page, search
from app.record.search.query import Query as Search

NOBODY = "0" * 32
"""The token of nobody."""

router = APIRouter()


@router.get(
    "/v1/decisions",
    operation_id="searchDecisions",
    summary="Search the record",
    response_description="Entries, newest first: their envelopes, which hold codes only.",
    **declared(EntryList),
)
async def search_entries(
    call: Admitted,
    filters: Annotated[SearchFilters, Query()],
    x_subscriber_id: Annotated[
        str | None, Header(max_length=600, description="A subscriber's id, percent-encoded; a header, so that it stands in no log of URLs.")
    ] = None,
) -> Response:
    """All filters must hold. Several values of signal, offered, tariff, suppressed, clause and outcome must all hold, of others one."""
    _known_parameters(call.request)
    given, in_force = _own(call.caller, {"kind": ["decision"]} | filters.given()), call.services.packs.current

    def work(connection: Connection) -> tuple[Search, Page]:
        token = _token(connection, call, filters.subject, x_subscriber_id)
        query = query_of(connection, given, in_force, since=filters.since, until=filters.until, subject=token)
        return query, search(connection, query, limit=filters.limit, cursor=filters.cursor)

    query, page = await call.read(work)
    await _note_list(call, query, len(page.hits))
    return json_answer(entry_list(page, envelopes=call.caller.role in REVIEWERS))


async def _note_list(call: Call, query: Search, found: int) -> None:
    """Put on the record who looked at a list, and for what they searched."""
    told = {**query.terms, "since": query.since, "until": query.until}
    filters = {name: value for name, value in told.items() if value}
    await call.note("list", token=query.subject if query.subject != NOBODY else None, filters=filters, found=found)


def _own(who: Caller, given: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What is asked for, where the caller reads their own decisions only."""
    return dict(given) if who.role in REVIEWERS else {**given, "kind": ["decision"], "role": [who.role]}


def _token(connection: Connection, call: Call, subject: str | None, subscriber_id: str | None) -> str | None:
    """The token of whom is asked about; that of nobody for somebody who is not on record."""
    if subscriber_id is None:
        return subject
    token = token_of(connection, call.record.keys, unquote(subscriber_id))
    return NOBODY if token is None or subject not in (None, token) else token


def _known_parameters(request: Request) -> None:
    """A parameter that there is not would be a filter that does not filter.

    Raises:
        BadFilters: naming it and the nearest that there is.
    """
    known = tuple(SearchFilters.model_fields)
    wrong = [name for name in request.query_params if name not in known]
    if wrong:
        raise BadFilters([FieldProblem("query", f"has a parameter that there is not; {nearest(wrong[0], known) or ', '.join(known)}")])
