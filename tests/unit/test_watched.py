"""What operations sees: traces read strictly, figures of several processes added up, folders that go with their keeper."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from app.api.watching.correlation import Parent, new_span, new_trace, parent_of, trace_response
from app.api.watching.metrics import Metrics
from app.api.watching.sampling import sampled
from app.api.watching.shared import FOLDER, bury, private_folder, register_all
from app.api.watching.tallies import TalliedCounter, TalliedHistogram
from app.record.standing import Standing, Unsealed
from tests.docs.pages import ROOT, rows

pytestmark = pytest.mark.unit

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def parent(*values: str) -> Parent | None:
    return parent_of([(b"accept", b"*/*"), *((b"traceparent", value.encode()) for value in values)])


class TestCorrelation:
    @pytest.mark.parametrize(
        ("value", "sampled"),
        [
            (f"00-{TRACE}-{SPAN}-01", True),
            (f"00-{TRACE}-{SPAN}-00", False),
            (f"00-{TRACE}-{SPAN}-03", True),
            (f"cc-{TRACE}-{SPAN}-01", True),
            (f"cc-{TRACE}-{SPAN}-01-what-the-future-holds", True),
        ],
    )
    def test_what_the_standard_allows_is_read(self, value: str, sampled: bool) -> None:
        """Versions to come may say more at the end."""
        assert parent(value) == Parent(TRACE, SPAN, sampled)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "00",
            f"00-{TRACE}-{SPAN}",
            f"00-{TRACE}-{SPAN}-1",
            f"00-{TRACE}-{SPAN}-01-more",
            f"00-{TRACE}-{SPAN}-01\n",
            f"ff-{TRACE}-{SPAN}-01",
            f"00-{TRACE.upper()}-{SPAN}-01",
            f"00-{'0' * 32}-{SPAN}-01",
            f"00-{TRACE}-{'0' * 16}-01",
            f"00-{TRACE[:-1]}-{SPAN}-01",
            f" 00-{TRACE}-{SPAN}-01",
            f"cc-{TRACE}-{SPAN}-01more",
            f"cc-{TRACE}-{SPAN}-01-{'x' * 1000}",
            f"00-{TRACE}-{SPAN}-0g",
        ],
    )
    def test_anything_else_is_passed_over(self, value: str) -> None:
        """A caller who gets it wrong gets a new trace, and no error."""
        assert parent(value) is None

    def test_two_are_none(self) -> None:
        """Nobody can say which was meant."""
        assert parent(f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01") is None

    def test_what_is_made_is_what_is_read(self) -> None:
        """New ids have the form of the standard, and each is another."""
        made = [(new_trace(), new_span()) for _ in range(100)]
        assert len({trace for trace, _ in made}) == len({span for _, span in made}) == 100
        assert all(parent(trace_response(trace, span, sampled=True).decode()) == Parent(trace, span, True) for trace, span in made)


CHILD = """
from app.api.watching.metrics import Metrics
metrics = Metrics()
metrics.decided("app", "live", "retention", None)
metrics.answered("/v1/decisions", "POST", 200, 0.002)
metrics.in_flight = 3
metrics.sample(queue=2, spool=0)
"""


def counted(text: str, name: str) -> float | None:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def told() -> str:
    registry = CollectorRegistry()
    register_all(registry)
    return generate_latest(registry).decode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders for temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv(FOLDER, raising=False)
    return tmp_path


def process() -> int:
    with subprocess.Popen([sys.executable, "-c", CHILD], cwd=ROOT) as child:
        assert child.wait(60) == 0
    return child.pid


class TestTallies:
    def test_they_tell_what_the_library_tells(self) -> None:
        """On a bucket's bound, between two, beyond the last, in several rounds; and nothing of it before it is put."""
        library, ours = CollectorRegistry(), CollectorRegistry()
        counter, tallied = Counter("asked", "Asked.", ["who"], registry=library), TalliedCounter("asked", "Asked.", ["who"], registry=ours)
        histogram = Histogram("took", "Took.", ["what"], registry=library, buckets=(1, 2, 4))
        timed = TalliedHistogram("took", "Took.", ["what"], registry=ours, buckets=(1, 2, 4))
        for what, amounts in (("it", (0.0, 1.0, 1.5)), ("it", ()), ("that", (3.0,)), ("it", (4.0, 4.5, 1e9, 2.0))):
            before = generate_latest(ours)
            for amount in amounts:
                counter.labels(what).inc(), tallied.add(what)
                histogram.labels(what).observe(amount), timed.add(amount, what)
            assert generate_latest(ours) == before
            tallied.put(), timed.put()
            assert _untimed(generate_latest(ours)) == _untimed(generate_latest(library))

    def test_what_was_counted_last_is_told(self) -> None:
        """When a process ends it puts what it counted since it last did."""
        metrics, idle = Metrics(), SimpleNamespace(figures={"lanes": {}, "refused": {}})
        watch, record = SimpleNamespace(metrics=metrics), SimpleNamespace(queued=0, spooled_bytes=0)
        services: Any = SimpleNamespace(watch=watch, record=record, callers=SimpleNamespace(development=False))

        async def run() -> None:
            async with sampled(services, idle):  # type: ignore[arg-type]
                await asyncio.sleep(0)
                metrics.took("decide", 0.001)

        asyncio.run(run())
        assert counted(generate_latest(metrics.registry).decode(), 'wanliu_stage_duration_seconds_count{stage="decide"}') == 1


