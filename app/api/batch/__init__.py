"""Many decisions in one request: NDJSON in, NDJSON out, a line for a line."""
