"""docs/callers.md says what the code does."""

from typing import get_args

import pytest

from app.api.asking import SPOKEN
from app.api.permissions import EVERYBODY, PERMISSIONS
from app.engine.view import SIGHTS
from app.engine.vocabulary import Channel
from app.record.callers import ROLES
from tests.docs.pages import ROOT, quoted, rows, sections

pytestmark = pytest.mark.unit

PAGE = sections(ROOT / "docs" / "callers.md")


def test_every_role_is_told() -> None:
    """With what it is for."""
    assert {row[0].strip("`"): row[1] for row in rows(PAGE["Roles"])} == ROLES


def test_every_call_is_told_with_its_roles() -> None:
    """The table of the page is the table of the code."""
    told = {row[0].strip("`"): quoted(row[1]) or {row[1]} for row in rows(PAGE["Who may do what"])}
    known = {route: {"everybody"} if roles is EVERYBODY else set(roles) for route, roles in PERMISSIONS.items()}
    assert told == known


def test_the_channels_of_customers_are_told() -> None:
    """Those on which no person speaks."""
    (told,) = (row[1] for row in rows(PAGE["Whose decisions"]) if row[0] == "`self_service`")
    assert quoted(told.partition("`channel`")[2]) == {*get_args(Channel)} - SPOKEN


def test_every_grade_is_told_with_what_it_sees() -> None:
    """The table of the page is the table of the code."""
    told = {tuple(part.strip("`") for part in row[0].split()): tuple(cell == "yes" for cell in row[1:]) for row in rows(PAGE["Grades"])}
    known = {
        tuple(filter(None, who)): (sight.scores, "risk" in sight.marks, "vip" in sight.marks, sight.others) for who, sight in SIGHTS.items()
    }
    assert told == known
