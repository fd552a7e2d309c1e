"""What came of verifying."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MOST_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed: at which leaf it was seen, if at one, and what is wrong in plain words.

    `what` is its kind: `record`, `entry`, `private`, `commitment`, `sequence`, `leaf`, `tile`, `root`, `checkpoint`, `truncated`,
    `archive`, `chunk` (a part of a campaign, or its file), `row` (a row of another table that restates an entry, and says something else,
    or is one too many or too few), or `damaged`.
    """

    what: str
    message: str
    leaf: int | None = None
    entry: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much of the log was read and what was found; findings by leaf, the first bad one first.

    `rows` decisions of campaigns were held against the leaves of their parts.
    `first` is the first leaf that was read again: those before it are held by the root that was signed then. `waiting` entries have no leaf
    yet. `opened` private payloads were compared with what the leaf commits to, `sealed_for_good` cannot be opened any more: their subjects
    were erased.
    """

    origin: str
    size: int
    first: int = 0
    checkpoints: int = 0
    records: int = 0
    rows: int = 0
    archived: int = 0
    waiting: int = 0
    writers: int = 0
    opened: int = 0
    sealed_for_good: int = 0
    kept: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def genuine(self) -> bool:
        """Nothing is wrong."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        shown = {name: getattr(self, name) for name in self.__slots__ if name != "findings"}
        found = [{name: getattr(finding, name) for name in Finding.__slots__} for finding in self.findings]
        return {"genuine": self.genuine, **shown, "findings": found}


class Findings:
    """Gathers what is wrong, no more than somebody reads."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def add(self, what: str, message: str, leaf: int | None = None, entry: str | None = None) -> None:
        """Something is wrong."""
        if len(self._found) < MOST_FINDINGS:
            self._found.append(Finding(what, message, leaf, entry))

    def extend(self, findings: Iterable[Finding]) -> None:
        """Several things are wrong."""
        for finding in findings:
            self.add(finding.what, finding.message, finding.leaf, finding.entry)

    def sorted(self) -> tuple[Finding, ...]:
        """By leaf; those without one last."""
        return tuple(sorted(self._found, key=lambda finding: (finding.leaf is None, finding.leaf or 0)))
