"""What it takes to count campaigns quickly that callers commissioned, and what these decided."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_campaign_job_figures", "campaign_job", ["state", "campaign", "decided"])
    op.drop_index("ix_campaign_job_state", "campaign_job")


def downgrade() -> None:
    op.create_index("ix_campaign_job_state", "campaign_job", ["state"])
    op.drop_index("ix_campaign_job_figures", "campaign_job")
