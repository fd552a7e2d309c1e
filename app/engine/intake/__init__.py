"""Taking a case in: bytes to a checked request, a request to a case. Pure; the time and the role come as arguments."""

from app.engine.intake.history import with_history
from app.engine.intake.problems import CaseError, FieldProblem, RequestError
from app.engine.intake.reading import parse_body, parse_request
from app.engine.intake.taking import take
from app.engine.intake.values import answer_value

__all__ = ["CaseError", "FieldProblem", "RequestError", "answer_value", "parse_body", "parse_request", "take", "with_history"]
