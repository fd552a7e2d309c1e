"""The contact history: what we sent, called about or said, and how it ended."""

from typing import Annotated

from pydantic import Field

from app.engine.vocabulary.model import Model
from app.engine.vocabulary.types import Code, Instant
from app.engine.vocabulary.words import ActionKind, Channel, Outcome


class Contact(Model):
    """One contact of ours with the person, on any channel."""

    at: Annotated[Instant, Field(title="At", description="When it was made.")]
    channel: Annotated[Channel | None, Field(title="Channel", description="渠道。")] = None
    kind: Annotated[ActionKind | None, Field(title="Kind", description="类别。")] = None
    action: Annotated[Code | None, Field(title="Action", description="动作。")] = None
    campaign: Annotated[Code | None, Field(title="Campaign", description="营销活动。")] = None
    message: Annotated[
        Code | None,
        Field(title="Message", description="消息。What the actions told in one message have in common; it counts once."),
    ] = None
    result: Annotated[Outcome | None, Field(title="Result", description="结果。")] = None
