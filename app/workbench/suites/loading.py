"""From the files of `policies/tests/` to tests: fixtures worked out, requests taken in as the API does, names held against the pack."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as Folder
from typing import Any

from app.engine.case import Case
from app.engine.intake import RequestError, parse_request, take
from app.engine.pack import printable
from app.engine.pack.documents import Words
from app.engine.pack.reading import Draft, Found, validated
from app.engine.pack.source import Path, Source, read
from app.engine.problems import Place, Problem, nearest
from app.workbench.suites.bench import Bench
from app.workbench.suites.documents import Name, Question, StepPart, SubjectPart, SuiteDocument, TestPart
from app.workbench.suites.expecting import expectations
from app.workbench.suites.model import Expectation, Test, Title
from app.workbench.suites.subjects import Body, Subjects, change
from app.workbench.suites.talking import following
from app.workbench.suites.values import Typing

FOLDER = "policies/tests"
ROLES = ("agent", "self_service", "campaign", "development", "author", "compliance")
"""Who may ask, beside the roles that a pack gives a limit of concession."""
MOST_FILES = 1_000


@dataclass(frozen=True)
class Suites:
    """The tests of a folder in the order of its files, and every mistake in them; a test with a mistake is left out."""

    tests: tuple[Test, ...]
    problems: tuple[Problem, ...]
    files: tuple[str, ...]


def read_suites(folder: Folder) -> dict[str, bytes]:
    """The suite files of a pack's folder, by their path in it."""
    paths = [path for path in (folder / FOLDER).rglob("*") if path.suffix.lower() in (".yaml", ".yml") and path.is_file()]
    return {printable(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)[: MOST_FILES + 1]}


def load(files: Mapping[str, bytes], bench: Bench) -> Suites:
    """Read suites and hold them against a pack. Every mistake is told with its place; nothing is raised for what a file holds."""
    return _Loader(bench).run(files)


