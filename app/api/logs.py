"""Logs as events with fields, on standard output: one JSON object a line or, on a terminal, lines for a person.

Every line of the process goes this way, those of libraries too. What belongs to a request has its `trace_id`. A traceback tells
files, lines and kinds of errors, and no message but of our own errors: those of others repeat what somebody sent.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, BinaryIO, Literal

import orjson
import structlog

from app.api.failures import told_failure
from app.record.correlation import TRACE

Level = Literal["debug", "info", "warning", "error"]
Form = Literal["auto", "json", "console"]
LONGEST_LINE = 4_096
"""Bytes. Up to here several processes may write lines into one pipe, and none is torn."""
_LEVELS: Mapping[str, int] = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_everywhere: dict[str, str] = {}

Event = MutableMapping[str, Any]


def configure_logs(level: Level, form: Form) -> None:
    """Send all logs of the process, those of libraries too, to standard output in one form."""
    render = _console() if is_for_people(form) else _json
    structlog.configure(
        processors=[_completed, render],
        wrapper_class=type("Logger", (_Logger,), {"least": _LEVELS[level]}),
        logger_factory=_Lines(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(_LEVELS[level], logging.WARNING), handlers=[_OfLibraries()], force=True)
    logging.captureWarnings(True)


def is_for_people(form: Form) -> bool:
    """Does a person read the lines: what `auto` finds out."""
    return form == "console" or (form == "auto" and sys.stdout.isatty())


def say_mode(*, development: bool) -> None:
    """From now on have every line say that the service is in development mode, or none."""
    if development:
        _everywhere["mode"] = "development"
    else:
        _everywhere.pop("mode", None)


def _method(level: str) -> Callable[..., None]:
    rank = getattr(logging, level.upper())

    def say(self: _Logger, event: str, **fields: Any) -> None:
        if rank < self.least:
            return
        fields["event"] = event
        try:
            for process in self._processors:
                fields = process(self._logger, level, fields)  # type: ignore[assignment]
        except structlog.DropEvent:  # it was captured
            return
        self._logger.msg(fields)

    return say


class _Logger(structlog.BoundLoggerBase):
    """Logs events with their fields, from a level on. Structlog's own logger copies the fields at every step on their way."""

    least = logging.INFO
    debug, info, warning, error, critical = map(_method, ("debug", "info", "warning", "error", "critical"))


class _Lines:
    """Makes loggers by name, which write a line at a time to one file. Nobody there to read is no reason to stop."""

    def __init__(self, file: BinaryIO) -> None:
        self._file: Any = getattr(file, "raw", file)
        self._alone = threading.Lock()

    def __call__(self, *names: str) -> _Line:
        return _Line(names[0] if names else "wanliu", self.write)

    def write(self, line: bytes) -> None:
        with self._alone, contextlib.suppress(OSError, ValueError):
            while line:
                line = line[self._file.write(line) or len(line) :]


class _Line:
    """A logger of structlog, with its name."""

    def __init__(self, name: str, write: Callable[[bytes], None]) -> None:
        self.name, self.msg = name, write


class _OfLibraries(logging.Handler):
    """Takes what libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it as an event of its own, its message for a name."""
        log = structlog.get_logger(record.name)
        level = "error" if record.levelno >= logging.ERROR else "warning"
        fields = {"exc_info": record.exc_info} if record.exc_info else {}
        getattr(log, level)(record.getMessage().partition("\n")[0], **fields)


def _completed(logger: Any, method: str, event: Event) -> Event:
    """When, how grave, what, of which part, in which request."""
    now, name = datetime.datetime.now(datetime.UTC), getattr(logger, "name", None)
    made: Event = {"timestamp": now, "level": method, "event": event.pop("event", None), "logger": name}
    trace = TRACE.get()
    if trace is not None:
        made["trace_id"] = trace
    if _everywhere:
        made.update(_everywhere)
    failure = event.pop("exc_info", None)
    made.update(event)
    if failure:
        made["exception"] = told_failure(failure)
    return made


def _json(_: Any, __: str, event: Event) -> bytes:
    try:
        line = orjson.dumps(event, default=str, option=_OPTIONS)
    except TypeError:  # a lone surrogate, or a number beyond 64 bits
        line = json.dumps(event, default=str).encode() + b"\n"
    return line if len(line) <= LONGEST_LINE else _shortened(event)


def _shortened(event: Event) -> bytes:
    """A line that fits: of each long text the end, where a traceback says what went wrong."""
    kept = {name: f"…{value[-800:]}" if isinstance(value, str) and len(value) > 800 else value for name, value in event.items()}
    line = json.dumps(kept, default=str, ensure_ascii=False).encode(errors="replace") + b"\n"
    if len(line) <= LONGEST_LINE:
        return line
    few = {name: event.get(name) for name in ("timestamp", "level", "event", "logger", "trace_id", "mode")}
    return orjson.dumps({**few, "event": str(few["event"])[:200], "shortened": True}, default=str, option=_OPTIONS)


def _console() -> Callable[[Any, str, Event], bytes]:
    """Lines for a person, coloured on a terminal."""
    shown = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty() and "NO_COLOR" not in os.environ)

    def render(logger: Any, method: str, event: Event) -> bytes:
        told = {name: value for name, value in event.items() if value is not None and name != "logger"}
        told["timestamp"] = f"{event['timestamp']:%H:%M:%S}"
        return (shown(logger, method, told) + "\n").encode(errors="backslashreplace")

    return render
