"""Bad input, by hand: always a problem that names the field, never a 5xx, and never a word of what was sent."""

import json
import socket
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.bodies import LARGEST_BODY

pytestmark = pytest.mark.contract

AT = "2026-11-22T10:00:00+08:00"
SECRET = "13912345678"
MONEY = "expected a whole number in the smallest unit of the currency: 5900 for 59.00"
JSON = {"content-type": "application/json"}


def post(http: TestClient, body: bytes, headers: dict[str, str] = JSON) -> tuple[int, dict[str, Any]]:
    response = http.post("/v1/decisions", content=body, headers=headers)
    assert response.headers["content-type"] == "application/problem+json"
    assert SECRET not in response.text
    told = response.json()
    assert told["status"] == response.status_code
    return response.status_code, told


def wrong(http: TestClient, body: bytes) -> dict[str, str]:
    """What is said about each field of a body that is refused."""
    status, told = post(http, body)
    assert status == 422
    return {error["field"]: error["message"] for error in told["errors"]}


def request(**fields: Any) -> bytes:
    return json.dumps({"channel": "app", "subscriber": {"id": "s-1"}, **fields}).encode()


def about(**sections: Any) -> bytes:
    return request(subscriber={"id": "s-1", **sections})


def raw(member: str) -> bytes:
    """A body with one member of `subscriber.plan` written as it is."""
    return f'{{"channel":"app","subscriber":{{"id":"s-1","plan":{{{member}}}}}}}'.encode()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"{", "is not JSON"),
        (b"{}{}", "is not JSON"),
        (b"{'a': 1}", "is not JSON"),
        (b'{"a":1,"a":2,', "is not JSON"),
        (b'{"a":NaN}}', "is not JSON"),
        (b'{"a":[{"b":1,"b":2}', "is not JSON"),
        (b"[]", "expected an object"),
        (b"[{}]", "expected an object"),
        (b"null", "expected an object"),
        (b"3", "expected an object"),
        (b'"text"', "expected an object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}".encode("utf-16"), "UTF-16"),
        ("{}".encode("utf-16-le"), "UTF-16"),
        ("{}".encode("utf-32"), "UTF-16 or UTF-32"),
        ('{"channel": "中文"}'.encode("gbk"), "not UTF-8 at byte 14"),
        ('{"channel": "é"}'.encode("latin-1"), "not UTF-8 at byte 14"),
        (b'{"a":"\x00"}', "is not JSON"),
        (b"\x00" * 100, "UTF-16"),
        (json.dumps({f"f{n}": n for n in range(1_000)}).encode(), "more than 500 fields"),
    ],
)
def test_a_body_that_is_no_object_is_refused_whole(http: TestClient, body: bytes, says: str) -> None:
    """What cannot be read as a JSON object is told so, as the field `body`."""
    assert says in wrong(http, body)["body"]


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        (request(channel="appp"), "channel", "did you mean `app`?"),
        (request(channel=SECRET), "channel", "expected one of call_centre, robot"),
        (request(channel=["app"]), "channel", "expected one of"),
        (request(channel=None), "channel", "expected one of"),
        (b'{"subscriber":{"id":"s-1"}}', "channel", "is required"),
        (b'{"channel":"app"}', "subscriber", "is required"),
        (request(subscriber=[]), "subscriber", "expected an object"),
        (request(subscriber={}), "subscriber.id", "is required"),
        (request(subscriber={"id": int(SECRET)}), "subscriber.id", "expected text, not a number, of 1 to 64 characters: letters"),
        (request(subscriber={"id": None}), "subscriber.id", "expected text, not null, of 1 to 64 characters"),
        (request(subscriber={"id": ["s-1"]}), "subscriber.id", "expected text, not an array, of 1 to 64 characters"),
        (request(subscriber={"id": {"id": "s"}}), "subscriber.id", "expected text, not an object, of 1 to 64 characters"),
        (request(agent=True), "agent", "expected text, not true or false, of 1 to 64 characters"),
        (request(subscriber={"id": "a\nb"}), "subscriber.id", "expected 1 to 64 characters"),
        (request(subscriber={"id": "s" * 65}), "subscriber.id", "expected 1 to 64 characters"),
        (request(chanel="app"), "chanel", "did you mean `channel`?"),
        (request(plan={}), "plan", "it belongs in `subscriber.plan`"),
        (request(**{SECRET: 1}), "body", "holds a field that does not exist"),
        (request(explain="all"), "explain", "expected one of none, summary, full"),
        (request(max_actions=0), "max_actions", "expected at least 1"),
        (request(max_actions=11), "max_actions", "expected at most 10"),
        (request(max_actions=True), "max_actions", "expected a whole number"),
        (request(as_of="yesterday"), "as_of", "2026-11-22T10:00:00+08:00"),
        (request(as_of="2026-11-22T10:00:00"), "as_of", "with its offset"),
        (request(as_of=1), "as_of", "with its offset"),
        (request(as_of="2020-01-01T00:00:00Z"), "as_of", "more than five minutes from now"),
        (request(contact_at="2020-01-01T00:00:00Z"), "contact_at", "is before `as_of`"),
        (request(contact_at="2199-01-01T00:00:00Z"), "contact_at", "more than 90 days after"),
        (request(answers={"home.has_brodband": True}), "answers.home.has_brodband", "did you mean `home.has_broadband`?"),
        (request(answers={"home.has_broadband": "yes"}), "answers.home.has_broadband", "expected true or false"),
        (request(answers={"home.has_broadband": None}), "answers.home.has_broadband", "leave it out"),
        (request(answers={"port.state": "applied"}), "answers.port.state", "is not a fact that this pack asks for"),
        (request(answers=[]), "answers", "expected an object"),
        (about(plam={}), "subscriber.plam", "did you mean `plan`?"),
        (about(zone="Asia/Shangai"), "subscriber.zone", "did you mean `Asia/Shanghai`?"),
        (about(zone="America"), "subscriber.zone", "is not a time zone"),
        (about(zone="../etc/passwd"), "subscriber.zone", "expected 1 to 64 characters"),
        (about(plan=[]), "subscriber.plan", "expected an object"),
        (about(plan={"mnthly_fee": 1}), "subscriber.plan.mnthly_fee", "did you mean `monthly_fee`?"),
        (about(plan={"monthly_fee": SECRET}), "subscriber.plan.monthly_fee", MONEY),
        (about(plan={"monthly_fee": "59"}), "subscriber.plan.monthly_fee", MONEY),
        (about(plan={"monthly_fee": 59.5}), "subscriber.plan.monthly_fee", MONEY),
        (about(churn={"score": "0.5"}), "subscriber.churn.score", "expected a number: a share, such as 0.25 for a quarter"),
        (request(answers={"billing.total": [1, 2.5]}), "answers.billing.total", "is not a fact that this pack asks for"),
        (request(locale="zh"), "locale", "did you mean `zh-CN`?"),
        (request(locale="en_GB"), "locale", "did you mean `en`?"),
        (request(locale="e"), "locale", "expected one of zh-CN, en"),
        (about(monthly_fee=1), "subscriber.monthly_fee", "does not exist here; it belongs in `subscriber.plan.monthly_fee`"),
        (about(montly_fee=1), "subscriber.montly_fee", "does not exist here; did you mean `subscriber.plan.monthly_fee`?"),
        (about(reason="bill"), "subscriber.reason", "does not exist here; it belongs in `reason`"),
        (about(as_of="x"), "subscriber.as_of", "does not exist here; it belongs in `as_of`"),
        (about(qqq=1), "subscriber.qqq", "does not exist; there are id, zone, account, holder, plan, "),
        (about(plan={"zone": "x"}), "subscriber.plan.zone", "does not exist here; it belongs in `subscriber.zone`"),
        (
            about(contacts=[{"at": "2026-01-01T00:00:00Z", "outcome": "sent"}]),
            "subscriber.contacts.0.outcome",
            "does not exist; there are at, channel, kind, action, campaign, message, result",
        ),
        (about(plan={"monthly_fee": -1}), "subscriber.plan.monthly_fee", "expected at least 0"),
        (about(plan={"monthly_fee": 10**13}), "subscriber.plan.monthly_fee", "expected at most 1,000,000,000,000"),
        (about(plan={"monthly_fee": 10**30}), "subscriber.plan.monthly_fee", "is too large a number"),
        (about(plan={"monthly_fee": 10**400}), "subscriber.plan.monthly_fee", "is too large a number"),
        (raw('"monthly_fee":' + "9" * 9_000), "subscriber.plan.monthly_fee", "is too large a number"),
        (raw('"monthly_fee":1e999'), "subscriber.plan.monthly_fee", "finite"),
        (raw('"monthly_fee":NaN'), "subscriber.plan.monthly_fee", "not a number that JSON knows"),
        (raw('"monthly_fee":-Infinity'), "subscriber.plan.monthly_fee", "not a number that JSON knows"),
        (raw('"monthly_fee":1,"monthly_fee":2'), "subscriber.plan.monthly_fee", "stands twice"),
        (raw(f'"{SECRET}":1,"{SECRET}":2'), "subscriber.plan", "stands twice"),
        (raw('"name":"\\ud800"'), "subscriber.plan.name", "half a character"),
        (raw('"\\udfff":1'), "subscriber.plan", "half a character"),
        (raw('"name":"a\\u0000b"'), "subscriber.plan.name", "expected 1 to"),
        (about(billing={"total": [1, 2], "toll_fee": [1]}), "subscriber.billing", "cover the same cycles"),
        (about(billing={"total": [1] * 37}), "subscriber.billing.total", "expected at most 36 entries"),
        (about(billing={"total": 5}), "subscriber.billing.total", MONEY.replace("a whole number", "an array of whole numbers")),
        (about(usage={"data_mb": 5}), "subscriber.usage.data_mb", "expected an array of whole numbers of MB"),
        (about(consent={"refused_channels": "app"}), "subscriber.consent.refused_channels", "an array of texts, each one of call_centre, "),
        (about(contacts={}), "subscriber.contacts", "expected an array of objects"),
        (about(usage={"data_mb": [1, "2"]}), "subscriber.usage.data_mb.1", "expected a whole number of MB"),
        (about(contract={"promo_end": "2026-02-30"}), "subscriber.contract.promo_end", "a date from 1900 on"),
        (about(services={"held": "toll_pack"}), "subscriber.services.held", "expected an array of texts"),
        (about(events={}), "subscriber.events", "expected an array of objects"),
        (about(events=[{}] * 5_001), "subscriber.events", "has more than 5,000 entries"),
        (about(billing={"total": ["a"] * 100_000}), "subscriber.billing.total", "has more than 5,000 entries"),
        (about(events=[{"type": "complant", "at": AT}]), "subscriber.events.0.type", "did you mean `complaint`?"),
        (about(events=[{"at": AT}]), "subscriber.events.0.type", "is required"),
        (about(events=[{"type": "fault", "at": AT}, 5]), "subscriber.events.1", "expected an object"),
        (about(events=[{"type": "complaint", "at": AT, "topik": 1}]), "subscriber.events.0.topik", "did you mean `topic`?"),
        (about(events=[{"type": "complaint", "at": AT, "topic": "bill"}]), "subscriber.events.0.topic", "did you mean `billing`?"),
        (about(events=[{"type": "complaint", "at": "2199-01-01T00:00:00Z"}]), "subscriber.events.0.at", "is dated after `as_of`"),
        (about(contacts=[{"at": AT, "chanel": "app"}]), "subscriber.contacts.0.chanel", "did you mean `channel`?"),
        (about(contacts=[{"at": "2199-01-01T00:00:00Z"}]), "subscriber.contacts.0.at", "is dated after `as_of`"),
        (about(plan={"as_of": "2199-01-01T00:00:00Z"}), "subscriber.plan.as_of", "is dated after `as_of`"),
        (about(custom={"loyalty_bnad": "a"}), "subscriber.custom.loyalty_bnad", "did you mean `loyalty_band`?"),
        (about(custom={"loyalty_band": "z"}), "subscriber.custom.loyalty_band", "expected one of a, b, c"),
        (about(custom={"loyalty_band": {}}), "subscriber.custom.loyalty_band", "expected true, false, a number"),
        (about(custom={SECRET: 1}), "subscriber.custom", "has a name that cannot be"),
    ],
)
def test_a_mistake_is_told_where_it_is(http: TestClient, body: bytes, field: str, says: str) -> None:
    """The problem names the dotted field and says what is expected there, or the nearest right name."""
    found = wrong(http, body)
    assert says in found[field]
    assert SECRET not in str(found)


