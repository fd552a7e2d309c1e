"""The service tells the witness of every checkpoint; that the witness is away harms nothing, that the log forked is cried out."""

import datetime
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete, select, update
from sqlmodel import col
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.record.keys import Keys, KeysProblem
from app.record.log import tree
from app.record.log.cosigning import Cosigner, cosigned_at
from app.record.log.merkle import leaf_hash, root_of
from app.record.log.notes import BadNote, Checkpoint, read_checkpoint, sign_checkpoint
from app.record.log.sealer import Sealer
from app.record.log.witness_client import LogForked, WitnessClient, WitnessUnreachable
from app.record.log.witnessing import Witnessing, WitnessState, WitnessThread, agrees, witness_thread
from app.record.store.database import Database
from app.record.store.tables import CheckpointRow, LeafRow, TileRow, TreeRow
from app.witness.application import create_witness
from app.witness.judging import Witness
from app.witness.memory import Memory

NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
COSIGNER = Cosigner("witness.example", bytes(range(3, 35)))
Answer = Callable[[httpx.Request], httpx.Response]


class Log:
    """A log whose leaves are its heartbeats: one for every call of `grow`."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.database, self.keys, self.now = database, keys, NOON
        self.sealer = Sealer(database, keys, lambda: self.now)

    def grow(self, leaves: int = 1) -> None:
        for _ in range(leaves):
            self.now += datetime.timedelta(minutes=1)
            self.sealer.seal()

    def newest(self) -> tree.StoredCheckpoint:
        with self.database.reading() as connection:
            found = tree.checkpoint(connection)
        assert found is not None
        return found

    def witnessing(self, transport: httpx.BaseTransport) -> Witnessing:
        return Witnessing(self.database, self.keys, client_of(transport))


def client_of(transport: httpx.BaseTransport) -> WitnessClient:
    return WitnessClient("http://witness", COSIGNER.key, transport)


def answering(status: int, text: str | bytes = "", kind: str = "text/plain") -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, content=text, headers={"content-type": kind}))


@pytest.fixture
def grown(database: Database, keys: Keys) -> Log:
    found = Log(database, keys)
    found.grow(3)
    return found


@pytest.fixture
def witness(tmp_path: Path, keys: Keys) -> Iterator[httpx.MockTransport]:
    """A true witness, without a network."""
    with Memory(tmp_path / "witness.db") as memory:
        app = TestClient(create_witness(Witness(keys.verifiers, COSIGNER, memory, lambda: NOON), memory))

        def answer(request: httpx.Request) -> httpx.Response:
            found = app.request(request.method, request.url.path, content=request.read())
            return httpx.Response(found.status_code, content=found.content, headers=dict(found.headers))

        yield httpx.MockTransport(answer)


def test_every_checkpoint_is_cosigned(grown: Log, witness: httpx.MockTransport) -> None:
    """Each push has the newest checkpoint cosigned, and keeps the cosignature with it."""
    pushing = grown.witnessing(witness)
    for size in (3, 7, 8):
        grown.grow(size - grown.newest().size)
        assert pushing.push() == WitnessState("witnessed", size)
        note = grown.newest().note
        assert cosigned_at(note, COSIGNER.key) == NOON
        assert read_checkpoint(note, grown.keys.verifiers).size == size
    assert client_of(witness).latest(grown.keys.origin) == grown.newest().note


def test_nothing_new(grown: Log, witness: httpx.MockTransport) -> None:
    """Before the first checkpoint there is nothing to tell; the same one is not told twice."""
    told = []
    counting = httpx.MockTransport(lambda request: told.append(request) or witness.handle_request(request))
    pushing = grown.witnessing(counting)
    pushing.push()
    pushing.push()
    assert len(told) == 1
    with grown.database.writing() as connection:
        connection.execute(delete(CheckpointRow))
    assert grown.witnessing(counting).push() == WitnessState()
    assert len(told) == 1


def test_several_processes(grown: Log, witness: httpx.MockTransport) -> None:
    """Who finds that another has told the witness more goes on from there."""
    first, second = grown.witnessing(witness), grown.witnessing(witness)
    assert first.push().standing == "witnessed"
    grown.grow(4)
    assert second.push() == WitnessState("witnessed", 7)
    grown.grow(2)
    assert second.push() == first.push() == WitnessState("witnessed", 9)
    assert grown.newest().note.count("\N{EM DASH}") == 2


def test_the_witness_is_away(grown: Log, witness: httpx.MockTransport) -> None:
    """Logged, and made up for when it is back."""
    away = True

    def answer(request: httpx.Request) -> httpx.Response:
        if away:
            raise httpx.ConnectError("refused")
        return witness.handle_request(request)

    pushing = grown.witnessing(httpx.MockTransport(answer))
    with capture_logs() as logs:
        assert pushing.push().standing == "unreachable"
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("not_witnessed", "warning")]
    away = False
    assert pushing.push() == WitnessState("witnessed", 3)


def test_a_rolled_back_log(grown: Log, witness: httpx.MockTransport) -> None:
    """A log with fewer leaves than the witness has seen is cried out, also after it has grown past that with other leaves."""
    grown.grow(4)
    grown.witnessing(witness).push()
    roll_back(grown, 3)
    pushing = grown.witnessing(witness)
    with capture_logs() as logs:
        assert pushing.push().standing == "forked"
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("log_forked", "critical")]
    assert "rolled back" in str(pushing.state.why)
    grown.now += datetime.timedelta(seconds=1)
    grown.grow(4)
    assert pushing.push().standing == "forked"
    grown.grow(4)
    assert grown.witnessing(witness).push().standing == "forked"


def test_a_fork_is_not_forgotten(grown: Log, witness: httpx.MockTransport) -> None:
    """That the witness is away later does not make the fork look like it."""
    answers = iter([httpx.Response(422), httpx.Response(500)])
    pushing = grown.witnessing(httpx.MockTransport(lambda _: next(answers)))
    assert [pushing.push().standing, pushing.push().standing] == ["forked", "forked"]


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (200, "", "text/plain"),
        (200, "\N{EM DASH} witness.example AAAA\n", "text/plain"),
        (200, b"\xff\xfe", "text/plain"),
        (200, "x" * 200_000, "text/plain"),
        (302, "", "text/plain"),
        (404, "", "text/plain"),
        (500, "", "text/plain"),
        (409, "many\n", "text/x.tlog.size"),
        (409, "٣\n", "text/x.tlog.size"),
        (409, "1\n", "text/x.tlog.size"),
    ],
)
def test_a_witness_that_is_none(grown: Log, status: int, text: str | bytes, kind: str) -> None:
    """Whatever else answers there is not believed: not as a cosignature, and not as a fork."""
    pushing = grown.witnessing(answering(status, text, kind))
    note = grown.newest().note
    assert pushing.push().standing == "unreachable"
    assert grown.newest().note == note


@pytest.mark.parametrize(("status", "told"), [(403, "does not know the key"), (404, "does not know this log"), (500, "answered 500")])
def test_why_it_is_not_witnessed(grown: Log, status: int, told: str) -> None:
    """A witness that was not told of the log, or of its newest key, is told apart from one that fails."""
    assert told in str(grown.witnessing(answering(status)).push().why)


def test_a_cosignature_of_another(grown: Log) -> None:
    """A line signed with another key than the one that was given is not kept."""
    text = grown.newest().note.partition("\n\n")[0] + "\n"
    line = Cosigner("witness.example", bytes(32)).line(text, NOON)
    assert grown.witnessing(answering(200, line)).push().standing == "unreachable"
    assert grown.newest().note.count("\N{EM DASH}") == 1


def test_missing_tiles(grown: Log, witness: httpx.MockTransport) -> None:
    """A proof that the store cannot give is logged; it is not called a fork."""
    pushing = grown.witnessing(witness)
    pushing.push()
    grown.grow()
    with grown.database.writing() as connection:
        connection.execute(delete(TileRow))
    assert pushing.push().standing == "unreachable"


def test_the_store_is_away(grown: Log, witness: httpx.MockTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer is logged; the next round tries again."""
    pushing = grown.witnessing(witness)
    with grown.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE checkpoint RENAME TO gone")
    state = pushing.push()
    assert state.standing == "unreachable"
    assert "the store" in str(state.why)


