"""Nothing of a person, no key and nothing that was sent reaches a place where it does not belong: canaries are sent through every route of
the document, well formed and not, while all is well and while things fail, and every place is searched for them."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.exemplary import examples_of
from app.api.logs import configure_logs
from app.api.services import Services, open_services
from app.api.watching.spans import Spans
from app.engine.vocabulary.examples import EXAMPLES
from app.record.store.problems import StoreUnavailable
from app.settings import Settings
from tests.contract.conftest import settings_in
from tests.watching import logging_as_before

pytestmark = pytest.mark.contract

PERSON = "13987650317"
"""Looks like a telephone number, and is a valid id of a subscriber."""
WORD = "Zhaocanary"
"""Looks like a name, or a word of free text."""
NAME = "Fieldbird"
"""Stands where names of fields do: a problem names the field that is wrong, and it stands nowhere else."""
KEY = "wl_canarykey7QmX2vB9"
STAFF = ("agent",)
"""Parameters for codes of the operator's own people, which stand on the record in the clear: it says who searched for what."""
OF_NAMES = ("fields",)
"""Parameters whose values are names of fields."""
OWN_WORDS = ("holdSubscriber",)
"""Calls with a reason that an officer words, for colleagues to read beside the person as long as the hold lasts."""
CANARIES = (PERSON, WORD, "canarykey")
LIVE = {name: value for name, value in EXAMPLES[0].items() if name != "as_of"}


