"""The API's document: up to date, readable, and kept by the service for whatever it is sent."""

from typing import Any

import hypothesis
import pytest
import schemathesis
import yaml

from app.api.export import FILE, exported
from app.api.problems import KINDS

pytestmark = pytest.mark.contract

EXPORTED: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
schema = schemathesis.openapi.from_dict(EXPORTED)


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
@hypothesis.settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_the_service_keeps_its_document(case: schemathesis.Case, address: str) -> None:
    """Whatever is sent, right or wrong, the answer is one that the document announces, and never a 5xx."""
    case.call_and_validate(base_url=address)
