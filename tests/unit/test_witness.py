"""The witness cosigns what goes on from what it has seen, and nothing else; what it says is believed only with its signature."""

import datetime
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.record.log.cosigning import Cosigner, WitnessKey, cosigned_at, with_line
from app.record.log.merkle import EMPTY_ROOT, consistency_proof, leaf_hash, root_of
from app.record.log.notes import BadKey, BadNote, Checkpoint, SignerKey, VerifierKey, read_checkpoint, sign_checkpoint
from app.record.log.witness_client import WitnessClient
from app.witness.application import create_witness, place_of
from app.witness.judging import Witness
from app.witness.keyfile import KeyFileProblem, load_signer
from app.witness.memory import Memory
from app.witness.request import LONGEST_REQUEST, AddCheckpoint, BadRequest

NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
LOG = SignerKey("wanliu/one", bytes(range(32)))
ROTATED = SignerKey("wanliu/one", bytes(range(2, 34)))
STRANGER = SignerKey("wanliu/other", bytes(range(1, 33)))
COSIGNER = Cosigner("witness.example", bytes(range(3, 35)))
LEAVES = [leaf_hash(b"%d" % number) for number in range(40)]
FORKED = [*LEAVES[:9], leaf_hash(b"changed"), *LEAVES[10:]]


class Clock:
    now = NOON

    def __call__(self) -> datetime.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path / "witness.db") as opened:
        yield opened


@pytest.fixture
def client(memory: Memory, clock: Clock) -> TestClient:
    return TestClient(create_witness(Witness([LOG.verifier, ROTATED.verifier], COSIGNER, memory, clock), memory))


def point(size: int, leaves: list[bytes] = LEAVES, signer: SignerKey = LOG) -> str:
    """The log's checkpoint of its first leaves."""
    return sign_checkpoint(Checkpoint("wanliu/one", size, root_of(leaves[:size])), signer)


def asked(old: int, size: int, leaves: list[bytes] = LEAVES, signer: SignerKey = LOG) -> str:
    """A request for the checkpoint, with the proof from the old size."""
    proof = consistency_proof(old, size, lambda level, index: root_of(leaves[index << level : index + 1 << level])) if old <= size else []
    return AddCheckpoint(old, tuple(proof), point(size, leaves, signer)).text()


def add(client: TestClient, body: str | bytes) -> Any:
    return client.post("/add-checkpoint", content=body)


def test_cosigns_what_goes_on(client: TestClient, clock: Clock) -> None:
    """First anything, then what goes on from it, of any size, the same one too. The line is a cosignature with the time."""
    for old, size in [(0, 5), (5, 5), (5, 8), (8, 9), (9, 40)]:
        answer = add(client, asked(old, size))
        assert answer.status_code == 200
        assert cosigned_at(f"{point(size).partition(chr(10) * 2)[0]}\n\n{answer.text}", COSIGNER.key) == clock.now
        clock.now += datetime.timedelta(seconds=7)


def test_latest_and_history(client: TestClient, clock: Clock) -> None:
    """The latest checkpoint has both signatures. The history has one a minute, newest first, and pages."""
    sizes = []
    for size in range(1, 10):
        assert add(client, asked(size - 1, size)).status_code == 200
        clock.now += datetime.timedelta(seconds=20)
        sizes.append(size)
    note = client.get(f"/{place_of('wanliu/one')}/checkpoint").text
    assert (
        read_checkpoint(note, [LOG.verifier]) == read_checkpoint(note, [COSIGNER.key]) == Checkpoint("wanliu/one", 9, root_of(LEAVES[:9]))
    )
    history = client.get(f"/{place_of('wanliu/one')}/history").json()
    assert [seen["size"] for seen in history] == [7, 4, 1]
    assert history[0]["root"] == root_of(LEAVES[:7]).hex()
    older = client.get(f"/{place_of('wanliu/one')}/history", params={"before": history[0]["since"], "limit": 1}).json()
    assert older == history[1:2]


def test_since_is_when_the_size_was_first_seen(client: TestClient, clock: Clock) -> None:
    """A checkpoint that is sent again does not look new."""
    add(client, asked(0, 5))
    clock.now += datetime.timedelta(hours=1)
    add(client, asked(5, 5))
    assert client.get("/").json()["logs"][0]["since"] == NOON.isoformat()


@pytest.mark.parametrize("old", [0, 3, 6, 12])
def test_another_size_than_seen(client: TestClient, old: int) -> None:
    """A proof from elsewhere is answered with the size that was seen, as tlog-witness has it; a smaller log is one of these."""
    add(client, asked(0, 5))
    answer = add(client, asked(old, 12))
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (409, "text/x.tlog.size", "5\n")


def test_a_log_that_was_rolled_back(client: TestClient) -> None:
    """A smaller checkpoint than the one seen is refused, whatever it says it starts from."""
    add(client, asked(0, 20))
    assert [add(client, asked(old, 12)).status_code for old in (0, 12, 20)] == [409, 409, 400]


