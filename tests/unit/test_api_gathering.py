"""Writes of one turn of the loop go out together, and none is lost or overtaken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.api.serving.gathering import LARGEST, GatheredWrites

pytestmark = pytest.mark.unit


class Transport:
    """Notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


def after(act: Any) -> list[Any]:
    """What a transport was told within the turn in which something was done, and what after it."""

    async def run() -> list[Any]:
        transport = Transport()
        act(GatheredWrites(transport, asyncio.get_running_loop()))  # type: ignore[arg-type]
        within = list(transport.done)
        await asyncio.sleep(0)
        return [within, transport.done]

    return asyncio.run(run())


def test_head_and_body_go_out_together() -> None:
    """Once, at the end of the turn."""

    def act(writes: GatheredWrites) -> None:
        writes.write(b"head")
        writes.write(b"body")

    assert after(act) == [[], [b"headbody"]]


def test_what_is_whole_goes_out_at_once() -> None:
    """After what waits, if anything does."""

    def act(writes: GatheredWrites) -> None:
        writes.write_whole(b"first")
        writes.write(b"head")
        writes.write_whole(b"whole")

    assert after(act) == [[b"first", b"head", b"whole"]] * 2


def test_what_was_written_goes_out_before_the_end() -> None:
    """Closing writes what waits first, and nothing is written after it."""

    def act(writes: GatheredWrites) -> None:
        writes.write(b"last words")
        writes.close()
        assert writes.is_closing()

    assert after(act) == [[b"last words", "closed"], [b"last words", "closed"]]


def test_nothing_is_written_to_somebody_who_is_gone() -> None:
    """The connection broke within the turn: what waited is dropped."""

    def act(writes: GatheredWrites) -> None:
        writes.write(b"too late")
        writes._transport.close()

    assert after(act) == [["closed"], ["closed"]]


def test_much_is_not_kept() -> None:
    """More than so many bytes go out at once, in their order."""

    def act(writes: GatheredWrites) -> None:
        writes.write(b"a")
        writes.write(b"b" * LARGEST)
        writes.write(b"c")

    assert after(act) == [[b"a" + b"b" * LARGEST], [b"a" + b"b" * LARGEST, b"c"]]
