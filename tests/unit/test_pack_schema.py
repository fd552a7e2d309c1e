"""The JSON Schema of a pack's YAML: what editors complete and validate with."""

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from app.api.export import FOLDER, schemas
from app.engine.pack.schema import pack_schema
from app.workbench.suites.schema import suite_schema

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PACK_FILES = sorted(path for folder in ("rules", "policies") for path in (ROOT / folder).rglob("*.yaml") if "tests" not in path.parts)
SUITES = sorted((ROOT / "policies" / "tests").glob("*.yaml"))
VALID, VALID_SUITE = jsonschema_rs.validator_for(pack_schema()), jsonschema_rs.validator_for(suite_schema())


class _AsEditorsRead(yaml.SafeLoader):
    """YAML 1.2's core: dates are texts, and only `true` and `false` are truth values."""


_AsEditorsRead.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if not tag.endswith((":timestamp", ":bool", ":merge"))]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_AsEditorsRead.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])


def read(text: str) -> Any:
    return yaml.load(text, _AsEditorsRead)  # noqa: S506 - a subclass of the safe loader


@pytest.mark.parametrize("path", PACK_FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_reference_pack_is_valid(path: Path) -> None:
    """No file of the reference pack has a line under it in an editor."""
    assert [(error.instance_path, error.message) for error in VALID.iter_errors(read(path.read_text("utf-8")))] == []


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.name)
def test_its_suites_are_valid(path: Path) -> None:
    """Nor has a suite."""
    assert [(error.instance_path, error.message) for error in VALID_SUITE.iter_errors(read(path.read_text("utf-8")))] == []


def test_the_schemas_that_editors_load_are_those_of_the_code() -> None:
    """`make openapi` writes them; an old file would underline what is right."""
    assert {name: (FOLDER / name).read_bytes() for name in schemas()} == schemas()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("signal: []", "signal"),
        ("signals: [{id: a.b, title: {en: A, zh: B}, reason: {en: A, zh: B}}]", "levels"),
        ("signals: [{id: a.b, title: {en: A}, levels: [{high: 'true'}], reason: {en: A, zh: B}}]", "zh"),
        ("parameters: [{id: floor, is: 3, why: {en: A, zh: B}}]", "^param"),
        ("action: x\nkind: offers", "offers"),
        ("tariffs: [{id: p, fee: dear}]", "dear"),
    ],
)
def test_slips_are_marked_while_typing(text: str, where: str) -> None:
    """A key or word that is none, a text in one language, an id of the wrong form, a fee that is no number."""
    assert where in " ".join(error.message for error in VALID.iter_errors(read(text)))


def test_numbers_and_truth_values_need_no_quotes() -> None:
    """`value: 5900`, `when: true`: what reads as a text in a pack is a number to an editor, and valid."""
    text = "facts: [{id: facts.a, title: {en: A, zh: B}, is: 5900}]\nquestions: [{fact: plan.id, who: both, when: true, en: A, zh: B}]"
    assert list(VALID.iter_errors(read(text))) == []
