"""What a path holds: one file of subscribers, or a folder of files of one kind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.campaign.problems import TableError

Kind = Literal["parquet", "csv", "ndjson"]
SUFFIXES: dict[str, Kind] = {".parquet": "parquet", ".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_HIDDEN = (".", "_")
"""How names of files begin that systems leave beside the data, such as `_SUCCESS`."""
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of subscribers: where it is, and how many bytes it has."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Input:
    """What is to be read: files of one kind in the order of their names."""

    path: Path
    kind: Kind
    files: tuple[InputFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files, for a progress bar."""
        return sum(file.size for file in self.files)

    def digest(self) -> str:
        """SHA-256 of the input in hex: of a file its bytes, of a folder a line for each file with its own digest, two blanks and its name.

        A folder's digest is what `sha256sum * | sha256sum` prints in it, where it has nothing else.
        """
        if self.path.is_file():
            return _digest(_pieces(self.path))
        return _digest(f"{_digest(_pieces(file.path))}  {file.path.name}\n".encode() for file in self.files)


def input_at(path: Path) -> Input:
    """What a path holds.

    Args:
        path: of a file, or of a folder with files of one kind. Files whose names begin with `.` or `_` are passed over.

    Raises:
        TableError: there is nothing that can be read, or files of several kinds.
    """
    try:
        if not path.is_dir():
            return Input(path, _kind(path), (InputFile(path, path.stat().st_size),))
        held = sorted((entry for entry in path.iterdir() if not entry.name.startswith(_HIDDEN)), key=lambda entry: entry.name)
        files = tuple(InputFile(entry, entry.stat().st_size) for entry in held if entry.is_file())
    except OSError as error:
        raise TableError(f"cannot read `{path}`: {(error.strerror or 'unknown error').lower()}") from None
    if not files:
        raise TableError(f"`{path}` holds no files{'; name one of its folders' if held else ''}")
    kinds = {_kind(file.path) for file in files}
    if len(kinds) > 1:
        raise TableError(f"`{path}` holds files of several kinds ({', '.join(sorted(kinds))}); put each kind in a folder of its own")
    return Input(path, kinds.pop(), files)


def _kind(path: Path) -> Kind:
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise TableError(f"`{path}`: expected a file whose name ends in {', '.join(SUFFIXES)}, or a folder of such files")
    return kind


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _digest(pieces: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()
