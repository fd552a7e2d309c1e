"""The service as operations sees it: traces, figures, readiness, spans; and pages of other origins."""

import asyncio
import contextlib
import dataclasses
import datetime
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.api.application import create_app
from app.api.services import Services, open_services
from app.api.watching.spans import Spans, spans_of
from app.api.watching.watched import Watch
from app.engine.vocabulary.examples import EXAMPLES
from app.record.standing import Unsealed
from app.record.store.problems import StoreUnavailable
from app.settings import Settings
from tests.contract.conftest import Guarded, settings_in

pytestmark = pytest.mark.contract

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
_response = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]")


def live(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in EXAMPLES[0].items() if name not in ("as_of", "contact_at", "mode")} | changes


def trace_of(response: Any) -> str:
    found = _response.fullmatch(response.headers["traceresponse"])
    assert found is not None
    return found[1]


class TestCorrelation:
    def test_the_caller_s_trace_goes_on(self, http: TestClient) -> None:
        """Into the log, the answer's header, and the entry on the record."""
        with capture_logs() as logs:
            response = http.post("/v1/decisions", json=live(), headers=SENT)
        assert (response.status_code, trace_of(response)) == (200, TRACE)
        assert SPAN not in response.headers["traceresponse"]
        recorded = http.get(f"/v1/decisions/{response.json()['decision_id']}/record").json()
        assert recorded["envelope"]["body"]["trace"] == TRACE
        assert [entry["event"] for entry in logs] == ["request"]

    def test_without_one_there_is_a_new_one(self, http: TestClient) -> None:
        """So it is with one that is none: that is nobody's error."""
        traces = [trace_of(http.get("/healthz", headers=headers)) for headers in ({}, {"traceparent": "00-1-2-3"}, {})]
        assert len({*traces, TRACE}) == 4

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/nowhere"), ("PUT", "/healthz"), ("POST", "/v1/decisions"), ("HEAD", "/healthz")]
    )
    def test_every_answer_has_it(self, http: TestClient, method: str, path: str) -> None:
        """Refusals and mistakes above all."""
        assert trace_of(http.request(method, path, headers=SENT)) == TRACE

    def test_entries_made_outside_of_a_request_have_none(self, http: TestClient) -> None:
        """Those of the service itself, such as the activation of its pack."""
        found = http.get("/v1/decisions", params={"kind": "pack_activated"})
        assert "trace" not in found.text


