"""The examples of the API's document: every operation has some, they give what they say, and the answers have the shape they should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.exemplary import FOLDER, Sent, examples_of
from tests.contract.documented import EXPORTED, OPERATIONS
from tests.contract.standing_in import Stage, settings_for_callbacks
from tests.packs_in_force import add_callers, settings_in, version, write

pytestmark = pytest.mark.contract

REQUESTS = [
    pytest.param(name, sent, id=f"{name}-{told}")
    for name in OPERATIONS
    for told, sent in (examples_of(name).requests or {"plain": None}).items()
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("company")
    write(folder / "pack", version("1.0.0"))
    settings = settings_in(folder)
    keys = add_callers(settings, ann="author", bob="approver")
    development = settings_for_callbacks(folder)
    with TestClient(create_app(settings)) as company, TestClient(create_app(development)) as http:
        yield Stage(http, company, keys)


def good(operation: dict[str, Any]) -> int:
    return min(int(status) for status in operation["responses"] if status.startswith("2"))


def fits(value: Any, schema: Any) -> None:
    """See that a value is what a schema of the document says."""
    whole = {**schema, "components": EXPORTED["components"]}
    errors = [f"{list(error.instance_path)}: {error.message}" for error in jsonschema_rs.validator_for(whole).iter_errors(value)]
    assert not errors, errors


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_examples(name: str) -> None:
    """Of what is sent, where anything is, and of every good answer that has a body; and of each problem."""
    operation = OPERATIONS[name][2]
    assert (FOLDER / f"{name}.yaml").exists(), f"write app/api/examples/{name}.yaml"
    for media in operation.get("requestBody", {}).get("content", {}).values():
        assert media["examples"]
    for status, response in operation["responses"].items():
        for kind, media in response.get("content", {}).items():
            if (kind.startswith("application/") and "json" in kind) or status >= "4":
                assert media.get("examples"), f"{status} {kind}"
    for parameter in operation.get("parameters", ()):
        assert not parameter.get("required") or "example" in parameter, parameter["name"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_examples_have_the_shape_they_should(name: str) -> None:
    """Bodies that are accepted, and every answer."""
    operation = OPERATIONS[name][2]
    for told, sent in examples_of(name).requests.items():
        for media in operation["requestBody"]["content"].values() if sent.body is not None and (sent.status or 200) < 400 else ():
            fits(media["examples"][told]["value"], media["schema"])
    for response in operation["responses"].values():
        for media in response.get("content", {}).values():
            for example in media.get("examples", {}).values():
                known = EXPORTED["components"]["examples"][example["$ref"].rpartition("/")[2]] if "$ref" in example else example
                if "schema" in media:
                    fits(known["value"], media["schema"])


def test_no_example_is_left_over() -> None:
    """Each file is of an operation that there is."""
    assert {file.stem for file in FOLDER.glob("*.yaml")} - {"_parameters"} <= OPERATIONS.keys()


def _names(value: Any) -> Any:
    """The fields of an answer, as deep as objects go."""
    return {name: _names(part) for name, part in value.items()} if isinstance(value, dict) else None


@pytest.mark.parametrize(("name", "sent"), REQUESTS)
def test_examples_give_what_they_say(stage: Stage, name: str, sent: Sent | None) -> None:
    """Each request, sent to the application; its answer is one that the document announces, and has the fields of the example."""
    method, path, operation = OPERATIONS[name]
    answer = stage.send(method, path, operation, sent)
    wanted = (sent and sent.status) or good(operation)
    assert answer.status_code == wanted, answer.text[:2_000]
    content = operation["responses"][str(wanted)].get("content", {})
    media = answer.headers.get("content-type", "").partition(";")[0]
    announced = next((known for kind, known in content.items() if kind.partition(";")[0] == media), None)
    assert announced is not None or not answer.content
    if announced is None or "json" not in media or "ndjson" in media:
        return
    fits(answer.json(), announced.get("schema", {}))
    if sent is not None and sent.answer is not None:
        assert _names(sent.answer) == _names(answer.json())
    shown = examples_of(name).answers.get(wanted)
    if isinstance(shown, dict) and sent in (None, next(iter(examples_of(name).requests.values()), None)):
        assert shown.keys() == answer.json().keys()
