"""The reference pages hold everything the code has, as the code has it."""

from __future__ import annotations

import ast
import datetime
import hashlib
import importlib.util
import json
import textwrap
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from pydantic import BaseModel

from app.api.application import create_app
from app.api.problems import KINDS
from app.campaign.cells import UNITS
from app.campaign.mapping import Origin, _Document, load_mapping
from app.cli import app as command_line
from app.cli.labels import KINDS as KINDS_OF_PARTS
from app.cli.labels import word
from app.engine.arbitration import score
from app.engine.decide import decide
from app.engine.decision import Cause, EmptyBecause
from app.engine.facts import read_facts
from app.engine.functions import FUNCTIONS
from app.engine.intake import RequestError, parse_request, take
from app.engine.interpret import interpret
from app.engine.language import parse
from app.engine.pack import LARGEST_PACK, MOST_FILES, check_files, digest_of, documents, load_pack, read_folder
from app.engine.pack.checking import TEXT_NAMES, Parts, check
from app.engine.pack.codes import CODES
from app.engine.pack.documents import ActionDocument, Document
from app.engine.pack.names import ACTION_NAMES, CLOCK_NAMES, TARIFF_NAMES
from app.engine.pack.reading import MOST_PROBLEMS, MOST_VALUES, read_files
from app.engine.pack.source import DEEPEST, LARGEST_FILE, MOST_NODES, read
from app.engine.patterns import LARGEST_JOIN, LONGEST_COLUMN, MOST_FACTS
from app.engine.patterns.comparison import MOST_ALTERNATIVES, MOST_LINKS
from app.engine.patterns.problems import MOST_ABSENT
from app.engine.problems import Place
from app.engine.signals import recognise
from app.engine.texts import FORMATS, shown
from app.engine.tree import BOOLEAN, And, Node, Not, Or, Ref
from app.engine.view import EVERYTHING, _limited
from app.settings import PREFIX, Settings
from tests.docs.pages import ROOT, blocks, quoted, rows, sections

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


def test_every_problem_code_is_listed() -> None:
    """Those the engine can tell have a meaning, and with it a page under docs/checks."""
    assert codes() <= set(CODES)


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


def test_the_bounds_of_a_pack_are_those_of_the_code() -> None:
    """Files, values, sizes, depth, mistakes that are told."""
    text, checks = PACK["Writing YAML here"], DOCS / "checks"
    assert f"deeper than {DEEPEST}, more than {MOST_NODES:,} values or {LARGEST_FILE // 1024} KB in a file" in text
    pack = f"{MOST_FILES:,} files, {MOST_VALUES:,} values or {LARGEST_PACK // 1024**2} MB"
    assert f"more than {pack} in a pack" in text
    assert f"{MOST_FILES:,} files, {MOST_VALUES:,} values and {LARGEST_PACK // 1024**2} MB" in (checks / "pack-too-large.md").read_text(
        "utf-8"
    )
    assert f"the first {MOST_PROBLEMS}" in PACK["What pack check finds"]


def test_the_digest_is_made_as_the_page_says() -> None:
    """Over the files by path, each as length, path, length, content."""
    files = {"rules/b.yaml": "二: 2\n".encode(), "policies/a.yaml": b"one: 1\n"}
    paths = sorted(files)
    written = b"".join(b"%d %s %d %s" % (len(path.encode()), path.encode(), len(files[path]), files[path]) for path in paths)
    assert digest_of(files) == f"sha256:{hashlib.sha256(written).hexdigest()}"


def test_the_action_that_the_page_adds_is_accepted() -> None:
    """Word for word, in the pack of the checkout."""
    (written,) = (lines for language, lines in blocks(DOCS / "pack.md") if language == "yaml")
    text = textwrap.dedent("\n".join(written))
    assert check_files({**read_folder(ROOT), "policies/prevention/price_before_call.yaml": text.encode()}) == ()


# The worked example


