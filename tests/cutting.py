"""A proxy before PostgreSQL that breaks the connection while a transaction commits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from types import TracebackType

import psycopg.conninfo

_COMMIT = b"COMMIT"


class Proxy:
    """Passes everything on, but cuts the connection at every so many COMMITs."""

    def __init__(self, url: str, *, every: int, deliver: bool) -> None:
        """
        Args:
            url: of the database behind it, on a Unix socket.
            every: which COMMIT is cut: every third, say.
            deliver: whether the server gets that COMMIT; its answer is lost in any case.
        """
        told = psycopg.conninfo.conninfo_to_dict(url)
        self._behind = f"{told['host']}/.s.PGSQL.5432"
        self._every, self._deliver = every, deliver
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}/{told['dbname']}?sslmode=disable&gssencmode=disable"
        self.cuts = 0
        self._commits = 0
        self._open = True
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open = False
        self._listener.close()
        self._thread.join(5)

    async def until_cut(self) -> None:
        """Wait until it has cut six times."""
        give_up = time.monotonic() + 60
        while self.cuts <= 5:
            assert time.monotonic() < give_up
            await asyncio.sleep(0.02)

    def _accept(self) -> None:
        self._listener.settimeout(0.2)
        while self._open:
            with contextlib.suppress(TimeoutError, OSError):
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._behind)
            back = threading.Thread(target=_pass, args=[server, client], daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := client.recv(65_536):
                    if _COMMIT in data and self._cuts():
                        client.shutdown(socket.SHUT_RDWR)
                        if self._deliver:
                            server.sendall(data)
                        self.cuts += 1
                        break
                    server.sendall(data)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR if not self._deliver else socket.SHUT_WR)
            back.join(5)

    def _cuts(self) -> bool:
        self._commits += 1
        return self._commits % self._every == 0


def _pass(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
