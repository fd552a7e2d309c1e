"""Writing a bundle: files in a folder beside the place it goes to, a signed list of them, and the move to where it was wanted."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from app.record.damage import DamagedEntry
from app.record.keys import Keys
from app.record.log.notes import sign_note

KIT = Path(__file__).parent / "bundle"
"""What goes into every bundle as it stands."""
CONTENTS = "contents.txt"
_PART = 1 << 20
_HEAD = "wanliu bundle 1"


class BundleProblem(Exception):
    """The bundle cannot be written where it was wanted."""


class Bundle:
    """The files of a bundle on their way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: bytes) -> None:
        """A whole file, by its path with slashes."""
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def copy(self, source: Path, name: str) -> None:
        """A file as it stands.

        Raises:
            DamagedEntry: it is not there.
        """
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source, place)
        except OSError as error:
            raise DamagedEntry(f"{source.name}: the file of a part of a campaign cannot be read: {error.strerror}") from None

    def open(self, name: str) -> Lines:
        """A file of lines, which is left out when there is none."""
        return Lines(self.folder / name)

    def finish(self, keys: Keys) -> None:
        """Add the verifier, and sign the list of what is there."""
        for name in ("verify.py", "README.md"):
            shutil.copyfile(KIT / name, self.folder / name)
        listed = "".join(f"{_hash_of(path)}  {name}\n" for name, path in sorted(self._files()))
        self.write(CONTENTS, sign_note(f"{_HEAD}\n{listed}", keys.signer).encode())

    def _files(self) -> Iterator[tuple[str, Path]]:
        return ((path.relative_to(self.folder).as_posix(), path) for path in self.folder.rglob("*") if path.is_file())


class Lines:
    """A file that is written line by line; without a line there is no file."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._file: BinaryIO | None = None

    def add(self, line: bytes) -> None:
        """The next line, without its end."""
        if self._file is None:
            self._file = self._place.open("wb")
        self._file.write(line + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()


@contextlib.contextmanager
def bundle_at(out: Path) -> Iterator[Bundle]:
    """A bundle that appears at `out` when all went well: a zip file where the name says so, else a folder.

    Raises:
        BundleProblem: there is something at this place already.
    """
    if out.exists():
        raise BundleProblem(f"`{out}` is there already; name a place that is free")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".bundle-") as made:
        bundle = Bundle(Path(made) / "bundle")
        bundle.folder.mkdir()
        yield bundle
        if out.suffix == ".zip":
            _zip(bundle.folder, Path(made) / "bundle.zip").rename(out)
        else:
            bundle.folder.rename(out)


def _zip(folder: Path, file: Path) -> Path:
    """All files of a folder, in their order, without the times at which they were written."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, _PART)
    return file


def _hash_of(path: Path) -> str:
    total = sha256()
    with path.open("rb") as opened:
        while part := opened.read(_PART):
            total.update(part)
    return total.hexdigest()
