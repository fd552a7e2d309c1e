"""Reading the record over HTTP: who may read what, what they get, and that it is on record that they looked."""

import datetime
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update
from sqlmodel import col

from app.record.log.sealer import Sealer
from app.record.store.tables import EntryRow
from tests.contract.conftest import Guarded
from tests.pipeline import bodies
from tests.records import leaf_hash_of

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def decided(guarded: Guarded) -> list[dict[str, Any]]:
    """Answers to agents' requests, sealed."""
    found = []
    for body in bodies(11, 6):
        body["subscriber"].pop("custom", None)
        live = {name: value for name, value in body.items() if name not in ("as_of", "contact_at", "answers", "mode")}
        live["subscriber"] = {"id": body["subscriber"]["id"], "account": {"tenure_months": 40}, "consent": {"marketing": "yes"}}
        response = guarded.call("agent", "POST", "/v1/decisions", json=live)
        assert response.status_code == 200, response.text
        found.append({**response.json(), "bytes": response.content, "subscriber": live["subscriber"]["id"]})
    seal(guarded)
    return found


def seal(guarded: Guarded) -> None:
    Sealer(guarded.record.database, guarded.record.keys, guarded.record.clock).seal()


def review(guarded: Guarded, path: str, **options: Any) -> Any:
    response = guarded.call("compliance", "GET", path, **options)
    assert response.status_code == 200, response.text
    return response.json()


