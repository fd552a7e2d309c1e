"""The YAML of a pack as JSON Schema, so that editors complete, explain and validate it while it is written.

Made from the models that read the pack (`documents`), so the two cannot differ. Scalars stand in a pack without quotes where their
text is a number or a truth value (`value: 5900`, `when: true`); editors see those as numbers, so every text may be one.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from app.engine.pack.documents import ActionDocument, Document, listed

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The draft that editors' YAML support is built on."""
SCALAR = ["string", "number", "boolean"]


class _AsWritten(GenerateJsonSchema):
    """Values as they stand in YAML: a text may look like a number, and one of a list may stand alone."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        made = super().str_schema(schema)
        return made if "pattern" in made else {**made, "type": SCALAR}

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        made = super().function_before_schema(schema)
        return {"anyOf": [made, {"type": SCALAR}]} if schema["function"]["function"] is listed else made


def pack_schema() -> dict[str, Any]:
    """The schema of a file of rules or policies: an action where it has the key `action:`, else anything a document may hold."""
    return {
        **_head("A file of a Wanliu pack"),
        "if": {"required": ["action"]},
        "then": _reference(ActionDocument),
        "else": _reference(Document),
        "definitions": _definitions(ActionDocument, Document),
    }


def schema_of(title: str, model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a file that one model describes."""
    return {**_head(title), "allOf": [_reference(model)], "definitions": _definitions(model)}


def _head(title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, "title": title, "type": "object"}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/definitions/{model.__name__}"}


def _definitions(*models: type[BaseModel]) -> dict[str, Any]:
    _, made = models_json_schema([(model, "validation") for model in models], by_alias=True, schema_generator=_AsWritten)
    return {name: _plain(part) for name, part in made["$defs"].items()}


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
