"""Compiling a pack's patterns where a crash or a hang does no harm."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from app.engine.patterns.durable import durable_available
from app.engine.patterns.model import Pattern

_program = (sys.executable, "-m", "app.engine.patterns.child")


def check_in_child(patterns: Sequence[Pattern], seconds: float = 10, program: Sequence[str] = _program) -> str | None:
    """Compile the patterns with durable_rules in a process of its own, and try each on made-up events.

    Args:
        patterns: those that `problems` has nothing against.
        seconds: how long it may take.
        program: what to run; it reads the pickled patterns.

    Returns:
        Nothing when it went well, or what went wrong.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(
            program, input=pickle.dumps(tuple(patterns)), capture_output=True, timeout=seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return f"compiling the patterns did not end within {seconds:g} seconds"
    if done.returncode < 0:
        return f"compiling the patterns crashed with signal {-done.returncode} ({signal.Signals(-done.returncode).name})"
    if done.returncode > 0:
        return f"compiling the patterns failed: {_last_line(done.stderr)}"
    return None


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no message")


def checked(patterns: Sequence[Pattern], digest: str, cache_dir: Path | None = None) -> str | None:
    """The same as `check_in_child`, once for each digest of a pack and version of the engine: the folder remembers what went well."""
    if not durable_available():
        return None
    mark = cache_dir / f"{digest}.durable_rules-{version('durable_rules')}.{sys.implementation.cache_tag}" if cache_dir else None
    if mark is not None and mark.exists():
        return None
    failure = check_in_child(patterns)
    if failure is None and mark is not None:
        with contextlib.suppress(OSError):  # a folder that cannot be written costs the next start a second trial
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
    return failure
