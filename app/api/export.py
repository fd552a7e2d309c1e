"""Writes the API's document to `openapi/wanliu.v1.yaml`: `python -m app.api.export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from app.api.application import create_app
from app.settings import Settings

FILE = Path(__file__).parents[2] / "openapi" / "wanliu.v1.yaml"


class _Dumper(yaml.SafeDumper):
    """Text of several lines stands as several lines, and nothing is an alias of something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def exported() -> str:
    """The document as YAML; the same code gives the same text."""
    return yaml.dump(create_app(Settings()).openapi(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=140)


def main() -> None:
    """Write the file."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(exported(), encoding="utf-8")


if __name__ == "__main__":
    main()
