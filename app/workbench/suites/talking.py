"""The steps of a conversation under `then:`, each a test of its own: what is said to the decision before, and what should come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.intake import RequestError
from app.engine.pack import Pack
from app.engine.pack.documents import Words
from app.engine.pack.reading import Found
from app.engine.problems import Problem, nearest
from app.workbench.conversing import going_on
from app.workbench.suites.documents import StepPart
from app.workbench.suites.expecting import expectations
from app.workbench.suites.model import Test, Title
from app.workbench.suites.values import Typing


def following(
    first: Test, steps: list[Found[StepPart]], pack: Pack, problems: list[Problem], role: Callable[[str], None]
) -> Iterator[Test]:
    """The tests that a conversation goes on with; mistakes are noted, and end it.

    Args:
        first: the test that it begins with.
        steps: what is said, in order.
        pack: that decides.
        problems: where mistakes go.
        role: is told of every role that a step names.
    """
    case, place = first.case, first.title
    for number, step in enumerate(steps, 1):
        if step.part.role is not None:
            role(step.part.role)
        made = _next(case, decide(pack, case), step, pack, problems)
        if made is None:
            return
        case = made
        expected = expectations(step, pack, problems)
        said = _title(step.part, number)
        title = Title(f"{place.en} · {said.en}", f"{place.zh} · {said.zh}")
        yield replace(first, number=first.number + number, title=title, place=step.place(), case=case, expectations=tuple(expected))


def _next(case: Case, decision: Decision, step: Found[StepPart], pack: Pack, problems: list[Problem]) -> Case | None:
    part, offered = step.part, [item.action for item in decision.ranked]
    before = len(problems)
    for key in ("refused", "accepted"):
        for index, name in enumerate(getattr(part, key)):
            if name not in offered:
                hint = nearest(name, offered) or f"what is on it: {', '.join(offered) or 'nothing'}"
                problems.append(Problem(step.place(key, index), "not-offered", f"`{name}` is not on the list here", hint))
    if not (part.refused or part.accepted or part.answers):
        hint = "say it under `refused:`, `accepted:` or `answers:`"
        problems.append(Problem(step.place(), "schema", "nothing is said in this step", hint))
    typing = Typing(case.times.as_of, pack.custom)
    answers = {fact: typing.fact(fact, value) for fact, value in part.answers.items()}
    if len(problems) > before:
        return None
    try:
        return going_on(pack, case, decision, refused=part.refused, accepted=part.accepted, answers=answers, role=part.role)
    except RequestError as error:
        problems.extend(Problem(step.place("answers"), "request", f"`{item.field}` {item.message}", "") for item in error.problems)
        return None


def _title(part: StepPart, number: int) -> Title:
    if isinstance(part.name, Words):
        return Title(part.name.en, part.name.zh)
    return Title(part.name or str(number), part.name or str(number))
