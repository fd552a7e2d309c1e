"""The API's document: up to date and readable. That the service keeps it: `test_schemathesis.py`, `test_examples.py`."""

import pytest

from app.api.export import FILE, exported
from app.api.problems import KINDS
from tests.contract.documented import EXPORTED

pytestmark = pytest.mark.contract


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
