"""What a role may grant in twelve months bounds what it may grant in a case."""

import pytest

from tests.pipeline import case_of, shipped

pytestmark = pytest.mark.unit

BODY = {"channel": "call_centre", "mode": "what_if", "as_of": "2026-11-20T10:00:00+08:00"}


@pytest.mark.parametrize(
    ("role", "given", "limit"),
    [
        ("agent", None, 3_000),
        ("agent", 0, 3_000),
        ("agent", 3_000, 3_000),
        ("agent", 5_000, 1_000),
        ("agent", 6_000, 0),
        ("agent", 90_000, 0),
        ("leader", 6_000, 9_000),
        ("city", 90_000, 10_000),
        ("development", 90_000, 10_000),
        ("self_service", 0, 0),
        ("auditor", 0, 0),
    ],
)
def test_a_role_grants_what_the_year_leaves(role: str, given: int | None, limit: int) -> None:
    """The limit of a case, or the rest of the year's where that is less; a role without limits grants nothing."""
    cases = {} if given is None else {"cases": {"compensation_12m": given}}
    assert case_of(shipped(), {**BODY, "subscriber": {"id": "s-1", **cases}}, role).asker.concession_limit == limit
