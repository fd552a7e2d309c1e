"""Callers with keys: how they come and go, what goes on record of them, what they see. Every route and role: test_who_may_what."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from sqlalchemy import Connection
from starlette.datastructures import Headers
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.api.asking import SPOKEN
from app.api.identity.book import CallerBook
from app.api.identity.refusing import NotKnown
from app.api.identity.tokens import Tokens
from app.api.permissions import TRYING, may
from app.cli.commands.caller import CallerRole
from app.engine.vocabulary import Channel
from app.engine.vocabulary.examples import EXAMPLES
from app.record.callers import DEVELOPMENT, ROLES, Caller, KnownCallers, hash_of
from app.record.store.problems import StoreUnavailable
from tests.contract.conftest import CUSTOMER, Guarded
from tests.tokens import TRUST, Issuer

pytestmark = pytest.mark.contract

LIVE: Any = EXAMPLES[0]
ON_APP: Any = {**LIVE, "channel": "app", "direction": "self"}
WHAT_IF: Any = EXAMPLES[1]


def test_who_asks_is_looked_up_once(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letting somebody in, and what the endpoint then works with, are one and the same look."""
    looked: list[Caller | None] = []
    who = CallerBook.who

    async def watched(book: CallerBook, headers: Headers) -> Caller:
        looked.append(await who(book, headers))
        return looked[-1]  # type: ignore[return-value]

    monkeypatch.setattr(CallerBook, "who", watched)
    assert guarded.call("agent", "GET", "/v1/decisions").status_code == 200
    assert looked == [Caller("agent", "agent")]


def test_what_stands_nowhere_is_refused() -> None:
    """A route that nobody entered into the table is for nobody but a developer on their own machine."""
    assert not any(may(role, "GET /v1/new") for role in ROLES)
    assert may(DEVELOPMENT, "GET /v1/new")


def test_the_command_line_knows_the_roles() -> None:
    """The same as the service."""
    assert get_args(CallerRole) == tuple(ROLES)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer {key}"},
        {"authorization": "bearer  {key} "},
        {"x-api-key": "{key}"},
        {"authorization": "Basic dTpw", "x-api-key": "{key}"},
    ],
)
def test_a_key_may_come_in_two_headers(guarded: Guarded, headers: dict[str, str]) -> None:
    """As a bearer token or, where a proxy needs that header for itself, in one of its own."""
    sent = {name: value.format(key=guarded.keys["agent"]) for name, value in headers.items()}
    assert guarded.http.post("/v1/decisions", json=LIVE, headers=sent).status_code == 200


def test_a_token_in_the_place_of_a_key_is_told_where_it_goes(guarded: Guarded) -> None:
    """It is not taken there; what has not the form of one is a key that is nobody's."""
    told = {
        sent: guarded.http.post("/v1/decisions", json=LIVE, headers={"x-api-key": sent}).json()["detail"]
        for sent in (guarded.keys["self_service"], "wl_no.dots")
    }
    assert "a token goes into the header Authorization, after Bearer" in told[guarded.keys["self_service"]]
    assert told["wl_no.dots"] == "the key is nobody's; it may have been revoked"


def test_a_customer_names_nobody_else_in_a_header(guarded: Guarded) -> None:
    """As in the body, and as every other call has it; their own id may stand there. To others the header says nothing."""
    body = {**ON_APP, "subscriber": {**LIVE["subscriber"], "id": CUSTOMER}}
    other = guarded.call("self_service", "POST", "/v1/decisions", json=body, headers={"x-subscriber-id": "s-9999"})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (403, "X-Subscriber-Id")
    assert "s-9999" not in other.text
    for name, sent in (("self_service", CUSTOMER), ("agent", "s-9999")):
        assert guarded.call(name, "POST", "/v1/decisions", json=body, headers={"x-subscriber-id": sent}).status_code == 200


@pytest.mark.parametrize("channel", get_args(Channel))
def test_a_customer_is_told_something_where_they_ask(guarded: Guarded, channel: str) -> None:
    """On channels on which a person speaks there are words for that person only; the field is named, and the others are."""
    told = guarded.call("self_service", "POST", "/v1/decisions", json={**ON_APP, "channel": channel})
    if channel in SPOKEN:
        assert (told.status_code, [error["field"] for error in told.json()["errors"]]) == (403, ["channel"])
        assert told.json()["errors"][0]["message"].endswith("asks on robot, app, web, sms_service, sms_marketing, social, email")
    else:
        assert told.status_code == 200
        assert all(action["text"] for action in told.json()["actions"])
    assert guarded.call("agent", "POST", "/v1/decisions", json={**ON_APP, "channel": channel}).status_code == 200


