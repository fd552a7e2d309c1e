"""Access, erasure and export over HTTP: for the roles that may, on the record, and provable."""

from __future__ import annotations

import io
import json
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

from app.record.erasing.holds import hold, release
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


def test_everything_about_a_person_is_told(guarded: Guarded) -> None:
    """To the privacy officer and to compliance, in plain words; the id may stand in a header instead of the path."""
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
    answer = guarded.call("privacy_officer", "DELETE", f"/v1/subscribers/{subscriber}?basis=request+of+the+person")
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"]["subject"] == 1
    assert answer.json()["scrubbed"] in (True, False)
    for call in (("DELETE", "?basis=again"), ("GET", "/record")):
        assert guarded.call("privacy_officer", call[0], f"/v1/subscribers/{subscriber}{call[1]}").status_code == 404
    record = guarded.call("compliance", "GET", f"/v1/decisions/{decision_id}/record").json()
    assert record["state"] == "erased"
    assert guarded.call("compliance", "GET", f"/v1/decisions/{decision_id}/proof").status_code == 200


def test_a_legal_hold_is_a_conflict_with_its_reason(guarded: Guarded) -> None:
    """And erasing works once it is released."""
    subscriber = somebody()
    decide(guarded, subscriber)
    hold(guarded.record, subscriber, reason="court file 12", by="lea")
    answer = guarded.call("privacy_officer", "DELETE", f"/v1/subscribers/{subscriber}?basis=request")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:wanliu:problem:held")
    assert "court file 12" in answer.json()["detail"]
    release(guarded.record, subscriber, by="lea")
    assert guarded.call("privacy_officer", "DELETE", f"/v1/subscribers/{subscriber}?basis=request").status_code == 200


def test_the_basis_does_not_name_the_person(guarded: Guarded) -> None:
    """It would stay for ever."""
    subscriber = somebody()
    decide(guarded, subscriber)
    answer = guarded.call("privacy_officer", "DELETE", f"/v1/subscribers/{subscriber}?basis=request+of+{subscriber}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "basis"
    assert subscriber not in answer.text


@pytest.mark.parametrize("role", ["agent", "self_service", "campaign", "author", "approver", "operations"])
def test_others_may_not(guarded: Guarded, role: str) -> None:
    """Access, erasure and export are for compliance and the privacy officer; erasing only for the latter."""
    assert guarded.call(role, "GET", "/v1/subscribers/s-1/record").status_code == 403
    assert guarded.call(role, "POST", "/v1/records/export", json={}).status_code == 403
    for other in (role, "compliance"):
        assert guarded.call(other, "DELETE", "/v1/subscribers/s-1?basis=request").status_code == 403


def test_a_bundle_is_genuine(http: TestClient, tmp_path: Path) -> None:
    """A zip with the decision, opened where it was asked, that verifies with nothing installed."""
    development = Guarded(http, http.app.state.services.record, {"agent": ""})  # type: ignore[attr-defined]
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
    """From one time to before another, with zones."""
    begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    decision_id = decide(guarded, somebody())
    with zipfile.ZipFile(io.BytesIO(export(guarded, **{"from": begin}).content)) as archive:
        assert decision_id in archive.read("records.ndjson").decode()
    assert export(guarded, to="2020-01-01T00:00:00+00:00").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "2026-11-22"}, "from"),
        ({"from": "2026-11-22T00:00:00"}, "from"),
        ({"from": 0}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"to": "9999-12-31T23:59:59-14:00"}, "to"),
        ({"parquet": "yes"}, "parquet"),
        ({"decisions": ["x"]}, "decisions.0"),
        ({"decisions": []}, "decisions"),
        ({"decisions": ["019ab000-0000-7000-8000-000000000000"], "to": "2026-11-22T00:00:00Z"}, "decisions"),
        ({"open": [""]}, "open.0"),
        ({"openn": []}, "openn"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_request_is_told(guarded: Guarded, body: dict[str, Any], field: str) -> None:
    """By its field."""
    answer = export(guarded, **body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_nobody_unknown_is_opened(guarded: Guarded) -> None:
    """Whoever asks for somebody whom the record does not know gets nothing."""
    decision_id = decide(guarded, somebody())
    assert export(guarded, decisions=[decision_id], open=["s-nobody-of-this-name"]).status_code == 404
    assert export(guarded, decisions=["019ab000-0000-7000-8000-000000000000"]).status_code == 404


def test_the_header_is_asked_for(guarded: Guarded) -> None:
    """Where the path leaves the id to it."""
    answer = guarded.call("privacy_officer", "GET", "/v1/subscribers/-/record")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "X-Subscriber-Id"
