"""docs/client.md: its programs run, top to bottom, and it names every call."""

from typing import Any

import pytest

from app.client import DEVELOPMENT_ADDRESS, WanliuClient
from tests.docs.pages import ROOT, blocks, quoted, rows, sections

pytestmark = pytest.mark.contract

PAGE = ROOT / "docs" / "client.md"


def test_its_programs_run(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As a reader would type them, one after another, against a service."""
    names: dict[str, Any] = {"__name__": "page"}
    programs = [lines for language, lines in blocks(PAGE) if language == "python"]
    assert len(programs) > 4
    for lines in programs:
        program = "\n".join(lines).replace(DEVELOPMENT_ADDRESS, address)
        exec(compile(program, "docs/client.md", "exec"), names)  # noqa: S102 - the page's own programs
    shown = capsys.readouterr().out
    assert "422 invalid-request channel" in shown
    assert "3 row-3 0" in shown


def test_every_call_is_told() -> None:
    """In the table of calls, and no other."""
    told = {name for row in rows(sections(PAGE)["Calls"]) for name in quoted(row[1])}
    assert told == {name for name in vars(WanliuClient) if not name.startswith("_")} - {"close"}