def figure(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


class TestMetrics:
    def test_what_was_asked_and_decided_is_counted(self, http: TestClient) -> None:
        """By route, method and status; by channel, phase and cause of emptiness; nothing that was sent is a label."""
        before = http.get("/metrics").text
        answer = http.post("/v1/decisions", json=live()).json()
        http.post("/v1/decisions", json=live(channel="13912345678"))
        http.get("/13912345678")
        http.request("BREW13912345678", "/healthz")
        after = http.get("/metrics").text

        def more(name: str) -> float:
            return figure(after, name) - figure(before, name)

        assert more('wanliu_http_requests_total{method="POST",route="/v1/decisions",status="200"}') == 1
        assert more('wanliu_http_requests_total{method="POST",route="/v1/decisions",status="422"}') == 1
        assert more('wanliu_http_requests_total{method="GET",route="unmatched",status="404"}') == 1
        empty = answer["empty_because"] or "none"
        labels = f'channel="{live()["channel"]}",empty_because="{empty}",mode="live",phase="{answer["phase"]["id"]}"'
        assert more(f"wanliu_decisions_total{{{labels}}}") == 1
        assert more('wanliu_stage_duration_seconds_count{stage="decide"}') == 1
        assert more('wanliu_stage_duration_seconds_count{stage="word"}') == 1
        assert more('wanliu_stage_duration_seconds_count{stage="record"}') == 1
        assert more('wanliu_stage_duration_seconds_count{stage="parse"}') == 2
        assert more("wanliu_record_commit_duration_seconds_count") >= 1
        assert "13912345678" not in after
        assert 'method="other"' in after

    def test_what_is_true_now_is_told(self, http: TestClient) -> None:
        """The pack, the store, what waits to be sealed."""
        text = http.get("/metrics").text
        assert f'digest="{http.get("/").json()["pack"]["digest"]}"' in text
        assert figure(text, "wanliu_store_up") == 1
        assert figure(text, "wanliu_log_leaves") >= 0

    @pytest.mark.parametrize(
        "accept", ["", "*/*", "text/plain", "application/openmetrics-text; version=1.0.0", "application/openmetrics-text;version=x", "☃"]
    )
    def test_both_forms(self, http: TestClient, accept: str) -> None:
        """OpenMetrics where it is asked for, else Prometheus's text; whatever the header says, it is answered."""
        response = http.get("/metrics", headers={"accept": accept.encode()})
        assert response.status_code == 200
        open_metrics = response.headers["content-type"].startswith("application/openmetrics-text")
        assert open_metrics == response.text.endswith("# EOF\n")

    def test_only_operations_may_read_them(self, guarded: Guarded) -> None:
        """They say how much business there is."""
        assert guarded.call("operations", "GET", "/metrics").status_code == 200
        assert guarded.call("agent", "GET", "/metrics").status_code == 403
        assert guarded.http.get("/metrics").status_code == 401

    def test_they_are_told_while_the_store_is_down(self, http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """That is when they are wanted."""

        async def read(*_: Any, **__: Any) -> Any:
            raise StoreUnavailable("gone")

        record = http.app.state.services.record  # type: ignore[attr-defined]
        monkeypatch.setattr(record, "read", read)
        text = http.get("/metrics").text
        assert figure(text, "wanliu_store_up") == 0
        assert "wanliu_log_leaves" not in text


class TestReadiness:
    def test_what_waits_for_a_leaf_is_told(self, http: TestClient) -> None:
        """How many entries, and how long the oldest has waited."""
        http.post("/v1/decisions", json=live())
        told = http.get("/readyz").json()
        assert told["status"] == "ready"
        assert set(told["unsealed"]) == {"entries", "seconds"}

    def test_a_service_that_does_not_seal_is_degraded(self, http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """It decides durably all the same, so it goes on being asked."""
        monkeypatch.setattr("app.api.health.unsealed", lambda connection, now: Unsealed(7, 61.0))
        response = http.get("/readyz")
        assert (response.status_code, response.json()["status"]) == (200, "degraded")
        assert response.json()["unsealed"] == {"entries": 7, "seconds": 61.0}

    def test_a_service_about_to_stop_is_not_ready(self, http: TestClient) -> None:
        """A proxy moves on; what is asked meanwhile is answered."""
        watch: Watch = http.app.state.services.watch  # type: ignore[attr-defined]
        watch.draining = True
        try:
            response, alive = http.get("/readyz"), http.get("/healthz")
        finally:
            watch.draining = False
        assert (response.status_code, response.json()["type"]) == (503, "urn:wanliu:problem:draining")
        assert response.headers["retry-after"]
        assert alive.status_code == 200

    def test_what_waits_is_counted(self, http: TestClient) -> None:
        """The oldest entry says since when."""
        from app.record.standing import unsealed

        record = http.app.state.services.record  # type: ignore[attr-defined]
        http.post("/v1/decisions", json=live())
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        found = record.read_now(lambda connection: unsealed(connection, later))
        if found.entries:
            assert 3_500 < found.seconds < 3_700
        while record.read_now(lambda connection: unsealed(connection, later)).entries:
            time.sleep(0.1)
        assert record.read_now(lambda connection: unsealed(connection, later)) == Unsealed(0, 0.0)


ALLOWED, OTHER = "https://desk.example", "https://evil.example"


@pytest.fixture(scope="module")
def pages(http: TestClient) -> Iterator[TestClient]:
    """The application where pages of one origin may call."""

    @contextlib.asynccontextmanager
    async def services(_: Settings) -> AsyncIterator[Services]:
        yield http.app.state.services  # type: ignore[attr-defined]

    with TestClient(create_app(Settings(cors_origins=(ALLOWED,)), services), base_url="http://wanliu") as client:
        yield client


def beforehand(client: TestClient, origin: str, **headers: str) -> Any:
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization", **headers}
    return client.options("/v1/decisions", headers=asked)


class TestOrigins:
    def test_off_unless_configured(self, http: TestClient) -> None:
        """No page is told that it may read anything, and OPTIONS is a method like others."""
        response = http.get("/healthz", headers={"origin": ALLOWED})
        assert not [name for name in response.headers if name.startswith("access-control") or name == "vary"]
        assert beforehand(http, ALLOWED).status_code == 405

    def test_a_browser_may_ask_beforehand(self, pages: TestClient) -> None:
        """Without a key: browsers send none with that question."""
        response = beforehand(pages, ALLOWED)
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers["access-control-allow-origin"] == ALLOWED
        assert "POST" in response.headers["access-control-allow-methods"]
        assert {"authorization", "idempotency-key", "traceparent"} <= set(response.headers["access-control-allow-headers"].split(", "))
        assert "access-control-allow-credentials" not in response.headers

    def test_the_page_reads_answers_and_refusals(self, pages: TestClient) -> None:
        """With the headers that it needs, and for no other origin from a cache."""
        for path, status in (("/healthz", 200), ("/nowhere", 404)):
            response = pages.get(path, headers={"origin": ALLOWED})
            assert response.status_code == status
            assert response.headers["access-control-allow-origin"] == ALLOWED
            assert "traceresponse" in response.headers["access-control-expose-headers"]
            assert response.headers["vary"] == "origin"

    @pytest.mark.parametrize(
        "origin", [OTHER, "null", "https://desk.example.evil.example", "https://desk.example:8443", "http://desk.example", "*"]
    )
    def test_others_may_not(self, pages: TestClient, origin: str) -> None:
        """An origin is allowed as a whole or not at all."""
        for response in (beforehand(pages, origin), pages.get("/healthz", headers={"origin": origin})):
            assert not [name for name in response.headers if name.startswith("access-control")]
            assert response.headers["vary"] == "origin"

    def test_options_without_the_question_is_a_method_like_others(self, pages: TestClient) -> None:
        """Only what browsers ask beforehand is answered without looking further."""
        assert pages.options("/v1/decisions", headers={"origin": ALLOWED}).status_code == 405


class TestSpans:
    @pytest.fixture
    def traced(self, http: TestClient) -> Iterator[tuple[TestClient, Any]]:
        """The application with a collector in memory."""
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        opened: Services = http.app.state.services  # type: ignore[attr-defined]

        @contextlib.asynccontextmanager
        async def services(_: Settings) -> AsyncIterator[Services]:
            yield dataclasses.replace(opened, watch=Watch(spans=Spans(provider)))

        with TestClient(create_app(Settings(), services), base_url="http://wanliu") as client:
            yield client, exporter

    def test_a_request_and_its_parts(self, traced: tuple[TestClient, Any]) -> None:
        """The span of a request is a child of the caller's, and has parse, decide, word and record within it."""
        client, exporter = traced
        response = client.post("/v1/decisions", json=live(), headers=SENT)
        *parts, request = exporter.get_finished_spans()
        assert [span.name for span in parts] == ["parse", "decide", "word", "record"]
        assert request.name == "POST /v1/decisions"
        assert {span.parent.span_id for span in parts} == {request.context.span_id}
        assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, SPAN)
        assert response.headers["traceresponse"] == f"00-{TRACE}-{request.context.span_id:016x}-01"
        assert request.attributes["http.route"] == "/v1/decisions"
        assert request.attributes["http.response.status_code"] == 200
        assert request.attributes["wanliu.phase"] == response.json()["phase"]["id"]

    def test_they_name_nobody(self, traced: tuple[TestClient, Any]) -> None:
        """Neither ids nor paths nor what was refused."""
        client, exporter = traced
        answer = client.post("/v1/decisions", json=live()).json()
        client.get("/13912345678?phone=13912345678")
        client.post("/v1/decisions", json={"channel": "13912345678"})
        told = str([span.to_json() for span in exporter.get_finished_spans()])
        assert not [word for word in ("13912345678", "s-1001", answer["decision_id"]) if word in told]

    def test_a_trace_that_the_caller_does_not_keep_is_not_kept(self, traced: tuple[TestClient, Any]) -> None:
        """Its id goes on all the same."""
        client, exporter = traced
        response = client.get("/healthz", headers={"traceparent": f"00-{TRACE}-{SPAN}-00"})
        assert trace_of(response) == TRACE
        assert response.headers["traceresponse"].endswith("-00")
        assert exporter.get_finished_spans() == ()

    @pytest.mark.parametrize(
        "environment",
        [
            {},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"},
        ],
    )
    def test_off_unless_there_is_a_collector(self, environment: dict[str, str]) -> None:
        """Nothing is made that nobody takes."""
        assert spans_of(environment) is None

    def test_a_collector_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The extra is there: spans are made for it."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "nba")
        spans = spans_of(os.environ)
        assert spans is not None
        assert spans._provider.resource.attributes["service.name"] == "nba"
        monkeypatch.setattr(spans._provider, "shutdown", lambda: None)
        spans.close()

    def test_without_the_extra_it_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What to install; the service starts all the same, for the variable may be meant for others."""
        monkeypatch.setattr("app.api.watching.spans._NEEDED", ("no_such_package.sdk",))
        with capture_logs() as logs:
            assert spans_of({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}) is None
        assert "pip install 'wanliu[otel]'" in logs[0]["why"]


def test_the_lag_of_the_settings_is_heeded(tmp_path: Path) -> None:
    """What the settings say of lag reaches readiness."""
    settings = settings_in(tmp_path).model_copy(update={"seal_lag_seconds": 5.0})

    async def heeded() -> float:
        async with open_services(settings) as services:
            return services.watch.late_after

    assert asyncio.run(heeded()) == 5.0
