"""A decision in words, as doors give it out. `view` blanks what a role may not see.

Not frozen: an answer is made for one reader on the hot path, where freezing would cost more than the wording. Without slots: orjson writes
out a part that has a `__dict__` in a quarter of the time.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

Scalar = str | int | float | bool | None
Shown = Scalar | list[Scalar]


@dataclass
class Evidence:
    """A condition as the pack writes it, and the values it saw. Dates are ISO text, unknown is null."""

    clause: str
    test: str
    values: Mapping[str, Shown]


@dataclass
class Reason:
    """Why, by code and in words; `customer` is the wording a customer may read, none where there is none."""

    code: str
    text: str
    customer: str | None
    evidence: list[Evidence] | None


@dataclass
class NotStronger:
    """A stronger phase not chosen. Of its clauses those in `unknown` are unknown, the others false; `because` has what they saw."""

    phase: str
    title: str
    because: list[Evidence] | None
    unknown: list[str]


@dataclass
class PhaseAnswer:
    """The phase, why it, and why not a stronger one."""

    id: str
    title: str
    reasons: list[Reason]
    not_stronger: list[NotStronger] | None


@dataclass
class SignalAnswer:
    """A signal that holds."""

    id: str
    title: str
    level: str
    text: str
    customer: str | None
    evidence: list[Evidence] | None


@dataclass
class ScoreParts:
    """The factors of a score. `value` in fen."""

    propensity: float
    value: float | None
    relevance: float
    lever: float


@dataclass
class TariffAnswer:
    """The published tariff an offer comes from. Money in the currency's smallest unit."""

    id: str
    name: str
    filing_no: str
    fee: int
    fee_after: int
    months: int
    exit_fee: int
    commitment_months: int
    effective: str
    saving: float | None
    disclose: str


@dataclass
class ActionAnswer:
    """A next best action: what to do, in words for the channel, and why."""

    rank: int
    action: str
    title: str
    kind: str
    duty: str
    category: str
    script: str | None
    text: str | None
    reasons: list[Reason]
    score: float | None
    parts: ScoreParts | None
    concession: int | None
    approve: str | None
    confirm: str
    tariff: TariffAnswer | None
    disclose: str | None
    valid_until: datetime.datetime
    fallback_for: str | None


@dataclass
class Change:
    """A change of one value that, with the others listed beside it, would turn a clause. Exactly one of `value` and `in_days` is given.

    `value` is the first value that turns it, `direction` says on which side of it; `in_days` is for what time alone brings.
    """

    fact: str
    direction: str
    value: float | None
    in_days: int | None


@dataclass
class NotOffered:
    """An action that was not offered: one cause, the clause, what it saw, and what would change it."""

    action: str
    title: str
    cause: str
    clause: str | None
    text: str
    evidence: Evidence | None
    others: list[str]
    until: datetime.datetime | None
    change: str | None
    changes: list[Change]
    lost_to: str | None
    behind: float | None


@dataclass
class Ask:
    """A question to put to the person: the fact it answers and the actions it may bring in."""

    fact: str
    question: str
    may_unlock: list[str]


@dataclass
class UnknownFact:
    """A fact the decision would have used: missing, or too old by the pack's limit."""

    fact: str
    title: str
    why: str
    age_days: int | None


@dataclass
class Explanation:
    """Everything there is to say about a decision, before a role's view of it."""

    stage: str
    stage_title: str
    phase: PhaseAnswer
    moment: str
    signals: list[SignalAnswer]
    actions: list[ActionAnswer]
    not_offered: list[NotOffered] | None
    ask: list[Ask]
    unknown: list[UnknownFact]
    empty_because: str | None
    personalised: bool
