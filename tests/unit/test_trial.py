"""A pack tried in a process of its own: mistakes, tests, crashes, and what is remembered."""

from __future__ import annotations

import asyncio
import datetime
import sys
from pathlib import Path

import pytest

from app.engine.problems import PackError
from app.record.packs.publishing import checked, is_path
from app.record.packs.steps import PackContent
from app.workbench import trial as trials
from app.workbench.trial import Exhibit, Trial, try_apart, try_out
from tests.packs import small
from tests.packs_in_force import FAILING, PASSING, content
from tests.suites import suite

pytestmark = pytest.mark.unit

TODAY = datetime.date(2026, 11, 22)


def exhibit(tests: str | None = PASSING, **added: str) -> Exhibit:
    return Exhibit(small(**added), suite(tests) if tests is not None else {})


def script(text: str) -> tuple[str, ...]:
    """A program that takes the place of a trial."""
    return (sys.executable, "-c", text)


def test_a_good_pack_passes() -> None:
    """With its name, version and how many tests passed."""
    found = try_out(exhibit())
    assert (found.name, found.version, found.passed, found.failed, found.told) == ("small", "1.0.0", 1, 0, ())
    assert try_out(exhibit(None)).told == ()


def test_tests_that_fail_and_mistakes_in_them_are_told() -> None:
    """With their place; many are cut short."""
    found = try_out(exhibit(FAILING + PASSING.replace("caller,", "calle,")))
    assert (found.passed, found.failed) == (0, 2)
    assert len(found.failures) == 2
    assert "policies/tests/a.yaml:5:5: the test `A caller` fails" in found.told
    many = try_out(exhibit(FAILING * 30))
    assert (many.failed, len(many.told), many.told[-1]) == (30, 21, "and 10 more")


def test_mistakes_of_the_pack_are_told_and_no_test_is_run() -> None:
    """All that `wanliu pack check` calls an error where a day is given, else what keeps it from being built."""
    for today in (None, TODAY):
        found = try_out(Exhibit(small(bad="signals: 7\n"), suite(PASSING), today))
        assert [problem.place.file for problem in found.problems] == ["rules/bad.yaml"]
        assert (found.passed, found.failed) == (0, 0)


def test_the_child_tells_the_same() -> None:
    """Bytes that are no text among the files, mistakes with all they hold."""
    for tried in (exhibit(FAILING), Exhibit({**small(), "rules/x.yaml": b"\xff\xfe"}, {}, TODAY)):
        assert asyncio.run(try_apart(tried)) == try_out(tried)


def test_a_trial_that_comes_to_no_end_is_told() -> None:
    """A crash, a failure and a pack that takes for ever are reasons not to take it over, and leave nothing running."""
    for program, told in (
        (script("import os; os.kill(os.getpid(), 9)"), "crashed with signal 9 (SIGKILL)"),
        (script("raise SystemExit('no room')"), "failed: no room"),
        (script("raise SystemExit(3)"), "failed: no message"),
        (script("import time; time.sleep(60)"), "did not end within 0.3 seconds"),
    ):
        found = asyncio.run(try_apart(exhibit(), program=program, seconds=0.3 if "sleep" in program[2] else 60))
        assert told in found.crash
        assert found.told == (found.crash,)


def test_a_trial_is_remembered(tmp_path: Path) -> None:
    """By pack and tests: the same is not tried again, other tests are; a crash is forgotten, a spoilt mark is made anew."""
    nothing = script("raise SystemExit('tried')")

    async def run() -> None:
        first = await try_apart(exhibit(), tmp_path)
        assert await try_apart(exhibit(), tmp_path, program=nothing) == first
        assert (await try_apart(exhibit(FAILING), tmp_path, program=nothing)).crash
        assert (await try_apart(Exhibit(small(), suite(PASSING), TODAY), tmp_path, program=nothing)).crash
        exhibit().mark(tmp_path).write_bytes(b"{}x")
        assert await try_apart(exhibit(), tmp_path) == first

    asyncio.run(run())
    assert [file.name for file in tmp_path.glob("*tests-*")] == [exhibit().mark(tmp_path).name]


def test_a_folder_that_cannot_be_written_costs_another_trial(tmp_path: Path) -> None:
    """And nothing else."""
    (tmp_path / "file").write_text("", "utf-8")
    assert asyncio.run(try_apart(exhibit(), tmp_path / "file" / "cache")).passed == 1


def test_whoever_stops_waiting_stops_the_trial(tmp_path: Path) -> None:
    """A service that ends leaves no process behind."""
    mark = tmp_path / "ended"
    waits = script(f"import time, pathlib; time.sleep(2); pathlib.Path({str(mark)!r}).touch()")

    async def run() -> None:
        trial = asyncio.create_task(try_apart(exhibit(), program=waits))
        await asyncio.sleep(0.5)
        trial.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trial
        await asyncio.sleep(2)

    asyncio.run(run())
    assert not mark.exists()


def test_memory_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack that takes all memory there is ends its own trial only."""
    limited = script("from app.workbench import trial; trial.LARGEST_MEMORY = 300_000_000; trial._limited(); b = bytearray(2_000_000_000)")
    assert "MemoryError" in asyncio.run(try_apart(exhibit(), program=limited)).crash
    assert trials.LARGEST_MEMORY > 10**9


def test_what_is_published_is_checked() -> None:
    """A mistake refuses it, failing tests do not; files that are no text and paths that lead elsewhere do."""

    async def found(pack: PackContent) -> Trial:
        return (await checked(pack, today=TODAY, cache=None))[1]

    assert asyncio.run(found(content("1.0.0", FAILING))).failed == 1
    good = dict(content("1.0.0").files)
    for files, told in (
        ({**good, "rules/bad.yaml": b"signals: 7\n"}, "rules/bad.yaml"),
        ({**good, "rules/../bad.yaml": b"x: 1"}, "cannot be the path"),
        ({**good, "rules/bad.yaml": b"\xff"}, "not UTF-8"),
        ({f"rules/{number}.yaml": b"" for number in range(4_001)}, "at most 4,000 files"),
    ):
        with pytest.raises(PackError, match=told):
            asyncio.run(found(PackContent(files)))


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        ("rules/pack.yaml", True),
        ("policies/retention/回馈 1.yml", True),
        ("policies/tests/a.YAML", True),
        ("rules", False),
        ("rules/", False),
        ("rules/.hidden.yaml", False),
        ("rules/a/../../b.yaml", False),
        ("rules/a\x00.yaml", False),
        ("rules/a\n.yaml", False),
        ("C:/rules/a.yaml", False),
        ("rules/" + "a" * 200 + ".yaml", False),
    ],
)
def test_paths_of_files(path: str, fine: bool) -> None:
    """Below `rules/` or `policies/`, YAML, and nothing that steers a terminal or leaves a folder."""
    assert is_path(path) is fine
