"""Texts with slots and the one formatter for figures, in two languages."""

import datetime
from typing import Any

import pytest

from app.engine.texts import BY_UNIT, FORMATS, UNKNOWN, Slot, Template, Text, cut, language_of, listed, shown

pytestmark = pytest.mark.unit

DAY = datetime.date(2026, 11, 2)


class TestCut:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("Nothing to fill.", ("Nothing to fill.",)),
            ("{facts.toll:money} in calls", (Slot("facts.toll", "money"), " in calls")),
            ("上月{facts.toll:money}，{plan.name}", ("上月", Slot("facts.toll", "money"), "，", Slot("plan.name", "text"))),
            ("{a}{b:count}", (Slot("a", "text"), Slot("b", "count"))),
            ("", ()),
        ],
    )
    def test_slots(self, text: str, parts: tuple[object, ...]) -> None:
        """A slot is a name in braces, with a format after a colon."""
        assert cut(text) == (Template(parts), [])  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("text", "wrong"),
        [
            ("{facts.toll + 1:money}", ["{facts.toll + 1:money}"]),
            ("{last(billing.total)}", ["{last(billing.total)}"]),
            ("{}", ["{}"]),
            ("{Facts.toll}", ["{Facts.toll}"]),
            ("{a:}", ["{a:}"]),
            ("{a!r}", ["{a!r}"]),
            ("{a:money:count} and {b c}", ["{a:money:count}", "{b c}"]),
            ("{a.__class__}", []),
            ("open {a", ["open {a"]),
            ("closed a}", ["closed a}"]),
            ("{{a}}", ["{", "}"]),
        ],
    )
    def test_anything_else(self, text: str, wrong: list[str]) -> None:
        """An expression is no slot, and neither is a brace without its pair."""
        assert cut(text)[1] == wrong


class TestFill:
    def test_languages(self) -> None:
        """A text is filled with the values of its slots, as each language writes them."""
        text = Text(cut("{a:money} until {b:date}")[0], cut("{b:date}前{a:money}")[0])
        known: dict[str, Any] = {"a": 123456, "b": DAY.toordinal()}
        assert text.of("en").fill((), {}, known.get, "en", "CNY") == "¥1,234.56 until 2 November 2026"
        assert text.of("zh").fill((), {}, known.get, "zh", "CNY") == "2026年11月2日前1,234.56元"
        assert text.of("zh").fill((), {}, {}.get, "zh", "CNY") == f"{UNKNOWN}前{UNKNOWN}"

    def test_plain(self) -> None:
        """A text without slots is said as it stands; an empty one says nothing."""
        assert Text(cut("Yes.")[0], cut("是。")[0]).say("zh") == "是。"
        assert cut("")[0].fill((), {}, {}.get, "en", "CNY") == ""

    def test_by_position(self) -> None:
        """Names that have a position are read there, unknown or not; all others are asked for."""
        template = cut("{a:count} {b:count} {c:count}")[0]
        assert template.fill((None, 7), {"b": 1, "a": 0}, {"a": 1, "c": 9}.get, "en", "CNY") == f"{UNKNOWN} 7 9"

    def test_never_twice(self) -> None:
        """What a value says is not read as a text again."""
        assert cut("{a}")[0].fill((), {}, {"a": "{b:money}"}.get, "en", "CNY") == "{b:money}"