def test_the_thread(grown: Log, witness: httpx.MockTransport) -> None:
    """Pushes until it is stopped; what nobody expected does not end it."""
    thread = WitnessThread(grown.witnessing(witness), every=0.01)
    thread.start()
    deadline = time.monotonic() + 10
    while thread.state.standing != "witnessed" and time.monotonic() < deadline:
        time.sleep(0.01)
    thread.stop()
    assert thread.state == WitnessState("witnessed", 3)


def test_the_thread_goes_on(grown: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody thought of is logged, and the thread goes on."""
    pushing, calls = grown.witnessing(answering(500)), []

    def push() -> WitnessState:
        calls.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(pushing, "push", push)
    thread = WitnessThread(pushing, every=0.01)
    thread.start()
    deadline = time.monotonic() + 10
    while len(calls) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    thread.stop()
    assert len(calls) >= 2


def test_the_settings(sqlite_database: Database, keys: Keys) -> None:
    """Without a URL there is no witness; with one its key is needed."""
    assert witness_thread(None, None, sqlite_database, keys) is None
    for key in (None, "witness", keys.verifiers[0].text()):
        with pytest.raises(KeysProblem, match="WANLIU_WITNESS_KEY"):
            witness_thread("http://witness", key, sqlite_database, keys)
    made = witness_thread("http://witness", COSIGNER.key.text(), sqlite_database, keys)
    assert made is not None
    made.stop()


def test_what_the_witness_says_against_the_log(grown: Log, keys: Keys, witness: httpx.MockTransport) -> None:
    """A verifier asks the witness: the log goes on from what it has seen, or it was rolled back or forked, or it is another's."""
    grown.witnessing(witness).push()
    grown.grow(2)
    note = client_of(witness).latest(keys.origin)
    assert note is not None
    with grown.database.reading() as connection:
        assert agrees(connection, keys, note).size == 3
        for size, root in [(3, bytes(32)), (9, bytes(32))]:
            with pytest.raises(LogForked):
                agrees(connection, keys, sign_checkpoint(Checkpoint(keys.origin, size, root), keys.signer))
        with pytest.raises(BadNote):
            agrees(connection, keys, sign_checkpoint(Checkpoint("wanliu/else", 3, bytes(32)), keys.signer))


def test_latest_of_a_witness_that_is_none(keys: Keys) -> None:
    """None where the log was never seen; what is not signed by the witness is not taken for its word."""
    assert client_of(answering(404)).latest(keys.origin) is None
    signed = sign_checkpoint(Checkpoint(keys.origin, 3, bytes(32)), keys.signer)
    for transport in (answering(200, signed), answering(200, "x"), answering(503)):
        with pytest.raises(WitnessUnreachable):
            client_of(transport).latest(keys.origin)


def roll_back(grown: Log, size: int) -> None:
    """The store as somebody would leave it who takes leaves away and signs again."""
    with grown.database.writing() as connection:
        connection.execute(delete(CheckpointRow).where(col(CheckpointRow.size) > size))
        connection.execute(delete(LeafRow).where(col(LeafRow.leaf_index) >= size))
        hashes = connection.execute(select(col(LeafRow.hash)).order_by(col(LeafRow.leaf_index))).scalars().all()
        connection.execute(update(TileRow).values(hashes=b"".join(map(bytes, hashes))))
        connection.execute(update(TreeRow).values(size=size))
        assert root_of(list(map(bytes, hashes))) == tree.root(connection, size)
        assert leaf_hash(b"") not in hashes
