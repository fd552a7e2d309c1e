"""Taking a step with a pack: who may, when, and the entry that puts it on the record. Nothing is stored here."""

from __future__ import annotations

import datetime
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import orjson

from app import __version__
from app.engine.pack import digest_of
from app.record.entries import Idempotency, NewEntry, NewRow
from app.record.ids import Ids
from app.record.packs.history import COLUMNS, SEED, SERVICE, History, Step, StepKind, same_person, shortened
from app.record.packs.standing import KINDS, note_hash, tests_told
from app.record.store.database import stamp

LONGEST_NOTE = 500
LONGEST_NAME = 100
FURTHEST = datetime.timedelta(days=366)
"""How far ahead an activation may be scheduled."""
TESTS = "policies/tests/"
_RACE = datetime.timedelta(days=1)
"""For which only the first of several processes puts on the record that it refuses a pack; later ones read that it is there."""
_MEND = "mend it, give it another `version:`, and publish that"
_tick = datetime.timedelta(microseconds=1)


class PackStepError(Exception):
    """The step is not taken. The message says why and what to do instead."""


class UnknownPack(PackStepError):
    """No pack has this digest."""


class OwnPack(PackStepError):
    """Who published a pack cannot approve it."""


class WrongState(PackStepError):
    """The pack is not where the step begins."""


