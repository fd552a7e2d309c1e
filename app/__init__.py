"""Wanliu decides the next best action for a telecom subscriber."""

__version__ = "1.0.0"
