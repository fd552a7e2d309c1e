"""`wanliu decide --url`: a running service decides, and the output is that of deciding here."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.cli.distant import CALLERS_KEY
from app.client import DEVELOPMENT_ADDRESS, WanliuClient
from app.client.attempts import Attempts
from app.engine.pack import load_pack

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
BILL = ROOT / "examples" / "02-high-tariff.json"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANLIU_PACK", str(ROOT))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv(CALLERS_KEY, raising=False)
    monkeypatch.setattr(Attempts, "pause_after_failure", lambda *_: None)


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["decide", *map(str, arguments)], input=stdin)


def asked(*arguments: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """In a process of its own: the server of these tests logs to the standard output of this one."""
    command = [sys.executable, "-c", "from app.cli import main; main()", "decide", *map(str, arguments)]
    return subprocess.run(command, input=stdin or b"", capture_output=True, timeout=60, check=False)


def lines(told: bytes) -> list[str]:
    """What is printed; when a what-if is asked is the only thing that differs."""
    return re.sub(r'"decided_at":"[^"]*"', "", told.decode()).splitlines()


def live() -> bytes:
    return json.dumps({name: value for name, value in json.loads(BILL.read_bytes()).items() if name != "as_of"}).encode()


@pytest.fixture
def stranger(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[str | None]]]:
    """Something that listens and answers as the test says, with the keys that it was sent."""
    status, media, body = request.param
    keys: list[str | None] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            keys.append(self.headers["authorization"])
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-type", media)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", keys
    server.shutdown()
    server.server_close()


UNKNOWN = (401, "application/problem+json", json.dumps({"type": "urn:wanliu:problem:unauthenticated", "title": "Who asks?"}).encode())
PAGE = (200, "text/html", b"<html>hello</html>")
LIST = (200, "application/json", b"[]")
OTHER = (200, "application/json", json.dumps({"decision_id": None, "pack": {"digest": "sha256:0"}}).encode())
NEWER = (200, "application/json", json.dumps({"decision_id": None, "pack": {"digest": load_pack(ROOT).digest}}).encode())
OLDER = (200, "application/json", b'{"decision_id": null}')
AWAY = (302, "text/html", b"elsewhere")


@pytest.mark.parametrize("options", [("--json",), ("--full", "--json"), ("--locale", "en"), ("--full", "--channel", "app")])
def test_what_a_service_decides_is_shown_as_what_is_decided_here(address: str, options: tuple[str, ...]) -> None:
    """As JSON and as a table, with every option on what is said."""
    here, there = asked(BILL, *options), asked(BILL, *options, "--url", address)
    assert (there.returncode, there.stderr) == (0, b"")
    assert lines(there.stdout) == lines(here.stdout) != []


def test_with_record_the_decision_is_on_the_services_record(address: str) -> None:
    """Its id is that of the service, which has it; the table shows it."""
    told = json.loads(asked("-", "--record", "--json", "--url", address, stdin=live()).stdout)
    assert told["record"] == {"state": "durable"}
    with WanliuClient(address) as wanliu:
        assert wanliu.decision(told["decision_id"]) == told
    sheet = asked("-", "--record", "--locale", "en", "--url", address, stdin=live())
    assert (sheet.returncode, sheet.stderr) == (0, b"")
    assert b"marketing SMS" in sheet.stdout


def test_what_the_service_refuses_is_told_by_field(address: str) -> None:
    """A line for each field; the files after it are asked about all the same."""
    wrong = asked("-", BILL, "--json", "--url", address, stdin=b'{"channel": "appp", "subscriber": {"id": "s-1"}}')
    assert wrong.returncode == 1
    assert wrong.stderr.startswith(b"standard input: channel: ")
    assert len(wrong.stdout.splitlines()) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b""])
def test_what_is_no_request_is_not_sent(body: bytes) -> None:
    """It is said to be none, though no service is there."""
    told = run("-", "--json", "--url", NOWHERE, stdin=body)
    assert (told.exit_code, told.stdout) == (1, "")
    assert "standard input: body: " in told.stderr


def test_a_service_that_is_away_is_said_to_be() -> None:
    """In a line, for each file."""
    told = run(BILL, "--json", "--url", NOWHERE)
    assert told.exit_code == 1
    assert f"{BILL}: the service does not answer: " in told.stderr
    assert "Traceback" not in told.output


@pytest.mark.parametrize("stranger", [UNKNOWN], indirect=True)
def test_without_a_key_it_says_where_one_goes(
    stranger: tuple[str, list[str | None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None, that of the environment, that of the file before it; none of them is ever printed."""
    address, keys = stranger
    told = [run(BILL, "--json", "--url", address)]
    monkeypatch.setenv(CALLERS_KEY, "wl_environment")
    told += [run(BILL, "--json", "--url", address)]
    (tmp_path / "key").write_text("wl_file\n")
    told += [run(BILL, "--json", "--url", address, "--key-file", tmp_path / "key")]
    assert keys == [None, "Bearer wl_environment", "Bearer wl_file"]
    for result in told:
        assert result.exit_code == 1
        assert "the service refuses (401): Who asks?" in result.stderr
        assert CALLERS_KEY in result.stderr
        assert "wl_" not in result.output


