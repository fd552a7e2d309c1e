"""Who may do what: every role with every credential over every route of the document, and over what belongs to others."""

import time

import pytest
from sqlalchemy import insert

from app.api.permissions import EVERYBODY, PERMISSIONS
from app.engine.view import SIGHTS
from app.record.callers import ROLES, hash_of
from app.record.erasing.persons import erase
from app.record.log.sealer import Sealer
from app.record.store.database import stamp
from app.record.store.tables import CallerRow
from tests.contract.conftest import Guarded
from tests.contract.walking import CLOSED, DOCUMENT, LIVE, OWNED, ROUTES, UNKNOWN, Thing, ask, asked, decide, served
from tests.tokens import Issuer

pytestmark = pytest.mark.contract

GRADES = sorted(grade for role, grade in SIGHTS if role == "agent" and grade)
LISTING = ("list", "recommendations", "webhooks")


@pytest.fixture(scope="module")
def walked(guarded: Guarded) -> Guarded:
    """With callers of every role, by key and by token, agents of every grade, and a customer who comes with an old key."""
    for role in ROLES:
        guarded.name(f"token:{role}", role, "s-7001", azp=f"walk-{role.replace('_', '-')}")
    for grade in GRADES:
        guarded.name(f"token:agent:{grade}", "agent", f"a-{grade}", azp="walk-agent", grade=grade)
        guarded.add(f"walk-{grade}", "agent", grade)
    row = {
        "name": "old-app",
        "role": "self_service",
        "secret_hash": hash_of("wl_old"),
        "since": stamp(guarded.record.clock()),
        "made_by": "t",
    }
    with guarded.record.database.writing() as connection:
        connection.execute(insert(CallerRow), row)
    guarded.keys["old-app"] = "wl_old"
    guarded.look()
    return guarded


def test_no_route_is_forgotten() -> None:
    """Each has its roles, and each with a parameter in its path says whose that is; the tables have none that does not exist.

    What the document leaves out, pages for people, asks nobody who they are.
    """
    assert PERMISSIONS.keys() == served()
    assert {PERMISSIONS[route] for route in PERMISSIONS.keys() - set(ROUTES)} <= {EVERYBODY}
    assert {route for route in CLOSED if "{" in route} <= OWNED.keys()
    assert OWNED.keys() <= set(CLOSED)


@pytest.mark.parametrize("route", CLOSED)
def test_every_role_may_what_the_table_says(walked: Guarded, route: str) -> None:
    """With a key, with a token, of whatever grade: who may not is told so, whatever else is wrong; who may is never told so."""
    method, path = asked(route)
    callers = [(role, role) for role in ROLES] + [(f"token:{role}", role) for role in ROLES]
    callers += [(f"{kind}{grade}", "agent") for grade in GRADES for kind in ("token:agent:", "walk-")]
    for name, role in callers:
        told = walked.call(name, method, path)
        refused = role not in PERMISSIONS[route]
        assert (told.status_code == 403) == refused, (name, told.text)
        assert told.status_code != 401, name
        if refused:
            assert f"the role `{role}` may not do this" in told.text


@pytest.mark.parametrize("route", CLOSED)
def test_a_key_names_no_customer(walked: Guarded, route: str) -> None:
    """A key with the role of customers, from before there were tokens, opens nothing; the answer says what does."""
    told = walked.call("old-app", *asked(route))
    assert told.status_code == 403
    if "self_service" in PERMISSIONS[route]:
        assert "self_service comes with a token whose subject is the subscriber" in told.text


