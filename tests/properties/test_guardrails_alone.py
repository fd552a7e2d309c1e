"""Guardrails hold without contact policy: an author who empties `contact.yaml` still sells to nobody who must not be sold to."""

import json
from pathlib import Path

import pytest

from app.engine.decide import decide
from app.engine.intake import parse_request, take
from app.engine.pack import build_pack, read_folder
from tests.population import population

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bare():
    """The shipped pack with a contact policy that permits everything."""
    files = read_folder(ROOT)
    everything = "contact:\n- {id: anything, title: {en: Anything, zh: 不限}, permits: true, reason: {en: Never, zh: 不限}}\n"
    return build_pack({**files, "policies/contact.yaml": everything.encode()})


def decided(pack, body):
    request = parse_request(json.dumps({**body, "mode": "what_if"}).encode())
    case = take(pack, request, now=request.as_of, role="development")
    return case, [pack.by_id[item.action] for item in decide(pack, case).ranked]


def test_hard_limits_hold_without_contact_policy(bare):
    """No marketing without consent, on a refused channel, to a protected or test number, a minor, or at night; no call abroad."""
    marketed = 0
    for body in population(7, 1_500):
        case, actions = decided(bare, body)
        known = case.subscriber
        marketing = [action for action in actions if action.marketing]
        marketed += bool(marketing)
        if marketing:
            assert known.consent is not None
            assert known.consent.marketing == "yes"
            assert case.channel not in (known.consent.refused_channels or ())
            assert not (known.account and (known.account.protected_list or known.account.test_number or known.account.line_type == "iot"))
            assert not (known.holder and (known.holder.age_band == "minor" or known.holder.user_is_minor))
            assert case.direction != "outbound" or 8 * 60 <= case.times.contact_minute < 21 * 60
        if actions and case.direction == "outbound" and case.channel in ("outbound_call", "robot"):
            assert not (known.account and known.account.roaming_abroad)
    assert marketed > 50
