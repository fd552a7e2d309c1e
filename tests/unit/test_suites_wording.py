"""What a test wanted and what came, on the terminal: in Chinese with titles, in English as the suite has it."""

import pytest

from app.cli.testing.wording import worded
from tests.pipeline import shipped

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "text", "chinese"),
    [
        ("signals", "severe", "严重（severe）"),
        ("signals", "none", "不成立"),
        ("signals", "unknown", "未知"),
        ("phase", "rescue", "挽留（rescue）"),
        ("stage", "stable", "稳定期（stable）"),
        ("moment", "none", "无"),
        ("empty_because", "unknown", "信息不足（unknown）"),
        ("empty_because", "none", "无"),
        ("personalised", "true", "是"),
        ("facts", "never", "从未"),
        ("facts", "5900", "5900"),
        ("actions", "[bill_explain, tariff_pack]", "账单解读（bill_explain）、国际及港澳台通话包（tariff_pack）"),
        ("actions", "[]", "无"),
        ("first", "bill_explain", "账单解读（bill_explain）"),
        ("first", "none", "无"),
        ("tariffs", "data_pack_5", "5GB流量加油包（data_pack_5）"),
        ("offered", "rank 2", "第2位"),
        ("not_offered", "offered, rank 1", "推荐，第1位"),
        ("not_offered", "not offered", "不推荐"),
        ("not_offered", "suppressed/marketing_hours", "触达限制（suppressed/marketing_hours）"),
        ("concessions", "not_eligible/tier", "不具备条件（not_eligible/tier）"),
        ("says", "[“59”]", "[“59”]"),
    ],
)
def test_values_are_told_by_their_titles(kind: str, text: str, chinese: str) -> None:
    """Each with the code by which the suite names it; what is no code stays as it is."""
    assert worded(kind, text, shipped(), "zh") == chinese
    assert worded(kind, text, shipped(), "en") == text
