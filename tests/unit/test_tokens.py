"""Tokens: what makes a caller of one, and every way in which one is refused."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.api.identity import tokens as module
from app.api.identity.claims import ClaimNames
from app.api.identity.keeping import KeptKeys
from app.api.identity.keyset import BadKeys, read_keys
from app.api.identity.refusing import KeysAway, NotKnown
from app.api.identity.tokens import Tokens, Trust
from app.record.callers import Caller
from tests.tokens import AUDIENCE, ISSUER, TRUST, Issuer

pytestmark = pytest.mark.unit

issuer = Issuer()
NOW = int(time.time())


def taken(source: Issuer = issuer, trust: Trust = TRUST, clock: Any = time.time, kept: KeptKeys | None = None) -> Tokens:
    return Tokens(trust, kept or source.kept(), lambda name: {"desktop-2": "desktop"}.get(name, name), clock)


def caller(token: str, **options: Any) -> Caller:
    """Whose token it is."""
    return asyncio.run(taken(**options).caller(token))


def why(token: str, **options: Any) -> str:
    """Why a token is refused; never with a part of it, and in words that fit into a header."""
    with pytest.raises(NotKnown) as refused:
        caller(token, **options)
    told = refused.value.detail
    assert told.isascii()
    assert '"' not in told
    assert "\\" not in told
    assert not any(part in told for part in token.split(".") if len(part) > 8)
    return told


def test_an_agent() -> None:
    """The client is the caller, the subject the agent's code; the system is the client's own, or the one that it was put beside."""
    assert caller(issuer.token("agent", "a-17")) == Caller("desktop", "agent", None, "desktop", agent="a-17")
    assert caller(issuer.token("agent", "张三", grade="leader", azp="desktop-2")) == Caller(
        "desktop-2", "agent", "leader", "desktop", agent="张三"
    )


def test_a_customer() -> None:
    """The subject is the subscriber, and nowhere in what is shown of a caller; a grade is not looked at."""
    found = caller(issuer.token("self_service", "s-1001", azp="app", grade="manager"))
    assert found == Caller("app", "self_service", None, "app", subject="s-1001")
    assert "s-1001" not in repr(found)


@pytest.mark.parametrize("role", ["compliance", "privacy_officer", "author", "approver", "operations"])
def test_who_oversees_is_a_person(role: str) -> None:
    """The record has to tell one from another: who looked, who published, who approved."""
    assert caller(issuer.token(role, "auth0|ann", azp="console")) == Caller("console:auth0|ann", role, system="console")


def test_a_campaign_is_its_client() -> None:
    """Whatever its subject."""
    assert caller(issuer.token("campaign", "anything at all", azp=None, client_id="engine")) == Caller("engine", "campaign")


def test_claims_may_have_other_names() -> None:
    """As the settings say; a role may stand in a list, beside what means nothing here."""
    trust = Trust(ISSUER, AUDIENCE, TRUST.algorithms, ClaimNames("https://x/roles", "level"))
    token = issuer.token(role=None, **{"https://x/roles": ["offline_access", "agent"], "level": "city"})  # type: ignore[arg-type]
    assert caller(token, trust=trust) == Caller("desktop", "agent", "city", "desktop", agent="a-17")


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"exp": NOW - 3600}, "exp: the token has expired"),
        ({"nbf": NOW + 3600}, "nbf: the token is not valid yet"),
        ({"iat": NOW + 3600}, "iat: the token says that it was issued later than now"),
        ({"iss": "https://id.example"}, "iss: the token is of another issuer"),
        ({"aud": "other"}, "aud: the token is meant for another service"),
        ({"aud": ["other", "wanli"]}, "aud: the token is meant for another service"),
        *(({name: None}, f"the token has no {name}") for name in ("exp", "iat", "iss", "aud", "sub")),
        ({"exp": "tomorrow"}, "exp: is not a number"),
        ({"exp": True}, "exp: is not a number"),
        ({"exp": 1e300}, "exp: is not a number"),
        ({"exp": float("inf")}, "exp: is not a number"),
        ({"exp": float("nan")}, "exp: is not a number"),
        ({"nbf": [1]}, "nbf: is not a number"),
        ({"iat": {"a": 1}}, "iat: is not a number"),
        ({"sub": 4711}, "sub: is not a text; who it names is to be written as one"),
        ({"sub": ["s-1"]}, "sub: is not a text"),
        ({"role": None}, "the claim for the role has none"),
        ({"role": "self-service"}, "role: the claim for the role has none of the roles of this service; did you mean `self_service`?"),
        ({"role": "selfservice"}, "role: the claim for the role has none of the roles of this service; did you mean `self_service`?"),
        ({"role": "development"}, "the claim for the role has none"),
        ({"role": ["agent", "compliance"]}, "the claim for the role has several"),
        ({"role": {"agent": True}}, "the claim for the role has none"),
        ({"azp": None}, "azp or client_id"),
        ({"azp": 7}, "azp or client_id"),
        ({"azp": "Desktop\r\nX: y"}, "azp or client_id"),
        ({"azp": "development"}, "azp or client_id"),
        ({"azp": "cli"}, "azp or client_id"),
        ({"grade": ["leader"]}, "grade: the claim for the grade"),
        ({"grade": "Leader!"}, "the claim for the grade"),
    ],
    ids=lambda value: re.sub(r"\d{10}", "then", str(value)),
)
def test_claims_that_are_not_taken(claims: dict[str, Any], says: str) -> None:
    """Missing, of another issuer or service, out of time, of another kind: each is told by its name."""
    assert says in why(issuer.token(**claims))


@pytest.mark.parametrize(
    ("role", "sub"),
    [
        ("self_service", ""),
        ("self_service", "s 1"),
        ("self_service", "s" * 65),
        ("self_service", "../s-1"),
        ("agent", ""),
        ("agent", "a\n17"),
        ("agent", "a" * 65),
        ("compliance", "ann smith"),
        ("compliance", "a" * 65),
        ("compliance", "a\x00"),
    ],
)
def test_subjects_that_are_not_taken(role: str, sub: str) -> None:
    """A subscriber's id, an agent's code and a person's name are in the record's alphabets."""
    assert why(issuer.token(role, sub)).startswith("sub: is")


@pytest.mark.parametrize(("late", "good"), [(25, True), (35, False)])
def test_clocks_may_differ_a_little(late: int, good: bool) -> None:
    """By half a minute, either way."""
    now = int(time.time())
    for claims in ({"exp": now - late}, {"nbf": now + late}, {"iat": now + late}):
        token = issuer.token(**claims)
        if good:
            assert caller(token, clock=lambda: float(now)).agent == "a-17"
        else:
            why(token, clock=lambda: float(now))


def forged(head: dict[str, Any], claims: dict[str, Any] | None = None, signature: bytes = b"x") -> str:
    said = claims or {"iss": ISSUER, "aud": AUDIENCE, "sub": "a", "azp": "desktop", "role": "compliance", "iat": NOW, "exp": NOW + 600}
    parts = (json.dumps(head).encode(), json.dumps(said).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", None, "HS256", "HS512", "ES384", "EdDSA", 7, ["ES256"], {"a": 1}], ids=repr
)
def test_algorithms_that_are_not_taken(algorithm: Any) -> None:
    """Nothing but what the settings list, whatever a token says of itself."""
    assert "is not signed with ES256 or RS256" in why(forged({"alg": algorithm, "kid": "one"}))


def test_the_public_key_is_no_secret() -> None:
    """A token signed with HMAC under the published key, the old trick, is refused for its algorithm."""
    public = issuer.private["one"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, _ = forged({"alg": "HS256", "kid": "one", "typ": "JWT"}).split(".")
    mac = hmac.digest(public, f"{head}.{body}".encode(), hashlib.sha256)
    assert "is not signed with" in why(f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ({"crit": ["b64"]}, "extension"),
        ({"crit": []}, "extension"),
        ({"crit": {"crit": ["exp"]}}, "extension"),
        ({"b64": False}, "extension"),
        ({"zip": "DEF"}, "extension"),
        ({"typ": "JOSE"}, "another type"),
        ({"cty": "JWT"}, "another type"),
        ({"kid": "../../etc/passwd"}, "does not publish"),
        ({"kid": "' or 1=1 --"}, "does not publish"),
        ({"kid": "x" * 201}, "kid: is not"),
        ({"kid": ""}, "kid: is not"),
        ({"kid": ["one"]}, "kid: is not"),
        ({"kid": "two"}, "the signature of the token is wrong"),
        ({"kid": "old"}, "another algorithm than its key"),
    ],
    ids=str,
)
def test_heads_that_are_not_taken(head: dict[str, Any], says: str) -> None:
    """Extensions, other types, and keys that are not the signer's: swapped, of another kind, or nowhere."""
    source = Issuer()
    source.add("two")
    source.add("old", "RS256")
    assert says in why(source.token(head=head), source=source)


