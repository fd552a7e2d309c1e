"""The API's document: up to date and readable. That the service keeps it: `test_schemathesis.py`, `test_examples.py`."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import routing
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.export import FILE, exported
from app.api.problems import KINDS
from app.settings import Settings
from tests.contract.conftest import Guarded
from tests.contract.documented import EXPORTED, OPERATIONS

pytestmark = pytest.mark.contract


def test_the_exported_document_is_that_of_the_code() -> None:
    """openapi/wanliu.v1.yaml is what `make openapi` writes."""
    assert FILE.read_text(encoding="utf-8") == exported(), "run: make openapi"


def test_it_is_served_to_everybody(http: TestClient, guarded: Guarded) -> None:
    """As it is exported, with a tag; and it is counted under its own route."""
    answer = http.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == EXPORTED
    again = http.get("/openapi.json", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert guarded.http.get("/openapi.json").status_code == 200
    assert 'route="/openapi.json"' in http.get("/metrics").text


def test_it_is_made_once_and_holds_up_nobody(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks at the same time waits for the same one, and other requests are answered meanwhile."""
    app: Any = http.app
    began, go_on, made = threading.Event(), threading.Event(), list[int]()

    def slowly() -> dict[str, Any]:
        made.append(1)
        began.set()
        assert go_on.wait(20)
        return {"openapi": "3.1.0"}

    monkeypatch.setattr(app, "openapi", slowly)
    monkeypatch.delattr(app.state, "described", raising=False)
    try:
        with ThreadPoolExecutor(3) as several:
            asking = [several.submit(http.get, "/openapi.json") for _ in range(3)]
            assert began.wait(20)
            assert http.get("/healthz").status_code == 200
            go_on.set()
            assert [one.result().json() for one in asking] == [{"openapi": "3.1.0"}] * 3
    finally:
        go_on.set()
        del app.state.described
    assert len(made) == 1


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


def test_every_route_can_be_made_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI makes routes when they are first asked for; a worker has them made before it answers anybody."""
    app = create_app(Settings())
    app.make_routes()

    def late(**_: object) -> None:
        raise AssertionError("made late")

    monkeypatch.setattr(routing._EffectiveRouteContext, "from_api_route", late)
    assert sum(1 for _ in routing.iter_route_contexts(app.routes)) > 50
