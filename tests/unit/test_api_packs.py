"""The pack that runs: the last good one of a folder that changes."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from app.api.following.folder import PackHolder
from app.engine.pack import Pack
from app.engine.problems import PackError, Place, Problem

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "policies").mkdir()
    write(tmp_path, "one")
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "rules" / "pack.yaml").write_text(text, encoding="utf-8")


def load(folder: Path) -> Pack:
    """A pack whose digest is its only file; `bad` is refused, `crash` crashes."""
    text = (folder / "rules" / "pack.yaml").read_text(encoding="utf-8")
    if text.startswith("bad"):
        raise PackError(Problem(Place("rules/pack.yaml", line), "wrong", "no good") for line in range(1, 40))
    if text == "crash":
        raise RecursionError
    return cast("Pack", SimpleNamespace(name="p", version="1", digest=text))


def looked(holder: PackHolder) -> list[Any]:
    with capture_logs() as logs:
        asyncio.run(holder.look())
    return [entry["event"] for entry in logs]


def test_a_changed_pack_takes_over(folder: Path) -> None:
    """A file that changed is read at the next look; without a change nothing is read."""
    holder = PackHolder(folder, load)
    assert (holder.current.digest, looked(holder)) == ("one", [])
    write(folder, "two!")
    assert (looked(holder), holder.current.digest) == (["pack_running"], "two!")
    assert looked(holder) == []


def test_a_broken_pack_does_not(folder: Path) -> None:
    """The running pack goes on, what is wrong is logged once and kept, until the folder is good again."""
    holder = PackHolder(folder, load)
    write(folder, "bad")
    assert looked(holder) == ["pack_refused"]
    assert looked(holder) == []
    assert (holder.current.digest, len(holder.problems)) == ("one", 20)
    assert holder.problems[0] == "rules/pack.yaml:1:1: error[wrong]: no good"
    write(folder, "three")
    assert looked(holder) == ["pack_running"]
    assert (holder.current.digest, holder.problems) == ("three", ())


def test_a_pack_that_crashes_its_reader_does_not(folder: Path) -> None:
    """Whatever a pack does to its reader, the running one goes on and the failure is told."""
    holder = PackHolder(folder, load)
    write(folder, "crash")
    assert looked(holder) == ["pack_failed", "pack_refused"]
    assert (holder.current.digest, holder.problems) == ("one", ("the pack could not be read: RecursionError",))


def test_files_that_come_and_go_are_changes(folder: Path) -> None:
    """A new file and a removed one are seen; files of other kinds are not."""
    holder = PackHolder(folder, load)
    (folder / "policies" / "new.yaml").write_text("x", encoding="utf-8")
    assert looked(holder) == ["pack_running"]
    (folder / "policies" / "new.yaml").unlink()
    assert looked(holder) == ["pack_running"]
    (folder / "policies" / "notes.txt").write_text("x", encoding="utf-8")
    assert looked(holder) == []


def test_a_broken_pack_does_not_start(folder: Path) -> None:
    """Without a good pack there is nothing to hold."""
    write(folder, "bad")
    with pytest.raises(PackError):
        PackHolder(folder, load)


def test_following_looks_again_and_again(folder: Path) -> None:
    """A change is taken over while `follow` runs."""

    async def run() -> str:
        holder = PackHolder(folder, load, every=0.01)
        follower = asyncio.create_task(holder.follow())
        write(folder, "followed")
        async with asyncio.timeout(10):
            while holder.current.digest == "one":  # noqa: ASYNC110 - it is the holder that is watched
                await asyncio.sleep(0.01)
        follower.cancel()
        return holder.current.digest

    assert asyncio.run(run()) == "followed"


def test_a_name_that_is_no_text_is_told_as_text(folder: Path) -> None:
    """A file's name may hold bytes that are no UTF-8; what is said of it can be sent and logged."""

    def load_named(_: Path) -> Pack:
        raise PackError([Problem(Place("rules/\udcff.yaml"), "wrong", "no good")])

    holder = PackHolder(folder, load)
    holder._load = load_named
    write(folder, "bad")
    assert looked(holder) == ["pack_refused"]
    assert holder.problems == ("rules/\\udcff.yaml:1:1: error[wrong]: no good",)


def test_looking_goes_on_after_a_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails at one look, the next one takes a good pack over."""
    holder = PackHolder(folder, load, every=0.001)
    looks = iter([OSError("gone"), RuntimeError("loop")])
    original = PackHolder.look

    async def look(self: PackHolder) -> None:
        for error in looks:
            raise error
        await original(self)

    async def run() -> None:
        follower = asyncio.create_task(holder.follow())
        while holder.current.digest == "one":  # noqa: ASYNC110 - it is the follower that changes it
            await asyncio.sleep(0.001)
        follower.cancel()

    monkeypatch.setattr(PackHolder, "look", look)
    write(folder, "two!")
    with capture_logs() as logs:
        asyncio.run(asyncio.wait_for(run(), 20))
    assert [entry["event"] for entry in logs] == ["pack_not_looked_at"] * 2 + ["pack_running"]


def test_a_file_that_may_be_read_again_is_read(folder: Path) -> None:
    """A change of a file's permissions is a change."""
    holder = PackHolder(folder, load)
    write(folder, "bad")
    assert looked(holder) == ["pack_refused"]
    time.sleep(0.05)  # a tick of the file system's clock
    (folder / "rules" / "pack.yaml").chmod(0o600)
    assert looked(holder) == ["pack_refused"]
