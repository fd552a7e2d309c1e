"""Campaigns that callers commissioned: what was asked for, who is at work on each, and how far it is."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

DIGEST, ID, NAME, TIME, TOKEN, WORD = 71, 36, 200, 32, 32, 64


def upgrade() -> None:
    op.create_table(
        "campaign_job",
        sa.Column("id", sa.String(ID), primary_key=True),
        sa.Column("at", sa.String(TIME), nullable=False),
        sa.Column("name", sa.String(NAME), nullable=False, index=True),
        sa.Column("state", sa.String(WORD), nullable=False, index=True),
        sa.Column("caller", sa.String(NAME), nullable=False),
        sa.Column("role", sa.String(WORD), nullable=False),
        sa.Column("system", sa.String(NAME), nullable=False),
        sa.Column("agent", sa.String(NAME)),
        sa.Column("pack", sa.String(DIGEST), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", sa.String(NAME)),
        sa.Column("asked_key", sa.String(NAME)),
        sa.Column("asked_hash", sa.LargeBinary()),
        sa.Column("campaign", sa.String(ID)),
        sa.Column("cancelled_by", sa.String(NAME)),
        sa.Column("worker", sa.String(TOKEN)),
        sa.Column("lease", sa.String(TIME), nullable=False, server_default=""),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("begun_at", sa.String(TIME)),
        sa.Column("ended_at", sa.String(TIME)),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
            for name in ("rows", "consumed", "decided", "rejected", "size")
        ),
        sa.Column("worked_ms", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("problem", sa.Text()),
        sa.UniqueConstraint("asked_by", "asked_key", name="uq_campaign_job_asked"),
    )


def downgrade() -> None:
    op.drop_table("campaign_job")
