"""Workers come and go, and nobody who asks notices."""

import contextlib
import itertools
import json
import os
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from app.record.store.opening import record_now
from app.record.store.tables import EntryRow
from tests.faults.http_service import PATIENCE, HttpService, get, http_service, post, until
from tests.faults.load import request
from tests.faults.processes import runs
from tests.packs_in_force import now, settings_in

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all services of this file have their pack and store, one after the other."""
    return tmp_path_factory.mktemp("workers")


@contextlib.contextmanager
def asking(service: HttpService, clients: int = 4) -> Iterator[Counter[str]]:
    """Clients that ask without end, each over a connection that it keeps; what they were answered."""
    stopping, seen = threading.Event(), Counter[str]()

    def ask(name: str) -> None:
        with httpx.Client(timeout=PATIENCE) as http:
            while not stopping.is_set():
                try:
                    found = str(http.post(f"{service.address}/v1/decisions", json=request(name)).status_code)
                except httpx.HTTPError as error:
                    found = repr(error)
                seen[found] += 1
                stopping.wait(0.03)

    threads = [threading.Thread(target=ask, args=(f"c{number}",)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def open_files(pid: int) -> int:
    """How many files and sockets a process has open, but for the connections to its store: it keeps some of those, as many as it needed."""
    count = 0
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += "wanliu.db" not in str(file.readlink())
    return count


def recorded(folder: Path) -> int:
    with record_now(settings_in(folder), now) as record:
        query = select(func.count()).where(col(EntryRow.kind) == "decision")
        return record.read_now(lambda connection: connection.execute(query).scalar_one())


def ask_until_met(service: HttpService, met: set[int], more: int) -> None:
    """Ask until so many workers more were met; then wait for the last of them to be alone."""
    goal = len(met) + more
    with asking(service) as seen:
        until(lambda: met.update(service.workers) or len(met) >= goal, 120)
    assert set(seen) == {"200"}
    until(lambda: len(service.workers) == 1)


def test_workers_are_replaced_and_nobody_notices(folder: Path) -> None:
    """With WANLIU_RECYCLE_AFTER workers come one after the other; every request is answered 200, and the keeper keeps
    nothing of those that went."""
    with http_service(folder, RECYCLE_AFTER="40", IDLE_SECONDS="1") as service:
        first = service.workers
        ask_until_met(service, met := set(first), 1)
        files = open_files(service.process.pid)
        ask_until_met(service, met, 2)
        until(lambda: open_files(service.process.pid) <= files + 1)
        assert not any(runs(pid) for pid in first)
        assert service.stop() == 0


def test_a_renewed_service_answers_on_old_connections(folder: Path) -> None:
    """SIGHUP puts a new worker in each place; a connection from before is answered once more, and told that it closes."""
    with http_service(folder, WORKERS="2") as service:
        before = until(lambda: len(service.workers) == 2 and service.workers)
        old = service.connect()
        assert old.send(get(b"/healthz")).answer()[0] == 200
        service.process.send_signal(signal.SIGHUP)
        until(lambda: len(service.workers - before) == 2)
        time.sleep(0.5)
        status, headers, _ = old.send(post("renewed")).answer()
        assert (status, headers["connection"]) == (200, "close")
        assert old.is_closed()
        until(lambda: not service.workers & before)
        assert service.stop() == 0


def test_single_new_connections_are_answered_while_another_worker_starts(folder: Path) -> None:
    """One request at a time, each over a connection of its own, from the start on until both workers were renewed: none waits for the
    next one to come."""
    with http_service(folder, WORKERS="2") as service:
        until(lambda: httpx.get(f"{service.address}/healthz").status_code == 200 and len(service.workers) == 2)
        before = service.workers
        service.process.send_signal(signal.SIGHUP)
        until(lambda: httpx.get(f"{service.address}/healthz").status_code == 200 and not service.workers & before)
        assert service.stop() == 0
    assert '"worker_ended"' not in service.log.read_text()


def test_a_killed_worker_is_replaced(folder: Path) -> None:
    """After `kill -9` of the only worker another one answers; connections made meanwhile wait for it."""
    with http_service(folder) as service:
        (victim,) = service.workers
        os.kill(victim, signal.SIGKILL)
        assert service.connect(PATIENCE).send(post("after")).answer()[0] == 200
        assert victim not in service.workers
        assert service.stop() == 0
    assert '"worker_ended"' in service.log.read_text()


def test_a_worker_that_hangs_is_replaced(folder: Path) -> None:
    """One that says nothing for WANLIU_HANG_SECONDS is killed, and another one answers."""
    with http_service(folder, HANG_SECONDS="3") as service:
        (victim,) = service.workers
        os.kill(victim, signal.SIGSTOP)
        until(lambda: service.workers and victim not in service.workers)
        assert service.connect(PATIENCE).send(post("after")).answer()[0] == 200
        assert service.stop() == 0
    ended = [json.loads(line) for line in service.log.read_text().splitlines() if '"worker_ended"' in line]
    assert [line["hung"] for line in ended] == [True]


def test_what_was_accepted_is_answered_before_it_stops(folder: Path) -> None:
    """A request whose body is half there when the service is told to stop is answered and on the record; nobody
    else is let in; exit code 0."""
    before = recorded(folder)
    with http_service(folder) as service:
        asked = service.connect()
        whole = post("stopping")
        asked.send(whole[:-20])
        time.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        until(lambda: _refused(service))
        status, headers, _ = asked.send(whole[-20:]).answer()
        assert (status, headers["connection"]) == (200, "close")
        assert service.process.wait(PATIENCE) == 0
    assert recorded(folder) == before + 1


def test_a_batch_that_is_under_way_says_where_it_ends(folder: Path) -> None:
    """A batch that would go on is ended before the grace is: each line that came has its decision on the record, and
    the last line is the summary, which says that there was more; exit code 0."""
    before = recorded(folder)
    with http_service(folder, GRACE_SECONDS="4") as service:
        asked = service.connect()
        head = b"POST /v1/decisions/batch HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
        lines = b"".join(json.dumps(request(f"b-{number}")).encode() + b"\n" for number in range(5))
        asked.send(head + b"%x\r\n%b\r\n" % (len(lines), lines))
        time.sleep(0.5)
        service.process.send_signal(signal.SIGTERM)
        told = b""
        with contextlib.suppress(ConnectionError):
            while more := asked.socket.recv(65_536):
                told += more
        assert service.process.wait(PATIENCE) == 0
    assert told.count(b'"decision_id"') == 5
    assert b'"line":6,"reference":null,"type":"urn:wanliu:problem:draining"' in told
    assert b'{"summary":{"lines":6,"decided":5,"refused":1,"complete":false}}' in told
    assert recorded(folder) == before + 5


def test_connections_without_a_question_do_not_hold_it_up(folder: Path) -> None:
    """Idle connections are closed soon after it is told to stop, and slow ones after WANLIU_GRACE_SECONDS."""
    with http_service(folder, GRACE_SECONDS="1") as service:
        idle, slow = service.connect(), service.connect()
        assert idle.send(get(b"/healthz")).answer()[0] == 200
        slow.send(post("slow")[:-1])
        time.sleep(0.3)
        begun = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - begun < 10
        assert idle.is_closed()
        assert slow.is_closed()


def test_a_worker_that_was_still_starting_is_no_error(folder: Path) -> None:
    """Told to stop while the second one reads its pack, the service stops, and its log has no error."""
    with http_service(folder, WORKERS="2") as service:
        assert service.stop() == 0
        assert '"level":"error"' not in service.log.read_text()


def test_nobody_is_let_in_before_it_can_answer(folder: Path) -> None:
    """Until then connections are refused at once, so that a proxy sends requests elsewhere; then all are answered, and the log has its
    beginning before them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    seen, stopping = list[str](), threading.Event()

    def knock() -> None:
        while not stopping.is_set():
            try:
                seen.append(str(httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE).status_code))
            except httpx.TransportError as error:
                seen.append(type(error).__name__)
            stopping.wait(0.03)

    knocking = threading.Thread(target=knock)
    knocking.start()
    try:
        with http_service(folder, PORT=str(port)) as service:
            until(lambda: "200" in seen)
            stopping.set()
            knocking.join()
            assert service.stop() == 0
    finally:
        stopping.set()
    found = [item for item, _ in itertools.groupby(seen)]
    assert found == ["ConnectError", "200"]
    events = [json.loads(line)["event"] for line in service.log.read_text().splitlines()]
    assert [event for event, _ in itertools.groupby(events)] == ["listening", "request", "stopping", "stopped"]