def test_two_roots_of_one_size(client: TestClient) -> None:
    """Refused with the checkpoint that was seen, which with the one that was sent is proof."""
    add(client, asked(0, 12))
    answer = add(client, asked(12, 12, FORKED))
    assert (answer.status_code, answer.headers["content-type"]) == (409, "text/plain; charset=utf-8")
    assert read_checkpoint(answer.text, [COSIGNER.key]).root == root_of(LEAVES[:12])


def test_a_forked_log(client: TestClient) -> None:
    """A longer log in which a leaf was changed has no proof; what was seen stays."""
    add(client, asked(0, 12))
    assert add(client, asked(12, 30, FORKED)).status_code == 422
    wrong = AddCheckpoint(12, (leaf_hash(b"made up"),), point(30)).text()
    assert add(client, wrong).status_code == 422
    assert client.get("/").json()["logs"][0]["size"] == 12
    assert add(client, asked(12, 30)).status_code == 200


def test_what_nobody_trusted_signed(client: TestClient) -> None:
    """An unknown log, one that signs with another's key, and a changed signature are refused; a rotated key is as good as the first."""
    stranger = sign_checkpoint(Checkpoint("wanliu/other", 5, root_of(LEAVES[:5])), STRANGER)
    impostor = point(5, signer=SignerKey("wanliu/one", bytes(32)))
    changed = point(5).replace("\n5\n", "\n6\n")
    statuses = [add(client, AddCheckpoint(0, (), note).text()).status_code for note in (stranger, impostor, changed)]
    assert statuses == [404, 403, 403]
    assert add(client, asked(0, 5, signer=ROTATED)).status_code == 200


def test_other_signatures_are_not_kept(client: TestClient) -> None:
    """A note may be signed by others too; only the log's own lines and ours are remembered."""
    note = sign_checkpoint(Checkpoint("wanliu/one", 5, root_of(LEAVES[:5])), STRANGER, LOG)
    assert add(client, AddCheckpoint(0, (), note).text()).status_code == 200
    assert client.get(f"/{place_of('wanliu/one')}/checkpoint").text.count("\N{EM DASH}") == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old -1\n\n",
        b"old 01\n\n" + point(5).encode(),
        b"old 0\n\n\xff" + point(5).encode(),
        b"old 0\nAAAA\n\n" + point(5).encode(),
        b"old 0\n\n" + point(5).encode()[:-2],
        b"old 9\n\n" + point(5).encode(),
        b"old 0\n" + b"A" * 43 + b"=\n\n",
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + point(5).encode(),
        "old ٣\n\n".encode() + point(5).encode(),
    ],
)
def test_nonsense(client: TestClient, body: bytes) -> None:
    """What is no request is answered 400, and remembered nowhere."""
    answer = add(client, body)
    assert answer.status_code == 400
    assert client.get("/").json()["logs"][0]["size"] == 0


def test_a_first_checkpoint_is_checked_too(client: TestClient) -> None:
    """Of a log that was never seen: no proof, no root but the empty one for no leaves, no size beyond what can be counted."""
    assert add(client, AddCheckpoint(0, (LEAVES[0],), point(5)).text()).status_code == 422
    for size, root in [(0, LEAVES[0]), (9_999_999_999_999_999_999, LEAVES[0])]:
        note = sign_checkpoint(Checkpoint("wanliu/one", size, root), LOG)
        assert add(client, AddCheckpoint(0, (), note).text()).status_code in (409, 422)
    assert add(client, AddCheckpoint(0, (), sign_checkpoint(Checkpoint("wanliu/one", 0, EMPTY_ROOT), LOG)).text()).status_code == 200


def test_a_body_without_end(client: TestClient) -> None:
    """A body that is longer than any request is not read to its end."""
    assert add(client, b"o" * (LONGEST_REQUEST + 1)).status_code == 413


@pytest.mark.parametrize("path", ["/nowhere/checkpoint", "/nowhere/history", f"/{place_of('wanliu/one')}/checkpoint", "/docs"])
def test_nothing_there(client: TestClient, path: str) -> None:
    """A log that is not trusted, or was never seen, has no checkpoint."""
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("query", ["before=yesterday", "before=2026-11-22T00:00:00", "limit=0", "limit=1001", "limit=x"])
def test_bad_questions(client: TestClient, query: str) -> None:
    """A time without its zone and a limit that is none are refused."""
    assert client.get(f"/{place_of('wanliu/one')}/history?{query}").status_code in (400, 422)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: ("old 0\n\nwanliu/one\n" + text).encode()))
def test_parsing_never_fails_otherwise(body: bytes) -> None:
    """Whatever is sent is a request or `BadRequest`; a request written again is the same."""
    try:
        request = AddCheckpoint.parse(body)
    except BadRequest:
        return
    assert request.text().encode() == body


