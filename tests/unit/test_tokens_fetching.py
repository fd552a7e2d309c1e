"""Where keys for tokens come from, and that nothing there can hold the service up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from app.api.identity import fetching as module
from app.api.identity.book import CallerBook
from app.api.identity.fetching import LARGEST, FileSource, UrlSource, source_of
from app.api.identity.keeping import KeptKeys
from app.api.identity.keyset import BadKeys
from app.api.identity.trusting import take_tokens
from app.record.callers import Caller
from app.record.keys import KeysProblem
from app.settings import Settings
from tests.tokens import AUDIENCE, ISSUER, Issuer

pytestmark = pytest.mark.unit

URL = "https://id.example/keys?client=wanliu"
Answer = Callable[[httpx.Request], httpx.Response]


def fetched(answer: Answer) -> bytes:
    return asyncio.run(UrlSource(URL, httpx.MockTransport(answer)).fetch())


def test_a_document_is_fetched() -> None:
    """As the provider gives it."""
    assert fetched(lambda request: httpx.Response(200, content=str(request.url).encode())) == URL.encode()


class Endless(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536


def failing(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route to host: secret", request=request)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda _: httpx.Response(302, headers={"location": "http://169.254.169.254/"}), "the answer is 302"),
        (lambda _: httpx.Response(404), "the answer is 404"),
        (lambda _: httpx.Response(500), "the answer is 500"),
        (lambda _: httpx.Response(200, stream=Endless()), "is larger than"),
        (lambda _: httpx.Response(200, headers={"content-encoding": "gzip"}, content=b"no"), "cannot be had: DecodingError"),
        (failing, "cannot be had: ConnectError"),
    ],
    ids=["moved", "nowhere", "broken", "endless", "garbled", "away"],
)
def test_what_is_no_document_is_let_go(answer: Answer, says: str) -> None:
    """Nothing is followed elsewhere, nothing is read without end; what is told has neither address nor content."""
    with pytest.raises(BadKeys) as refused:
        fetched(answer)
    assert says in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_slow_provider_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that does not answer, nor one that drips."""
    monkeypatch.setattr(module, "SECONDS", 0.05)

    class Dripping(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.01)
                yield b"x"

    with pytest.raises(BadKeys, match="TimeoutError"):
        fetched(lambda _: httpx.Response(200, stream=Dripping()))


def test_the_environments_proxy_is_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider on loopback is asked straight; others through the proxy where there is one."""
    asked: list[object] = []
    client = httpx.AsyncClient

    def watched(**options: object) -> httpx.AsyncClient:
        asked.append(options["trust_env"])
        return client(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(module.httpx, "AsyncClient", watched)
    for url in ("http://127.0.0.1:1/keys", URL):
        with pytest.raises(BadKeys):
            asyncio.run(UrlSource(url, httpx.MockTransport(failing)).fetch())
    assert asked == [False, True]


def test_a_file_is_read(tmp_path: Path) -> None:
    """As far as it may be long; one that is not there is told."""
    file = tmp_path / "keys.json"
    with pytest.raises(BadKeys, match="cannot be read: No such file"):
        asyncio.run(FileSource(file).fetch())
    file.write_bytes(b"x" * LARGEST)
    assert len(asyncio.run(FileSource(file).fetch())) == LARGEST
    file.write_bytes(b"x" * (LARGEST + 1))
    with pytest.raises(BadKeys, match="is larger"):
        asyncio.run(FileSource(file).fetch())


def test_the_setting_says_which() -> None:
    """A file, or a URL."""
    assert isinstance(source_of("keys.json"), FileSource)
    assert isinstance(source_of(URL), UrlSource)


def settings(keys: object) -> Settings:
    return Settings(jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_keys=str(keys), jwt_algorithms=("ES256",))


def test_a_changed_file_takes_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the service runs; a broken one is logged once, and the last good one goes on."""
    monkeypatch.setattr(FileSource, "every", 0.01)
    issuer, file = Issuer(), tmp_path / "keys.json"
    file.write_bytes(issuer.document)
    old = issuer.token()

    async def run() -> None:
        book = CallerBook()
        followers = await take_tokens(settings(file), book)
        assert book.tokens is not None
        assert (await book.tokens.caller(old)).agent == "a-17"
        file.write_bytes(b"broken")
        await asyncio.sleep(0.2)
        assert (await book.tokens.caller(old)).agent == "a-17"
        issuer.add("two")
        del issuer.private["one"]
        new = tmp_path / "new.json"
        new.write_bytes(issuer.document)
        new.replace(file)
        await asyncio.sleep(0.2)
        assert (await book.tokens.caller(issuer.token(key="two"))).agent == "a-17"
        for follower in followers:
            follower.cancel()

    with capture_logs() as logs:
        asyncio.run(run())
    assert [entry["event"] for entry in logs] == ["token_keys_changed", "token_keys_not_had", "token_keys_changed"]


def test_a_file_that_cannot_be_used_keeps_the_service_from_starting(tmp_path: Path) -> None:
    """Told by the name of the setting. A provider that is away does not."""
    with pytest.raises(KeysProblem, match="WANLIU_JWT_KEYS: the file cannot be read"):
        asyncio.run(take_tokens(settings(tmp_path / "none.json"), CallerBook()))
    book = CallerBook()

    async def run() -> None:
        for follower in await take_tokens(settings("http://127.0.0.1:9/keys"), book):
            follower.cancel()

    asyncio.run(run())
    assert not book.development


def test_without_settings_no_tokens_are_taken() -> None:
    """And nothing is followed."""
    book = CallerBook()
    assert asyncio.run(take_tokens(Settings(), book)) == []
    assert book.tokens is None


def test_an_error_nobody_thought_of_keeps_the_last_good_keys() -> None:
    """The follower goes on."""
    issuer = Issuer()
    kept = KeptKeys(issuer)

    async def run() -> Caller | None:
        await kept.look()
        issuer.fetch = None  # type: ignore[method-assign,assignment]
        await kept.look()
        return None

    asyncio.run(run())
    assert (kept.had, kept.missed) == (True, "TypeError")
