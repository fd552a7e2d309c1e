"""`wanliu campaign results`: lists that local teams filled in, put on the record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from app.campaign.results import RefusedResult, read_results
from app.campaign.taking import Taken, take_results
from app.cli.columns import table
from app.cli.console import out, write_json
from app.cli.packs import load
from app.cli.recording import CALLER
from app.cli.store import now, the_record
from app.cli.tables import told
from app.record.callers import Caller

_MOST_TOLD = 10


def results(files: Sequence[Path], pack_folder: Path | None, *, as_json: bool) -> None:
    """Take filled-in lists, and say of each what became of its rows."""
    zone, by = load(pack_folder).zone, Caller(CALLER, "campaign")
    made: list[tuple[Path, Taken]] = []
    with told():
        lists = [(path, read_results(path, zone=zone, now=now())) for path in files]
        with the_record() as record:
            for path, found in lists:
                taken = take_results(record, found, by)
                _write_refused(path, taken.refused)
                made.append((path, taken))
    if as_json:
        write_json([_as_json(path, taken) for path, taken in made])
        return
    _show(made)


def rejects_of(path: Path) -> Path:
    """Where the rows of a list go that were refused."""
    return path.with_name(f"{path.name}.rejects.ndjson")


def _write_refused(path: Path, refused: Sequence[RefusedResult]) -> None:
    """Those of this time; without any, no file is left."""
    place = rejects_of(path)
    if not refused:
        place.unlink(missing_ok=True)
        return
    place.write_bytes(b"".join(orjson.dumps(_refusal(row), option=orjson.OPT_APPEND_NEWLINE) for row in refused))


def _refusal(row: RefusedResult) -> dict[str, Any]:
    problems = [{"column": problem.column, "message": problem.message} for problem in row.problems]
    return {"row": row.row, "line": row.line, "problems": problems}


def _as_json(path: Path, taken: Taken) -> dict[str, Any]:
    counts = {"read": taken.read, "recorded": taken.recorded, "known": taken.known, "open": taken.open}
    return {"file": str(path), **counts, "refused": [_refusal(row) for row in taken.refused]}


def _show(made: Sequence[tuple[Path, Taken]]) -> None:
    console = out()
    shown = table("", "list", "rows", "recorded", "known already", "open", "refused", right=(1, 2, 3, 4, 5))
    for path, taken in made:
        counts = (taken.read, taken.recorded, taken.known, taken.open, len(taken.refused))
        shown.add_row(path.name, *(f"{count:,}" for count in counts))
    console.print(shown)
    for path, taken in made:
        why = Counter(f"{problem.column}: {problem.kind or problem.message}" for row in taken.refused for problem in row.problems)
        for told_of, count in why.most_common(_MOST_TOLD):
            console.print(f"  {path.name}: {count:,} × {told_of}", markup=False, soft_wrap=True)
        if taken.refused:
            console.print(f"  {rejects_of(path)}", style="dim", markup=False, soft_wrap=True)