def test_what_was_seen_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    """Another process on the same file knows what the first has seen."""
    for old, size, expected in [(0, 20, 200), (0, 12, 409), (20, 30, 200)]:
        with Memory(tmp_path / "w.db") as memory:
            app = create_witness(Witness([LOG.verifier], COSIGNER, memory, clock), memory)
            assert add(TestClient(app), asked(old, size)).status_code == expected


def test_nothing_is_cosigned_that_is_not_remembered(client: TestClient, memory: Memory) -> None:
    """Where the file does not take it, no signature is given."""
    memory._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(sqlite3.OperationalError):
        add(client, asked(0, 5))


def test_welcome(client: TestClient) -> None:
    """The first page tells the witness's key, and which logs it knows."""
    told = json.loads(client.get("/").text)
    assert told == {"witness": COSIGNER.key.text(), "logs": [{"origin": "wanliu/one", "size": 0, "place": f"/{place_of('wanliu/one')}"}]}


def test_keys_of_witnesses_and_logs_are_told_apart() -> None:
    """A witness's key is not taken for a log's, nor the other way round; one reads back as it was written."""
    assert WitnessKey.parse(COSIGNER.key.text()) == COSIGNER.key
    for kind, other in [(VerifierKey, COSIGNER.key), (WitnessKey, LOG.verifier)]:
        with pytest.raises(BadKey):
            kind.parse(other.text())


def test_a_changed_cosignature() -> None:
    """A cosignature over another text, of another time or of another key is none."""
    text = Checkpoint("wanliu/one", 5, root_of(LEAVES[:5])).text()
    line = COSIGNER.line(text, NOON)
    note = with_line(point(5), line, COSIGNER.key)
    assert with_line(note, COSIGNER.line(text, NOON + datetime.timedelta(1)), COSIGNER.key).count("\N{EM DASH}") == 2
    for wrong in (
        COSIGNER.line(text + "x\n", NOON),
        line[:-8] + "AAAAAA==\n",
        Cosigner("witness.example", bytes(32)).line(text, NOON),
        "",
        line * 2,
    ):
        with pytest.raises(BadNote):
            with_line(point(5), wrong, COSIGNER.key)


def test_the_form_of_a_cosignature() -> None:
    """As C2SP tlog-cosignature writes it: key id (type 4), the time as eight bytes, and a signature over the time and the checkpoint."""
    text = Checkpoint("wanliu/one", 5, root_of(LEAVES[:5])).text()
    name, key_id, signature = COSIGNER.cosignature(text, NOON)
    public = Ed25519PrivateKey.from_private_bytes(COSIGNER.seed).public_key()
    public.verify(signature[8:], f"cosignature/v1\ntime {int(NOON.timestamp())}\n{text}".encode())
    assert signature[:8] == int(NOON.timestamp()).to_bytes(8)
    assert (name, key_id) == ("witness.example", sha256(b"witness.example\n\x04" + public.public_bytes_raw()).digest()[:4])


def test_the_command(tmp_path: Path) -> None:
    """`wanliu witness` says what the service needs to know, and answers; without a log to trust it does not start."""
    program = str(Path(sys.executable).with_name("wanliu"))
    refused = subprocess.run([program, "witness"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (refused.returncode, "no log to trust" in refused.stderr) == (1, True)
    wrong = subprocess.run([program, "witness", "--log", "x"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (wrong.returncode, "--log: a verifier key reads" in wrong.stderr) == (1, True)
    command = [program, "witness", "--port", "0", "--log", LOG.verifier.text()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            told = dict(line.strip().split("=", 1) for line in islice(process.stdout, 7) if line.startswith("WANLIU_"))
            client = WitnessClient(told["WANLIU_WITNESS_URL"], WitnessKey.parse(told["WANLIU_WITNESS_KEY"]))
            note = client.add(0, [], point(5))
            assert client.latest("wanliu/one") == note
            client.close()
        finally:
            process.terminate()


def test_the_key_file(tmp_path: Path) -> None:
    """Made once, for its owner only; read again as it is; refused when others can read it, when it is no key, or has another name."""
    file = tmp_path / "witness.key"
    made = load_signer(file, "witness.example")
    assert load_signer(file, None) == made
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(KeyFileProblem, match=r"called `witness\.example`"):
        load_signer(file, "another")
    file.chmod(0o640)
    with pytest.raises(KeyFileProblem, match="chmod 600"):
        load_signer(file, None)
    file.chmod(0o600)
    file.write_bytes(b"\xff\xff")
    with pytest.raises(KeyFileProblem, match="no signer key"):
        load_signer(file, None)
    with pytest.raises(KeyFileProblem, match="cannot be read or made"):
        load_signer(tmp_path / "none" / "witness.key", None)
