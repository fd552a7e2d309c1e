"""The store's tables, the same on SQLite and PostgreSQL. Rows validate nothing: what reaches them has been checked.

Times are text, `2026-11-22T10:00:00.000000+00:00`, which sorts as time does; ids are UUIDv7 as text, which sorts as time does too.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

ID = 36
TIME = 32
DIGEST = 71
NAME = 200
WORD = 64
TOKEN = 32


class DecisionRow(SQLModel, table=True):
    """A decision of the first release, in the clear, until it has been taken over into the record."""

    __tablename__ = "decision"

    id: str = Field(primary_key=True, max_length=ID)
    decided_at: str = Field(max_length=TIME)
    pack_digest: str = Field(max_length=DIGEST)
    engine: str = Field(max_length=32)
    case: bytes
    answer: bytes


class EntryRow(SQLModel, table=True):
    """Something on the record. `envelope` is canonical JSON, codes only, and what a leaf hashes; `private` only the subject's key opens.

    On PostgreSQL in partitions by month, of which old ones may be dropped: leaves and tiles keep every proof.
    """

    __tablename__ = "entry"

    id: str = Field(primary_key=True, max_length=ID)
    kind: str = Field(max_length=WORD)
    at: str = Field(max_length=TIME)
    subject: str | None = Field(default=None, max_length=TOKEN, index=True)
    envelope: bytes
    private: bytes | None = None


class UnsealedRow(SQLModel, table=True):
    """An entry that waits for its leaf. `tally` has what it adds to the anonymous daily counts, as JSON."""

    __tablename__ = "unsealed"

    entry_id: str = Field(primary_key=True, max_length=ID)
    tally: bytes | None = None


class LeafRow(SQLModel, table=True):
    """Where an entry stands in the log: `hash` is SHA-256 over a zero byte and its envelope (RFC 6962)."""

    __tablename__ = "leaf"

    leaf_index: int = Field(primary_key=True, sa_type=BigInteger)
    entry_id: str = Field(max_length=ID, unique=True)
    at: str = Field(max_length=TIME, index=True)
    hash: bytes


class TileRow(SQLModel, table=True):
    """Up to 256 hashes side by side: of leaves on level 0, on level k the roots of full subtrees of 256^k leaves."""

    __tablename__ = "tile"

    level: int = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    hashes: bytes


class TreeRow(SQLModel, table=True):
    """The one row that says how many leaves the log has, which who would add to it changes first, and when its heart last beat."""

    __tablename__ = "tree"

    id: int = Field(primary_key=True)
    size: int = Field(sa_type=BigInteger)
    heartbeat: str = Field(default="", max_length=TIME)
    heartbeats: int = Field(default=0, sa_type=BigInteger)


class CheckpointRow(SQLModel, table=True):
    """A signed statement of how many leaves there are and what their root is."""

    __tablename__ = "checkpoint"

    size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes
    at: str = Field(max_length=TIME, index=True)
    note: str = Field(sa_type=Text)


class SubjectRow(SQLModel, table=True):
    """A subscriber as the record knows one: found by a keyed hash of the id, called by a random token, read with a key of their own.

    Erasing the row is what erases the person. `hold` is why that is refused.
    """

    __tablename__ = "subject"

    lookup: bytes = Field(primary_key=True)
    token: str = Field(max_length=TOKEN, unique=True)
    wrapped_key: bytes
    wrapped_with: str = Field(max_length=TOKEN)
    since: str = Field(max_length=TIME)
    hold: str | None = Field(default=None, max_length=500)
    hold_by: str | None = Field(default=None, max_length=NAME)
    hold_since: str | None = Field(default=None, max_length=TIME)


class IdempotencyRow(SQLModel, table=True):
    """What a caller's key was used for: the same key gives the same entry."""

    __tablename__ = "idempotency"

    caller: str = Field(primary_key=True, max_length=NAME)
    key: str = Field(primary_key=True, max_length=NAME)
    body_hash: bytes
    entry_id: str = Field(max_length=ID)
    subject: str | None = Field(default=None, max_length=TOKEN, index=True)
    expires_at: str = Field(max_length=TIME, index=True)


