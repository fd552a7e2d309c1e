"""`wanliu record erase`, `scrub`, `hold`, `release` and `retention`: how long what concerns a person is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.columns import table
from app.cli.console import complain, fail, out, write_json
from app.cli.packs import settings
from app.cli.store import the_record, who

if TYPE_CHECKING:
    from app.record.erasing.retention import Month


def erase(subscriber: str, basis: str, by: str | None, watches: Sequence[Path] = ()) -> None:
    """Erase a subscriber, from folders that watch signals of campaigns too."""
    from app.campaign.jobs.leftovers import reaching_files
    from app.campaign.watch import check_watch, forget
    from app.cli.tables import told
    from app.record.erasing.persons import NotErased
    from app.record.erasing.persons import erase as erase_from
    from app.record.persons import NobodyKnown

    with told(), the_record() as record:
        for folder in watches:
            check_watch(folder)
        try:
            with reaching_files(settings().campaign_folder, subscriber):
                erased = erase_from(record, subscriber, basis=basis, by=who(by))
        except NobodyKnown as error:
            forgotten = sum(forget(folder, subscriber) for folder in watches)
            fail(f"{error}{f'; taken out of what {forgotten} runs keep in the watch folders' if forgotten else ''}")
        except (NotErased, ValueError) as error:
            fail(error)
        forgotten = sum(forget(folder, subscriber) for folder in watches)
    rows = ", ".join(_rows(table, count) for table, count in erased.rows.items() if count)
    out().print(f"Erased: {rows}. On record as {erased.entry_id}; every proof goes on working.", soft_wrap=True)
    if watches:
        out().print(f"Taken out of what {forgotten} runs keep in the watch folders.", soft_wrap=True)
    if not erased.scrubbed:
        complain("the store was busy, so what was deleted may still stand in its files; run `wanliu record scrub` when fewer read from it")
    out().print("Backups made before still hold it: docs/record.md says what to do about them.", soft_wrap=True)


def scrub(*, full: bool) -> None:
    """Have the bytes of deleted rows overwritten."""
    from app.record.erasing.scrubbing import scrub as scrub_files

    with the_record() as record:
        done = scrub_files(record.database, full=full)
    if not done:
        fail("the store is busy; try again when fewer read from it")
    out().print("The bytes of deleted rows are overwritten.")


def hold(subscriber: str, reason: str, by: str | None) -> None:
    """Put a subscriber under legal hold."""
    from app.record.erasing.holds import hold as put
    from app.record.persons import NobodyKnown

    with the_record() as record:
        try:
            entry_id = put(record, subscriber, reason=reason, by=who(by))
        except (NobodyKnown, ValueError) as error:
            fail(error)
    out().print(f"Held: erasing this subscriber is refused until the hold is released. On record as {entry_id}.", soft_wrap=True)


def release(subscriber: str, by: str | None) -> None:
    """End a legal hold."""
    from app.record.erasing.holds import NotHeld
    from app.record.erasing.holds import release as end
    from app.record.persons import NobodyKnown

    with the_record() as record:
        try:
            entry_id = end(record, subscriber, by=who(by))
        except (NobodyKnown, NotHeld) as error:
            fail(error)
    out().print(f"Released. On record as {entry_id}.")


def retention(jurisdiction: str | None, folder: Path | None, by: str | None, *, apply: bool, as_json: bool) -> None:
    """Show the months that are older than records are kept, and archive or drop them when told to."""
    from app.record.erasing.retention import NotArchived, archive, jurisdictions, old_months, unknown_law, years_of
    from app.record.export.bundling import BundleProblem

    if jurisdiction is not None and (wrong := unknown_law(jurisdiction)):
        fail(f"--jurisdiction: {wrong}")
    with the_record() as record:
        laws = {jurisdiction} if jurisdiction else record.read_now(jurisdictions)
        years = years_of(laws)
        months = record.read_now(lambda connection: old_months(connection, record.clock(), years))
        if as_json:
            write_json({"jurisdictions": sorted(laws), "years": years, "months": months})
        else:
            _show_months(months, years, sorted(laws))
        for month in months if apply else ():
            try:
                archive(record, month.month, years=years, by=who(by), folder=folder)
            except (NotArchived, BundleProblem) as error:
                fail(f"{month.month}: {error}")
            if not as_json:
                out().print(f"{month.month}: {month.entries:,} entries {'archived' if folder else 'dropped'}, {month.kept:,} kept")


def _show_months(months: Sequence[Month], years: int, laws: Sequence[str]) -> None:
    out().print(f"Records are kept for {years} years ({', '.join(laws) or 'no pack was published yet'}).")
    if not months:
        out().print("No month is older.")
        return
    made = table("", "month", "entries that go", "kept", "", right=(1, 2))
    for month in months:
        made.add_row(month.month, f"{month.entries:,}", f"{month.kept:,}", month.hindered or "")
    out().print(made)


_ROWS = {
    "subject": ("the person's key and token", "the persons' keys and tokens"),
    "contact": ("1 contact", "{0} contacts"),
    "idempotency": ("1 request key", "{0} request keys"),
    "outcome": ("1 outcome", "{0} outcomes"),
    "subject_leaf": ("1 place in the search index", "{0} places in the search index"),
    "event": ("1 event that waited to be told", "{0} events that waited to be told"),
    "event_line": ("1 line of such events", "{0} lines of such events"),
    "recommendation": ("1 recommendation on a list", "{0} recommendations on lists"),
    "decision": ("1 decision of the first release", "{0} decisions of the first release"),
}
"""What is deleted, by the table it stood in."""


def _rows(table: str, count: int) -> str:
    one, many = _ROWS.get(table, (f"1 {table}", f"{{0}} {table}"))
    return one if count == 1 else many.format(f"{count:,}")
