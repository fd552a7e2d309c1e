"""Telling a witness of every checkpoint, and crying out when it says that the log forked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Literal

import structlog
from sqlalchemy import Connection, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from app.record.keys import Keys, KeysProblem
from app.record.log import tree
from app.record.log.cosigning import WitnessKey
from app.record.log.notes import BadKey, BadNote, Checkpoint, read_checkpoint
from app.record.log.tree import StoredCheckpoint
from app.record.log.witness_client import LogForked, OtherSize, WitnessClient, WitnessUnreachable
from app.record.store.database import Database, cause
from app.record.store.tables import CheckpointRow

EVERY = 5.0
"""Seconds between two rounds."""
_MOST_TRIES = 4
_log = structlog.get_logger("wanliu.witness")

Standing = Literal["not_asked", "witnessed", "unreachable", "forked"]


@dataclass(frozen=True, slots=True)
class WitnessState:
    """How the log stands with its witness.

    `size` is the largest that the witness has cosigned in this process; `why` is set when it is unreachable or says that the log forked.
    """

    standing: Standing = "not_asked"
    size: int = 0
    why: str | None = None


class Witnessing:
    """Pushes the newest checkpoint of one log. Any number of processes may do so."""

    def __init__(self, database: Database, keys: Keys, client: WitnessClient) -> None:
        self._database, self._keys, self._client = database, keys, client
        self._seen = 0
        self.state = WitnessState()

    def push(self) -> WitnessState:
        """Have the newest checkpoint cosigned, unless it is, and keep the cosignature with it. How the log stands now; never raises."""
        try:
            size = self._pushed()
            self.state = WitnessState("witnessed", size) if size else self.state
        except LogForked as error:
            self.state = replace(self.state, standing="forked", why=str(error))
            _log.critical("log_forked", origin=self._keys.origin, why=str(error))
        except WitnessUnreachable as error:
            self._failed(str(error))
        except SQLAlchemyError as error:
            self._failed(f"the store does not answer: {cause(error)}")
        except LookupError as error:
            self._failed(str(error))
        return self.state

    def close(self) -> None:
        """Let go of connections to the witness."""
        self._client.close()

    def _failed(self, why: str) -> None:
        """A fork stays one while the witness is away."""
        _log.warning("not_witnessed", why=why)
        if self.state.standing != "forked":
            self.state = replace(self.state, standing="unreachable", why=why)

    def _pushed(self) -> int:
        """The size that is cosigned now; 0 before the first checkpoint."""
        for _ in range(_MOST_TRIES):
            newest, proof = self._newest()
            if newest is None:
                return 0
            if self.state.standing == "witnessed" and newest.size == self.state.size:
                return newest.size
            if proof is None:
                raise LogForked(f"the witness has seen {self._seen} leaves, and the log has {newest.size}: it was rolled back")
            try:
                note = self._client.add(self._seen, proof, newest.note)
            except OtherSize as stale:
                self._seen = stale.size
                continue
            self._seen = newest.size
            self._keep(newest.size, note)
            return newest.size
        raise WitnessUnreachable("the witness names another size each time")

    def _newest(self) -> tuple[StoredCheckpoint | None, list[bytes] | None]:
        """The newest checkpoint, and the proof that it goes on from what the witness has seen; none where that is more."""
        with self._database.reading() as connection:
            newest = tree.checkpoint(connection)
            if newest is None or newest.size < self._seen:
                return newest, None
            return newest, tree.consistency(connection, self._seen, newest.size)

    def _keep(self, size: int, note: str) -> None:
        with self._database.writing() as connection:
            connection.execute(update(CheckpointRow).where(col(CheckpointRow.size) == size).values(note=note))


class WitnessThread:
    """Pushes every few seconds until it is stopped."""

    def __init__(self, witnessing: Witnessing, *, every: float = EVERY) -> None:
        self._witnessing, self._every = witnessing, every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)

    @property
    def state(self) -> WitnessState:
        """How the log stands with its witness, for readiness and metrics."""
        return self._witnessing.state

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a push that is under way is waited for."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._witnessing.close()

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._witnessing.push()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next round may go well
                _log.error("not_witnessed", exc_info=error)


def witness_thread(url: str | None, key: str | None, database: Database, keys: Keys) -> WitnessThread | None:
    """What pushes to the witness of the settings, not yet started; none where there is no witness.

    Raises:
        KeysProblem: the witness's key is left out, or is not one.
    """
    if url is None:
        return None
    if key is None:
        raise KeysProblem("WANLIU_WITNESS_KEY: needed with WANLIU_WITNESS_URL; the witness prints it when it starts")
    try:
        return WitnessThread(Witnessing(database, keys, WitnessClient(url, WitnessKey.parse(key))))
    except BadKey as error:
        raise KeysProblem(f"WANLIU_WITNESS_KEY: {error}") from None


def agrees(connection: Connection, keys: Keys, note: str) -> Checkpoint:
    """The checkpoint in a note of the witness, which this log goes on from.

    Raises:
        BadNote: the log has not signed it.
        LogForked: the log has another root there, or has not so many leaves.
    """
    seen = read_checkpoint(note, keys.verifiers)
    if seen.origin != keys.origin:
        raise BadNote("it is the checkpoint of another log")
    if tree.size(connection) < seen.size:
        raise LogForked(f"the witness has seen {seen.size} leaves, and the log has {tree.size(connection)}: it was rolled back")
    if tree.root(connection, seen.size) != seen.root:
        raise LogForked(f"the first {seen.size} leaves are not those that the witness has seen")
    return seen
