"""An app: what to show its customer, and what the customer was suggested before. A token names the customer; without one SUBSCRIBER does.

`URL` and `KEY` in the environment say where the service is and who asks; in development mode no key is needed.
"""

import os

from app.client import WanliuClient

SUBSCRIBER = os.environ.get("SUBSCRIBER", "s-1003")
KNOWN = {
    "account": {"status": "active", "tenure_months": 30, "line_type": "main"},
    "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]},
    "services": {"held": [], "toll_pack_fee": 1000},
    "consent": {"marketing": "yes"},
    "events": [],
    "contacts": [],
}
REQUEST = {"channel": "app", "direction": "self", "locale": "en", "max_actions": 2, "subscriber": {"id": SUBSCRIBER, **KNOWN}}

with WanliuClient(os.environ.get("URL", "http://127.0.0.1:8000"), key=os.environ.get("KEY")) as wanliu:
    for action in wanliu.decide(REQUEST)["actions"]:
        print(f"{action['title']}: {action['text']}")
    named = None if os.environ.get("KEY") else SUBSCRIBER  # a token says itself who it is
    for suggested in wanliu.my_decisions(subscriber=named)["decisions"]:
        print(suggested)
