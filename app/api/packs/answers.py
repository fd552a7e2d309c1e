"""Packs in force over HTTP: what is sent and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import Field

from app.engine.intake import FieldProblem, RequestError
from app.engine.pack import LARGEST_PACK, MOST_FILES
from app.engine.problems import PackError, Problem
from app.engine.vocabulary.model import Model
from app.engine.vocabulary.types import Instant, Note
from app.record.packs.history import History, Step, StepKind
from app.record.packs.library import PackSummary
from app.workbench.trial import Trial

LARGEST_BODY = LARGEST_PACK + LARGEST_PACK // 4
"""Bytes of a pack as JSON."""
PUBLISHED_FILES: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["files"],
    "properties": {
        "files": {
            "type": "object",
            "description": "The text of each file by its path in the pack, such as `rules/pack.yaml`. `policies/tests/` are the pack's own"
            " tests.",
            "minProperties": 1,
            "maxProperties": MOST_FILES,
            "additionalProperties": {"type": "string"},
        }
    },
}
"""JSON Schema of what publishing takes. It is read without a model: a file's name may be anything that a path may be."""


class Remark(Model):
    """A step for which there is nothing to say, or a note."""

    note: Annotated[Note | None, Field(description="Why, for those who come later.")] = None


class Rejection(Model):
    """A step that has to be explained."""

    note: Annotated[Note, Field(description="Why, for those who publish the next one.")]


class Activation(Remark):
    """When a pack is to decide."""

    at: Annotated[Instant | None, Field(description="From when on it decides, at most a year ahead. Left out, from now on.")] = None


@dataclass(frozen=True, slots=True)
class PackStep:
    """What was done with a pack, by whom and when. `record` is its entry on the record."""

    step: StepKind
    at: str
    by: str
    effective_at: str | None
    note: str | None
    record: str


@dataclass(frozen=True, slots=True)
class PackList:
    """Packs, newest first. `active` is in force, `running` decides in the process that answers; `next` begins the next page.

    `not_on_record` tells of rows of the store that stand for no step on the record, and are not obeyed.
    """

    active: str | None
    running: str
    packs: list[PackSummary]
    next: str | None
    not_on_record: list[str]


@dataclass(frozen=True, slots=True)
class PackDetail:
    """A pack, all that was done with it and, where asked for, its files by path, those of its tests among them."""

    pack: PackSummary
    steps: list[PackStep]
    files: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TestsOutcome:
    """How many of a pack's own tests passed and failed, and the first failures. A pack whose tests fail does not take over."""

    passed: int
    failed: int
    failures: list[str]


@dataclass(frozen=True, slots=True)
class Published:
    """The pack that was published, and what its tests came to."""

    pack: PackSummary
    tests: TestsOutcome


def steps_of(history: History, digest: str) -> list[PackStep]:
    """Everything that was done with a pack, oldest first."""
    return [_step(step) for step in history.of_pack(digest)]


def outcome_of(trial: Trial) -> TestsOutcome:
    """What a pack's tests came to."""
    return TestsOutcome(trial.passed, trial.failed, list(trial.failures))


def files_of(body: bytes) -> dict[str, str]:
    """The files that a request to publish sends.

    Raises:
        RequestError: it sends something else.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RequestError([FieldProblem("body", 'is not JSON; expected {"files": {"rules/pack.yaml": "…", …}}')]) from None
    if not isinstance(data, dict):
        raise RequestError([FieldProblem("body", "expected an object")])
    if data.keys() != {"files"}:
        raise RequestError([FieldProblem("files", "is required, and the only field")])
    files = data["files"]
    if not isinstance(files, dict) or not 0 < len(files) <= MOST_FILES or not all(isinstance(text, str) for text in files.values()):
        raise RequestError([FieldProblem("files", f"expected the text of 1 to {MOST_FILES:,} files by path")])
    return files


def mistakes(error: PackError) -> list[FieldProblem]:
    """A pack's mistakes by file, line and column."""
    return [FieldProblem(_field(problem), _message(problem)) for problem in error.problems]


def _field(problem: Problem) -> str:
    return f"files.{problem.place}" if problem.place.file else "files"


def _message(problem: Problem) -> str:
    hint = f"; {problem.hint}" if problem.hint else ""
    return f"{problem.message}{hint} [{problem.code}]"


def _step(step: Step) -> PackStep:
    return PackStep(step.step, step.at, step.by, step.effective_at, step.note, step.entry_id)
