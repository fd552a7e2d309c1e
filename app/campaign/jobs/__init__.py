"""Campaigns that callers commission over HTTP: what may be asked for, and the worker that runs them part by part, several by turns."""
