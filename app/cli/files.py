"""`wanliu decide FILE|-`: one subscriber a file."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app.cli.console import complain, out, write_bytes
from app.cli.packs import load
from app.cli.usage import Wishes

if TYPE_CHECKING:
    from app.engine.pack import Pack

LARGEST_BODY = 4 * 1024 * 1024


class _Unusable(Exception):
    """A file cannot be decided; each line says something that is wrong with it."""

    def __init__(self, *lines: object) -> None:
        self.lines = lines
        super().__init__(*lines)


def decide_files(files: Sequence[str], wishes: Wishes) -> None:
    """Decide for each file and print the answers. What cannot be decided is told, the others go on, and the exit code is 1."""
    pack = load(wishes.pack)
    now = datetime.datetime.now(datetime.UTC)
    failed = False
    for number, name in enumerate(files):
        try:
            _decide(pack, name, wishes, now, number, len(files))
        except _Unusable as error:
            failed = True
            complain(*(f"{'standard input' if name == '-' else name}: {line}" for line in error.lines))
    if failed:
        raise typer.Exit(1)


def _decide(pack: Pack, name: str, wishes: Wishes, now: datetime.datetime, number: int, of: int) -> None:
    from app.api.answers import answer_bytes
    from app.campaign.table import Asking
    from app.engine.decide import decide
    from app.engine.explain import explain
    from app.engine.intake import RequestError, parse_request, take
    from app.engine.view import view

    asking = Asking(wishes.role or "development", now, "live" if wishes.record else "what_if", wishes.channel, wishes.explain, wishes.locale)
    try:
        request = asking.of(parse_request(_read(name)))
        case = take(pack, request, now=now, role=asking.role)
    except RequestError as error:
        raise _Unusable(*error.problems) from None
    decision = decide(pack, case)
    explanation = explain(pack, case, decision, request.explain)


def _read(name: str) -> bytes:
    """The bytes of a file or of standard input, within bounds."""
    if name == "-":
        return _bounded(sys.stdin.buffer.read(LARGEST_BODY + 1))
    try:
        with Path(name).open("rb") as file:
            return _bounded(file.read(LARGEST_BODY + 1))
    except IsADirectoryError:
        raise _Unusable("is a folder, not a file") from None
    except OSError as error:
        raise _Unusable(f"cannot be read: {(error.strerror or 'unknown error').lower()}") from None


def _bounded(content: bytes) -> bytes:
    if len(content) > LARGEST_BODY:
        raise _Unusable(f"is larger than {LARGEST_BODY:,} bytes; a request for one subscriber is smaller")
    return content
