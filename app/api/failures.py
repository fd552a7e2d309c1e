"""Failures as logs tell them: where and what kind, chained, without what somebody sent."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

_MOST_FRAMES = 30


def told_failure(failure: object) -> str:
    """The traceback of an exception, of what `exc_info` may be: the exception, `sys.exc_info()`, or true for the one being handled.

    Messages are told of our own errors and of the operating system's, without its file names; other libraries put values into theirs.
    """
    if isinstance(failure, tuple):
        failure = failure[1]
    error = failure if isinstance(failure, BaseException) else sys.exc_info()[1]
    return "" if error is None else "\n".join(line for one in _chain(error) for line in _lines(one))


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it came of, oldest first."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return found[::-1]


def _lines(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]:
        yield f"  {_place(frame.filename)}:{frame.lineno} {frame.name}: {frame.line}"
    yield _name(error)
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from (f"  {line}" for inner in _chain(one) for line in _lines(inner))


def _place(file: str) -> str:
    """A file by its last parts: where the program is installed is nobody's business."""
    return "/".join(Path(file).parts[-3:])


def _name(error: BaseException) -> str:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    if kind.__module__.startswith("app."):
        return f"{name}: {error}"
    return f"{name}: {error.strerror}" if isinstance(error, OSError) and error.strerror else name
