"""What a command was asked to do, and whether its options go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from app.cli.distant import Service


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of `wanliu decide` that files and tables share. None leaves it to the request."""

    explain: Literal["none", "summary", "full"] | None
    role: str | None
    locale: str | None
    channel: str | None
    record: bool
    as_json: bool
    pack: Path | None
    refused: tuple[str, ...] = ()
    service: Service | None = None


def check_usage(
    files: Sequence[str], table: Path | None, mapping: Path | None, out: Path | None, rejects: Path | None, wishes: Wishes
) -> None:
    """Refuse options that do not go together.

    Raises:
        typer.BadParameter: exit code 2.
    """
    if (table is None) == (not files):
        raise typer.BadParameter("give FILE, or --table with --mapping and --out" if table is None else "give FILE or --table, not both")
    if table is None and (mapping or out or rejects):
        raise typer.BadParameter("--mapping, --out and --rejects go with --table")
    if wishes.service is not None:
        _check_distant(table, wishes)
    if table is not None:
        _check_mapping(table, mapping)
        _check_table(table, mapping, out, rejects, wishes)
    if wishes.refused and (table is not None or wishes.record):
        raise typer.BadParameter("--refused tries what would come next; it goes with FILE, without --record")
    if files.count("-") > 1:
        raise typer.BadParameter("standard input can be read once")
    if wishes.channel is not None:
        _check_channel(wishes.channel)


def _check_distant(table: Path | None, wishes: Wishes) -> None:
    """Refuse what a running service is not asked for; `--url` asks it about one subscriber a file."""
    if table is not None:
        raise typer.BadParameter("--table does not go with --url: decide for a table here, or send its rows to POST /v1/decisions/batch")
    if wishes.refused:
        raise typer.BadParameter("--refused does not go with --url: ask the service without --refused, or try what comes next here")
    if wishes.role:
        raise typer.BadParameter("--role does not go with --url: the key says which role asks")


def service_of(url: str | None, key_file: Path | None) -> Service | None:
    """Which service is to decide; none, where this program does.

    Raises:
        typer.BadParameter: exit code 2.
    """
    if url is None:
        if key_file is not None:
            raise typer.BadParameter("--key-file goes with --url")
        return None
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("expected an address such as http://127.0.0.1:8000", param_hint="--url")
    from app.cli.distant import Service

    return Service(url, key_file)


def check_comparison(table: Path | None, mapping: Path | None, channel: str | None) -> None:
    """Refuse options of a comparison that do not go together.

    Raises:
        typer.BadParameter: exit code 2.
    """
    if table is None and (mapping or channel):
        raise typer.BadParameter("--mapping and --channel go with --table")
    if table is not None:
        _check_mapping(table, mapping)
    if channel is not None:
        _check_channel(channel)


def _check_mapping(table: Path, mapping: Path | None) -> None:
    lines = table.suffix.lower() in (".ndjson", ".jsonl")
    if lines == (mapping is not None):
        raise typer.BadParameter(
            "a file of requests needs no --mapping" if lines else "a table needs --mapping: which column is which fact"
        )


def _check_table(table: Path, mapping: Path | None, out: Path | None, rejects: Path | None, wishes: Wishes) -> None:
    if out is None:
        raise typer.BadParameter("--table needs --out: where the decisions go")
    if wishes.record:
        raise typer.BadParameter("--record stores single decisions; a table runs as what-if")
    named = [path for path in (table, mapping, out, rejects) if path is not None]
    if any(_same(one, other) for one, other in combinations(named, 2)):
        raise typer.BadParameter("--table, --mapping, --out and --rejects are different files")


def _same(one: Path, other: Path) -> bool:
    """One file, by whatever names: what is written would destroy what is read."""
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there yet
        return one.resolve() == other.resolve()


def _check_channel(channel: str) -> None:
    from typing import get_args

    from app.engine.problems import nearest
    from app.engine.vocabulary import Channel

    known = get_args(Channel)
    if channel not in known:
        raise typer.BadParameter(
            f"`{channel}` is not a channel; {nearest(channel, known) or 'one of ' + ', '.join(known)}", param_hint="--channel"
        )
