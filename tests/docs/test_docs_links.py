"""Links lead somewhere, and no page tells of the machine it was written on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links, name_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    """Each relative link names a file that exists, and a heading that stands in it."""
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_every_page_is_linked_from_the_readme() -> None:
    """A reader finds each page of `docs/` from the README, in one step; the ADRs by their own list."""
    for name in ("README.md", "README.zh.md"):
        linked = {(ROOT / link.partition("#")[0]).resolve() for link in links(ROOT / name)}
        assert not set((ROOT / "docs").glob("*.md")) - linked
    listed = {(ROOT / "docs" / "adr" / link) for link in links(ROOT / "docs" / "adr" / "README.md")}
    assert not set((ROOT / "docs" / "adr").glob("0*.md")) - listed


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    """No home or scratch folder, no address but loopback."""
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"(?:^|[\s(`'\"])/(?:home|root|work|tmp|Users)/", text)
    assert not re.findall(r"\b(?:10|172|192)\.\d+\.\d+\.\d+\b", text)
