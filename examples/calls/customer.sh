#!/bin/sh
# An app: what to show its customer, and what the customer was suggested before. A token names the customer; without one SUBSCRIBER does.
# URL and KEY say where the service is and who asks; in development mode no key is needed.
set -eu
URL=${URL:-http://127.0.0.1:8000}
ask() { curl -sS --fail-with-body ${KEY:+-H "Authorization: Bearer $KEY"} "$@"; }

SUBSCRIBER=${SUBSCRIBER:-s-1003}
named='"id": "'$SUBSCRIBER'", '
if [ -n "${KEY:-}" ]; then SUBSCRIBER='' named=''; fi
ask -H 'Content-Type: application/json' "$URL/v1/decisions" -d '{
  "channel": "app", "direction": "self", "locale": "en", "max_actions": 2,
  "subscriber": {
    '"$named"'"account": {"status": "active", "tenure_months": 30, "line_type": "main"},
    "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]},
    "services": {"held": [], "toll_pack_fee": 1000},
    "consent": {"marketing": "yes"},
    "events": [], "contacts": []
  }
}'
echo
ask ${SUBSCRIBER:+-H "X-Subscriber-Id: $SUBSCRIBER"} "$URL/v1/my/decisions?locale=en"