class ContactRow(SQLModel, table=True):
    """A contact with a subject that an outcome made known: the contact history that every channel counts."""

    __tablename__ = "contact"
    __table_args__ = (Index("ix_contact_campaign", "campaign", "subject"),)

    id: str = Field(primary_key=True, max_length=ID)
    subject: str = Field(max_length=TOKEN, index=True)
    at: str = Field(max_length=TIME)
    channel: str | None = Field(default=None, max_length=WORD)
    kind: str | None = Field(default=None, max_length=WORD)
    action: str | None = Field(default=None, max_length=NAME)
    campaign: str | None = Field(default=None, max_length=NAME)
    result: str | None = Field(default=None, max_length=WORD)
    decision_id: str = Field(max_length=ID, index=True)


class ChoiceRow(SQLModel, table=True):
    """What a subject chose for good, or took back: the newest entry that says so. `about` is a channel or an action, empty for others."""

    __tablename__ = "choice"

    subject: str = Field(primary_key=True, max_length=TOKEN)
    choice: str = Field(primary_key=True, max_length=WORD)
    about: str = Field(primary_key=True, max_length=NAME)
    step: str = Field(max_length=WORD)
    at: str = Field(max_length=TIME)
    entry_id: str = Field(max_length=ID, index=True)


class OutcomeRow(SQLModel, table=True):
    """What became of an action of a decision."""

    __tablename__ = "outcome"
    __table_args__ = (Index("ix_outcome_reason", "reason", "decision_id"),)

    entry_id: str = Field(primary_key=True, max_length=ID)
    decision_id: str = Field(max_length=ID, index=True)
    subject: str | None = Field(default=None, max_length=TOKEN, index=True)
    action: str = Field(max_length=NAME)
    outcome: str = Field(max_length=WORD)
    at: str = Field(max_length=TIME)
    agent: str | None = Field(default=None, max_length=NAME)
    reference: str | None = Field(default=None, max_length=NAME)
    reason: str | None = Field(default=None, max_length=NAME)


class RecommendationRow(SQLModel, table=True):
    """A decision, or an enquiry about nobody, that was asked for as a TM Forum recommendation: whose list it stands on."""

    __tablename__ = "recommendation"
    __table_args__ = (Index("ix_recommendation_list", "caller", "entry_id"),)

    entry_id: str = Field(primary_key=True, max_length=ID)
    subject: str = Field(max_length=TOKEN, index=True)
    role: str = Field(max_length=WORD)
    caller: str = Field(max_length=NAME)
    agent: str | None = Field(default=None, max_length=NAME)


class SuccessorRow(SQLModel, table=True):
    """The next decision in a conversation: a decision has one at most, whichever process makes it."""

    __tablename__ = "successor"

    parent: str = Field(primary_key=True, max_length=ID)
    entry_id: str = Field(max_length=ID)


class CampaignRow(SQLModel, table=True):
    """A campaign, by the id of the entry that opened it. `closing` is the entry that closed it, `state` how it ended.

    The first 22 digits of the id are those of its decisions, but for the version: no other campaign has them.
    """

    __tablename__ = "campaign"

    id: str = Field(primary_key=True, max_length=ID)
    name: str = Field(max_length=NAME, index=True)
    at: str = Field(max_length=TIME)
    state: str = Field(max_length=WORD)
    closing: str | None = Field(default=None, max_length=ID)


class CampaignChunkRow(SQLModel, table=True):
    """A part of a campaign: rows of its input, from `first_row` to `last_row`, whose decisions are in the file with the SHA-256 `file`."""

    __tablename__ = "campaign_chunk"

    campaign: str = Field(primary_key=True, max_length=ID)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    entry_id: str = Field(max_length=ID, unique=True)
    first_row: int = Field(sa_type=BigInteger)
    last_row: int = Field(sa_type=BigInteger)
    file: str = Field(max_length=DIGEST)


class CampaignHeldRow(SQLModel, table=True):
    """What limits over everybody made of a campaign: the entry that says so, and the SHA-256 of the file with each action."""

    __tablename__ = "campaign_held"

    campaign: str = Field(primary_key=True, max_length=ID)
    entry_id: str = Field(max_length=ID, unique=True)
    file: str = Field(max_length=DIGEST)


