"""Processes: a keeper that holds the listening socket and does the work in the background, and workers that answer."""
