"""A decision as an entry: codes in its body, the case and the answer for the subject's key, counts without a name."""

import datetime
import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from app import __version__
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision, Outcome
from app.engine.intake import take
from app.engine.pack import Pack
from app.engine.vocabulary import Channel, DecisionRequest
from app.engine.vocabulary.examples import EXAMPLES
from app.record.canonical import canonical
from app.record.counting import TENURE
from app.record.decisions import Asked, decision_entry
from app.record.entries import Idempotency, NewEntry
from tests.pipeline import shipped

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
ASKED = Asked("desk", "agent")


@pytest.fixture(scope="module")
def pack() -> Pack:
    return shipped()


def case_of(pack: Pack, **changes: Any) -> Case:
    body = {**EXAMPLES[0], **changes}  # type: ignore[dict-item]
    return take(pack, DecisionRequest.model_validate(body), now=NOW, role="agent")


def entry_of(pack: Pack, case: Case, asked: Asked = ASKED, **options: Any) -> tuple[Decision, NewEntry]:
    decision = decide(pack, case)
    return decision, decision_entry("id-1", NOW, pack, case, decision, b'{"actions": []}', asked, **options)


def counted(entry: NewEntry, measure: str) -> dict[str, int]:
    assert entry.tally is not None
    return {grouped: number for name, grouped, number in entry.tally["counts"] if name == measure}


def test_the_body_says_what_was_concluded(pack: Pack) -> None:
    """Who asked, by what it was decided, where the person stands, what was offered."""
    case = case_of(pack)
    decision, entry = entry_of(pack, case, replace(ASKED, agent="a-17", explain="full", history="both", parent="p"))
    body = entry.body
    assert (entry.id, entry.kind, entry.at, entry.subscriber) == ("id-1", "decision", NOW, "s-1001")
    assert (body["caller"], body["role"], body["agent"], body["parent"]) == ("desk", "agent", "a-17", "p")
    assert (body["pack"], body["engine"], body["explain"], body["history"]) == (pack.digest, __version__, "full", "both")
    assert (body["phase"], body["stage"], body["signals"]) == (decision.phase.id, decision.stage.id, dict(decision.signals))
    assert [item["action"] for item in body["offered"]] == [item.action for item in decision.ranked]
    first = pack.by_id[decision.ranked[0].action]
    assert (body["offered"][0]["kind"], body["offered"][0]["confirm"]) == (first.kind, first.confirm)


def test_what_there_is_not_is_left_out(pack: Pack) -> None:
    """No agent, parent or cause of emptiness: no such key."""
    assert not {"agent", "parent", "empty_because", "test_line"} & entry_of(pack, case_of(pack))[1].body.keys()


def test_every_action_is_accounted_for(pack: Pack) -> None:
    """Each action of the pack is offered, or stands under one cause and clause."""
    decision, entry = entry_of(pack, case_of(pack))
    kept = [(cause, clause, action) for cause, by in entry.body["outcomes"].items() for clause, actions in by.items() for action in actions]
    assert sorted(kept) == sorted((item.cause, item.clause or "", item.action) for item in decision.outcomes if item.cause)
    assert len(kept) + len(entry.body["offered"]) == len(pack.actions)


@pytest.mark.parametrize("personalised", ["yes", "no"])
@pytest.mark.parametrize("score", [0.1, 0.95])
def test_actions_are_told_and_counted_in_their_order(pack: Pack, score: float, personalised: str) -> None:
    """However they were kept out: shut by phase or channel, or met in another phase by marketing that may not look at the person."""
    for channel in get_args(Channel):
        subscriber = {**EXAMPLES[0]["subscriber"], "churn": {"score": score}}  # type: ignore[dict-item]
        case = case_of(pack, channel=channel, subscriber={**subscriber, "consent": {"marketing": "yes", "personalised": personalised}})
        decision, entry = entry_of(pack, case)
        assert decision.phase.id == ("rescue" if score > 0.5 else "prevention")
        outcomes = [item for item in decision.outcomes if item.cause is not None]
        for cause, by in entry.body["outcomes"].items():
            for clause, actions in by.items():
                assert actions == [item.action for item in outcomes if (item.cause, item.clause or "") == (cause, clause)]
        gates = [json.dumps({"cause": item.cause, "gate": gate_of(item)}, separators=(",", ":")) for item in outcomes]
        assert [*counted(entry, "funnel")][bool(decision.ranked) :] == [*dict.fromkeys(gates)]


def gate_of(outcome: Outcome) -> str:
    return outcome.failing[0].gate if outcome.failing else "arbitration"


def test_the_body_has_codes_only(pack: Pack) -> None:
    """It is canonical JSON, and holds nothing of the person: no id, no figures, no texts."""
    told = canonical(entry_of(pack, case_of(pack))[1].body).decode()
    assert "s-1001" not in told
    assert not any(str(value) in told for value in (12900, 19900, 7000))