def test_mistakes_are_told_together(http: TestClient) -> None:
    """All mistakes of a request come in one answer."""
    body = request(channel="shops", foo=1, subscriber={"id": "s-1", "plan": {"monthly_fee": "1"}})
    assert set(wrong(http, body)) == {"channel", "foo", "subscriber.plan.monthly_fee"}


def test_very_many_mistakes_are_cut_short(http: TestClient) -> None:
    """Fifty problems are enough to start with."""
    assert len(wrong(http, about(events=[{} for _ in range(4_000)]))) == 50


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/jsonx"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_another_content_type_is_refused(http: TestClient, headers: dict[str, str]) -> None:
    """A body that does not say it is plain JSON is not read."""
    status, told = post(http, request(), headers)
    assert (status, told["type"]) == (415, "urn:wanliu:problem:unsupported-media-type")
    assert told["detail"].startswith("send")


def test_a_content_type_may_name_a_charset(http: TestClient) -> None:
    """Parameters and capitals of the content type do not matter."""
    body = request(mode="what_if")
    assert http.post("/v1/decisions", content=body, headers={"content-type": "Application/JSON; charset=utf-8"}).status_code == 200


def test_ten_megabytes_are_refused(http: TestClient) -> None:
    """A body that says it is too large is refused by its length, with the limit."""
    status, told = post(http, b" " * 10 * LARGEST_BODY)
    assert (status, told["type"]) == (413, "urn:wanliu:problem:body-too-large")
    assert told["detail"] == "at most 1,048,576 bytes are read"