def test_the_figures_of_the_worked_example_are_the_engine_s() -> None:
    """The table of scores, and the counts in its prose."""
    pack = load_pack(ROOT, pattern_engine="builtin")
    request = parse_request((ROOT / "examples" / "03-high-traffic.json").read_bytes()).model_copy(update={"mode": "what_if"})
    case = take(pack, request, now=datetime.datetime.now(datetime.UTC), role="development")
    decision = decide(pack, case)
    page = sections(DOCS / "decision.md")["One case, end to end"]
    permitted = {item.action for item in decision.ranked} | {item.action for item in decision.outcomes if item.cause == "outranked"}
    facts = read_facts(pack, case)
    recognise(pack, facts)
    pack.gates(facts.values, facts.around)
    table = {row[0].strip("`"): row[1:] for row in rows(page)}
    assert table.keys() == permitted
    for name, (duty, *figures) in table.items():
        item = score(pack, facts, pack.by_id[name]).ranked
        assert duty == item.duty
        shown_figures = [item.propensity, round(item.value or 0), item.relevance, item.lever, round(item.score)]
        assert [float(figure.replace(",", "")) for figure in figures] == shown_figures
    (lost,) = (item for item in decision.outcomes if item.clause == "max_actions")
    assert f"by `{lost.lost_to}`, and {lost.behind:,.0f} behind it" in page
    assert f"All {len(pack.actions)} actions pass by" in page


# What the other pages list


@pytest.mark.parametrize("name", ["rule-language.md", "pack.md", "patterns.md", "mapping.md"])
def test_the_yaml_of_the_pages_is_in_the_safe_subset(name: str) -> None:
    """Every block can be read as part of a pack or mapping."""
    found = [lines for language, lines in blocks(DOCS / name) if language == "yaml"]
    assert found
    for lines in found:
        assert read(name, textwrap.dedent("\n".join(lines)).encode())[1] == []


def test_the_mapping_of_the_page_is_accepted(tmp_path: Path) -> None:
    """As a file of its own."""
    (lines,) = (lines for language, lines in blocks(DOCS / "mapping.md") if language == "yaml")
    (tmp_path / "map.yaml").write_text("\n".join(lines), encoding="utf-8")
    assert load_mapping(tmp_path / "map.yaml").as_of is not None


def test_the_request_and_the_error_of_the_page_are_real() -> None:
    """The request is taken; the field of the error is told in the words of the page."""
    request, _, error = (json.loads("\n".join(lines)) for language, lines in blocks(DOCS / "api.md") if language == "json")
    parse_request(json.dumps(request).encode())
    request["subscriber"]["plan"] = {"monthly_fe": 2900}
    with pytest.raises(RequestError) as refused:
        parse_request(json.dumps(request).encode())
    assert [{"field": item.field, "message": item.message} for item in refused.value.problems] == error["errors"]
    kind = KINDS[error["type"].rpartition(":")[2]]
    assert (error["title"], error["status"]) == (kind.title, kind.status)


def test_the_answer_of_the_page_has_the_fields_of_an_answer() -> None:
    """No key that the API's document does not know."""
    _, answer, _ = (json.loads("\n".join(lines)) for language, lines in blocks(DOCS / "api.md") if language == "json")
    schemas = _document()["components"]["schemas"]
    assert answer.keys() <= schemas["DecisionAnswer"]["properties"].keys()
    assert answer["actions"][0].keys() <= schemas["ActionAnswer"]["properties"].keys()
    assert answer["signals"][0].keys() <= schemas["SignalAnswer"]["properties"].keys()


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
    document = _document()
    calls = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    page = sections(DOCS / "api.md")
    assert first_column(page["The API"]) == calls | {"GET /openapi.json", "GET /docs"}
    assert first_column(page["POST /v1/decisions"]) >= {
        *document["components"]["schemas"]["DecisionRequest"]["properties"],
        *document["components"]["schemas"]["DecisionAnswer"]["properties"],
    } - {"decided_at"}


def _document() -> Any:
    return create_app(Settings()).openapi()


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
    told = {name: ",".join(value) if isinstance(value, tuple) else str(value) for name, value in defaults.items() if value is not None}
    assert table == {**dict.fromkeys(defaults, ""), **told}


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


def test_the_glossary_has_the_words_of_the_command_line() -> None:
    """Chinese words for codes are the same on both."""
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    for alias in (documents.LevelWord, documents.ActionKind, documents.Lever, documents.Duty, documents.Confirm):
        for code in get_args(alias):
            assert f"`{code}` {word(code, 'zh')}" in text, code
    for cause in ("suppressed", "guardrail", "outranked"):
        assert f"| {cause} | {word(cause, 'zh')} |" in text
    for english, chinese in (pair for kind, pair in KINDS_OF_PARTS.items() if kind not in ("events", "contact", "question")):
        assert f"| {english} | {chinese} |" in text


def test_the_readmes_count_what_is_there() -> None:
    """The number of examples."""
    count = len(list((ROOT / "examples").glob("*.json")))
    assert f"holds {count} invented subscribers" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{count}位虚构用户" in (ROOT / "README.zh.md").read_text(encoding="utf-8")
