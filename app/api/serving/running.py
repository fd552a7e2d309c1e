"""How a process of the service runs: its event loop, and what its garbage collector need not look at."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import uvicorn

_GC_THRESHOLDS = (50_000, 50, 100)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop: uvloop where it is installed."""
    return uvicorn.Config("", log_config=None).get_loop_factory()


def settle_memory() -> None:
    """What there is by now stays: the garbage collector need not look at it again, and looks at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
