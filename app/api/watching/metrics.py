"""What is counted and measured, for Prometheus. Labels are words of ours and of the pack, never what a caller sent.

A process keeps its own figures. Where the keeper made a folder for them (`shared`), they are in files there, and each process tells those
of all. What is counted for each request goes there once a second, and at the end.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.metrics import MetricWrapperBase

from app.api.watching.shared import FOLDER
from app.api.watching.tallies import TalliedCounter, TalliedHistogram

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ENTRIES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
UNMATCHED = "unmatched"
"""The route of a path that is none of ours."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
"""Any other method; a label is never what a caller made up."""

M = TypeVar("M", bound=MetricWrapperBase)
H = TypeVar("H", bound=Histogram)


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        process = os.getpid()  # asked once: it would be asked at every figure
        values.ValueClass = values.MultiProcessValue(lambda: process) if FOLDER in os.environ else values.MutexValue
        self.registry = CollectorRegistry()
        self._requests = self._made(TalliedCounter, "http_requests", "Requests that were answered.", "route", "method", "status")
        self._request_seconds = self._timed(
            TalliedHistogram, "http_request_duration_seconds", "From a request's head to the end of its answer.", "route"
        )
        self._refused = self._made(Counter, "http_refused", "Requests that were refused before anything was done, by cause.", "cause")
        self._refused_before: Mapping[str, int] = {}
        self._lanes = self._summed("http_requests_waiting", "Requests that wait for their turn, as of the last second.", "lane")
        self._decisions = self._made(TalliedCounter, "decisions", "Decisions.", "channel", "mode", "phase", "empty_because")
        self._stages = self._timed(TalliedHistogram, "stage_duration_seconds", "Parts of answering: parse, decide, word, record.", "stage")
        self._commits = self._timed(Histogram, "record_commit_duration_seconds", "Commits of the store.")
        self._batches = self._made(Histogram, "record_commit_entries", "Entries in a commit.", buckets=_ENTRIES)
        self._failures = self._made(Counter, "record_commit_failures", "Commits that the store did not take.")
        self._in_flight = self._summed("http_requests_in_flight", "Requests being answered, as of the last second.")
        self._queue = self._summed("record_queue_entries", "Entries that wait to be stored, as of the last second.")
        self._spool = self._summed("record_spool_bytes", "Bytes in the spool, as of the last second.")
        self._workers = self._summed("workers", "Worker processes.", "state")
        self._replaced = self._made(Counter, "workers_replaced", "Worker processes that were replaced, by cause.", "cause")
        self._replaced_before: Mapping[str, int] = {}
        self.in_flight = 0
        """Requests being answered in this process."""

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            route: its template, or `UNMATCHED`.
            method: one of `METHODS`, or `OTHER`.
            status: of the answer; 499 where the caller had gone.
            seconds: how long it took.
        """
        self._requests.add(route, method, str(status))
        self._request_seconds.add(seconds, route)

    def decided(self, channel: str, mode: str, phase: str, empty_because: str | None) -> None:
        """Count a decision; an answer that is not empty has `none` for a cause."""
        self._decisions.add(channel, mode, phase, empty_because or "none")

    def took(self, stage: str, seconds: float) -> None:
        """Note how long a part of answering took."""
        self._stages.add(seconds, stage)

    def committed(self, entries: int, seconds: float, stored: bool) -> None:
        """Note a commit of the store; called in the writer's thread."""
        if not stored:
            self._failures.inc()
            return
        self._commits.observe(seconds)
        self._batches.observe(entries)

    def workers(self, answering: int, finishing: int, replaced: Mapping[str, int]) -> None:
        """Note how the workers stand; the keeper does.

        Args:
            answering: how many answer.
            finishing: how many finish what they have.
            replaced: how many were replaced so far, by cause.
        """
        self._workers.labels("answering").set(answering)
        self._workers.labels("finishing").set(finishing)
        for cause, count in replaced.items():
            self._replaced.labels(cause).inc(count - self._replaced_before.get(cause, 0))
        self._replaced_before = dict(replaced)

    def admission(self, waiting: Mapping[str, int], refused: Mapping[str, int]) -> None:
        """Note how the door stands: once a second.

        Args:
            waiting: requests that wait for their turn, by lane.
            refused: how many were refused so far, by kind of problem.
        """
        for lane, count in waiting.items():
            self._lanes.labels(lane).set(count)
        for cause, count in refused.items():
            self._refused.labels(cause).inc(count - self._refused_before.get(cause, 0))
        self._refused_before = dict(refused)

    def sample(self, *, queue: int, spool: int) -> None:
        """Note what changes too often to be noted each time, and put what was counted: once a second."""
        self.put()
        self._in_flight.set(self.in_flight)
        self._queue.set(queue)
        self._spool.set(spool)

    def put(self) -> None:
        """Put what was counted for requests where all processes tell it from; in the thread that answers."""
        for tallied in (self._requests, self._request_seconds, self._decisions, self._stages):
            tallied.put()

    def _made(self, kind: type[M], name: str, what: str, *labels: str, **options: Any) -> M:
        return kind(name, what, labels, namespace="wanliu", registry=self.registry, **options)

    def _timed(self, kind: type[H], name: str, what: str, *labels: str) -> H:
        return self._made(kind, name, what, *labels, buckets=_SECONDS)

    def _summed(self, name: str, what: str, *labels: str) -> Gauge:
        return self._made(Gauge, name, what, *labels, multiprocess_mode="livesum")
