"""Telling other systems what happened: who subscribed, which events wait, and delivering them, signed, at least once, in order."""
