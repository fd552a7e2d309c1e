"""One of the processes that do parts: `python -m app.campaign.hand`, which `app.campaign.crew` begins and talks to.

It ends at once when the other end of its input is closed, whatever it is at: its parent has ended, and another run may go on from there.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
import threading
from dataclasses import replace
from queue import SimpleQueue
from typing import IO

from app.campaign.crew import Doing, HandLost, Orders, packed, read_message, unpacked, write_message
from app.campaign.part import PartWork, Stopwatch
from app.engine.pack import assembled, parts_of


def main() -> None:
    """Do parts as long as there are any."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever is printed is no answer
    asked = SimpleQueue[bytes]()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    orders: Orders = unpacked(asked.get())
    pack, watch = assembled(parts_of(orders.files), orders.files), Stopwatch()  # whoever gives the orders has checked the pack
    doing = Doing(PartWork(pack, orders.wanted, orders.opened, watch), orders.filing, watch)
    gc.collect()
    gc.freeze()
    gc.disable()  # a part leaves no cycles worth a look meanwhile
    while True:
        write_message(answers, _answer(doing, watch, asked.get()))
        gc.collect()


def _answer(doing: Doing, watch: Stopwatch, asked: bytes) -> bytes:
    """What became of a part, or what went wrong with it."""
    watch.seconds.clear()
    try:
        return packed(replace(doing.do(unpacked(asked)), seconds=watch.seconds))
    except Exception as error:  # noqa: BLE001 - the parent raises it
        return told_of(error)


def told_of(error: Exception) -> bytes:
    """An error as bytes; one that does not come out as it went in goes by its name and its words."""
    by_name = HandLost(f"a part could not be decided: {type(error).__name__}: {error}")
    try:
        told = packed(error)
        found = unpacked(told)
    except (pickle.PickleError, TypeError, AttributeError):
        return packed(by_name)
    return told if str(found) == str(error) else packed(by_name)


def _listen(pipe: IO[bytes], asked: SimpleQueue[bytes]) -> None:
    while (message := read_message(pipe)) is not None:
        asked.put(message)
    os._exit(0)


if __name__ == "__main__":
    main()
