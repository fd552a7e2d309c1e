"""What a campaign hands back: its decisions as a file, written in parts beside it and put together at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import orjson
import polars as pl

from app.campaign.problems import TableError
from app.engine.problems import nearest

Layout = Literal["action", "subscriber"]
"""A row for each action on somebody's list, or one for each subscriber."""
Form = Literal["parquet", "csv", "ndjson"]
_forms: Mapping[str, Form] = {".parquet": "parquet", ".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_AS_OTHERS = 0o666
"""Whoever may read other files that the user makes may read these."""
_WORKED = (0, "worked", "json")
Beside = Callable[[pl.LazyFrame], pl.LazyFrame]
BETWEEN = " | "
"""What stands between the words of a list in a cell of a CSV."""


def as_they_are(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows without more columns beside them."""
    return rows


def form_of(path: Path) -> Form:
    """The form of a file by its ending.

    Raises:
        TableError: there is no such form.
    """
    ending = path.suffix.lower()
    if ending not in _forms:
        hint = nearest(ending, _forms) or f"it ends with {', '.join(_forms)}"
        raise TableError(f"`{path}` cannot be written as `{ending}`; {hint}" if ending else f"`{path}` says no form; {hint}")
    return _forms[ending]


@dataclass(frozen=True, slots=True)
class Output:
    """A file made of parts, each of which is whole or not there. Where a run ends early its parts stay, for the one that goes on."""

    path: Path
    form: Form

    @classmethod
    def at(cls, path: Path) -> Output:
        """The output for a path.

        Raises:
            TableError: it has no form that can be written, or no folder to stand in.
        """
        if path.is_dir():
            raise TableError(f"`{path}` is a folder; name a file, such as `{path / 'decisions.parquet'}`")
        if not path.parent.is_dir():
            raise TableError(f"`{path}`: there is no folder `{path.parent}`")
        return cls(path, form_of(path))

    @property
    def folder(self) -> Path:
        """Where the parts are."""
        return self.path.with_name(f"{self.path.name}.parts")

    def part(self, number: int, name: str = "decisions", ending: str = "parquet") -> Path:
        """Where something of a part is."""
        return self.folder / f"{number:06}.{name}.{ending}"

    def has(self, number: int, *names: str) -> bool:
        """Is all of a part there?"""
        return all(self.part(number, name).is_file() for name in names)

    def begin(self, kept: int) -> None:
        """Make room for parts; of those of an earlier run the first `kept` stay."""
        self.folder.mkdir(exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        for file in self.folder.iterdir():
            number = file.name.partition(".")[0]
            if not kept or not number.isdigit() or int(number) > kept:
                file.unlink()

    def write(self, number: int, name: str, frame: pl.DataFrame) -> None:
        """Write something of a part, whole or not at all."""
        whole(self.part(number, name), lambda file: frame.write_parquet(file))

    def put(self, number: int, name: str, ending: str, content: bytes) -> None:
        """Write something else of a part, whole or not at all."""
        whole(self.part(number, name, ending), lambda file: file.write(content))

    @property
    def worked(self) -> float:
        """Seconds that went into the parts, in all runs together; 0 where none says so."""
        try:
            return float(orjson.loads(self.part(*_WORKED).read_bytes()))
        except FileNotFoundError:
            return 0.0

    def keep_worked(self, seconds: float) -> None:
        """Keep how many seconds went into the parts."""
        whole(self.part(*_WORKED), lambda file: file.write(orjson.dumps(seconds)))

    def parts(self, name: str) -> list[Path]:
        """What was written under a name, in order."""
        return sorted(self.folder.glob(f"*.{name}.parquet"))

    def put_together(self, beside: Beside = as_they_are) -> None:
        """Put the file together, in memory that does not grow with it; beside it goes what was rejected. The parts stay until `clear`.

        Without a part the file has no rows, and no columns.

        Args:
            beside: puts more columns beside the rows.
        """
        parts = self.parts("decisions")
        rows = beside(pl.scan_parquet(parts)) if parts else pl.LazyFrame()
        whole(self.path, lambda file: _sink(rows, self.form, file), _AS_OTHERS)
        whole(self.rejects, lambda file: _joined(sorted(self.folder.glob("*.rejects.ndjson")), file), _AS_OTHERS)

    def finish(self, beside: Beside = as_they_are) -> None:
        """Put the file together, then clear the parts away."""
        self.put_together(beside)
        self.clear()

    def clear(self) -> None:
        """Clear the parts away."""
        shutil.rmtree(self.folder)

    @property
    def rejects(self) -> Path:
        """Where the rows are that could not be decided."""
        return self.path.with_name(f"{self.path.name}.rejects.ndjson")


def whole(path: Path, write: Callable[[IO[bytes]], object], mode: int = 0o600) -> None:
    """Write a file under another name first, and see that it is on the disk before it has its own. Left out, the user alone may read it."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _joined(files: Iterable[Path], into: IO[bytes]) -> None:
    for file in files:
        with file.open("rb") as part:
            shutil.copyfileobj(part, into)


def _sink(rows: pl.LazyFrame, form: Form, file: IO[bytes]) -> None:
    if form == "parquet":
        rows.sink_parquet(file)
    elif form == "ndjson":
        rows.sink_ndjson(file)
    else:
        rows.with_columns(_in_cells(rows.collect_schema())).sink_csv(file)


def _in_cells(schema: Mapping[str, pl.DataType]) -> Iterable[pl.Expr]:
    """Lists as the text of one cell."""
    for name, kind in schema.items():
        if isinstance(kind, pl.List):
            yield pl.col(name).list.eval(pl.element().cast(pl.String)).list.join(BETWEEN, ignore_nulls=True)
