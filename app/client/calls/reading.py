"""Reading decisions and the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.client.answers import Checkpoint, Decision, DecisionProof, Entries
from app.client.asking import Ask, get, listed, part, post, present, read_bytes


def _of(decision_id: str, what: str = "") -> str:
    return f"/v1/decisions/{part(decision_id)}{what}"


def decision(decision_id: str, *, fields: Sequence[str] | None = None) -> Ask[Decision]:
    """A decision as it was given.

    Args:
        decision_id: which.
        fields: names of the fields that are wanted; left out, all.

    Raises:
        WanliuError: there is none (`not-found`), or the id is not one.
        httpx.TransportError: nothing answers.
    """
    return get(_of(decision_id), fields=listed(fields))


def explanation(decision_id: str, *, locale: str | None = None) -> Ask[dict[str, Any]]:
    """A decision in words, `zh-CN` or `en`, and for reviewers what would have changed it.

    Raises:
        WanliuError: there is none, or the person was erased.
        httpx.TransportError: nothing answers.
    """
    return get(_of(decision_id, "/explanation"), locale=locale)


def record(decision_id: str, *, locale: str | None = None) -> Ask[dict[str, Any]]:
    """Everything about a decision, for reviewers.

    Raises:
        WanliuError: there is none.
        httpx.TransportError: nothing answers.
    """
    return get(_of(decision_id, "/record"), locale=locale)


def replay(decision_id: str, *, pack: str | None = None) -> Ask[dict[str, Any]]:
    """A decision made again; with `pack`, a digest, what another pack would have decided.

    Raises:
        WanliuError: there is none, or its pack cannot be used.
        httpx.TransportError: nothing answers.
    """
    return get(_of(decision_id, "/replay"), pack=pack)


def proof(decision_id: str) -> Ask[DecisionProof]:
    """That a decision is on record.

    Raises:
        WanliuError: there is none, or it waits to be sealed (`not-sealed`), for a second.
        httpx.TransportError: nothing answers.
    """
    return get(_of(decision_id, "/proof"))


def search_page(
    *,
    cursor: str | None = None,
    limit: int | None = None,
    subscriber: str | None = None,
    fields: Sequence[str] | None = None,
    **filters: Any,
) -> Ask[Entries]:
    """A page of a search of the record, newest first.

    Args:
        cursor: `next` of the page before.
        limit: entries on a page.
        subscriber: the operator's id of the person; sent in a header, so that it stands in no log.
        fields: names of the fields of each entry that are wanted; left out, all.
        filters: `phase="rescue"`, `offered=["a", "b"]`, and the others of `GET /v1/decisions`.

    Raises:
        WanliuError: a filter is wrong, or nobody is called so.
        httpx.TransportError: nothing answers.
    """
    who = {"x-subscriber-id": subscriber}
    return get("/v1/decisions", headers=who, cursor=cursor, limit=limit, fields=listed(fields), **filters)


def checkpoint(*, since_size: int | None = None) -> Ask[Checkpoint]:
    """The log's signed checkpoint; with `since_size`, the proof that the first so many leaves are the same.

    Raises:
        WanliuError: nothing is sealed yet.
        httpx.TransportError: nothing answers.
    """
    return get("/v1/records/checkpoint", since_size=since_size)


def figures(*, since: str | None = None, until: str | None = None, pack: str | None = None) -> Ask[dict[str, Any]]:
    """Figures for a reviewer, of some days.

    Raises:
        WanliuError: the days are wrong.
        httpx.TransportError: nothing answers.
    """
    return get("/v1/records/figures", since=since, until=until, pack=pack)


def pairs(
    *,
    since: str | None = None,
    until: str | None = None,
    channel: str | None = None,
    pack: str | None = None,
    most: int | None = None,
) -> Ask[dict[str, Any]]:
    """Pairs in the same conditions with different prices.

    Raises:
        WanliuError: a filter is wrong.
        httpx.TransportError: nothing answers.
    """
    return get("/v1/records/pairs", since=since, until=until, channel=channel, pack=pack, most=most)


def export(
    *,
    since: str | None = None,
    until: str | None = None,
    decisions: Sequence[str] | None = None,
    open: Sequence[str] | None = None,  # noqa: A002 - the name of the field
    parquet: bool | None = None,
) -> Ask[bytes]:
    """A bundle of records that anybody can check offline: the bytes of a zip file.

    Args:
        since: from this day or time on.
        until: before this day or time.
        decisions: ids, instead of a span of time.
        open: subscribers of whom what is known is put into it in the clear.
        parquet: tables too.

    Raises:
        WanliuError: what is asked for is wrong, or too much.
        httpx.TransportError: nothing answers.
    """
    body = present(**{"from": since, "to": until, "decisions": decisions, "open": open, "parquet": parquet})
    asked = post("/v1/records/export", body)
    return Ask(asked.method, asked.path, read_bytes, asked.body, headers=asked.headers)
