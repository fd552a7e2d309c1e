"""Lists for local teams: whom to care for, about what, in which words, by when. Filled in, they come back as outcomes (`results`).

A list leaves the service, so it says no more than the work needs: the number is masked, neither the id nor a score is on it, and no signal
that the pack restricts to some. Whoever works it finds the person in the operator's own system; the decision's id ties what comes back to
what was decided.
"""

from __future__ import annotations

import csv
import datetime
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from app.engine.terms import LEVELS, Words, term
from app.engine.texts import Language, listed

if TYPE_CHECKING:
    from app.engine.pack import Pack

COLUMNS: Words = {
    "number": ("number (masked)", "号码（已脱敏）"),
    "team": ("team", "班组"),
    "flags": ("signals", "信号"),
    "figure": ("evidence", "依据"),
    "care": ("care", "关怀动作"),
    "words": ("what to say", "话术"),
    "owner": ("owner", "责任人"),
    "due": ("due", "完成时限"),
    "until": ("valid until", "有效期至"),
    "outcome": ("outcome", "结果"),
    "at": ("time", "时间"),
    "reason": ("reason", "原因"),
    "agent": ("seen by", "经办人"),
    "decision": ("decision", "决策编号"),
    "action": ("action", "动作编码"),
}
"""What stands on a list, in English and in Chinese. `outcome`, `at`, `reason` and `agent` are empty, to be filled in."""
FILLED_IN = ("outcome", "at", "reason", "agent")
GOING: Mapping[str, pl.DataType] = {
    "row": pl.Int64(),
    "decision": pl.String(),
    "action": pl.String(),
    "day": pl.UInt8(),
    "team": pl.String(),
    "number": pl.String(),
    "words": pl.String(),
    "until": pl.Date(),
}
"""What goes out: a row for each action that limits let go, with the number as the operator has it, and the text of the channel and the
last day on which the action is good, as the decision was worded."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_unfit_for_files = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_LONGEST_NAME = 60


def masked(number: pl.Expr) -> pl.Expr:
    """A number of which nobody learns the whole: of eleven digits or more the first three and the last four, of fewer less."""
    plain = number.str.strip_chars()
    length = plain.str.len_chars()
    front = pl.when(length >= 11).then(3).otherwise(0)
    back = pl.when(length >= 9).then(4).when(length >= 5).then(2).otherwise(0)
    stars = pl.lit("*").repeat_by(pl.max_horizontal(length - front - back, pl.lit(4))).list.join("")
    return pl.concat_str(plain.str.slice(0, front), stars, plain.str.slice(length.cast(pl.Int64) - back))


def team_list(going: pl.DataFrame, signals: pl.DataFrame, pack: Pack, started: datetime.date, language: Language) -> pl.DataFrame:
    """What local teams have to do.

    Args:
        going: the columns of `GOING`.
        signals: `row`, `signal`, `level` of the same subscribers, and `figure`: the reason in words, where it is known.
        pack: has titles, and who owns what an action opens.
        started: the first day of the run.
        language: of titles and levels.

    Returns:
        The columns of `COLUMNS`, a row for each action, by team, day and decision; dates as dates.
    """
    day = pl.lit(started) + pl.duration(days=pl.col("day").cast(pl.Int64) - 1)
    rows = going.join(_flags(signals, pack, language), on="row", how="left").select(
        number=masked(pl.col("number")),
        team="team",
        flags=pl.col("flags").fill_null(""),
        figure=pl.col("figure").fill_null(""),
        care=pl.col("action").replace_strict(_titles(pack, language), default=pl.col("action"), return_dtype=pl.String),
        words="words",
        owner=pl.coalesce(pl.col("action").replace_strict(_owners(pack), default=None, return_dtype=pl.String), "team"),
        due=day.cast(pl.Date),
        until="until",
        **{name: pl.lit(None, pl.String) for name in FILLED_IN},
        decision="decision",
        action="action",
    )
    return rows.select(*COLUMNS).sort("team", "due", "decision", "action", nulls_last=True)


def _flags(signals: pl.DataFrame, pack: Pack, language: Language) -> pl.DataFrame:
    """Signals and evidence by subscriber, the strongest first, as people read them."""
    titles = {name: signal.title.say(language) for name, signal in pack.signals.items()}
    levels = {name: term(LEVELS, name, language) for name in LEVELS}
    strength = pl.col("level").replace_strict({name: place for place, name in enumerate(LEVELS)}, default=-1, return_dtype=pl.Int64)
    before, after = ("（", "）") if language == "zh" else (" (", ")")
    said = pl.concat_str(
        pl.col("signal").replace_strict(titles, default=pl.col("signal"), return_dtype=pl.String),
        pl.lit(before),
        pl.col("level").replace_strict(levels, default=pl.col("level"), return_dtype=pl.String),
        pl.lit(after),
    )
    figure = pl.col("figure") if "figure" in signals.columns else pl.lit(None, pl.String)
    told = signals.filter(~pl.col("signal").is_in(list(pack.restricted)))
    ordered = told.with_columns(figure=figure, strength=strength).sort(["row", "strength", "signal"], descending=[False, True, False])
    between = listed(["", ""], language)
    apart = "" if language == "zh" else " "
    return ordered.group_by("row", maintain_order=True).agg(
        flags=said.str.join(between), figure=pl.col("figure").drop_nulls().str.join(apart)
    )


def _titles(pack: Pack, language: Language) -> dict[str, str]:
    return {action.id: action.title.say(language) for action in pack.actions}


def _owners(pack: Pack) -> dict[str, str]:
    return {action.id: action.opens.owner for action in pack.actions if action.opens is not None}


def write_lists(rows: pl.DataFrame, folder: Path, language: Language) -> list[Path]:
    """Write a list for each team as CSV that spreadsheets open, and all of them as one Parquet file.

    Only the user who runs the service may read them.

    Args:
        rows: of `team_list`.
        folder: is made where it is not there; lists of the same names are replaced.
        language: of the columns' names.

    Returns:
        The files, the Parquet file last.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = [_written(part, folder / f"{name}.csv", language) for name, part in _by_file(rows)]
    whole = folder / "all.parquet"
    with os.fdopen(_private(whole), "wb") as file:
        rows.write_parquet(file)
    return [*written, whole]


def _by_file(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of each team with the name of its file; names that files cannot have are bent, and told apart where they meet."""
    taken = set[str]()
    for (team,), part in sorted(rows.group_by("team", maintain_order=True), key=lambda found: (found[0][0] is None, str(found[0][0]))):
        plain = _unfit_for_files.sub("_", str(team))[:_LONGEST_NAME].strip(". ") if team is not None else "no-team"
        name, number = plain or "team", 2
        while name.casefold() in taken:
            name, number = f"{plain or 'team'}-{number}", number + 1
        taken.add(name.casefold())
        yield name, part


def _written(rows: pl.DataFrame, path: Path, language: Language) -> Path:
    with os.fdopen(_private(path), "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([COLUMNS[name][language == "zh"] for name in rows.columns])
        writer.writerows([_cell(value) for value in row] for row in rows.iter_rows())
    return path


def _private(path: Path) -> int:
    """The file, opened so that nobody else may read it, also where it was there before."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(file, 0o600)
    return file


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
