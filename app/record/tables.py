"""Rows of the store. They validate nothing: what reaches them has been checked."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class DecisionRow(SQLModel, table=True):
    """A decision as it was asked for and answered. `case` and `answer` are JSON as bytes: what is read is what was written."""

    __tablename__ = "decision"

    id: str = Field(primary_key=True, max_length=36)
    decided_at: str = Field(max_length=32)
    pack_digest: str = Field(max_length=71)
    engine: str = Field(max_length=32)
    case: bytes
    answer: bytes
