"""`wanliu serve`: the service with the settings of the environment, and what the options change of them."""

from __future__ import annotations

from app.cli.console import fail
from app.cli.packs import settings


def serve(host: str | None, port: int | None) -> None:
    """Run the service until it is told to stop."""
    from app.api.serve import CannotServe
    from app.api.serve import serve as run

    wanted = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    try:
        run(settings().model_copy(update=wanted))
    except CannotServe as error:
        fail(*str(error).splitlines())