class CampaignJobRow(SQLModel, table=True):
    """A campaign that a caller commissioned. It stands for nothing on the record: the campaign that it runs does.

    `asked` is what was asked for, as JSON, under the caller's `asked_key`. Who has the `lease` is at work on it until then; `tries` is how
    often a part was begun that nobody ended. `campaign` is the id of the campaign on the record, once there is one. Files of one that was
    `cleared_at` some time are gone, but for its report.
    """

    __tablename__ = "campaign_job"
    __table_args__ = (
        UniqueConstraint("asked_by", "asked_key", name="uq_campaign_job_asked"),
        Index("ix_campaign_job_figures", "state", "campaign", "decided"),
        Index("ix_campaign_job_files", "cleared_at", "ended_at"),
    )

    id: str = Field(primary_key=True, max_length=ID)
    at: str = Field(max_length=TIME)
    name: str = Field(max_length=NAME, index=True)
    state: str = Field(max_length=WORD)
    caller: str = Field(max_length=NAME)
    role: str = Field(max_length=WORD)
    system: str = Field(max_length=NAME)
    agent: str | None = Field(default=None, max_length=NAME)
    pack: str = Field(max_length=DIGEST)
    asked: bytes
    asked_by: str | None = Field(default=None, max_length=NAME)
    asked_key: str | None = Field(default=None, max_length=NAME)
    asked_hash: bytes | None = None
    campaign: str | None = Field(default=None, max_length=ID)
    cancelled_by: str | None = Field(default=None, max_length=NAME)
    worker: str | None = Field(default=None, max_length=TOKEN)
    lease: str = Field(default="", max_length=TIME)
    tries: int = Field(default=0)
    begun_at: str | None = Field(default=None, max_length=TIME)
    ended_at: str | None = Field(default=None, max_length=TIME)
    rows: int = Field(default=0, sa_type=BigInteger)
    consumed: int = Field(default=0, sa_type=BigInteger)
    decided: int = Field(default=0, sa_type=BigInteger)
    rejected: int = Field(default=0, sa_type=BigInteger)
    size: int = Field(default=0, sa_type=BigInteger)
    worked_ms: int = Field(default=0, sa_type=BigInteger)
    problem: str | None = Field(default=None, sa_type=Text)
    cleared_at: str | None = Field(default=None, max_length=TIME)


class CallerRow(SQLModel, table=True):
    """Somebody with an API key: only its hash is kept. Callers of one `system` see each other's decisions; left out, it is the name."""

    __tablename__ = "caller"

    name: str = Field(primary_key=True, max_length=NAME)
    role: str = Field(max_length=WORD)
    grade: str | None = Field(default=None, max_length=WORD)
    system: str | None = Field(default=None, max_length=NAME)
    secret_hash: bytes = Field(unique=True)
    since: str = Field(max_length=TIME)
    made_by: str = Field(max_length=NAME)
    revoked_at: str | None = Field(default=None, max_length=TIME)


class PackRow(SQLModel, table=True):
    """A pack that was ever published: its files as compressed canonical JSON, path to text."""

    __tablename__ = "pack"

    digest: str = Field(primary_key=True, max_length=DIGEST)
    name: str = Field(max_length=NAME)
    version: str = Field(max_length=NAME)
    at: str = Field(max_length=TIME)
    author: str = Field(max_length=NAME)
    files: bytes


class PackStepRow(SQLModel, table=True):
    """What was done with a pack: approved, rejected, activated (from `effective_at` on), withdrawn from the schedule."""

    __tablename__ = "pack_step"

    entry_id: str = Field(primary_key=True, max_length=ID)
    digest: str = Field(max_length=DIGEST, index=True)
    step: str = Field(max_length=WORD)
    at: str = Field(max_length=TIME)
    by: str = Field(max_length=NAME)
    effective_at: str | None = Field(default=None, max_length=TIME, index=True)
    note: str | None = Field(default=None, max_length=500)


class SearchBlockRow(SQLModel, table=True):
    """Which of 4,096 leaves carry a term: bit i of `bits` (little endian, 512 bytes) stands for the leaf `block` * 4,096 + i.

    Where few do, `bits` is shorter and has their places i instead, two bytes each (little endian).
    """

    __tablename__ = "search_block"

    term: str = Field(primary_key=True, max_length=300)
    block: int = Field(primary_key=True, sa_type=BigInteger)
    bits: bytes


