"""Handing out records, with the bundle that proves them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter
from pydantic import AfterValidator, Field, WithJsonSchema
from starlette.responses import Response, StreamingResponse

from app.api.bodies import read_json
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.parameters import EntryId, Worded
from app.engine.intake import FieldProblem, RequestError, parse_body
from app.engine.vocabulary.model import Model
from app.engine.vocabulary.types import Flag, Identifier
from app.record.export.sharing import Asked, share
from app.record.search.filters import moment_of

MOST_LEAVES = 100_000
"""Of one bundle over HTTP; the command line has no bound."""
ZIP = "application/zip"
_PART = 1 << 18
"""Bytes of a bundle that are sent at once."""
_exporting = asyncio.Semaphore(1)
"""A bundle takes a processor and a disk for a while: one at a time."""

router = APIRouter()


When = Annotated[
    str,
    AfterValidator(moment_of),
    Worded("a date such as 2026-11-01, or a time such as 2026-11-01T08:00:00+08:00"),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
"""A date (UTC), of which the beginning counts, or a time with its offset; as the store writes times."""


class ExportRequest(Model):
    """What to export: everything from one time to before another, or decisions with their outcomes."""

    since: Annotated[When | None, Field(alias="from", description="From this time on, or from the beginning of this date (UTC).")] = None
    until: Annotated[When | None, Field(alias="to", description="Before this time, or before this date (UTC) begins.")] = None
    decisions: Annotated[list[EntryId] | None, Field(min_length=1, max_length=100, description="Ids of decisions.")] = None
    open: Annotated[
        list[Identifier] | None, Field(max_length=20, description="Subscribers whose private payloads are opened in the bundle.")
    ] = None
    parquet: Annotated[Flag, Field(description="Also tables for analysis, without anything of a person.")] = False


@router.post(
    "/v1/records/export",
    operation_id="exportRecords",
    summary="A bundle of records that anybody can check offline",
    response_description="A zip file; `README.md` in it says how to check it.",
    **declared({200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}}, "not-found", takes=ExportRequest),
)
async def export_records(call: Admitted) -> Response:
    """Records, proofs, checkpoints, packs, and the verifier."""
    asked = _asked(parse_body(await read_json(call.request), ExportRequest))
    async with _exporting:
        opened = await asyncio.to_thread(_bundle, call, asked)
    headers = {"content-disposition": 'attachment; filename="wanliu-records.zip"'}
    return StreamingResponse(_parts(opened), media_type=ZIP, headers=headers)


def _bundle(call: Call, asked: Asked) -> BinaryIO:
    """The bundle as an open file that has no name any more, so that nothing of it stays behind."""
    with tempfile.TemporaryDirectory(prefix="wanliu-") as folder:
        file = Path(folder) / "bundle.zip"
        share(call.record, asked, file, caller=call.caller.name, role=call.caller.role, most=MOST_LEAVES)
        return file.open("rb")


async def _parts(opened: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while part := await asyncio.to_thread(opened.read, _PART):
            yield part
    finally:
        opened.close()


def _asked(wanted: ExportRequest) -> Asked:
    """What is asked for.

    Raises:
        RequestError: a time span and decisions at once, or a span that ends before it begins.
    """
    if wanted.decisions and (wanted.since or wanted.until):
        raise RequestError([FieldProblem("decisions", "names what to export; leave `from` and `to` out")])
    if wanted.since and wanted.until and wanted.since >= wanted.until:
        raise RequestError([FieldProblem("to", "expected a time after `from`")])
    return Asked(wanted.since, wanted.until, tuple(wanted.decisions or ()), tuple(wanted.open or ()), wanted.parquet)
