"""`wanliu decide FILE|-`: one subscriber a file."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import orjson
import typer

from app.api.answers import answer_bytes
from app.campaign.table import Asking
from app.cli.answering import Answer, Unusable
from app.cli.console import complain, out, write_bytes
from app.cli.packs import folder_of, load
from app.cli.showing import Sheet
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.intake import RequestError, parse_request, take
from app.engine.problems import nearest
from app.engine.texts import language_of
from app.engine.view import sees_evidence, view
from app.workbench.conversing import going_on

if TYPE_CHECKING:
    from app.cli.usage import Wishes
    from app.engine.case import Case
    from app.engine.decision import Decision
    from app.engine.pack import Pack

LARGEST_BODY = 1024 * 1024
"""As much as the API takes."""
_T = TypeVar("_T")


def decide_files(files: Sequence[str], wishes: Wishes) -> None:
    """Decide for each file and print the answers. What cannot be decided is told, the others go on, and the exit code is 1."""
    decided = _deciding(wishes)
    failed = False
    for number, name in enumerate(files):
        try:
            answer = decided(name, _read(name))
        except Unusable as error:
            failed = True
            complain(*(f"{'standard input' if name == '-' else name}: {line}" for line in error.lines))
            continue
        if wishes.as_json or answer.sheet is None:
            _print_json(answer, alone=len(files) == 1)
        else:
            _print_sheet(answer.sheet, first=number == 0)
    if failed:
        raise typer.Exit(1)


def _deciding(wishes: Wishes) -> Callable[[str, bytes], Answer]:
    """What decides about a file, here or elsewhere, given its name and its content."""
    if wishes.service is not None:
        from app.cli.distant import deciding_there

        return deciding_there(wishes.service, wishes)
    pack, now = load(wishes.pack), datetime.datetime.now(datetime.UTC)
    return lambda name, body: _decided(pack, name, body, wishes, now)


def _decided(pack: Pack, name: str, body: bytes, wishes: Wishes, now: datetime.datetime) -> Answer:
    asking = Asking(
        wishes.role or "development", now, "live" if wishes.record else "what_if", wishes.channel, wishes.explain, wishes.locale
    )
    try:
        request = asking.of(parse_request(body))
        if wishes.record:
            from app.cli.recording import remembering

            request = _stored(remembering, request, now)
        case = take(pack, request, now=now, role=asking.role)
    except RequestError as error:
        raise Unusable(*(_for_people(str(problem)) for problem in error.problems)) from None
    case, decision = _refusing(pack, case, wishes.refused)
    whole = explain(pack, case, decision, request.explain, evidence=sees_evidence(asking.role))
    explanation = view(whole, pack.restricted, asking.role)
    decided_at, decision_id = case.times.as_of, None
    if wishes.record:
        from app.cli.recording import record

        decided_at = now
        decision_id = _stored(record, pack, folder_of(wishes.pack), request, case, decision, explanation, now)
    title = f"{request.subscriber.id}  {name}{f'  {decision_id}' if decision_id else ''}"
    sheet = Sheet(title, pack, case, explanation, language_of(case.locale))
    return Answer(answer_bytes(explanation, pack, decided_at, decision_id), sheet)


def _refusing(pack: Pack, case: Case, refused: Sequence[str]) -> tuple[Case, Decision]:
    """The last case and decision of a conversation in which these actions are refused one after the other."""
    decision = decide(pack, case)
    for name in refused:
        offered = [item.action for item in decision.ranked]
        if name not in offered:
            hint = nearest(name, offered) or f"it has {', '.join(offered) or 'no action'}"
            raise Unusable(f"--refused: `{name}` is not on the list; {hint}")
        case = going_on(pack, case, decision, refused=(name,))
        decision = decide(pack, case)
    return case, decision


def _for_people(problem: str) -> str:
    """A problem in the terms of this program, where an option stands for a field of the API."""
    return problem.replace("leave it out, or ask with `mode: what_if`", "leave it out, or decide without --record")


def _stored(work: Callable[..., _T], *arguments: object) -> _T:
    """Do something with the record; where that fails, nothing is decided."""
    from app.record.keys import KeysProblem
    from app.record.store.problems import StoreError

    try:
        return work(*arguments)
    except (StoreError, KeysProblem) as error:
        raise Unusable(f"not decided, since it could not be recorded: {error}") from None


def _print_json(answer: Answer, *, alone: bool) -> None:
    """One object a line; indented where there is only one and a person looks at it."""
    content = answer.content
    if alone and sys.stdout.isatty():
        content = orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2)
    write_bytes(content + b"\n")


def _print_sheet(sheet: Sheet, *, first: bool) -> None:
    console = out()
    if not first:
        console.rule(style="dim")
    console.print(sheet.render())


def _read(name: str) -> bytes:
    """The bytes of a file or of standard input, within bounds."""
    if name == "-":
        return _bounded(sys.stdin.buffer.read(LARGEST_BODY + 1))
    try:
        with Path(name).open("rb") as file:
            return _bounded(file.read(LARGEST_BODY + 1))
    except IsADirectoryError:
        raise Unusable("is a folder, not a file") from None
    except (OSError, ValueError) as error:
        raise Unusable(f"cannot be read: {(getattr(error, 'strerror', None) or str(error)).lower()}") from None


def _bounded(content: bytes) -> bytes:
    if len(content) > LARGEST_BODY:
        raise Unusable(f"is larger than {LARGEST_BODY:,} bytes; a request about one subscriber is smaller")
    return content
