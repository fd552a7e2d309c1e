"""The examples, held to what `examples.yaml` says of them."""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from app.engine.answer import Explanation
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.intake import parse_request, take
from app.engine.pack import Pack, load_pack
from app.engine.vocabulary import Tier

pytestmark = pytest.mark.golden

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))
EXPECTED: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "examples.yaml").read_text(encoding="utf-8"))
A_CLOCK = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT)


def test_every_example_has_an_expectation() -> None:
    """No example goes without somebody having said what it should give."""
    assert [case["example"] for case in EXPECTED] == [path.stem for path in EXAMPLES]


@pytest.mark.parametrize("expected", EXPECTED, ids=[case["example"] for case in EXPECTED])
def test_example_gives_what_was_expected(pack: Pack, expected: dict[str, Any]) -> None:
    """Stage, phase, moment, signals, the list in order, what was kept out and why: as written down, whatever the clock says."""
    request = parse_request((ROOT / "examples" / f"{expected['example']}.json").read_bytes())
    case = take(pack, request.model_copy(update={"mode": "what_if"}), now=A_CLOCK, role="development")
    decision = decide(pack, case)
    answer = explain(pack, case, decision, "full")

    assert {
        "stage": decision.stage.id,
        "phase": decision.phase.id,
        "moment": decision.moment,
        "signals": dict(decision.signals),
        "actions": [item.action for item in decision.ranked],
        "empty": decision.empty_because,
    } == {"empty": None, **{key: expected[key] for key in ("stage", "phase", "moment", "signals", "actions", "empty") if key in expected}}
    kept_out = {item.action: f"{item.cause} {item.clause}" for item in answer.not_offered or ()}
    for action, why in expected.get("kept_out", {}).items():
        assert kept_out[action].startswith(why), action
    if "asks" in expected:
        assert [ask.fact for ask in answer.ask] == expected["asks"]
    if "tier" in expected:
        assert decision.facts.values[pack.slots["facts.vip_tier"]] == expected["tier"]


def test_examples_show_the_four_highs_the_phases_and_the_tiers() -> None:
    """Between them the examples show every phase, all ten four-high signals, all tiers, and patterns of each kind."""
    signals = {name for case in EXPECTED for name in case["signals"]}
    four_high = "tariff traffic traffic_first silence_voice silence_data silence_service arpu_minimum arpu_floor arpu_info stack"
    patterns = (
        "vip.watch esc.overage_bill_complaint fault.same_area fault.then_complaint leave.contract_compare plan.change_regret "
        "onboarding.first_bill_shock case.promise_broken contact.pushed_too_hard"
    )
    assert {case["phase"] for case in EXPECTED} == {"prevention", "retention", "rescue", "hands_off"}
    assert {f"four_high.{name}" for name in four_high.split()} <= signals
    assert set(patterns.split()) <= signals
    assert {case["tier"] for case in EXPECTED if "tier" in case} == set(get_args(Tier)) - {"none"}


UNREADABLE = {
    "zh-CN": re.compile(r"[a-z]+_[a-z]|\b(?:they|self|we|yes|no|none|true|false)\b|—|[一-鿿][,;:?!] ?|[一-鿿] +[一-鿿]"),
    "en": re.compile(r"[a-z]+_[a-z]|—|\b1 (?:days|months|minutes|hours|points|times)\b|[，。；：？！（）]"),
}
"""What nobody reads aloud: words of the data, a dash for what is unknown, the punctuation of the other language, a wrong plural."""


def told(answer: Explanation) -> Iterator[str]:
    """Everything an agent reads of an answer, reasons for what was not offered included."""
    for reason in (*answer.phase.reasons, *(reason for action in answer.actions for reason in action.reasons)):
        yield from (reason.text, reason.customer or "")
    for signal in answer.signals:
        yield from (signal.title, signal.text, signal.customer or "")
    for action in answer.actions:
        yield from (action.title, action.script or action.text or "", action.disclose or "")
    for item in answer.not_offered or ():
        yield from (item.title, item.text, item.change or "")
    for ask in answer.ask:
        yield ask.question


@pytest.mark.parametrize("locale", UNREADABLE)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_is_read_aloud_is_language(pack: Pack, example: Path, locale: str) -> None:
    """In both languages, whatever was offered or kept out."""
    request = parse_request(example.read_bytes()).model_copy(update={"mode": "what_if", "locale": locale})
    case = take(pack, request, now=A_CLOCK, role="development")
    answer = explain(pack, case, decide(pack, case), "full")
    assert [text for text in told(answer) if UNREADABLE[locale].search(text)] == []