def test_keys_of_the_token_itself_are_not_looked_at() -> None:
    """A token that brings its own key, or says where to fetch one, is checked with the published keys."""
    other = Issuer()
    for head in ({"jwk": other.jwk("one")}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/x"}):
        assert "signature of the token is wrong" in why(other.token(head=head))


@pytest.mark.parametrize(
    "token",
    [
        "..",
        "a.b.c",
        "a.b",
        "a.b.c.d",
        "e30.e30.e30",
        "é.b.c",
        "\ud800.b.c",
        forged({"alg": "ES256", "kid": "one"}),
        forged({"alg": "ES256", "kid": "one"}, signature=b"\0" * 64),
        base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.e30",
        base64.urlsafe_b64encode(b"[]").decode().rstrip("=") + ".e30.e30",
        base64.urlsafe_b64encode(b'"alg"').decode().rstrip("=") + ".e30.e30",
        base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("=") + ".e30.e30",
        issuer.token() + "=",
        issuer.token() + "\n",
        issuer.token()[:-10],
        issuer.token().replace(".", "..", 1),
    ],
    ids=[str(number) for number in range(17)],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    """Cut short, of other letters, nested without end, unsigned: refused, and never an error of ours."""
    why(token)


def test_a_token_without_end_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither decoded nor hashed."""
    monkeypatch.setattr(module.hashlib, "sha256", None)
    assert "longer than 8,192" in why("a." * 10_000_000 + "a")


def test_a_good_token_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is known for a minute, or until it expires; as many as are remembered, the oldest are forgotten."""
    checked: list[str] = []
    decode = jwt.decode

    def watched(token: str, *arguments: Any, **options: Any) -> Any:
        checked.append(token)
        return decode(token, *arguments, **options)

    monkeypatch.setattr(module.jwt, "decode", watched)
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    began = int(time.time())
    now = [float(began)]
    source = Issuer()
    first, second, third = (source.token(sub=sub, exp=began + 45) for sub in ("a", "b", "c"))

    async def run() -> None:
        found = taken(source, clock=lambda: now[0])
        for token in (first, first, first):
            await found.caller(token)
        assert len(checked) == 1
        for token in (second, third, third, first):
            await found.caller(token)
        assert len(checked) == 4
        now[0] += 50
        await found.caller(first)
        assert len(checked) == 5
        now[0] += 30
        with pytest.raises(NotKnown, match="expired"):
            await found.caller(first)

    asyncio.run(run())


def test_keys_are_rotated() -> None:
    """A key nobody knows yet leads to one look, for all who wait; one that is not published any more stops working at once."""
    source, clock = Issuer(), [0.0]
    kept = KeptKeys(source, lambda: clock[0])
    old = source.token()

    async def run() -> None:
        found = taken(source, kept=kept)
        await kept.look()
        await found.caller(old)
        source.add("new")
        clock[0] += source.pause
        new = source.token(key="new")
        assert [one.agent for one in await asyncio.gather(*(found.caller(new) for _ in range(20)))] == ["a-17"] * 20
        assert source.asked == 2
        del source.private["one"]
        await kept.look()
        with pytest.raises(NotKnown, match="does not publish"):
            await found.caller(old)
        await found.caller(new)

    asyncio.run(run())


def test_unknown_keys_do_not_hammer_the_provider() -> None:
    """One look in ten seconds, however many tokens with however many keys come."""
    source, clock = Issuer(), [0.0]
    kept = KeptKeys(source, lambda: clock[0])

    async def run() -> None:
        found = taken(source, kept=kept)
        await kept.look()
        for second in range(100):
            clock[0] = second * 0.2
            with pytest.raises(NotKnown, match="does not publish"):
                await found.caller(forged({"alg": "ES256", "kid": f"k{second}"}))
        assert source.asked == 2

    asyncio.run(run())


def test_the_last_good_keys_go_on() -> None:
    """While the provider is away, or publishes what is no good; before it ever answered nobody can say whether a token is good."""
    source, clock = Issuer(), [0.0]
    kept, token = KeptKeys(source, lambda: clock[0]), source.token()

    async def run() -> None:
        found = taken(source, kept=kept)
        source.away = True
        for _ in range(2):
            with pytest.raises(KeysAway):
                await found.caller(token)
        assert (source.asked, kept.missed) == (1, "cannot be had: it is away")
        clock[0] += source.pause
        source.away = False
        assert (await found.caller(token)).agent == "a-17"
        source.away = True
        await kept.look()
        assert (await found.caller(source.token(sub="a-18"))).agent == "a-18"
        source.away = False
        source.private = {}
        await kept.look()
        assert kept.missed == "has no public key that tokens could be checked with"
        assert (await found.caller(token)).agent == "a-17"

    asyncio.run(run())


def test_a_single_key_needs_no_id() -> None:
    """Where neither token nor choice of keys needs one; of two the token has to say which."""
    source = Issuer()
    assert caller(source.token(head={"kid": None}), source=source).agent == "a-17"
    source.add("two")
    assert "does not publish" in why(source.token(head={"kid": None}), source=source)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a JWKS document"),
        (b'{"keys": {}}', "is not a JWKS document"),
        (b'{"keys": [1]}', "is not a JWKS document"),
        (b'{"keys": []}', "has no public key"),
        (b'{"keys": [{}]}', "has no public key"),
        (b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}', "has no public key"),
        (b'{"keys": [{"kty": "EC", "d": "AA"}]}', "has a private key"),
        (json.dumps({"keys": [{}] * 101}).encode(), "more than 100"),
        (json.dumps({"keys": [issuer.jwk("one")] * 2}).encode(), "two keys of one"),
        (json.dumps({"keys": [issuer.jwk("one") | {"use": "enc"}]}).encode(), "has no public key"),
        (json.dumps({"keys": [issuer.jwk("one") | {"key_ops": ["encrypt"]}]}).encode(), "has no public key"),
        (json.dumps({"keys": [issuer.jwk("one") | {"key_ops": 7}]}).encode(), "has no public key"),
        (json.dumps({"keys": [issuer.jwk("one") | {"alg": "HS256"}]}).encode(), "has no public key"),
        (json.dumps({"keys": [issuer.jwk("one") | {"alg": 7}]}).encode(), "has no public key"),
        (json.dumps({"keys": [issuer.jwk("one") | {"x": "AA"}]}).encode(), "has no public key"),
        (json.dumps({"keys": [issuer.jwk("one") | {"crv": "secp256k1"}]}).encode(), "has no public key"),
        (json.dumps({"keys": [issuer.jwk("one") | {"kid": 7}]}).encode(), "has no public key"),
    ],
    ids=[str(number) for number in range(19)],
)
def test_documents_that_are_no_keys(document: bytes, says: str) -> None:
    """Symmetric keys, private ones, keys for something else, two of one name: refused, and nothing of them is told."""
    with pytest.raises(BadKeys, match=says):
        read_keys(document)
