"""`wanliu webhook`: who is told of events, and how that stands."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.commands.options import AsJson

webhook_app = typer.Typer(no_args_is_help=True, help="Who is told of events, and how delivering stands.")


@webhook_app.command("list")
def webhook_list(as_json: AsJson = False) -> None:
    """Every webhook with what waits, what was given up, and what was wrong last."""
    from app.cli.webhooks import show

    show(as_json=as_json)


@webhook_app.command("redrive")
def webhook_redrive(webhook_id: Annotated[str, typer.Argument(metavar="ID", help="As `wanliu webhook list` has it.")]) -> None:
    """Have events tried again that were given up; a service that runs sends them."""
    from app.cli.webhooks import redrive

    redrive(webhook_id)
