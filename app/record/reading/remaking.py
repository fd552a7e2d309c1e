"""Decisions of campaigns, of which no answer is kept: it is made from what is."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.pack import Pack
from app.engine.problems import PackError
from app.engine.view import sees_evidence, view
from app.record.packs.library import DamagedPack
from app.record.packs.steps import UnknownPack
from app.record.reading.recorded import Recorded
from app.record.reading.replaying import Packs


def keeps_no_answer(recorded: Recorded) -> bool:
    """Is it a decision that can be read, of a campaign, which keeps the case alone."""
    return recorded.case is not None and recorded.answer is None


def with_answer(recorded: Recorded, packs: Packs) -> Recorded:
    """The decision with its answer; one that has an answer, or that cannot be read any more, as it is.

    Args:
        recorded: a decision.
        packs: every pack ever used.

    Raises:
        PackError, UnknownPack, DamagedPack: the pack that decided cannot be used.
    """
    case = recorded.case
    if case is None or recorded.answer is not None:
        return recorded
    answer = answer_made(packs.get(recorded.body["pack"]), recorded, case)
    return replace(recorded, private={**(recorded.private or {}), "answer": answer.decode()})


def with_answer_if_any(recorded: Recorded, packs: Packs) -> Recorded:
    """The same, without an answer where the pack that decided cannot be used."""
    try:
        return with_answer(recorded, packs)
    except (PackError, UnknownPack, DamagedPack):
        return recorded


def answer_made(pack: Pack, recorded: Recorded, case: Case) -> bytes:
    """The answer to a decision that keeps none, as a request for the same would have been answered then.

    Args:
        pack: what decided.
        recorded: the decision.
        case: what it was about.
    """
    body = recorded.body
    whole = explain(pack, case, decide(pack, case), body["explain"], evidence=sees_evidence(body["role"]))
    seen = view(whole, pack.restricted, body["role"], body.get("grade"))
    own = {
        "decision_id": recorded.id,
        "decided_at": datetime.datetime.fromisoformat(recorded.envelope["at"]),
        "pack": {"name": pack.name, "version": pack.version, "digest": pack.digest},
        "engine": body["engine"],
        "record": {"state": "durable"},
    }
    return orjson.dumps(own | vars(seen), default=_plain)


def _plain(value: object) -> Any:
    return dict(value) if isinstance(value, Mapping) else sorted(value)  # type: ignore[call-overload]
