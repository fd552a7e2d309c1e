"""The YAML of suites as JSON Schema, for editors."""

from __future__ import annotations

from typing import Any

from app.engine.pack.schema import schema_of
from app.workbench.suites.documents import SuiteDocument


def suite_schema() -> dict[str, Any]:
    """The schema of a file in `policies/tests/`."""
    return schema_of("Tests of a Wanliu pack", SuiteDocument)
