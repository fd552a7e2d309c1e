"""Taking a case in: bytes to a checked request, a request to a case. Pure; the time and the role come as arguments."""

from app.engine.intake.continuing import next_request
from app.engine.intake.history import with_history
from app.engine.intake.problems import CaseError, FieldProblem, RequestError
from app.engine.intake.reading import parse_body, parse_request, parse_response
from app.engine.intake.taking import take
from app.engine.intake.values import answer_value

__all__ = [
    "CaseError",
    "FieldProblem",
    "RequestError",
    "answer_value",
    "next_request",
    "parse_body",
    "parse_request",
    "parse_response",
    "take",
    "with_history",
]
