"""JUnit's XML, as forges read it: a testsuite a file, a testcase a test, each failure with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple
from xml.etree import ElementTree

from app.engine.problems import Problem
from app.workbench.suites.judging import Failure, Verdict
from app.workbench.suites.model import Test

_not_xml = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Ran(NamedTuple):
    """A test and what it came to."""

    test: Test
    verdict: Verdict


def junit(ran: Sequence[Ran], problems: Iterable[Problem], seconds: float) -> bytes:
    """The report of a run; a mistake in a suite is a testcase that is an error."""
    mistakes = list(problems)
    failures, errors = _counts(ran)
    top = ElementTree.Element(
        "testsuites",
        name="wanliu pack test",
        tests=str(len(ran) + len(mistakes)),
        failures=str(failures),
        errors=str(errors + len(mistakes)),
        time=f"{seconds:.3f}",
    )
    for file, items in groupby(ran, lambda item: item.test.place.file):
        _suite(top, file, list(items))
    if mistakes:
        _mistakes(top, mistakes)
    ElementTree.indent(top)
    written: bytes = ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _counts(ran: Sequence[Ran]) -> tuple[int, int]:
    return sum(bool(item.verdict.failures) for item in ran), sum(bool(item.verdict.error) for item in ran)


def _suite(top: ElementTree.Element, file: str, ran: Sequence[Ran]) -> None:
    failures, errors = _counts(ran)
    suite = ElementTree.SubElement(
        top,
        "testsuite",
        name=_clean(ran[0].test.suite.en),
        file=file,
        tests=str(len(ran)),
        failures=str(failures),
        errors=str(errors),
        skipped="0",
    )
    for item in ran:
        place = item.test.place
        case = ElementTree.SubElement(
            suite, "testcase", name=_clean(item.test.title.en), classname=_class(file), file=file, line=str(place.line)
        )
        if item.verdict.error:
            ElementTree.SubElement(case, "error", message=_clean(item.verdict.error)).text = f"{place}\n"
        for failure in item.verdict.failures:
            _failure(case, failure)


def _failure(case: ElementTree.Element, failure: Failure) -> None:
    told = failure.told
    message = f"{told.about}: expected {told.wanted}, got {told.got}"
    lines = [str(failure.place), message, *("  " * (line.depth + 1) + line.text for line in told.because)]
    ElementTree.SubElement(case, "failure", message=_clean(message), type="expectation").text = _clean("\n".join(lines))


def _mistakes(top: ElementTree.Element, mistakes: Sequence[Problem]) -> None:
    count = str(len(mistakes))
    suite = ElementTree.SubElement(
        top, "testsuite", name="suites as they are written", tests=count, failures="0", errors=count, skipped="0"
    )
    for problem in mistakes:
        place = problem.place
        case = ElementTree.SubElement(
            suite, "testcase", name=f"{place.file}:{place.line}", classname=_class(place.file), file=place.file, line=str(place.line)
        )
        ElementTree.SubElement(case, "error", message=_clean(problem.message), type=problem.code).text = _clean(str(problem))


def _class(file: str) -> str:
    """The file as forges group by: `policies.tests.four_high`."""
    return file.rsplit(".", 1)[0].replace("/", ".")


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return _not_xml.sub("\ufffd", text)
