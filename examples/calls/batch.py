"""A batch: a line for each subscriber, answered while others are still made; the file it comes from may be of any length.

`URL` and `KEY` in the environment say where the service is and who asks; in development mode no key is needed.
"""

import os
from collections.abc import Iterator

from app.client import WanliuClient


def lines() -> Iterator[dict[str, object]]:
    """As they would come from a file or a query, one after another; the second has a mistake, and is the only one that is refused."""
    for row, (subscriber, channel) in enumerate(
        [("s-2001", "sms_marketing"), ("s-2002", "sms_marketting"), ("s-2003", "sms_marketing")], 1
    ):
        known = {"id": subscriber, "consent": {"marketing": "yes"}, "events": [], "contacts": []}
        yield {"reference": f"row-{row}", "channel": channel, "direction": "outbound", "subscriber": known}


with WanliuClient(os.environ.get("URL", "http://127.0.0.1:8000"), key=os.environ.get("KEY")) as wanliu:
    for answer in wanliu.batch(lines()):
        if answer.problem is not None:
            print(f"{answer.line} {answer.reference}: {answer.problem}")
        elif answer.decision is not None:
            found = [action["action"] for action in answer.decision["actions"]]
            print(f"{answer.line} {answer.reference}: {found or answer.decision['empty_because']}")
