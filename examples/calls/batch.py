"""A batch: a line for each subscriber, answered while others are still made; the file it comes from may be of any length.

`URL` and `KEY` in the environment say where the service is and who asks; in development mode no key is needed.
"""

import os
from collections.abc import Iterator

from app.client import WanliuClient

KNOWN = {
    "account": {"status": "active", "tenure_months": 30, "line_type": "main"},
    "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]},
    "services": {"held": [], "toll_pack_fee": 1000},
    "events": [],
    "contacts": [],
}


def lines() -> Iterator[dict[str, object]]:
    """As they would come from a file or a query, one after another.

    The second has a mistake and is the only one that is refused; the third wants no marketing.
    """
    for row, (subscriber, channel, marketing) in enumerate(
        [("s-2001", "app", "yes"), ("s-2002", "appp", "yes"), ("s-2003", "app", "no")], 1
    ):
        known = {"id": subscriber, "consent": {"marketing": marketing}, **KNOWN}
        yield {"reference": f"row-{row}", "channel": channel, "direction": "self", "locale": "en", "subscriber": known}


with WanliuClient(os.environ.get("URL", "http://127.0.0.1:8000"), key=os.environ.get("KEY")) as wanliu:
    for answer in wanliu.batch(lines()):
        if answer.problem is not None:
            print(f"{answer.line} {answer.reference}: {answer.problem}")
        elif answer.decision is not None:
            found = [action["title"] for action in answer.decision["actions"]]
            print(f"{answer.line} {answer.reference}: {', '.join(found) or answer.decision['empty_because']}")
