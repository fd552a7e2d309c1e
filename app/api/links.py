"""Which answer leads to which call: the document's links, by operation and status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DECISION = "$response.body#/decision_id"
_PACK = "$response.body#/pack/digest"


def _link(operation: str, description: str, **parameters: str) -> dict[str, Any]:
    return {"operationId": operation, "description": description, "parameters": parameters}


def _links_of_decision(expression: str) -> dict[str, dict[str, Any]]:
    return {
        "read": _link("readDecision", "The decision again.", decision_id=expression),
        "explain": _link("explainDecision", "It in words.", decision_id=expression),
        "respond": _link("respond", "What became of one of its actions.", decision_id=expression),
        "record": _link("readRecord", "Everything about it.", decision_id=expression),
        "replay": _link("replayDecision", "It made again.", decision_id=expression),
        "prove": _link("proveDecision", "That it is on record.", decision_id=expression),
    }


_STEPS = {
    "read": _link("readPack", "The pack.", digest=_PACK),
    "approve": _link("approvePack", "Somebody else approves it.", digest=_PACK),
    "reject": _link("rejectPack", "Or refuses it.", digest=_PACK),
    "activate": _link("activatePack", "Approved, it may decide.", digest=_PACK),
    "withdraw": _link("withdrawPack", "Its schedule is taken back.", digest=_PACK),
}

LINKS: Mapping[str, Mapping[int, Mapping[str, Any]]] = {
    "decide": {200: _links_of_decision(_DECISION)},
    "readDecision": {200: {"respond": _link("respond", "What became of one of its actions.", decision_id=_DECISION)}},
    "respond": {200: _links_of_decision(_DECISION)},
    "searchDecisions": {
        200: {
            "next": _link("searchDecisions", "The next page.", cursor="$response.body#/next"),
            "first": _link("readRecord", "The newest of them.", decision_id="$response.body#/entries/0/id"),
        }
    },
    "publishPack": {200: _STEPS, 201: _STEPS},
    "approvePack": {200: _STEPS},
    "listPacks": {
        200: {
            "next": _link("listPacks", "The next page.", cursor="$response.body#/next"),
            "read": _link("readPack", "The newest.", digest="$response.body#/packs/0/digest"),
        }
    },
}
"""By operation and status of its answer: the calls that go on from there, each with what it takes from the answer."""
