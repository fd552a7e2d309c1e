"""Searching the record."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.answers import as_json
from app.api.bodies import json_answer
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.parameters import SubscriberHeader
from app.api.reading.answers import EntryList, FoundEntry, entry_list
from app.api.reading.filters import SearchFilters
from app.api.reading.limits import OVERSIGHT, limits_of
from app.api.recorded import REVIEWERS
from app.api.sparse import chosen, only_of_each
from app.api.together import gathered
from app.engine.intake import FieldProblem
from app.record.persons import NobodyKnown
from app.record.reading.recorded import is_subject, token_of
from app.record.search.filters import BadFilters, query_of
from app.record.search.finding import Page, search
from app.record.search.query import Query as Search

NOBODY = "0"
"""Token of whom nothing is on record."""

router = APIRouter()


@router.get(
    "/v1/decisions",
    operation_id="searchDecisions",
    summary="Search the record",
    response_description="Entries, newest first: their envelopes, which hold codes only.",
    **declared(EntryList, "not-found"),
)
async def search_entries(call: Admitted, filters: Annotated[SearchFilters, Query()], x_subscriber_id: SubscriberHeader = None) -> Response:
    """All filters must hold. Several values of signal, offered, tariff, suppressed, clause and outcome must all hold, of others one."""
    in_force, limits = call.services.packs.current, limits_of(call)
    given = {"kind": ["decision"], **limits.within(filters.given(), in_force.restricted)}
    limits.check_person(filters.subject, x_subscriber_id)
    problems, names = [*filters.wrong], None
    with gathered(problems):
        names = chosen(filters.fields, FoundEntry)

    def work(connection: Connection) -> tuple[Search, Page]:
        wrong, token, query = [*problems], None, Search()
        with gathered(wrong):
            token = _token(connection, call, filters.subject, call.caller.subject or x_subscriber_id)
        with gathered(wrong):
            query = query_of(connection, given, in_force, since=filters.since, until=filters.until, subject=token)
        if wrong:
            raise BadFilters(wrong)
        query = replace(query, terms={**limits.always, **query.terms})
        return query, search(connection, query, limit=filters.limit, cursor=filters.cursor)

    query, page = await call.read(work)
    await _note_list(call, query, len(page.hits))
    found = entry_list(page, envelopes=call.caller.role in REVIEWERS | OVERSIGHT.keys())
    return json_answer(only_of_each(as_json(found), "entries", names))


async def _note_list(call: Call, query: Search, found: int) -> None:
    """Put on the record who looked at a list, and for what they searched."""
    told = {**query.terms, "since": query.since, "until": query.until}
    filters = {name: value for name, value in told.items() if value}
    await call.note("list", token=query.subject, filters=filters, found=found)


def _token(connection: Connection, call: Call, subject: str | None, subscriber_id: str | None) -> str | None:
    """The token of whom is asked about. Who sees their own decisions only is not told whom others know: to them it is a token of nobody.

    Raises:
        NobodyKnown: nobody on record is called so.
        BadFilters: two different persons are asked about.
    """
    told = call.caller.role in REVIEWERS | OVERSIGHT.keys()
    if subscriber_id is None:
        if told and subject is not None and not is_subject(connection, subject):
            raise NobodyKnown
        return subject
    token = token_of(connection, call.record.keys, subscriber_id)
    if token is None and told:
        raise NobodyKnown
    token = token or NOBODY
    if subject not in (None, token):
        raise BadFilters([FieldProblem("subject", "is not the token of whom `X-Subscriber-Id` names; leave one of them out")])
    return token
