"""TM Forum TMF680: recommendations for a customer.

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
REQUEST = {
    "relatedParty": {"id": "s-1003", "role": "customer", "@referredType": "Customer"},
    "channel": [{"id": "call_centre"}],
    "locale": "en",
    "reason": "bill",
    "caller_relation": "holder",
    "verified": "sms",
    "subscriber": KNOWN,
}

with WanliuClient(os.environ.get("URL", "http://127.0.0.1:8000"), key=os.environ.get("KEY")) as wanliu:
    found = wanliu.recommend(REQUEST)
    print(found["id"], found["href"])
    for item in found["recommendationItem"]:
        print(f"{item['priority']}. {item['product']['name']} ({item['action']}): {item.get('script') or item.get('text')}")
