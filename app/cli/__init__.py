"""The command line: all commands put together, and how the program ends.

Every command imports what it needs when it runs, so that the program answers at once.
"""

from __future__ import annotations

import typer

from app.cli.commands.caller import caller_app
from app.cli.commands.campaign import campaign_app
from app.cli.commands.deciding import decide
from app.cli.commands.keys import keys_app
from app.cli.commands.pack import pack_app
from app.cli.commands.record import record_app
from app.cli.commands.refusing import Commands
from app.cli.commands.running import serve, version, witness
from app.cli.commands.token import token_app
from app.cli.commands.webhook import webhook_app

app = typer.Typer(
    name="wanliu",
    cls=Commands,
    help="Decides the next best action for a telecom subscriber, and says why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (decide, serve, witness, version):
    app.command()(command)
app.add_typer(pack_app, name="pack")
app.add_typer(campaign_app, name="campaign")
app.add_typer(record_app, name="record")
app.add_typer(caller_app, name="caller")
app.add_typer(token_app, name="token")
app.add_typer(keys_app, name="keys")
app.add_typer(webhook_app, name="webhook")


def main() -> None:
    """Run the command line. Exit codes: 0 fine, 1 the input or the pack is wrong, 2 the command is."""
    import sys

    from app.cli.console import cannot_write, complain, drop_output, prepare_streams
    from app.garbage import collect_seldom

    prepare_streams()
    collect_seldom()
    try:
        app()
    except BrokenPipeError:  # the reader of our output has gone: no news
        drop_output()
        sys.exit(1)
    except OSError as error:
        drop_output()
        complain(cannot_write(error))
        sys.exit(1)
