"""When the files of campaigns were taken away that callers commissioned."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = 32


def upgrade() -> None:
    op.add_column("campaign_job", sa.Column("cleared_at", sa.String(TIME)))
    op.create_index("ix_campaign_job_files", "campaign_job", ["cleared_at", "ended_at"])


def downgrade() -> None:
    op.drop_index("ix_campaign_job_files", "campaign_job")
    op.drop_column("campaign_job", "cleared_at")
