"""`wanliu keys`: the record's own keys."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from app.cli.commands.options import AsJson, MyName

keys_app = typer.Typer(no_args_is_help=True, help="The record's own keys.")


@keys_app.command("show")
def keys_show(as_json: AsJson = False) -> None:
    """The public halves of the record's keys: what a witness and an auditor need."""
    from app.cli.keys import show

    show(as_json=as_json)


@keys_app.command("rotate")
def keys_rotate(
    which: Annotated[
        Literal["signing", "wrapping"],
        typer.Argument(metavar="signing|wrapping", help="The key that signs checkpoints, or the one that wraps the keys of subjects."),
    ],
    by: MyName = None,
) -> None:
    """Put a new key into the keys file, to be used from the services' next start on. Old ones stay, for what they signed and wrapped."""
    from app.cli.keys import rotate

    rotate(which, by)


@keys_app.command("rewrap")
def keys_rewrap() -> None:
    """Wrap the keys of all subjects, and the secrets of webhooks, with the newest wrapping key."""
    from app.cli.keys import rewrap

    rewrap()
