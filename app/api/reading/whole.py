"""The record as a whole: checkpoints, figures, and pairs with different prices."""

from __future__ import annotations

import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.bodies import json_answer
from app.api.calls import Admitted
from app.api.declaring import declared
from app.api.parameters import Day, PackName, Whole
from app.api.problems import problem
from app.api.reading.answers import CheckpointAnswer, checkpoint_answer
from app.engine.intake import FieldProblem
from app.engine.vocabulary import Channel
from app.record.log import tree
from app.record.log.tree import StoredCheckpoint
from app.record.reading.figures import Figures, figures
from app.record.reading.pairs import MOST_LOOKED_AT, Pairs, unequal_pairs
from app.record.search.filters import BadFilters, pack_named, query_of

LONGEST_FIGURES = datetime.timedelta(days=1_100)
USUAL_FIGURES = datetime.timedelta(days=30)
PATIENCE = 30.0
"""Seconds that figures and pairs may take."""
_LARGEST = 2**53

OneDay = Annotated[Day | None, Query(description="A date, UTC.")]
OnePack = Annotated[PackName | None, Query(description="Digest of a pack; left out, all packs.")]

router = APIRouter()


@router.get(
    "/v1/records/checkpoint",
    operation_id="readCheckpoint",
    summary="The log's signed checkpoint",
    response_description="How many leaves there are, their root, and the note that signs both.",
    **declared(CheckpointAnswer, "not-found"),
)
async def read_checkpoint(
    call: Admitted,
    since_size: Annotated[
        Annotated[int, Whole(1, _LARGEST)] | None, Query(description="Also prove that nothing changed in the first so many leaves.")
    ] = None,
) -> Response:
    """The newest one. Whoever kept an older one can ask for the proof that this log still begins with it."""

    def work(connection: Connection) -> tuple[StoredCheckpoint | None, list[bytes] | None]:
        newest = tree.checkpoint(connection)
        if newest is None or since_size is None or since_size > newest.size:
            return newest, None
        return newest, tree.consistency(connection, since_size, newest.size)

    newest, proof = await call.read(work)
    if newest is None:
        return problem("not-found", detail="nothing is sealed yet; ask again in a second")
    if since_size is not None and proof is None:
        return problem("invalid-request", errors=[FieldProblem("since_size", f"expected at most {newest.size:,}, the leaves of the log")])
    return json_answer(checkpoint_answer(newest, since_size, proof))


@router.get(
    "/v1/records/figures",
    operation_id="readFigures",
    summary="Figures for a reviewer",
    response_description="Funnel, suppressions, caps, empty answers, offers and concessions by group, what agents did.",
    **declared(Figures),
)
async def read_figures(call: Admitted, since: OneDay = None, until: OneDay = None, pack: OnePack = None) -> Response:
    """Of the last thirty days, or of those asked for, at most three years."""
    first, last = _days(since, until, call.now().date())

    def work(connection: Connection) -> Figures:
        digest = None if pack is None else pack_named(connection, pack)
        return figures(connection, call.services.packs.library, first.isoformat(), last.isoformat(), digest)

    return json_answer(await call.read(work, deadline=PATIENCE))


@router.get(
    "/v1/records/pairs",
    operation_id="findPairs",
    summary="Pairs in the same conditions with different prices",
    response_description="Pairs among the newest decisions that were looked through.",
    **declared(Pairs),
)
async def find_pairs(
    call: Admitted,
    since: OneDay = None,
    until: OneDay = None,
    channel: Annotated[Channel | None, Query()] = None,
    pack: OnePack = None,
    most: Annotated[int, Whole(2, MOST_LOOKED_AT), Query(description="Decisions to look through, newest first.")] = 1_000,
) -> Response:
    """The same facts but for the id, protected facts and times of day; other tariffs or concessions. Nothing found proves nothing more."""
    first, last = _days(since, until, call.now().date())
    terms = {name: [value] for name, value in (("channel", channel), ("pack", pack)) if value is not None}

    def work(connection: Connection) -> Pairs:
        query = query_of(connection, terms, None, since=first.isoformat(), until=last.isoformat())
        return unequal_pairs(connection, call.record.keys, call.services.packs.library, query, most)

    answer = await call.read(work, deadline=PATIENCE)
    told = {"since": first.isoformat(), "until": last.isoformat(), **terms}
    await call.note("pairs", filters=told, found=answer.examined)
    return json_answer(answer)


def _days(since: datetime.date | None, until: datetime.date | None, today: datetime.date) -> tuple[datetime.date, datetime.date]:
    """The first and last day asked for.

    Raises:
        BadFilters: they are the wrong way round, or too far apart.
    """
    last = until or max(since or today, today)
    first = since or datetime.date.fromordinal(max(last.toordinal() - USUAL_FIGURES.days, 1))
    if first > last:
        raise BadFilters([FieldProblem("until", "expected a day not before `since`")])
    if last - first > LONGEST_FIGURES:
        raise BadFilters([FieldProblem("since", f"expected a day at most {LONGEST_FIGURES.days} days before `until`")])
    return first, last
