"""The API's document as it is exported."""

from __future__ import annotations

from typing import Any

import yaml

from app.api.export import FILE

_loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
EXPORTED: dict[str, Any] = yaml.load(FILE.read_text(encoding="utf-8"), Loader=_loader)  # noqa: S506 - both are safe
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    item["operationId"]: (method.upper(), path, item) for path, methods in EXPORTED["paths"].items() for method, item in methods.items()
}
"""By operation, its method, its path and what is said of it."""
