"""Rows that restate entries, held against them: outcomes, contacts, leaves of subjects, holds, packs and their steps, callers, keys.

The service reads these tables, for they are quick to search; what an entry says is said by its envelope and its private payload alone.
"""

from app.record.verifying.rows.all import Rows
from app.record.verifying.rows.one import rows_of_entry

__all__ = ["Rows", "rows_of_entry"]
