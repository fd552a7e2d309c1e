"""`wanliu pack`: a pack looked at, checked, tested, and put in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.commands.options import MINE, InLocale, PackFolder

pack_app = typer.Typer(no_args_is_help=True, help="Look at a pack of rules and policies, or check it.")

Form = Literal["text", "json", "sarif"]
DigestArgument = Annotated[str, typer.Argument(metavar="DIGEST", help="A pack's digest, or enough of its beginning.")]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it.")]
NoteOption = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Why, for those who come later.", show_default=False)]


@pack_app.command("show")
def pack_show(pack: PackFolder = None, locale: InLocale = MINE) -> None:
    """What a pack holds: its actions, signals and tariffs."""
    from app.cli.packs import show

    show(pack, locale)


@pack_app.command("check")
def pack_check(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Folder with rules/ and policies/. Left out: WANLIU_PACK, or the current folder.", show_default=False
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="How mistakes are printed; sarif is what forges and editors take.")] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings too.")] = False,
    pack: Annotated[Path | None, typer.Option("--pack", hidden=True)] = None,
) -> None:
    """Check a pack. Every mistake is told with its file, line and column; the exit code is 1 when there is an error."""
    from app.cli.checking import check

    check(folder or pack, form, strict=strict)


@pack_app.command("explain")
def pack_explain(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME…", help="Signals, actions, facts, thresholds, tariffs, phases …: four_high.tariff, tariff_pack, plan.monthly_fee."
        ),
    ],
    pack: PackFolder = None,
    locale: InLocale = MINE,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a page for people.")] = False,
) -> None:
    """What a name means, what it rests on, and where the pack uses it."""
    from app.cli.explaining import explain

    explain(names, pack, locale, as_json=as_json)


@pack_app.command("diff")
def pack_diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="Folder of the pack as it was.")],
    after: Annotated[
        Path | None, typer.Argument(metavar="AFTER", help="Folder of the changed pack. Left out: WANLIU_PACK, or the current folder.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Subscribers to decide with both: .csv with --mapping, or .ndjson.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(metavar="FILE", help="Which column of the table is which fact.")] = None,
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="Another channel than the mapping's or the requests'.")] = None,
    locale: InLocale = MINE,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables for people.")] = False,
) -> None:
    """What changed between two packs, and for how many subscribers of a file."""
    from app.cli.comparing import diff
    from app.cli.usage import check_comparison

    check_comparison(table, mapping, channel)
    diff(before, after, table, mapping, channel, locale, as_json=as_json)


@pack_app.command("test")
def pack_test(
    pack: PackFolder = None,
    run: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only tests whose file, suite or name holds this text.", show_default=False)
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also name the tests that pass.")] = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit report too.", show_default=False)] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=64, help="Processes. Left out: as many as pay off.", show_default=False)] = None,
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="How the outcome is printed.")] = "text",
    covered: Annotated[
        bool | None,
        typer.Option("--coverage/--no-coverage", help="What the tests cover. Left out: unless --run is given.", show_default=False),
    ] = None,
    uncovered: Annotated[bool, typer.Option("--uncovered", help="List what is not covered, with its place.")] = False,
    fail_under: Annotated[
        float | None, typer.Option(min=0, max=100, metavar="PERCENT", help="Fail when less is covered.", show_default=False)
    ] = None,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Change thresholds and take out clauses one at a time; list what no test notices.")
    ] = False,
    locale: InLocale = MINE,
) -> None:
    """Run the suites in policies/tests/. The exit code is 1 when a test fails, and when there is none."""
    from app.cli.testing.asked import Run
    from app.cli.testing.running import test

    test(pack, Run(run, verbose, junit, jobs, form == "json", covered, uncovered, fail_under, locale, mutate))


@pack_app.command("schema")
def pack_schema(tests: Annotated[bool, typer.Option("--tests", help="Of the suites in policies/tests/.")] = False) -> None:
    """Print the JSON Schema of a pack's files, for editors that complete and validate YAML."""
    from app.cli.packs import schema

    schema(tests=tests)


@pack_app.command("publish")
def pack_publish(
    author: Annotated[str, typer.Option("--author", metavar="NAME", help="Who answers for it; somebody else has to approve it.")],
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Folder with rules/ and policies/. Left out: WANLIU_PACK, or the current folder.", show_default=False
        ),
    ] = None,
    locale: InLocale = MINE,
) -> None:
    """Put a pack on the record, so that somebody else can approve it. What `check` refuses is refused."""
    from app.cli.packs_in_force import publish

    publish(folder, author, locale)


@pack_app.command("approve")
def pack_approve(digest: DigestArgument, by: ByOption, note: NoteOption = None, locale: InLocale = MINE) -> None:
    """Approve a pack that somebody else published."""
    from app.cli.packs_in_force import approve

    approve(digest, by, note, locale)


@pack_app.command("reject")
def pack_reject(
    digest: DigestArgument,
    by: ByOption,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, for its author.")],
    locale: InLocale = MINE,
) -> None:
    """Refuse a pack, or take its approval back."""
    from app.cli.packs_in_force import reject

    reject(digest, by, note, locale)


@pack_app.command("activate")
def pack_activate(
    digest: DigestArgument,
    by: ByOption,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="From when on, such as 2026-12-01T00:00:00+08:00. Left out: now.")
    ] = None,
    note: NoteOption = None,
    locale: InLocale = MINE,
) -> None:
    """Let an approved pack decide. Running services take it over, once they have run its tests."""
    from app.cli.packs_in_force import activate

    activate(digest, by, at, note, locale)


@pack_app.command("schedule")
def pack_schedule(
    digest: DigestArgument,
    by: ByOption,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="From when on, such as 2026-12-01T00:00:00+08:00.")],
    note: NoteOption = None,
    locale: InLocale = MINE,
) -> None:
    """Let an approved pack decide from a time on."""
    from app.cli.packs_in_force import activate

    activate(digest, by, at, note, locale)


@pack_app.command("withdraw")
def pack_withdraw(digest: DigestArgument, by: ByOption, note: NoteOption = None, locale: InLocale = MINE) -> None:
    """Take a pack's scheduled activation back."""
    from app.cli.packs_in_force import withdraw

    withdraw(digest, by, note, locale)


@pack_app.command("rollback")
def pack_rollback(by: ByOption, note: NoteOption = None, locale: InLocale = MINE) -> None:
    """Bring back the pack that was active before."""
    from app.cli.packs_in_force import rollback

    rollback(by, note, locale)


@pack_app.command("list")
def pack_list(
    steps: Annotated[bool, typer.Option("--steps", help="Also everything that was done with each.")] = False,
    locale: InLocale = MINE,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table for people.")] = False,
) -> None:
    """Every pack that was published: its state, who published and approved it, from when on it decides."""
    from app.cli.packs_in_force import show_list

    show_list(locale, steps=steps, as_json=as_json)
