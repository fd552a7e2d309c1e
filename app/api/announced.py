"""What other systems are sent, as the API's document tells of it under `webhooks`: the events of `wording.cloud_event`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Required

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from app.api.declaring import REFERENCES
from app.engine.decision import EmptyBecause
from app.engine.vocabulary import ActionKind, Channel, Outcome
from app.engine.vocabulary.words import LeaveReason
from app.record.outgoing.model import Case, EventType
from app.record.outgoing.wording import CLOUD_EVENT


class EventSubscriber(TypedDict):
    """Whom an event is about, by the operator's id."""

    id: str


class _About(TypedDict, total=False):
    subscriber: Required[EventSubscriber]
    caller: Required[str]
    decision_id: str
    channel: Channel
    locale: Literal["zh-CN", "en"]
    pack: str
    test_line: Literal[True]


class EventAction(TypedDict):
    """An action on the list of a decision."""

    rank: int
    action: str
    title: str | None
    kind: ActionKind


class DecisionEventData(_About, total=False):
    """A decision that was made."""

    stage: str
    phase: str
    moment: str
    agent: str
    empty_because: EmptyBecause
    actions: Required[list[EventAction]]


class OutcomeEventData(_About, total=False):
    """What became of an action."""

    outcome_id: Required[str]
    action: Required[str]
    title: Required[str | None]
    rank: Required[int]
    outcome: Required[Outcome]
    at: Required[str]
    agent: str
    reason: LeaveReason
    reference: str


class CaseEventData(_About, total=False):
    """A case to open, the same as often as its `case_id` comes: what, whose, by when, and what was said to the person about it."""

    case_id: Required[str]
    case: Required[Case]
    owner: Required[str | None]
    due: Required[str | None]
    opened_at: Required[str]
    outcome_id: str
    choice: str
    agent: str
    action: str
    title: str | None
    words: str | None
    reasons: list[str]


DATA: Mapping[EventType, tuple[str, type]] = {
    "wanliu.decision.v1": ("A decision was made", DecisionEventData),
    "wanliu.outcome.v1": ("Somebody told what became of an action", OutcomeEventData),
    "wanliu.promise.v1": ("Something was promised and has to be done", CaseEventData),
    "wanliu.call_back.v1": ("The person is to be called back", CaseEventData),
    "wanliu.escalation.v1": ("Somebody with more say has to take it over", CaseEventData),
}
"""By type of event, when it is sent and what its `data` is."""
SHAPES: tuple[type, ...] = (DecisionEventData, OutcomeEventData, CaseEventData)
"""Shapes of data, which stand by name in the document."""


def webhooks() -> dict[str, Any]:
    """What the document says of each event: how it comes, and what it is answered with."""
    return {kind: {"post": _operation(kind, *told)} for kind, told in DATA.items()}


def data_schemas() -> dict[str, Any]:
    """The schema of each shape of data, by its name."""
    return {shape.__name__: TypeAdapter(shape).json_schema(ref_template=REFERENCES) for shape in SHAPES}


def _operation(kind: str, summary: str, shape: type) -> dict[str, Any]:
    headers = {"webhook-id": "The event's `id`.", "webhook-timestamp": "Seconds since 1970, of this attempt.", "webhook-signature": _SIGNED}
    return {
        "summary": summary,
        "description": "Signed, and sent again until it is taken; in order for each `partitionkey`. `POST /v1/webhooks` subscribes.",
        "operationId": f"on{''.join(part.title() for part in kind.split('.')[1].split('_'))}",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": told, "schema": {"type": "string"}}
            for name, told in headers.items()
        ],
        "requestBody": {"required": True, "content": {CLOUD_EVENT: {"schema": _event(kind, shape)}}},
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "Ends the subscription."},
            "default": {"description": "Not taken: it is sent again, later and later, for three days."},
        },
    }


_SIGNED = "One or more of `v1,` and base64, apart by spaces: HMAC-SHA256 over `id.timestamp.body`, as Standard Webhooks has it."


def _event(kind: str, shape: type) -> dict[str, Any]:
    """The schema of an event of CloudEvents 1.0, structured."""
    text = {"type": "string"}
    properties = {
        "specversion": {"const": "1.0"},
        "id": {**text, "description": "The same each time the event is sent."},
        "source": {**text, "format": "uri", "description": "The log of this installation."},
        "type": {"const": kind},
        "time": {**text, "format": "date-time", "description": "When it went on record."},
        "datacontenttype": {"const": "application/json"},
        "sequence": {**text, "pattern": "^[0-9]{20}$", "description": "Grows along the log; it has gaps."},
        "partitionkey": {**text, "description": "Stands for the subscriber."},
        "data": {"$ref": REFERENCES.format(model=shape.__name__)},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
