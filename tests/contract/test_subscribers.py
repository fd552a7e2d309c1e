"""Access, erasure and export over HTTP: for the roles that may, on the record, and provable."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
import uuid
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from app.record.export.bundling import KIT
from app.record.log.sealer import Sealer
from tests.contract.conftest import Guarded

pytestmark = pytest.mark.contract

REQUEST = {"channel": "call_centre", "reason": "bill", "locale": "en", "subscriber": {"billing": {"total": [2900, 3050, 3400, 6600]}}}


def decide(guarded: Guarded, subscriber: str) -> str:
    """A sealed decision about a subscriber."""
    body = {**REQUEST, "subscriber": {**REQUEST["subscriber"], "id": subscriber}}  # type: ignore[dict-item]
    answer = guarded.call("agent", "POST", "/v1/decisions", json=body)
    assert answer.status_code == 200, answer.text
    Sealer(guarded.record.database, guarded.record.keys, guarded.record.clock).seal()
    return str(answer.json()["decision_id"])


def somebody() -> str:
    return f"s-{uuid.uuid4().hex}"


def export(guarded: Guarded, **body: Any) -> httpx2.Response:
    return guarded.call("compliance", "POST", "/v1/records/export", json=body)


def erase(guarded: Guarded, subscriber: str, basis: str = "request of the person") -> httpx2.Response:
    return about(guarded, subscriber, "erasure", basis=basis)


def about(guarded: Guarded, subscriber: str, step: str, **body: str) -> httpx2.Response:
    """A step of the privacy officer, with the id in the header."""
    headers = {"x-subscriber-id": subscriber}
    return guarded.call("privacy_officer", "POST", f"/v1/subscribers/-/{step}", headers=headers, **({"json": body} if body else {}))


def test_everything_about_a_person_is_told(guarded: Guarded) -> None:
    """To the privacy officer and to compliance, in plain words; the id may stand in the path instead of the header."""
    subscriber = somebody()
    decision_id = decide(guarded, subscriber)
    told = guarded.call("privacy_officer", "GET", f"/v1/subscribers/{subscriber}/record?locale=en").json()
    assert [decision["id"] for decision in told["decisions"]] == [decision_id]
    assert told["decisions"][0]["known"]["subscriber"]["billing"] == {"total": [2900, 3050, 3400, 6600]}
    assert told["decisions"][0]["words"][0].startswith("On 20")
    again = guarded.call("compliance", "GET", "/v1/subscribers/-/record", headers={"x-subscriber-id": subscriber}).json()
    assert [other["body"]["caller"] for other in again["others"]] == ["privacy_officer", "compliance"]
    assert "所依据的规则为" in again["decisions"][0]["words"][0]


def test_erasing_leaves_nothing_to_tell(guarded: Guarded) -> None:
    """The person is gone, the decision and its proof are there, and a second time nobody is found."""
    subscriber = somebody()
    decision_id = decide(guarded, subscriber)
    answer = erase(guarded, subscriber)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"]["subject"] == 1
    assert answer.json()["scrubbed"] in (True, False)
    read = guarded.call("privacy_officer", "GET", f"/v1/subscribers/{subscriber}/record")
    for again in (read, erase(guarded, subscriber), about(guarded, subscriber, "hold", reason="x"), about(guarded, subscriber, "release")):
        assert (again.status_code, again.json()["detail"]) == (404, "nobody on record has this id: never met, or erased")
    record = guarded.call("compliance", "GET", f"/v1/decisions/{decision_id}/record").json()
    assert record["state"] == "erased"
    assert guarded.call("compliance", "GET", f"/v1/decisions/{decision_id}/proof").status_code == 200


def test_a_legal_hold_is_a_conflict_with_its_reason(guarded: Guarded) -> None:
    """And erasing works once it is released; both are on the record."""
    subscriber = somebody()
    decide(guarded, subscriber)
    held = about(guarded, subscriber, "hold", reason="court file 12")
    assert held.status_code == 200, held.text
    answer = erase(guarded, subscriber)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:wanliu:problem:held")
    assert "set by privacy_officer: court file 12" in answer.json()["detail"]
    released = about(guarded, subscriber, "release")
    assert released.status_code == 200, released.text
    twice = about(guarded, subscriber, "release")
    assert (twice.status_code, twice.json()["detail"]) == (409, "the subscriber is under no legal hold")
    Sealer(guarded.record.database, guarded.record.keys, guarded.record.clock).seal()
    listed = guarded.call("privacy_officer", "GET", "/v1/decisions?kind=hold", headers={"x-subscriber-id": subscriber}).json()["entries"]
    assert [(entry["id"], entry["envelope"]["body"]["step"]) for entry in listed] == [
        (released.json()["record"], "released"),
        (held.json()["record"], "held"),
    ]
    assert erase(guarded, subscriber).status_code == 200


@pytest.mark.parametrize(
    ("basis", "says"), [("request of {0}", "names the subscriber"), (" ", "1 to 500"), ("", "1 to 500"), ("x" * 501, "1 to 500")]
)
def test_the_basis_says_something_and_nobodys_name(guarded: Guarded, basis: str, says: str) -> None:
    """It would stay for ever."""
    subscriber = somebody()
    decide(guarded, subscriber)
    answer = erase(guarded, subscriber, basis.format(subscriber))
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == "basis"
    assert says in error["message"]
    assert subscriber not in answer.text


@pytest.mark.parametrize("role", ["agent", "self_service", "campaign", "author", "approver", "operations"])
def test_others_may_not(guarded: Guarded, role: str) -> None:
    """Access and export are for compliance and the privacy officer; erasing and holding only for the latter."""
    assert guarded.call(role, "GET", "/v1/subscribers/s-1/record").status_code == 403
    assert guarded.call(role, "POST", "/v1/records/export", json={}).status_code == 403
    for other in (role, "compliance"):
        for step in ("erasure", "hold", "release"):
            assert guarded.call(other, "POST", f"/v1/subscribers/s-1/{step}", json={"basis": "request"}).status_code == 403


def test_a_bundle_is_genuine(http: TestClient, guarded: Guarded, tmp_path: Path) -> None:
    """A zip with the decision, opened where it was asked, that verifies with nothing installed."""
    development = Guarded(http, http.app.state.services.record, {"agent": ""}, guarded.issuer)  # type: ignore[attr-defined]
    subscriber = somebody()
    decision_id = decide(development, subscriber)
    answer = http.post("/v1/records/export", json={"decisions": [decision_id], "open": [subscriber], "parquet": True})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    (tmp_path / "bundle.zip").write_bytes(answer.content)
    command = [sys.executable, "-I", "-S", str(KIT / "verify.py"), str(tmp_path / "bundle.zip")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read("opened.ndjson"))["id"] == decision_id
        assert "parquet/decisions-0001.parquet" in archive.namelist()


def test_a_span_of_time_is_exported(guarded: Guarded) -> None:
    """From one time to before another, with zones; a date is the beginning of it."""
    today = time.strftime("%Y-%m-%d", time.gmtime())
    begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    decision_id = decide(guarded, somebody())
    with zipfile.ZipFile(io.BytesIO(export(guarded, **{"from": begin}).content)) as archive:
        assert decision_id in archive.read("records.ndjson").decode()
    with zipfile.ZipFile(io.BytesIO(export(guarded, **{"from": today}).content)) as archive:
        assert decision_id in archive.read("records.ndjson").decode()
    assert export(guarded, to="2020-01-01T00:00:00+00:00").status_code == 404
    assert export(guarded, to="2020-01-01").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "2026-11-31"}, "from"),
        ({"from": "22.11.2026"}, "from"),
        ({"from": "2026-11-22T00:00:00"}, "from"),
        ({"from": 0}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"to": "9999-12-31T23:59:59-14:00"}, "to"),
        ({"from": "2026-11-23", "to": "2026-11-22T00:00:00Z"}, "to"),
        ({"from": "2026-11-22", "to": "2026-11-22"}, "to"),
        ({"parquet": "yes"}, "parquet"),
        ({"decisions": ["x"]}, "decisions.0"),
        ({"decisions": []}, "decisions"),
        ({"decisions": ["019ab000-0000-7000-8000-000000000000"], "to": "2026-11-22T00:00:00Z"}, "decisions"),
        ({"open": [""]}, "open.0"),
        ({"open": ["张三"]}, "open.0"),
        ({"openn": []}, "openn"),
        ({"since": "2026-11-22"}, "since"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_request_is_told(guarded: Guarded, body: dict[str, Any], field: str) -> None:
    """By its field, and what is expected there."""
    answer = export(guarded, **body)
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert re.search("expected|leave|exist", error["message"]), error


@pytest.mark.parametrize("name", ["since", "until"])
def test_the_names_of_an_export_are_told(guarded: Guarded, name: str) -> None:
    """Those that are sent, not those of the code."""
    [error] = export(guarded, **{name: "2026-11-22"}).json()["errors"]
    assert error["message"] == "does not exist; there are from, to, decisions, open, parquet"


def test_nobody_unknown_is_opened(guarded: Guarded) -> None:
    """Whoever asks for somebody whom the record does not know gets nothing."""
    decision_id = decide(guarded, somebody())
    assert export(guarded, decisions=[decision_id], open=["s-nobody-of-this-name"]).status_code == 404
    assert export(guarded, decisions=["019ab000-0000-7000-8000-000000000000"]).status_code == 404


def test_the_header_is_asked_for(guarded: Guarded) -> None:
    """Where the path leaves the id to it, and nowhere else; and it holds an id."""
    for path, headers, says in (
        ("-", {}, "is required where the path has `-`"),
        ("s-1", {"x-subscriber-id": "s-2"}, "is not taken where the path has an id; put `-` there"),
        ("-", {"x-subscriber-id": "a b"}, "expected 1 to 64 characters: letters or digits, then also _ . : @ + -"),
    ):
        answer = guarded.call("privacy_officer", "GET", f"/v1/subscribers/{path}/record", headers=headers)
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "X-Subscriber-Id", "message": says}]
