"""Which pack decides, when, and why: a pure function of the steps that were taken with packs.

A pack is published, approved by somebody else, activated at once or for a time. A later activation takes its place; a rollback brings
back the one before. Times are text as the store writes them, which sorts as time does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from app import __version__

StepKind = Literal["published", "approved", "rejected", "activated", "withdrawn", "rolled_back", "refused", "development"]
State = Literal["published", "approved", "rejected", "scheduled", "active", "refused", "retired"]

COLUMNS = ("entry_id", "digest", "step", "at", "by", "effective_at", "note")
"""What the store keeps of a step beside its entry."""

SEED = "seed"
"""Who publishes, approves and activates the pack of `WANLIU_PACK` in a store that has none in force."""
DEVELOPMENT = "development"
"""Who does so for a changed folder in development mode."""
SERVICE = "service"
"""Who refuses a pack that fails its trial."""


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
    told: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The body of its entry."""

    @property
    def since(self) -> str:
        """From when on the step holds."""
        return self.effective_at or self.at

    @property
    def is_of_this_engine(self) -> bool:
        """Is it a refusal by this version of the engine? Another one may come to something else."""
        return self.step == "refused" and self.told.get("engine") == __version__


@dataclass(frozen=True, slots=True)
class Unfounded:
    """A row of the store that is not what the record says: `step` as it stands there, and why it is not obeyed; `entry` is."""

    step: Step
    why: str
    entry: Step | None = None

    @property
    def told(self) -> str:
        """For people: which row, and what is wrong with it."""
        step = self.step
        return f"the row `{step.step}` of {shortened(str(step.digest))} by `{step.by}` at {step.at} is not on the record: {self.why}"


@dataclass(frozen=True, slots=True)
class History:
    """Every step that was taken, oldest first, and rows of the store that stand for none."""

    steps: tuple[Step, ...] = ()
    unfounded: tuple[Unfounded, ...] = ()

    @classmethod
    def of(cls, steps: Iterable[Step]) -> History:
        """The history of these steps, whatever order they come in."""
        return cls(tuple(sorted(steps, key=_taken)))

    def after(self, known: History) -> History:
        """This history, where steps that were known to stand and are not there any more stand still, and are told."""
        here = {step.entry_id for step in self.steps}
        gone = [step for step in known.steps if step.entry_id not in here]
        told = {item.step.entry_id for item in self.unfounded}
        missing = [Unfounded(step, "its row is gone", step) for step in gone if step.entry_id not in told]
        return replace(History.of((*self.steps, *gone)), unfounded=(*self.unfounded, *missing)) if gone else self

    def active(self, moment: str) -> Step | None:
        """What put the pack in force that decides at a moment; none where no pack does. What development mode runs does not count, nor what
        this engine has refused."""
        return next((step for step in reversed(self.line(moment)) if not self.is_refused(step)), None)

    def before(self, moment: str) -> Step | None:
        """What a rollback goes back to: the last activation before the active one, of another pack that decided and still may."""
        line = [step for step in self.line(moment) if not self.is_refused(step)]
        return next((step for step in reversed(line) if step.digest != line[-1].digest and self._may_decide(step.digest)), None)

    def is_refused(self, activation: Step) -> bool:
        """Has a process with this engine found that the pack cannot take over?"""
        return any(step.is_of_this_engine and step.told.get("activation") == activation.entry_id for step in self.steps)

    def refusal(self, digest: str) -> Step | None:
        """The last refusal of a pack by this engine; none since it was published anew."""
        found = None
        for step in self.of_pack(digest):
            if step.step == "published":
                found = None
            elif step.is_of_this_engine:
                found = step
        return found

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
        if self.refusal(digest) is not None:
            return "refused"
        if self.scheduled(moment, digest):
            return "scheduled"
        return "retired" if self._was_active(digest, moment) else "approved"

    def verdict(self, digest: str) -> Step | None:
        """The approval or rejection that stands; none where it was published after its rejection."""
        return _verdicts(self.of_pack(digest)).get(digest)

    def authors(self, digest: str) -> tuple[str, ...]:
        """Everybody who published the pack, first to last."""
        return tuple(dict.fromkeys(step.by for step in self.of_pack(digest) if step.step == "published"))

    def failed_tests(self, digest: str) -> int:
        """How many of a pack's own tests this engine saw fail when it was published last."""
        published = next((step for step in reversed(self.of_pack(digest)) if step.step == "published"), None)
        tests = published.told.get("tests") if published is not None else None
        if not isinstance(tests, Mapping) or tests.get("engine") != __version__:
            return 0
        return tests.get("failed") or 0

    def of_pack(self, digest: str) -> tuple[Step, ...]:
        """The steps of one pack, oldest first."""
        return tuple(step for step in self.steps if step.digest == digest)

    def _was_active(self, digest: str, moment: str) -> bool:
        return any(step.digest == digest and step.since <= moment and not self.is_refused(step) for step in self._holding())

    def _may_decide(self, digest: str) -> bool:
        return _approved(self.verdict(digest)) and self.refusal(digest) is None

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
    """Lead the line on: a rollback takes off it what came after the pack that it brings back."""
    if step.step == "rolled_back" and line:
        line.pop()
        places = [place for place, earlier in enumerate(line) if earlier.digest == step.digest]
        del line[places[-1] if places else len(line) :]
        line.append(step)
    elif not line or line[-1].digest != step.digest:
        line.append(step)


def shortened(digest: str) -> str:
    """A digest as people are shown it."""
    return digest.removeprefix("sha256:")[:12]
