"""How a run keeps its memory: what a part took serves the next one."""

from __future__ import annotations

import os

_ALLOCATOR = "_RJEM_MALLOC_CONF"
_KEPT = "narenas:1,oversize_threshold:0,dirty_decay_ms:60000"
"""One store for all threads; large pieces are kept too, for a minute in which nobody wants them. Left to itself jemalloc, with which Polars
allocates, gives large columns back at once, and a part would spend a tenth of its time on asking for them anew."""


def keep_memory() -> None:
    """Have Polars keep memory from part to part, here and in processes that are begun from here, unless the environment says otherwise.

    Polars looks once, when it is loaded: this is to be called before.
    """
    os.environ.setdefault(_ALLOCATOR, _KEPT)