def test_what_is_said_by_a_person_is_not_for_customers(guarded: Guarded) -> None:
    """The pack has scripts on just those channels that customers do not ask on."""
    actions = guarded.http.app.state.services.packs.current.actions  # type: ignore[attr-defined]
    forms = {(channel, form) for action in actions for channel, (form, _) in action.channels.items()}
    assert forms == {(channel, "script" if channel in SPOKEN else "text") for channel in get_args(Channel)}


def test_who_may_not_is_told_who_may(guarded: Guarded) -> None:
    """By role."""
    assert guarded.call("agent", "GET", "/v1/packs").json()["detail"] == (
        "the role `agent` may not do this; `approver`, `author` and `compliance` may"
    )
    assert guarded.call("agent", "POST", "/v1/packs").json()["detail"] == "the role `agent` may not do this; `author` may"


@pytest.mark.parametrize("key", ["", "x" * 10_000, "wl_", "\xff", "wl_ü"])
def test_hostile_keys_are_nobodys(guarded: Guarded, key: str) -> None:
    """Empty, endless, no text: 401."""
    assert guarded.http.post("/v1/decisions", json=LIVE, headers={"x-api-key": key.encode("latin-1")}).status_code == 401  # type: ignore[dict-item]


def test_the_record_names_who_asked(guarded: Guarded) -> None:
    """Name and role of the caller, and the code of the agent."""
    told = guarded.call("agent", "POST", "/v1/decisions", json=LIVE | {"agent": "a-17"}).json()
    found = guarded.record.read_now(lambda connection: body_of(connection, guarded, told["decision_id"]))
    assert (found["caller"], found["role"], found["agent"]) == ("agent", "agent", "a-17")


def body_of(connection: Connection, guarded: Guarded, entry_id: str) -> Any:
    from app.record.reading.recorded import read_entry

    found = read_entry(connection, guarded.record.keys, entry_id)
    assert found is not None
    return found.body


@pytest.mark.parametrize("role", sorted(TRYING))
def test_who_tries_leaves_no_trace(guarded: Guarded, role: str) -> None:
    """Authors, approvers and compliance ask what would be; for a decision they are refused."""
    assert guarded.call(role, "POST", "/v1/decisions", json=WHAT_IF).json()["record"] == {"state": "none"}
    told = guarded.call(role, "POST", "/v1/decisions", json=LIVE)
    assert (told.status_code, told.json()["type"]) == (403, "urn:wanliu:problem:forbidden")


@pytest.mark.parametrize("role", ["agent", "self_service", "campaign"])
def test_who_decides_does_not_try(guarded: Guarded, role: str) -> None:
    """What is asked where customers are served goes on the record; the field is named."""
    refused = guarded.call(role, "POST", "/v1/decisions", json=WHAT_IF)
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (403, ["mode"])
    assert guarded.call(role, "POST", "/v1/decisions", json=ON_APP).json()["record"] == {"state": "durable"}


def test_each_role_sees_its_part(guarded: Guarded) -> None:
    """Scores are for campaigns, and not for agents or customers."""
    told = {
        role: guarded.call(role, "POST", "/v1/decisions", json=ON_APP | {"explain": "full"}).json()
        for role in ("agent", "self_service", "campaign")
    }
    assert told["campaign"]["actions"][0]["score"] is not None
    assert told["agent"]["actions"][0]["score"] is None
    assert told["self_service"]["signals"] == []
    assert told["self_service"]["not_offered"] is None


def test_a_grade_concedes_as_the_pack_says(guarded: Guarded) -> None:
    """An agent who is a leader decides within the leader's limit."""
    guarded.add("lead", "agent", grade="leader")
    guarded.look()
    found = {}
    for name in ("agent", "lead"):
        decision_id = guarded.call(name, "POST", "/v1/decisions", json=LIVE).json()["decision_id"]
        found[name] = guarded.record.read_now(lambda connection, entry=decision_id: asker_of(connection, guarded, entry))  # type: ignore[misc]
    limits = guarded.http.app.state.services.packs.current.choosing.concession  # type: ignore[attr-defined]
    assert found == {"agent": ("agent", limits["agent"]), "lead": ("agent", limits["leader"])}


