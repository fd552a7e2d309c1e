"""Reading which packs there are, and what each says."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.api.answers import as_json
from app.api.calls import Admitted
from app.api.declaring import declared
from app.api.etags import FOR_EVER, LOOK_AGAIN, kept_answer
from app.api.following.folder import printable
from app.api.packs.answers import PackDetail, PackList
from app.api.packs.shelf import detail_of, shelf_with
from app.api.parameters import Digest, Fields, FullDigest, Whole
from app.api.sparse import chosen, only, only_of_each
from app.record.packs.library import PackSummary, read_shelf
from app.record.packs.steps import UnknownPack
from app.record.store.database import stamp

PAGE, LARGEST_PAGE = 50, 500
_ETAG = {
    "ETag": {"description": "Changes when the answer does.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "How long it may be used without asking again.", "schema": {"type": "string"}},
}
_SAME = {"description": "It is as `If-None-Match` knows it.", "headers": _ETAG}
_FILES = ("files",)

router = APIRouter()


@router.get(
    "/v1/packs",
    operation_id="listPacks",
    summary="Every pack that was ever published",
    **declared({200: {"model": PackList, "headers": _ETAG}, 304: _SAME}, "not-found"),
)
async def list_packs(
    call: Admitted,
    limit: Annotated[int, Whole(1, LARGEST_PAGE), Query(description="Packs on a page.")] = PAGE,
    cursor: Annotated[FullDigest | None, Query(description="The `next` of the page before.")] = None,
    fields: Fields = None,
) -> Response:
    """Newest first, with what is in force and what runs here."""
    names = chosen(fields, PackSummary)
    shelf, moment = await call.read(read_shelf), stamp(call.now())
    page, following = _page(list(shelf.packs), limit, cursor)
    active = shelf.history.active(moment)
    answer = PackList(
        active.digest if active is not None else None,
        call.services.packs.current.digest,
        [shelf.summary(digest, moment) for digest in page],
        following,
        [*printable(item.told for item in shelf.history.unfounded)],
    )
    return kept_answer(call.request, only_of_each(as_json(answer), "packs", names))


@router.get(
    "/v1/packs/{digest:digest}",
    operation_id="readPack",
    summary="A pack, who did what with it and, where asked for, its files",
    **declared(
        {200: {"model": PackDetail, "headers": _ETAG}, 304: _SAME},
        "not-found",
        "damaged",
    ),
)
async def read_pack(
    call: Admitted,
    digest: Digest,
    files: Annotated[Literal["true", "false"], Query(description="With the text of every file.")] = "false",
    fields: Fields = None,
) -> Response:
    """The files are those that decide, and the pack's own tests. `fields=files` never changes, for a digest names its bytes."""
    names = chosen(fields, PackDetail)
    shelf = await shelf_with(call, digest)
    wanted = files == "true" or "files" in (names or ())
    content = await asyncio.to_thread(call.services.packs.library.content, digest) if wanted else None
    body = only(as_json(detail_of(call, shelf, digest, content)), names)
    return kept_answer(call.request, body, FOR_EVER if names == _FILES else LOOK_AGAIN)


def _page(digests: list[str], limit: int, cursor: str | None) -> tuple[list[str], str | None]:
    """A page of packs, and what the next one comes after; none at the end.

    Raises:
        UnknownPack: there is no pack to come after.
    """
    if cursor is not None and cursor not in digests:
        raise UnknownPack("no pack has the digest of `cursor`")
    start = digests.index(cursor) + 1 if cursor is not None else 0
    page = digests[start : start + limit]
    return page, page[-1] if start + limit < len(digests) else None
