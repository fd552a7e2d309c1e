"""`wanliu campaign work`: the worker of campaigns that callers commission, without the service."""

from __future__ import annotations

import signal

from app.api.logs import configure_logs
from app.api.serving.campaigner import worker_of
from app.campaign.jobs.working import Pace
from app.cli.console import fail
from app.cli.packs import settings
from app.record.keys import KeysProblem
from app.record.store.problems import StoreError


def work(*, once: bool) -> None:
    """Run campaigns until told to stop, by Ctrl-C or SIGTERM.

    Args:
        once: end when nothing is left to do.
    """
    found = settings()
    configure_logs(found.log_level, found.log_format)
    try:
        with worker_of(found, pace=Pace(idle=0.0) if once else None) as worker:
            signal.signal(signal.SIGINT, lambda *_: worker.stop())
            worker.run(for_ever=not once)
    except (StoreError, KeysProblem) as error:
        fail(error)
