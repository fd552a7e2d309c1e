"""What a careless or hostile author may do to the workbench: it refuses, in bounds, and steers no terminal."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.engine.pack import check_files, printable, read_folder
from app.engine.pack.source import read
from tests.packs import signals, small
from tests.suites import suite

pytestmark = pytest.mark.unit

PASSING = "- {name: {en: A caller, zh: 打电话的}, subject: caller, expect: {phase: prevention}}\n"


def command(folder: Path, *words: object) -> Result:
    """A command on the small pack with one test."""
    for name, content in (small() | suite(PASSING)).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return CliRunner().invoke(app, ["pack", *map(str, words)])


@pytest.mark.parametrize("text", [r'a: "x\e[31m"', r'"\a": x', r'a: ["\0"]'])
def test_escapes_cannot_spell_what_steers_a_terminal(text: str) -> None:
    """Double quotes can spell control characters; they are refused as those that stand in the file."""
    source, problems = read("a.yaml", text.encode())
    assert source is None
    assert [problem.code for problem in problems] == ["encoding"]


def test_names_of_files_are_printable() -> None:
    """Neither bytes that are no text nor control characters of a name reach JSON, XML or a terminal."""
    assert printable(Path(os.fsdecode(b"a\xff\x1b[31m\n.yaml"))) == r"a\udcff\x1b[31m\n.yaml"


@pytest.mark.parametrize("name", ["rules/rules.yaml", "policies/tests/a.yaml", "policies/new/report.xml"])
def test_report_takes_no_place_in_the_pack(tmp_path: Path, name: str) -> None:
    """`--junit` cannot destroy what is tested."""
    before = dict(small())
    result = command(tmp_path, "test", "--pack", tmp_path, "--junit", tmp_path / name)
    assert result.exit_code == 2
    assert read_folder(tmp_path) == before


def test_report_that_cannot_be_written_is_told_before_the_tests_run(tmp_path: Path) -> None:
    """A folder that is not there, and a folder instead of a file."""
    for report in (tmp_path / "none" / "x.xml", tmp_path):
        result = command(tmp_path, "test", "--pack", tmp_path, "--junit", report)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert "cannot write" in result.stderr


def test_a_bound_on_coverage_needs_coverage(tmp_path: Path) -> None:
    """What would be passed over in silence is refused."""
    for option in (("--fail-under", 100), ("--uncovered",)):
        assert command(tmp_path, "test", "--pack", tmp_path, "--no-coverage", *option).exit_code == 2


def test_a_day_that_no_calendar_has(tmp_path: Path) -> None:
    """A number of days beyond all calendars is a mistake of the suite like any other."""
    command(tmp_path, "schema")
    for count in ("9" * 12, "9" * 5_000):
        text = PASSING.replace("subject: caller,", f"subject: caller, with: {{account.joined_on: {count} days ago}},")
        (tmp_path / "policies/tests/a.yaml").write_bytes(suite(text)["policies/tests/a.yaml"])
        result = CliRunner().invoke(app, ["pack", "test", "--pack", str(tmp_path)])
        assert result.exit_code == 1
        assert "account.joined_on" in result.stderr


def test_narrow_terminals_still_show_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`COLUMNS=0` means nothing; a column is at least wide enough to read."""
    for columns in ("0", "1", "-5", "x"):
        monkeypatch.setenv("COLUMNS", columns)
        assert "small 1.0.0" in command(tmp_path, "show", "--pack", tmp_path).stdout


def test_a_folder_that_cannot_be_looked_into_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it holds may be what keeps people safe."""
    command(tmp_path, "schema")
    looked = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("offers"):
            raise PermissionError(13, "Permission denied", str(path))
        return looked(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(PermissionError):
        read_folder(tmp_path)


def test_some_of_many_conditions_keep_nobody_waiting() -> None:
    """Twenty of forty can be chosen in 10^11 ways: they are counted, not listed."""
    text = f"at_least(20, {', '.join(f'last(billing.total) > {number}' for number in range(40))})"
    assert not [problem for problem in check_files(small(x=signals(many=text))) if problem.severity == "error"]
