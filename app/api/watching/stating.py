"""What is true when it is looked at, for Prometheus: which pack and program run, how record and log stand."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import get_args

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app import __version__
from app.api.services import Services
from app.record.log.witnessing import Standing as WitnessStanding
from app.record.standing import Standing


class State(Collector):
    """Told as of now by the process that is asked: it is the same for all of them."""

    def __init__(self, services: Services, standing: Standing | None) -> None:
        """
        Args:
            services: of this process.
            standing: of the record; none where the store does not answer.
        """
        self._services, self._standing = services, standing

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        yield from self._program()
        yield _gauge("store_up", "Whether the store answers.", int(self._standing is not None))
        if self._standing is not None:
            yield from _of_record(self._standing)
        yield from self._witness()

    def _program(self) -> Iterator[Metric]:
        packs = self._services.packs
        pack, running = packs.current, packs.running
        build = {"version": __version__, "python": platform.python_version()}
        yield _info("build_info", "What runs.", build)
        told = {"name": pack.name, "version": pack.version, "digest": pack.digest, "follows": running.follows}
        yield _info("pack_info", "The pack that decides.", told)
        yield _gauge(
            "pack_broken", "Whether the pack that should decide is no good, and the last good one goes on.", int(bool(packs.problems))
        )
        development = int(self._services.callers.development)
        yield _gauge("development_mode", "Whether nobody was ever added who may call, so that everybody may do everything.", development)

    def _witness(self) -> Iterator[Metric]:
        if self._services.witness is None:
            return
        standing = self._services.witness.state.standing
        family = GaugeMetricFamily("wanliu_witness", "How the log stands with its witness: 1 where it stands so.", labels=["standing"])
        for word in get_args(WitnessStanding):
            family.add_metric([word], int(word == standing))
        yield family


def _of_record(standing: Standing) -> Iterator[Metric]:
    yield _gauge("log_leaves", "Leaves of the log.", standing.leaves)
    yield _gauge("unsealed_entries", "Entries that wait for a leaf.", standing.unsealed.entries)
    yield _gauge("unsealed_seconds", "How long the oldest of them has waited.", standing.unsealed.seconds)
    events = GaugeMetricFamily(
        "wanliu_webhook_events", "Events that subscriptions were not told of, by whether they will be.", labels=["state"]
    )
    events.add_metric(["waiting"], standing.events_waiting)
    events.add_metric(["dead"], standing.events_dead)
    yield events
    campaigns = GaugeMetricFamily("wanliu_campaigns", "Campaigns that callers commissioned, by state.", labels=["state"])
    for state, number in standing.campaigns.items():
        campaigns.add_metric([state], number)
    yield campaigns
    decided = "Decisions of these campaigns that went on the record."
    yield CounterMetricFamily("wanliu_campaign_decisions", decided, standing.campaign_decisions)
    yield CounterMetricFamily("wanliu_webhook_events_delivered", "Events that subscriptions were told of.", standing.events_delivered)


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"wanliu_{name}", what, value)


def _info(name: str, what: str, told: dict[str, str]) -> Metric:
    family = GaugeMetricFamily(f"wanliu_{name}", what, labels=list(told))
    family.add_metric(list(told.values()), 1)
    return family