def credentials(issuer: Issuer) -> dict[str, list[tuple[str, str]]]:
    """Headers that make nobody of a caller, by what is wrong with them."""
    good, other, now = issuer.token("compliance", "ann"), Issuer(), int(time.time())
    return {
        "none": [],
        "no scheme": [("authorization", good)],
        "another scheme": [("authorization", f"Basic {good}")],
        "a token as a key": [("x-api-key", good)],
        "nothing": [("authorization", "Bearer ")],
        "nobody's key": [("x-api-key", "wl_" + "x" * 43)],
        "nobody's bearer": [("authorization", "Bearer wl_" + "x" * 43)],
        "another issuer's key": [("authorization", f"Bearer {other.token('compliance', 'ann')}")],
        "expired": [("authorization", f"Bearer {issuer.token('compliance', 'ann', exp=now - 3600)}")],
        "not yet": [("authorization", f"Bearer {issuer.token('compliance', 'ann', nbf=now + 3600)}")],
        "another service": [("authorization", f"Bearer {issuer.token('compliance', 'ann', aud='other')}")],
        "two": [("authorization", f"Bearer {good}"), ("authorization", f"Bearer {good}")],
        "two keys": [("x-api-key", "a"), ("x-api-key", "b")],
        "both": [("authorization", f"Bearer {good}"), ("x-api-key", "wl_x")],
        "cut": [("authorization", f"Bearer {good[:-4]}")],
        "huge": [("authorization", f"Bearer {'a' * 9_000}.b.c")],
    }


@pytest.mark.parametrize("route", CLOSED)
def test_whom_nobody_knows_gets_nothing(walked: Guarded, route: str) -> None:
    """No credentials, wrong ones, or more than one: 401 that says how or why, and never repeats them."""
    method, path = asked(route)
    for wrong, headers in credentials(walked.issuer).items():
        told = walked.http.request(method, path, headers=headers)
        assert told.status_code == 401, (wrong, told.text)
        challenge = told.headers["www-authenticate"]
        assert challenge.startswith('Bearer realm="wanliu"')
        unsent = wrong in ("none", "no scheme", "another scheme")
        assert ("error=" in challenge, "error_description=" in challenge) == (not unsent, not unsent), wrong
        assert not any(len(value) > 20 and value[-20:] in told.text + challenge for _, value in headers), wrong


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer ", "bEaReR  "])
def test_the_scheme_is_of_any_case(walked: Guarded, scheme: str) -> None:
    """As RFC 9110 has it, with more than one space too."""
    headers = {"authorization": f"{scheme} {walked.keys['token:compliance']}"}
    assert walked.http.get("/v1/decisions", headers=headers).status_code == 200


@pytest.mark.parametrize("route", [route for route in ROUTES if PERMISSIONS.get(route) is EVERYBODY])
def test_what_is_open_asks_nobody(walked: Guarded, route: str) -> None:
    """With wrong credentials as without."""
    for headers in ({}, {"authorization": "Bearer a.b.c"}):
        assert walked.http.request(*asked(route), headers=headers).status_code in (200, 503)


@pytest.mark.parametrize("route", ROUTES)
def test_the_document_says_who_may(route: str) -> None:
    """Each operation names its credentials and its roles, or that none are needed."""
    method, path = route.split(" ", 1)
    operation = DOCUMENT["paths"][path][method.lower()]
    if PERMISSIONS[route] is EVERYBODY:
        assert operation["security"] == []
    else:
        assert operation["security"] == [{"bearer": []}, {"apiKey": []}]
        assert operation["x-roles"] == sorted(PERMISSIONS[route])
        assert {"401", "403"} <= operation["responses"].keys()


READERS = (
    "desk",
    "desk-2",
    "other-desk",
    "ann",
    "bob",
    "lead",
    "far-lead",
    "engine",
    "engine-2",
    "one",
    "one-web",
    "two",
    "gone",
    "compliance",
)


