"""On PostgreSQL an entry, and the tally that waits with it, stand in one piece in their tables as long as they fit on a page.

Out of line they take several rows and index entries each, and compressing takes longer than storing them: of what a decision takes from
the server a third. What is encrypted does not get smaller at all.
"""

from alembic import op

from app.record.store.partitions import IN_ONE_PIECE, partitions

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE entry ALTER COLUMN private SET STORAGE EXTERNAL")
        for table in ("unsealed", *partitions(op.get_bind())):
            op.execute(f"ALTER TABLE {table} SET ({IN_ONE_PIECE})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE entry ALTER COLUMN private SET STORAGE EXTENDED")
        for table in ("unsealed", *partitions(op.get_bind())):
            op.execute(f"ALTER TABLE {table} RESET (toast_tuple_target)")
