"""What calls look like in practice: requests and answers from `app/api/examples/`, for the document, the page and the tests."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue

FOLDER = Path(__file__).parent / "examples"
PARAMETERS = FOLDER / "_parameters.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Sent(BaseModel):
    """A request: its body, its parameters, and the status that it gives; left out, the first good one.

    `answer` is what it gives, where that is worth showing beside the operation's own example.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str
    body: JsonValue = None
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    status: int | None = None
    answer: JsonValue = None


class Examples(BaseModel):
    """Examples of an operation: requests by name, parameters of all of them, answers by status."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    requests: dict[str, Sent] = Field(default_factory=dict)
    answers: dict[int, JsonValue] = Field(default_factory=dict)


@functools.cache
def examples_of(operation: str) -> Examples:
    """The examples of an operation; none where nobody has written any.

    Raises:
        ValidationError: its file is not what it should be.
    """
    file = FOLDER / f"{operation}.yaml"
    return Examples.model_validate(_read(file)) if file.exists() else Examples()


@functools.cache
def usual_parameters() -> Mapping[str, JsonValue]:
    """What parameters look like that mean the same in every call."""
    found: Mapping[str, JsonValue] = _read(PARAMETERS)
    return found


def show(operation: dict[str, Any]) -> None:
    """Put the examples of an operation of the document where OpenAPI has them."""
    found = examples_of(operation["operationId"])
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        chosen = {
            told: {"summary": sent.summary, "value": sent.parameters[name]}
            for told, sent in found.requests.items()
            if name in sent.parameters
        }
        if chosen:
            parameter["examples"] = chosen
        elif name in found.parameters or (parameter.get("required") and name in usual_parameters()):
            parameter["example"] = found.parameters.get(name, usual_parameters().get(name))
    for media in operation.get("requestBody", {}).get("content", {}).values():
        media["examples"] = {name: _example(sent.summary, sent.body) for name, sent in found.requests.items()}
    for status, answer in found.answers.items():
        for media in operation["responses"].get(str(status), {}).get("content", {}).values():
            media["examples"] = {"answer": {"value": answer}}
    good = min(status for status in operation["responses"] if status.startswith("2"))
    for name, sent in found.requests.items():
        for media in operation["responses"][str(sent.status or good)].get("content", {}).values() if sent.answer is not None else ():
            media.setdefault("examples", {})[name] = _example(sent.summary, sent.answer)


def _example(summary: str, value: JsonValue) -> dict[str, JsonValue]:
    return {"summary": summary, "value": value}


def _read(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe
