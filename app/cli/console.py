"""Where output goes: answers to standard output, everything else to standard error. Colour only on terminals."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import NoReturn

import typer
from rich.console import Console

WIDTH_WITHOUT_TERMINAL = 100


def out() -> Console:
    """Standard output, as wide as the terminal, or 100 columns where there is none and COLUMNS does not say."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else WIDTH_WITHOUT_TERMINAL
    return Console(width=width, highlight=False, soft_wrap=False)


def err() -> Console:
    """Standard error."""
    width = None if sys.stderr.isatty() or os.environ.get("COLUMNS") else WIDTH_WITHOUT_TERMINAL
    return Console(stderr=True, width=width, highlight=False)


def complain(*lines: object) -> None:
    """Say what is wrong, a line each, unwrapped so that editors find `file:line:column`."""
    console = err()
    for line in lines:
        console.print(str(line), style="red" if console.is_terminal else None, markup=False, soft_wrap=True)


def fail(*lines: object) -> NoReturn:
    """Say what is wrong and end with exit code 1."""
    complain(*lines)
    raise typer.Exit(1)


def write_bytes(content: bytes) -> None:
    """Bytes to standard output, past any encoding of the terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def fail_with_problems(problems: Iterable[object], count: str) -> NoReturn:
    """Print each problem and their count, and end with exit code 1."""
    fail(*problems, count)
