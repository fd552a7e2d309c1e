"""Reading the record: search, a decision with everything about it, in words, made again, proved.

Whoever reads what is about a person is on the record before they see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import unquote

from fastapi import APIRouter, FastAPI, Header, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.bodies import JSON, Refused
from app.api.callers import caller_of
from app.api.packs_in_force import DIGEST
from app.api.problems import documented, problem
from app.api.reading_answers import (
    DecisionExplained,
    DecisionReplayed,
    EntryList,
    ProofAnswer,
    as_json,
    entry_list,
    proof_answer,
)
from app.api.responses import DecisionId, concerns
from app.api.search_filters import SearchFilters
from app.api.services import Services
from app.engine.intake import FieldProblem
from app.engine.problems import PackError, nearest
from app.engine.texts import language_of
from app.engine.view import view
from app.record.callers import DEVELOPMENT, Caller
from app.record.packs.library import DamagedPack
from app.record.packs.steps import UnknownPack
from app.record.reading.consulting import explained, proof_of
from app.record.reading.dossier import Dossier, dossier
from app.record.reading.recorded import DamagedEntry, Recorded, read_decision, read_note, token_of
from app.record.reading.replaying import instead, replay
from app.record.search.filters import BadFilters, query_of
from app.record.search.finding import BadCursor, Page, search
from app.record.search.finding import Query as Search

REVIEWERS = frozenset({"compliance", DEVELOPMENT})
"""Roles that see everything."""
NOBODY = "0" * 32
"""The token of nobody."""
_ALWAYS = ("invalid-request", "internal", "store-busy", "store-unavailable")
_ONE = ("not-found", "damaged", *_ALWAYS)

Locale = Annotated[Literal["zh-CN", "en"], Query(description="Language of the words.")]

router = APIRouter()


def handle_errors(app: FastAPI) -> None:
    """Answer what goes wrong while reading with a problem."""
    app.add_exception_handler(BadFilters, _filters_error)
    app.add_exception_handler(BadCursor, _cursor_error)
    app.add_exception_handler(DamagedEntry, _damaged)
    app.add_exception_handler(DamagedPack, _damaged)


async def _filters_error(_: Request, error: Exception) -> Response:
    return problem("invalid-request", errors=error.problems if isinstance(error, BadFilters) else ())


async def _cursor_error(_: Request, error: Exception) -> Response:
    return problem("invalid-request", errors=[FieldProblem("cursor", str(error))])


async def _damaged(_: Request, error: Exception) -> Response:
    return problem("damaged", detail=str(error))


@router.get(
    "/v1/decisions",
    operation_id="searchDecisions",
    summary="Search the record",
    response_description="Entries, newest first: their envelopes, which hold codes only.",
    responses={200: {"model": EntryList}, **documented(*_ALWAYS)},
)
async def search_entries(
    request: Request,
    filters: Annotated[SearchFilters, Query()],
    x_subscriber_id: Annotated[
        str | None, Header(max_length=600, description="A subscriber's id, percent-encoded; a header, so that it stands in no log of URLs.")
    ] = None,
) -> Response:
    """All filters must hold. Several values of signal, offered, tariff, suppressed, clause and outcome must all hold, of others one."""
    services, who = _services(request), caller_of(request)
    _known_parameters(request)
    given = _own(who, {"kind": ["decision"]} | filters.given())
    record, in_force = services.record, services.packs.current

    def work(connection: Connection) -> tuple[Search, Page]:
        token = _token(connection, services, filters.subject, x_subscriber_id)
        query = query_of(connection, given, in_force, since=filters.since, until=filters.until, subject=token)
        return query, search(connection, query, limit=filters.limit, cursor=filters.cursor)

    query, page = await record.read(work)
    await _note_list(services, who, query, len(page.hits))
    return _json(entry_list(page, envelopes=who.role in REVIEWERS))


@router.get(
    "/v1/decisions/{decision_id}/record",
    operation_id="readRecord",
    summary="Read a decision with everything needed to understand it",
    response_description="Of an erased person the envelope, and what needs no case.",
    responses={200: {"model": Dossier}, **documented(*_ONE)},
)
async def read_record(request: Request, decision_id: DecisionId, locale: Locale = "zh-CN") -> Response:
    """Who asked, what was known and how old it was, what was considered, consent and hours, what came of it, where it is proved."""
    services = _services(request)
    record, language = services.record, language_of(locale)
    found = await _decision(request, decision_id)
    answer = await record.read(lambda connection: dossier(connection, found, services.packs.library, language))
    await note_reading(services, caller_of(request), "decision", found)
    return _json(answer)


@router.get(
    "/v1/decisions/{decision_id}/explanation",
    operation_id="explainDecision",
    summary="A decision in words",
    response_description="In the language asked for, as far as the caller's role may see.",
    responses={200: {"model": DecisionExplained}, **documented("erased", "pack-unusable", *_ONE)},
)
async def explain_decision(request: Request, decision_id: DecisionId, locale: Locale = "zh-CN") -> Response:
    """Worked out again with the pack that decided; reviewers also get why the first came first, and what would have changed it."""
    services, who = _services(request), caller_of(request)
    found = await _decision(request, decision_id)
    case, digest, language = found.case, found.body["pack"], language_of(locale)
    if case is None:
        return problem("erased")
    try:
        told = await services.record.read(lambda _: explained(services.packs.library, digest, case, language))
    except (PackError, UnknownPack) as error:
        return _unusable(error)
    await note_reading(services, who, "explanation", found)
    if who.role in REVIEWERS:
        return _json(DecisionExplained(decision_id, told.explanation, told.order, told.minimal_changes, told.protected))
    return _json(DecisionExplained(decision_id, view(told.explanation, who.role), None, None, None))


@router.get(
    "/v1/decisions/{decision_id}/replay",
    operation_id="replayDecision",
    summary="Make a decision again",
    response_description="The same, or exactly what differs and which version of the engine explains it.",
    responses={200: {"model": DecisionReplayed}, **documented("pack-unusable", *_ONE)},
)
async def replay_decision(
    request: Request,
    decision_id: DecisionId,
    pack: Annotated[str | None, Query(pattern=DIGEST, description="Digest of a pack: what would it have decided instead?")] = None,
) -> Response:
    """With the pack that decided and, where one is named, with another: a draft that was published, for example."""
    services, library = _services(request), _services(request).packs.library
    found = await _decision(request, decision_id)

    def work(_: Connection) -> DecisionReplayed:
        again = replay(found, library)
        other = None if pack is None or found.case is None else instead(found, library.get(found.body["pack"]), library.get(pack))
        return DecisionReplayed(again, other)

    try:
        answer = await services.record.read(work)
    except (PackError, UnknownPack) as error:
        return _unusable(error)
    await note_reading(services, caller_of(request), "replay", found)
    return _json(answer)


@router.get(
    "/v1/decisions/{decision_id}/proof",
    operation_id="proveDecision",
    summary="Prove that a decision is on record",
    response_description="Its envelope, and the path from its leaf to a signed root.",
    responses={200: {"model": ProofAnswer}, **documented("not-found", "not-sealed", *_ALWAYS)},
)
async def prove_decision(request: Request, decision_id: DecisionId) -> Response:
    """For somebody who does not trust us: the envelope holds codes only."""
    record = _services(request).record
    found = await record.read(lambda connection: proof_of(connection, decision_id))
    if found is None:
        return problem("not-found", detail="no decision has this id")
    if found.inclusion is None:
        return problem("not-sealed")
    state = (await _decision(request, decision_id)).state
    return _json(proof_answer(found.inclusion, state, found.envelope))


async def _decision(request: Request, decision_id: str) -> Recorded:
    """The decision, where the caller may read it.

    Raises:
        Refused: there is none, or none of theirs.
        DamagedEntry: it is not what was recorded.
    """
    record, who = _services(request).record, caller_of(request)
    found = await record.read(lambda connection: read_decision(connection, record.keys, decision_id))
    if found is None or not (who.role in REVIEWERS or concerns(who, found.body["role"])):
        raise Refused(problem("not-found", detail="no decision has this id"))
    return found


async def note_reading(services: Services, who: Caller, what: str, found: Recorded) -> None:
    """Put on the record who looked at a decision, before they see it."""
    now = services.clock()
    note = read_note(str(services.ids.new(now)), now, caller=who.name, role=who.role, what=what, of=found.id, token=found.subject)
    await services.record.write(note)


async def _note_list(services: Services, who: Caller, query: Search, found: int) -> None:
    """Put on the record who looked at a list, and for what they searched."""
    now, told = services.clock(), {**query.terms, "since": query.since, "until": query.until}
    filters = {name: value for name, value in told.items() if value}
    token = query.subject if query.subject != NOBODY else None
    note = read_note(
        str(services.ids.new(now)), now, caller=who.name, role=who.role, what="list", token=token, filters=filters, found=found
    )
    await services.record.write(note)


def _own(who: Caller, given: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What is asked for, where the caller reads their own decisions only."""
    return dict(given) if who.role in REVIEWERS else {**given, "kind": ["decision"], "role": [who.role]}


def _token(connection: Connection, services: Services, subject: str | None, subscriber_id: str | None) -> str | None:
    """The token of whom is asked about; that of nobody for somebody who is not on record."""
    if subscriber_id is None:
        return subject
    token = token_of(connection, services.record.keys, unquote(subscriber_id))
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


def _unusable(error: Exception) -> Response:
    return problem("pack-unusable", detail=str(error).partition("\n")[0])


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _json(answer: object) -> Response:
    return Response(as_json(answer), media_type=JSON)
