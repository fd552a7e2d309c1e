"""The reference pages hold everything the code has, as the code has it."""

from __future__ import annotations

import ast
import datetime
import importlib.util
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from pydantic import BaseModel

from app.api.problems import KINDS
from app.campaign.cells import UNITS
from app.campaign.mapping import Origin, _Document
from app.cli import app as command_line
from app.engine.decision import Cause, EmptyBecause
from app.engine.functions import FUNCTIONS
from app.engine.interpret import interpret
from app.engine.language import parse
from app.engine.pack import documents, read_folder
from app.engine.pack.checking import TEXT_NAMES, Parts, check
from app.engine.pack.documents import ActionDocument, Document
from app.engine.pack.names import ACTION_NAMES, CLOCK_NAMES, TARIFF_NAMES
from app.engine.pack.reading import read_files
from app.engine.patterns import LARGEST_JOIN, LONGEST_COLUMN, MOST_FACTS
from app.engine.patterns.comparison import MOST_ALTERNATIVES, MOST_LINKS
from app.engine.patterns.problems import MOST_ABSENT
from app.engine.problems import Place
from app.engine.texts import FORMATS, shown
from app.engine.tree import BOOLEAN, And, Node, Not, Or, Ref
from app.engine.view import EVERYTHING, _limited
from app.settings import PREFIX, Settings
from tests.docs.pages import ROOT, quoted, rows, sections

pytestmark = pytest.mark.unit

DOCS = ROOT / "docs"
LANGUAGE = sections(DOCS / "rule-language.md")
PACK = sections(DOCS / "pack.md")
WORDS = {"true": True, "false": False, "unknown": None}


@pytest.fixture(scope="module")
def parts() -> Parts:
    """The pack of the checkout, checked."""
    draft = read_files(read_folder(ROOT))
    found = check(draft)
    assert found is not None
    assert not draft.problems
    return found


# The rule language


