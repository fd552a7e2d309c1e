"""`wanliu decide`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.commands.options import Locale, PackFolder

Detail = Literal["none", "summary", "full"]
Role = Literal["development", "author", "compliance", "agent", "campaign", "self_service"]


def decide(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE|-", help="Requests as JSON, as for POST /v1/decisions; `-` is standard input.", show_default=False),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Decide for every row: .csv with --mapping, or .ndjson with a request a line.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(metavar="FILE", help="Which column of the table is which fact.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the decisions go, one JSON object a line.")] = None,
    rejects: Annotated[Path | None, typer.Option(metavar="FILE", help="Where refused rows go, one JSON object a line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table for people; with --table the summary.")] = False,
    explain: Annotated[
        Detail | None, typer.Option(help="How much to say of why; as the request wishes when left out.", show_default=False)
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="The same as --explain full: also what was not offered, and why.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Decide live and store the decision. Without it the file runs as what-if and leaves no trace.")
    ] = False,
    role: Annotated[
        Role | None, typer.Option(help="Whom the answer is for. development for FILE, campaign for --table.", show_default=False)
    ] = None,
    locale: Annotated[
        Locale | None, typer.Option(help="Language of the texts; as the request says when left out.", show_default=False)
    ] = None,
    channel: Annotated[
        str | None, typer.Option(metavar="CHANNEL", help="Another channel than the request's, such as app or outbound_call.")
    ] = None,
    refused: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACTION", help="The next decision, after this action was refused; repeat it for later steps.", show_default=False
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Have a running service decide, such as http://127.0.0.1:8000.", show_default=False),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --url: the API key or the token. Left out: WANLIU_API_KEY, or none.", show_default=False),
    ] = None,
    pack: PackFolder = None,
) -> None:
    """Decide for one subscriber, or for a whole file with --table."""
    from app.cli.usage import Wishes, check_usage, service_of

    wishes = Wishes(
        explain="full" if full else explain,
        role=role,
        locale=locale,
        channel=channel,
        record=record,
        as_json=as_json,
        pack=pack,
        refused=tuple(refused or ()),
        service=service_of(url, key_file),
    )
    check_usage(files or [], table, mapping, out, rejects, wishes)
    if table is not None:
        from app.cli.tables import decide_table

        decide_table(table, mapping, out, rejects, wishes)
    else:
        from app.cli.files import decide_files

        decide_files(files or [], wishes)
