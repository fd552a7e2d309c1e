"""Asks every example of a real application and writes its answer beside it: `python -m tests.contract.lay_down_examples [operation …]`.

For a new operation, or one whose answer has changed. `make openapi` afterwards.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.exemplary import FOLDER, Examples, examples_of
from tests.contract.standing_in import Stage, settings_for_callbacks
from tests.packs_in_force import add_callers, settings_in, version, write


def main(names: list[str]) -> None:
    """Write the answers of these operations, or of all that have none."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder / "pack", version("1.0.0"))
        settings = settings_in(folder)
        keys = add_callers(settings, ann="author", bob="approver")
        development = settings_for_callbacks(folder)
        with TestClient(create_app(development)) as http, TestClient(create_app(settings)) as company:
            stage = Stage(http, company, keys)
            document: Any = http.get("/openapi.json").json()
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    found = examples_of(operation["operationId"])
                    if operation["operationId"] in names or not (names or found.answers):
                        _lay_down(stage, method.upper(), path, operation, found)


def _lay_down(stage: Stage, method: str, path: str, operation: dict[str, Any], found: Examples) -> None:
    answers: dict[int, Any] = {}
    for sent in found.requests.values() or (None,):
        answer = stage.send(method, path, operation, sent)
        media = answer.headers.get("content-type", "")
        if answer.is_success and answer.content and answer.status_code not in answers and "json" in media:
            answers[answer.status_code] = _lines(answer.text) if "ndjson" in media else _short(answer.json())
        elif not answer.is_success and (sent is None or sent.status is None):
            sys.stderr.write(f"{operation['operationId']}: {answer.status_code} {answer.text[:300]}\n")
    if answers:
        file = FOLDER / f"{operation['operationId']}.yaml"
        kept = {**found.model_dump(exclude_unset=True), "answers": answers}
        file.write_text(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=140, default_flow_style=None), "utf-8")


def _short(value: Any) -> Any:
    """The first two of whatever there are many of."""
    if isinstance(value, list):
        return [_short(item) for item in value[:2]]
    return {key: _short(item) for key, item in value.items()} if isinstance(value, dict) else value


def _lines(text: str) -> str:
    return "".join(f"{json.dumps(_short(json.loads(line)), ensure_ascii=False)}\n" for line in text.splitlines())


if __name__ == "__main__":
    main(sys.argv[1:])
