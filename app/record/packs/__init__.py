"""Packs on the record: published, approved, activated, rolled back, and found again by their digest."""
