"""`wanliu decide --table`: a whole file, with a progress bar and a summary."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

import orjson
from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.campaign.limits import LimitsError
from app.campaign.mapping import ColumnMapping, MappingError, load_mapping, own_facts
from app.campaign.problems import TableError
from app.campaign.refusal_words import problem, reason
from app.campaign.rows import CsvTable, Lines, Row, ndjson_rows, open_table
from app.campaign.summary import Summary, ranked, titles_of
from app.campaign.table import Asking, Refused, RequestReader, answer_line, decide_rows, ndjson_requests, table_requests
from app.cli.columns import table
from app.cli.console import cannot_write, err, fail, out, write_json
from app.cli.labels import labels_of, why_nothing, word
from app.cli.packs import load
from app.engine.texts import Language, language_of

if TYPE_CHECKING:
    from app.cli.usage import Wishes
    from app.engine.pack import Pack

_SOME_REFUSALS = 5
_MOST_ROWS_SHOWN = 25
_MOST_UNKNOWN_SHOWN = 10
_ROWS_BETWEEN_TELLING = 20
_LEVELS = ("watch", "high", "severe")


def decide_table(path: Path, mapping_path: Path | None, out_path: Path | None, rejects_path: Path | None, wishes: Wishes) -> None:
    """Decide for every row of a file, write decisions and refused rows as it goes, then print the summary."""
    pack = load(wishes.pack)
    now = datetime.datetime.now(datetime.UTC)
    asking = Asking(wishes.role or "campaign", now, channel=wishes.channel, explain=wishes.explain, locale=wishes.locale)
    with told():
        mapping = load_mapping(mapping_path, own_facts(pack)) if mapping_path else None
        summary, refused = _run(pack, path, mapping, out_path, rejects_path, asking)
    language = language_of(wishes.locale or (mapping.document.request.get("locale", "zh-CN") if mapping else "zh-CN"))
    if wishes.as_json:
        report = summary.as_json(titles_of(pack, language))
        write_json(report)
    else:
        console = out()
        for part in _shown(summary, refused, pack, language, rejects_path):
            console.print(part)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Say what is wrong with a table, its mapping or the files that are written, and end the command."""
    try:
        yield
    except (MappingError, LimitsError) as error:
        fail(*error.problems)
    except TableError as error:
        fail(error)
    except OSError as error:
        fail(cannot_write(error))


def _run(
    pack: Pack, path: Path, mapping: ColumnMapping | None, out_path: Path | None, rejects_path: Path | None, asking: Asking
) -> tuple[Summary, list[Refused]]:
    summary, shown = Summary(), list[Refused]()
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open_table(path))
        lines = Lines(file)
        rows, requests = opened(path, lines, mapping, asking, pack)
        decisions = stack.enter_context(_written(out_path))
        rejects = stack.enter_context(_written(rejects_path))
        followed = stack.enter_context(watched(rows, lines, path.stat().st_size))
        for item in decide_rows(pack, followed, requests, asking):
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


def opened(path: Path, lines: Lines, mapping: ColumnMapping | None, asking: Asking, pack: Pack) -> tuple[Iterable[Row], RequestReader]:
    """The rows of a file, and what makes a request of each: a table by its mapping, lines of requests as they are."""
    if mapping is None:
        return ndjson_rows(lines), ndjson_requests()
    made = CsvTable(path, lines, encoding=mapping.document.encoding, delimiter=mapping.delimiter)
    return made, table_requests(mapping, made.header, asking, pack.zone)


def _written(path: Path | None) -> contextlib.AbstractContextManager[IO[bytes] | None]:
    return contextlib.nullcontext() if path is None else path.open("wb")


