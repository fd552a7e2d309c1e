"""Which pack decides, when, and why: a pure function of the steps that were taken with packs.

A pack is published, approved by somebody else, activated at once or for a time. A later activation takes its place; a rollback brings
back the one before. Times are text as the store writes them, which sorts as time does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

StepKind = Literal["published", "approved", "rejected", "activated", "withdrawn", "rolled_back", "development"]
State = Literal["published", "approved", "rejected", "scheduled", "active", "retired"]

SEED = "seed"
"""Who publishes, approves and activates the pack of `WANLIU_PACK` in a store that has none in force."""
DEVELOPMENT = "development"
"""Who does so for a changed folder in development mode."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was done with a pack, by whom. `effective_at` is from when on an activation holds; none for other steps."""

    entry_id: str
    digest: str
    step: StepKind
    at: str
    by: str
    effective_at: str | None = None
    note: str | None = None

    @property
    def since(self) -> str:
        """From when on the step holds."""
        return self.effective_at or self.at


@dataclass(frozen=True, slots=True)
class History:
    """Every step that was taken, oldest first."""

    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, steps: Iterable[Step]) -> History:
        """The history of these steps, whatever order they come in."""
        return cls(tuple(sorted(steps, key=_taken)))

    def active(self, moment: str) -> Step | None:
        """What put the pack in force that decides at a moment; none where no pack does. What development mode runs does not count."""
        return next(reversed(self.line(moment)), None)

    def line(self, moment: str) -> tuple[Step, ...]:
        """The activations that a rollback would go back along, oldest first; the last one is in force at the moment."""
        line: list[Step] = []
        for step in sorted(self._holding(), key=lambda step: (step.since, *_taken(step))):
            if step.since <= moment:
                _take(line, step)
        return tuple(line)

    def scheduled(self, moment: str, digest: str | None = None) -> tuple[Step, ...]:
        """Activations yet to come, of one pack or of all, the next one first; withdrawn ones left out."""
        found = [step for step in self._holding() if step.since > moment and digest in (None, step.digest)]
        return tuple(sorted(found, key=lambda step: (step.since, *_taken(step))))

    def followed(self) -> Step | None:
        """What development mode took over last."""
        return next((step for step in reversed(self.steps) if step.step == "development"), None)

    def state(self, digest: str, moment: str) -> State:
        """How far a pack has come."""
        active = self.active(moment)
        if active is not None and active.digest == digest:
            return "active"
        verdict = self.verdict(digest)
        if verdict is None:
            return "published"
        if verdict.step == "rejected":
            return "rejected"
        if self.scheduled(moment, digest):
            return "scheduled"
        return "retired" if self._was_active(digest, moment) else "approved"

    def verdict(self, digest: str) -> Step | None:
        """The approval or rejection that stands; none where it was published after its rejection."""
        return _verdicts(self.of_pack(digest)).get(digest)

    def authors(self, digest: str) -> tuple[str, ...]:
        """Everybody who published the pack, first to last."""
        return tuple(dict.fromkeys(step.by for step in self.of_pack(digest) if step.step == "published"))

    def of_pack(self, digest: str) -> tuple[Step, ...]:
        """The steps of one pack, oldest first."""
        return tuple(step for step in self.steps if step.digest == digest)

    def _was_active(self, digest: str, moment: str) -> bool:
        return any(step.digest == digest and step.since <= moment for step in self._holding())

    def _holding(self) -> Iterator[Step]:
        """Activations of packs that stood approved, and that nobody withdrew before their time."""
        verdicts: dict[str, Step] = {}
        for number, step in enumerate(self.steps):
            _judge(verdicts, step)
            if step.step not in ("activated", "rolled_back") or not _approved(verdicts.get(step.digest)):
                continue
            if step.since == step.at or not any(_withdraws(later, step) for later in self.steps[number + 1 :]):
                yield step


def same_person(one: str, other: str) -> bool:
    """Do two names name one person, whatever the case and form of their letters? The seed is nobody."""
    return one != SEED and _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _taken(step: Step) -> tuple[str, str]:
    """The order in which steps were taken; ids decide between those of one moment."""
    return step.at, step.entry_id


def _verdicts(steps: Iterable[Step]) -> dict[str, Step]:
    verdicts: dict[str, Step] = {}
    for step in steps:
        _judge(verdicts, step)
    return verdicts


def _judge(verdicts: dict[str, Step], step: Step) -> None:
    """Take a step into account: publishing once more wipes a rejection out, and leaves an approval as it is."""
    if step.step in ("approved", "rejected"):
        verdicts[step.digest] = step
    elif step.step == "published" and not _approved(verdicts.get(step.digest)):
        verdicts.pop(step.digest, None)


def _approved(verdict: Step | None) -> bool:
    return verdict is not None and verdict.step == "approved"


def _withdraws(later: Step, activation: Step) -> bool:
    return later.step in ("withdrawn", "rejected") and later.digest == activation.digest and later.at < activation.since


def _take(line: list[Step], step: Step) -> None:
    """Lead the line on: a rollback takes the last one off it."""
    if step.step == "rolled_back" and line:
        line.pop()
        if line and line[-1].digest == step.digest:
            line.pop()
        line.append(step)
    elif not line or line[-1].digest != step.digest:
        line.append(step)


def shortened(digest: str) -> str:
    """A digest as people are shown it."""
    return digest.removeprefix("sha256:")[:12]