class SearchSpanRow(SQLModel, table=True):
    """The earliest and the latest time among 4,096 leaves."""

    __tablename__ = "search_span"

    block: int = Field(primary_key=True, sa_type=BigInteger)
    first_at: str = Field(max_length=TIME)
    last_at: str = Field(max_length=TIME)


class SearchIndexRow(SQLModel, table=True):
    """The one row that says how many leaves the search index has, and how often it was begun anew."""

    __tablename__ = "search_index"

    id: int = Field(primary_key=True)
    leaves: int = Field(sa_type=BigInteger)
    begun: int = Field(default=0, sa_type=BigInteger)


class SubjectLeafRow(SQLModel, table=True):
    """The leaves of a subject."""

    __tablename__ = "subject_leaf"

    subject: str = Field(primary_key=True, max_length=TOKEN)
    leaf_index: int = Field(primary_key=True, sa_type=BigInteger)


class DailyCountRow(SQLModel, table=True):
    """Anonymous counts by day and pack, which erasing a person leaves as they are. `grouped` is JSON of what is counted together."""

    __tablename__ = "daily_count"

    day: str = Field(primary_key=True, max_length=10)
    pack: str = Field(primary_key=True, max_length=DIGEST)
    measure: str = Field(primary_key=True, max_length=WORD)
    grouped: str = Field(primary_key=True, max_length=500)
    number: int = Field(sa_type=BigInteger)


class WebhookRow(SQLModel, table=True):
    """Who is told of events, and where. The secrets that sign them are encrypted for this callback alone: another one opens neither.

    What is told of `delivering` stands in the columns from `not_before` on; the others restate entries.
    """

    __tablename__ = "webhook"

    id: str = Field(primary_key=True, max_length=ID)
    owner: str = Field(max_length=NAME)
    system: str | None = Field(default=None, max_length=NAME)
    format: str = Field(max_length=WORD)
    callback: str = Field(max_length=2_000)
    types: str = Field(sa_type=Text)
    filters: str = Field(sa_type=Text)
    query: str | None = Field(default=None, max_length=2_000)
    since: str = Field(max_length=TIME)
    removed_at: str | None = Field(default=None, max_length=TIME)
    secret: bytes
    wrapped_with: str = Field(max_length=TOKEN)
    secret_before: bytes | None = None
    before_wrapped_with: str | None = Field(default=None, max_length=TOKEN)
    before_until: str | None = Field(default=None, max_length=TIME)
    not_before: str = Field(default="", max_length=TIME)
    delivered: int = Field(default=0, sa_type=BigInteger)
    dropped: int = Field(default=0, sa_type=BigInteger)
    delivered_at: str | None = Field(default=None, max_length=TIME)
    problem: str | None = Field(default=None, max_length=NAME)
    problem_at: str | None = Field(default=None, max_length=TIME)


class EventRow(SQLModel, table=True):
    """An event that a subscription has not been told of yet; one that was given up has `dead_at`. It says where to read, not what.

    `number` is the entry's leaf times sixteen and which of the entry's events it is: the order in which a subscriber's events are told.
    `at` is since when that is tried.
    """

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_in_line", "webhook", "subject", "number"),)

    webhook: str = Field(primary_key=True, max_length=ID)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    type: str = Field(max_length=WORD)
    entry_id: str = Field(max_length=ID, index=True)
    subject: str = Field(max_length=TOKEN, index=True)
    at: str = Field(max_length=TIME)
    dead_at: str | None = Field(default=None, max_length=TIME)


class EventLineRow(SQLModel, table=True):
    """The events of one subscriber for one subscription, told one after the other: when the first is tried next, and who is at it.

    `newest` is the number of the last event in the line; a line is gone when that one is told. Who has its `lease` tells it until `due_at`.
    """

    __tablename__ = "event_line"
    __table_args__ = (Index("ix_event_line_due", "webhook", "due_at"),)

    webhook: str = Field(primary_key=True, max_length=ID)
    subject: str = Field(primary_key=True, max_length=TOKEN, index=True)
    newest: int = Field(sa_type=BigInteger)
    due_at: str = Field(max_length=TIME)
    tries: int = Field(default=0)
    lease: str | None = Field(default=None, max_length=TOKEN)
