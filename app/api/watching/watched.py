"""A request that is being answered, as operations sees it: its trace, what came of it, how long its parts took."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from starlette.requests import Request
from starlette.types import Scope

from app.api.watching.correlation import new_span, new_trace, parent_of, trace_response
from app.api.watching.metrics import Metrics
from app.api.watching.spans import RequestSpan, Spans

_KEY = "watched"


@dataclass(slots=True)
class Watched:
    """One request. What is told of it is of its kind, never of whom it concerns."""

    metrics: Metrics
    trace: str
    response: bytes
    """The value of `traceresponse`."""
    span: RequestSpan | None = None
    told: dict[str, Any] = field(default_factory=dict)
    """For its line in the log."""

    def asked_by(self, role: str) -> None:
        """Say whose role it is."""
        self.told["role"] = role

    def decided(self, channel: str, mode: str, phase: str, empty_because: str | None) -> None:
        """Say what was decided, and why nothing where the list is empty."""
        self.told |= {"channel": channel, "phase": phase}
        if empty_because is not None:
            self.told["empty_because"] = empty_because
        self.metrics.decided(channel, mode, phase, empty_because)

    def stage(self, name: str) -> Stage:
        """Measures a part of answering: `with watched.stage("decide"):`."""
        return Stage(self, name)

    def end(self, route: str | None, method: str, status: int) -> None:
        """It was answered."""
        if self.span is not None:
            self.span.end(route, method, status, self.told)


class Stage:
    """A part of answering a request."""

    __slots__ = ("_began", "_name", "_span", "_watched")

    def __init__(self, watched: Watched, name: str) -> None:
        self._watched, self._name = watched, name

    def __enter__(self) -> None:
        span = self._watched.span
        self._span = None if span is None else span.child(self._name)
        self._began = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._watched.metrics.took(self._name, time.perf_counter() - self._began)
        if self._span is not None:
            self._span.end()


@dataclass(slots=True)
class Watch:
    """What a process watches with.

    Attributes:
        metrics: its figures.
        spans: where the operator has a collector.
        late_after: seconds that an entry may wait for its leaf before the service is degraded.
        draining: is the service about to stop?
        batches_end: when batches begin no more lines, in seconds of the loop's clock, for the process is about to end; none as long as it
            is not.
    """

    metrics: Metrics = field(default_factory=Metrics)
    spans: Spans | None = None
    late_after: float = 60.0
    draining: bool = False
    batches_end: float | None = None

    def begin(self, scope: Mapping[str, Any]) -> Watched:
        """Begin to watch a request: in the trace that its header names, or in a new one."""
        parent = parent_of(scope["headers"])
        if self.spans is not None:
            span = self.spans.begin(parent)
            return Watched(self.metrics, span.trace, trace_response(span.trace, span.id, sampled=span.sampled), span)
        trace = new_trace() if parent is None else parent.trace
        return Watched(self.metrics, trace, trace_response(trace, new_span(), sampled=False))


def put(scope: Scope, watched: Watched) -> None:
    """Let whoever answers the request find it."""
    scope[_KEY] = watched


def watched(request: Request) -> Watched:
    """A request as operations sees it."""
    found: Watched = request.scope[_KEY]
    return found
