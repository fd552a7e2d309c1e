"""Fixtures that tests of every folder may ask for."""

pytest_plugins = ["tests.databases", "tests.followed"]
