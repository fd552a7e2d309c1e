"""Where a process that the service starts for itself begins: `python -m app.api.serving worker 5` or `… campaigner`."""

from __future__ import annotations

import sys

from app.garbage import collect_seldom

if __name__ == "__main__":
    collect_seldom()
    match sys.argv[1:]:
        case ["worker", channel]:
            from app.api.serving.worker import main as work

            work(int(channel))
        case ["campaigner"]:
            from app.api.serving.campaigner import main as campaign

            campaign()
