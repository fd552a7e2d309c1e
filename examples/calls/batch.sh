#!/bin/sh
# A batch: a line for each subscriber, answered while it is sent. The second line has a mistake and is the only one that is refused; the
# third wants no marketing.
# URL and KEY say where the service is and who asks; in development mode no key is needed.
set -eu
URL=${URL:-http://127.0.0.1:8000}
ask() { curl -sS --fail-with-body ${KEY:+-H "Authorization: Bearer $KEY"} "$@"; }

ask -N -T - -H 'Content-Type: application/x-ndjson' -H "Idempotency-Key: campaign-$$" -X POST "$URL/v1/decisions/batch" <<'LINES'
{"reference": "row-1", "channel": "app", "direction": "self", "locale": "en", "subscriber": {"id": "s-2001", "consent": {"marketing": "yes"}, "account": {"status": "active", "tenure_months": 30, "line_type": "main"}, "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]}, "services": {"held": [], "toll_pack_fee": 1000}, "events": [], "contacts": []}}
{"reference": "row-2", "channel": "appp", "direction": "self", "locale": "en", "subscriber": {"id": "s-2002", "consent": {"marketing": "yes"}, "account": {"status": "active", "tenure_months": 30, "line_type": "main"}, "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]}, "services": {"held": [], "toll_pack_fee": 1000}, "events": [], "contacts": []}}
{"reference": "row-3", "channel": "app", "direction": "self", "locale": "en", "subscriber": {"id": "s-2003", "consent": {"marketing": "no"}, "account": {"status": "active", "tenure_months": 30, "line_type": "main"}, "billing": {"total": [12900, 12900, 12900, 19900], "toll_fee": [0, 0, 0, 7000]}, "services": {"held": [], "toll_pack_fee": 1000}, "events": [], "contacts": []}}
LINES
