"""Lines of the log: one JSON object each, whatever happens, and nothing of what somebody sent."""

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app.api.failures import told_failure
from app.api.logs import LONGEST_LINE, configure_logs, say_mode
from app.record.correlation import TRACE
from app.record.store.problems import StoreUnavailable
from tests.watching import logging_as_before

pytestmark = pytest.mark.unit

CANARY = "13912345678"


@pytest.fixture
def restored() -> Iterator[None]:
    """Logging as it was before."""
    with logging_as_before():
        yield


@pytest.fixture
def lines(restored: None, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What is written to standard output as JSON, so far."""
    with open(1, "wb", buffering=0, closefd=False) as raw, open(raw.fileno(), "w", encoding="utf-8", closefd=False) as out:
        monkeypatch.setattr(sys, "stdout", out)
        configure_logs("info", "json")

        def written() -> list[dict[str, Any]]:
            content = capfdbinary.readouterr().out
            assert all(len(line) < LONGEST_LINE for line in content.splitlines())
            return [json.loads(line) for line in content.splitlines()]

        yield written


def test_a_line_tells_when_what_and_where(lines: Any) -> None:
    """Time in UTC, level, event, and the part of the program, then the fields."""
    structlog.get_logger("wanliu.http").info("request", status=200, ms=1.25)
    structlog.get_logger("wanliu.http").debug("nobody wants to know")
    (line,) = lines()
    assert list(line) == ["timestamp", "level", "event", "logger", "status", "ms"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["event"], line["logger"], line["ms"]) == ("info", "request", "wanliu.http", 1.25)


def test_a_line_within_a_request_has_its_trace(lines: Any) -> None:
    """And no other has."""
    before = TRACE.set("0af7651916cd43dd8448eb211c80319c")
    structlog.get_logger("a").warning("within")
    logging.getLogger("library").warning("within too")
    TRACE.reset(before)
    structlog.get_logger("a").warning("after")
    assert [line.get("trace_id") for line in lines()] == ["0af7651916cd43dd8448eb211c80319c"] * 2 + [None]


def test_development_mode_is_said_in_every_line(lines: Any) -> None:
    """Until it ends."""
    say_mode(development=True)
    structlog.get_logger("a").info("one")
    logging.getLogger("b").error("two")
    say_mode(development=False)
    structlog.get_logger("a").info("three")
    assert [line.get("mode") for line in lines()] == ["development", "development", None]


def test_libraries_write_the_same_lines(lines: Any) -> None:
    """From warnings on; Python's own warnings among them, and only the first line of what they say."""
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.\nand more")
    logging.getLogger("uvicorn.error").info("Started server process")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("careful", UserWarning, stacklevel=1)
    first, second = lines()
    assert (first["event"], first["logger"], first["level"]) == ("Invalid HTTP request received.", "uvicorn.error", "warning")
    assert (second["logger"], second["level"]) == ("py.warnings", "warning")


@pytest.mark.parametrize(
    "value", ["\ud800", 2**70, {1: {2, 3}}, b"\xff", float("nan"), object, "x" * 100_000, ["y" * 900] * 9, "多" * 5_000]
)
def test_nothing_breaks_a_line(lines: Any, value: object) -> None:
    """What JSON cannot say, and what is too long, is told as well as it can be, in one line."""
    structlog.get_logger("a").error("odd", value=value)
    (line,) = lines()
    assert (line["event"], line["level"]) == ("odd", "error")


def test_a_reader_who_went_away_stops_nobody(restored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answering goes on when nobody reads the log."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as out:  # noqa: PTH123 - a number, not a path
        monkeypatch.setattr(sys, "stdout", out)
        configure_logs("info", "json")
        structlog.get_logger("a").info("into the void")


class TestFailures:
    def test_a_traceback_repeats_nothing_that_was_sent(self, lines: Any) -> None:
        """Files, lines and kinds of errors are told, of causes too; messages of other libraries hold values, and are not."""
        try:
            try:
                int(f"{CANARY}x")
            except ValueError as error:
                raise KeyError(CANARY) from error
        except KeyError as error:
            structlog.get_logger("a").error("request_failed", exc_info=error)
        (line,) = lines()
        assert CANARY not in json.dumps(line)
        told = line["exception"].splitlines()
        assert told.index("ValueError") < told.index("KeyError")
        assert "test_a_traceback_repeats_nothing_that_was_sent" in line["exception"]

    def test_libraries_repeat_nothing_either(self, lines: Any) -> None:
        """What they log with an exception is told the same way."""
        try:
            raise LookupError(CANARY)
        except LookupError:
            logging.getLogger("asyncio").exception("Task exception was never retrieved")
        (line,) = lines()
        assert CANARY not in json.dumps(line)
        assert line["exception"].endswith("LookupError")

    def test_our_own_words_are_told(self) -> None:
        """Our errors say why, and hold nothing of a person; so does the operating system, without the file."""
        assert told_failure(StoreUnavailable("the store is not open")).endswith("StoreUnavailable: the store is not open")
        assert told_failure(FileNotFoundError(2, "No such file or directory", "/home/li/13912345678")).endswith(
            "FileNotFoundError: No such file or directory"
        )

    def test_groups_and_circles(self) -> None:
        """All errors of a group are told; one that is its own cause ends."""
        group = ExceptionGroup("several", [ValueError(CANARY), TypeError()])
        told = told_failure(group)
        assert [line.strip() for line in told.splitlines()] == ["ExceptionGroup", "ValueError", "TypeError"]
        first, second = ValueError(), TypeError()
        first.__cause__, second.__cause__ = second, first
        assert told_failure(first).splitlines() == ["TypeError", "ValueError"]

    def test_nothing_failed(self) -> None:
        """Outside of any exception there is nothing to tell."""
        assert told_failure((None, None, None)) == told_failure(True) == ""


def test_on_a_terminal_lines_are_for_people(restored: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of day, the event and its fields, the traceback below; nothing is JSON."""
    with open(1, "wb", buffering=0, closefd=False):
        configure_logs("info", "console")
    structlog.get_logger("wanliu.http").info("request", status=200, phase=None)
    structlog.get_logger("wanliu.http").error("request_failed", exc_info=ValueError(CANARY))
    out = capsys.readouterr().out
    assert "request" in out
    assert "status" in out
    assert "phase" not in out
    assert "ValueError" in out
    assert CANARY not in out
    assert "{" not in out
