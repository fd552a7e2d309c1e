"""Packs: published, approved by somebody else, activated, read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.client.answers import PackAndSteps, PackOfTests, Packs
from app.client.asking import Ask, get, listed, part, post, present


def packs(*, limit: int | None = None, cursor: str | None = None, fields: Sequence[str] | None = None) -> Ask[Packs]:
    """Packs that were published, newest first, and which is in force.

    Args:
        limit: packs on a page.
        cursor: `next` of the page before.
        fields: names of the fields of each pack that are wanted; left out, all.

    Raises:
        WanliuError: the cursor or a field is none.
        httpx.TransportError: nothing answers.
    """
    return get("/v1/packs", limit=limit, cursor=cursor, fields=listed(fields))


def pack(digest: str, *, files: bool = False, fields: Sequence[str] | None = None) -> Ask[PackAndSteps]:
    """A pack, what was done with it and, where asked for, its files.

    Args:
        digest: `sha256:` and 64 signs.
        files: with the text of every file.
        fields: names of the fields that are wanted; left out, all.

    Raises:
        WanliuError: there is none.
        httpx.TransportError: nothing answers.
    """
    return get(f"/v1/packs/{_named(digest)}", files="true" if files else None, fields=listed(fields))


def publish(files: Mapping[str, str]) -> Ask[PackOfTests]:
    """Publish a pack: its files by path. It decides nothing before somebody else has approved it and it is activated.

    Raises:
        WanliuError: it has mistakes (`invalid-pack`), which `errors` lists by file and line.
        httpx.TransportError: nothing answers; it may be published.
    """
    return post("/v1/packs", {"files": dict(files)})


def approve(digest: str, *, note: str | None = None) -> Ask[PackAndSteps]:
    """Approve a pack that somebody else published.

    Raises:
        WanliuError: it is one's own, or not at this step.
        httpx.TransportError: nothing answers; it may be approved.
    """
    return _step(digest, "approve", note=note)


def reject(digest: str, *, note: str) -> Ask[PackAndSteps]:
    """Refuse a pack, or take its approval back.

    Raises:
        WanliuError: it is not at this step.
        httpx.TransportError: nothing answers; it may be rejected.
    """
    return _step(digest, "reject", note=note)


def activate(digest: str, *, at: str | None = None, note: str | None = None) -> Ask[PackAndSteps]:
    """Let an approved pack decide, now or from a time on.

    Raises:
        WanliuError: it is not approved.
        httpx.TransportError: nothing answers; it may be active.
    """
    return _step(digest, "activate", at=at, note=note)


def withdraw(digest: str, *, note: str | None = None) -> Ask[PackAndSteps]:
    """Take a pack's scheduled activations back.

    Raises:
        WanliuError: nothing of it is scheduled.
        httpx.TransportError: nothing answers; it may be withdrawn.
    """
    return _step(digest, "withdraw", note=note)


def roll_back(*, note: str | None = None) -> Ask[PackAndSteps]:
    """Bring back the pack that was active before.

    Raises:
        WanliuError: there was none.
        httpx.TransportError: nothing answers; it may be back.
    """
    return post("/v1/packs/rollback", present(note=note))


def _step(digest: str, step: str, **fields: Any) -> Ask[PackAndSteps]:
    return post(f"/v1/packs/{_named(digest)}/{step}", present(**fields))


def _named(digest: str) -> str:
    return part(digest).replace("%3A", ":")