@pytest.mark.parametrize("stranger", [PAGE, LIST, OLDER, AWAY], indirect=True)
def test_what_is_no_service_is_said_to_be_none(stranger: tuple[str, list[str | None]]) -> None:
    """A page, JSON of something else, a way elsewhere."""
    told = run(BILL, "--json", "--url", stranger[0])
    assert told.exit_code == 1
    assert f"{BILL}: what answers is not Wanliu: " in told.stderr


@pytest.mark.parametrize("stranger", [OTHER, NEWER], indirect=True)
def test_an_answer_that_cannot_be_shown_here_is_told_as_json(stranger: tuple[str, list[str | None]]) -> None:
    """Another pack decides there, or another version of the program: the answer is not lost, and standard error says why it is no table."""
    told = run(BILL, "--url", stranger[0])
    assert told.exit_code == 0
    assert "decision_id" in json.loads(told.stdout)
    assert re.search(f"{BILL}: as JSON, since the service (decides with another pack|is of another version)", told.stderr)


def test_what_a_customer_is_told_is_a_table_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer's token says who it is, so that the request need not, and the answer has little beside what is said to them."""
    bill = json.loads(BILL.read_bytes())
    told = json.loads(run(BILL, "--role", "self_service", "--channel", "app", "--json").stdout)
    monkeypatch.setattr(WanliuClient, "decide", lambda *_: told)
    del bill["subscriber"]["id"], bill["as_of"]
    (tmp_path / "app.json").write_text(json.dumps(bill | {"locale": "en", "direction": "self"}))
    shown = run(tmp_path / "app.json", "--channel", "app", "--url", NOWHERE, "--record")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"{tmp_path / 'app.json'}\n")
    assert told["actions"][0]["text"][:30] in shown.stdout


def test_an_answer_that_this_program_cannot_show_is_not_blamed_on_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both are of the same one."""
    told = json.loads(run(BILL, "--json").stdout)
    monkeypatch.setattr(WanliuClient, "what_if", lambda *_: told | {"actions": "none"})
    shown = run(BILL, "--url", NOWHERE)
    assert shown.exit_code == 0
    assert f"{BILL}: as JSON, since the answer has something that this program cannot show as a table" in shown.stderr
    monkeypatch.setattr(WanliuClient, "what_if", lambda *_: told | {"actions": "none", "engine": "9.9.9"})
    assert "the service is of another version (9.9.9) than this program" in run(BILL, "--url", NOWHERE).stderr


@pytest.mark.parametrize("content", ["", " \n", "zwei worte", "schlüssel", "a\nb"])
def test_a_key_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    """Before anything is sent, without repeating it."""
    (tmp_path / "key").write_text(content, encoding="utf-8")
    told = run(BILL, "--json", "--url", NOWHERE, "--key-file", tmp_path / "key")
    assert told.exit_code == 1
    assert told.stderr.startswith("--key-file: has no key and no token")
    assert "does not answer" not in told.stderr


def test_a_key_file_that_is_away_is_refused(tmp_path: Path) -> None:
    """With what is wrong."""
    told = run(BILL, "--json", "--url", NOWHERE, "--key-file", tmp_path / "none")
    assert (told.exit_code, told.stderr) == (1, "--key-file: cannot be read: no such file or directory\n")


@pytest.mark.parametrize(
    "options",
    [
        ("--key-file", "key"),
        ("--url", "127.0.0.1:8000"),
        ("--url", ""),
        ("--url", DEVELOPMENT_ADDRESS, "--role", "agent"),
        ("--url", DEVELOPMENT_ADDRESS, "--refused", "tariff_pack"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...]) -> None:
    """Exit code 2; the message names the option."""
    told = run(BILL, *options)
    assert told.exit_code == 2
    assert options[0].removeprefix("--") in told.stderr


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://a:b", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """In a line."""
    told = run(BILL, "--json", "--url", url)
    assert told.exit_code == 1
    assert told.exception is None or isinstance(told.exception, SystemExit)
    assert "--url: is no address" in told.stderr or "does not answer" in told.stderr
