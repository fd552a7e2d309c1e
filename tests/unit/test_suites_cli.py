"""`wanliu pack test`: what it prints, what it writes, and with which exit code it ends."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from tests.packs import small
from tests.suites import suite

pytestmark = pytest.mark.unit

PASSING = "- {name: {en: A caller, zh: 打电话的}, subject: caller, expect: {phase: prevention}}\n"
FAILING = "- {name: {en: A quiet one, zh: 不打电话的}, subject: quiet, expect: {phase: prevention, signals: {high.toll: none}}}\n"


def run(folder: Path, tests: str | None, *options: object) -> Result:
    """The command on the small pack with these tests; none writes no suite."""
    files = small() | (suite(tests) if tests is not None else {})
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return CliRunner().invoke(app, ["pack", "test", "--pack", str(folder), *map(str, options)])


def test_passing_tests_are_counted_with_what_they_cover(tmp_path: Path) -> None:
    """One line of counts below the table of coverage; exit code 0."""
    result = run(tmp_path, PASSING)
    assert result.exit_code == 0
    assert "1 passed" in result.stdout
    assert "gate clauses" in result.stdout
    assert "parts are not covered; --uncovered lists them" in result.stdout


def test_failing_test_is_explained_and_ends_with_exit_code_one(tmp_path: Path) -> None:
    """What was expected, what came, the clauses behind it, the place; tests that pass go unnamed."""
    result = run(tmp_path, PASSING + FAILING, "--no-coverage")
    assert result.exit_code == 1
    assert "✗ A suite: A quiet one\n  policies/tests/a.yaml:6:5" in result.stdout
    assert "phase: expected prevention, got retention  policies/tests/a.yaml:6" in result.stdout
    assert "prevention.toll does not hold: signal('high.toll')" in result.stdout
    assert "A caller" not in result.stdout
    assert "1 passed, 1 failed" in result.stdout


def test_verbose_names_all_and_run_narrows(tmp_path: Path) -> None:
    """`--verbose` names what passes; `--run` takes words of either language, of a file or a suite."""
    result = run(tmp_path, PASSING + FAILING, "--verbose", "--no-coverage")
    assert "✓ A caller" in result.stdout
    assert "✗ A quiet one" in result.stdout
    for words in ("a CALLER", "打电话的", "a.yaml:5"):
        assert "passed" in run(tmp_path, PASSING + FAILING, "--run", words).stdout
    assert run(tmp_path, PASSING + FAILING, "--run", "a caller").exit_code == 0


@pytest.mark.parametrize(
    ("tests", "options", "told"),
    [
        (None, (), "no suites in"),
        ("", (), "`tests` is empty"),
        (PASSING, ("--run", "nobody"), "no test matches `nobody`"),
        (PASSING.replace("caller,", "calle,"), (), "unknown subject `calle`; did you mean `caller`?"),
        (PASSING + PASSING.replace("prevention", "prevetion"), (), "unknown phase `prevetion`"),
    ],
)
def test_nothing_to_run_and_mistakes_end_with_exit_code_one(tmp_path: Path, tests: str | None, options: tuple[str, ...], told: str) -> None:
    """An empty suite, a pattern that matches nothing and a mistake in one test are failures, not silence."""
    result = run(tmp_path, tests, *options)
    assert result.exit_code == 1
    assert told in result.stderr


def test_coverage_can_be_demanded_and_listed(tmp_path: Path) -> None:
    """`--uncovered` gives file, line, part and what is missing; `--fail-under` ends with exit code 1."""
    listed = run(tmp_path, PASSING, "--uncovered")
    assert "policies/offers/to_plan_59.yaml:11  to_plan_59 tolls  never kept the action out" in listed.stdout
    assert run(tmp_path, PASSING, "--fail-under", 5).exit_code == 0
    assert run(tmp_path, PASSING, "--fail-under", 95).exit_code == 1


def test_mutation_lists_what_no_test_notices(tmp_path: Path) -> None:
    """Survivors with place and change, steps of one figure together, and counts by kind."""
    result = run(tmp_path, PASSING, "--mutate", "--no-coverage", "--jobs", 1)
    assert "rules/rules.yaml:3  param.floor  1500 → 1350, 1500 → 1650" in result.stdout
    assert "  consent  gone" in result.stdout
    assert "parameters a step up or down" in result.stdout
    assert "changes not noticed" in result.stdout
    assert result.exit_code == 0


def test_reports_for_programs(tmp_path: Path) -> None:
    """JSON on standard output, JUnit in a file; both with counts, files and lines."""
    report = tmp_path / "report.xml"
    result = run(tmp_path, PASSING + FAILING, "--format", "json", "--junit", report, "--mutate", "--jobs", 1)
    told = json.loads(result.stdout)
    assert (told["passed"], told["failed"], told["problems"]) == (1, 1, [])
    assert told["tests"][1]["failures"][0]["about"] == "phase"
    assert told["tests"][1]["line"] == 6
    assert told["coverage"]["uncovered"][0]["file"].startswith("policies/")
    assert told["mutation"]["not_noticed"]
    top = ElementTree.fromstring(report.read_bytes())  # noqa: S314 - our own report
    assert [case.get("name") for case in top.iter("testcase")] == ["A caller", "A quiet one"]
    assert len(list(top.iter("failure"))) == 1


def test_speaks_chinese(tmp_path: Path) -> None:
    """`--locale zh-CN` changes names, labels and reasons."""
    result = run(tmp_path, PASSING + FAILING, "--locale", "zh-CN", "--uncovered")
    for words in (
        "✗ 测试集：不打电话的",
        "阶段：应为预防（prevention），实为维系（retention）",
        "不成立",
        "信号级别",
        "从未拦下",
        "通过1项，未通过1项",
    ):
        assert words in result.stdout, words


def test_pack_with_mistakes_is_not_tested(tmp_path: Path) -> None:
    """The mistakes of the pack come first."""
    run(tmp_path, PASSING)
    (tmp_path / "rules" / "more.yaml").write_text("signals: []\nsignls: []\n", encoding="utf-8")
    result = run(tmp_path, PASSING)
    assert result.exit_code == 1
    assert "unknown key `signls`" in result.stderr
    assert "cannot be used" in result.stderr
