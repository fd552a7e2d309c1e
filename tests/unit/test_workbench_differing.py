"""What changed between two packs, in words."""

import pytest

from app.engine.pack import parts_of
from app.workbench.differing import Difference, differences
from tests.packs import SMALL, changed, small

pytestmark = pytest.mark.unit


def told(after: dict[str, bytes], before: dict[str, bytes] | None = None) -> list[Difference]:
    return differences(parts_of(before or small()), parts_of(after), "en")


def test_equal_packs_differ_in_nothing() -> None:
    """A comment is no difference."""
    assert told(changed(("parameters:\n", "# thresholds\nparameters:\n"))) == []


def test_a_threshold_is_told_as_people_read_it_with_what_it_moves() -> None:
    """Figures carry their unit; whoever reads on sees which signals it decides."""
    (found,) = told(changed(("is: 1500", "is: 2000")))
    assert (found.kind, found.id, found.before, found.after, found.affects) == ("parameter", "param.floor", "¥15", "¥20", ("high.toll",))


def test_conditions_and_texts_are_told_by_their_place() -> None:
    """Levels by their word, clauses by their name, texts by channel and language."""
    places = {
        ("high: facts.toll >= param.floor", "high: facts.toll > param.floor"): "levels high",
        ("plan.id != 'plan_59'", "plan.id != 'plan_99'"): "eligible not_already",
        ("zh: 感谢您。", "zh: 谢谢您。"): "channels app text zh",
        ("is: 0.4", "is: 0.5"): "propensity 1 is",
        ("max_actions: 3", "max_actions: 2"): "max_actions",
        ("applies: action.marketing\n    permits: consent", "permits: consent"): "applies",
    }
    for change, where in places.items():
        (found,) = told(changed(change))
        assert found.where == where


def test_parts_come_and_go() -> None:
    """What is new and what is gone is told once, not leaf by leaf."""
    without = {name: content for name, content in SMALL.items() if name != "policies/care/thank_you.yaml"}
    assert [(item.what, item.id) for item in told(without)] == [("removed", "thank_you")]
    assert [(item.what, item.id) for item in told(small(), without)] == [("added", "thank_you")]


def test_order_counts_where_order_matters() -> None:
    """Two phases that change places are told as moved; two signals are not."""
    mix = "    mix: {policy: 1, service: 1, emotional: 1}\n"
    one = "  - id: prevention\n    title: {en: Prevention, zh: 预防}\n    any: {toll: signal('high.toll')}\n" + mix
    other = "  - id: rescue\n    title: {en: Rescue, zh: 挽留}\n    any: {leaving: stage == 'warning'}\n" + mix
    found = told(changed((one, other + one)), changed((one, one + other)))
    assert [(item.what, item.id, item.before, item.after) for item in found] == [
        ("moved", "rescue", "3", "2"),
        ("moved", "prevention", "2", "3"),
    ]


def test_the_order_of_a_profiles_hands_off_rows_counts_too() -> None:
    """The first of two that hold gives the moment and the fallback."""
    files = small()
    (profile,) = (name for name, content in files.items() if b"hands_off:\n    - id: " in content)
    head, _, rest = files[profile].decode().partition("  hands_off:\n")
    row, _, tail = rest.partition("  clauses:")
    other = row.replace("port_out_in_progress", "account_closed").replace("      moment: port_out\n", "")
    packs = [dict(files) | {profile: f"{head}  hands_off:\n{rows}  clauses:{tail}".encode()} for rows in (row + other, other + row)]
    assert [(item.what, item.id) for item in told(packs[1], packs[0])] == [
        ("moved", "cn.account_closed"),
        ("moved", "cn.port_out_in_progress"),
    ]


@pytest.mark.parametrize(
    ("added", "id_", "what"),
    [
        ("parameters:\n  - {id: param.new, is: 560, unit: money, why: {en: Enough., zh: 足够。}}\n", "param.new", "¥5.60: Enough."),
        ("facts:\n  - {id: facts.new, title: {en: New, zh: 新}, is: last(billing.total)}\n", "facts.new", "last(billing.total)"),
        (
            "signals:\n  - {id: a.new, title: {en: New, zh: 新}, levels: [{high: facts.toll > 1}], reason: {en: New., zh: 新。}}\n",
            "a.new",
            "high: facts.toll > 1",
        ),
    ],
)
def test_what_is_new_is_told_in_a_line(added: str, id_: str, what: str) -> None:
    """A threshold with its value, so that fen taken for yuan are seen; a fact and a signal with how they are worked out."""
    assert [(item.id, item.after) for item in told(small(new=added))] == [(id_, what)]