class BadStep(PackStepError):
    """What the step was given does not do. `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class PackContent:
    """A pack's files by path: those that decide, which its digest is over, and the suites that travel with it."""

    files: Mapping[str, bytes]
    suites: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of the files that decide."""
        return digest_of(self.files)

    @property
    def tests_digest(self) -> str | None:
        """Of the suites; none without any."""
        return digest_of(self.suites) if self.suites else None

    def packed(self) -> bytes:
        """As the store keeps it: compressed JSON, path to text."""
        texts = {path: content.decode() for path, content in {**self.files, **self.suites}.items()}
        return zlib.compress(orjson.dumps(texts, option=orjson.OPT_SORT_KEYS))


@dataclass(frozen=True, slots=True)
class Checked:
    """A pack that nothing speaks against: its name and version, how many of its own tests passed and failed; none: they were not run."""

    content: PackContent
    name: str
    version: str
    passed: int | None = None
    failed: int | None = None

    @property
    def told(self) -> str | None:
        """What its tests came to, in words."""
        return tests_told({"passed": self.passed, "failed": self.failed})


@dataclass(frozen=True)
class Desk:
    """Takes steps: looks at what was done before, and makes the entry. `now` is when."""

    history: History
    now: datetime.datetime
    ids: Ids

    @property
    def active(self) -> Step | None:
        """What put the pack in force that decides now."""
        return self.history.active(self._moment)

    def publish(self, pack: Checked, by: str, stored: PackContent | None) -> NewEntry | None:
        """Publish a pack; none where that was done already.

        Args:
            pack: what to publish.
            by: its author.
            stored: what the store has under its digest.

        Raises:
            WrongState: it was published with other tests.
        """
        content, digest = pack.content, pack.content.digest
        if stored is not None and stored.tests_digest != content.tests_digest:
            raise WrongState(f"{shortened(digest)} is published with other tests; give it another `version:` in rules/pack.yaml")
        if stored is not None and self._is_published(digest, by):
            return None
        rows = () if stored is not None else (self._row(pack, by),)
        outcome = {"passed": pack.passed, "failed": pack.failed, "engine": __version__}
        tests = {"digest": content.tests_digest, **outcome} if content.suites else None
        more = {"name": pack.name, "version": pack.version, "files": len(content.files), "tests": tests}
        return self._entry("published", digest, by, note=pack.told, rows=rows, more=more)

    def approve(self, digest: str, by: str, note: str | None = None) -> NewEntry:
        """Approve a pack that somebody else published.

        Raises:
            OwnPack: it is theirs.
            WrongState: it is approved already, or its own tests fail.
        """
        verdict = self.history.verdict(digest)
        if verdict is not None and verdict.step == "approved":
            raise WrongState(f"{shortened(digest)} is approved already, by `{verdict.by}`")
        if verdict is not None:
            raise WrongState(f"{shortened(digest)} was rejected by `{verdict.by}`; publish it again to have it looked at again")
        for author in self.history.authors(digest):
            if same_person(author, by):
                raise OwnPack(f"`{by}` published {shortened(digest)}; somebody else has to approve it")
        self._check_able(digest)
        return self._entry("approved", digest, by, note=note)

    def reject(self, digest: str, by: str, note: str) -> NewEntry:
        """Refuse a pack, or take its approval back; what was scheduled of it is withdrawn by that.

        Raises:
            BadStep: the note is empty.
            WrongState: it decides at this time, or would if it could take over, or is rejected already.
        """
        if not note.strip():
            raise BadStep("note", "say why, for those who publish the next one")
        state, line = self.history.state(digest, self._moment), self.history.line(self._moment)
        if state == "active" or (line and line[-1].digest == digest):
            raise WrongState(f"{shortened(digest)} is active; activate another or roll back first")
        if state == "rejected":
            raise WrongState(f"{shortened(digest)} is rejected already")
        return self._entry("rejected", digest, by, note=note)

    def activate(self, digest: str, by: str, at: datetime.datetime | None = None, note: str | None = None) -> NewEntry:
        """Put an approved pack in force, now or from a time on.

        Raises:
            BadStep: the time is past, or too far ahead.
            WrongState: it is not approved, or active already, or known not to take over: its own tests fail, or it was refused.
        """
        verdict = self.history.verdict(digest)
        if verdict is None or verdict.step != "approved":
            told = "is not approved" if verdict is None else f"was rejected by `{verdict.by}`"
            raise WrongState(f"{shortened(digest)} {told}; somebody other than its author approves it first")
        line = self.history.line(self._moment)
        if at is None and line and line[-1].digest == digest and not self.history.is_refused(line[-1]):
            raise WrongState(f"{shortened(digest)} is active already, since {line[-1].since}")
        self._check_able(digest)
        return self._entry("activated", digest, by, note=note, effective=self._at if at is None else self._checked(at))

    def withdraw(self, digest: str, by: str, note: str | None = None) -> NewEntry:
        """Take a pack's scheduled activations back.

        Raises:
            WrongState: none is scheduled.
        """
        if not self.history.scheduled(self._moment, digest):
            raise WrongState(f"{shortened(digest)} is not scheduled")
        return self._entry("withdrawn", digest, by, note=note)

    def rollback(self, by: str, note: str | None = None) -> NewEntry:
        """Bring back the pack that decided before the one that does. Those that never took over, or were rejected since, are passed over.

        Raises:
            WrongState: there is none.
        """
        before = self.history.before(self._moment)
        if before is None and len(self.history.line(self._moment)) < 2:
            raise WrongState("no other pack was active before; activate the one you want")
        if before is None:
            raise WrongState("every other pack that was active before could not take over, or was rejected since; activate another")
        return self._entry("rolled_back", before.digest, by, note=note, effective=self._at)

    def refuse(self, activation: Step, problems: Sequence[str]) -> NewEntry:
        """Note that a pack that was activated cannot take over with this engine. Of several processes that find so, one is heard.

        Args:
            activation: what put it in force.
            problems: what is wrong with it; the first ones are kept.
        """
        told = {"activation": activation.entry_id, "engine": __version__}
        entry = self._entry("refused", activation.digest, SERVICE, note=_shortened_note(problems), more=told)
        key = f"{activation.entry_id} {__version__}"
        asked = Idempotency(f"{SERVICE}/refusals", key, sha256(key.encode()).digest(), self.now + _RACE)
        return replace(entry, idempotency=asked)

    def develop(self, digest: str, by: str) -> NewEntry:
        """Note that development mode runs a pack from now on."""
        return self._entry("development", digest, by, effective=self._at)

    @property
    def _at(self) -> datetime.datetime:
        """Now, or after the last step where the clock of whoever took it was ahead."""
        last = self.history.steps[-1].at if self.history.steps else ""
        return max(self.now, datetime.datetime.fromisoformat(last) + _tick) if last else self.now

    @property
    def _moment(self) -> str:
        return stamp(self._at)

    def _check_able(self, digest: str) -> None:
        """Refuse what is known not to take over: this engine ran its tests, or a service has tried it.

        Raises:
            WrongState: with what is wrong, and what to do.
        """
        refusal = self.history.refusal(digest)
        if refusal is not None:
            raise WrongState(f"{shortened(digest)} cannot take over: {refusal.note}\n{_MEND}")
        failed = self.history.failed_tests(digest)
        if failed:
            count = f"{failed:,} of its own tests" if failed > 1 else "one of its own tests"
            raise WrongState(f"{shortened(digest)} cannot take over: {count} failed when it was published\n{_MEND}")

    def _checked(self, at: datetime.datetime) -> datetime.datetime:
        if at <= self.now:
            raise BadStep("at", "lies in the past; leave it out to activate now")
        if at > self.now + FURTHEST:
            raise BadStep("at", f"lies more than {FURTHEST.days} days ahead")
        return at

    def _is_published(self, digest: str, by: str) -> bool:
        state, authors = self.history.state(digest, self._moment), self.history.authors(digest)
        return state != "rejected" and (state != "published" or by in authors or any(same_person(by, author) for author in authors))

    def _row(self, pack: Checked, by: str) -> NewRow:
        content = pack.content
        values = {"digest": content.digest, "name": pack.name, "version": pack.version, "at": self._moment, "author": by}
        return NewRow("pack", {**values, "files": content.packed()})

    def _entry(
        self,
        step: StepKind,
        digest: str,
        by: str,
        *,
        note: str | None = None,
        effective: datetime.datetime | None = None,
        rows: tuple[NewRow, ...] = (),
        more: Mapping[str, Any] | None = None,
    ) -> NewEntry:
        at = self._at
        note = _note(note)
        entry_id, since = self.ids.new(at), stamp(effective) if effective else None
        told = {"note": note_hash(note)} if note and step != "published" else {}
        given = {"digest": digest, "step": step, "by": by, "effective_at": since, **told, **(more or {})}
        body = {name: value for name, value in given.items() if value is not None}
        taken = Step(entry_id, digest, step, stamp(at), by, since, note)
        row = NewRow("pack_step", {name: getattr(taken, name) for name in COLUMNS})
        return NewEntry(entry_id, KINDS.get(step, "pack_activated"), at, body, rows=(*rows, row))


def person(name: str, field: str = "by") -> str:
    """The name of whoever takes a step, as it is written down.

    Raises:
        BadStep: it is empty, too long, not printable, or not a person's.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadStep(field, f"a name has 1 to {LONGEST_NAME} printable characters")
    if name in (SEED, SERVICE):
        raise BadStep(field, f"`{name}` is what the service itself is called; give the name of a person")
    return name


def _note(note: str | None) -> str | None:
    if note is None or not note.strip():
        return None
    if len(note) > LONGEST_NOTE:
        raise BadStep("note", f"a note has at most {LONGEST_NOTE} characters")
    if not all(letter.isprintable() or letter in "\n\t" for letter in note):
        raise BadStep("note", "a note is printable text")
    return note.strip()


def _shortened_note(problems: Sequence[str]) -> str:
    """The first problems, as far as a note holds them."""
    text = "; ".join(problems).encode(errors="backslashreplace").decode()
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return clean if len(clean) <= LONGEST_NOTE else f"{clean[: LONGEST_NOTE - 1]}…"
