"""Performs the Dockerfile in a fresh folder, then runs what it makes as the image would: `python -m tests.image.perform`.

Folders of the image are folders below the fresh one. What a stage's base has (Python, a compiler) is the machine's. With `--quick`
nothing is installed: the environment that runs this stands for the one that RUN would make.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.image.dockerfile import ROOT, Stage, sent_files, stages

OURS = ("/opt/wanliu", "/srv/wanliu", "/var/lib/wanliu")
STATE = "/var/lib/wanliu"
TRY = {"channel": "app", "subscriber": {"id": "s-1", "account": {"status": "active"}}}


class Image:
    """The image's files, below a folder."""

    def __init__(self, folder: Path, *, quick: bool) -> None:
        self.folder, self.quick = folder, quick
        self.build, self.last = stages()

    def make(self) -> None:
        """Perform the first stage, and take over what the last one copies of it."""
        context = self.folder / "context"
        for name in sent_files():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, context / name)
        built = self.folder / "build"
        place = "/"
        for word, text in self.build.steps:
            if word == "WORKDIR":
                place = text
                self._at(built, place).mkdir(parents=True)
            elif word == "COPY":
                self._copy(context, text.split(), self._at(built, place))
            elif word == "RUN" and not self.quick:
                self._run(text, built, place)
        self._finish(built)

    def _copy(self, context: Path, words: list[str], place: Path) -> None:
        *sources, target = words
        for source in sources:
            if source == ".":
                shutil.copytree(context, place, dirs_exist_ok=True)
            else:
                (place / target).mkdir(exist_ok=True)
                shutil.copy2(context / source, place / target)

    def _run(self, text: str, root: Path, place: str) -> None:
        environment = {**os.environ, **self.environment(self.build, root)}
        environment["PATH"] = self._moved(self.build.environment["PATH"], root).replace("$PATH", os.environ["PATH"])
        command = self._moved(text, root)
        print(f"RUN {text}", flush=True)  # noqa: T201 - a program for people to watch
        subprocess.run(["/bin/sh", "-ec", command], cwd=self._at(root, place), env=environment, check=True)

    def _finish(self, built: Path) -> None:
        """The last stage: what it copies stays where it was made, for an environment cannot be moved; the state is empty."""
        for text in self.last.all("COPY"):
            _, source, target = text.split()
            assert source == target, f"COPY {text}: an environment cannot be moved"
            assert (self.quick and source == "/opt/wanliu") or self._at(built, source).is_dir(), text
        self.state.mkdir(parents=True)

    @property
    def state(self) -> Path:
        """What the image declares as a volume."""
        (volume,) = self.last.all("VOLUME")
        return self._at(self.folder / "build", volume)

    def environment(self, stage: Stage, root: Path) -> dict[str, str]:
        """What a stage's ENV sets."""
        return {name: self._moved(value, root) for name, value in stage.environment.items() if name != "PATH"}

    @property
    def programs(self) -> Path:
        """Where the environment's programs are."""
        return Path(sys.executable).parent if self.quick else self._at(self.folder / "build", "/opt/wanliu/bin")

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """The service as the image runs it: not as root, nothing writable but the volume and the folder for temporary files."""
        temporary = self.folder / "tmp"
        temporary.mkdir()
        _only_readable(self.folder / "build", but=self.state)
        for folder in (self.state, temporary):
            _give(folder)
        _give_way(self.folder)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        environment = {
            **self.environment(self.last, self.folder / "build"),
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(temporary),
            "WANLIU_PORT": str(port),
            "WANLIU_STORE_DEADLINE_MS": "30000",
            "PYTHONPATH": str(self._at(self.folder / "build", "/srv/wanliu")),
        }
        user = _somebody_else(self.programs / "python")
        place = self._at(self.folder / "build", self.last.all("WORKDIR")[-1])
        with subprocess.Popen(self.last.command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True, **user) as process:
            try:
                self._wait(process, environment)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.communicate(timeout=60)

    def _wait(self, process: subprocess.Popen[str], environment: dict[str, str]) -> None:
        """Until the image's own check says that it is well."""
        give_up = time.monotonic() + 60
        check = [self.programs / "python" if word == "python" else word for word in self.last.health]
        while subprocess.run(check, env=environment, capture_output=True, check=False).returncode:
            assert process.poll() is None, "the service ended"
            assert time.monotonic() < give_up, "HEALTHCHECK does not pass"
            time.sleep(0.3)

    def _at(self, root: Path, place: str) -> Path:
        return root / place.lstrip("/")

    def _moved(self, text: str, root: Path) -> str:
        for place in OURS:
            text = text.replace(place, str(self._at(root, place)))
        return text


_USER = 10001


def _somebody_else(python: Path) -> dict[str, Any]:
    """How to run a program as the image's user; as oneself, for who is not root, or where that user cannot reach this machine's Python."""
    user: dict[str, Any] = {"user": _USER, "group": _USER, "extra_groups": []}
    with contextlib.suppress(PermissionError):
        if os.getuid() == 0 and subprocess.run([python, "-c", ""], check=False, capture_output=True, cwd="/", **user).returncode == 0:
            return user
    return {}


def _only_readable(folder: Path, *, but: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if path != but and not path.is_symlink():
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def _give(folder: Path) -> None:
    folder.chmod(0o700)
    if os.getuid() == 0:
        os.chown(folder, _USER, _USER)


def _give_way(folder: Path) -> None:
    """Let another user through to the folder."""
    if os.getuid() == 0:
        for path in [folder, *folder.parents][:-1]:
            path.chmod(path.stat().st_mode | stat.S_IXOTH)


def files(folder: Path) -> dict[str, float]:
    """Every file below a folder, and when it was last changed."""
    return {str(path.relative_to(folder)): path.stat().st_mtime for path in folder.rglob("*") if path.is_file()}


def decided(address: str) -> dict[str, object]:
    """What the service answers."""
    request = urllib.request.Request(f"{address}/v1/decisions", json.dumps(TRY).encode(), {"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - our own address
        answer: dict[str, object] = json.load(response)
    return answer


def main() -> None:
    """Make the image's files, run them, and look what they wrote."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="install nothing")
    with tempfile.TemporaryDirectory(prefix="wanliu-image-", ignore_cleanup_errors=True) as folder:
        image = Image(Path(folder).resolve(), quick=parser.parse_args().quick)
        image.make()
        before = files(image.folder / "build")
        with image.running() as address:
            answer = decided(address)
        written = {name for name, at in files(image.folder / "build").items() if before.get(name) != at}
        outside = sorted(name for name in written if not name.startswith(STATE.lstrip("/")))
        print(json.dumps({"record": answer["record"], "written_outside": outside}))  # noqa: T201
        sys.exit(bool(outside))


if __name__ == "__main__":
    main()
