"""What the YAML of a pack may hold: one model a thing, used to type it, to name mistakes and to describe it to editors."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from app.engine.vocabulary import ActionKind, Channel

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=80)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
Fen = Annotated[int, Field(ge=0, le=10**12)]
Whole = Annotated[int, Field(ge=0, le=10**12)]
Days = Annotated[int, Field(ge=1, le=3_660)]
Weight = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

LevelWord = Literal["watch", "high", "severe"]
Restricted = Literal["risk", "vip"]
Lever = Literal["policy", "service", "emotional"]
Duty = Literal["owed", "care", "offer"]
Approve = Literal["none", "agent", "leader", "retention_desk", "manager", "city", "by_amount"]
Confirm = Literal["none", "readback", "double", "holder"]
Checked = Literal["yes", "counsel"]


class Part(BaseModel):
    """Base of everything in a pack: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Part):
    """A text in both languages."""

    en: Sentence
    zh: Sentence


class PackHead(Part):
    """Who the pack is for. `salt` seeds pilots and holdouts, `zone` is used for subscribers who bring none."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9][0-9a-z.\-]*$", max_length=40)]
    jurisdiction: Word
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    zone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_+\-0-9/]+$", max_length=60)]
    salt: Annotated[str, StringConstraints(min_length=4, max_length=200)]


def _spelt(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("a date should be written as 2026-11-22")
    return value


Day = Annotated[datetime.date, BeforeValidator(_spelt)]
Value = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Parameter(Part):
    """A threshold or a list with a name and a sentence on why it is what it is."""

    id: Annotated[Id, StringConstraints(pattern=r"^param\.")]
    value: Value | Annotated[list[Value], Field(min_length=1, max_length=500)] = Field(alias="is")
    unit: str = ""
    why: Words


class CustomFact(Part):
    """An operator's own fact, typed. `protected`: it tells of age, gender, origin, district or family, and may not decide about offers."""

    id: Annotated[Id, StringConstraints(pattern=r"^custom\.[a-z0-9_]+$")]
    type: Literal["number", "int", "money", "text", "boolean", "date", "enum", "set", "series"]
    values: list[Word] = []
    unit: str = ""
    protected: bool = False
    title: Words

    @model_validator(mode="after")
    def words_given(self) -> CustomFact:
        """An enumeration says its words."""
        if (self.type == "enum" and not self.values) or (self.values and self.type not in ("enum", "set")):
            raise ValueError("`values:` lists the words of an enumeration, or of a set")
        return self


class Row(Part):
    """A row of a first-match table; without `if` it always matches."""

    condition: Expression | None = Field(default=None, alias="if")
    value: Expression = Field(alias="is")


Rows = Annotated[list[Row], Field(max_length=200)]


class DerivedFact(Part):
    """A fact computed from others: by one expression, or by the first row that holds; `values` may say how its words are told."""

    id: Annotated[Id, StringConstraints(pattern=r"^facts\.[a-z0-9_]+$")]
    title: Words
    unit: str = ""
    expression: Expression | None = Field(default=None, alias="is")
    values: list[Word] | dict[Word, Words] = []
    first: Rows = []

    @model_validator(mode="after")
    def one_form(self) -> DerivedFact:
        """Either one form or the other."""
        if (self.expression is None) == (not self.first):
            raise ValueError("a fact has either `is:` or `first:`")
        if self.values and not self.first:
            raise ValueError("`values:` are the words that the rows of `first:` give")
        return self


class Question(Part):
    """How to ask for an unknown base fact, who may, and when it is worth a breath: left out, always."""

    fact: Id
    who: Literal["agent", "self", "both"]
    when: Expression | None = None
    en: Sentence
    zh: Sentence


class SignalPart(Part):
    """A signal with its levels, strongest first, each `word: expression`. `restricted`: it tells of what not everybody sees."""

    id: Id
    title: Words
    levels: Annotated[list[dict[LevelWord, Expression]], Field(min_length=1, max_length=3)]
    reason: Words
    customer: Words | None = None
    restricted: Restricted | None = None


class AbsentEvent(Part):
    """An event that must not exist for a join to hold."""

    source: Annotated[str, StringConstraints(pattern=r"^events\.[a-z_]+$")] = Field(alias="from")
    where: Expression | None = None