@pytest.fixture(scope="module")
def things(walked: Guarded) -> dict[str, Thing]:
    """Decisions of everybody, sealed, and one about somebody who was erased since."""
    walked.add("desk", "agent")
    walked.add("desk-2", "agent", beside="desk")
    walked.add("other-desk", "agent")
    walked.add("engine", "campaign")
    walked.add("engine-2", "campaign")
    walked.look()
    for name, code, grade in (("ann", "a-1", None), ("bob", "a-2", None), ("lead", "a-3", "leader")):
        walked.name(name, "agent", code, azp="crm", grade=grade)
    walked.name("far-lead", "agent", "a-4", azp="far-crm", grade="leader")
    for name, subscriber, client in (
        ("one", "s-7001", "app"),
        ("one-web", "s-7001", "web"),
        ("two", "s-7002", "app"),
        ("gone", "s-7009", "app"),
    ):
        walked.name(name, "self_service", subscriber, azp=client)
    made = {
        "desk": decide(walked, "desk", "s-7001", "desk-2"),
        "desk-2": decide(walked, "desk-2", "s-7001", "desk"),
        "other-desk": decide(walked, "other-desk", "s-7001"),
        "ann": decide(walked, "ann", "s-7001", "lead"),
        "bob": decide(walked, "bob", "s-7001", "lead"),
        "lead": decide(walked, "lead", "s-7001"),
        "engine": decide(walked, "engine", "s-7001"),
        "engine-2": decide(walked, "engine-2", "s-7001"),
        "one": decide(walked, "one", "s-7001", "one-web"),
        "two": decide(walked, "two", "s-7002"),
        "gone": decide(walked, "gone", "s-7009"),
        "desk about gone": decide(walked, "desk", "s-7009", "desk-2"),
    }
    record = walked.record
    Sealer(record.database, record.keys, record.clock).seal()
    erase(record, "s-7009", basis="asked for it", by="tests")
    return made


@pytest.mark.parametrize("route", [route for route, of in OWNED.items() if of == "decision"])
@pytest.mark.parametrize("reader", READERS)
def test_other_peoples_decisions_are_not_there(walked: Guarded, things: dict[str, Thing], reader: str, route: str) -> None:
    """Somebody else's is answered like one that there never was, to the byte; one's own, and their system's, is there."""
    unknown = ask(walked, reader, route)
    assert unknown.status_code in (403, 404)
    for name, thing in things.items():
        told = ask(walked, reader, route, thing)
        if unknown.status_code == 403:
            assert told.status_code == 403, name
        elif reader == "gone" or reader not in thing.seen_by - ({"gone"} if "gone" in name else set()):
            assert (told.status_code, told.content) == (404, unknown.content), (name, told.text)
        else:
            assert told.status_code == (200 if "gone" not in name else told.status_code), (name, told.text)
            assert told.status_code in (200, 410), (name, told.text)


@pytest.mark.parametrize("reader", READERS)
def test_lists_have_ones_own_only(walked: Guarded, things: dict[str, Thing], reader: str) -> None:
    """A search finds every decision that may be read, and no other."""
    found = walked.call(reader, "GET", "/v1/decisions?limit=200").json()["entries"]
    own = {thing.id for name, thing in things.items() if reader in thing.seen_by and reader != "gone"}
    assert {entry["id"] for entry in found} & {thing.id for thing in things.values()} == own
    assert all(entry["envelope"] is None for entry in found) == (reader != "compliance")


@pytest.mark.parametrize(
    ("reader", "query"),
    [
        ("ann", "agent=a-2"),
        ("ann", "caller=desk"),
        ("ann", "role=campaign"),
        ("ann", "kind=read"),
        ("ann", "signal=churn.score_high"),
        ("lead", "signal=churn.usage_fall:high"),
        ("lead", "caller=desk"),
        ("engine", "caller=engine-2"),
        ("one", "role=agent"),
        ("one", "signal=four_high.tariff"),
        ("one", "phase=rescue"),
        ("one", "stage=stable"),
        ("one", "clause=contact.quiet_hours"),
        ("one", "suppressed=tariff_pack"),
        ("one", "caller=app"),
        ("one", "agent=a-1"),
        ("one", "empty=suppressed"),
        ("one", "subject=" + "0" * 32),
    ],
)
def test_filters_reach_no_further(walked: Guarded, things: dict[str, Thing], reader: str, query: str) -> None:
    """Nobody asks for other people's entries, nor by what their answers leave out: 403, with the filter's name."""
    told = walked.call(reader, "GET", f"/v1/decisions?{query}")
    assert (told.status_code, [error["field"] for error in told.json()["errors"]]) == (403, [query.partition("=")[0]])