def test_the_private_part_is_the_case_and_the_answer(pack: Pack) -> None:
    """The case makes an equal case again; the answer is kept letter for letter."""
    case = case_of(pack)
    _, entry = entry_of(pack, case)
    assert entry.private is not None
    assert Case.from_json(json.loads(json.dumps(entry.private["case"]))) == case
    assert entry.private["answer"] == '{"actions": []}'


def test_the_key_of_the_request_goes_with_it(pack: Pack) -> None:
    """The writer stores it beside the entry."""
    key = Idempotency("desk", "k", b"h", NOW)
    assert entry_of(pack, case_of(pack), idempotency=key)[1].idempotency is key


def test_counts_are_by_one_group_at_a_time(pack: Pack) -> None:
    """A decision counts once altogether, and once by each group alone."""
    about = {
        "id": "s-1",
        "account": {"tenure_months": 30, "province": "310000"},
        "holder": {"age_band": "senior_65"},
        "vip": {"tier": "gold"},
    }
    _, entry = entry_of(pack, case_of(pack, subscriber=about))
    assert entry.tally is not None
    assert (entry.tally["day"], entry.tally["pack"]) == ("2026-11-22", pack.digest)
    assert counted(entry, "decision") == {
        "{}": 1,
        '{"tenure":"24-59"}': 1,
        '{"age":"senior_65"}': 1,
        '{"region":"310000"}': 1,
        '{"tier":"gold"}': 1,
        '{"channel":"call_centre"}': 1,
    }


@pytest.mark.parametrize(
    ("months", "band"), [(0, "0-5"), (5, "0-5"), (6, "6-11"), (119, "60-119"), (120, "120-"), (1200, "120-"), (None, "unknown")]
)
def test_bands_of_tenure(pack: Pack, months: int | None, band: str) -> None:
    """Each month is in one band."""
    about = {"id": "s-1", "account": {"tenure_months": months}}
    assert f'{{"tenure":"{band}"}}' in counted(entry_of(pack, case_of(pack, subscriber=about))[1], "decision")
    assert band in (*TENURE.values(), "unknown")


def test_offers_and_concessions_are_counted(pack: Pack) -> None:
    """Decisions with an offer, and what was conceded, by the same groups."""
    case = case_of(pack)
    decision = decide(pack, case)
    ranked = (
        decision.ranked[0]._replace(duty="offer", concession=500),
        decision.ranked[0]._replace(rank=2, duty="offer", concession=250),
    )
    entry = decision_entry("id-1", NOW, pack, case, replace(decision, ranked=ranked), b"{}", ASKED)
    nothing = decision_entry("id-1", NOW, pack, case, replace(decision, ranked=(ranked[0]._replace(concession=0),)), b"{}", ASKED)
    assert counted(nothing, "conceded") == counted(nothing, "concession") == {}
    assert counted(entry, "offered")["{}"] == 1
    assert counted(entry, "conceded")["{}"] == 1
    assert counted(entry, "concession")["{}"] == 750
    assert counted(entry, "concession").keys() == counted(entry, "decision").keys()


def test_the_funnel_counts_every_action(pack: Pack) -> None:
    """Each action stops at one gate, or is offered."""
    decision, entry = entry_of(pack, case_of(pack))
    assert sum(counted(entry, "funnel").values()) == len(pack.actions)
    assert counted(entry, "funnel")['{"cause":"offered","gate":"offered"}'] == len(decision.ranked)
    policy = sum(number for grouped, number in counted(entry, "funnel").items() if json.loads(grouped)["gate"] in ("contact", "guardrail"))
    assert sum(counted(entry, "kept_out").values()) == policy > 0
    assert counted(entry, "action") == {f'{{"action":"{item.action}"}}': 1 for item in decision.ranked}


def test_empty_lists_are_counted_by_cause(pack: Pack) -> None:
    """Nothing to offer is counted too, with why."""
    decision, entry = entry_of(pack, case_of(pack, channel="sms_marketing", subscriber={"id": "s-1", "events": [], "contacts": []}))
    assert decision.empty_because is not None
    assert counted(entry, "empty") == {f'{{"because":"{decision.empty_because}"}}': 1}
    assert not counted(entry, "offered")
    assert entry.body["empty_because"] == decision.empty_because


def test_test_lines_are_not_counted(pack: Pack) -> None:
    """Numbers of test and staff lines are on the record, and not in the figures."""
    _, entry = entry_of(pack, case_of(pack, subscriber={"id": "s-1", "account": {"test_number": True}}))
    assert entry.tally is None
    assert entry.body["test_line"] is True
