"""Starting the service: what is refused and in which words, what is said at start, and that it stops when told."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.api.serve import CannotServe, _bound, _listen, serve
from app.settings import Settings

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, sys
from app.api.serve import CannotServe, serve
from app.settings import read_settings
try:
    serve(read_settings(os.environ))
except CannotServe as error:
    sys.exit(str(error))
"""


def started(folder: Path, **settings: str) -> "subprocess.Popen[str]":
    given = {"PORT": "0", "PACK": str(ROOT), "DATABASE_URL": f"sqlite:///{folder}/wanliu.db", "STORE_DEADLINE_MS": "30000", **settings}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **{f"WANLIU_{name}": value for name, value in given.items()}}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def until_it_answers(process: "subprocess.Popen[str]") -> str:
    """All that a service says on a terminal when it answers."""
    assert process.stdout is not None
    said = ""
    while "\ncurl " not in said:
        line = process.stdout.readline()
        assert line, process.communicate()
        said += line
    return said


def program(folder: Path, *arguments: str) -> str:
    """What the command line prints, on the store of the service."""
    environment = {**os.environ, "WANLIU_DATABASE_URL": f"sqlite:///{folder}/wanliu.db"}
    command = [sys.executable, "-c", "from app.cli import main; main()", *arguments]
    return subprocess.run(
        command, env={**environment, "PYTHONPATH": str(ROOT)}, cwd=folder, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A running service and all it said at start."""
    with started(tmp_path, LOG_FORMAT="console") as process:
        yield process, until_it_answers(process)
        process.kill()


@pytest.mark.unit
class TestRefusals:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "wanliu.example"])  # noqa: S104 - these are the ones refused
    def test_no_other_machine_may_reach_it_without_callers(self, host: str, sqlite_url: str) -> None:
        """Development mode listens on loopback only, and the message says what to do."""
        with pytest.raises(CannotServe, match=r"there are no callers.*wanliu caller add.*set WANLIU_HOST to 127\.0\.0\.1"):
            serve(Settings(host=host, database_url=sqlite_url))

    def test_nor_where_callers_cannot_be_read(self, tmp_path: Path) -> None:
        """A store that is none is told, before anybody could come in."""
        with pytest.raises(CannotServe, match="the store cannot be opened"):
            serve(Settings(host="0.0.0.0", database_url=f"sqlite:///{tmp_path}/no/such/folder.db", key_file=tmp_path / "keys"))  # noqa: S104

    def test_a_taken_port_is_told(self) -> None:
        """The message names address and setting."""
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CannotServe, match=r"cannot listen on .* set WANLIU_PORT"):
            serve(Settings(port=taken.getsockname()[1]))

    @pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
    def test_of_two_that_start_at_once_one_is_told(self, host: str) -> None:
        """Both can have the port while neither listens on it; then the first one has it."""
        with _bound(Settings(host=host, port=0)) as first:
            settings = Settings(host=host, port=first.getsockname()[1])
            with _bound(settings) as second:
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection((host, settings.port)).close()
                _listen(settings, first)
                socket.create_connection((host, settings.port)).close()
                with pytest.raises(CannotServe, match=rf"cannot listen on {host} port {settings.port}: Address already in use; set"):
                    _listen(settings, second)


@pytest.mark.e2e
class TestService:
    def test_no_pack_is_told(self, tmp_path: Path) -> None:
        """A folder without a pack ends the start with a message and no traceback."""
        with started(tmp_path, PACK=str(tmp_path)) as process:
            out, error = process.communicate(timeout=60)
        assert (process.returncode, out) == (1, "")
        assert "no pack here" in error
        assert "Traceback" not in error

    def test_no_store_is_told(self, tmp_path: Path) -> None:
        """A store that cannot be opened ends the start with a message that names the setting."""
        with started(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder.db") as process:
            _, error = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "the store cannot be opened" in error
        assert "WANLIU_DATABASE_URL" in error
        assert "Traceback" not in error

    def test_what_it_says_works(self, service: tuple["subprocess.Popen[str]", str]) -> None:
        """The address answers, so does the page, the curl line's request gets a recorded decision, and development mode is said loudly."""
        process, said = service
        assert "DEVELOPMENT MODE" in said
        (page,) = re.findall(r"^  page +(http\S+)$", said, re.MULTILINE)
        assert httpx.get(page).headers["content-type"].startswith("text/html")
        (line,) = [line for line in said.splitlines() if line.startswith("curl")]
        words = shlex.split(line)
        body = words[words.index("-d") + 1]
        response = httpx.post(words[2], content=body, headers={"content-type": words[words.index("-H") + 1].split(": ")[1]})
        answer = response.json()
        assert (response.status_code, answer["record"]) == (200, {"state": "durable"})
        assert answer["signals"]
        assert answer["actions"]
        process.send_signal(signal.SIGTERM)
        logged, error = process.communicate(timeout=30)
        assert [line for line in logged.splitlines() if "/v1/decisions" in line and "status=200" in line]
        assert "s-1" not in logged
        assert error == ""

    def test_for_programs_every_line_is_json(self, tmp_path: Path) -> None:
        """Where standard output is no terminal, it has one JSON object a line and nothing else, what is said at start and at the end
        among them."""
        with started(tmp_path) as process:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            httpx.get(f"{first['address']}/healthz")
            process.send_signal(signal.SIGTERM)
            logged, error = process.communicate(timeout=30)
        lines = [json.loads(line) for line in logged.splitlines()]
        assert (first["event"], first["mode"], first["development"]) == ("listening", "development", True)
        assert [line["event"] for line in lines] == ["request", "stopping", "stopped"]
        assert (lines[0]["route"], lines[0]["status"]) == ("/healthz", 200)
        assert (lines[1]["grace_seconds"], lines[2]["finished"]) == (10.0, True)
        assert error == ""

    def test_callers_come_and_go_while_it_runs(self, service: tuple["subprocess.Popen[str]", str], tmp_path: Path) -> None:
        """The first caller ends development mode; within two seconds a new key works and a revoked one does not."""
        _, said = service
        address = next(word for word in said.split() if word.startswith("http://"))

        def status(**headers: str) -> int:
            return httpx.get(f"{address}/v1/packs", headers=headers).status_code

        assert status() == 200
        key = program(tmp_path, "caller", "add", "reviewer", "--role", "compliance").strip()
        time.sleep(2)
        assert (status(), status(authorization=f"Bearer {key}")) == (401, 200)
        program(tmp_path, "caller", "revoke", "reviewer")
        time.sleep(2)
        assert (status(), status(authorization=f"Bearer {key}")) == (401, 401)

    def test_with_callers_any_address_will_do(self, tmp_path: Path) -> None:
        """It starts, says no word of development mode, and shows where the key goes."""
        program(tmp_path, "caller", "add", "desk", "--role", "agent")
        with started(tmp_path, HOST="0.0.0.0", LOG_FORMAT="console") as process:  # noqa: S104 - what callers allow
            said = until_it_answers(process)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
        assert "DEVELOPMENT" not in said
        assert "-H 'authorization: Bearer wl_…'" in said

    def test_it_stops_when_interrupted(self, service: tuple["subprocess.Popen[str]", str]) -> None:
        """Ctrl-C ends it without a traceback."""
        process, _ = service
        process.send_signal(signal.SIGINT)
        _, logged = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in logged
