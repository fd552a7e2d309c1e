"""`wanliu caller`: who may call the service."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import typer

caller_app = typer.Typer(no_args_is_help=True, help="Who may call the service, and as what.")

CallerRole = Literal["agent", "self_service", "campaign", "compliance", "privacy_officer", "author", "approver", "operations"]


@caller_app.command("add")
def caller_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the record calls it: small letters, digits and _ . -")],
    role: Annotated[
        CallerRole, typer.Option(metavar="|".join(get_args(CallerRole)), help="What it may do; docs/callers.md has the table.")
    ],
    grade: Annotated[
        str | None,
        typer.Option(
            metavar="GRADE", help="For agents: a name under `arbitration.concession` of the pack, such as leader.", show_default=False
        ),
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A caller of the same role whose system it joins: they see each other's decisions. Left out, it is one of its own.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Add a caller and print its key, once."""
    from app.cli.callers import add

    add(name, role, grade, beside)


@caller_app.command("list")
def caller_list(as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table for people.")] = False) -> None:
    """Who was ever added, with what role, by whom, and who was revoked."""
    from app.cli.callers import show

    show(as_json=as_json)


@caller_app.command("revoke")
def caller_revoke(name: Annotated[str, typer.Argument(metavar="NAME", help="As `wanliu caller list` has it.")]) -> None:
    """Take a caller's key away. The name stays on the list, and may be added again with a new key."""
    from app.cli.callers import revoke

    revoke(name)
