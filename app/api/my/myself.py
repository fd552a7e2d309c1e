"""Who asks about themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from app.api.bodies import Refused
from app.api.calls import Call
from app.api.problems import problem
from app.engine.intake import FieldProblem, RequestError
from app.engine.vocabulary.types import Identifier
from app.record.callers import DEVELOPMENT

WhoInDevelopment = Annotated[
    Identifier | None,
    Header(alias="X-Subscriber-Id", description="Development mode only: who asks. Otherwise the token's subject, and nothing else."),
]


def myself(call: Call, in_header: str | None) -> str:
    """The operator's id of who asks: the subject of the token.

    Args:
        call: of a customer.
        in_header: who they are to be taken for, in development mode.

    Raises:
        Refused: the caller's token names nobody.
        RequestError: somebody else is named beside the token, or nobody in development mode.
    """
    if call.caller.role == DEVELOPMENT:
        if in_header is None:
            raise RequestError([FieldProblem("X-Subscriber-Id", "is required in development mode, where no token says who asks")])
        return in_header
    if in_header is not None:
        raise RequestError([FieldProblem("X-Subscriber-Id", "is for development mode; who asks is the subject of the token")])
    if call.caller.subject is None:
        raise Refused(problem("forbidden", detail="who asks is the subject of a token, and the credentials name nobody"))
    return call.caller.subject
