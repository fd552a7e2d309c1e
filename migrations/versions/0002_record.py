"""The record: entries sealed into a log, subjects with keys of their own, packs in force, callers, contacts and outcomes.

Decisions of the first release stay in `decision` until the service takes them over, which needs its keys.
"""

import sqlalchemy as sa
from alembic import op

from app.record.store.partitions import partition_entries

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    *("daily_count", "subject_leaf", "search_span", "search_block", "pack_step", "pack", "caller", "outcome", "contact", "idempotency"),
    *("subject", "checkpoint", "tree", "tile", "leaf", "unsealed", "entry"),
)
DIGEST, ID, NAME, TIME, TOKEN, WORD = 71, 36, 200, 32, 32, 64


def upgrade() -> None:
    op.create_table(
        "entry",
        sa.Column("id", _id(), primary_key=True),
        sa.Column("kind", sa.String(WORD), nullable=False),
        sa.Column("at", sa.String(TIME), nullable=False),
        sa.Column("subject", sa.String(TOKEN)),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("private", sa.LargeBinary()),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_entry_subject", "entry", ["subject"])
    op.create_table("unsealed", sa.Column("entry_id", _id(), primary_key=True), sa.Column("tally", sa.LargeBinary()))
    op.create_table(
        "leaf",
        sa.Column("leaf_index", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("entry_id", _id(), nullable=False, unique=True),
        sa.Column("at", sa.String(TIME), nullable=False, index=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "tile",
        sa.Column("level", sa.Integer(), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
    )
    tree = op.create_table(
        "tree",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat", sa.String(TIME), nullable=False),
        sa.Column("heartbeats", sa.BigInteger(), nullable=False),
    )
    op.bulk_insert(tree, [{"id": 1, "size": 0, "heartbeat": "", "heartbeats": 0}])
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.String(TIME), nullable=False, index=True),
        sa.Column("note", sa.Text(), nullable=False),
    )
    op.create_table(
        "subject",
        sa.Column("lookup", sa.LargeBinary(), primary_key=True),
        sa.Column("token", sa.String(TOKEN), nullable=False, unique=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_with", sa.String(TOKEN), nullable=False),
        sa.Column("since", sa.String(TIME), nullable=False),
        sa.Column("hold", sa.String(500)),
        sa.Column("hold_by", sa.String(NAME)),
        sa.Column("hold_since", sa.String(TIME)),
    )
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.String(NAME), primary_key=True),
        sa.Column("key", sa.String(NAME), primary_key=True),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("entry_id", _id(), nullable=False),
        sa.Column("subject", sa.String(TOKEN), index=True),
        sa.Column("expires_at", sa.String(TIME), nullable=False, index=True),
    )
    op.create_table(
        "contact",
        sa.Column("id", _id(), primary_key=True),
        sa.Column("subject", sa.String(TOKEN), nullable=False, index=True),
        sa.Column("at", sa.String(TIME), nullable=False),
        sa.Column("channel", sa.String(WORD)),
        sa.Column("kind", sa.String(WORD)),
        sa.Column("action", sa.String(NAME)),
        sa.Column("campaign", sa.String(NAME)),
        sa.Column("result", sa.String(WORD)),
        sa.Column("decision_id", _id(), nullable=False, index=True),
    )
    op.create_table(
        "outcome",
        sa.Column("entry_id", _id(), primary_key=True),
        sa.Column("decision_id", _id(), nullable=False, index=True),
        sa.Column("subject", sa.String(TOKEN), index=True),
        sa.Column("action", sa.String(NAME), nullable=False),
        sa.Column("outcome", sa.String(WORD), nullable=False),
        sa.Column("at", sa.String(TIME), nullable=False),
        sa.Column("agent", sa.String(NAME)),
        sa.Column("reference", sa.String(NAME)),
        sa.Column("reason", sa.String(NAME)),
    )
    op.create_table(
        "caller",
        sa.Column("name", sa.String(NAME), primary_key=True),
        sa.Column("role", sa.String(WORD), nullable=False),
        sa.Column("grade", sa.String(WORD)),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("since", sa.String(TIME), nullable=False),
        sa.Column("made_by", sa.String(NAME), nullable=False),
        sa.Column("revoked_at", sa.String(TIME)),
    )
    op.create_table(
        "pack",
        sa.Column("digest", sa.String(DIGEST), primary_key=True),
        sa.Column("name", sa.String(NAME), nullable=False),
        sa.Column("version", sa.String(NAME), nullable=False),
        sa.Column("at", sa.String(TIME), nullable=False),
        sa.Column("author", sa.String(NAME), nullable=False),
        sa.Column("files", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "pack_step",
        sa.Column("entry_id", _id(), primary_key=True),
        sa.Column("digest", sa.String(DIGEST), nullable=False, index=True),
        sa.Column("step", sa.String(WORD), nullable=False),
        sa.Column("at", sa.String(TIME), nullable=False),
        sa.Column("by", sa.String(NAME), nullable=False),
        sa.Column("effective_at", sa.String(TIME), index=True),
        sa.Column("note", sa.String(500)),
    )
    op.create_table(
        "search_block",
        sa.Column("term", _sorted_by_characters(300), primary_key=True),
        sa.Column("block", sa.BigInteger(), primary_key=True),
        sa.Column("bits", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "search_span",
        sa.Column("block", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("first_at", sa.String(TIME), nullable=False),
        sa.Column("last_at", sa.String(TIME), nullable=False),
    )
    op.create_table(
        "subject_leaf",
        sa.Column("subject", sa.String(TOKEN), primary_key=True),
        sa.Column("leaf_index", sa.BigInteger(), primary_key=True),
    )
    op.create_table(
        "daily_count",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("pack", sa.String(DIGEST), primary_key=True),
        sa.Column("measure", sa.String(WORD), primary_key=True),
        sa.Column("grouped", sa.String(500), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    if _on_postgresql():
        partition_entries(op.get_bind())


def downgrade() -> None:
    for name in _TABLES:
        op.drop_table(name)


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _id() -> sa.String:
    """UUIDs sort as time by their characters."""
    return _sorted_by_characters(ID)


def _sorted_by_characters(length: int) -> sa.String:
    """Text that sorts by its characters, whatever the database's language."""
    return sa.String(length, collation="C") if _on_postgresql() else sa.String(length)
