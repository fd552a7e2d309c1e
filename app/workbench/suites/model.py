"""A suite once it is read: tests, and what each expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.engine.case import Case
from app.engine.problems import Place
from app.engine.texts import Language


@dataclass(frozen=True, slots=True)
class Title:
    """A name in both languages; where it was given in one, the same twice."""

    en: str
    zh: str

    def say(self, language: Language) -> str:
        """The name in the language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that a decision should be: `kind` is the key under `expect:`, `name` what it is about (`""`: the whole)."""

    kind: str
    name: str
    wanted: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Test:
    """A case with what is expected of it, under a jurisdiction; `guardrails_alone` leaves the contact policy out."""

    __test__ = False  # pytest collects classes of this name

    number: int
    suite: Title
    title: Title
    place: Place
    case: Case
    jurisdiction: str
    guardrails_alone: bool
    expectations: tuple[Expectation, ...]

    def matches(self, pattern: str) -> bool:
        """Does the pattern stand in the file, the suite's name or the test's, in either language, whatever the case of letters?"""
        words = (self.place.file, str(self.place), self.suite.en, self.suite.zh, self.title.en, self.title.zh)
        return any(pattern.casefold() in word.casefold() for word in words)
