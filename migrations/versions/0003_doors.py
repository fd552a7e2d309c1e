"""What the doors of the service need: each part of it says so below."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DIGEST, ID, NAME, TIME, TOKEN, WORD = 71, 36, 200, 32, 32, 64


def upgrade() -> None:
    _callers()
    _conversations()
    _choices()
    _events()
    _recommendations()
    _searching()


def downgrade() -> None:
    op.drop_table("search_index")
    op.drop_table("recommendation")
    for table in ("event_line", "event", "webhook"):
        op.drop_table(table)
    op.drop_table("choice")
    op.drop_table("successor")
    op.drop_column("caller", "system")


def _callers() -> None:
    """Callers of one system see each other's decisions; without one, a caller is a system of its own."""
    op.add_column("caller", sa.Column("system", sa.String(NAME)))


def _conversations() -> None:
    """Which decision is the next one after another."""
    op.create_table(
        "successor",
        sa.Column("parent", sa.String(ID), primary_key=True),
        sa.Column("entry_id", sa.String(ID), nullable=False),
    )


def _choices() -> None:
    """What people chose for good."""
    op.create_table(
        "choice",
        sa.Column("subject", sa.String(TOKEN), primary_key=True),
        sa.Column("choice", sa.String(WORD), primary_key=True),
        sa.Column("about", sa.String(NAME), primary_key=True),
        sa.Column("step", sa.String(WORD), nullable=False),
        sa.Column("at", sa.String(TIME), nullable=False),
        sa.Column("entry_id", sa.String(ID), nullable=False, index=True),
    )


def _events() -> None:
    """Who is told of events, and which events wait to be told."""
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(ID), primary_key=True),
        sa.Column("owner", sa.String(NAME), nullable=False),
        sa.Column("system", sa.String(NAME)),
        sa.Column("format", sa.String(WORD), nullable=False),
        sa.Column("callback", sa.String(2_000), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("query", sa.String(2_000)),
        sa.Column("since", sa.String(TIME), nullable=False),
        sa.Column("removed_at", sa.String(TIME)),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_with", sa.String(TOKEN), nullable=False),
        sa.Column("secret_before", sa.LargeBinary()),
        sa.Column("before_wrapped_with", sa.String(TOKEN)),
        sa.Column("before_until", sa.String(TIME)),
        sa.Column("not_before", sa.String(TIME), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.String(TIME)),
        sa.Column("problem", sa.String(NAME)),
        sa.Column("problem_at", sa.String(TIME)),
    )
    op.create_table(
        "event",
        sa.Column("webhook", sa.String(ID), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("type", sa.String(WORD), nullable=False),
        sa.Column("entry_id", sa.String(ID), nullable=False, index=True),
        sa.Column("subject", sa.String(TOKEN), nullable=False, index=True),
        sa.Column("at", sa.String(TIME), nullable=False),
        sa.Column("dead_at", sa.String(TIME)),
    )
    op.create_index("ix_event_in_line", "event", ["webhook", "subject", "number"])
    op.create_table(
        "event_line",
        sa.Column("webhook", sa.String(ID), primary_key=True),
        sa.Column("subject", sa.String(TOKEN), primary_key=True, index=True),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.String(TIME), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(TOKEN)),
    )
    op.create_index("ix_event_line_due", "event_line", ["webhook", "due_at"])


def _recommendations() -> None:
    """Whose list a TM Forum recommendation stands on."""
    op.create_table(
        "recommendation",
        sa.Column("entry_id", sa.String(ID), primary_key=True),
        sa.Column("subject", sa.String(TOKEN), nullable=False, index=True),
        sa.Column("role", sa.String(WORD), nullable=False),
        sa.Column("caller", sa.String(NAME), nullable=False),
        sa.Column("agent", sa.String(NAME)),
    )
    op.create_index("ix_recommendation_list", "recommendation", ["caller", "entry_id"])


def _searching() -> None:
    """How far the search index goes: so far it had every leaf as soon as the log had it."""
    op.create_table(
        "search_index",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("leaves", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO search_index (id, leaves, begun) SELECT id, size, 0 FROM tree")
