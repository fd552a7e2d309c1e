"""What the customer refuses, and what they want a person for: made here, honoured by the next decision, taken back here."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.answers import as_json
from app.api.bodies import Refused, json_answer, read_json
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.my.answers import MyChoices, my_choices
from app.api.my.myself import WhoInDevelopment, myself
from app.api.parameters import EntryId, Locale
from app.api.problems import problem
from app.api.recorded import no_decision
from app.engine.intake import FieldProblem, RequestError, parse_body
from app.engine.intake.wording import hinted
from app.engine.pack import Pack
from app.engine.texts import language_of
from app.engine.vocabulary import Channel, OutcomeReport
from app.engine.vocabulary.choices import Choice, ChoiceName
from app.engine.vocabulary.model import Model
from app.engine.vocabulary.types import Code, Flag
from app.record.choices import MADE, TAKEN_BACK, choice_entry, standing_of
from app.record.entries import NewEntry
from app.record.outcomes import Answerable, Told, answerable, not_offered, outcome_entry
from app.record.reading.recorded import token_of
from app.record.store.database import stamp

router = APIRouter()


class ChoiceChange(Model):
    """A choice, made or taken back."""

    choice: Annotated[
        ChoiceName,
        Field(
            description="`no_marketing`; `no_personalisation`: offers without my profile; `no_channel`: nothing unasked through it;"
            " `no_action`: never again; `human_review`: a person decides."
        ),
    ]
    channel: Annotated[Channel | None, Field(description="Of `no_channel`: which.")] = None
    action: Annotated[Code | None, Field(description="Of `no_action`: which, as a decision names it.")] = None
    decision_id: Annotated[
        EntryId | None, Field(description="Of `no_action`: the decision that suggested it, which is then told that it was refused.")
    ] = None
    stands: Annotated[Flag, Field(description="`false` takes the choice back.")] = True

    @property
    def about(self) -> str | None:
        """What the choice is about: a channel or an action."""
        return self.channel or self.action


@dataclass(frozen=True, slots=True)
class _Known:
    """What the record knows of who chooses: their token, what stands, and the decision that is named, if it is theirs."""

    token: str | None
    standing: tuple[Choice, ...]
    decision: Answerable | None


@router.get(
    "/v1/my/choices",
    operation_id="readMyChoices",
    summary="What I refused",
    response_description="Every choice that stands, in words.",
    **declared(MyChoices),
)
async def read_my_choices(call: Admitted, locale: Locale = "zh-CN", x_subscriber_id: WhoInDevelopment = None) -> Response:
    """About the token's subject. Who never chose anything has an empty list."""
    known = await _known(call, myself(call, x_subscriber_id), None)
    if known.token is not None:
        await call.note("choices", token=known.token, found=len(known.standing))
    return json_answer(my_choices(known.standing, call.services.packs.current, language_of(locale)))


@router.post(
    "/v1/my/choices",
    operation_id="choose",
    summary="Refuse something, ask for a person, or take it back",
    response_description="Every choice that stands now. It is durable before this is sent.",
    **declared(MyChoices, "not-found", takes=ChoiceChange),
)
async def choose(call: Admitted, locale: Locale = "zh-CN", x_subscriber_id: WhoInDevelopment = None) -> Response:
    """Honoured by the next decision, whoever asks for it and however old what they know is. Said twice, it is one choice."""
    who, change, now = myself(call, x_subscriber_id), parse_body(await read_json(call.request), ChoiceChange), call.now()
    pack, language = call.services.packs.current, language_of(locale)
    known = await _known(call, who, change.decision_id)
    _check(change, known, pack)
    made = Choice(change.choice, change.about, stamp(now), call.new_id(now))
    before = next((item for item in known.standing if item[:2] == made[:2]), None)
    after = [*known.standing, made] if before is None else [item for item in known.standing if item is not before]
    if change.stands == (before is not None):
        return json_answer(my_choices(known.standing, pack, language))
    answer = as_json(my_choices(after, pack, language))
    await call.record.write(_entry(call, who, change, known, made, now, answer))
    return json_answer(answer)


async def _known(call: Call, who: str, decision_id: str | None) -> _Known:
    def look(connection: Connection) -> _Known:
        token = token_of(connection, call.record.keys, who)
        found = None if decision_id is None else answerable(connection, decision_id)
        own = found if found is not None and token is not None and found.subject == token else None
        return _Known(token, () if token is None else standing_of(connection, token), own)

    return await call.read(look)


def _entry(call: Call, who: str, change: ChoiceChange, known: _Known, made: Choice, now: datetime.datetime, answer: bytes) -> NewEntry:
    """The entry of a change: of a suggestion that is refused, the outcome that `responses` would have made."""
    entry_id = made.entry or ""
    if change.stands and known.decision is not None and change.action is not None:
        report = OutcomeReport(action=change.action, outcome="refused")
        return outcome_entry(Told(entry_id, now, known.decision, report, call.caller, for_good=True), answer)
    step = MADE if change.stands else TAKEN_BACK
    return choice_entry(entry_id, now, who, change.choice, change.about, step, by=call.caller)


def _check(change: ChoiceChange, known: _Known, pack: Pack) -> None:
    """See that the choice can be made.

    Raises:
        RequestError: what it is about is missing, or does not belong to it, or there is no such action.
        Refused: the decision is not the person's, or did not suggest the action.
    """
    problems = [*_problems(change, known, pack)]
    if problems:
        raise RequestError(problems)
    if change.decision_id is not None:
        if known.decision is None:
            raise no_decision()
        if known.decision.offered(change.action or "") is None:
            raise Refused(problem("not-found", detail=not_offered(known.decision, change.action or "")))


def _problems(change: ChoiceChange, known: _Known, pack: Pack) -> Iterator[FieldProblem]:
    for name, owner in (("channel", "no_channel"), ("action", "no_action")):
        given = getattr(change, name) is not None
        if given and change.choice != owner:
            yield FieldProblem(name, f"is told of `{owner}` only; leave it out")
        elif not given and change.choice == owner:
            yield FieldProblem(name, f"is required where the choice is `{owner}`")
    if change.decision_id is not None and not (change.choice == "no_action" and change.stands):
        yield FieldProblem("decision_id", "is told where an action is refused; leave it out")
    if change.choice == "no_action" and change.action is not None and change.decision_id is None and change.stands:
        standing = {item.about for item in known.standing}
        if change.action not in pack.by_id and change.action not in standing:
            yield FieldProblem("action", hinted("is no action of the pack in force", change.action, pack.by_id))
