"""The interactive page: ours alone, held tightly by the browser, and in both languages."""

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.exemplary import examples_of
from app.api.page.route import FOLDER
from tests.contract.conftest import Guarded
from tests.contract.documented import EXPORTED, OPERATIONS

pytestmark = pytest.mark.contract

SCRIPTS = ("words.js", "fields.js", "carrying.js", "page.js")
WORDS, *_, SCRIPT = WRITTEN = [(FOLDER / name).read_text("utf-8") for name in SCRIPTS]
CHINESE: dict[str, dict[str, str]] = json.loads((FOLDER / "chinese.json").read_text("utf-8"))
PARTS = {
    "/docs": "text/html",
    **{f"/docs/{name}": "text/javascript" for name in SCRIPTS},
    "/docs/page.css": "text/css",
    "/docs/chinese.json": "application/json",
}


@pytest.mark.parametrize(("path", "kind"), PARTS.items())
def test_its_parts_are_served(http: TestClient, path: str, kind: str) -> None:
    """With their types, a policy that lets nothing from elsewhere in, and a tag; to who has it, that it is the same."""
    answer = http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = http.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_nothing_is_fetched_from_elsewhere(http: TestClient) -> None:
    """No address of another host stands in it, no style in an attribute, no script in the page: the policy would stop them."""
    for path in PARTS:
        assert not re.search(r"(https?:)?//[a-z]", re.sub(r"^\s*/\*.*|//.*$", "", http.get(path).text, flags=re.M))
    page = http.get("/docs").text
    assert not re.search(r"<script(?! src=\"docs/\w+.js\" defer>)|style=|\bon\w+=", page)
    assert re.findall(r"<script src=\"docs/(\w+.js)\"", page) == [*SCRIPTS]


def test_everybody_may_read_it(guarded: Guarded) -> None:
    """It holds nothing of anybody; what it asks for needs the key that is typed into it."""
    assert {guarded.http.get(path).status_code for path in PARTS} == {200}


@pytest.mark.parametrize("path", ["/docs/", "/docs/x", "/docs/page.html", "/docs/..%2froute.py", "/docs/page.js/x"])
def test_there_are_no_other_parts(http: TestClient, path: str) -> None:
    """Nor is anything else of the folder served."""
    assert http.get(path).status_code in (404, 422)


def test_its_first_calls_are_there() -> None:
    """Each of the six is an example of the document."""
    first = re.findall(r'\["(\w+)", "(\w+)"\]', SCRIPT)
    assert len(first) == 6
    for name, example in first:
        assert name in OPERATIONS
        assert example in examples_of(name).requests


def test_it_speaks_both_languages() -> None:
    """The same words in each, and every word of the page in them."""
    told = [set(re.findall(r"(?<=[{\s,])(\w+):\s[\"\[]", part)) for part in re.split(r"\bzh: \{", WORDS.partition("const TYPES")[0])]
    assert told[0] == told[1]
    page = (FOLDER / "page.html").read_text("utf-8")
    assert set(re.findall(r'data-text="(\w+)"', page)) | set(re.findall(r'word\("(\w+)"\)', "".join(WRITTEN))) <= told[0]


def test_names_are_chinese_too() -> None:
    """Of every operation, parameter, role and example that the page shows, and of nothing that there is not."""
    whole = [(name, item) for name, (_, _, item) in OPERATIONS.items()]
    parameters = {_resolved(part)["name"] for _, item in whole for part in item.get("parameters", ())}
    examples = {
        f"{name.removesuffix('OfCustomer')}.{example}"
        for name, item in whole
        for media in item.get("requestBody", {}).get("content", {}).values()
        for example in media.get("examples", ())
    }
    assert CHINESE["operations"].keys() == OPERATIONS.keys()
    assert CHINESE["parameters"].keys() == parameters
    assert CHINESE["examples"].keys() == examples
    assert CHINESE["roles"].keys() == {role for _, item in whole for role in item.get("x-roles", ())}
    assert all(re.search("[\u4e00-\u9fff]", name) or name.startswith("Prometheus") for names in CHINESE.values() for name in names.values())


def test_each_call_stands_in_a_group() -> None:
    """A new part of the API is not among what is said of the service by oversight; each group has a name in both languages."""
    (listed,) = re.findall(r"const GROUPS = (\[.*\]);", SCRIPT)
    groups: list[str] = json.loads(listed)
    last = {name for name, (method, path, _) in OPERATIONS.items() if not any(part in f"{method} {path}" for part in groups[:-1])}
    assert last == {"welcome", "alive", "ready", "metrics"}
    assert [len(json.loads(f"[{names}]")) for names in re.findall(r"groups: \[(.*?)\]", WORDS)] == [len(groups)] * 2


def test_what_cannot_be_taken_back_is_asked_about() -> None:
    """Before erasing, a step with a pack, a new secret and every DELETE; the operations that are named exist."""
    (final,) = re.findall(r"const FINAL = (\[.*\]);", SCRIPT)
    assert (
        {"eraseSubscriber", "holdSubscriber", "releaseSubscriber", "rollBackPack", "activatePack"}
        <= {*json.loads(final)}
        <= OPERATIONS.keys()
    )
    assert 'operation.method === "DELETE" || FINAL.includes(operation.operationId)' in SCRIPT
    assert "isFinal(operation) && !confirm(" in SCRIPT
    carrying = (FOLDER / "carrying.js").read_text("utf-8")
    assert {*re.findall(r'name === "(\w+[A-Z]\w+)"', carrying), *re.findall(r"^  (\w+): \(body", carrying, re.M)} <= OPERATIONS.keys()


def test_a_token_names_the_customer() -> None:
    """The example that is sent without an id is one of the document, and has one; the header in its place belongs to development mode."""
    assert 'name !== "an_app"' in SCRIPT
    assert examples_of("decide").requests["an_app"].body["subscriber"]["id"]  # type: ignore[index,call-overload]
    assert "body:not(.development) .in-development" in (FOLDER / "page.css").read_text("utf-8")


def test_it_says_loudly_that_it_is_in_development_mode(http: TestClient) -> None:
    """The banner is an alert, shown where the service says so."""
    assert http.get("/").json()["mode"] == "development"
    assert '<div id="development" role="alert" hidden>' in http.get("/docs").text
    assert 'byId("development").hidden = mode !== "development"' in SCRIPT
    assert http.get("/healthz").headers["wanliu-mode"] == "development"
    assert 'showMode(response.headers.get("Wanliu-Mode") ?? "guarded")' in SCRIPT


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = EXPORTED["components"]["parameters"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    return found