def test_a_body_of_unsaid_length_is_read_no_further_than_allowed(http: TestClient) -> None:
    """Without a length, reading stops at the limit."""
    read = 0

    def chunks() -> Any:
        nonlocal read
        for _ in range(40):
            read += 1
            yield b" " * (LARGEST_BODY // 4)

    assert http.post("/v1/decisions", content=chunks(), headers=JSON).status_code == 413


def test_a_body_at_the_limit_is_read(http: TestClient) -> None:
    """One megabyte exactly is not too large."""
    body = request(mode="what_if")
    assert http.post("/v1/decisions", content=body + b" " * (LARGEST_BODY - len(body)), headers=JSON).status_code == 200


def test_the_server_does_not_wait_for_the_rest_of_a_large_body(address: str) -> None:
    """The refusal comes while the body is still being sent, and the connection ends."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        head = (
            f"POST /v1/decisions HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {10 * LARGEST_BODY}\r\n\r\n"
        )
        line.sendall(head.encode() + b" " * 1_000)
        assert line.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/decisions/x/responses", "POST"),
        ("HEAD", "/v1/decisions/x/responses", "POST"),
        ("PUT", "/v1/decisions", "GET, HEAD, POST"),
        ("DELETE", "/v1/decisions/x/responses", "POST"),
        ("OPTIONS", "/v1/decisions", "GET, HEAD, POST"),
        ("TRACE", "/v1/decisions/x/responses", "POST"),
        ("BREW", "/v1/decisions", "GET, HEAD, POST"),
        ("POST", "/v1/decisions/x", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("PATCH", "/readyz", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_are_allowed(http: TestClient, method: str, path: str, allowed: str) -> None:
    """405 names every method of the path."""
    response = http.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert method == "HEAD" or response.json()["detail"] == f"this path takes {allowed}"
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/nothing", "/v1/decisions/", "/v1", "/doc", "/redoc", "/v1/decisions/a/b", "/%00", "/healthz/"])
def test_another_path_is_not_found(http: TestClient, path: str) -> None:
    """Nothing is redirected and nothing is guessed."""
    response = http.get(path, follow_redirects=False)
    assert (response.status_code, response.json()["type"]) == (404, "urn:wanliu:problem:not-found")
    assert "`GET /openapi.json` lists those there are" in response.json()["detail"]


@pytest.mark.parametrize("digest", ["zz", "sha256:12", "SHA256:" + "0" * 64])
def test_a_digest_that_is_none(http: TestClient, digest: str) -> None:
    """A pack's path wants the whole digest, and the answer says where to find it."""
    response = http.get(f"/v1/packs/{digest}")
    assert (response.status_code, response.json()["type"]) == (404, "urn:wanliu:problem:not-found")
    assert response.json()["detail"].startswith("a pack is named by its digest, `sha256:` and 64 of 0-9 a-f")


def test_an_id_may_be_in_capitals(http: TestClient) -> None:
    """A UUID is the same in capitals."""
    decision_id = http.post("/v1/decisions", content=request(), headers=JSON).json()["decision_id"]
    assert http.get(f"/v1/decisions/{decision_id.upper()}").json()["decision_id"] == decision_id


@pytest.mark.parametrize("path", ["1", SECRET, "0193%00", "'; drop table decision", "01a20264-24e4-4707-8db2-fed784d5ad4b", "é"])
def test_an_id_that_is_none_is_refused(http: TestClient, path: str) -> None:
    """What is not a UUIDv7 is told so, with what one looks like, and not repeated."""
    response = http.get(f"/v1/decisions/{path}")
    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": "decision_id", "message": "expected an id such as 019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b"}]
    assert SECRET not in response.text
