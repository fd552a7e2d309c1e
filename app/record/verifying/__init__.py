"""Verifying the record: every entry against its leaf, every leaf against tiles, root and signed checkpoints, every writer's numbers, and
every row that restates an entry against that entry.

What is wrong is gathered, each with its leaf, in plain words. Nothing that can be computed again is believed; the search index is not read.
"""

from app.record.verifying.single import verify_entry
from app.record.verifying.verdict import Finding, Verdict
from app.record.verifying.whole import verify_log

__all__ = ["Finding", "Verdict", "verify_entry", "verify_log"]
