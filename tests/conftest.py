"""Fixtures that tests of every folder may ask for."""

import os

os.environ["LC_ALL"] = "C.UTF-8"  # commands speak the environment's language; tests expect English unless they ask
pytest_plugins = ["tests.databases", "tests.followed"]
