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


def downgrade() -> None:
    op.drop_column("caller", "system")


def _callers() -> None:
    """Callers of one system see each other's decisions; without one, a caller is a system of its own."""
    op.add_column("caller", sa.Column("system", sa.String(NAME)))