class JoinPart(Part):
    """Events that belong together."""

    facts: dict[Word, Annotated[str, StringConstraints(pattern=r"^events\.[a-z_]+$")]]
    where: Expression | None = None
    without: dict[Word, AbsentEvent] = {}

    def sources(self) -> list[str]:
        """The kinds of events that are joined or must be absent, each once."""
        return list(dict.fromkeys([*self.facts.values(), *(event.source for event in self.without.values())]))


class PatternPart(Part):
    """A signal concluded from events joined with each other."""

    id: Id
    title: Words
    when: Expression | None = None
    facts: dict[Word, Annotated[str, StringConstraints(pattern=r"^events\.[a-z_]+$")]] = {}
    where: Expression | None = None
    without: dict[Word, AbsentEvent] = {}
    any: list[JoinPart] = []
    level: LevelWord
    reason: Words
    customer: Words | None = None
    restricted: Restricted | None = None

    @model_validator(mode="after")
    def one_form(self) -> PatternPart:
        """Either one form or the other."""
        if bool(self.facts) == bool(self.any) or (self.any and (self.where or self.without)):
            raise ValueError("a pattern has either `facts:` with `where:`, or a list of such joins under `any:`")
        return self

    def joins(self) -> list[JoinPart]:
        """The alternative joins, also where there is one."""
        return self.any or [JoinPart(facts=self.facts, where=self.where, without=self.without)]


class StagePart(Part):
    """A lifecycle stage; holds when any of its clauses does, always when it has none."""

    id: Word
    title: Words
    any: dict[Word, Expression] = {}


class Mix(Part):
    """How much each lever weighs in a phase."""

    policy: Weight
    service: Weight
    emotional: Weight


class PhasePart(Part):
    """A phase of treatment with its lever mix."""

    id: Word
    title: Words
    any: dict[Word, Expression] = {}
    mix: Mix


class MomentPart(Part):
    """A moment of truth: when recent events reveal it, and what weighs more in it."""

    id: Word
    title: Words
    revealed_by: Expression | None = None
    relevance: dict[Word, Weight] = {}


class TariffPart(Part):
    """A published tariff.

    Money in fen, voice in minutes, data in MB, `voice_rate` a minute, `data_rate` a GB of 1,024 MB; an `overage_cap` of 0 is none.
    """

    id: Word
    kind: Literal["plan", "pack", "contract", "benefit"]
    name: Words
    filing_no: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-]{4,40}$")]
    fee: Fen
    months: Annotated[int, Field(ge=0, le=120)] = 0
    voice_minutes: Whole = 0
    data_mb: Whole = 0
    voice_rate: Annotated[int, Field(ge=0, le=100_000)] = 0
    data_rate: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    overage_cap: Fen = 0
    exit_fee: Fen = 0
    fee_after: Fen
    commitment_months: Annotated[int, Field(ge=0, le=120)] = 0
    regions: Annotated[list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]+$")]], Field(min_length=1)]
    on_sale_from: Day
    on_sale_to: Day | None = None
    open_to_existing: bool = True
    requires: list[Word] = []
    excludes: list[Word] = []
    open_if: Expression | None = None
    effective: Literal["next_cycle", "at_once"]
    disclose: Words

    @model_validator(mode="after")
    def sold_at_all(self) -> TariffPart:
        """A tariff is on sale on some day."""
        if self.on_sale_to is not None and self.on_sale_to < self.on_sale_from:
            raise ValueError("`on_sale_to:` is before `on_sale_from:`")
        return self


class Arbitration(Part):
    """How winners are chosen: caps, service before sales, concession limits by role in fen (a case, twelve months), days of validity."""

    max_actions: Annotated[int, Field(ge=1, le=10)]
    per_category: Annotated[int, Field(ge=1, le=10)]
    commitments: Annotated[int, Field(ge=0, le=10)]
    service_first: list[Word]
    concession: dict[Word, Fen]
    concession_year: dict[Word, Fen] = {}
    valid_days: Annotated[int, Field(ge=1, le=365)]


class ConversationPart(Part):
    """How far a conversation goes: steps that propose something, the first among them, and who has said that they want to leave."""

    steps: Annotated[int, Field(ge=1, le=10)]
    leaving: Expression


HandsOffCause = Literal["port_out_in_progress", "account_closed", "not_applicable", "suppressed", "guardrail", "unknown"]
EmptyCause = Literal["port_out_in_progress", "account_closed", "let_go", "refused", "not_applicable", "suppressed", "guardrail", "unknown"]


