"""Trying patterns in a child process: whatever happens there is a sentence here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from test_patterns_matching import join

from app.engine.patterns import Join, Pattern, check_in_child, checked
from app.engine.patterns.child import try_out

pytest.importorskip("durable_rules_engine", reason="durable_rules does not load on Python 3.13", exc_type=ImportError)

pytestmark = pytest.mark.unit

GOOD = Pattern("p", (join("f:fault c:complaint", "c.area == f.area or c.at > f.at", x="fix: x.area == f.area"),))
TOO_LARGE = Pattern("p", (Join(tuple((f"a{number}", "fault") for number in range(17))),))


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_good_patterns() -> None:
    """Patterns that compile are not complained about."""
    assert check_in_child([GOOD]) is None


def test_this_process_can_do_the_same() -> None:
    """What the child does is an ordinary function."""
    try_out([GOOD])


def test_refused_by_the_engine() -> None:
    """An error of the engine is told."""
    assert (
        check_in_child([TOO_LARGE]) == "compiling the patterns failed: durable_rules_engine.error: Could not assert fact, error code: 304"
    )


def test_crash() -> None:
    """A crash of the child is told with its signal and does not reach this process."""
    failure = check_in_child([GOOD], program=python("import os; os.kill(os.getpid(), 11)"))
    assert failure == "compiling the patterns crashed with signal 11 (SIGSEGV)"


def test_hang() -> None:
    """A child that does not end is ended."""
    failure = check_in_child([GOOD], seconds=0.5, program=python("import time; time.sleep(60)"))
    assert failure == "compiling the patterns did not end within 0.5 seconds"


def test_silent_failure() -> None:
    """A child that fails without a word is reported as that."""
    assert check_in_child([GOOD], program=python("raise SystemExit(3)")) == "compiling the patterns failed: no message"


def test_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack's patterns are tried once for each digest; failures are tried again."""
    asked: list[object] = []
    answers = iter(["it crashed", None, None])
    monkeypatch.setattr("app.engine.patterns.trial.check_in_child", lambda patterns: (asked.append(patterns), next(answers))[1])
    folder = tmp_path / "cache"
    assert checked([GOOD], "d1", folder) == "it crashed"
    assert [checked([GOOD], "d1", folder) for _ in range(3)] == [None, None, None]
    assert checked([GOOD], "d2", folder) is None
    assert len(asked) == 3
    assert [path.name.partition(".")[0] for path in sorted(folder.iterdir())] == ["d1", "d2"]


def test_no_folder() -> None:
    """Without a folder nothing is remembered."""
    assert checked([GOOD], "d1") is None
