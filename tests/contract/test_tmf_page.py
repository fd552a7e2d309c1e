"""docs/tmf.md: what it has a reader type works, and its tables are those of the code."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.tmf.channels import CHANNELS, OTHER_NAMES, channel_of
from app.api.tmf.given import EXTENSIONS, PASSED_OVER, RecommendationRequest
from app.api.tmf.interacting import OTHER_WORDS
from app.api.tmf.recommending import ATTRIBUTES
from app.record.keys import Keys
from tests.contract.conftest import ROOT
from tests.contract.tmf import RECOMMENDATIONS, Door, document, tmf_served
from tests.customers import Service
from tests.docs.pages import blocks, quoted, rows, sections, steps

pytestmark = pytest.mark.contract

PAGE = ROOT / "docs" / "tmf.md"
ADDRESS = "http://127.0.0.1:8000"
SAMPLE = "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b"


@pytest.fixture
def service(http: TestClient, keys: Keys, sqlite_url: str) -> Iterator[Service]:
    with tmf_served(http, keys, sqlite_url) as service:
        yield service


def test_the_calls_of_the_page_work(service: Service) -> None:
    """Top to bottom, the recommendation that was made first in the place of the page's; each answer keeps TM Forum's document."""
    door, made = Door(service), ""
    commands = [shlex.split(step.command) for step in steps(PAGE)]
    assert len(commands) == 6
    for words in commands:
        assert words[:2] == ["curl", "-s"]
        path = words[-1].removeprefix(ADDRESS).replace(SAMPLE, made)
        body = (
            json.loads(words[words.index("--json") + 1].replace(SAMPLE, made).replace("crm.example", "127.0.0.1:9"))
            if "--json" in words
            else None
        )
        response = door.call("GET", path) if body is None else door.call("POST", path, json=body)
        assert response.status_code == (200 if body is None else 201), response.text
        made = made or response.json()["id"]


def test_the_answer_of_the_page_is_that_of_its_call(service: Service) -> None:
    """Attribute by attribute; ids and times are others each time, and `…` stands for what is left out."""
    words = shlex.split(next(iter(steps(PAGE))).command)
    made = Door(service).call("POST", words[-1].removeprefix(ADDRESS), json=json.loads(words[words.index("--json") + 1])).json()
    (shown, *_) = (json.loads("\n".join(lines)) for language, lines in blocks(PAGE) if language == "json")
    text = json.dumps(made, ensure_ascii=False).replace(made["id"], SAMPLE).replace("http://wanliu", ADDRESS)
    _alike(shown, json.loads(text))


def _alike(shown: Any, given: Any, name: str = "") -> None:
    """Fails where a page shows something else than is given."""
    if isinstance(shown, dict):
        assert shown.keys() == given.keys(), name
        for key, value in shown.items():
            _alike(value, given[key], key)
    elif isinstance(shown, list):
        assert len(shown) == len(given), name
        for one, other in zip(shown, given, strict=True):
            _alike(one, other, name)
    elif not name.endswith("DateTime"):
        assert given.startswith(shown[:-1]) if str(shown).endswith("…") else shown == given, name


def test_the_answer_of_the_page_keeps_the_documents() -> None:
    """And so does its error; no attribute that we do not give."""
    answer, error = (json.loads("\n".join(lines)) for language, lines in blocks(PAGE) if language == "json")
    schemas = document()["components"]["schemas"]
    assert answer.keys() <= schemas["WanliuQueryProductRecommendation"]["properties"].keys()
    assert answer["recommendationItem"][0].keys() <= schemas["WanliuRecommendationItem"]["properties"].keys()
    assert error.keys() == schemas["TmfError"]["properties"].keys()


def test_every_attribute_is_told() -> None:
    """Of requests and answers."""
    page = sections(PAGE)
    asked = {word for row in rows(page["Asking"]) for word in quoted(row[0])}
    fields = {field.alias or name for name, field in RecommendationRequest.model_fields.items()}
    assert asked >= {name for name in fields if not name.startswith("@")} | {*EXTENSIONS, *PASSED_OVER}
    answered = {word for row in rows(page["The answer"]) for word in quoted(row[0])} | {"id"}
    said_back = {name for name in fields if name in ATTRIBUTES}
    assert answered >= {name for name in ATTRIBUTES if not name.startswith("@")} - said_back - {"href", "recommendationItem"}
    items: Any = document()["components"]["schemas"]["WanliuRecommendationItem"]["properties"]
    assert {word.split(".")[1] for word in answered if "." in word} == {name for name in items if not name.startswith("@")}


def test_every_channel_is_told() -> None:
    """With its other names, as they are taken."""
    page = sections(PAGE)["Channels"]
    assert set(CHANNELS) <= quoted(page)
    told = {re.sub(r"[^a-z]", "", name): row[0].strip("`") for row in rows(page) for name in quoted(row[1])}
    assert told == OTHER_NAMES
    assert all(channel_of([name]) == channel for name, channel in told.items())


def test_every_word_for_an_outcome_is_told() -> None:
    """With what it is taken for."""
    (row,) = (row for row in rows(sections(PAGE)["What became of it: TMF683"]) if row[0] == "`interactionItem.resolution`")
    said = row[1].partition("also")[2]
    told = {re.sub(r"[^a-z]", "", word): outcome for words, outcome in re.findall(r"([^()]*)\((\w+)\)", said) for word in quoted(words)}
    assert told == OTHER_WORDS


def test_the_calls_are_those_of_the_code() -> None:
    """Every one, with the prefixes."""
    text = PAGE.read_text(encoding="utf-8")
    calls = {call.replace("…", RECOMMENDATIONS) for row in rows(text.partition("\n## ")[0]) for call in quoted(row[0])}
    paths = document()["paths"]
    known = {f"{method.upper()} {path}" for path, item in paths.items() if path.startswith("/tmf-api/") for method in item}
    assert calls == known
