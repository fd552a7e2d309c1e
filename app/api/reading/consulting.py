"""One decision, read from the record: everything about it, in words, made again, proved."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.bodies import json_answer
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.parameters import DecisionId, Locale, PackName
from app.api.problems import problem
from app.api.reading.answers import DecisionExplained, DecisionReplayed, ProofAnswer, proof_answer
from app.api.recorded import REVIEWERS, decision_of, no_decision, note_reading, worked_out
from app.engine.answer import Explanation
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain, factor_told, sum_told
from app.engine.pack import Pack
from app.engine.texts import Language, language_of
from app.engine.view import sees_evidence, view
from app.record.export.plain import SELF_SERVICE, all_plainly
from app.record.reading.consulting import LOCALES, explained, proof_of
from app.record.reading.dossier import Dossier, dossier
from app.record.reading.ranking import Compared
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
    library, language, role = call.services.packs.library, language_of(locale), call.caller.role
    if role in REVIEWERS:
        told = await worked_out(call, lambda _: explained(library, digest, case, language))
        order = [_rounded(item) for item in told.order]
        answer = DecisionExplained(decision_id, told.explanation, order, told.minimal_changes, told.untold, told.protected, None)
    else:
        seen = await worked_out(call, lambda _: _seen(call, library.get(digest), case, language))
        answer = DecisionExplained(decision_id, seen, None, None, None, None, None)
    await note_reading(call, "explanation", found)
    if role in REVIEWERS or role == SELF_SERVICE:
        (plain,) = await call.read(lambda connection: all_plainly(connection, [found], library, language))
        answer = replace(answer, plain=plain)
    return json_answer(answer)


def _rounded(item: Compared) -> Compared:
    """With its score and what makes it up as an answer tells them."""
    parts = {name: sum_told(value) if name == "value" else factor_told(value) for name, value in item.parts.items()}
    return replace(item, score=round(item.score, 2), parts=parts, behind=sum_told(item.behind))


def _seen(call: Call, pack: Pack, case: Case, language: Language) -> Explanation:
    """The words alone, as far as the caller's role may see them."""
    worded = replace(case, locale=LOCALES[language])
    whole = explain(pack, worded, decide(pack, worded), "full", evidence=sees_evidence(call.caller.role))
    return view(whole, pack.restricted, call.caller.role, call.caller.grade)


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
    return json_answer(proof_answer(decision_id, found, found.inclusion, state))
