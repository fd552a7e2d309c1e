"""What calls answer with, as the objects that JSON has. A newer service may add fields; they are there too.

What is deep inside, and differs by role, is left as JSON: the document in `openapi/` tells of it.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

Json = dict[str, Any]


class PackNamed(TypedDict):
    """A pack, by name and by the SHA-256 of its files."""

    name: str
    version: str
    digest: str


class Stored(TypedDict):
    """`durable`, or in what-if `none`."""

    state: str


class Phase(TypedDict):
    """The phase and why it; why not a stronger one."""

    id: str
    title: str
    reasons: list[Json]
    not_stronger: list[Json] | None


class Action(TypedDict):
    """A next best action. `script` is said by a person, `text` sent or shown."""

    rank: int
    action: str
    title: str
    kind: str
    duty: str
    category: str
    script: str | None
    text: str | None
    reasons: list[Json]
    score: float | None
    parts: Json | None
    concession: int | None
    approve: str | None
    confirm: str
    tariff: Json | None
    disclose: str | None
    valid_until: str
    fallback_for: str | None


class Decision(TypedDict):
    """A decision. `decision_id` is none in what-if; `limits` is there for those of campaigns that had limits over everybody."""

    decision_id: str | None
    decided_at: str
    pack: PackNamed
    engine: str
    record: Stored
    parent: str | None
    stage: str | None
    stage_title: str | None
    phase: Phase | None
    moment: str | None
    signals: list[Json]
    actions: list[Action]
    not_offered: list[Json] | None
    ask: list[Json]
    unknown: list[Json]
    empty_because: str | None
    personalised: bool
    limits: NotRequired[list[Json]]


class Told(TypedDict):
    """An outcome on the record."""

    outcome_id: str
    decision_id: str
    action: str
    outcome: str
    at: str
    record: Stored
    next: Decision | None
    next_because: str | None


class Entry(TypedDict):
    """An entry of the record; who reads their own decisions only sees no envelope."""

    leaf: int
    id: str
    at: str
    kind: str | None
    envelope: Json | None


class Entries(TypedDict):
    """A page of a search; `next` is the cursor of the next one."""

    entries: list[Entry]
    next: str | None
    searched: int


class Checkpoint(TypedDict):
    """A signed checkpoint of the log."""

    size: int
    root: str
    at: str
    note: str
    since_size: int | None
    consistency: list[str] | None


class DecisionProof(TypedDict):
    """That a decision is in the log, with the path to a signed root; of one of a campaign, that its part is, and `row` says where in it."""

    decision_id: str
    state: str
    envelope: str
    leaf: int
    leaf_hash: str
    path: list[str]
    size: int
    root: str
    checkpoint: str
    row: dict[str, Any] | None


class Packs(TypedDict):
    """A page of packs; `next` is the cursor of the next one."""

    active: str | None
    running: str
    packs: list[Json]
    next: str | None
    not_on_record: list[str]


class PackAndSteps(TypedDict):
    """A pack and all that was done with it."""

    pack: Json
    steps: list[Json]
    files: dict[str, str] | None


class PackOfTests(TypedDict):
    """A pack that was published, and what its tests came to."""

    pack: Json
    tests: Json