@pytest.mark.parametrize(
    ("reader", "query"), [("lead", "signal=vip.watch"), ("desk", "caller=desk-2"), ("lead", "agent=a-1"), ("one", "outcome=shown")]
)
def test_filters_that_are_seen_may_be_used(walked: Guarded, things: dict[str, Thing], reader: str, query: str) -> None:
    """Within what somebody sees anyway."""
    told = walked.call(reader, "GET", f"/v1/decisions?{query}")
    assert told.status_code in (200, 422), told.text
    if query.startswith(("caller", "agent")):
        name = {"caller=desk-2": "desk-2", "agent=a-1": "ann"}[query]
        assert things[name].id in [entry["id"] for entry in told.json()["entries"]]
        assert things[reader].id not in [entry["id"] for entry in told.json()["entries"]]


@pytest.mark.parametrize("reader", ["ann", "one", "engine"])
def test_a_search_does_not_tell_who_is_known(walked: Guarded, things: dict[str, Thing], reader: str) -> None:
    """Somebody whom only others met, and somebody whom nobody met, are found the same: not at all. Customers name nobody else."""
    answers = [walked.call(reader, "GET", "/v1/decisions", headers={"x-subscriber-id": who}) for who in ("s-7002", "s-never-met")]
    assert answers[0].status_code == answers[1].status_code == (403 if reader == "one" else 200)
    assert answers[0].json().get("entries") == answers[1].json().get("entries") == (None if reader == "one" else [])


def test_a_customer_asks_about_themselves(walked: Guarded, things: dict[str, Thing]) -> None:
    """The subscriber is the token's: left out it is filled in; another is refused in the same words whether there is one or not."""
    without = {name: value for name, value in LIVE["subscriber"].items() if name != "id"}
    assert walked.call("one", "POST", "/v1/decisions", json={**LIVE, "subscriber": without}).status_code == 200
    same = {**LIVE, "subscriber": {**without, "id": "s-7001"}}
    assert walked.call("one", "POST", "/v1/decisions", json=same).status_code == 200
    others = [
        walked.call("one", "POST", "/v1/decisions", json={**LIVE, "subscriber": {**without, "id": who}})
        for who in ("s-7002", "s-never-met")
    ]
    assert [told.status_code for told in others] == [403, 403]
    assert others[0].content == others[1].content
    assert [error["field"] for error in others[0].json()["errors"]] == ["subscriber.id"]
    assert "s-7002" not in others[0].text


def test_others_say_whom_they_ask_about(walked: Guarded, things: dict[str, Thing]) -> None:
    """Nothing is filled in for an agent."""
    without = {name: value for name, value in LIVE["subscriber"].items() if name != "id"}
    told = walked.call("ann", "POST", "/v1/decisions", json={**LIVE, "subscriber": without})
    assert (told.status_code, told.json()["errors"][0]["field"]) == (422, "subscriber.id")


@pytest.mark.parametrize(
    ("name", "extra", "status", "field"),
    [
        ("one", {"agent": "a-1"}, 403, "agent"),
        ("one", {"mode": "what_if"}, 403, None),
        ("ann", {"agent": "a-2"}, 403, "agent"),
        ("ann", {"agent": "a-1"}, 200, None),
        ("desk", {"agent": "a-9"}, 200, None),
    ],
)
def test_nobody_speaks_for_another(
    walked: Guarded, things: dict[str, Thing], name: str, extra: dict[str, str], status: int, field: str | None
) -> None:
    """The agent whom a token names is the one on record; customers have none in between."""
    subscriber = {**LIVE["subscriber"], "id": "s-7001"}
    told = walked.call(name, "POST", "/v1/decisions", json={**LIVE, "subscriber": subscriber, **extra})
    assert told.status_code == status, told.text
    if field is not None:
        assert [error["field"] for error in told.json()["errors"]] == [field]


def test_the_record_has_the_agent_and_the_grade(walked: Guarded, things: dict[str, Thing]) -> None:
    """Of the token, in the decision, in what is told of it, and in the note of who looked."""
    told = walked.call("compliance", "GET", f"/v1/decisions/{things['lead'].id}/record").json()
    assert '"agent":"a-3"' in str(orjson_text(told))
    assert '"grade":"leader"' in str(orjson_text(told))
    walked.call("ann", "GET", f"/v1/decisions/{things['ann'].id}")
    record = walked.record
    Sealer(record.database, record.keys, record.clock).seal()
    notes = walked.call("compliance", "GET", "/v1/decisions?kind=read&agent=a-1").json()["entries"]
    assert notes[0]["envelope"]["body"]["of"] == things["ann"].id


