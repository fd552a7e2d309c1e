"""A page for each code of `wanliu pack check`, whose wrong example is found and whose right one is not."""

import re
from pathlib import Path

import pytest

from app.engine.pack import check_files
from app.engine.pack.codes import CODES
from tests.packs import small

PAGES = Path(__file__).parents[2] / "docs" / "checks"
_block = re.compile(r"^## (Wrong|Right)\n\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(code: str) -> dict[str, str]:
    return dict(_block.findall((PAGES / f"{code}.md").read_text("utf-8")))


def codes_of(text: str) -> set[str]:
    """The codes that the small pack meets with one more file."""
    return {problem.code for problem in check_files(small(example=text))}


def test_every_code_has_its_page_and_no_page_is_left_over() -> None:
    """An editor's link on a code leads somewhere."""
    assert {path.stem for path in PAGES.glob("*.md")} == set(CODES) | {"README"}


@pytest.mark.parametrize("code", sorted(CODES))
def test_the_examples_of_a_page_are_true(code: str) -> None:
    """The wrong example meets the code, the right one no error at all."""
    found = examples(code)
    assert set(found) in ({"Wrong", "Right"}, set())
    if found:
        assert code in codes_of(found["Wrong"])
        right = check_files(small(example=found["Right"]))
        assert [str(problem) for problem in right if problem.severity == "error" or problem.code == code] == []


def test_the_list_of_codes_is_that_of_the_code() -> None:
    """The index names every code with its meaning, in the order of the code."""
    rows = re.findall(
        r"^\| \[`([a-z-]+)`\]\(\1\.md\) \| (?:error|warning) \| (.*) \|$", (PAGES / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert rows == list(CODES.items())
