"""`wanliu pack test`: what it prints, what it writes, and with which exit code it ends."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from tests.packs import small
from tests.pipeline import ROOT
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


def test_why_is_told_with_titles_in_chinese(tmp_path: Path) -> None:
    """Levels, phases, signals, gates, causes and actions, each with its code; conditions as they are written."""
    suite_file = tmp_path / "policies" / "tests" / "wrong.yaml"
    for folder in ("rules", "policies"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("tests"))
    suite_file.parent.mkdir()
    shutil.copy(ROOT / "policies" / "tests" / "subjects.yaml", suite_file.parent)
    expect = "{phase: rescue, signals: {four_high.tariff: high}, first: birthday_festival, offered: [tariff_pack_large, roaming_pack]}"
    suite_file.write_text(
        "suite: {en: Wrong, zh: 错}\nnow: 2026-11-20T10:00:00+08:00\nrequest: {channel: app, direction: self}\ntests:\n"
        "- name: {en: A, zh: 甲}\n  subject: settled\n"
        "  with: {services.toll_pack_fee: 1000, billing.toll_fee: [0, 0, 0, 0, 0, 4800]}\n"
        f"  expect: {expect}\n",
        "utf-8",
    )
    result = CliRunner().invoke(app, ["pack", "test", "--pack", str(tmp_path), "--no-coverage", "--locale", "zh-CN"])
    for told in (
        "挽留（rescue.complains_again_and_again）不成立：level('service.complaint_repeat') >= 'severe'\n",
        "      重复投诉（service.complaint_repeat）：不成立\n",
        "严重（severe）成立：facts.toll_fee >= param.toll_times_severe",
        "国际及港澳台通话包（tariff_pack）：第2位，得分",
        "生日节日关怀（birthday_festival）：阶段不符（phase）：不属于当前阶段的动作（预防）\n",
        "国际及港澳台通话大包（tariff_pack_large）：对用户合适（suitable.saves_money）不成立：",
    ):
        assert told in result.stdout, result.stdout
    english = CliRunner().invoke(app, ["pack", "test", "--pack", str(tmp_path), "--no-coverage", "--locale", "en"]).stdout
    assert "birthday_festival: phase: Not an action for this phase of treatment (prevention)\n" in english
    suite_file.write_text(
        suite_file.read_text("utf-8").replace("channel: app, direction: self", "channel: email, direction: outbound"), "utf-8"
    )
    result = CliRunner().invoke(app, ["pack", "test", "--pack", str(tmp_path), "--no-coverage", "--locale", "zh-CN"])
    assert "漫游流量日包（roaming_pack）：渠道不符（channel）：该渠道不办理此项（邮件）" in result.stdout


def test_pack_with_mistakes_is_not_tested(tmp_path: Path) -> None:
    """The mistakes of the pack come first."""
    run(tmp_path, PASSING)
    (tmp_path / "rules" / "more.yaml").write_text("signals: []\nsignls: []\n", encoding="utf-8")
    result = run(tmp_path, PASSING)
    assert result.exit_code == 1
    assert "unknown key `signls`" in result.stderr
    assert "cannot be used" in result.stderr
