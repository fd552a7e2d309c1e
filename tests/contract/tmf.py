"""Calls TM Forum's door, and holds every answer against our own document and, where it is there, TM Forum's."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest
import yaml
from starlette.testclient import TestClient

from app.api.export import FILE
from tests.contract.conftest import ROOT, Guarded

DOCUMENTS = ROOT.parent / "shared" / "tmf"
RECOMMENDATIONS = "/tmf-api/recommendationManagement/v4"
CUSTOMER = "/customer/v4"
INTERACTIONS = "/tmf-api/partyInteraction/v4"
QUERY = f"{RECOMMENDATIONS}/queryProductRecommendation"
OFFICIAL = {RECOMMENDATIONS: "tmf680-v4.0.0.swagger.json", CUSTOMER: "tmf680-v4.0.0.swagger.json", INTERACTIONS: "tmf683-v4.0.0.swagger.json"}
needs_documents = pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="TM Forum's documents are not beside the checkout, in ../shared/tmf")


def official(name: str) -> Any:
    """A file of TM Forum's."""
    return json.loads((DOCUMENTS / name).read_bytes())


class Door:
    """The door as one caller uses it; nobody in particular in development mode."""

    def __init__(self, http: TestClient, guarded: Guarded | None = None, name: str = "") -> None:
        self._http, self._guarded, self._name = http, guarded, name

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Ask, and see that the answer is one that the documents announce."""
        if self._guarded is not None:
            response = self._guarded.call(self._name, method, path, **options)
        else:
            response = self._http.request(method, path, **options)
        hold(response, method, path)
        return response

    def ask(self, body: Any = None, path: str = QUERY, **options: Any) -> httpx2.Response:
        """Ask for recommendations."""
        return self.call("POST", path, json={} if body is None else body, **options)

    def get(self, path: str = QUERY, **parameters: Any) -> httpx2.Response:
        """Read."""
        return self.call("GET", path, params=parameters)


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
def _document() -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(Path(FILE).read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both are safe


@functools.cache
def _ours(template: str, method: str, status: int) -> jsonschema_rs.Draft202012Validator | None:
    """What our document says of an answer; it must say something of every one on its paths."""
    operation = _document()["paths"].get(template, {}).get(method)
    if operation is None:
        return None
    assert str(status) in operation["responses"], f"{method} {template} does not announce {status}"
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator({**schema, "components": _document()["components"]}, validate_formats=True)
