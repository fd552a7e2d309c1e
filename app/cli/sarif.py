"""Problems of a pack as SARIF 2.1.0 (OASIS), the form in which forges and editors take the findings of a checker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from app import __version__
from app.engine.pack.codes import CODES
from app.engine.problems import Problem

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(problems: Iterable[Problem]) -> dict[str, Any]:
    """One run of the checker: its rules are the codes that were met, its results the problems."""
    found = list(problems)
    codes = sorted({problem.code for problem in found})
    driver = {"name": "wanliu pack check", "semanticVersion": __version__, "rules": [_rule(code) for code in codes]}
    results = [_result(problem, codes.index(problem.code)) for problem in found]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(code: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": CODES[code]}}


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    place = problem.place
    shows = ", ".join(f"`{name}` = {value}" for name, value in problem.witness)
    said = "; ".join(filter(None, (problem.message, problem.hint, f"e.g. {shows}" if shows else "")))
    location = {
        "artifactLocation": {"uri": quote(place.file or ".")},
        "region": {"startLine": place.line, "startColumn": place.column},
    }
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": said},
        "locations": [{"physicalLocation": location}],
    }
