"""One decision, read from the record: everything about it, in words, made again, proved."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.bodies import json_answer
from app.api.calls import Admitted
from app.api.declaring import declared
from app.api.parameters import DecisionId, Locale, PackName
from app.api.problems import problem
from app.api.reading.answers import DecisionExplained, DecisionReplayed, ProofAnswer, proof_answer
from app.api.recorded import REVIEWERS, decision_of, no_decision, note_reading, worked_out
from app.engine.texts import language_of
from app.engine.view import view
from app.record.export.plain import SELF_SERVICE, all_plainly
from app.record.reading.consulting import explained, proof_of
from app.record.reading.dossier import Dossier, dossier
from app.record.reading.replaying import instead, replay
from app.record.search.filters import pack_named

router = APIRouter()


@router.get(
    "/v1/decisions/{decision_id}/record",
    operation_id="readRecord",
    summary="Read a decision with everything needed to understand it",
    response_description="Of an erased person the envelope, and what needs no case.",
    **declared(Dossier, "not-found", "damaged"),
)
async def read_record(call: Admitted, decision_id: DecisionId, locale: Locale = "zh-CN") -> Response:
    """Who asked, what was known and how old it was, what was considered, consent and hours, what came of it, where it is proved."""
    found = await decision_of(call, decision_id)
    keys, packs, language = call.record.keys, call.services.packs.library, language_of(locale)
    answer = await call.read(lambda connection: dossier(connection, keys, found, packs, language))
    await note_reading(call, "decision", found)
    return json_answer(answer)


@router.get(
    "/v1/decisions/{decision_id}/explanation",
    operation_id="explainDecision",
    summary="A decision in words",
    response_description="In the language asked for, as far as the caller's role may see.",
    **declared(DecisionExplained, "erased", "pack-unusable", "not-found", "damaged"),
)
async def explain_decision(call: Admitted, decision_id: DecisionId, locale: Locale = "zh-CN") -> Response:
    """Worked out again with the pack that decided; reviewers also get why the first came first, and what would have changed it.

    Customers, and reviewers for them, get the whole in plain words: why this, on what it rests, how to refuse it.
    """
    found = await decision_of(call, decision_id)
    case, digest = found.case, found.body["pack"]
    if case is None:
        return problem("erased")
    library = call.services.packs.library
    told = await worked_out(call, lambda _: explained(library, digest, case, language_of(locale)))
    await note_reading(call, "explanation", found)
    plain = None
    if call.caller.role in REVIEWERS or call.caller.role == SELF_SERVICE:
        (plain,) = await call.read(lambda connection: all_plainly(connection, [found], library, language_of(locale)))
    if call.caller.role in REVIEWERS:
        whole = (told.explanation, told.order, told.minimal_changes, told.untold, told.protected)
        return json_answer(DecisionExplained(decision_id, *whole, plain))
    pack = await worked_out(call, lambda _: library.get(digest))
    seen = view(told.explanation, pack.restricted, call.caller.role, call.caller.grade)
    return json_answer(DecisionExplained(decision_id, seen, None, None, None, None, plain))


@router.get(
    "/v1/decisions/{decision_id}/replay",
    operation_id="replayDecision",
    summary="Make a decision again",
    response_description="The same, or exactly what differs and which version of the engine explains it.",
    **declared(DecisionReplayed, "pack-unusable", "not-found", "damaged"),
)
async def replay_decision(
    call: Admitted,
    decision_id: DecisionId,
    pack: Annotated[PackName | None, Query(description="Digest of a pack: what would it have decided instead?")] = None,
) -> Response:
    """With the pack that decided and, where one is named, with another: a draft that was published, for example."""
    found, library = await decision_of(call, decision_id), call.services.packs.library

    def work(connection: Connection) -> DecisionReplayed:
        other = None if pack is None else pack_named(connection, pack)
        again = replay(found, library)
        if other is None or found.case is None:
            return DecisionReplayed(again, None)
        return DecisionReplayed(again, instead(found, library.get(found.body["pack"]), library.get(other)))

    answer = await worked_out(call, work)
    await note_reading(call, "replay", found)
    return json_answer(answer)


@router.get(
    "/v1/decisions/{decision_id}/proof",
    operation_id="proveDecision",
    summary="Prove that a decision is on record",
    response_description="Its envelope, and the path from its leaf to a signed root.",
    **declared(ProofAnswer, "not-found", "not-sealed", "damaged"),
)
async def prove_decision(call: Admitted, decision_id: DecisionId) -> Response:
    """For somebody who does not trust us: the envelope holds codes only."""
    found = await call.read(lambda connection: proof_of(connection, decision_id))
    if found is None:
        raise no_decision()
    if found.inclusion is None:
        return problem("not-sealed")
    state = (await decision_of(call, decision_id)).state
    return json_answer(proof_answer(found.inclusion, state, found.envelope))
