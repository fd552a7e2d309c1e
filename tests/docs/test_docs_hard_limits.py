"""The page on hard limits names every clause of contact policy and guardrails, and nothing that is not there."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from app.engine.pack.checking import ENGINE_CLAUSES
from app.engine.pack.codes import CODES
from app.engine.pack.documents import TariffPart
from tests import limits
from tests.docs.pages import ROOT, quoted, rows, sections

pytestmark = pytest.mark.unit

PAGE = sections(ROOT / "docs" / "hard-limits.md")
LIMITS = rows(PAGE["Limits and clauses"])
PROPERTIES = (ROOT / "tests" / "properties" / "test_hard_limits.py").read_text(encoding="utf-8")
_clause = re.compile(r"`(\w+)`(?: \(([a-z, ]+)\))?")


def read(path: str) -> Any:
    """A file of the pack, as it is written."""
    return yaml.safe_load((ROOT / "policies" / path).read_text(encoding="utf-8"))


def guardrails(law: str) -> set[str]:
    """The clauses that a profile has."""
    return {clause["id"] for clause in read(f"guardrails/{law}.yaml")["guardrails"]["clauses"]}


@pytest.mark.parametrize("law", limits.JURISDICTIONS)
def test_the_page_names_the_guardrails_of_each_profile(law: str) -> None:
    """Every one, and for each jurisdiction those that it has."""
    named = {name for row in LIMITS for name, laws in _clause.findall(row[3]) if not laws or law in laws.split(", ")}
    assert named == guardrails(law)


def test_the_page_names_every_contact_clause() -> None:
    """Those that hold a limit in the table, the others below it."""
    held = {name for row in LIMITS for name in quoted(row[2])}
    clauses = {clause["id"] for clause in read("contact.yaml")["contact"]}
    assert held <= clauses
    assert clauses <= held | quoted(PAGE["Limits and clauses"])


def test_the_page_names_checks_that_exist() -> None:
    """Codes of `pack check`, clauses of the engine, keys of the pack."""
    keys = {f"{key}:" for key in (*TariffPart.model_fields, "arbitration")}
    assert {name for row in LIMITS for name in quoted(row[4])} <= {*CODES, *ENGINE_CLAUSES, *keys}


def test_the_page_names_tests_that_exist() -> None:
    """Limits in Python, and properties; each line is held by one of them or by a check."""
    for row in LIMITS:
        for name in quoted(row[5]):
            assert hasattr(limits, name) or f"def {name}(" in PROPERTIES, name
        assert row[4] or row[5], row[0]


@pytest.mark.parametrize("law", limits.JURISDICTIONS)
def test_a_profile_says_how_far_each_clause_was_checked(law: str) -> None:
    """`yes` on porting alone, where the wording was seen; each with its source in both languages."""
    profile = read(f"guardrails/{law}.yaml")["guardrails"]
    parts = [*profile["hands_off"], *profile["clauses"]]
    seen = {part["id"] for part in parts if part["checked"] in ("yes", True)}
    assert seen == {
        "cn": {"port_out_in_progress", "port_protected", "port_completed"},
        "us": {"port_out_in_progress", "port_protected"},
    }.get(law, set())
    assert all(part["source"]["en"] and part["source"]["zh"] for part in parts)
