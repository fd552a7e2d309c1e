"""What Alembic runs: on the connection it is given, or, on the command line, on the store that the settings name."""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from app.record.store import tables
from app.record.store.database import Database
from app.settings import read_settings


def run(connection: Connection) -> None:
    """Run the migrations within the transaction of the connection."""
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


assert tables.EntryRow.__tablename__ in SQLModel.metadata.tables  # noqa: S101 - importing it is what fills the metadata
given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Database(read_settings().database_url).writing() as own:
        run(own)
