"""A refusal, and the next step: the customer does not want what was offered first.

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
    offered = [action["action"] for action in decision["actions"]]
    told = wanliu.respond(str(decision["decision_id"]), offered[-1], "refused", reason="price")
    following = told["next"]
    print(
        f"refused: {offered[-1]}; next: {following and [action['action'] for action in following['actions']]} {told['next_because'] or ''}"
    )
