"""Decisions as the API answers with them: their shape for its document, and their bytes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from app import __version__
from app.engine.answer import Explanation
from app.engine.once import once_a_pack
from app.engine.pack import Pack
from app.record.campaigns.within import WithinLimits


@dataclass(frozen=True)
class PackRef:
    """A pack, by name and by the SHA-256 of its files."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True)
class RecordRef:
    """Where the decision is on record: durably, or, in what-if, nowhere."""

    state: Literal["durable", "none"]


@dataclass
class Given:
    """A decision's own data: its id (none in what-if, which leaves no trace), when, by which pack and engine it was made, its record.

    `parent` is the decision before in the same conversation; the first has none.
    """

    decision_id: str | None
    decided_at: datetime.datetime
    pack: PackRef
    engine: str
    record: RecordRef
    parent: str | None = field(default=None, kw_only=True)


@dataclass
class DecisionAnswer(Explanation, Given):
    """The next best actions for one subscriber, and why. What the caller's role may not see is null or empty.

    `limits` stands beside a campaign's decision that is read, and is no part of it: what limits over everybody made of each action.
    """

    limits: Sequence[WithinLimits] | None = field(default=None, kw_only=True)


_ON_RECORD, _NOWHERE = RecordRef("durable"), RecordRef("none")


@once_a_pack
def reference(pack: Pack) -> PackRef:
    """The pack as answers name it."""
    return PackRef(pack.name, pack.version, pack.digest)


def answer_bytes(
    explanation: Explanation, pack: Pack, decided_at: datetime.datetime, decision_id: str | None, parent: str | None = None
) -> bytes:
    """A `DecisionAnswer` as JSON: what is stored and what is sent, byte for byte."""
    answer: dict[str, Any] = {
        "decision_id": decision_id,
        "decided_at": decided_at,
        "pack": reference(pack),
        "engine": __version__,
        "record": _ON_RECORD if decision_id else _NOWHERE,
    }
    if parent is not None:
        answer["parent"] = parent
    return as_json(answer | vars(explanation))


def as_json(value: object) -> bytes:
    """An answer as bytes; sets in order, so that the same answer has the same bytes."""
    return orjson.dumps(value, default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(type(value).__name__)
