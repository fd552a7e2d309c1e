"""What local teams write on their lists, read back as outcomes. A row that cannot be taken is refused by itself, with what is wrong."""

from __future__ import annotations

import codecs
import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from app.campaign.lists import COLUMNS, FILLED_IN
from app.campaign.problems import CellProblem, RowRefused, TableError
from app.campaign.rows import CsvTable, Lines, Row, open_table
from app.engine.problems import nearest, shown
from app.engine.spoken import spoken
from app.engine.terms import OUTCOMES
from app.engine.vocabulary.outcome import OutcomeReport
from app.engine.vocabulary.types import details
from app.engine.vocabulary.words import LeaveReason

if TYPE_CHECKING:
    from collections.abc import Iterator

_WANTED = ("decision", "action", "outcome")
_CHUNK = 1 << 20
_ALIKE = 0.75
"""How near a word has to be to be proposed: `agreed` is not nearly `refused`."""
_TIME_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")
_parts_of_dates = re.compile(r"[/.年月]")
_reasons: Mapping[str, str] = {name: name for name in get_args(LeaveReason)} | {
    spoken(name, language): name for name in get_args(LeaveReason) for language in ("en", "zh")
}
_outcomes: Mapping[str, str] = {word: name for name, words in OUTCOMES.items() for word in (name, *words)}


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome that a list tells: of which decision, and what `POST /v1/decisions/{id}/responses` would be told."""

    row: int
    line: int
    decision: UUID
    report: OutcomeReport


@dataclass(frozen=True, slots=True)
class RefusedResult:
    """A row that was not taken, and why."""

    row: int
    line: int
    problems: tuple[CellProblem, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """What a list came to. `open` rows have no outcome yet and are nobody's mistake; every row read is in one of the three."""

    found: tuple[Result, ...]
    refused: tuple[RefusedResult, ...]
    open: int

    @property
    def read(self) -> int:
        """How many rows."""
        return len(self.found) + len(self.refused) + self.open


def read_results(path: Path, *, zone: str, now: datetime.datetime, actions: frozenset[str] | None = None) -> Results:
    """Read a filled-in list, as it was written or as a spreadsheet saved it (UTF-8 or GB 18030; commas, semicolons or tabs).

    Args:
        path: the file.
        zone: of the times on it.
        now: nothing can have happened later.
        actions: those that there are, where they are to be checked; whether they were on the decision's list the record knows.

    Raises:
        TableError: it cannot be read, or is no such list.
    """
    encoding = _encoding(path)
    with open_table(path) as file:
        lines = Lines(file)
        table = CsvTable(path, lines, encoding=encoding, delimiter=_delimiter(path, encoding))
        places = _places(path, table.header)
        return _read(table, _Reader(places, ZoneInfo(zone), now, actions))


def _read(rows: CsvTable, reader: _Reader) -> Results:
    found, refused, waiting = list[Result](), list[RefusedResult](), 0
    seen: dict[tuple[UUID, str, str], int] = {}
    for row in rows:
        try:
            result = reader.result(row)
            if result is None:
                waiting += 1
                continue
            key = (result.decision, result.report.action, result.report.outcome)
            if key in seen:
                raise RowRefused(CellProblem(f"the same stands in row {seen[key]} already", "outcome", kind="stands on the list already"))
            seen[key] = row.number
            found.append(result)
        except RowRefused as error:
            refused.append(RefusedResult(row.number, row.line, error.problems))
    return Results(tuple(found), tuple(refused), waiting)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Makes a result of a row: `places` has where each column of a list stands."""

    places: Mapping[str, int]
    zone: ZoneInfo
    now: datetime.datetime
    actions: frozenset[str] | None

    def result(self, row: Row) -> Result | None:
        """The outcome a row tells, or none where it tells none yet."""
        if row.wrong is not None:
            raise RowRefused(row.wrong)
        cells = {name: row.cells[place].strip().removeprefix("'") for name, place in self.places.items()}
        if not any(cells.get(name) for name in FILLED_IN):
            return None
        readers: Mapping[str, Callable[[str], Any]] = {
            "decision": _decision,
            "action": self._action,
            "outcome": _outcome,
            "at": self._at,
            "reason": _reason,
            "agent": str,
        }
        body, wrong = dict[str, Any](), list[CellProblem]()
        for name, read in readers.items():
            if cells.get(name) or name in _WANTED:
                try:
                    body[name] = read(cells.get(name, ""))
                except ValueError as error:
                    wrong.append(CellProblem(str(error), name, kind=str(error).partition(":")[0]))
        if wrong:
            raise RowRefused(*wrong)
        decision = body.pop("decision")
        try:
            return Result(row.number, row.line, decision, OutcomeReport.model_validate(body))
        except ValidationError as error:
            raise RowRefused(*(CellProblem(_lower(d["msg"]), str(d["loc"][0]), kind=_lower(d["msg"])) for d in details(error))) from None

    def _action(self, cell: str) -> str:
        if self.actions is not None and cell not in self.actions:
            raise ValueError("; ".join(filter(None, (f"unknown action: {shown(cell)}", nearest(cell, self.actions)))))
        return cell

    def _at(self, cell: str) -> str:
        plain = _parts_of_dates.sub("-", cell.replace("日", ""))
        for form in _TIME_FORMS:
            try:
                at = datetime.datetime.strptime(plain, form).replace(tzinfo=self.zone)
            except ValueError:
                continue
            if at > self.now:
                raise ValueError(f"is later than now: {shown(cell)}")
            return at.isoformat()
        raise ValueError(f"expected a time such as 2026-11-23 15:30: not {shown(cell)}")


def _decision(cell: str) -> UUID:
    try:
        return UUID(cell)
    except ValueError:
        raise ValueError(f"expected the id of a decision as the list had it: not {shown(cell)}") from None


def _outcome(cell: str) -> str:
    return _word(cell, _outcomes, "outcome")


def _reason(cell: str) -> str:
    return _word(cell, _reasons, "reason")


def _word(cell: str, known: Mapping[str, str], what: str) -> str:
    found = known.get(cell) or known.get(cell.lower())
    if found is None:
        told = f"unknown {what}: {shown(cell)}" if cell else f"the {what} is missing"
        raise ValueError(
            "; ".join(
                filter(None, (told, nearest(cell, known, likeness=_ALIKE) or f"expected one of {', '.join(dict.fromkeys(known.values()))}"))
            )
        )
    return found


def _places(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Where the columns of a list stand, by either of their names."""
    known = {word.casefold(): name for name, words in COLUMNS.items() for word in (name, *words)}
    found = {known[head.casefold()]: place for place, head in enumerate(header) if head.casefold() in known}
    missing = [name for name in _WANTED if name not in found]
    if missing:
        words = ", ".join(f"`{COLUMNS[name][0]}` ({COLUMNS[name][1]})" for name in missing)
        raise TableError(f"`{path}` is no list that was filled in: it lacks {words}")
    return found


def _encoding(path: Path) -> str:
    """UTF-8 where the file is that, else what spreadsheets write in China."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_table(path) as file:
        try:
            for chunk in _chunks(file.read):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8"


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(_CHUNK):
        yield chunk


def _delimiter(path: Path, encoding: str) -> str:
    """What stands between two cells of the first line."""
    with open_table(path) as file:
        first = file.readline(_CHUNK).decode(encoding, errors="replace")
    return max(",;\t", key=first.count)


def _lower(message: str) -> str:
    plain = message.removeprefix("Value error, ")
    return plain[:1].lower() + plain[1:]