@contextlib.contextmanager
def watched(rows: Iterable[Row], lines: Lines, size: int) -> Iterator[Iterator[Row]]:
    """The rows, with a bar on standard error that follows how much of the file was read; only on a terminal."""
    console = err()
    columns = (TextColumn("{task.fields[rows]:,} rows"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=size, rows=0)

        def followed() -> Iterator[Row]:
            for row in rows:
                yield row
                if row.number % _ROWS_BETWEEN_TELLING == 0:
                    bar.update(task, completed=lines.consumed, rows=row.number)

        yield followed()


def _shown(summary: Summary, refused: list[Refused], pack: Pack, language: Language, rejects: Path | None) -> Iterator[RenderableType]:
    labels, titles = labels_of(language), titles_of(pack, language)
    yield Text(
        f"{labels['rows read']} {summary.read:,}  ·  {labels['decided']} {summary.decided:,}  ·  {labels['refused']} {summary.refused:,}",
        style="bold",
    )
    yield _counts(labels["stages"], summary.stages, titles, summary.decided, language)
    yield _counts(labels["phases"], summary.phases, titles, summary.decided, language)
    if summary.signals:
        yield _signals(summary, titles, language)
    if summary.offered:
        yield _actions(summary, titles, language)
    if summary.empty:
        causes = {code: why_nothing(code, language) for code in summary.empty}
        yield _counts(labels["empty because"], summary.empty, causes, summary.decided, language)
    if summary.unknown:
        yield _counts(labels["unknown facts"], summary.unknown, titles, summary.decided, language, most=_MOST_UNKNOWN_SHOWN)
    if summary.refused:
        yield from _refusals(summary, refused, pack.currency, language, rejects)


def _counts(
    title: str, counts: Mapping[str, int], titles: Mapping[str, str], of: int, language: Language, most: int = _MOST_ROWS_SHOWN
) -> RenderableType:
    labels = labels_of(language)
    made = table(f"\n{title}", labels["id"], labels["title"], labels["subscribers"], labels["share"], right=(2, 3))
    for name, count in [*ranked(counts).items()][:most]:
        made.add_row(name, titles.get(name, ""), f"{count:,}", f"{count / of:.1%}")
    if len(counts) > most:
        made.add_row(f"… {len(counts) - most}", "", "", "")
    return made


def _signals(summary: Summary, titles: Mapping[str, str], language: Language) -> RenderableType:
    labels = labels_of(language)
    made = table(
        f"\n{labels['signals']}",
        labels["signal"],
        labels["title"],
        *(word(level, language) for level in _LEVELS),
        labels["share"],
        right=(2, 3, 4, 5),
    )
    for name, levels in summary.by_signal():
        found = (f"{levels[level]:,}" if level in levels else "" for level in _LEVELS)
        made.add_row(name, titles[name], *found, f"{sum(levels.values()) / summary.decided:.1%}")
    return made


def _actions(summary: Summary, titles: Mapping[str, str], language: Language) -> RenderableType:
    labels = labels_of(language)
    made = table(
        f"\n{labels['actions']}", labels["action"], labels["title"], labels["first"], labels["offered"], labels["share"], right=(2, 3, 4)
    )
    for name, count in [*ranked(summary.offered).items()][:_MOST_ROWS_SHOWN]:
        made.add_row(name, titles[name], f"{summary.first[name]:,}", f"{count:,}", f"{count / summary.decided:.1%}")
    if len(summary.offered) > _MOST_ROWS_SHOWN:
        made.add_row(f"… {len(summary.offered) - _MOST_ROWS_SHOWN}", "", "", "", "")
    return made


def _refusals(
    summary: Summary, refused: list[Refused], currency: str, language: Language, rejects: Path | None
) -> Iterator[RenderableType]:
    labels = labels_of(language)
    made = table(f"\n{labels['refused because']}", labels["rows"], labels["column"], labels["reason"], right=(0,))
    for (column, why), count in summary.why_refused():
        made.add_row(f"{count:,}", column, reason(why, language, currency))
    yield made
    for item in refused:
        told = [problem(found.column, found.field, found.message, language, currency) for found in item.problems]
        if language == "zh":
            yield Text(f"  第{item.row.number}行（文件第{item.row.line}行）：{'；'.join(told)}", style="dim")
        else:
            yield Text(f"  {labels['row']} {item.row.number} ({labels['line']} {item.row.line}): {'; '.join(told)}", style="dim")
    if summary.refused > len(refused):
        yield Text(f"  … {f'{rejects}' if rejects else '--rejects FILE'}", style="dim")