class _Loader:
    """Reads the files of one folder."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.draft = Draft()
        self.tests: list[Test] = []
        self.subjects = Subjects({}, self.draft.problems)

    def run(self, files: Mapping[str, bytes]) -> Suites:
        documents = list(self.documents(files))
        self.subjects = Subjects(self.fixtures(documents), self.draft.problems)
        for _ in self.subjects.all():
            pass
        for source, document in documents:
            if document.suite is not None or document.tests is not None:
                self.suite(Found(source, (), document))
        return Suites(tuple(self.tests), tuple(sorted(set(self.draft.problems))), tuple(files))

    def wrong(self, place: Place, code: str, message: str, hint: str = "") -> None:
        self.draft.wrong(place, code, message, hint)

    def documents(self, files: Mapping[str, bytes]) -> Iterator[tuple[Source, SuiteDocument]]:
        """The files that can be read."""
        if len(files) > MOST_FILES:
            self.wrong(Place(FOLDER), "pack-too-large", f"more than {MOST_FILES:,} files of suites", "put small suites together")
        for name in sorted(files)[:MOST_FILES]:
            source, problems = read(name, files[name])
            self.draft.problems += problems
            if source is None:
                continue
            if not isinstance(source.data, dict):
                self.wrong(source.place(), "schema", "the file is not a mapping", "a file holds `subjects:`, or `suite:` and `tests:`")
                continue
            document = validated(self.draft, source, SuiteDocument)
            if document is not None:
                yield source, document

    def fixtures(self, documents: Iterable[tuple[Source, SuiteDocument]]) -> dict[str, Found[SubjectPart]]:
        """The subjects of all files by name; a second one of a name is a mistake."""
        found: dict[str, Found[SubjectPart]] = {}
        for source, document in documents:
            for name, part in document.subjects.items():
                if name in found:
                    place = source.key_place("subjects", name)
                    told = f"subject `{name}` stands in {found[name].source.key_place('subjects', name)} already"
                    self.wrong(place, "duplicate-id", told, "names of subjects are unique over all files")
                else:
                    found[name] = Found(source, ("subjects", name), part)
        return found

    def suite(self, found: Found[SuiteDocument]) -> None:
        """The tests of one file."""
        document, source = found.part, found.source
        if document.suite is None:
            self.wrong(source.key_place("tests"), "schema", "`suite` is missing", "name the suite, as in `suite: {en: …, zh: …}`")
        if not document.tests:
            self.wrong(source.key_place("suite"), "empty-suite", "the suite has no tests", "write some under `tests:`, or delete the file")
        for index, part in enumerate(document.tests or ()):
            test = Found(source, ("tests", index), part)
            if part.each:
                for row, question in enumerate(part.each):
                    self.test(found, test, Found(source, ("tests", index, "each", row), question))
            else:
                self.test(found, test, None)

    def test(self, suite: Found[SuiteDocument], test: Found[Any], row: Found[Question] | None) -> None:
        """One test, or one row of a table."""
        self.tests += _Reading(self, suite, test, row).tests(len(self.tests))


class _Reading:
    """Puts one test together: what a row says goes before what its test says, and that before its suite."""

    def __init__(self, loader: _Loader, suite: Found[SuiteDocument], test: Found[Any], row: Found[Question] | None) -> None:
        self.loader, self.suite, self.row = loader, suite, row
        self.whole: Found[TestPart] = test
        self.layers: list[Found[Question]] = [test] if row is None else [test, row]
        self.problems = loader.draft.problems

    def tests(self, number: int) -> list[Test]:
        """The test, and those of the conversation that goes on from it; none from where it has a mistake."""
        first = self.test(number)
        if first is None:
            return []
        pack = self.loader.bench.pack(first.jurisdiction, guardrails_alone=first.guardrails_alone)
        return [first, *following(first, self.steps(), pack, self.problems, self.known_role)]

    def steps(self) -> list[Found[StepPart]]:
        """What is said after the decision, in order; a row's own steps take the place of its test's."""
        for found in reversed(self.layers):
            if found.part.then:
                return [Found(found.source, (*found.path, "then", index), step) for index, step in enumerate(found.part.then)]
        return []

    def test(self, number: int) -> Test | None:
        """The test, or none where it has a mistake."""
        before = len(self.problems)
        jurisdiction = self.jurisdiction()
        now = self.now()
        body = self.body()
        expected = self.expected(jurisdiction) if jurisdiction else []
        role = self.role()
        if len(self.problems) > before or body is None or now is None or jurisdiction is None:
            return None
        case = self.case(body, now, jurisdiction, role)
        if case is None:
            return None
        alone = self.whole.part.guardrails_alone if self.whole.part.guardrails_alone is not None else self.suite.part.guardrails_alone
        title = _title(self.suite.part.suite, "")
        return Test(number, title, self.title(), self.layers[-1].place(), case, jurisdiction, bool(alone), tuple(expected))

    def title(self) -> Title:
        """The test's name; a row's is added, or its number."""
        whole = _title(self.whole.part.name, self.whole.part.subject or "")
        if self.row is None:
            return whole
        number = f"{int(self.row.path[-1]) + 1}"
        own = _title(self.row.part.name, number)
        return Title(*(f"{one} · {two}" if one else two for one, two in ((whole.en, own.en), (whole.zh, own.zh))))

    def latest(self, key: str) -> tuple[Any, Place] | None:
        """The innermost value of a key, and where it stands."""
        layers: list[Found[Any]] = [*reversed(self.layers), self.suite]
        for found in layers:
            value = getattr(found.part, key, None)
            if value is not None:
                return value, found.place(key)
        return None

    def jurisdiction(self) -> str | None:
        """The jurisdiction in force."""
        own = self.whole.part.jurisdiction
        written = own or self.suite.part.jurisdiction
        known = self.loader.bench.jurisdictions
        if written is None or written in known:
            return written or self.loader.bench.jurisdiction
        hint = nearest(str(written), known) or f"there are guardrails for {', '.join(f'`{name}`' for name in known)}"
        place = self.whole.place("jurisdiction") if own else self.suite.place("jurisdiction")
        self.loader.wrong(place, "unknown-name", f"there are no guardrails for `{written}`", hint)
        return None

    def now(self) -> datetime.datetime | None:
        """The frozen clock."""
        found = self.latest("now")
        if found is None:
            place, hint = self.layers[-1].place(), 'freeze the clock, as in `now: "2026-11-22T10:00:00+08:00"`'
            self.loader.wrong(place, "schema", "`now` is missing, here and at the top of the suite", hint)
            return None
        written, place = found
        try:
            now = datetime.datetime.fromisoformat(written)
        except ValueError:
            now = None
        if now is None or now.tzinfo is None:
            hint = 'write it with its offset, as in `"2026-11-22T10:00:00+08:00"`'
            self.loader.wrong(place, "schema", f"`now`: `{written}` is not a moment with its offset from UTC", hint)
            return None
        return now

    def role(self) -> str:
        """Who asks."""
        found = self.latest("role")
        if found is None:
            return "agent"
        role, place = found
        self.known_role(role, place)
        return str(role)

    def known_role(self, role: str, place: Place | None = None) -> None:
        """See that there is such a role; a mistake is noted."""
        known = dict.fromkeys((*ROLES, *self.loader.bench.pack(self.loader.bench.jurisdiction).choosing.concession))
        if role not in known:
            hint = nearest(role, known) or f"it is one of {', '.join(f'`{name}`' for name in known)}"
            self.loader.wrong(place or self.layers[-1].place("then"), "unknown-word", f"unknown role `{role}`", hint)

    def body(self) -> Body | None:
        """The request: the subject with every layer's changes, the suite's request with every layer's."""
        body = self.subject()
        if body is None:
            return None
        for found in self.layers:
            change(body, found, self.problems)
        self.asked(body, self.suite)
        for found in self.layers:
            self.asked(body, found)
            for name, value in found.part.answers.items():
                body.put(("answers", name), value, found.source, (*found.path, "answers", name))
        return body

    def subject(self) -> Body | None:
        """The subscriber before the test's own changes."""
        name = next((found.part.subject for found in reversed(self.layers) if found.part.subject), None)
        if name is None:
            self.loader.wrong(self.whole.place(), "schema", "`subject` is missing", "name one of the `subjects:` of this folder")
            return None
        if name not in self.loader.subjects.found:
            place = next(found.place("subject") for found in reversed(self.layers) if found.part.subject)
            near = nearest(name, self.loader.subjects.found) or "write it under `subjects:` in a file of this folder"
            self.loader.wrong(place, "unknown-name", f"unknown subject `{name}`", near)
            return None
        return self.loader.subjects.body(name)

    def asked(self, body: Body, found: Found[Any]) -> None:
        """Put what stands under `request:` into the request."""
        for name, value in found.part.request.items():
            at: Path = (*found.path, "request", name)
            if name == "subscriber":
                place = found.source.key_place(*at)
                self.loader.wrong(place, "schema", "the subscriber is not part of `request:` here", "write changes under `with:`")
            elif name == "answers" and isinstance(value, dict):
                for fact, answer in value.items():
                    body.put(("answers", fact), answer, found.source, (*at, fact))
            else:
                body.put((name,), value, found.source, at)

    def case(self, body: Body, now: datetime.datetime, jurisdiction: str, role: str) -> Case | None:
        """The case that the request makes, by the intake of the API."""
        pack = self.loader.bench.pack(jurisdiction)
        request = Typing(now, pack.custom).request(body.data)
        try:
            return take(pack, parse_request(json.dumps(request, ensure_ascii=False).encode()), now=now, role=role)
        except RequestError as error:
            for problem in error.problems:
                self.refused(body, problem.field, problem.message)
            return None

    def refused(self, body: Body, field: str, message: str) -> None:
        """Note what the intake has against the request, where it was written; what is not written anywhere, at the test."""
        place = body.place(field) or self.layers[-1].place()
        hint = (
            ""
            if field.split(".")[0] != "channel" or "required" not in message
            else "set it under `request:`, as in `request: {channel: app}`"
        )
        self.loader.wrong(place, "request", f"`{field}` {message}", hint)

    def expected(self, jurisdiction: str) -> list[Expectation]:
        """What is expected; a row's own words take the place of its test's."""
        pack = self.loader.bench.pack(jurisdiction)
        before = len(self.problems)
        found: dict[tuple[str, str], Expectation] = {}
        for layer in self.layers:
            found |= {(item.kind, item.name): item for item in expectations(layer, pack, self.problems)}
        if not found and len(self.problems) == before:
            self.loader.wrong(self.layers[-1].place(), "schema", "the test expects nothing", "say under `expect:` what should come of it")
        return sorted(found.values(), key=lambda item: item.place)


def _title(name: Name | None, otherwise: str) -> Title:
    if isinstance(name, Words):
        return Title(name.en, name.zh)
    return Title(name or otherwise, name or otherwise)