def orjson_text(value: object) -> str:
    import orjson

    return orjson.dumps(value).decode()


def test_what_a_leader_was_told_a_plain_agent_reads_without_it(walked: Guarded) -> None:
    """A desktop whose key has no grade sees its system's decisions without what its leader's answer had more; each sees it as they may."""
    walked.add("plain", "agent")
    walked.add("chief", "agent", "manager", beside="plain")
    walked.look()
    thing = decide(walked, "chief", "s-7003", "plain")
    path = f"/v1/decisions/{thing.id}"
    full, narrow = walked.call("chief", "GET", path).json(), walked.call("plain", "GET", path).json()
    assert full["actions"][0]["score"] is not None
    assert narrow["actions"][0]["score"] is None
    assert narrow["actions"][0]["script"] == full["actions"][0]["script"]
    assert list(narrow) == list(full)
    assert walked.call("compliance", "GET", path).json() == full
    assert walked.call("plain", "GET", f"{path}/explanation").json()["explanation"]["actions"][0]["score"] is None


def test_a_repeated_request_is_ones_own(walked: Guarded, things: dict[str, Thing]) -> None:
    """The same key and body from another customer, or another agent, of the same client is another request."""
    without = {name: value for name, value in LIVE["subscriber"].items() if name != "id"}
    for first, second, body in (("one", "two", {**LIVE, "subscriber": without}), ("ann", "bob", LIVE)):
        given = [
            walked.call(name, "POST", "/v1/decisions", json=body, headers={"idempotency-key": "k-1"}).json()["decision_id"]
            for name in (first, first, second)
        ]
        assert given[0] == given[1] != given[2]


def test_reading_takes_no_longer_where_it_is_somebody_elses(walked: Guarded, things: dict[str, Thing]) -> None:
    """Nothing of somebody else's is opened: neither its key nor its payload."""
    opened: list[str] = []
    import app.api.recorded as module

    before = module.read_decision

    def watched(connection: object, keys: object, entry_id: str) -> object:
        opened.append(entry_id)
        return before(connection, keys, entry_id)  # type: ignore[arg-type]

    module.read_decision = watched  # type: ignore[assignment]
    try:
        for thing in (things["bob"].id, UNKNOWN, things["ann"].id):
            walked.call("ann", "GET", f"/v1/decisions/{thing}")
    finally:
        module.read_decision = before
    assert opened == [things["ann"].id]


RECOMMENDATION = "/tmf-api/recommendationManagement/v4/queryProductRecommendation"


@pytest.fixture(scope="module")
def recommendations(walked: Guarded, things: dict[str, Thing]) -> dict[str, Thing]:
    """What was asked for by TM Forum's door: by agents with and without tokens, an engine, and a customer."""
    made = {}
    for name, seen_by in (("desk", ("desk-2",)), ("ann", ("lead",)), ("bob", ("lead",)), ("engine", ()), ("one", ("one-web",))):
        told = walked.call(name, "POST", RECOMMENDATION, json={})
        assert told.status_code == 201, told.text
        made[name] = Thing(told.json()["id"], "", frozenset({name, *seen_by}))
    return made


@pytest.mark.parametrize("route", [route for route, of in OWNED.items() if of == "recommendation"])
@pytest.mark.parametrize("reader", READERS)
def test_other_peoples_recommendations_are_not_there(walked: Guarded, recommendations: dict[str, Thing], reader: str, route: str) -> None:
    """As decisions are not. A customer's without a subscriber is about the token's: theirs, whichever app they ask with."""
    unknown = ask(walked, reader, route)
    for name, thing in recommendations.items():
        told = ask(walked, reader, route, thing)
        if reader == "compliance":
            assert told.status_code == 403
        elif reader in thing.seen_by:
            assert told.status_code == 200, (name, told.text)
        else:
            assert (told.status_code, told.content) == (404, unknown.content), (name, told.text)


