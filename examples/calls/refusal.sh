#!/bin/sh
# A refusal, and the next step: the customer does not want what was offered first.
# URL and KEY say where the service is and who asks; in development mode no key is needed.
set -eu
URL=${URL:-http://127.0.0.1:8000}
ask() { curl -sS --fail-with-body ${KEY:+-H "Authorization: Bearer $KEY"} "$@"; }

decision=$(ask -H 'Content-Type: application/json' "$URL/v1/decisions" -d '{
  "channel": "call_centre", "reason": "bill", "caller_relation": "holder", "verified": "sms", "locale": "en",
  "subscriber": {
    "id": "s-1003",
    "account": {"status": "active", "tenure_months": 30, "line_type": "main"},
    "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]},
    "services": {"held": [], "toll_pack_fee": 1000},
    "consent": {"marketing": "yes"},
    "events": [], "contacts": []
  }
}')
id=$(printf '%s' "$decision" | python3 -c 'import json, sys; print(json.load(sys.stdin)["decision_id"])')
action=$(printf '%s' "$decision" | python3 -c 'import json, sys; print(json.load(sys.stdin)["actions"][-1]["action"])')
ask -H 'Content-Type: application/json' -H "Idempotency-Key: refused-$id" "$URL/v1/decisions/$id/responses" \
  -d '{"action": "'"$action"'", "outcome": "refused", "reason": "price"}'
