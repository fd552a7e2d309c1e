#!/bin/sh
# A batch: a line for each subscriber, answered while it is sent. The second line has a mistake, and is the only one that is refused.
# URL and KEY say where the service is and who asks; in development mode no key is needed.
set -eu
URL=${URL:-http://127.0.0.1:8000}
ask() { curl -sS --fail-with-body ${KEY:+-H "Authorization: Bearer $KEY"} "$@"; }

ask -N -T - -H 'Content-Type: application/x-ndjson' -H "Idempotency-Key: campaign-$$" -X POST "$URL/v1/decisions/batch" <<'LINES'
{"reference": "row-1", "channel": "sms_marketing", "direction": "outbound", "subscriber": {"id": "s-2001", "consent": {"marketing": "yes"}, "events": [], "contacts": []}}
{"reference": "row-2", "channel": "sms_marketting", "subscriber": {"id": "s-2002"}}
{"reference": "row-3", "channel": "sms_marketing", "direction": "outbound", "subscriber": {"id": "s-2003", "consent": {"marketing": "no"}, "events": [], "contacts": []}}
LINES
