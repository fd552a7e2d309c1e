"""Deciding for a whole file: its columns mapped to facts, its rows decided or refused one by one, and a summary."""
