"""Logs as events with fields: lines for a person, or JSON. Tracebacks hold no values of variables."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import orjson
import structlog

_levels = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: Literal["debug", "info", "warning", "error"], form: Literal["console", "json"]) -> None:
    """Send all logs of the process, those of the server too, to standard error in one form."""
    shared: list[Any] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    shown: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    if form == "console":
        shown = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    structlog.configure(
        processors=[*shared, *shown],
        wrapper_class=structlog.make_filtering_bound_logger(_levels[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shown]
    )
    handler.setFormatter(formatter)
    logging.basicConfig(level=max(_levels[level], logging.WARNING), handlers=[handler], force=True)


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
