"""What must never happen (DOMAIN, section 8), over thousands of random subscribers in every jurisdiction.

The limits stand in `tests/limits.py`, apart from the pack's clauses. `test_each_limit_can_be_broken` takes the pack's protection away
and sees the limit notice.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision, Ranked
from app.engine.pack import Pack, PackError
from app.engine.vocabulary.contacts import Contact
from tests import limits
from tests.limits import GUARDED, JURISDICTIONS, TUNED, Limit, lists, pack_in, subscribers, willing
from tests.pipeline import TIMES, pack_of, patched, shipped_files

SEEDS = 5
"""Seeds in each jurisdiction; with 150 subscribers each, four ways, that makes 12,000 in a test run."""


@pytest.mark.parametrize("seed", range(SEEDS * TIMES))
@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_no_hard_limit_is_broken(jurisdiction: str, seed: int) -> None:
    """Over random subscribers, willing ones, and ones with a fact flipped towards each limit."""
    actions = offers = 0
    for seen in lists(pack_in(jurisdiction), 5000 + seed, 150):
        actions += 1
        offers += seen.action.kind == "offer"
        for limit in (*GUARDED, *TUNED):
            assert not limit(seen), (limit.__name__, jurisdiction, seen.action.id, seen.case.as_json())
    assert actions > 250
    assert offers > 20
