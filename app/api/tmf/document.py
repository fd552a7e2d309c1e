"""The OpenAPI 3.1 document of this door alone, taken from that of the whole API: with the paths as TM Forum's documents have them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from app.api.tmf.places import INTERACTIONS, PREFIXES

_REFERENCE = "#/components/"
_DESCRIPTION = """\
What Wanliu serves of TM Forum's TMF680 (Recommendation) v4.0.0, under two prefixes, and of TMF683 (Party Interaction) v4.0.0. Requests are
taken liberally: an object where an array belongs, a number or "true" as text, null for left out. Answers keep TM Forum's documents; what
they have beside is in shapes of our own, named by `@type`.

A recommendation is a decision, live and on the record; docs/tmf.md tells which attribute is which fact.
"""


def tmf_document(whole: Mapping[str, Any]) -> dict[str, Any]:
    """The document of this door.

    Args:
        whole: that of the API.
    """
    paths = {**_under(whole["paths"], PREFIXES[0]), **_under(whole["paths"], INTERACTIONS, servers=[{"url": INTERACTIONS}])}
    used = _used(whole, paths)
    info = {"title": "Wanliu: recommendations (TMF680) and interactions (TMF683)", "version": whole["info"]["version"]}
    return {
        "openapi": whole["openapi"],
        "info": {**info, "description": _DESCRIPTION},
        "servers": [{"url": prefix} for prefix in PREFIXES],
        "paths": paths,
        "components": {**used, "securitySchemes": whole["components"]["securitySchemes"]},
    }


def _under(paths: Mapping[str, Any], prefix: str, **beside: Any) -> dict[str, Any]:
    """The paths that begin with a prefix, without it."""
    return {path.removeprefix(prefix): {**beside, **copy.deepcopy(item)} for path, item in paths.items() if path.startswith(f"{prefix}/")}


def _used(whole: Mapping[str, Any], paths: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The components that paths refer to, and those that these refer to, in the order of the whole."""
    wanted: set[tuple[str, str]] = set()
    left = list(_references(paths))
    while left:
        kind, name = left.pop()
        if (kind, name) not in wanted:
            wanted.add((kind, name))
            left += _references(whole["components"][kind][name])
    return {
        kind: found
        for kind, parts in whole["components"].items()
        if (found := {name: part for name, part in parts.items() if (kind, name) in wanted})
    }


def _references(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, list):
        for item in part:
            yield from _references(item)
    elif isinstance(part, dict):
        for name, item in part.items():
            if name == "$ref" and isinstance(item, str) and item.startswith(_REFERENCE):
                kind, _, component = item.removeprefix(_REFERENCE).partition("/")
                yield kind, component
            else:
                yield from _references(item)
