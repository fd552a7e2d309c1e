"""Publishing a pack."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.bodies import json_answer, read_json
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.packs.answers import LARGEST_BODY, PUBLISHED_FILES, Published, files_of, outcome_of
from app.api.packs.shelf import desk_of
from app.record.packs.library import Shelf, content_of, read_shelf, stored_content
from app.record.packs.publishing import checked
from app.record.packs.steps import Checked, PackContent
from app.record.store.database import stamp
from app.record.store.problems import RowRefused

router = APIRouter()


@router.post(
    "/v1/packs",
    operation_id="publishPack",
    summary="Publish a pack",
    status_code=201,
    response_description="Published. It decides nothing before somebody else has approved it and it is activated.",
    **declared(
        {200: {"model": Published, "description": "It was published before."}, 201: {"model": Published}},
        "invalid-pack",
        "wrong-state",
        "damaged",
        takes=PUBLISHED_FILES,
    ),
)
async def publish(call: Admitted) -> Response:
    """Check the pack, run its tests, put it on the record."""
    packs, content = call.services.packs, content_of(files_of(await read_json(call.request, LARGEST_BODY)))
    async with packs.checking:
        pack, trial = await checked(content, today=call.now().date(), cache=packs.library.cache)
    is_new = await _recorded(call, pack)
    shelf = await call.read(read_shelf)
    answer = Published(shelf.summary(content.digest, stamp(call.now())), outcome_of(trial))
    return json_answer(answer, 201 if is_new else 200, {"location": f"/v1/packs/{content.digest}"})


async def _recorded(call: Call, pack: Checked) -> bool:
    """Put the pack on the record; false where it is there already, because somebody else published it meanwhile, for example.

    Raises:
        PackStepError: it cannot be published.
        StoreError: it is not on the record.
    """
    try:
        return await _published(call, pack)
    except RowRefused:  # somebody published it meanwhile: the second time it is found there
        return await _published(call, pack)


async def _published(call: Call, pack: Checked) -> bool:
    def look(connection: Connection) -> tuple[Shelf, PackContent | None]:
        return read_shelf(connection), stored_content(connection, pack.content.digest)

    shelf, stored = await call.read(look)
    entry = desk_of(call, shelf).publish(pack, call.caller.name, stored)
    if entry is not None:
        await call.record.write(entry)
    return entry is not None
