"""Reading the record over HTTP: who may read what, what they get, and that it is on record that they looked."""

import datetime
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update
from sqlmodel import col

from app.record.log.sealer import Sealer
from app.record.reading.consulting import explained
from app.record.store.tables import EntryRow, PackRow
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


def test_a_search_tells_only_the_fields_that_are_wanted(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """Of each entry, in the order asked for; the page goes on as always. One that there is not is refused, with the nearest."""
    whole = review(guarded, "/v1/decisions?caller=agent&limit=4")
    page = review(guarded, "/v1/decisions?caller=agent&limit=4&fields=at,id")
    assert [list(entry) for entry in page["entries"]] == [["at", "id"]] * 4
    assert page == {**whole, "entries": [{"at": entry["at"], "id": entry["id"]} for entry in whole["entries"]]}
    refused = guarded.call("compliance", "GET", "/v1/decisions?fields=envelop")
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"field": "fields", "message": "`envelop` is no field of the answer; did you mean `envelope`?"}]


def test_no_field_shows_what_a_caller_may_not_see(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """Who reads their own decisions only sees no envelope, whatever fields they ask for."""
    page = guarded.call("agent", "GET", "/v1/decisions?fields=id,envelope").json()
    assert page["entries"]
    assert {entry["envelope"] for entry in page["entries"]} == {None}


def test_search_by_subscriber(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """A subscriber's id goes into a header, and finds their decisions only; empty ones too."""
    one = decided[0]
    found = review(guarded, "/v1/decisions", headers={"x-subscriber-id": one["subscriber"]})
    assert [entry["id"] for entry in found["entries"]] == [one["decision_id"]]
    token = found["entries"][0]["envelope"]["subject"]
    for path, headers in (
        (f"/v1/decisions?subject={token}", {}),
        (f"/v1/decisions?subject={token}", {"x-subscriber-id": one["subscriber"]}),
    ):
        assert review(guarded, path, headers=headers)["entries"] == found["entries"]
    other = {"x-subscriber-id": decided[1]["subscriber"]}
    [error] = guarded.call("compliance", "GET", f"/v1/decisions?subject={token}", headers=other).json()["errors"]
    assert error == {"field": "subject", "message": "is not the token of whom `X-Subscriber-Id` names; leave one of them out"}


@pytest.mark.parametrize("role", ["compliance", "privacy_officer", "agent"])
@pytest.mark.parametrize(("query", "subscriber"), [("", "nobody"), ("", "S-1"), ("?subject=" + "0" * 32, None)])
def test_nobody_is_not_nothing(guarded: Guarded, role: str, query: str, subscriber: str | None) -> None:
    """Of somebody who is not on record it is said so: an empty list would say that nothing was decided.

    Who lists their own decisions is told that there are none of theirs, whether others know the person or not.
    """
    headers = {} if subscriber is None else {"x-subscriber-id": subscriber}
    response = guarded.call(role, "GET", f"/v1/decisions{query}", headers=headers)
    if role == "agent":
        assert response.json()["entries"] == []
    else:
        assert (response.status_code, response.json()["detail"]) == (404, "nobody on record has this id: never met, or erased")


@pytest.mark.parametrize("subscriber", ["", "s 1002", "a\tb", "%", "%FF%FE", "s%2D1", "\u5f20\u4e09", "x" * 65, "-1"])
def test_an_id_that_nobody_can_have(guarded: Guarded, subscriber: str) -> None:
    """What no decision can be asked about is no id to search by either, and is not repeated."""
    response = guarded.call("compliance", "GET", "/v1/decisions", headers={"x-subscriber-id": subscriber.encode()})
    assert response.status_code == 422
    message = "expected 1 to 64 characters: letters or digits, then also _ . : @ + -"
    assert response.json()["errors"] == [{"field": "X-Subscriber-Id", "message": message}]


def test_a_pack_by_the_beginning_of_its_digest(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """As tables print it, wherever a pack is asked for; one that there is not is told with what is near."""
    digest = decided[0]["pack"]["digest"]
    publish(guarded, digest)
    short = digest.removeprefix("sha256:")[:12]
    everything = review(guarded, f"/v1/decisions?pack={digest}")["entries"]
    assert [entry["id"] for entry in review(guarded, f"/v1/decisions?pack={short}")["entries"]] == [entry["id"] for entry in everything]
    replayed = review(guarded, f"/v1/decisions/{decided[0]['decision_id']}/replay?pack={short}")
    assert replayed["instead"]["same"] is True
    assert review(guarded, f"/v1/records/figures?pack={short}") == review(guarded, f"/v1/records/figures?pack={digest}")
    assert review(guarded, f"/v1/records/pairs?pack={short}")["examined"] >= len(decided)
    near = short[:11] + ("0" if short[11] != "0" else "1")
    for path in ("", f"/{decided[0]['decision_id']}/replay"):
        [error] = guarded.call("compliance", "GET", f"/v1/decisions{path}?pack={near}").json()["errors"]
        assert error == {"field": "pack", "message": f"no pack has this digest; did you mean `{short}`?"}


def publish(guarded: Guarded, digest: str) -> None:
    """Put the pack that decided among those that were published."""
    files = guarded.http.app.state.services.packs.library.content(digest).packed()  # type: ignore[attr-defined]
    row = {"digest": digest, "name": "telco-reference", "version": "1", "at": "2026-11-22", "author": "ann", "files": files}
    with guarded.record.database.writing() as connection:
        guarded.record.database.insert_missing(connection, PackRow, [row])


def test_own_decisions_only(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """Who asks for decisions lists those of their own system, without envelopes."""
    found = guarded.call("agent", "GET", "/v1/decisions?limit=200").json()
    assert {entry["id"] for entry in found["entries"]} >= {item["decision_id"] for item in decided}
    assert all(entry["envelope"] is None for entry in found["entries"])
    others = guarded.call("self_service", "GET", "/v1/decisions?limit=200&role=self_service&kind=decision").json()["entries"]
    assert {entry["id"] for entry in others}.isdisjoint(item["decision_id"] for item in decided)
    assert {entry["kind"] for entry in others} <= {"decision"}


@pytest.mark.parametrize(
    ("role", "query", "says"),
    [
        ("agent", "kind=read", "the role `agent` lists entries of the kind decision only; leave `kind` out, or ask for these"),
        ("agent", "kind=decision&kind=read", "of the kind decision only"),
        ("campaign", "role=agent", "the role `campaign` lists entries of the role campaign only"),
        ("privacy_officer", "kind=decision", "lists entries of the kind read erasure hold only"),
    ],
)
def test_a_filter_beyond_the_role_is_refused(guarded: Guarded, role: str, query: str, says: str) -> None:
    """It is not passed over: what came would look like the answer."""
    response = guarded.call(role, "GET", f"/v1/decisions?{query}")
    assert (response.status_code, response.json()["type"]) == (403, "urn:wanliu:problem:forbidden")
    [error] = response.json()["errors"]
    assert error["field"] == query.partition("=")[0]
    assert says in error["message"]
    assert response.json()["detail"] is None  # it is said once


def test_who_looked_is_for_the_privacy_officer_too(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """With envelopes, of the kinds that concern the office and no others."""
    review(guarded, f"/v1/decisions/{decided[2]['decision_id']}/record")
    seal(guarded)
    found = guarded.call("privacy_officer", "GET", "/v1/decisions", headers={"x-subscriber-id": decided[2]["subscriber"]}).json()["entries"]
    assert decided[2]["decision_id"] in [entry["envelope"]["body"].get("of") for entry in found]
    assert {entry["kind"] for entry in found} == {"read"}


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


def test_no_what_if_is_worked_out_for_who_does_not_see_it(
    guarded: Guarded, decided: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent asks for the words alone: smallest changes and protected facts are not looked for, only to be dropped."""
    path = f"/v1/decisions/{decided[0]['decision_id']}/explanation?locale=en"
    whole = review(guarded, path)
    monkeypatch.setattr("app.api.reading.consulting.explained", None)
    agents = guarded.call("agent", "GET", path)
    assert agents.status_code == 200, agents.text
    seen = agents.json()["explanation"]
    assert seen["stage"] == whole["explanation"]["stage"]
    assert [item["text"] for item in seen["not_offered"]]
    assert all(item["text"] for item in seen["not_offered"])


def test_scores_in_the_order_are_told_to_two_decimals(
    guarded: Guarded, decided: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the actions tell them; their factors to four."""

    def finely(*given: Any) -> Any:
        told = explained(*given)
        parts = {"propensity": 0.123456, "value": 9.876543, "relevance": 1.0, "lever": None}
        return replace(told, order=[replace(item, score=28142.160000000003, behind=0.1 * 3, parts=parts) for item in told.order])

    monkeypatch.setattr("app.api.reading.consulting.explained", finely)
    offering = next(answer for answer in decided if answer["actions"])
    first = review(guarded, f"/v1/decisions/{offering['decision_id']}/explanation")["order"][0]
    assert (first["score"], first["behind"]) == (28142.16, 0.3)
    assert first["parts"] == {"propensity": 0.1235, "value": 9.88, "relevance": 1.0, "lever": None}


def test_replay(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """A decision made again gives the same bytes; with the same pack as another, the same list."""
    one = decided[0]
    publish(guarded, one["pack"]["digest"])
    found = review(guarded, f"/v1/decisions/{one['decision_id']}/replay?pack={one['pack']['digest']}")
    assert found["replay"]["verdict"] == "same_bytes"
    assert found["instead"]["same"] is True
    assert found["instead"]["actions"] == []
    unknown = guarded.call("compliance", "GET", f"/v1/decisions/{one['decision_id']}/replay?pack=sha256:{'0' * 64}")
    [error] = unknown.json()["errors"]
    assert (unknown.status_code, error["field"]) == (422, "pack")
    assert error["message"].startswith("no pack has this digest; ")


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


def test_a_plus_may_be_lost(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """A `+` in an address stands for a space: the offset of a time is read all the same."""
    for plus in ("%2B", "+", "%20"):
        assert review(guarded, f"/v1/decisions?since=2026-01-01T08:00:00{plus}08:00")["entries"]
        assert guarded.call("compliance", "GET", f"/v1/decisions?since=yesterday{plus}08:00").status_code == 422


def test_pairs(guarded: Guarded, decided: list[dict[str, Any]]) -> None:
    """Alike decisions with equal prices make no pair."""
    found = review(guarded, "/v1/records/pairs")
    assert found["examined"] >= len(decided)
    assert found["pairs"] == []


@pytest.mark.parametrize(
    ("query", "field", "told"),
    [
        ("chanel=app", "chanel", "did you mean `channel`?"),
        ("subscriber=s-1003", "subscriber", "is no parameter of this call; send it as the header `X-Subscriber-Id`"),
        ("subscriberId=s-1003", "subscriberId", "send it as the header `X-Subscriber-Id`"),
        ("x-subscriber-id=s-1003", "query", "send it as the header `X-Subscriber-Id`"),
        ("subscribr=s-1003", "subscribr", "send it as the header `X-Subscriber-Id`"),
        ("fields=envelop", "fields", "`envelop` is no field of the answer; did you mean `envelope`?"),
        ("channel=call_center", "channel", "did you mean `call_centre`?"),
        ("phase=rescu", "phase", "did you mean `rescue`?"),
        ("outcome=acepted", "outcome", "did you mean `accepted`?"),
        ("cursor=abc", "cursor", "is not a cursor of this search"),
        ("since=yesterday", "since", "expected a date"),
        ("since=9999-12-31", "since", "expected a date"),
        ("until=9999-12-31", "until", "expected a date"),
        ("limit=0", "limit", "expected a whole number from 1 to 200"),
        ("limit=201", "limit", "expected a whole number from 1 to 200"),
        ("limit=many", "limit", "expected a whole number from 1 to 200"),
        ("limit=5&limit=6", "limit", "is given twice; give it once"),
        ("subject=me", "subject", "32 of 0-9 a-f"),
        ("agent=", "agent", "expected 1 to 200 printable characters"),
        ("agent=Ms%20Li,%2013912345678", "agent", "expected an agent's code: letters, Chinese characters or digits"),
        ("since=" + "2" * 50, "since", "expected a date such as 2026-11-01, or a time such as"),
        ("cursor=", "cursor", "the `next` of the page before"),
        ("pack=sha256:zz", "pack", "no pack "),
        ("signal=four_high.tariff:sever", "signal", "the signal has no such level; did you mean `severe`?"),
        ("caller=complianc", "caller", "nobody of this name ever called; did you mean `compliance`?"),
        ("channel=" + "&channel=".join(["app"] * 11), "channel", "expected at most 10 entries"),
    ],
)
def test_wrong_searches(guarded: Guarded, query: str, field: str, told: str) -> None:
    """A wrong filter is refused by its name, with the nearest right value."""
    response = guarded.call("compliance", "GET", f"/v1/decisions?{query}")
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["field"] == field
    assert told in error["message"]


@pytest.mark.parametrize(
    ("path", "field", "says"),
    [
        ("/v1/records/figures?sinse=2026-11-01", "sinse", "did you mean `since`?"),
        ("/v1/records/figures?x=1", "x", "there are since, until, pack"),
        ("/v1/records/pairs?untill=2026-11-01", "untill", "did you mean `until`?"),
        ("/v1/records/checkpoint?size=1", "size", "there is only `since_size`"),
        ("/v1/decisions/{id}?locale=en", "locale", "there is only `fields`"),
        ("/v1/decisions/{id}/record?lokale=en", "lokale", "did you mean `locale`?"),
        ("/v1/decisions/{id}/replay?pk=1", "pk", "did you mean `pack`?"),
        ("/v1/decisions/{id}/proof?locale=en", "locale", "there is none"),
        ("/v1/packs?page=2", "page", "there are limit, cursor, fields"),
        ("/v1/subscribers/-/record?subscriber=13912345678", "subscriber", "send it as the header `X-Subscriber-Id`"),
    ],
)
def test_a_parameter_that_there_is_not(guarded: Guarded, path: str, field: str, says: str) -> None:
    """It is refused by its name, with what was meant: what it asked for would be missing from the answer in silence."""
    response = guarded.call("compliance", "GET", path.format(id="01939c00-0000-7000-8000-000000000000"))
    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": field, "message": f"is no parameter of this call; {says}"}]


def test_a_parameter_whose_name_may_be_a_person(guarded: Guarded) -> None:
    """It is refused, and not repeated: it may be somebody's number."""
    path = "/v1/decisions/01939c00-0000-7000-8000-000000000000/explanation?13912345678=1"
    told = {"field": "query", "message": "has a parameter that there is not; there is only `locale`"}
    assert guarded.call("compliance", "GET", path).json()["errors"] == [told]


def test_each_parameter_that_there_is_not(guarded: Guarded) -> None:
    """All of them are told at once, each with what was meant."""
    found = guarded.call("compliance", "GET", "/v1/decisions?phase=prevention&fase=x&sinc=2026-11-01&offerd=a&fase=y").json()["errors"]
    assert [(error["field"], error["message"].rpartition("; ")[2]) for error in found] == [
        ("fase", "did you mean `phase`?"),
        ("sinc", "did you mean `since`?"),
        ("offerd", "did you mean `offered`?"),
    ]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("limit=0&phase=rescu&fields=envelop&until=yesterday", ["limit", "fields", "phase", "until"]),
        ("since=" + "2" * 50 + "&channel=call_center&subject=me", ["since", "subject", "channel"]),
        ("fase=x&limit=0&since=" + "2" * 50, ["fase", "limit", "since"]),
        ("limit=0&limit=0&subject=me", ["limit", "subject"]),
    ],
)
def test_each_mistake_of_a_search(guarded: Guarded, query: str, fields: list[str]) -> None:
    """All of them are told at once: names that there are not, values of another form, and values that nothing on record has."""
    response = guarded.call("compliance", "GET", f"/v1/decisions?{query}")
    assert response.status_code == 422
    assert sorted(error["field"] for error in response.json()["errors"]) == sorted(fields)


def test_each_mistake_of_figures(guarded: Guarded) -> None:
    """A name that there is not, and a value that cannot be."""
    found = guarded.call("compliance", "GET", "/v1/records/figures?sinse=2026-11-01&until=yesterday&pack=x").json()["errors"]
    assert [error["field"] for error in found] == ["sinse", "until", "pack"]


@pytest.mark.parametrize(
    ("path", "field"),
    [("/v1/records/figures?since=2026-11-01&since=2026-11-02", "since"), ("/v1/packs?limit=5&limit=5", "limit")],
)
def test_a_parameter_given_twice(guarded: Guarded, path: str, field: str) -> None:
    """Which of the two is meant nobody knows; of a header too."""
    response = guarded.call("compliance", "GET", path)
    assert (response.status_code, response.json()["errors"]) == (422, [{"field": field, "message": "is given twice; give it once"}])
    key = f"Bearer {guarded.keys['compliance']}"
    headers = [("authorization", key), ("x-subscriber-id", "s-1"), ("x-subscriber-id", "s-2")]
    twice = guarded.http.get("/v1/decisions", headers=headers)
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (422, "X-Subscriber-Id")


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
    """Days at the ends of time, and whatever else cannot be looked for, are refused by their field, with what is expected there."""
    response = guarded.call("compliance", "GET", f"/v1/records/pairs?{query}")
    assert response.status_code == 422, response.text
    messages = {error["field"]: error["message"] for error in response.json()["errors"]}
    assert messages[query.partition("=")[0]].startswith("expected a ")


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
