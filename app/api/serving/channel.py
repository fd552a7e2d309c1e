"""What a keeper and a worker tell each other: JSON lines over a pair of sockets."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

_LARGEST_READ = 65_536
_MOST_SOCKETS = 4
Told = dict[str, Any]


class Channel:
    """One end. Nothing here waits but `first` and `tell_all`."""

    def __init__(self, end: socket.socket) -> None:
        self._end, self._rest = end, b""
        self.ended = False
        """Is the other side gone, with everything heard that it said."""

    def fileno(self) -> int:
        """For whoever waits until there is something to hear."""
        return self._end.fileno()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Say something that may be lost where the other side does not listen."""
        with contextlib.suppress(OSError):
            self._end.send(_line(message), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def tell_all(self, message: Mapping[str, Any]) -> None:
        """Say something long, waiting until it is taken; nothing where nobody is there."""
        with contextlib.suppress(OSError):
            self._end.sendall(_line(message))

    def hear(self) -> list[Told]:
        """Everything said since."""
        while not self.ended:
            try:
                data = self._end.recv(_LARGEST_READ, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.ended = not data
            self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        return [orjson.loads(line) for line in lines]

    def hand_over(self, message: Mapping[str, Any], sockets: Sequence[socket.socket]) -> None:
        """Say the first thing, and give sockets with it.

        Raises:
            OSError: nobody is there.
        """
        line = _line(message)
        sent = socket.send_fds(self._end, [line], [each.fileno() for each in sockets])
        self._end.sendall(line[sent:])

    def take_over(self) -> tuple[Told, list[socket.socket]] | None:
        """Wait for the first thing said, and the sockets that come with it; none where the other side is gone."""
        data, given, *_ = socket.recv_fds(self._end, _LARGEST_READ, _MOST_SOCKETS)
        while data and not data.endswith(b"\n"):
            more = self._end.recv(_LARGEST_READ)
            data = data + more if more else b""  # half a message is none
        return (orjson.loads(data), [socket.socket(fileno=number) for number in given]) if data else None

    def close(self) -> None:
        """Let go of it."""
        self._end.close()


def _line(message: Mapping[str, Any]) -> bytes:
    return orjson.dumps(message) + b"\n"
