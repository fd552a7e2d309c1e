"""How many people campaigns of a name have reached, and how many of them complained about it: what a complaint brake looks at."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.store.tables import ContactRow, OutcomeRow

COMPLAINTS = ("harassment", "unsolicited")
"""Reasons of an outcome that are a complaint about unsolicited selling: too much of it, or something opened without consent."""


class Reached(NamedTuple):
    """People who were contacted, and those of them who complained about unsolicited selling."""

    contacted: int = 0
    complaints: int = 0


def reached_by(connection: Connection, name: str) -> Reached:
    """Count both, over all campaigns of a name, each person once.

    A contact is what an outcome of a decision made known, other than `stayed` and `left`; a complaint is an outcome of the same decision,
    whichever, with one of the reasons `COMPLAINTS`. Who was erased counts for neither.

    Args:
        connection: a reading transaction.
        name: of the campaigns.
    """
    people = func.count(func.distinct(col(ContactRow.subject)))
    ours = col(ContactRow.campaign) == name
    contacted = connection.execute(select(people).where(ours)).scalar_one()
    complained = select(people).join(OutcomeRow, col(OutcomeRow.decision_id) == col(ContactRow.decision_id))
    complaints = connection.execute(complained.where(ours, col(OutcomeRow.reason).in_(COMPLAINTS))).scalar_one()
    return Reached(contacted, complaints)
