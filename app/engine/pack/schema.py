"""The YAML of a pack as JSON Schema, so that editors complete, explain and validate it while it is written.

Made from the models that read the pack (`documents`), so the two cannot differ. Scalars stand in a pack without quotes where their
text is a number or a truth value (`value: 5900`, `when: true`); editors see those as numbers, so every text may be one.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from app.engine.pack.documents import ActionDocument, Document

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The draft that editors' YAML support is built on."""


class _AsWritten(GenerateJsonSchema):
    """Scalars as they stand in YAML: a text may look like a number, and is one to an editor."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        made = super().str_schema(schema)
        return made if "pattern" in made else {**made, "type": ["string", "number", "boolean"]}


def pack_schema() -> dict[str, Any]:
    """The schema of a file of rules or policies: an action where it has the key `action:`, else anything a document may hold."""
    return closed("A file of a Wanliu pack", ActionDocument, Document, told_by="action")


def closed(title: str, one: type[BaseModel], other: type[BaseModel], *, told_by: str) -> dict[str, Any]:
    """The schema of a file that is `one` where it has the key `told_by`, else `other`."""
    _, made = models_json_schema([(one, "validation"), (other, "validation")], by_alias=True, schema_generator=_AsWritten)
    definitions = {name: _plain(part) for name, part in made["$defs"].items()}
    return {
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "if": {"required": [told_by]},
        "then": {"$ref": f"#/definitions/{one.__name__}"},
        "else": {"$ref": f"#/definitions/{other.__name__}"},
        "definitions": definitions,
    }


def _plain(node: Any) -> Any:
    """The schema without what only repeats the key's name, its references where draft 7 has them."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _plain(value) for key, value in node.items() if key != "title" or not isinstance(value, str)}
    if isinstance(kept.get("$ref"), str):
        kept["$ref"] = kept["$ref"].replace("#/$defs/", "#/definitions/")
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(kept["description"].split())
    return kept
