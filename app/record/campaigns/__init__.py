"""Campaigns on the record: leaves for their opening, each part and their closing; their decisions are rows of the parts' files."""
