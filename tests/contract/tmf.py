"""Calls TM Forum's door, and holds every answer against our own document and, where it is there, TM Forum's."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from starlette.testclient import TestClient

from app.api.application import create_app
from app.record.keys import Keys
from app.settings import Settings
from tests.contract.conftest import ROOT
from tests.customers import SMS, Service, served

DOCUMENTS = ROOT.parent / "shared" / "tmf"
RECOMMENDATIONS = "/tmf-api/recommendationManagement/v4"
CUSTOMER = "/customer/v4"
INTERACTIONS = "/tmf-api/partyInteraction/v4"
QUERY = f"{RECOMMENDATIONS}/queryProductRecommendation"
HUB = f"{RECOMMENDATIONS}/hub"
OF_680, OF_683 = "tmf680-v4.0.0.swagger.json", "tmf683-v4.0.0.swagger.json"
OFFICIAL = {RECOMMENDATIONS: OF_680, CUSTOMER: OF_680, INTERACTIONS: OF_683}
needs_documents = pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="TM Forum's documents are not beside the checkout, in ../shared/tmf")
ABOUT: Any = {
    "channel": [{"id": "sms_marketing"}],
    "direction": "outbound",
    "locale": "en",
    "relatedParty": {"id": SMS["subscriber"]["id"], "role": "subscriber", "@referredType": "Customer"},
    "subscriber": {name: value for name, value in SMS["subscriber"].items() if name != "id"},
}
"""Asks about the person of `tests.customers`, who is offered a tariff."""


def official(name: str) -> Any:
    """A file of TM Forum's."""
    return json.loads((DOCUMENTS / name).read_bytes())


class Door:
    """The door as one caller uses it: one of `tests.customers.CALLERS`; everybody who does not say who they are is in development."""

    def __init__(self, service: Service | TestClient, caller: str = "") -> None:
        self._http = service.http if isinstance(service, Service) else service
        self._caller = caller

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Ask, and see that the answer is one that the documents announce."""
        headers = {"x-test-caller": self._caller, **options.pop("headers", {})}
        response = self._http.request(method, path, headers=headers, **options)
        hold(response, method, path)
        return response

    def ask(self, body: Any = None, path: str = QUERY, **options: Any) -> httpx2.Response:
        """Ask for recommendations."""
        return self.call("POST", path, json={} if body is None else body, **options)

    def asked(self, **fields: Any) -> dict[str, Any]:
        """Ask about the person; the recommendation."""
        response = self.ask({**ABOUT, **fields})
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    def get(self, path: str = QUERY, **parameters: Any) -> httpx2.Response:
        """Read."""
        return self.call("GET", path, **({"params": parameters} if parameters else {}))

    def ids(self, **parameters: Any) -> list[str]:
        """The ids on the list."""
        return [element["id"] for element in self.get(**parameters).json()]

    def tell(self, recommendation: str, item: Any = "1", resolution: str = "refused", **fields: Any) -> httpx2.Response:
        """Tell what became of an item."""
        named = {"id": item, "item": {"id": recommendation, "role": "recommendation"}, "resolution": resolution, **fields}
        body = {"reason": "call", "direction": "inbound", "channel": [{"id": "call_centre"}], "interactionItem": [named]}
        return self.call("POST", f"{INTERACTIONS}/partyInteraction", json=body)


@contextlib.contextmanager
def tmf_served(http: TestClient, keys: Keys, url: str) -> Iterator[Service]:
    """The service on a database of its own; events may go to this machine."""
    with served(http.app.state.services.packs, url, keys) as service:  # type: ignore[attr-defined]
        state = service.http.app.state  # type: ignore[attr-defined]
        state.services = replace(state.services, callbacks_private=True)
        yield service


def hold(response: httpx2.Response, method: str, path: str) -> None:
    """See that an answer is what both documents say."""
    prefix = next((known for known in OFFICIAL if path.startswith(known)), RECOMMENDATIONS)
    template = _template(path.removeprefix(prefix).partition("?")[0])
    if response.status_code == 204:
        assert response.content == b""
        return
    assert response.headers["content-type"] == "application/json;charset=utf-8", response.text
    answer = response.json()
    if DOCUMENTS.is_dir():
        _official(OFFICIAL[prefix], template, method.lower(), response.status_code).validate(answer)
    ours = _ours(f"{prefix}{template}", method.lower(), response.status_code)
    if ours is not None:
        ours.validate(answer)


def _template(rest: str) -> str:
    parts = rest.split("/")
    return "/".join(parts[:2]) + ("/{id}" if len(parts) > 2 else "")


@functools.cache
def _official(name: str, template: str, method: str, status: int) -> jsonschema_rs.Draft4Validator:
    """What TM Forum's document says of an answer; of a status that it does not have, that it is an error."""
    document = official(name)
    told = document["paths"].get(template, {}).get(method, {}).get("responses", {}).get(str(status), {})
    schema = told.get("schema", {"$ref": "#/definitions/Error"})
    return jsonschema_rs.Draft4Validator({**schema, "definitions": document["definitions"]}, validate_formats=True)


@functools.cache
def document() -> Any:
    """The document of our API."""
    return create_app(Settings()).openapi()


@functools.cache
def _ours(template: str, method: str, status: int) -> jsonschema_rs.Draft202012Validator | None:
    """What our document says of an answer; it must say something of every one on its paths, and knows every attribute of good ones."""
    operation = document()["paths"].get(template, {}).get(method)
    if operation is None:
        return None
    assert str(status) in operation["responses"], f"{method} {template} does not announce {status}"
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator({**schema, "components": document()["components"]}, validate_formats=True)
