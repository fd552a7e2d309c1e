"""`wanliu record erase`, `hold`, `release`, `retention`, `access` and `complaint`: what concerns one person, and how long it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from app.cli.console import complain, fail, out, write_json
from app.cli.store import library, the_record, who

if TYPE_CHECKING:
    from app.record.erasing.retention import Month
    from app.record.export.access import Held

_ROLE = "compliance"


def erase(subscriber: str, basis: str, by: str | None) -> None:
    """Erase a subscriber."""
    from app.record.erasing.persons import NotErased
    from app.record.erasing.persons import erase as erase_from
    from app.record.persons import NobodyKnown

    with the_record() as record:
        try:
            erased = erase_from(record, subscriber, basis=basis, by=who(by))
        except (NobodyKnown, NotErased, ValueError) as error:
            fail(error)
    rows = ", ".join(f"{count} {table}" for table, count in erased.rows.items() if count)
    out().print(f"Erased: {rows}. On record as {erased.entry_id}; every proof goes on working.", soft_wrap=True)
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

    with the_record() as record:
        try:
            entry_id = put(record, subscriber, reason=reason, by=who(by))
        except ValueError as error:
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
    from app.record.erasing.retention import NotArchived, archive, jurisdictions, old_months, years_of
    from app.record.export.bundling import BundleProblem

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


def access(subscriber: str, locale: str, by: str | None, *, as_json: bool) -> None:
    """Print everything that is held about a subscriber."""
    from app.record.export.sharing import give_access
    from app.record.persons import NobodyKnown

    with the_record() as record:
        try:
            held = give_access(record, library(record), subscriber, caller=who(by), role=_ROLE, locale=locale)
        except NobodyKnown as error:
            fail(error)
    if as_json:
        write_json(held.as_json())
    else:
        _show_held(held)


def complaint(decisions: Sequence[str], target: Path, locale: str, by: str | None) -> None:
    """Write the answer file for a complaint."""
    from app.record.export.bundling import BundleProblem
    from app.record.export.complaint import NoSuchDecision
    from app.record.export.exporting import NothingSealed
    from app.record.export.sharing import give_answer
    from app.record.log.sealer import Sealer

    with the_record() as record:
        Sealer(record.database, record.keys, record.clock).seal()
        try:
            made = give_answer(record, library(record), decisions, target, caller=who(by), role=_ROLE, locale=locale)
        except (NoSuchDecision, NothingSealed, BundleProblem) as error:
            fail(error)
    out().print(f"{made.records:,} records with what they rest on: {target}", soft_wrap=True)
    out().print("Read answer.md; verify.py in it proves the rest.")


def _show_months(months: Sequence[Month], years: int, laws: Sequence[str]) -> None:
    out().print(f"Records are kept for {years} years ({', '.join(laws) or 'no pack was published yet'}).")
    if not months:
        out().print("No month is older.")
        return
    table = Table("month", "entries that go", "kept", "", box=None, header_style="dim", pad_edge=False)
    for month in months:
        table.add_row(month.month, f"{month.entries:,}", f"{month.kept:,}", month.hindered or "")
    out().print(table)


def _show_held(held: Held) -> None:
    told = out()
    told.print(f"Known since {held.person.since}", style="bold")
    if held.person.hold:
        told.print(f"Under legal hold since {held.person.hold_since}: {held.person.hold}")
    for decision in held.decisions:
        told.print(f"\n{decision.at}  {decision.id}", style="bold")
        for line in decision.words or [decision.why or ""]:
            told.print(line, markup=False)
    told.print("\nRefused", style="bold")
    for refusal in held.refusals:
        where = f" on {refusal.channel}" if refusal.channel else ""
        told.print(f"{refusal.what}{where}: since {refusal.since}, said {refusal.times} times", markup=False)
    told.print(f"\n{len(held.contacts)} contacts, {len(held.others)} other entries; --json prints all of it, and what was known each time.")
