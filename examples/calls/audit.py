"""An auditor: the newest decisions in a phase, the newest of them in full, and the proof that it is on record.

`URL` and `KEY` in the environment say where the service is and who asks; in development mode no key is needed.
"""

import os
from itertools import islice

from app.client import WanliuClient

with WanliuClient(os.environ.get("URL", "http://127.0.0.1:8000"), key=os.environ.get("KEY")) as wanliu:
    newest = list(islice(wanliu.search(phase="prevention"), 5))
    if not newest:
        raise SystemExit("Nothing is found yet: a decision is, about a second after it was made.")
    for entry in newest:
        print(entry["at"], entry["id"])
    whole = wanliu.record(newest[0]["id"], locale="en")
    print(sorted(whole))
    proof = wanliu.proof(newest[0]["id"])
    print(f"leaf {proof['leaf']} of {proof['size']}, root {proof['root']}")
