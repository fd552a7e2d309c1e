"""What the YAML of a suite may hold: one model a thing, used to type it, to name mistakes and to describe it to editors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from app.engine.pack.documents import Id, Part, Sentence, Word, Words, listed

Name = Words | Sentence
"""A name in both languages, or in one."""
Changes = dict[str, Any]
"""Dotted paths into the subscriber, each with its new value."""
Additions = dict[str, list[Any]]
"""Dotted paths of lists, each with what is added to it."""


class SubjectPart(Part):
    """A made-up subscriber that tests share: written out, or like another one with changes."""

    title: Name | None = None
    like: Word | None = None
    subscriber: dict[str, Any] = Field(default={})
    changes: Changes = Field(default={}, alias="with")
    add: Additions = Field(default={})


class Expected(Part):
    """What a decision should be. What is not named is not looked at."""

    stage: Word | None = None
    phase: Word | None = None
    moment: Word | None = None
    signals: dict[Id, Word] = Field(default={})
    facts: dict[Id, Any] = Field(default={})
    actions: list[Word] | None = None
    first: Word | None = None
    offered: Annotated[dict[Word, int] | list[Word], BeforeValidator(listed)] = Field(default={})
    reasons: dict[Word, Annotated[list[Id], BeforeValidator(listed)]] = Field(default={})
    not_offered: Annotated[dict[Word, str] | list[Word], BeforeValidator(listed)] = Field(default={})
    empty_because: Word | None = None
    says: dict[Word, Annotated[list[Sentence], BeforeValidator(listed)]] = Field(default={})
    tariffs: dict[Word, Word] = Field(default={})
    concessions: dict[Word, int] = Field(default={})
    asks: Annotated[list[Id] | None, BeforeValidator(listed)] = None
    personalised: bool | None = None


class StepPart(Part):
    """A step of a conversation: what is said to the decision before it, a minute later, and what should come of it."""

    name: Name | None = None
    refused: Annotated[list[Word], BeforeValidator(listed)] = Field(default=[])
    accepted: Annotated[list[Word], BeforeValidator(listed)] = Field(default=[])
    answers: dict[Id, Any] = Field(default={})
    role: str | None = None
    expect: Expected = Expected()


class Question(Part):
    """What every row and test may set: about whom, asked how, and what should come of it."""

    name: Name | None = None
    subject: Word | None = None
    changes: Changes = Field(default={}, alias="with")
    add: Additions = Field(default={})
    request: dict[str, Any] = Field(default={})
    answers: dict[Id, Any] = Field(default={})
    now: str | None = None
    role: str | None = None
    expect: Expected = Expected()
    then: list[StepPart] = Field(default=[], max_length=20)


class TestPart(Question):
    """A test, or with `each:` a table of them that share what stands above it."""

    __test__ = False  # a model, not something pytest collects
    jurisdiction: Word | None = None
    guardrails_alone: bool | None = None
    each: list[Question] | None = Field(default=None, min_length=1)


class SuiteDocument(Part):
    """A file of `policies/tests/`: subjects, a suite of tests, or both."""

    subjects: dict[Word, SubjectPart] = Field(default={})
    suite: Name | None = None
    now: str | None = None
    role: str | None = None
    jurisdiction: Word | None = None
    guardrails_alone: bool | None = None
    request: dict[str, Any] = Field(default={})
    tests: list[TestPart] | None = None