@dataclass
class Sinks:
    """The service, and every place where something could come to light."""

    http: TestClient
    folder: Path
    log: io.BytesIO
    spans: InMemorySpanExporter
    problems: list[str] = field(default_factory=list)
    asked: int = 0

    def ask(self, method: str, path: str, **sent: Any) -> None:
        """Send something, and keep what is answered where it is refused. What is read is the reader's."""
        headers = {"authorization": f"Bearer {KEY}", "x-api-key": KEY, "x-canary": WORD, **sent.pop("headers", {})}
        response = self.http.request(method, path, headers=headers, **sent)
        self.asked += 1
        if response.status_code >= 400:
            self.problems.append(f"{method} {self.asked} {response.status_code} {dict(response.headers)} {response.text}")

    def found(self) -> dict[str, list[str]]:
        """The canaries, by where they were found."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        assert any(path.name.endswith("-wal") for path in files)
        places = {
            "log": self.log.getvalue(),
            "metrics": self.http.get("/metrics").content,
            "spans": json.dumps([span.to_json() for span in self.spans.get_finished_spans()]).encode(),
            **{text: text.replace(NAME, "").encode() for text in self.problems},
        }
        found = {place: [word for word in (*CANARIES, NAME) if word.encode() in content] for place, content in places.items()}
        found |= {path.name: [PERSON] for path in files if PERSON.encode() in content_of(path)}
        return {place: words for place, words in found.items() if words}


@pytest.fixture(scope="module")
def sinks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sinks]:
    """The service in development mode, where every route is reached, with all that it writes in one folder."""
    folder = tmp_path_factory.mktemp("canaries")
    settings = settings_in(folder).model_copy(update={"on_store_failure": "spool", "spool_dir": folder / "spool"})
    log, spans, provider = io.BytesIO(), InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    @contextlib.asynccontextmanager
    async def services(given: Settings) -> AsyncIterator[Services]:
        async with open_services(given) as opened:
            yield dataclasses.replace(opened, watch=dataclasses.replace(opened.watch, spans=Spans(provider)))

    with logging_as_before(), pytest.MonkeyPatch.context() as patch:
        out = io.TextIOWrapper(log, write_through=True)  # kept, or it would close the bytes
        patch.setattr("sys.stdout", out)
        configure_logs("debug", "json")
        with TestClient(create_app(settings, services), base_url="http://wanliu", raise_server_exceptions=False) as http:
            yield Sinks(http, folder, log, spans)
    out.detach()


def content_of(file: Path) -> bytes:
    """What a file holds; nothing where it went meanwhile, as files of the spool do."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def operations(http: TestClient) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every method and path of the document, and what is said of it."""
    for path, item in http.get("/openapi.json").json()["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def with_canary(value: Any, canary: str) -> Any:
    """An example with a canary in place of every text."""
    if isinstance(value, dict):
        return {name: with_canary(part, canary) for name, part in value.items()}
    if isinstance(value, list):
        return [with_canary(part, canary) for part in value]
    return canary if isinstance(value, str) else value


def bodies(operation: dict[str, Any]) -> Iterator[bytes]:
    """Bodies with canaries: examples with one in place of each text, fields that there are not, and no JSON at all."""
    for sent in examples_of(operation["operationId"]).requests.values():
        for canary in (WORD,) if operation["operationId"] in OWN_WORDS else (PERSON, WORD):
            yield json.dumps(with_canary(sent.body, canary)).encode()
        if isinstance(sent.body, dict):
            for name in sent.body:
                yield json.dumps({**sent.body, name: WORD}).encode()
                yield json.dumps({**sent.body, name: {NAME: PERSON}}).encode()
            yield json.dumps({**sent.body, NAME: PERSON}).encode()
    yield json.dumps({NAME: PERSON, "subscriber": {"id": PERSON, NAME: [WORD]}}).encode()
    yield json.dumps([WORD, PERSON]).encode()
    yield f'{{"{NAME}": {PERSON}'.encode()
    yield f'{{"{NAME}": 1, "{NAME}": 2}}'.encode()
    yield f"{WORD}\ud800".encode("utf-8", "surrogatepass")


def paths(path: str, operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """The path with canaries for its parameters, in the query and in the headers that it takes."""
    parameters = operation.get("parameters", [])
    valid = path.replace("{subscriber}", "-").replace("{decision_id}", "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b")
    valid = valid.replace("{digest}", f"sha256:{'0' * 64}")
    filled = path
    for parameter in (part for part in parameters if part.get("in") == "path"):  # what all share stands by reference
        filled = filled.replace(f"{{{parameter['name']}}}", PERSON)
        valid = valid.replace(f"{{{parameter['name']}}}", "0")
    yield filled, {}
    yield filled.replace(PERSON, WORD), {}
    yield f"{valid}?{NAME}={PERSON}", {}
    yield f"{valid}?{PERSON}={WORD}", {}
    yield f"{valid}/{PERSON}/{WORD}", {}
    yield valid, {"x-subscriber-id": PERSON}
    yield valid, {"x-subscriber-id": f"{PERSON} {WORD}", "wanliu-deadline-ms": WORD, "traceparent": f"00-{WORD}-{PERSON}-01"}
    for parameter in parameters:
        if parameter.get("in") == "query":
            yield f"{valid}?{parameter['name']}={NAME if parameter['name'] in OF_NAMES else WORD}", {}
            if parameter["name"] not in STAFF:
                yield f"{valid}?{parameter['name']}={PERSON}", {}
        elif parameter.get("in") == "header":
            yield valid, {parameter["name"]: f"{WORD} {PERSON}"}


def send_everything(sinks: Sinks) -> None:
    """Canaries through every route, in every place that it takes something from."""
    for method, path, operation in operations(sinks.http):
        sent = operation.get("requestBody", {}).get("content", {})
        for where, headers in paths(path, operation):
            sinks.ask(method, where, headers=headers, **({"content": b"{}"} if sent else {}))
            for media_type in sent:
                for body in bodies(operation):
                    sinks.ask(method, where, headers={"content-type": media_type, **headers}, content=body)
                    break
        for media_type in (*sent, *([f"text/{WORD}"] if sent else [])):
            valid = path.replace("{subscriber}", "-")
            for body in bodies(operation):
                sinks.ask(method, valid, headers={"content-type": media_type, "x-subscriber-id": PERSON}, content=body)
        sinks.ask("BREW", path, headers={"accept": WORD})


def decide(sinks: Sinks) -> None:
    """A decision about the person, as it should be, and what follows from it."""
    asked = copy.deepcopy(LIVE)
    asked["subscriber"]["id"] = PERSON
    response = sinks.http.post("/v1/decisions", json=asked)
    assert response.status_code == 200, response.text
    answer = response.json()
    sinks.http.get(f"/v1/decisions/{answer['decision_id']}")
    sinks.http.get("/v1/subscribers/-/record", headers={"x-subscriber-id": PERSON})
    sinks.http.post("/v1/subscribers/-/hold", headers={"x-subscriber-id": PERSON}, json={"reason": "asked by a court"})


def test_nothing_comes_to_light(sinks: Sinks) -> None:
    """Neither in the log, nor in metrics, spans and problems; what is about the person is nowhere in the clear."""
    decide(sinks)
    send_everything(sinks)
    assert sinks.asked > 500
    assert sinks.problems
    assert sinks.found() == {}


def test_nor_where_deciding_fails(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect whose message has what was sent is logged with its place, and without its message."""
    before = len(sinks.log.getvalue())

    def broken(*_: Any) -> Any:
        raise ValueError(f"{PERSON} {WORD}") from KeyError(PERSON)

    monkeypatch.setattr("app.api.deciding.decide", broken)
    asked = {**LIVE, "subscriber": {**LIVE["subscriber"], "id": PERSON}}
    sinks.ask("POST", "/v1/decisions", json=asked)
    assert sinks.problems[-1].startswith(f"POST {sinks.asked} 500")
    logged = [json.loads(line) for line in sinks.log.getvalue()[before:].splitlines()]
    (failed,) = [line for line in logged if line["event"] == "request_failed"]
    assert "in broken" not in failed["exception"]
    assert "ValueError" in failed["exception"]
    assert "test_canaries.py" in failed["exception"]
    assert sinks.found() == {}


def test_nor_where_the_store_is_away(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is spooled meanwhile is encrypted."""
    record = sinks.http.app.state.services.record  # type: ignore[attr-defined]

    def refuse(_: Any) -> Any:
        raise StoreUnavailable("the store is down")

    monkeypatch.setattr(record._committer, "commit", refuse)
    asked = {**LIVE, "subscriber": {**LIVE["subscriber"], "id": PERSON}}
    assert sinks.http.post("/v1/decisions", json=asked).status_code == 200
    sinks.ask("POST", "/v1/decisions", json=asked, headers={"idempotency-key": "k-1"})
    assert sinks.problems[-1].startswith(f"POST {sinks.asked} 503")
    assert [path for path in (sinks.folder / "spool").rglob("*.spool") if path.stat().st_size > 500]
    assert sinks.found() == {}


def test_a_canary_would_be_found(sinks: Sinks) -> None:
    """The search sees what it should: in a log line, in a file."""
    structlog.get_logger("a").warning("leak", of=PERSON)
    leak = sinks.folder / "leak"
    leak.write_text(PERSON)
    found = sinks.found()
    leak.unlink()
    assert (found["log"], found["leak"]) == ([PERSON], [PERSON])
