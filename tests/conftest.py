"""Fixtures that tests of every folder may ask for."""

import os

import pytest

from app.garbage import settle_memory

os.environ["LC_ALL"] = "C.UTF-8"  # commands speak the environment's language; tests expect English unless they ask
pytest_plugins = ["tests.databases", "tests.followed", "tests.loaded"]


@pytest.fixture(scope="module", autouse=True)
def _settled() -> None:
    """As the service does: what earlier modules left is not walked through again whenever garbage is looked for."""
    settle_memory()
