"""Texts with slots, in two languages, and the one formatter for figures in them."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_slot = re.compile(r"\{([^{}]*)\}")
_slot_form = re.compile(r"^([a-z_][a-z0-9_.]*)(?::([a-zA-Z]+))?$")
_symbols = {
    "CNY": (("¥", ""), ("", "元")),
    "USD": (("$", ""), ("", "美元")),
    "EUR": (("€", ""), ("", "欧元")),
    "GBP": (("£", ""), ("", "英镑")),
}
_months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
UNKNOWN = "—"

Format = Callable[[Any, Language, str], str]
"""Shows a value: in a language, money in a currency."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A named value in a text and how it is shown."""

    name: str
    format: str


@dataclass(frozen=True, slots=True)
class Template:
    """A text, cut at its slots."""

    parts: tuple[str | Slot, ...]
    plain: str | None = field(init=False, repr=False, compare=False)
    """The whole text where it has no slots."""

    def __post_init__(self) -> None:
        plain = "".join(part for part in self.parts if isinstance(part, str))
        object.__setattr__(self, "plain", None if self.slots else plain)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots, in order."""
        return tuple(part for part in self.parts if isinstance(part, Slot))

    def fill(self, values: Sequence[Any], slots: Mapping[str, int], other: Callable[[str], Any], language: Language, currency: str) -> str:
        """The text with each slot's value: `slots` has the position of each name in `values`, `other` gives the rest."""
        return Filler(self, slots, {}, language, currency).fill(values, other)


class Filler:
    """A template for one pack and language: constants are written out, and for each slot it is known where its value stands."""

    __slots__ = ("currency", "language", "pieces", "rest", "template")

    def __init__(
        self, template: Template, slots: Mapping[str, int], constants: Mapping[str, Any], language: Language, currency: str
    ) -> None:
        self.template, self.language, self.currency = template, language, currency
        self.pieces: list[tuple[str, int | None, str, Format]] = []
        self.rest = ""
        for part in template.parts:
            if isinstance(part, str):
                self.rest += part
            elif part.name in constants:
                self.rest += shown(constants[part.name], part.format, language, currency)
            else:
                self.pieces.append((self.rest, slots.get(part.name), part.name, FORMATS[part.format]))
                self.rest = ""

    def fill(self, values: Sequence[Any], other: Callable[[str], Any] | None) -> str:
        """The text with each slot's value; what is unknown shows as a dash.

        Args:
            values: by position.
            other: gives the values of names that have none.
        """
        text = ""
        for before, slot, name, form in self.pieces:
            value = values[slot] if slot is not None else other(name) if other is not None else None
            text += before + (UNKNOWN if value is None else form(value, self.language, self.currency))
        return text + self.rest


@dataclass(frozen=True, slots=True)
class Text:
    """A template in each language."""

    en: Template
    zh: Template

    def of(self, language: Language) -> Template:
        """The template in the language."""
        return self.zh if language == "zh" else self.en

    def say(self, language: Language) -> str:
        """A text without slots."""
        template = self.zh if language == "zh" else self.en
        return "".join(map(str, template.parts)) if template.plain is None else template.plain


def cut(text: str) -> tuple[Template, list[str]]:
    """Cut a text at its slots.

    Returns:
        The template, and what is not of the form `{name:format}` or has a brace without its pair, as written.
    """
    parts: list[str | Slot] = []
    wrong: list[str] = []
    at = 0
    for found in _slot.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        form = _slot_form.match(found.group(1))
        if form is None:
            wrong.append(found.group(0))
        else:
            parts.append(Slot(form.group(1), form.group(2) or "text"))
    parts.append(text[at:])
    wrong += [part for part in parts if isinstance(part, str) and any(brace in part for brace in "{}｛｝")]
    return Template(tuple(part for part in parts if part != "")), wrong


def language_of(locale: str) -> Language:
    """`zh` for any Chinese locale, else `en`."""
    return "zh" if locale.lower().startswith("zh") else "en"


def shown(value: Any, form: str, language: Language, currency: str = "CNY") -> str:
    """A value as people read it. `form` is a key of `FORMATS`; money comes in the smallest unit."""
    if value is None:
        return UNKNOWN
    return FORMATS[form](value, language, currency)


