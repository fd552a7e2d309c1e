#!/bin/sh
# TM Forum TMF680: recommendations for a customer.
# URL and KEY say where the service is and who asks; in development mode no key is needed.
set -eu
URL=${URL:-http://127.0.0.1:8000}
ask() { curl -sS --fail-with-body ${KEY:+-H "Authorization: Bearer $KEY"} "$@"; }

ask -H 'Content-Type: application/json' "$URL/tmf-api/recommendationManagement/v4/queryProductRecommendation" -d '{
  "relatedParty": {"id": "s-1003", "role": "customer", "@referredType": "Customer"},
  "channel": [{"id": "call_centre"}],
  "locale": "en", "reason": "bill", "caller_relation": "holder", "verified": "sms",
  "subscriber": {
    "account": {"status": "active", "tenure_months": 30, "line_type": "main"},
    "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]},
    "services": {"held": [], "toll_pack_fee": 1000},
    "consent": {"marketing": "yes"},
    "events": [], "contacts": []
  }
}'
