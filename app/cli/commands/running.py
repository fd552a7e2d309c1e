"""`wanliu serve`, `wanliu witness`, `wanliu version`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Left out: WANLIU_HOST, or loopback.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port. Left out: WANLIU_PORT.", show_default=False)] = None,
) -> None:
    """Start the service."""
    from app.cli.serving import serve as start

    start(host, port)


def witness(
    logs: Annotated[
        list[str] | None,
        typer.Option("--log", metavar="KEY", help="Verifier key of a log to witness, as `wanliu keys show` prints it. May be repeated."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8010,
    file: Annotated[Path, typer.Option(metavar="FILE", help="What the witness remembers; made when it is not there.")] = Path("witness.db"),
    key: Annotated[Path, typer.Option(metavar="FILE", help="The witness's own key; made when it is not there.")] = Path("witness.key"),
    name: Annotated[str | None, typer.Option(help="What a new key is called, such as witness.example.", show_default=False)] = None,
) -> None:
    """Run a witness: it cosigns the checkpoints of logs, and refuses one that does not go on from what it has seen."""
    from app.cli.witness import witness as start

    start(host, port, file, key, name, logs or [])


def version() -> None:
    """Print the version of the engine."""
    from app import __version__

    typer.echo(__version__)