@pytest.mark.parametrize(
    ("value", "form", "en", "zh"),
    [
        (0, "money", "¥0", "0元"),
        (5900, "money", "¥59", "59元"),
        (5950, "money", "¥59.50", "59.50元"),
        (123456789, "money", "¥1,234,567.89", "1,234,567.89元"),
        (-5950, "money", "-¥59.50", "-59.50元"),
        (-0.2, "money", "¥0", "0元"),
        (5900.0000001, "money", "¥59", "59元"),
        (5999.9, "money", "¥60", "60元"),
        (0.12, "percent", "12%", "12%"),
        (0.125, "percent", "12%", "12%"),
        (0.055, "percent", "5.5%", "5.5%"),
        (0.0999, "percent", "10%", "10%"),
        (-0.3, "percent", "-30%", "-30%"),
        (-0.0001, "percent", "0%", "0%"),
        (1.5, "percent", "150%", "150%"),
        (0, "percent", "0%", "0%"),
        (1234, "count", "1,234", "1,234"),
        (2.0, "count", "2", "2"),
        (2.25, "count", "2.2", "2.2"),
        (-0.04, "count", "0", "0"),
        (999, "count", "999", "999"),
        (1000, "count", "1,000", "1,000"),
        (-1000, "count", "-1,000", "-1,000"),
        (99900, "money", "¥999", "999元"),
        (-100000, "money", "-¥1,000", "-1,000元"),
        (DAY, "date", "2 November 2026", "2026年11月2日"),
        (DAY.toordinal(), "date", "2 November 2026", "2026年11月2日"),
        (0, "date", "none", "无"),
        (512, "MB", "512 MB", "512MB"),
        (1023.6, "MB", "1,024 MB", "1,024MB"),
        (1024, "MB", "1 GB", "1GB"),
        (7168, "MB", "7 GB", "7GB"),
        (7200, "MB", "7 GB", "7GB"),
        (-2048, "MB", "-2 GB", "-2GB"),
        (1, "minutes", "1 minute", "1分钟"),
        (0, "minutes", "0 minutes", "0分钟"),
        (61, "minutes", "61 minutes", "61分钟"),
        (1.04, "days", "1 day", "1天"),
        (12, "days", "12 days", "12天"),
        (24, "months", "24 months", "24个月"),
        (23, "years", "23 months", "23个月"),
        (24, "years", "2 years", "2年"),
        (132.0, "years", "11 years", "11年"),
        (143, "years", "11 years", "11年"),
        (1313, "about", "¥13", "13元"),
        (1399.9, "about", "¥13", "13元"),
        (150, "about", "¥1.50", "1.50元"),
        (-1313, "about", "-¥13", "-13元"),
        (3, "hours", "3 hours", "3小时"),
        ("plan_59", "text", "plan_59", "plan_59"),
        (True, "text", "yes", "是"),
        (False, "text", "no", "否"),
        (frozenset({"b", "a"}), "text", "a, b", "a、b"),
        (frozenset(), "text", "", ""),
        (3, "text", "3", "3"),
        (2.5, "text", "2.5", "2.5"),
        (1000.0, "text", "1,000", "1,000"),
    ],
)
def test_formats(value: object, form: str, en: str, zh: str) -> None:
    """Figures as people write them: money in the big unit, no zeros that say nothing, no minus before nothing."""
    assert (shown(value, form, "en"), shown(value, form, "zh")) == (en, zh)


@pytest.mark.parametrize(
    ("currency", "en", "zh"),
    [
        ("CNY", "¥12.50", "12.50元"),
        ("USD", "$12.50", "12.50美元"),
        ("EUR", "€12.50", "12.50欧元"),
        ("GBP", "£12.50", "12.50英镑"),
        ("SEK", "SEK 12.50", "12.50 SEK"),
    ],
)
def test_currencies(currency: str, en: str, zh: str) -> None:
    """Money is shown in the pack's currency."""
    assert (shown(1250, "money", "en", currency), shown(1250, "money", "zh", currency)) == (en, zh)


@pytest.mark.parametrize("month", range(1, 13))
def test_months(month: int) -> None:
    """Months have their English names, whatever the language of the machine."""
    day = datetime.date(2026, month, 9)
    assert shown(day, "date", "en") == f"9 {day:%B} 2026"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_unknown(form: str, language: Any) -> None:
    """What is unknown shows as a dash, in every format."""
    assert shown(None, form, language) == UNKNOWN


def test_units() -> None:
    """Every unit with a format of its own names one that exists."""
    assert set(BY_UNIT.values()) <= set(FORMATS)


@pytest.mark.parametrize(
    ("locale", "language"), [("zh-CN", "zh"), ("ZH", "zh"), ("zh_Hant", "zh"), ("en", "en"), ("fr-FR", "en"), ("", "en")]
)
def test_languages(locale: str, language: str) -> None:
    """Any Chinese locale gets Chinese, everybody else English."""
    assert language_of(locale) == language


def test_lists() -> None:
    """Words in a row, as the language does it."""
    assert (listed(["a", "b"], "en"), listed(["a", "b"], "zh")) == ("a, b", "a、b")
