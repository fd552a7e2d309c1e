#!/bin/sh
# An auditor: the newest decisions in a phase, the newest of them in full, and the proof that it is on record.
# URL and KEY say where the service is and who asks; in development mode no key is needed.
set -eu
URL=${URL:-http://127.0.0.1:8000}
ask() { curl -sS --fail-with-body ${KEY:+-H "Authorization: Bearer $KEY"} "$@"; }

found=$(ask "$URL/v1/decisions?phase=prevention&limit=5")
echo "$found"
id=$(printf '%s' "$found" | python3 -c 'import json, sys; print(*(entry["id"] for entry in json.load(sys.stdin)["entries"][:1]))')
[ "$id" ] || { echo "Nothing is found yet: a decision is, about a second after it was made." >&2; exit 1; }
ask "$URL/v1/decisions/$id/record?locale=en"
echo
ask "$URL/v1/decisions/$id/proof"
