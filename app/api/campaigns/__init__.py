"""Campaigns over HTTP: commissioned, looked after, and what came of them."""
