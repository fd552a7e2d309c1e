"""The interactive page: ours alone, held tightly by the browser, and in both languages."""

import re

import pytest
from starlette.testclient import TestClient

from app.api.exemplary import examples_of
from app.api.page.route import FOLDER
from tests.contract.conftest import Guarded
from tests.contract.documented import OPERATIONS

pytestmark = pytest.mark.contract

SCRIPT = (FOLDER / "page.js").read_text("utf-8")
PARTS = {"/docs": "text/html", "/docs/page.js": "text/javascript", "/docs/page.css": "text/css"}


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
    assert not re.search(r"<script(?! src=\"docs/page.js\" defer>)|style=|\bon\w+=", page)


def test_everybody_may_read_it(guarded: Guarded) -> None:
    """It holds nothing of anybody; what it asks for needs the key that is typed into it."""
    assert [guarded.http.get(path).status_code for path in PARTS] == [200, 200, 200]


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
    told = [set(re.findall(r"(?<=[{\s,])(\w+):\s[\"\[]", part)) for part in re.split(r"\bzh: \{", SCRIPT.partition("const FIRST")[0])]
    assert told[0] == told[1]
    page = (FOLDER / "page.html").read_text("utf-8")
    assert set(re.findall(r'data-text="(\w+)"', page)) | set(re.findall(r'word\("(\w+)"\)', SCRIPT)) <= told[0]


def test_it_says_loudly_that_it_is_in_development_mode(http: TestClient) -> None:
    """The banner is an alert, shown where the service says so."""
    assert http.get("/").json()["mode"] == "development"
    assert '<div id="development" role="alert" hidden>' in http.get("/docs").text
    assert 'byId("development").hidden = mode !== "development"' in SCRIPT
