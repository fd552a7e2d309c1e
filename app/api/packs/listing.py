"""Reading which packs there are, and what each says."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.api.answers import as_json
from app.api.bodies import json_answer
from app.api.calls import Admitted
from app.api.declaring import declared
from app.api.following.folder import printable
from app.api.packs.answers import PackDetail, PackList
from app.api.packs.shelf import detail_of, shelf_with
from app.api.parameters import Digest, FullDigest, Whole
from app.record.packs.library import read_shelf
from app.record.packs.steps import UnknownPack
from app.record.store.database import stamp

PAGE, LARGEST_PAGE = 50, 500
_ETAG = {"ETag": {"description": "Changes when the answer does.", "schema": {"type": "string"}}}

router = APIRouter()


@router.get(
    "/v1/packs",
    operation_id="listPacks",
    summary="Every pack that was ever published",
    **declared(PackList, "not-found"),
)
async def list_packs(
    call: Admitted,
    limit: Annotated[int, Whole(1, LARGEST_PAGE), Query(description="Packs on a page.")] = PAGE,
    after: Annotated[FullDigest | None, Query(description="The `next` of the page before.")] = None,
) -> Response:
    """Newest first, with what is in force and what runs here."""
    shelf, moment = await call.read(read_shelf), stamp(call.now())
    page, following = _page(list(shelf.packs), limit, after)
    active = shelf.history.active(moment)
    return json_answer(
        PackList(
            active.digest if active is not None else None,
            call.services.packs.current.digest,
            [shelf.summary(digest, moment) for digest in page],
            following,
            [*printable(item.told for item in shelf.history.unfounded)],
        )
    )


@router.get(
    "/v1/packs/{digest:digest}",
    operation_id="readPack",
    summary="A pack, who did what with it and, where asked for, its files",
    **declared(
        {200: {"model": PackDetail, "headers": _ETAG}, 304: {"description": "It is as `If-None-Match` knows it."}},
        "not-found",
        "damaged",
    ),
)
async def read_pack(
    call: Admitted,
    digest: Digest,
    files: Annotated[Literal["true", "false"], Query(description="With the text of every file.")] = "false",
) -> Response:
    """The files are those that decide, and the pack's own tests."""
    shelf = await shelf_with(call, digest)
    content = await asyncio.to_thread(call.services.packs.library.content, digest) if files == "true" else None
    body = as_json(detail_of(call, shelf, digest, content))
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if _is_known(call.request, tag):
        return Response(status_code=304, headers={"etag": tag})
    return json_answer(body, headers={"etag": tag})


def _page(digests: list[str], limit: int, after: str | None) -> tuple[list[str], str | None]:
    """A page of packs, and what the next one comes after; none at the end.

    Raises:
        UnknownPack: there is no pack to come after.
    """
    if after is not None and after not in digests:
        raise UnknownPack("no pack has the digest of `after`")
    start = digests.index(after) + 1 if after is not None else 0
    page = digests[start : start + limit]
    return page, page[-1] if start + limit < len(digests) else None


def _is_known(request: Request, tag: str) -> bool:
    """Does the caller have this very answer?"""
    return tag in (part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(","))
