"""Tidying the folder of campaigns: who was erased is taken out of every file, and files go when their time is over."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from app.campaign.jobs.leftovers import noted, over
from app.campaign.jobs.places import ERASED, OUT, WATCH, Place
from app.campaign.output import whole
from app.campaign.problems import TableError
from app.campaign.watch import check_watch, forget
from app.record.campaigns.jobs import clear, read_job

if TYPE_CHECKING:
    from app.campaign.output import Form
    from app.record.store.record import Record

_AT_ONCE = 100
"""Jobs that are looked up together."""
_LOCK = ".lock"
_BYTES = "latin-1"
"""Reads every byte as a character, so that lines are written as they were, whatever they are written in."""
_Take = Callable[[Path, frozenset[str]], frozenset[str]]


def tidied(record: Record, folder: Path, keep_days: int) -> Iterator[None]:
    """Take away what is not to stay, a job at a time.

    Args:
        record: that knows the jobs.
        folder: that the service shares with whoever hands files over.
        keep_days: how long files stay after a job has ended; 0 for ever.

    Raises:
        StoreError, OSError: something is left to do.
    """
    failed: list[OSError] = []
    notes = _read(noted(folder))
    if notes:
        people = frozenset(notes.values())
        forgetting = [partial(_forget_in_job, record, Place(folder, out.name), people) for out in sorted((folder / OUT).glob("*/"))]
        yield from _done([*forgetting, partial(_forget_in_watches, folder, people)], failed)
        for path in notes if not failed else ():
            path.unlink(missing_ok=True)
    yield from _done([partial(_clear, record, Place(folder, job_id)) for job_id in over(record, keep_days, _AT_ONCE)], failed)
    if failed:
        raise failed[0]


def _read(notes: Iterable[Path]) -> Mapping[Path, str]:
    """Who was erased, by note; one that another process is through with is passed over."""
    found: dict[Path, str] = {}
    for path in notes:
        with contextlib.suppress(FileNotFoundError):
            found[path] = path.read_text("utf-8", "surrogatepass")
    return found


def _done(tasks: Iterable[Callable[[], None]], failed: list[OSError]) -> Iterator[None]:
    """Do one after the other, and go on after one that failed."""
    for task in tasks:
        try:
            task()
        except OSError as error:
            failed.append(error)
        yield


def forget_left(place: Place) -> None:
    """Take out of what came of a job who was erased while it was under way.

    Raises:
        OSError: it is not done.
    """
    if not (place.folder / ERASED).is_dir():
        return
    with _alone(place.folder):
        if not place.erased.exists():
            return
        people = frozenset(orjson.loads(line) for line in place.erased.read_bytes().splitlines())
        _forget_in_files(place, people)
        _forget_in_folders(place.folder, people)
        place.erased.unlink()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Meanwhile no other process tidies the folder."""
    lock = os.open(folder / ERASED / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _forget_in_job(record: Record, place: Place, people: frozenset[str]) -> None:
    """Take people out of what came of a job. Of one that is under way that is done at its end; what one that failed has left goes."""
    with _alone(place.folder):
        job = record.read_now(lambda connection: read_job(connection, place.job))
        if job is not None and job.state == "failed":
            _clear_away(place)
        elif any(place.out.glob("*.parts/")):
            with os.fdopen(os.open(place.erased, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
                file.writelines(orjson.dumps(person) + b"\n" for person in people)
                file.flush()
                os.fsync(file.fileno())
        else:
            _forget_in_files(place, people)


def _forget_in_files(place: Place, people: frozenset[str]) -> None:
    """Take people out of decisions, rejects and lists. A file that is not as it was written is taken away."""
    ids: frozenset[str] | None = None
    for form, take in _TAKING.items():
        if place.decisions(form).exists():
            ids = _whatever_is_there(place.decisions(form), take, people)
        if place.rejects(form).exists():
            _whatever_is_there(place.rejects(form), _out_of_ndjson, people)
    if ids is None:  # nobody else says whom lists are about
        shutil.rmtree(place.lists, ignore_errors=True)
    elif ids:
        for path in place.lists.glob("*/*.*"):
            _whatever_is_there(path, _out_of_list, ids)


def _whatever_is_there(path: Path, take: _Take, given: frozenset[str]) -> frozenset[str] | None:
    """What was taken out of a file; none where it could not be read, and is there no more."""
    try:
        return take(path, given)
    except (pl.exceptions.PolarsError, csv.Error, ValueError, LookupError, TypeError):
        path.unlink()
        return None


def _out_of_list(path: Path, ids: frozenset[str]) -> frozenset[str]:
    """Take decisions out of a list for a local team, whatever a spreadsheet made of it."""
    if path.suffix == ".parquet":
        _filter(path, pl.col("decision").is_in(list(ids)))
        return ids
    return _taken_out(path, lambda: _records(path), lambda cells: any(one in cell for one in ids for cell in cells), lambda _: None)


def _forget_in_watches(folder: Path, people: frozenset[str]) -> None:
    with _alone(folder):
        _forget_in_folders(folder, people)


def _forget_in_folders(folder: Path, people: frozenset[str]) -> None:
    """Take people out of what is watched."""
    for watch in (folder / WATCH).glob("*/*/"):
        with contextlib.suppress(TableError):  # without its key it tells of nobody
            check_watch(watch)
            for person in people:
                forget(watch, person)


def _out_of_parquet(path: Path, people: frozenset[str]) -> frozenset[str]:
    """The ids of the decisions that were taken out; so the others."""
    rows = pl.scan_parquet(path)
    if "subscriber" not in rows.collect_schema():
        return frozenset()
    gone = pl.col("subscriber").is_in(list(people))
    found = rows.filter(gone).select("decision_id").collect()["decision_id"]
    if len(found):
        _filter(path, gone)
    return frozenset(found.drop_nulls())


def _out_of_csv(path: Path, people: frozenset[str]) -> frozenset[str]:
    named = {person.encode("utf-8", "surrogatepass").decode(_BYTES) for person in people}
    header = next((cells for cells, _ in _records(path)), [])
    if "subscriber" not in header:
        return frozenset()
    who, which = header.index("subscriber"), header.index("decision_id")
    return _taken_out(path, lambda: _records(path), lambda cells: cells[who] in named, lambda cells: cells[which])


def _out_of_ndjson(path: Path, people: frozenset[str]) -> frozenset[str]:
    def lines() -> Iterator[tuple[Any, str]]:
        with path.open(encoding=_BYTES, newline="\n") as file:
            for line in file:
                yield orjson.loads(line.encode(_BYTES)), line

    return _taken_out(path, lines, lambda told: told["subscriber"] in people, lambda told: told.get("decision_id"))


def _taken_out(
    path: Path, read: Callable[[], Iterator[tuple[Any, str]]], gone: Callable[[Any], bool], which: Callable[[Any], str | None]
) -> frozenset[str]:
    """Take rows out of a file of lines; nothing is written where there are none."""
    found = [which(told) for told, _ in read() if gone(told)]
    if found:
        _rewrite(path, read(), lambda told: not gone(told))
    return frozenset(filter(None, found))


def _records(path: Path) -> Iterator[tuple[Sequence[str], str]]:
    """The rows of a CSV: the cells, and the lines as they stand."""
    with path.open(encoding=_BYTES, newline="") as file:
        raw: list[str] = []

        def lines() -> Iterator[str]:
            for line in file:
                raw.append(line)
                yield line

        for cells in csv.reader(lines()):
            yield cells, "".join(raw)
            raw.clear()


def _rewrite(path: Path, rows: Iterator[tuple[Any, str]], stays: Callable[[Any], bool]) -> None:
    """Write a file anew with the rows that stay."""
    whole(path, lambda file: file.writelines(raw.encode(_BYTES) for told, raw in rows if stays(told)), path.stat().st_mode & 0o777)


def _filter(path: Path, gone: pl.Expr) -> None:
    rows = pl.scan_parquet(path).filter(~gone)
    whole(path, lambda file: rows.sink_parquet(file), path.stat().st_mode & 0o777)


_TAKING: Mapping[Form, _Take] = {"parquet": _out_of_parquet, "csv": _out_of_csv, "ndjson": _out_of_ndjson}


def _clear(record: Record, place: Place) -> None:
    _clear_away(place)
    clear(record.database, place.job, record.clock())


def _clear_away(place: Place) -> None:
    """Take away what came of a job, but for the report, which has counts only: later runs are compared with it."""
    reports = {place.report(ending) for ending in ("json", "html")}
    with contextlib.suppress(FileNotFoundError):
        for path in place.out.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path not in reports:
                path.unlink()
