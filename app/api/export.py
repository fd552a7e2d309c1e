"""Writes the documents in `openapi/`, those of the API and of a pack's YAML: `python -m app.api.export`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from app.api.application import create_app
from app.api.tmf.document import tmf_document
from app.engine.pack.schema import pack_schema
from app.settings import Settings
from app.workbench.suites.schema import suite_schema

FOLDER = Path(__file__).parents[2] / "openapi"
FILE = FOLDER / "wanliu.v1.yaml"
TMF_FILE = FOLDER / "tmf680.v4.yaml"


class _Dumper(yaml.SafeDumper):
    """Text of several lines stands as several lines, and nothing is an alias of something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def exported() -> str:
    """The document as YAML; the same code gives the same text."""
    return _as_yaml(create_app(Settings()).openapi())


def exported_tmf() -> str:
    """The document of what is served of TM Forum's APIs, as YAML."""
    return _as_yaml(tmf_document(create_app(Settings()).openapi()))


def _as_yaml(document: Mapping[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=140)


def schemas() -> dict[str, bytes]:
    """The JSON Schemas of a pack's files and of its suites, by file name."""
    made = {"pack.schema.json": pack_schema(), "pack-tests.schema.json": suite_schema()}
    return {name: orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE) for name, schema in made.items()}


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    FILE.write_text(exported(), encoding="utf-8")
    TMF_FILE.write_text(exported_tmf(), encoding="utf-8")
    for name, content in schemas().items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