def signatures() -> list[list[str]]:
    """The rows of the tables of functions."""
    return [row for text in LANGUAGE.values() if "| function |" in text for row in rows(text)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented(name: str) -> None:
    """With its meaning in both languages and its example, word for word."""
    function = FUNCTIONS[name]
    found = [row for row in signatures() if row[0].startswith(f"`{name}(")]
    assert len(found) == 1
    signature, meaning, meaning_zh, example = found[0]
    assert (meaning, meaning_zh, example) == (function.meaning, function.meaning_zh, f"`{function.example}`")
    assert all(f"{option}=" in signature for option in function.options if option != "*")


def test_no_function_is_documented_that_does_not_exist() -> None:
    """A signature in a table of functions is one of ours."""
    written = {row[0].strip("`").partition("(")[0] for row in signatures()}
    assert written == set(FUNCTIONS)


def test_the_formats_show_what_the_page_says() -> None:
    """Each format of text slots, with a value and how it reads in both languages."""
    given: dict[str, Any] = {"date": datetime.date(2026, 11, 22).toordinal(), "text": "plan_59", "percent": 0.35}
    table = {row[0].strip("`"): row[1:] for row in rows(LANGUAGE["Formats of text slots"])}
    assert table.keys() == FORMATS.keys()
    for form, (value, en, zh) in table.items():
        actual = given.get(form) or int(value)
        assert (shown(actual, form, "en"), shown(actual, form, "zh")) == (en, zh)


def test_the_tables_of_three_values_are_the_engine_s() -> None:
    """Every row of Kleene's tables, evaluated."""
    a, b = Ref("a", BOOLEAN), Ref("b", BOOLEAN)
    table = rows(LANGUAGE["Three values"])
    junctions = [row for row in table if len(row) == 4]
    assert {(row[0], row[1]) for row in junctions} == set(product(WORDS, WORDS))
    for one, other, both, either in junctions:
        assert _evaluated(And((a, b)), one, other) is WORDS[both]
        assert _evaluated(Or((a, b)), one, other) is WORDS[either]
    negations = [row for row in table if len(row) == 2]
    assert {row[0] for row in negations} == set(WORDS)
    for one, negated in negations:
        assert _evaluated(Not(a), one) is WORDS[negated]


def _evaluated(node: Node, *given: str) -> Any:
    values = {name: WORDS[word] for name, word in zip("ab", given, strict=False)}
    return interpret(node, lambda item: values[item.name] if isinstance(item, Ref) else None)


def mistakes() -> Iterator[tuple[str, str, str]]:
    for written, code, said in rows(LANGUAGE["Mistakes"]):
        yield written[1:-1], code[1:-1], said


@pytest.mark.parametrize(("written", "code", "said"), list(mistakes()), ids=[item[0] for item in mistakes()])
def test_the_mistakes_are_told_as_the_page_says(parts: Parts, written: str, code: str, said: str) -> None:
    """Each expression of the table, in a signal of the pack of the checkout."""
    _, problems = parse(written, Place(), parts.scopes.names())
    assert [(problem.code, f"{problem.message}; {problem.hint}".removesuffix("; ")) for problem in problems] == [(code, said)]


def test_the_names_of_each_place_are_documented() -> None:
    """`action.*`, `tariff.*`, `clock.*` and what texts add."""
    assert {*ACTION_NAMES, *TARIFF_NAMES, *CLOCK_NAMES} <= quoted(LANGUAGE["Names by place"])
    assert set(TEXT_NAMES) <= quoted(LANGUAGE["Formats of text slots"])


# The pack


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key a part may have, those of the parts in it too, but for the two languages of a text."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in _models(field.annotation):
            if inner is not documents.Words:
                yield from keys(inner)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def first_column(text: str) -> set[str]:
    return {name for row in rows(text) for name in quoted(row[0])}


@pytest.mark.parametrize("key", Document.model_fields)
def test_every_key_of_a_pack_is_documented(key: str) -> None:
    """Each top-level key has a section, each key below it a line there; what a part shares with another may be told in prose."""
    text = PACK[key]
    for model in _models(Document.model_fields[key].annotation):
        assert set(keys(model)) - _shared(key) <= (quoted(text) if key == "fallback" else first_column(text) | quoted(text))


def _shared(key: str) -> set[str]:
    """What a section may leave to another by saying `as under …`."""
    if key != "guardrails":
        return set()
    assert "as under `contact:`" in PACK[key]
    return set(keys(documents.ContactPart))


def test_every_key_of_an_action_is_documented() -> None:
    """One line each, and no line for a key that is none."""
    assert first_column(PACK["Actions"]) == set(keys(ActionDocument)) - {"if", "is"}


def test_no_section_documents_a_key_that_does_not_exist() -> None:
    """A line for a key stands only where the schema has it."""
    for key, field in Document.model_fields.items():
        known = {name for model in _models(field.annotation) for name in keys(model)} | {"if", "is", "en", "zh"}
        assert first_column(PACK[key]) <= known, key


def codes() -> set[str]:
    """Problem codes in the engine's source: literal arguments of what makes a problem."""
    place_of_code = {"Problem": 1, "_Refused": 1, "wrong": 1, "_Wrong": 3}
    found = set()
    for file in (ROOT / "app" / "engine").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
                arguments = node.args[place_of_code[name] :][:1] if name in place_of_code else []
                found |= {item.value for item in arguments if isinstance(item, ast.Constant) and isinstance(item.value, str)}
                found |= {str(item.value.value) for item in node.keywords if item.arg == "code" and isinstance(item.value, ast.Constant)}
    return found - {""} | {"expression"}


def test_every_problem_code_is_documented() -> None:
    """Those the engine can tell, and no other."""
    assert first_column(PACK["What pack check refuses"]) == codes()


def test_the_parts_of_a_pack_s_folder_are_those_on_the_page() -> None:
    """Each file and folder that the page lists is there."""
    listed = PACK["The pack"].split("```")[1].split("\n")
    names, folder = [], ""
    for line in listed:
        if line.endswith("/") and not line.startswith(" "):
            folder = line
        names += [folder + word for word in line.split() if word.endswith(".yaml") or (line.startswith(" ") and word.endswith("/"))]
    assert len(names) > 15
    assert not [name for name in names if not (ROOT / name).exists()]


# What the other pages list


def test_the_vocabulary_page_is_up_to_date() -> None:
    """It is what `python docs/make_vocabulary.py` writes."""
    spec = importlib.util.spec_from_file_location("make_vocabulary", DOCS / "make_vocabulary.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), "run python docs/make_vocabulary.py"


def test_every_cause_is_documented() -> None:
    """Causes of actions, and of an empty list."""
    page = sections(DOCS / "decision.md")
    assert set(get_args(Cause)) <= quoted(page["One cause for every action"])
    assert set(get_args(EmptyBecause)) <= quoted(PACK["fallback"])


def test_every_key_of_a_mapping_is_documented() -> None:
    """Of the file and of a fact in it, and no other; every unit too."""
    page = sections(DOCS / "mapping.md")
    assert first_column(page["The file"]) == set(_Document.model_fields)
    assert first_column(page["How a fact is made"]) == set(Origin.model_fields)
    assert {unit for unit, _ in UNITS} <= quoted(page["How a fact is made"])


def test_every_endpoint_is_documented() -> None:
    """Those of the exported document, and the document itself; and every field of a request."""
    import yaml

    document = yaml.safe_load((ROOT / "openapi" / "wanliu.v1.yaml").read_text(encoding="utf-8"))
    calls = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    page = sections(DOCS / "api.md")
    assert first_column(page["The API"]) == calls | {"GET /openapi.json"}
    assert first_column(page["POST /v1/decisions"]) >= {
        *document["components"]["schemas"]["DecisionRequest"]["properties"],
        *document["components"]["schemas"]["DecisionAnswer"]["properties"],
    } - {"decided_at"}


def test_every_kind_of_error_is_documented() -> None:
    """With its status."""
    table = {row[0].strip("`"): row[1] for row in rows(sections(DOCS / "api.md")["Errors"])}
    assert table == {name: str(kind.status) for name, kind in KINDS.items()}


def test_every_role_is_documented() -> None:
    """With what it sees."""
    assert first_column(sections(DOCS / "api.md")["Roles"]) == {*EVERYTHING, *_limited}


def test_every_setting_is_documented() -> None:
    """With its default."""
    table = {row[0].strip("`"): row[1].strip("`") for row in rows((DOCS / "settings.md").read_text(encoding="utf-8"))}
    defaults = {f"{PREFIX}{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    assert table == {name: "" if value is None else str(value) for name, value in defaults.items()}


def test_every_command_and_option_is_documented() -> None:
    """Of the command line, and no option that does not exist."""
    page = sections(DOCS / "cli.md")
    told = {word for text in page.values() for word in quoted(text)}
    known = {"--help"}
    for name, command in _commands(typer.main.get_command(command_line)):
        assert any(word.startswith(name) for word in quoted(page["The command line"])), name
        for parameter in command.params:
            known |= set(parameter.opts)
            if not getattr(parameter, "hidden", False):
                assert parameter.param_type_name == "argument" or any(set(word.split()) & set(parameter.opts) for word in told), (
                    parameter.opts
                )
    assert {word.partition(" ")[0] for word in told if word.startswith("--")} <= known


def _commands(group: Any, prefix: str = "wanliu") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def test_the_bounds_of_patterns_are_those_of_the_code() -> None:
    """Figures in the table are the constants."""
    bounds = {row[0]: row[1] for row in rows(sections(DOCS / "patterns.md")["What a join may say"]) if row[1:] and row[1][:1].isdigit()}
    assert [int(value.partition(":")[0].replace(",", "")) for value in bounds.values()] == [
        MOST_FACTS,
        MOST_LINKS,
        MOST_ALTERNATIVES,
        MOST_ABSENT,
        LONGEST_COLUMN,
        LARGEST_JOIN,
    ]


def test_every_file_of_the_tree_that_the_readme_names_is_there() -> None:
    """Both READMEs."""
    for name in ("README.md", "README.zh.md"):
        words = {word for word in quoted((ROOT / name).read_text(encoding="utf-8")) if word.endswith(("/", ".yaml")) and " " not in word}
        folders = (ROOT, ROOT / "rules", ROOT / "policies")
        assert not {word for word in words if "*" not in word and not any((folder / word).exists() for folder in folders)}
        assert Path(ROOT / name).exists()
