"""Packs in force over HTTP: published, approved by somebody else, activated, rolled back, and read."""
