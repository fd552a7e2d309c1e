"""Campaigns, and their parts, whose decisions stand in files beside the store."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DIGEST, ID, NAME, TIME, WORD = 71, 36, 200, 32, 64


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.String(ID), primary_key=True),
        sa.Column("name", sa.String(NAME), nullable=False, index=True),
        sa.Column("at", sa.String(TIME), nullable=False),
        sa.Column("state", sa.String(WORD), nullable=False),
        sa.Column("closing", sa.String(ID)),
    )
    op.create_table(
        "campaign_chunk",
        sa.Column("campaign", sa.String(ID), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("entry_id", sa.String(ID), nullable=False, unique=True),
        sa.Column("first_row", sa.BigInteger(), nullable=False),
        sa.Column("last_row", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.String(DIGEST), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("campaign_chunk")
    op.drop_table("campaign")
