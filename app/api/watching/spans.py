"""Spans for OpenTelemetry: of each request, and of parsing, deciding and recording in it. Nothing of a person is in them.

They need the extra `otel`, and a collector named by `OTEL_EXPORTER_OTLP_ENDPOINT`; OpenTelemetry's other variables are heeded as usual.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from app import __version__
from app.api.watching.correlation import Parent

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_log = structlog.get_logger("wanliu.spans")


def spans_of(environment: Mapping[str, str]) -> Spans | None:
    """Spans that go to the collector of the environment; none where it names none, has them off, or the extra is not installed.

    Args:
        environment: the variables of OpenTelemetry among others.
    """
    named = next((name for name in _ENDPOINTS if environment.get(name)), None)
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER", "").lower() == "none"
    if named is None or off:
        return None
    if not _installed():
        _log.warning("spans_off", why=f"{named} is set, but the extra is not installed: pip install 'wanliu[otel]'")
        return None
    return Spans(_provider(environment.get("OTEL_SERVICE_NAME") or "wanliu"))


class RequestSpan:
    """The span of one request."""

    __slots__ = ("_context", "_span", "_tracer", "id", "sampled", "trace")

    def __init__(self, tracer: Any, span: Span, context: Any) -> None:
        self._tracer, self._span, self._context = tracer, span, context
        of = span.get_span_context()
        self.trace, self.id, self.sampled = f"{of.trace_id:032x}", f"{of.span_id:016x}", of.trace_flags.sampled

    def child(self, name: str) -> Span:
        """A span within this one, begun now."""
        made: Span = self._tracer.start_span(name, self._context)
        return made

    def end(self, route: str | None, method: str, status: int, told: Mapping[str, Any]) -> None:
        """End it, saying what came of the request."""
        from opentelemetry.trace import StatusCode

        span = self._span
        span.update_name(f"{method} {route}" if route else method)
        span.set_attributes({"http.request.method": method, "http.response.status_code": status})
        if route:
            span.set_attribute("http.route", route)
        span.set_attributes({f"wanliu.{name}": value for name, value in told.items()})
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end()


class Spans:
    """Makes spans, and sends them at the end."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("wanliu", __version__)

    def begin(self, parent: Parent | None) -> RequestSpan:
        """Begin the span of a request: a child of the caller's, or the first of a trace."""
        from opentelemetry.context import Context
        from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context

        context = Context()
        if parent is not None:
            flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
            of = SpanContext(int(parent.trace, 16), int(parent.span, 16), is_remote=True, trace_flags=flags)
            context = set_span_in_context(NonRecordingSpan(of), context)
        span = self._tracer.start_span("request", context, SpanKind.SERVER)
        return RequestSpan(self._tracer, span, set_span_in_context(span, context))

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def _installed() -> bool:
    try:
        return all(importlib.util.find_spec(name) for name in _NEEDED)
    except ModuleNotFoundError:
        return False


def _provider(name: str) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": name, "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
