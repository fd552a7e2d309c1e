"""docs/client.md: its programs run, top to bottom, and it names every call."""

import inspect

import pytest

from app.client import DEVELOPMENT_ADDRESS, WanliuClient
from tests.docs.pages import ROOT, blocks, quoted, rows, sections

pytestmark = pytest.mark.contract

PAGE = ROOT / "docs" / "client.md"


def test_its_programs_run(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each by itself, as a reader would copy it, and twice against the same service."""
    programs = [lines for language, lines in blocks(PAGE) if language == "python"]
    assert len(programs) > 4
    for lines in programs * 2:
        program = "\n".join(lines).replace(DEVELOPMENT_ADDRESS, address)
        exec(compile(program, "docs/client.md", "exec"), {"__name__": "page"})  # noqa: S102 - the page's own programs
    shown = capsys.readouterr().out
    assert "422 invalid-request channel" in shown
    assert "3 row-3 0" in shown
    assert shown.count("['Explain the bill', 'International calling pack']\n") == 2
    assert shown.count("\nPrevention\n") == 2


def test_every_call_is_told() -> None:
    """In the table of calls with what it takes, and no other."""
    told = [name for row in rows(sections(PAGE)["Calls"]) for name in quoted(row[1])]
    assert sorted(told) == sorted(_call(name) for name in vars(WanliuClient) if not name.startswith("_") and name != "close")


def _call(name: str) -> str:
    """A call as the table writes it: names and what they are when left out, without types."""
    taken = inspect.signature(getattr(WanliuClient, name)).parameters.values()
    return name + str(inspect.Signature([one.replace(annotation=inspect.Parameter.empty) for one in taken if one.name != "self"]))
