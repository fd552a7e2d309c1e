"""`wanliu decide --table`: a whole file, with a progress bar and a summary."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import orjson
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.campaign.mapping import ColumnMapping, MappingError, load_mapping
from app.campaign.problems import TableError
from app.campaign.rows import CsvTable, Lines, Row, ndjson_rows, open_table
from app.campaign.summary import Summary, titles_of
from app.campaign.table import Asking, Refused, RequestReader, answer_line, decide_rows, ndjson_requests, table_requests
from app.cli.console import err, fail, out, write_bytes
from app.cli.labels import labels_of
from app.cli.packs import load, table
from app.engine.texts import Language, language_of
from app.engine.vocabulary import Fact

if TYPE_CHECKING:
    from app.cli.usage import Wishes
    from app.engine.pack import Pack

_SOME_REFUSALS = 5
_MOST_ROWS_SHOWN = 25


def decide_table(path: Path, mapping_path: Path | None, out_path: Path | None, rejects_path: Path | None, wishes: Wishes) -> None:
    """Decide for every row of a file, write decisions and refused rows as it goes, then print the summary."""
    pack = load(wishes.pack)
    now = datetime.datetime.now(datetime.UTC)
    asking = Asking(wishes.role or "campaign", now, channel=wishes.channel, explain=wishes.explain, locale=wishes.locale)
    try:
        mapping = load_mapping(mapping_path, _own_facts(pack)) if mapping_path else None
        summary, refused = _run(pack, path, mapping, out_path, rejects_path, asking)
    except MappingError as error:
        fail(*error.problems)
    except TableError as error:
        fail(error)
    except OSError as error:
        fail(f"cannot write `{error.filename}`: {(error.strerror or 'unknown error').lower()}")
    language = language_of(wishes.locale or (mapping.document.request.get("locale", "zh-CN") if mapping else "zh-CN"))
    if wishes.as_json:
        report = summary.as_json(titles_of(pack, language))
        write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    else:
        _print_summary(out(), summary, refused, titles_of(pack, language), language, rejects_path)


def _own_facts(pack: Pack) -> dict[str, Fact]:
    """The operator's own facts, as the mapping checks them."""
    return {name: Fact(name, kind.kind, kind.unit, kind.integral, kind.values, None, None, name, name) for name, kind in pack.custom.items()}  # type: ignore[arg-type]


def _run(pack: Pack, path: Path, mapping: ColumnMapping | None, out_path: Path | None, rejects_path: Path | None, asking: Asking) -> tuple[Summary, list[Refused]]:
    summary, shown = Summary(), list[Refused]()
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open_table(path))
        lines = Lines(file)
        rows, requests = _opened(path, lines, mapping, asking, pack)
        decisions = stack.enter_context(_written(out_path))
        rejects = stack.enter_context(_written(rejects_path))
        progress = stack.enter_context(_progress(lines, path.stat().st_size))
        for item in decide_rows(pack, progress(rows), requests, asking):
            if isinstance(item, Refused):
                summary.refuse(item.problems)
                if len(shown) < _SOME_REFUSALS:
                    shown.append(item)
                if rejects is not None:
                    rejects.write(orjson.dumps(item.as_json(), option=orjson.OPT_APPEND_NEWLINE))
            else:
                summary.add(item.decision, item.explanation.unknown)
                if decisions is not None:
                    decisions.write(answer_line(pack, item))
    return summary, shown


def _opened(path: Path, lines: Lines, mapping: ColumnMapping | None, asking: Asking, pack: Pack) -> tuple[Iterable[Row], RequestReader]:
    if mapping is None:
        return ndjson_rows(lines), ndjson_requests()
    made = CsvTable(path, lines, encoding=mapping.document.encoding, delimiter=mapping.delimiter)
    return made, table_requests(mapping, made.header, asking, pack.zone)


def _written(path: Path | None) -> contextlib.AbstractContextManager[IO[bytes] | None]:
    return contextlib.nullcontext() if path is None else path.open("wb")


@contextlib.contextmanager
def _progress(lines: Lines, size: int) -> Iterator[_Counting]:
    """A bar on standard error that follows how much of the file was read; only on a terminal."""
    console = err()
    columns = (TextColumn("{task.fields[rows]:,} rows"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=size, rows=0)
        yield _Counting(lines, lambda rows: bar.update(task, completed=lines.consumed, rows=rows))


class _Counting:
    """Passes rows on and tells now and then how many."""

    def __init__(self, lines: Lines, tell: object) -> None:
        self._lines, self._tell = lines, tell
