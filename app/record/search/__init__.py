"""The search: the terms entries are found by, the index of them, and how it is asked."""
