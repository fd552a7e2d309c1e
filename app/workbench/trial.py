"""A pack checked and its own tests run in a process of its own: whatever the pack holds, what runs beside it goes on.

What a trial came to is remembered by the digests of pack and tests, so that nothing is tried twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from app import __version__
from app.engine.pack import check_files, digest_of
from app.engine.problems import PackError, Place, Problem
from app.workbench.suites import Bench, load, run

SECONDS = 300.0
MOST_TOLD = 20
LARGEST_MEMORY = 4 * 1024**3
"""Bytes of address space that a trial may take."""
_program = (sys.executable, "-m", "app.workbench.trial")


@dataclass(frozen=True, slots=True)
class Trial:
    """What a pack of this name and version came to.

    `problems` are mistakes that keep it from being used; with any of them no test was run. `failures` tells of the first tests that failed
    and of mistakes in suites. `crash` says why the trial itself came to no end.
    """

    name: str = ""
    version: str = ""
    problems: tuple[Problem, ...] = ()
    passed: int = 0
    failed: int = 0
    failures: tuple[str, ...] = ()
    crash: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        """Everything that speaks against the pack, a line each; empty where nothing does."""
        return (*map(str, self.problems), *self.failures, *((self.crash,) if self.crash else ()))


@dataclass(frozen=True)
class Exhibit:
    """What is tried: the files of a pack and of its suites, by path. `today` asks for everything that `wanliu pack check` finds."""

    files: Mapping[str, bytes]
    suites: Mapping[str, bytes] = field(default_factory=dict)
    today: datetime.date | None = None

    def mark(self, folder: Path) -> Path:
        """Where the folder remembers what its tests came to."""
        tests = digest_of(self.suites).removeprefix("sha256:")[:16] if self.suites else "none"
        return folder / f"{digest_of(self.files)}.tests-{tests}.wanliu-{__version__}.{sys.implementation.cache_tag}"


def try_out(exhibit: Exhibit, cache: Path | None = None) -> Trial:
    """Check a pack and run its tests, in this process.

    Args:
        exhibit: the pack.
        cache: folder that remembers which packs' patterns were tried.
    """
    try:
        found = check_files(exhibit.files, cache=cache, today=exhibit.today) if exhibit.today is not None else ()
        errors = tuple(problem for problem in found if problem.severity == "error")
        return Trial(problems=errors) if errors else _tested(exhibit)
    except PackError as error:
        return Trial(problems=error.problems)


def _tested(exhibit: Exhibit) -> Trial:
    bench = Bench(exhibit.files)
    suites = load(exhibit.suites, bench)
    results = list(run(suites.tests, bench))
    failed = [result for result in results if not result.passed]
    told = [*map(str, suites.problems), *(f"{result.test.place}: the test `{result.test.title.en}` fails" for result in failed)]
    more = (f"and {len(told) - MOST_TOLD:,} more",) if len(told) > MOST_TOLD else ()
    head = bench.pack(bench.jurisdiction)
    counts = len(results) - len(failed), len(failed) + len(suites.problems)
    return Trial(head.name, head.version, (), *counts, (*told[:MOST_TOLD], *more))


async def try_apart(exhibit: Exhibit, cache: Path | None = None, *, seconds: float = SECONDS, program: Sequence[str] = _program) -> Trial:
    """The same in a process of its own; tests that were run before are not run again.

    Args:
        exhibit: the pack.
        cache: folder that remembers what packs came to; none tries each time.
        seconds: how long it may take.
        program: what to run.
    """
    mark = exhibit.mark(cache) if cache is not None else None
    known = _remembered(mark) if mark is not None and exhibit.today is None else None
    if known is not None:
        return known
    trial = await _run(program, _written(exhibit, cache), seconds)
    if mark is not None and not trial.problems and not trial.crash:
        with contextlib.suppress(OSError):  # a folder that cannot be written costs the next start a second trial
            mark.parent.mkdir(parents=True, exist_ok=True)
            unfinished = mark.with_name(f"{mark.name}.{os.getpid()}")
            unfinished.write_bytes(orjson.dumps(trial))
            unfinished.replace(mark)
    return trial


async def _run(program: Sequence[str], given: bytes, seconds: float) -> Trial:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANLIU_")}  # keys are not for packs to be near
    environment = {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate(given)
    except TimeoutError:
        return Trial(crash=f"checking the pack did not end within {seconds:g} seconds")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _read(out) if process.returncode == 0 else Trial(crash=_crash(process.returncode or 0, err))


def _crash(code: int, err: bytes) -> str:
    if code < 0:
        return f"checking the pack crashed with signal {-code} ({signal.Signals(-code).name})"
    lines = [line.strip() for line in err.decode(errors="replace").split("\n") if line.strip()]
    return f"checking the pack failed: {lines[-1] if lines else 'no message'}"


def _written(exhibit: Exhibit, cache: Path | None) -> bytes:
    """As JSON, in which each byte of a file is a character."""
    files, suites = ({path: content.decode("latin-1") for path, content in some.items()} for some in (exhibit.files, exhibit.suites))
    return orjson.dumps({"files": files, "suites": suites, "today": exhibit.today, "cache": str(cache) if cache else None})


def _read(text: bytes) -> Trial:
    found: dict[str, Any] = orjson.loads(text)
    problems = tuple(
        Problem(**{**item, "place": Place(**item["place"]), "witness": tuple(map(tuple, item["witness"]))}) for item in found["problems"]
    )
    return replace(Trial(**found), problems=problems, failures=tuple(found["failures"]))


def _remembered(mark: Path) -> Trial | None:
    try:
        return _read(mark.read_bytes())
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _limited() -> None:
    """Let what runs beside this process go first, and take no more memory than a pack can need."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        os.nice(10)
        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY, LARGEST_MEMORY))


def main() -> None:
    """Read an exhibit from standard input, write its trial to standard output."""
    _limited()
    given: dict[str, Any] = orjson.loads(sys.stdin.buffer.read())
    files, suites = ({path: text.encode("latin-1") for path, text in given[name].items()} for name in ("files", "suites"))
    today = datetime.date.fromisoformat(given["today"]) if given["today"] else None
    cache = Path(given["cache"]) if given["cache"] else None
    sys.stdout.buffer.write(orjson.dumps(try_out(Exhibit(files, suites, today), cache)))


if __name__ == "__main__":
    main()
