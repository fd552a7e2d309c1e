"""`wanliu token`: tokens for a trial, where there is no identity provider."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.caller import CallerRole

token_app = typer.Typer(no_args_is_help=True, help="Keys and tokens for a trial without an identity provider. Not for production.")


@token_app.command("keys")
def token_keys(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the two files go; made when it is not there.")],
) -> None:
    """Write a private key that signs tokens, and the JWKS file with its public half for WANLIU_JWT_KEYS."""
    from app.cli.tokens import write_keys

    write_keys(folder)


@token_app.command("make")
def token_make(
    key: Annotated[Path, typer.Option(metavar="FILE", help="The private key, as `wanliu token keys` wrote it.")],
    role: Annotated[CallerRole, typer.Option(metavar="ROLE", help="What it may do, as for `wanliu caller add`.")],
    subject: Annotated[
        str, typer.Option(metavar="ID", help="Of self_service the subscriber, of agents their code, of others who they are.")
    ],
    client: Annotated[str, typer.Option(metavar="NAME", help="The client it is given to: the caller's name.")] = "trial",
    grade: Annotated[str | None, typer.Option(metavar="GRADE", help="Of agents, such as leader.", show_default=False)] = None,
    minutes: Annotated[int, typer.Option(min=1, max=1_440, help="How long it is good for.")] = 60,
) -> None:
    """Print a token of the issuer and for the audience of the settings."""
    from app.cli.tokens import make

    make(key, role, subject, client=client, grade=grade, minutes=minutes)