def test_workers_that_start_are_not_among_those_that_finish(folder: Path) -> None:
    """While the second one reads its pack, `wanliu_workers` tells of one that answers, and of none that finishes."""
    with http_service(folder, WORKERS="2") as service:
        seen = {workers_of(service)}
        until(lambda: seen.add(workers_of(service)) or (2.0, 0.0) in seen)
        assert (1.0, 0.0) in seen
        assert {finishing for _, finishing in seen} == {0.0}
        assert service.stop() == 0


def workers_of(service: HttpService) -> tuple[float, float]:
    """How many workers answer, and how many finish, as /metrics has it; 0 where it says nothing yet."""
    told = httpx.get(f"{service.address}/metrics", timeout=PATIENCE).text
    found = dict(re.findall(r'^wanliu_workers\{state="(\w+)"\} (\S+)$', told, re.MULTILINE))
    return float(found.get("answering", 0)), float(found.get("finishing", 0))


def test_told_twice_it_ends_at_once(folder: Path) -> None:
    """A second signal waits for nobody; the exit code says that not all was finished."""
    with http_service(folder, GRACE_SECONDS="300") as service:
        service.connect().send(post("cut")[:-1])
        time.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        until(lambda: _refused(service))
        workers = service.workers
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(PATIENCE) == 1
        assert not any(runs(pid) for pid in workers)
    events = [json.loads(line) for line in service.log.read_text().splitlines()]
    assert [line["event"] for line in events[-3:]] == ["stopping", "stopping_at_once", "stopped"]
    assert events[-1]["finished"] is False


def test_workers_go_with_their_keeper(folder: Path) -> None:
    """After `kill -9` of the keeper its workers end, and the port is free for the next one."""
    with http_service(folder, WORKERS="2") as service:
        workers = until(lambda: len(service.workers) == 2 and service.workers)
        service.process.kill()
        service.process.wait()
        with http_service(folder, PORT=str(service.port)) as another:
            assert another.connect().send(post("another")).answer()[0] == 200
        until(lambda: not any(runs(pid) for pid in workers))


def _refused(service: HttpService) -> bool:
    try:
        service.connect().close()
    except ConnectionRefusedError:
        return True
    return False
