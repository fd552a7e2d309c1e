"""What the pages tell a reader to type works as written, and shows what they show."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.docs.pages import PAGES, READMES, ROOT, SKIP, Step, Written, difference, name_of, steps, work

pytestmark = pytest.mark.e2e

NOT_RUN = re.compile(r"^(make |source |curl |docker |wanliu serve|\.venv/bin/python docs/)")
"""Prepares, activates, or needs a running service: told by other tests, or by nothing but reading."""
OURS_ALONE = re.compile(r"^wanliu (?!caller add)[^|<>;&$`*?~\n]+$")
"""Nothing in it is for a shell to do, and it does not print to both of its outputs, which come together in another order here."""
PROGRAMS = Path(sys.executable).parent
LONGEST = 300
"""Seconds that a command may take; one that waits for ever fails."""
_curl = re.compile(r"^curl -s (\S+) -H 'content-type: application/json' -d '(.*)' \| (.*)$")


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANLIU_") and name != "COLUMNS"}
    return {**kept, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the commands read."""
    for folder in ("rules", "policies", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def typed(command: str, folder: Path) -> tuple[int, str]:
    """The exit code of a command, and what it prints."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=LONGEST,
    )
    return done.returncode, done.stdout.decode()


def called(command: str, folder: Path) -> tuple[int, str]:
    """The same of a command of ours alone, without the seconds that a process takes to begin."""
    if not OURS_ALONE.match(command):
        return typed(command, folder)
    unset = dict.fromkeys(os.environ.keys() - environment().keys())
    with contextlib.chdir(folder):
        done = CliRunner().invoke(app, shlex.split(command, comments=True)[1:], prog_name="wanliu", env=unset)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def run(step: Step, how: Callable[[str, Path], tuple[int, str]], folder: Path) -> None:
    code, output = how(step.command, folder)
    assert "Traceback" not in output, output
    mistakes = step.output is not None and any("error[" in line or line.startswith("✗") for line in step.output)
    assert code == (1 if mistakes else 0), f"{step.command}\n{output}"
    if step.output is not None:
        told = difference(step.output, output)
        assert not told, f"{step.command}: {told}\n\n{output}"


def write(step: Written, folder: Path) -> None:
    file = folder / step.file
    if not step.after:
        assert not file.exists(), f"{step.file} is there already"
        file.write_text(step.text, "utf-8")
        return
    lines = file.read_text("utf-8").splitlines(keepends=True)
    (place,) = (number for number, line in enumerate(lines) if line.strip() == step.after)
    file.write_text("".join([*lines[: place + 1], step.text, *lines[place + 1 :]]), "utf-8")


@pytest.mark.parametrize("page", [page for page in PAGES if steps(page)], ids=name_of)
def test_the_commands_of_a_page_work_as_written(page: Path, checkout: Path) -> None:
    """Top to bottom, in a copy of the checkout, each ends as it should and prints what the page shows; the English README's by a shell."""
    how = typed if page == READMES[0] else called
    for step in work(page):
        if isinstance(step, Written):
            write(step, checkout)
        elif not NOT_RUN.match(step.command):
            run(step, how, checkout)


def test_both_readmes_have_the_same_commands() -> None:
    """The Chinese twin leaves the language to the examples; nothing else differs."""
    english, chinese = ([re.sub(" --locale (en|zh-CN)", "", step.command) for step in steps(page)] for page in READMES)
    assert english == [command.replace('"locale":"zh-CN"', '"locale":"en"') for command in chinese]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What the service prints when it starts on a free port; it runs meanwhile."""
    folder = tmp_path_factory.mktemp("served")
    settings = {"WANLIU_PORT": "0", "WANLIU_DATABASE_URL": f"sqlite:///{folder}/wanliu.db", "WANLIU_STORE_DEADLINE_MS": "30000"}
    settings["WANLIU_LOG_FORMAT"] = "console"  # what a person sees on a terminal
    with subprocess.Popen(
        [PROGRAMS / "wanliu", "serve"], cwd=ROOT, env=environment() | settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("curl "):
                break
        yield lines
        process.terminate()


@pytest.mark.parametrize("page", READMES, ids=name_of)
def test_the_line_to_try_is_the_one_that_is_printed(page: Path, served: list[str]) -> None:
    """The README shows the start's own words, the curl line among them, and a part of the real answer."""
    shown = next(step for step in steps(page) if step.command == "make run")
    address = re.search(r"http://[0-9.:]+", served[0])
    assert address is not None
    as_documented = [line.replace(address[0], "http://127.0.0.1:8000") for line in served]
    assert not difference(shown.output or (), "\n".join(as_documented))
    step = next(step for step in steps(page) if step.command.startswith("curl "))
    assert step.command == as_documented[-1]
    found = _curl.match(step.command)
    assert found is not None
    request = urllib.request.Request(  # noqa: S310 - our own address
        found[1].replace("http://127.0.0.1:8000", address[0]), found[2].encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        answer = json.load(response)
    as_printed = json.dumps(answer, indent=4, ensure_ascii="--no-ensure-ascii" not in found[3])
    told = difference(step.output or (), as_printed)
    assert not told, f"{told}\n\n{as_printed}"


def test_a_difference_is_seen() -> None:
    """A line that is not there, in the wrong place, or missing from the page, is told."""
    output = "one\ntwo\nthree\n"
    assert not difference(("one", SKIP, "three"), output)
    assert not difference((f"o{SKIP}e", "two", SKIP), output)
    for wrong in (("one", "three"), ("one", "two"), (SKIP, "two"), (SKIP, "four", SKIP), ("three", SKIP, "one")):
        assert difference(wrong, output)
