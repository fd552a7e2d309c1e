"""What became of an action of a decision, as callers tell it."""

from typing import Annotated

from pydantic import Field

from app.engine.vocabulary.model import Model
from app.engine.vocabulary.request import FactName
from app.engine.vocabulary.types import Code, Instant, Loose
from app.engine.vocabulary.words import LeaveReason, Outcome


class OutcomeReport(Model):
    """An outcome of one action of a decision."""

    action: Annotated[Code, Field(title="Action", description="One of those on the decision's list.")]
    outcome: Annotated[
        Outcome,
        Field(title="Outcome", description="`activated` needs a `reference` where the action needs confirmation, `left` a `reason`."),
    ]
    at: Annotated[
        Instant | None, Field(title="At", description="When. Left out, now; not before the decision, and not later than now.")
    ] = None
    reference: Annotated[
        Code | None,
        Field(title="Reference", description="Of the confirmation: a recording, an order, a signature. Kept for the person only."),
    ] = None
    reason: Annotated[LeaveReason | None, Field(title="Reason", description="Why the person refused or left.")] = None
    agent: Annotated[Code | None, Field(title="Agent", description="Code of the person who saw it.")] = None


class AnswersReport(Model):
    """What the person answered to what a decision asked."""

    answers: Annotated[
        dict[FactName, Loose],
        Field(min_length=1, max_length=50, title="Answers", description="By the name of the fact: what the decision or its pack asks for."),
    ]
    agent: Annotated[Code | None, Field(title="Agent", description="Code of the person who asked.")] = None