def _untimed(text: bytes) -> list[bytes]:
    """All but when each was made."""
    return [line for line in text.splitlines() if b"_created" not in line]


class TestSeveralProcesses:
    def test_counts_go_on_when_a_process_has_ended(self, folder: Path) -> None:
        """Its sums stay, what it measured goes, and no file is left of it: with many workers one after the other, none pile up."""
        decisions = 'wanliu_decisions_total{channel="app",empty_because="none",mode="live",phase="retention"}'
        with private_folder() as found:
            for number in (1, 2, 3):
                pid = process()
                assert counted(told(), decisions) == number
                assert counted(told(), "wanliu_http_requests_in_flight") == 3
                bury(pid)
                assert counted(told(), decisions) == number
                assert counted(told(), "wanliu_http_requests_in_flight") is None
                assert not list(found.glob(f"*_{pid}.db"))
            text = told()
            assert counted(text, 'wanliu_http_request_duration_seconds_bucket{le="0.0025",route="/v1/decisions"}') == 3
            assert counted(text, 'wanliu_http_request_duration_seconds_bucket{le="0.001",route="/v1/decisions"}') == 0
            assert counted(text, 'wanliu_http_request_duration_seconds_count{route="/v1/decisions"}') == 3

    def test_processes_are_added_up(self, folder: Path) -> None:
        """Whoever is asked tells the figures of all."""
        with private_folder():
            process(), process()
            assert counted(told(), "wanliu_record_queue_entries") == 4

    def test_the_folder_is_private_and_goes(self, folder: Path) -> None:
        """Nobody else reads it, and nothing is left."""
        with private_folder() as found:
            assert found.stat().st_mode & 0o777 == 0o700
            assert os.environ[FOLDER] == str(found)
        assert (list(folder.iterdir()), FOLDER in os.environ) == ([], False)

    def test_what_a_killed_keeper_left_is_taken_away(self, folder: Path) -> None:
        """But not the folder of one that lives."""
        code = "from app.api.watching.shared import private_folder; import os\nwith private_folder(): os.kill(os.getpid(), 9)"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "TMPDIR": str(folder)}, check=False, timeout=60)
        (left,) = folder.iterdir()
        with private_folder() as lives:
            assert list(folder.iterdir()) == [lives]
            with private_folder() as another:
                assert {*folder.iterdir()} == {lives, another}
        assert not left.exists()


def test_nobody_is_buried_where_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder there is nothing to add up."""
    monkeypatch.delenv(FOLDER, raising=False)
    bury(1)


class TestDocumentation:
    def names(self) -> set[str]:
        """Every metric that the service has, as Prometheus calls it."""
        from app.api.watching.stating import State
        from tests.watching import services_with_witness

        registry = Metrics().registry
        registry.register(State(services_with_witness(), Standing(0, Unsealed(), 0, 0, 0, {}, 0)))
        return {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}

    def test_every_metric_is_on_the_page(self) -> None:
        """And every one on the page is there."""
        page = rows((ROOT / "docs" / "metrics.md").read_text("utf-8"))
        assert {row[0].strip("`") for row in page if row[0].startswith("`wanliu_")} == self.names()

    def test_the_alerts_ask_for_metrics_there_are(self) -> None:
        """Of a histogram its parts."""
        alerts = (ROOT / "examples" / "prometheus.rules.yaml").read_text("utf-8")
        asked = set(re.findall(r"wanliu_\w+", alerts))
        assert asked
        assert {name.removesuffix("_bucket") for name in asked} <= self.names()

    def test_labels_are_on_the_page(self) -> None:
        """The labels of each metric, as it has them."""
        page = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2])) for row in rows((ROOT / "docs" / "metrics.md").read_text("utf-8"))}
        metrics = Metrics()
        for made in vars(metrics).values():
            if hasattr(made, "_labelnames"):
                name = made._name + ("_total" if made._type == "counter" else "")
                assert page[name] == set(made._labelnames), name
