"""`wanliu campaign`: deciding for everybody in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.commands.options import Locale, PackFolder

campaign_app = typer.Typer(
    no_args_is_help=True, help="Decide for everybody in a file, on the record: run, propose a mapping, take results."
)

Source = Annotated[
    Path, typer.Argument(metavar="IN", help="A .parquet, .csv or .ndjson file, or a folder with files of one kind.", show_default=False)
]


@campaign_app.command("run")
def campaign_run(
    source: Source,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the decisions go: .parquet, .csv or .ndjson.", show_default=False)],
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Which column is which fact; NDJSON takes none.", show_default=False)
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(metavar="CHANNEL", help="On which the subscribers are met, such as sms_marketing. Left out: the mapping's."),
    ] = None,
    contact_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="When people will be contacted, such as 2026-11-24T10:00:00+08:00. Left out: now.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the campaign: what its runs have in common. Left out: the input's name.")
    ] = None,
    per: Annotated[
        Literal["action", "subscriber"], typer.Option(help="A row for each action on a list, or one for each subscriber.")
    ] = "action",
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the report goes: .html, with a .json beside it that the next run is compared with."),
    ] = None,
    limits: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What the campaign may spend, and whom there are hands to contact.", show_default=False),
    ] = None,
    lists: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where lists for local teams go, in a folder for each day.", show_default=False),
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The campaign's own folder of signals and tiers, watched from run to run.", show_default=False),
    ] = None,
    what_if: Annotated[bool, typer.Option("--what-if", help="Leave no trace: nothing goes on the record.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Begin a new run, even where one of the same was left unfinished.")] = False,
    size: Annotated[int, typer.Option(min=1, max=1_000_000, help="Rows that are decided, and go on the record, together.")] = 50_000,
    locale: Annotated[
        Locale | None, typer.Option(help="Language of the texts. Left out: the mapping's, or zh-CN.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON instead of tables.")] = False,
    pack: PackFolder = None,
) -> None:
    """Decide for everybody in a file. A run that was broken off goes on where it stopped when the same command is given again."""
    from app.campaign.memory import keep_memory

    keep_memory()
    from app.campaign.commission import Commission
    from app.cli.campaigns import Wishes, run

    commission = Commission(source, out, name, mapping, channel, None, per, size, locale, what_if, limits, lists, watch)
    run(commission, contact_at, Wishes(report, anew, as_json, pack))


@campaign_app.command("results")
def campaign_results(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Lists that local teams filled in.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print what became of the rows as JSON.")] = False,
    pack: PackFolder = None,
) -> None:
    """Take filled-in lists: what became of each action goes on the record, once, however often a list comes back."""
    from app.cli.campaign_results import results

    results(files, pack, as_json=as_json)


@campaign_app.command("work")
def campaign_work(
    once: Annotated[bool, typer.Option("--once", help="End when nothing is left to do, instead of waiting for more.")] = False,
) -> None:
    """Run the campaigns that callers commission over HTTP, beside the service or on another machine that shares store and folders."""
    from app.cli.campaign_work import work

    work(once=once)


@campaign_app.command("map")
def campaign_map(
    source: Source,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the mapping goes. Left out: it is printed.")] = None,
    channel: Annotated[str, typer.Option(metavar="CHANNEL", help="On which the subscribers will be met.")] = "sms_marketing",
    pack: PackFolder = None,
) -> None:
    """Propose a mapping from the names and values of a file's columns, and show what could not be placed."""
    from app.cli.campaigns import propose_mapping

    propose_mapping(source, out, channel, pack)
