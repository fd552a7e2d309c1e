"""A call-centre desktop: somebody calls about a bill.

`URL` and `KEY` in the environment say where the service is and who asks; in development mode no key is needed.
"""

import os

from app.client import WanliuClient

KNOWN = {
    "account": {"status": "active", "tenure_months": 30, "line_type": "main"},
    "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]},
    "services": {"held": [], "toll_pack_fee": 1000},
    "consent": {"marketing": "yes"},
    "events": [],
    "contacts": [],
}
CALL = {
    "channel": "call_centre",
    "reason": "bill",
    "caller_relation": "holder",
    "verified": "sms",
    "locale": "en",
    "subscriber": {"id": "s-1003", **KNOWN},
}

with WanliuClient(os.environ.get("URL", "http://127.0.0.1:8000"), key=os.environ.get("KEY")) as wanliu:
    decision = wanliu.decide(CALL)
    print(decision["decision_id"], decision["phase"] and decision["phase"]["title"])
    for action in decision["actions"]:
        print(f"{action['rank']}. {action['title']}: {action['script']}")
        for reason in action["reasons"]:
            print(f"   because: {reason['text']}")
