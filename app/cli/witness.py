"""`wanliu witness`: a witness for the logs of others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.cli.console import fail


def witness(host: str, port: int, file: Path, key: Path, name: str | None, logs: Sequence[str]) -> None:
    """Run the witness until it is told to stop."""
    from app.witness.serve import CannotWitness, serve

    if not logs:
        fail("no log to trust: give its verifier key with --log; `wanliu keys show` prints it")
    try:
        serve(host, port, file, key, name, logs)
    except CannotWitness as error:
        fail(*str(error).splitlines())
