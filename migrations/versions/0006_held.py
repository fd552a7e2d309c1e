"""What limits over everybody made of campaigns; and what it takes to count quickly whom a campaign reached, and who complained."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DIGEST, ID = 71, 36


def upgrade() -> None:
    op.create_table(
        "campaign_held",
        sa.Column("campaign", sa.String(ID), primary_key=True),
        sa.Column("entry_id", sa.String(ID), nullable=False, unique=True),
        sa.Column("file", sa.String(DIGEST), nullable=False),
    )
    op.create_index("ix_contact_campaign", "contact", ["campaign", "subject"])
    op.create_index("ix_outcome_reason", "outcome", ["reason", "decision_id"])


def downgrade() -> None:
    op.drop_index("ix_outcome_reason", "outcome")
    op.drop_index("ix_contact_campaign", "contact")
    op.drop_table("campaign_held")
