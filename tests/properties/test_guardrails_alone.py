"""Guardrails hold without contact policy: an author who empties `contact.yaml` still sells to nobody who must not be sold to."""

from __future__ import annotations

import pytest

from tests.limits import GUARDED, JURISDICTIONS, lists, pack_in


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_hard_limits_hold_without_contact_policy(jurisdiction: str) -> None:
    """Each profile holds them by itself, and still lets marketing through."""
    marketed = 0
    for seen in lists(pack_in(jurisdiction, contact=False), 7, 250):
        marketed += seen.action.marketing
        for limit in GUARDED:
            assert not limit(seen), (limit.__name__, jurisdiction, seen.action.id, seen.case.as_json())
    assert marketed > 50