def asker_of(connection: Connection, guarded: Guarded, entry_id: str) -> tuple[str, int]:
    from app.record.reading.recorded import read_decision

    found = read_decision(connection, guarded.record.keys, entry_id)
    assert found is not None
    assert found.case is not None
    return found.case.asker.role, found.case.asker.concession_limit


def test_keys_come_and_go_while_it_runs(guarded: Guarded) -> None:
    """Added keys work and revoked ones do not once the service has looked; it says who may call, and never a key."""
    guarded.add("passing", "agent")
    assert guarded.call("passing", "POST", "/v1/decisions", json=LIVE).status_code == 401
    with capture_logs() as logs:
        guarded.look()
        assert guarded.call("passing", "POST", "/v1/decisions", json=LIVE).status_code == 200
        guarded.revoke("passing")
        guarded.look()
        assert guarded.call("passing", "POST", "/v1/decisions", json=LIVE).status_code == 401
    changes = [entry["callers"] for entry in logs if entry["event"] == "callers_changed"]
    assert ["passing" in names for names in changes] == [True, False]
    assert guarded.keys["passing"] not in str(logs)


def reading(*answers: Any) -> Callable[[Any], Any]:
    """A store that answers the callers one after the other."""
    left: Iterator[Any] = iter(answers)

    async def read(_: Any) -> Any:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return read


def who(book: CallerBook, key: str | None) -> Caller | None:
    """Whom the book knows by a key."""
    headers = {} if key is None else {"x-api-key": key}
    try:
        return asyncio.run(book.who(Headers(headers)))
    except NotKnown:
        return None


def known(key: str, name: str = "desk") -> KnownCallers:
    return KnownCallers({hash_of(key): Caller(name, "agent")}, {})


def test_development_ends_with_the_first_caller() -> None:
    """Everybody may do everything until somebody was added; afterwards never again, not even when the store has lost them."""
    book, read = CallerBook(), reading(None, known("k"), None)
    asyncio.run(book.look(read))
    assert (book.development, who(book, None)) == (True, Caller(DEVELOPMENT, DEVELOPMENT))
    asyncio.run(book.look(read))
    assert (book.development, who(book, None), who(book, "k")) == (False, None, Caller("desk", "agent"))
    asyncio.run(book.look(read))
    assert (book.development, who(book, None), who(book, "k")) == (False, None, None)


def test_where_others_reach_it_nobody_is_anybody() -> None:
    """Without callers, a service that listens beyond its own machine lets nobody in."""
    book = CallerBook(reachable=True)
    asyncio.run(book.look(reading(None)))
    assert who(book, None) is who(book, "wl_x") is None


def test_where_tokens_are_taken_nobody_is_anybody() -> None:
    """There is no development mode then, whether somebody was ever added or not."""
    book, issuer = CallerBook(), Issuer()
    book.tokens = Tokens(TRUST, issuer.kept(), book.system_of)
    asyncio.run(book.look(reading(None)))
    assert (book.development, who(book, None)) == (False, None)


def test_who_was_known_stays_known_while_the_store_is_away() -> None:
    """A look that fails is logged, and changes nothing; the next one goes on."""
    book = CallerBook(every=0.001)
    desk, late = known("k"), known("l", "late")

    async def followed() -> None:
        await book.look(reading(desk))
        follower = asyncio.create_task(book.follow(reading(StoreUnavailable("down"), RuntimeError("odd"), late, *[late] * 1000)))
        assert book.caller("k") is not None
        await asyncio.sleep(0.2)
        follower.cancel()

    with capture_logs() as logs:
        asyncio.run(followed())
    assert book.caller("l") == Caller("late", "agent")
    assert [entry["event"] for entry in logs[:4]] == ["callers_changed", "callers_not_read", "callers_not_read", "callers_changed"]


def test_everybody_may_everything_in_development(http: TestClient) -> None:
    """With or without a key, live or what-if."""
    assert http.post("/v1/decisions", json=LIVE, headers={"authorization": "Bearer wl_x"}).status_code == 200
    assert http.post("/v1/decisions", json=WHAT_IF).status_code == 200


def test_development_mode_is_said_everywhere(http: TestClient, guarded: Guarded) -> None:
    """In a header of every answer, errors too, and on the first page; where there are callers, nowhere."""
    for path in ("/", "/healthz", "/v1/decisions/nothing", "/nowhere"):
        assert http.get(path).headers["wanliu-mode"] == "development"
        assert "wanliu-mode" not in guarded.http.get(path).headers
    assert (http.get("/").json()["mode"], guarded.http.get("/").json()["mode"]) == ("development", "guarded")
