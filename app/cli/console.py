"""Where output goes: answers to standard output, everything else to standard error. Colour only on terminals."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
from typing import NoReturn

import orjson
import typer
from rich.console import Console

from app.cli.breaking import Page

WIDTH_WITHOUT_TERMINAL = 100
NARROWEST = 20
_steering = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def out() -> Console:
    """Standard output, as wide as the terminal, or 100 columns where there is none and COLUMNS does not say."""
    width = shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 25)).columns
    return Page(width=max(width, NARROWEST), highlight=False, soft_wrap=False)


def err() -> Console:
    """Standard error."""
    width = None if sys.stderr.isatty() or os.environ.get("COLUMNS") else WIDTH_WITHOUT_TERMINAL
    return Console(stderr=True, width=width, highlight=False)


def complain(*lines: object) -> None:
    """Say what is wrong, a line each, unwrapped so that editors find `file:line:column`; names in it cannot steer a terminal."""
    console = err()
    for line in lines:
        console.print(_steering.sub("\ufffd", str(line)), style="red" if console.is_terminal else None, markup=False, soft_wrap=True)


def fail(*lines: object) -> NoReturn:
    """Say what is wrong and end with exit code 1."""
    complain(*lines)
    raise typer.Exit(1)


def cannot_read(what: str, error: OSError) -> str:
    """Why input could not be read; `what` names it."""
    file = f": `{error.filename}`" if error.filename is not None else ""
    return f"cannot read {what}{file}: {(error.strerror or 'unknown error').lower()}"


def cannot_write(error: OSError) -> str:
    """Why output could not be written."""
    where = f"`{error.filename}`" if error.filename is not None else "the output"
    return f"cannot write {where}: {(error.strerror or 'unknown error').lower()}"


def prepare_streams() -> None:
    """Stand in for streams that were closed, so that no file takes their place, and write what an encoding lacks as `?`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - open as long as the program
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def drop_output() -> None:
    """Let what is left in the buffer of standard output go nowhere."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_bytes(content: bytes) -> None:
    """Bytes to standard output, past any encoding of the terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def write_json(value: object) -> None:
    """A value as indented JSON to standard output."""
    write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
