"""Tokens for a trial, from the command line to the service."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.api.identity.book import CallerBook
from app.api.identity.trusting import take_tokens
from app.cli import app
from app.record.callers import Caller
from app.settings import read_settings
from tests.packs_in_force import content, version, write
from tests.pipeline import ROOT

pytestmark = pytest.mark.unit


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With keys, and the settings that go with them."""
    folder = tmp_path / "trial" / "keys"
    made = run("token", "keys", folder)
    assert made.exit_code == 0, made.output
    for part in made.stderr.split(",")[1].replace("set ", "").split():
        name, _, value = part.partition("=")
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WANLIU_JWT_AUDIENCE", "wanliu")
    monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path}/wanliu.db")
    monkeypatch.setenv("WANLIU_KEY_FILE", str(tmp_path / "wanliu.keys"))
    return folder


def caller(token: str) -> Caller:
    """Whom the service takes the token for."""

    async def taken() -> Caller:
        book = CallerBook()
        followers = await take_tokens(read_settings(), book)
        assert book.tokens is not None
        found = await book.tokens.caller(token)
        for follower in followers:
            follower.cancel()
        return found

    return asyncio.run(taken())


def make(folder: Path, *arguments: object) -> Result:
    return run("token", "make", "--key", folder / "signing.pem", *arguments)


def test_a_token_is_taken_by_the_service(folder: Path) -> None:
    """It stands alone on standard output."""
    made = make(folder, "--role", "self_service", "--subject", "s-1001", "--client", "app")
    assert made.stdout.count("\n") == 1
    assert caller(made.stdout.strip()) == Caller("app", "self_service", subject="s-1001")
    leader = make(folder, "--role", "agent", "--subject", "a-17", "--grade", "leader", "--minutes", 5).stdout.strip()
    assert caller(leader) == Caller("trial", "agent", "leader", agent="a-17")


def test_the_private_key_is_its_owners(folder: Path) -> None:
    """And only the public half is in the file for the service. A key that is there is not written over."""
    assert stat.S_IMODE((folder / "signing.pem").stat().st_mode) == 0o600
    (key,) = json.loads((folder / "jwks.json").read_bytes())["keys"]
    assert "d" not in key
    before = (folder / "signing.pem").read_bytes()
    again = run("token", "keys", folder)
    assert (again.exit_code, "is there already" in " ".join(again.stderr.split())) == (1, True)
    assert (folder / "signing.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--role", "agent", "--subject", "a", "--grade", "leadr"), "--grade: `leadr` is no grade under `arbitration.concession` of telco"),
        (("--role", "agent", "--subject", "a", "--grade", "leadr"), "; did you mean `leader`?"),
        (("--role", "agent", "--subject", "a", "--grade", "bigboss"), "; there are leader, retention_desk, manager, city"),
        (("--role", "agent", "--subject", "a", "--grade", ""), "--grade: `` is no grade under"),
        (("--role", "agent", "--subject", "a", "--grade", "self_service"), "--grade: `self_service` is a role, and no grade under"),
        (("--role", "self_service", "--subject", "s 1"), "--subject: expected the subscriber's id, such as s-1001: letters or digits"),
        (("--role", "self_service", "--subject", ""), "--subject: expected the subscriber's id"),
        (("--role", "agent", "--subject", "?"), "--subject: expected the agent's code, such as a-17: letters or digits"),
        (("--role", "compliance", "--subject", "ann li"), "--subject: expected who they are, such as ann: at most 64 printable"),
        (("--role", "campaign", "--subject", ""), "--subject: expected the name of the campaign engine"),
        (("--role", "agent", "--subject", "a", "--client", "Desk Top"), "--client: expected a name of small letters, digits and _ . -, "),
        (("--role", "agent", "--subject", "a", "--client", "Desk Top"), "; did you mean `desk-top`?"),
        (("--role", "agent", "--subject", "a", "--client", ""), "at most 64, such as trial"),
        (("--role", "agent", "--subject", "a", "--client", "sealer"), "--client: `sealer` is what the record calls something else"),
        (("--role", "campaign", "--subject", "a", "--grade", "leader"), "only the role agent has grades"),
    ],
)
def test_what_the_service_would_refuse_is_not_made(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    """In the words of the options."""
    made = make(folder, *arguments)
    assert (made.exit_code, made.stdout) == (1, "")
    assert says in " ".join(made.stderr.split())


def test_all_that_is_wrong_with_a_token_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option on a line; a grade also where there is no pack to ask."""
    monkeypatch.setenv("WANLIU_PACK", str(tmp_path))
    told = make(folder, "--role", "agent", "--subject", "", "--client", "", "--grade", "Big Boss").stderr.splitlines()
    assert [line.partition(":")[0] for line in told] == ["--subject", "--client", "--grade"]


@pytest.mark.parametrize(("role", "says"), [("boss", "`boss` is not one of agent, "), ("selfservice", "did you mean `self_service`?")])
def test_a_role_that_there_is_not(folder: Path, role: str, says: str) -> None:
    """The option is named, and the nearest role."""
    made = make(folder, "--role", role, "--subject", "x")
    assert (made.exit_code, made.stdout) == (2, "")
    told = " ".join(made.stderr.replace("│", " ").split())
    assert "--role" in told
    assert says in told


def test_the_pack_in_force_says_which_grades_there_are(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the folder, where a store has a pack in force; where no pack is to be had, none is refused. Nothing is made by asking."""
    agent = ("--role", "agent", "--subject", "a-17", "--grade")
    assert make(folder, *agent, "leader").exit_code == 0
    assert not list(tmp_path.glob("wanliu.*"))
    monkeypatch.setenv("WANLIU_PACK", str(tmp_path))
    assert make(folder, *agent, "leader").exit_code == 0
    monkeypatch.setenv("WANLIU_PACK", str(write(tmp_path / "pack", version("1.0.0"))))
    digest = content("1.0.0").digest
    for step in (("publish", "--author", "ann"), ("approve", digest, "--by", "bob"), ("activate", digest, "--by", "bob")):
        assert run("pack", *step).exit_code == 0
    monkeypatch.setenv("WANLIU_PACK", str(ROOT))
    told = make(folder, *agent, "leader")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "--grade: `leader` is no grade under `arbitration.concession` of small 1.0.0; " in " ".join(told.stderr.split())


def test_mistakes_are_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, another kind of file, a folder that cannot be, settings without tokens or without the algorithm."""
    person = ("--role", "compliance", "--subject", "ann")
    assert "cannot be read" in run("token", "make", "--key", tmp_path / "none", *person).stderr
    assert "is not a private key" in run("token", "make", "--key", folder / "jwks.json", *person).stderr
    assert "cannot be written" in run("token", "keys", folder / "jwks.json" / "x").stderr
    monkeypatch.setenv("WANLIU_JWT_ALGORITHMS", "RS256")
    assert "has no ES256, which `wanliu token` signs with; for a trial set it to ES256" in make(folder, *person).stderr
    for name in ("ISSUER", "AUDIENCE", "KEYS", "ALGORITHMS"):
        monkeypatch.delenv(f"WANLIU_JWT_{name}")
    told = make(folder, *person).stderr
    assert "tokens are not taken: set " in told
    assert all(f"WANLIU_JWT_{name}" in told for name in ("ISSUER", "AUDIENCE", "KEYS", "ALGORITHMS"))
    assert "`wanliu token keys FOLDER` makes a key and prints what to set" in told
