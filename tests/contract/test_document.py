"""The API's document: up to date and readable. That the service keeps it: `test_schemathesis.py`, `test_examples.py`."""

import pytest
from starlette.testclient import TestClient

from app.api.export import FILE, exported
from app.api.problems import KINDS
from tests.contract.documented import EXPORTED, OPERATIONS

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


WRITING = [name for name, (method, _, _) in OPERATIONS.items() if method != "GET"]


@pytest.mark.parametrize("name", WRITING)
def test_what_decides_or_writes_says_that_it_may_be_told_how_long_the_caller_waits(name: str, http: TestClient) -> None:
    """With its bounds; what is beyond them is refused as the operation announces, which the client sees to, and names the header."""
    method, path, operation = OPERATIONS[name]
    assert {"$ref": "#/components/parameters/Wanliu-Deadline-Ms"} in operation["parameters"]
    told = EXPORTED["components"]["parameters"]["Wanliu-Deadline-Ms"]
    for wrong in ("soon", "", "-1", "1.5", str(told["schema"]["minimum"] - 1), str(told["schema"]["maximum"] + 1)):
        answer = http.request(method, path, headers={told["name"]: wrong})
        assert answer.status_code in (400, 422)
        assert "Wanliu-Deadline-Ms" in answer.text
        assert "1 to 60,000" in answer.text
        assert "`invalid-request`" in operation["responses"][str(answer.status_code)]["description"]
