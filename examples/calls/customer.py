"""An app: what to show its customer, and what the customer was suggested before. A token names the customer; without one SUBSCRIBER does.

`URL` and `KEY` in the environment say where the service is and who asks; in development mode no key is needed.
"""

import os

from app.client import WanliuClient

KEY = os.environ.get("KEY")
SUBSCRIBER = None if KEY else os.environ.get("SUBSCRIBER", "s-1003")
KNOWN = {
    "account": {"status": "active", "tenure_months": 30, "line_type": "main"},
    "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]},
    "services": {"held": [], "toll_pack_fee": 1000},
    "consent": {"marketing": "yes"},
    "events": [],
    "contacts": [],
}
WHO = {"id": SUBSCRIBER} if SUBSCRIBER else {}
REQUEST = {"channel": "app", "direction": "self", "locale": "en", "max_actions": 2, "subscriber": {**WHO, **KNOWN}}

with WanliuClient(os.environ.get("URL", "http://127.0.0.1:8000"), key=KEY) as wanliu:
    for action in wanliu.decide(REQUEST)["actions"]:
        print(f"{action['rank']}. {action['text']}")
    for earlier in wanliu.my_decisions(locale="en", subscriber=SUBSCRIBER)["decisions"]:
        print(earlier["at"], earlier["channel"])
        for words in earlier["words"]:
            print(f"   {words}")