class ContactPart(Part):
    """A contact or guardrail clause: what it applies to, what permits, and what an unknown does."""

    id: Word
    title: Words
    applies: Expression | None = None
    permits: Expression
    unknown: Literal["remove", "allow"] = "remove"
    because: Words | None = None
    reason: Words

    @model_validator(mode="after")
    def exception_has_reason(self) -> ContactPart:
        """An exception says why."""
        if (self.unknown == "allow") != (self.because is not None):
            raise ValueError("`unknown: allow` and `because:` go together")
        return self


class GuardrailPart(ContactPart):
    """A guardrail clause with its source in law, and whether that was checked or is for counsel."""

    source: Words
    checked: Checked


class HandsOffPart(Part):
    """When to keep our hands off; the id is the cause given for an empty answer."""

    id: HandsOffCause
    title: Words
    when: Expression
    moment: Word | None = None
    source: Words
    checked: Checked


class Guardrails(Part):
    """A jurisdiction's guardrails."""

    jurisdiction: Word
    hands_off: list[HandsOffPart]
    clauses: list[GuardrailPart]


def listed(value: Any) -> Any:
    """A word that stands alone where a list may stand is a list of it."""
    return [value] if isinstance(value, str) else value


class Document(Part):
    """A file of rules or policies: any of these keys."""

    pack: PackHead | None = None
    parameters: list[Parameter] = []
    custom: list[CustomFact] = []
    facts: list[DerivedFact] = []
    ages: dict[Id, Days] = {}
    questions: list[Question] = []
    stages: Annotated[list[StagePart], Field(max_length=50)] = []
    moments: Annotated[list[MomentPart], Field(max_length=50)] = []
    signals: list[SignalPart] = []
    patterns: list[PatternPart] = []
    phases: Annotated[list[PhasePart], Field(max_length=50)] = []
    tariffs: list[TariffPart] = []
    arbitration: Arbitration | None = None
    conversation: ConversationPart | None = None
    fallback: dict[EmptyCause, Annotated[list[Word], BeforeValidator(listed)]] = {}
    contact: list[ContactPart] = []
    holidays: list[Day] = []
    guardrails: Guardrails | None = None


class Script(Part):
    """What stands on a channel: a script to be said, or a text to be sent or shown."""

    script: Words | None = None
    text: Words | None = None

    @model_validator(mode="after")
    def one_form(self) -> Script:
        """Either one form or the other."""
        if (self.script is None) == (self.text is None):
            raise ValueError("a channel has either `script:` (said) or `text:` (sent or shown)")
        return self


class Pilot(Part):
    """A trial, announced as one, that ends by itself: until its last day a protected fact may decide who takes part."""

    until: datetime.date
    why: Words


class OpensPart(Part):
    """What an action leaves to be done: a case of a kind, whose it is, and by when; left out, by the day that `action.valid_until` is.

    It is opened when the action is accepted; or when the person was told of it, where its words promise something; or when it is decided,
    where nobody is told.
    """

    case: Literal["promise", "call_back", "escalation"]
    owner: Word
    due_days: Annotated[int, Field(ge=0, le=365)] | None = None
    when: Literal["accepted", "told", "decided"] = "accepted"


class ActionDocument(Part):
    """A file of one action."""

    action: Word
    title: Words
    kind: ActionKind
    lever: Lever
    duty: Duty | Rows
    category: Word
    purpose: Literal["port_assistance"] | None = None
    marketing: bool | None = None
    phases: list[Word]
    eligible: dict[Word, Expression] = {}
    applicable: dict[Word, Expression] = {}
    suitable: dict[Word, Expression] = {}
    propensity: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | Rows
    value: Expression
    concession: Expression = "0"
    approve: Approve = "none"
    confirm: Confirm = "none"
    tariff: str | None = None
    excludes: list[Word] = []
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    valid_days: Annotated[int, Field(ge=1, le=365)] | None = None
    opens: OpensPart | None = None
    legal_basis: Words | None = None
    pilot: Pilot | None = None
    reason: Words | None = None
    customer: Words | None = None
    disclose: Words | None = None
    channels: Annotated[dict[Channel, Script], Field(min_length=1)]

    @property
    def concedes(self) -> bool:
        """Does it give something away?"""
        return self.concession != "0"
