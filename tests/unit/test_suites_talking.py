"""Conversations in suites and on the command line: what is said step by step, and mistakes in it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.suites import failures, loaded, problems

pytestmark = pytest.mark.unit

FIRST = "- {subject: caller, expect: {offered: [to_plan_59]}, then: [%s]}"
EXAMPLE = Path(__file__).parents[2] / "examples" / "03-high-traffic.json"


def test_each_step_is_a_test_of_its_own() -> None:
    """With a name and a place, and the conversation so far in its case; what is expected of it is held against its own decision."""
    steps = "{name: no, refused: to_plan_59, expect: {not_offered: {to_plan_59: not_applicable/refused}}}"
    found = loaded(FIRST % steps)
    assert not found.problems
    assert [test.number for test in found.tests] == [0, 1]
    assert found.tests[1].title.en.endswith("· no")
    talk = found.tests[1].case.conversation
    assert talk is not None
    assert talk.refused == {"to_plan_59"}
    assert failures(FIRST % steps) == []
    assert failures(FIRST % "{refused: to_plan_59, expect: {offered: [to_plan_59]}}")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("{refused: to_plan_5, expect: {offered: [to_plan_59]}}", "`to_plan_5` is not on the list here"),
        ("{expect: {offered: [to_plan_59]}}", "nothing is said in this step"),
        ("{answers: {plan.id: x}, expect: {offered: [to_plan_59]}}", "is not a fact that this pack asks for"),
        ("{refused: to_plan_59, role: nobody, expect: {offered: [to_plan_59]}}", "unknown role `nobody`"),
        ("{refused: to_plan_59, expect: {offered: [to_plan_5]}}", "unknown action `to_plan_5`"),
    ],
)
def test_mistakes_in_a_step_are_told(step: str, told: str) -> None:
    """Each with its place."""
    assert any(told in problem for problem in problems(FIRST % step))


def test_the_command_goes_on_from_a_refusal() -> None:
    """`--refused` gives the next decision, a refusal after the other; what is not on the list is told with the nearest that is."""
    runner = CliRunner()
    told = runner.invoke(app, ["decide", str(EXAMPLE), "--json", "--full", "--refused", "plan_fit_up", "--refused", "bill_explain"])
    assert told.exit_code == 0, told.output
    assert "last_step" not in told.output
    assert told.output.count('"clause":"refused"') == 2
    wrong = runner.invoke(app, ["decide", str(EXAMPLE), "--refused", "plan_fit"])
    assert wrong.exit_code == 1
    assert "did you mean `plan_fit_up`?" in wrong.output
    assert runner.invoke(app, ["decide", str(EXAMPLE), "--record", "--refused", "plan_fit_up"]).exit_code == 2