def _whole(number: int) -> str:
    return str(number) if -1000 < number < 1000 else f"{number:,}"  # nothing to group: a format would take three times as long


def _grouped(number: float, decimals: int = 0) -> str:
    if isinstance(number, int):
        return _whole(number)
    text = f"{number:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _money(value: Any, language: Language, currency: str) -> str:
    if isinstance(value, int) and value % 100 == 0:
        text = _whole(value // 100)
    else:
        units = value / 100
        whole = round(units)
        text = _whole(whole) if abs(units - whole) < 0.005 else f"{units:,.2f}"
    known = _symbols.get(currency)
    before, after = known[language == "zh"] if known else ("", f" {currency}") if language == "zh" else (f"{currency} ", "")
    return f"-{before}{text[1:]}{after}" if text[0] == "-" else f"{before}{text}{after}"


def _about(value: Any, language: Language, currency: str) -> str:
    """A sum said as an estimate: whole units from two on, never more than it is."""
    return _money(value if abs(value) < 200 else math.trunc(value / 100) * 100, language, currency)


def _years(value: Any, language: Language, currency: str) -> str:
    """Months as people say them: whole years from two on."""
    return _whole_months(value, language, currency) if value < 24 else _whole_years(value // 12, language, currency)


def _percent(value: Any, _language: Language, _currency: str) -> str:
    return f"{_grouped(value * 100, 1 if abs(value) < 0.1 else 0)}%"


def _count(value: Any, _language: Language, _currency: str) -> str:
    return _grouped(value, 1)


def _date(value: Any, language: Language, _currency: str) -> str:
    if value == 0:
        return "无" if language == "zh" else "none"
    day = value if isinstance(value, datetime.date) else datetime.date.fromordinal(int(value))
    return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else f"{day.day} {_months[day.month - 1]} {day.year}"


def _data(value: Any, language: Language, _currency: str) -> str:
    space = "" if language == "zh" else " "
    return f"{_grouped(value / 1024, 1)}{space}GB" if abs(value) >= 1024 else f"{_grouped(value)}{space}MB"


def _measured(one: str, many: str, chinese: str) -> Format:
    def form(value: Any, language: Language, _currency: str) -> str:
        number = _grouped(value, 1)
        return f"{number}{chinese}" if language == "zh" else f"{number} {one if number == '1' else many}"

    return form


def _text(value: Any, language: Language, _currency: str) -> str:
    if isinstance(value, frozenset | set | tuple | list):
        return ("、" if language == "zh" else ", ").join(sorted(map(str, value)))
    if isinstance(value, bool):
        return ("是" if value else "否") if language == "zh" else ("yes" if value else "no")
    return _grouped(value, 2) if isinstance(value, float) else str(value)


_whole_months = _measured("month", "months", "个月")
_whole_years = _measured("year", "years", "年")

FORMATS: Mapping[str, Format] = {
    "money": _money,
    "about": _about,
    "percent": _percent,
    "count": _count,
    "date": _date,
    "MB": _data,
    "minutes": _measured("minute", "minutes", "分钟"),
    "days": _measured("day", "days", "天"),
    "months": _whole_months,
    "years": _years,
    "hours": _measured("hour", "hours", "小时"),
    "text": _text,
}
"""Formats a slot may name."""

BY_UNIT = {"money": "money", "MB": "MB", "minutes": "minutes", "days": "days", "months": "months", "hours": "hours", "share": "percent"}
"""The format that fits a unit where no slot names one."""


MEASURES = ("money", "MB", "percent")
"""Formats whose figure is another one than the number: fen as yuan, MB as GB, shares as percentages."""


def listed(words: Sequence[str], language: Language) -> str:
    """Words in a row, as the language does it."""
    return ("、" if language == "zh" else ", ").join(words)


def enumerated(words: Sequence[str], language: Language) -> str:
    """All of the words in a row inside a sentence: `plan, bills and phone`."""
    if language == "zh" or len(words) < 2:
        return listed(words, language)
    return f"{', '.join(words[:-1])} and {words[-1]}"
