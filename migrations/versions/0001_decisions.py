"""Decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.Column("pack_digest", sa.String(71), nullable=False),
        sa.Column("engine", sa.String(32), nullable=False),
        sa.Column("case", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("decision")
