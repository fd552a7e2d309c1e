"""The event loop of a process of the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import uvicorn


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop: uvloop where it is installed."""
    return uvicorn.Config("", log_config=None).get_loop_factory()