def test_search(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """A reviewer finds decisions by their envelopes' codes, page by page."""
    page = review(guarded, "/v1/decisions?caller=agent&limit=4")
    ids = [entry["id"] for entry in page["entries"]]
    assert len(ids) == 4
    assert page["next"]
    rest = review(guarded, f"/v1/decisions?caller=agent&limit=100&cursor={page['next']}")
    assert {*ids, *(entry["id"] for entry in rest["entries"])} >= {item["decision_id"] for item in decided}
    assert rest["next"] is None
    assert all(entry["envelope"]["body"]["caller"] == "agent" for entry in page["entries"])


def test_search_by_subscriber(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """A subscriber's id goes into a header, and finds their decisions only; empty ones too."""
    one = decided[0]
    found = review(guarded, "/v1/decisions", headers={"x-subscriber-id": one["subscriber"]})
    assert [entry["id"] for entry in found["entries"]] == [one["decision_id"]]
    assert review(guarded, "/v1/decisions", headers={"x-subscriber-id": "nobody"})["entries"] == []
    token = found["entries"][0]["envelope"]["subject"]
    assert review(guarded, f"/v1/decisions?subject={token}")["entries"] == found["entries"]


def test_own_decisions_only(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """Who asks for decisions lists those of their own role, without envelopes."""
    found = guarded.call("agent", "GET", "/v1/decisions?limit=200").json()
    assert {entry["id"] for entry in found["entries"]} >= {item["decision_id"] for item in decided}
    assert all(entry["envelope"] is None for entry in found["entries"])
    others = guarded.call("self_service", "GET", "/v1/decisions?limit=200&role=agent&kind=read").json()["entries"]
    assert {entry["id"] for entry in others}.isdisjoint(item["decision_id"] for item in decided)
    assert {entry["kind"] for entry in others} <= {"decision"}


def test_record_of_a_decision(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """A reviewer gets everything: who asked, what was known, what was considered, the pack and its steps, the leaf."""
    one = decided[0]
    found = review(guarded, f"/v1/decisions/{one['decision_id']}/record?locale=en")
    assert found["state"] == "readable"
    assert found["envelope"]["body"]["caller"] == "agent"
    assert found["pack"]["digest"] == one["pack"]["digest"]
    assert {section["section"] for section in found["known"]} >= {"account", "consent"}
    assert found["working"]["faithful"] is True
    assert found["case"]["subscriber"]["id"] == one["subscriber"]
    assert orjson.dumps(found["answer"]) == one["bytes"]
    assert found["proof"]["leaf"] is not None
    assert found["port_out"]["in_progress"] in ("no", "unknown")
    assert found["contact"]["consent"] == {"marketing": "yes"}
    assert {"decision_id", "phase"} <= found["answer"].keys()


def test_explanation(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """In the language asked for; an agent's without scores, order and what if."""
    path = f"/v1/decisions/{decided[0]['decision_id']}/explanation"
    english, chinese = (review(guarded, f"{path}?locale={locale}") for locale in ("en", "zh-CN"))
    assert english["explanation"]["stage_title"].isascii()
    assert not chinese["explanation"]["stage_title"].isascii()
    assert english["protected"]["influence"] == []
    assert english["explanation"]["not_offered"]
    agents = guarded.call("agent", "GET", path).json()
    assert agents["order"] is None
    assert all(action["score"] is None for action in agents["explanation"]["actions"])


def test_replay(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """A decision made again gives the same bytes; with the same pack as another, the same list."""
    one = decided[0]
    found = review(guarded, f"/v1/decisions/{one['decision_id']}/replay?pack={one['pack']['digest']}")
    assert found["replay"]["verdict"] == "same_bytes"
    assert found["instead"]["same"] is True
    assert found["instead"]["actions"] == []
    unknown = guarded.call("compliance", "GET", f"/v1/decisions/{one['decision_id']}/replay?pack=sha256:{'0' * 64}")
    assert (unknown.status_code, unknown.json()["type"]) == (409, "urn:wanliu:problem:pack-unusable")


def test_proof(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """The proof leads from the envelope to the signed root, with nothing but SHA-256."""
    found = review(guarded, f"/v1/decisions/{decided[0]['decision_id']}/proof")
    assert leaf_hash_of(found["envelope"]) == found["leaf_hash"]
    checkpoint = review(guarded, "/v1/records/checkpoint?since_size=1")
    assert checkpoint["size"] >= found["size"]
    assert checkpoint["consistency"] is not None
    assert found["checkpoint"].startswith("wanliu/")


def test_not_sealed_yet(guarded: Guarded) -> None:
    """A decision that waits for its leaf is not proved yet: ask again."""
    body = {"channel": "call_centre", "subscriber": {"id": "s-waits"}}
    one = guarded.call("agent", "POST", "/v1/decisions", json=body).json()
    response = guarded.call("compliance", "GET", f"/v1/decisions/{one['decision_id']}/proof")
    assert (response.status_code, response.headers["retry-after"]) == (409, "1")
    found = review(guarded, f"/v1/decisions/{one['decision_id']}/record")
    assert found["proof"]["leaf"] is None


def test_reading_is_on_record(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """Who looked at a person's decision, and who listed them, is found on the record."""
    one = decided[1]
    for path in ("record", "explanation", "replay"):
        review(guarded, f"/v1/decisions/{one['decision_id']}/{path}")
    seal(guarded)
    found = review(guarded, "/v1/decisions?kind=read&limit=200", headers={"x-subscriber-id": one["subscriber"]})
    told = {entry["envelope"]["body"]["what"] for entry in found["entries"] if entry["envelope"]["body"].get("of") == one["decision_id"]}
    assert told == {"decision", "explanation", "replay"}
    assert {entry["envelope"]["body"]["caller"] for entry in found["entries"]} == {"compliance"}
    listed = review(guarded, "/v1/decisions?kind=read&caller=compliance&limit=200")
    assert any(entry["envelope"]["body"]["what"] == "list" for entry in listed["entries"])
    assert one["subscriber"] not in orjson.dumps(listed).decode()


def test_figures(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """Figures are of everybody: decisions, funnel, groups by pack."""
    found = review(guarded, "/v1/records/figures")
    assert found["decisions"] >= len(decided)
    assert abs(sum(row["share"] for row in found["funnel"]) - 1) < 1e-9
    assert {row["by"] for row in found["groups"]} == {"tenure", "age", "region", "tier", "channel"}


def test_pairs(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """Alike decisions with equal prices make no pair."""
    found = review(guarded, "/v1/records/pairs")
    assert found["examined"] >= len(decided)
    assert found["pairs"] == []


@pytest.mark.parametrize(
    ("query", "field", "told"),
    [
        ("chanel=app", "query", "did you mean `channel`?"),
        ("channel=call_center", "channel", "did you mean `call_centre`?"),
        ("phase=rescu", "phase", "did you mean `rescue`?"),
        ("outcome=acepted", "outcome", "did you mean `accepted`?"),
        ("cursor=abc", "cursor", "is not a cursor of this search"),
        ("since=yesterday", "since", "expected a date"),
        ("since=9999-12-31", "since", "expected a date"),
        ("until=9999-12-31", "until", "expected a date"),
        ("limit=0", "limit", ""),
        ("limit=201", "limit", ""),
        ("subject=me", "subject", ""),
        ("agent=", "agent", ""),
    ],
)
def test_wrong_searches(guarded: Guarded, query: str, field: str, told: str) -> None:
    """A wrong filter is refused by its name, with the nearest right value."""
    response = guarded.call("compliance", "GET", f"/v1/decisions?{query}")
    assert response.status_code == 422
    errors = {error["field"].partition(".")[0]: error["message"] for error in response.json()["errors"]}
    assert any(name == field or field in name for name in errors), errors
    assert told in " ".join(errors.values())


@pytest.mark.parametrize("path", ["record", "explanation", "replay", "proof"])
def test_unknown_decision(guarded: Guarded, path: str) -> None:
    """Of a decision that there is not, nothing is read."""
    response = guarded.call("compliance", "GET", f"/v1/decisions/01939c00-0000-7000-8000-000000000000/{path}")
    assert response.status_code == 404


@pytest.mark.parametrize("role", ["agent", "self_service", "campaign", "author", "operations"])
def test_reviewers_only(guarded: Guarded, decided: list[dict[str, Any]], role: str) -> None:
    """Replay, proof and the whole record are for reviewers."""
    for path in ("record", "replay", "proof"):
        assert guarded.call(role, "GET", f"/v1/decisions/{decided[0]['decision_id']}/{path}").status_code == 403
    assert guarded.call(role, "GET", "/v1/records/figures").status_code == 403


@pytest.mark.parametrize("query", ["since=9999-12-31", "until=9999-12-31", "since=0001-01-01", "until=2026-02-30", "most=1", "pack=x"])
def test_wrong_pairs(guarded: Guarded, query: str) -> None:
    """Days at the ends of time, and whatever else cannot be looked for, are refused by their field."""
    response = guarded.call("compliance", "GET", f"/v1/records/pairs?{query}")
    assert response.status_code == 422, response.text
    assert query.partition("=")[0] in [error["field"] for error in response.json()["errors"]]


@pytest.fixture
def damaged(guarded: Guarded, decided: list[dict[str, Any]]) -> Iterator[str]:
    """A decision whose private payload somebody changed."""
    one = decided[0]["decision_id"]
    look, row = select(col(EntryRow.private)).where(col(EntryRow.id) == one), update(EntryRow).where(col(EntryRow.id) == one)
    kept = guarded.record.read_now(lambda connection: connection.execute(look).scalar_one())
    with guarded.record.database.writing() as connection:
        connection.execute(row.values(private=b"x" * 64))
    yield one
    with guarded.record.database.writing() as connection:
        connection.execute(row.values(private=kept))


@pytest.mark.parametrize("path", ["", "/record", "/explanation", "/replay", "/proof"])
def test_what_was_changed_is_not_shown(guarded: Guarded, damaged: str, path: str) -> None:
    """A decision that is not what was recorded is a problem of its own, which the document lists."""
    response = guarded.call("compliance", "GET", f"/v1/decisions/{damaged}{path}")
    assert (response.status_code, response.json()["type"]) == (500, "urn:wanliu:problem:damaged")
    document = guarded.http.get("/openapi.json").json()
    assert "`damaged`" in document["paths"][f"/v1/decisions/{{decision_id}}{path}"]["get"]["responses"]["500"]["description"]


def test_days_of_figures(guarded: Guarded) -> None:
    """Days the wrong way round, or too many of them, are refused."""
    today = datetime.datetime.now(datetime.UTC).date()
    for query in (f"since={today}&until=2026-01-01", "since=2020-01-01&until=2026-01-01", "since=yesterday", "until=0"):
        assert guarded.call("compliance", "GET", f"/v1/records/figures?{query}").status_code == 422
    assert review(guarded, "/v1/records/figures?since=2026-01-01&until=2026-01-31")["decisions"] == 0


def test_decisions_of_other_roles(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """What another role asked for is not explained: it is as if it were not there."""
    path = f"/v1/decisions/{decided[0]['decision_id']}/explanation"
    assert guarded.call("self_service", "GET", path).status_code == 404
    assert guarded.call("agent", "GET", path).status_code == 200
