"""The API's document: up to date, readable, and kept by the service for whatever it is sent."""

import re
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from app.api.export import FILE, exported
from app.api.problems import KINDS
from tests.contract.documented import EXPORTED

pytestmark = pytest.mark.contract


NO_SCHEMA_CAN_SAY = re.compile(
    r"(^|\.)(at|as_of|contact_at)$|^subscriber\.(zone|custom\.\w+|usage|billing)$|^answers\.|^note$|^files\b"
    r"|^(history|reference|reason|Idempotency-Key)$"
    r"|^(stage|phase|moment|signal|offered|tariff|suppressed|clause|outcome|since|until|cursor|since_size|role|caller|agent|pack)$"
    r"|^(X-Subscriber-Id|subject|decisions|from|to|basis)$"
)
"""Fields held against the clock, the zones of the world, each other, and the pack; a note of nothing but spaces; a pack with mistakes;
what an outcome needs; a key that was used before; what is on record and what the pack calls it;
a subscriber in the path or the header, and by a token too; how much is exported, and times that are none."""


def _few_characters(part: Any) -> Any:
    """The document with some characters standing for those of all scripts, which Hypothesis takes seven seconds a pattern to list."""
    if isinstance(part, list):
        return [_few_characters(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {key: _few(value) if key == "pattern" and isinstance(value, str) else _few_characters(value) for key, value in part.items()}


def _few(pattern: str) -> str:
    all_scripts = re.sub(r" -~.*\U0010fffd", " -~\u4e00-\u4e2d", pattern)
    return all_scripts.replace("\u4e00-\u9fff", "\u4e00-\u4e2d")


schema = schemathesis.openapi.from_dict(_few_characters(EXPORTED))
judged_here = CHECKS.get_by_names(["positive_data_acceptance"])
not_in_development = CHECKS.get_by_names(["ignored_auth"])
"""The service that is asked here has no callers, and asks for no key; `test_callers.py` asks one that has."""


def test_the_exported_document_is_that_of_the_code() -> None:
    """openapi/wanliu.v1.yaml is what `make openapi` writes."""
    assert FILE.read_text(encoding="utf-8") == exported(), "run: make openapi"


def test_shapes_have_readable_names() -> None:
    """No shape is called by a generated name, and none is missing."""
    names = set(EXPORTED["components"]["schemas"])
    assert {"DecisionRequest", "DecisionAnswer", "Problem", "SubscriberContext"} <= names
    assert all(name.isalnum() and name[0].isupper() for name in names)


def test_every_kind_of_problem_is_documented() -> None:
    """The document lists each `type` a problem can have."""
    assert all(f"`{kind}`" in EXPORTED["info"]["description"] for kind in KINDS)


@schema.parametrize()
@hypothesis.settings(max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_the_service_keeps_its_document(case: schemathesis.Case, address: str) -> None:
    """Whatever is sent, right or wrong, the answer is one that the document announces, and never a 5xx.

    What the document allows is refused only for what no schema can say.
    """
    response = case.call(base_url=address)
    case.validate_response(response, excluded_checks=[*judged_here, *not_in_development])
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE and response.status_code == 422:
        fields = [error["field"] for error in response.json()["errors"]]
        assert fields
        assert [field for field in fields if not NO_SCHEMA_CAN_SAY.search(field)] == []
