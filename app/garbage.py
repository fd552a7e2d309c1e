"""When the garbage collector of Python looks: it walks through all that there is, which at its usual pace takes a quarter of a start."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Have it look less often, from the start of a process on: what is read then stays."""
    gc.set_threshold(50_000, 50, 100)


def settle_memory() -> None:
    """What there is by now stays: it need not look at that again, and looks at the rest less often."""
    gc.collect()
    gc.freeze()
    collect_seldom()