@pytest.mark.parametrize("route", [route for route, of in OWNED.items() if of == "recommendations"])
@pytest.mark.parametrize("reader", READERS[:-1])
def test_lists_of_recommendations_have_ones_own_only(walked: Guarded, recommendations: dict[str, Thing], reader: str, route: str) -> None:
    """Each of them, and no other."""
    found = {item["id"] for item in walked.call(reader, *asked(route)).json()}
    own = {thing.id for thing in recommendations.values() if reader in thing.seen_by}
    assert found & {thing.id for thing in recommendations.values()} == own


@pytest.fixture
def webhooks(walked: Guarded, things: dict[str, Thing]) -> dict[str, Thing]:
    """Who is told of events: operations of all, and two engines of their own."""
    made = {}
    for name, path, types in (
        ("operations", "/v1/webhooks", ["wanliu.decision.v1"]),
        ("engine", "/v1/webhooks", ["wanliu.decision.v1"]),
        ("engine-2", "/v1/webhooks", ["wanliu.decision.v1"]),
    ):
        told = walked.call(name, "POST", path, json={"callback": "https://192.0.2.1/events", "types": types})
        if told.status_code != 200:
            told = walked.call(name, "POST", path, json={"callback": "https://93.184.216.34/events", "types": types})
        assert told.status_code in (200, 201), told.text
        made[name] = Thing(told.json()["webhook"]["id"], "", frozenset({name, "operations"}))
    return made


@pytest.mark.parametrize("route", [route for route, of in OWNED.items() if of in ("webhook", "hub")])
def test_other_systems_webhooks_are_not_there(walked: Guarded, webhooks: dict[str, Thing], route: str) -> None:
    """Neither to read, nor to change, nor by TM Forum's hub; operations see all."""
    for reader in ("engine", "engine-2", "operations", "desk", "one", "compliance"):
        unknown = ask(walked, reader, route)
        for name, thing in webhooks.items():
            if unknown.status_code == 403:
                assert ask(walked, reader, route, thing).status_code == 403
            elif reader not in thing.seen_by:
                told = ask(walked, reader, route, thing)
                assert (told.status_code, told.content) == (404, unknown.content), (reader, name)
    for thing in webhooks.values():
        assert walked.call("operations", "GET", f"/v1/webhooks/{thing.id}").status_code == 200


@pytest.mark.parametrize("route", [route for route, of in OWNED.items() if of == "webhooks"])
def test_lists_of_webhooks_have_ones_own_only(walked: Guarded, webhooks: dict[str, Thing], route: str) -> None:
    """Of an engine those of its system, of operations all."""
    for reader in ("engine", "engine-2", "operations"):
        found = {item["id"] for item in walked.call(reader, *asked(route)).json()["webhooks"]}
        own = {thing.id for thing in webhooks.values() if reader in thing.seen_by}
        assert found & {thing.id for thing in webhooks.values()} == own


def test_customers_read_what_is_about_them(walked: Guarded, things: dict[str, Thing]) -> None:
    """In their own words, whoever asked for it; what is about others is not there, to the byte."""
    route = "GET /v1/my/decisions/{decision_id}"
    unknown = ask(walked, "one", route)
    assert unknown.status_code == 404
    for name, thing in things.items():
        told = ask(walked, "one", route, thing)
        if name in ("two", "gone", "desk about gone"):
            assert (told.status_code, told.content) == (404, unknown.content), name
        else:
            assert told.status_code == 200, name
    listed = walked.call("one", "GET", "/v1/my/decisions?limit=50").json()["decisions"]
    assert {things["desk"].id, things["one"].id} <= {item["decision_id"] for item in listed}
    assert not {things["two"].id, things["gone"].id} & {item["decision_id"] for item in listed}
    for path in ("/v1/my/decisions", "/v1/my/choices"):
        assert walked.call("one", "GET", path, headers={"x-subscriber-id": "s-7002"}).status_code == 422
