"""No hidden price: an offer's texts, and what must be told of a tariff, say the price now, after it, the term and the exit fee."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.engine.pack.checking import Parts
from app.engine.pack.documents import ActionDocument, TariffPart
from app.engine.pack.names import BEST_PLAN
from app.engine.pack.reading import Found
from app.engine.problems import Problem
from app.engine.texts import LANGUAGES, Language, Text, shown

_free = {
    "en": re.compile(r"\b(?:free|no (?:charge|fee)|nothing|without charge|fee stays?|its fee stay)\b", re.I),
    "zh": re.compile("免费|不收费|不另收费|不收取|无需付费|不花钱|不用花钱|月费不变|资费不变"),
}
_ends = {
    "en": re.compile(
        r"\b(?:ends? (?:by itself|with|when|after|on)|then (?:it )?ends?|(?:credits?|rebates?|discounts?) (?:then )?ends?"
        r"|(?:does not|no|never) renew(?:al|s)?|not renewed|not (?:be )?charged again|expires?|nothing (?:more|after))\b",
        re.I,
    ),
    "zh": re.compile(
        "自动(?:结束|停|终止|失效)|不(?:会)?(?:自动)?续|(?:到期|期满|月底)(?:后)?(?:即|就)?(?:停|失效|结束|不再)|返完为止|不再收"
    ),
}
"""How a text says that nothing is charged afterwards."""
_months = {
    "en": {1: "this month|one month|a month only|1 month", 6: "half a year|six months", 12: "a year|one year", 24: "two years"},
    "zh": {1: "当月|本月|一个月|1个月", 6: "半年", 12: "一年|1年", 24: "两年|2年|二年"},
}


def price_problems(parts: Parts) -> Iterator[Problem]:
    """A problem for each text of an offer, and each tariff's own, that leaves out what it costs."""
    for found in parts.actions.values():
        tariffs = _offered(parts, found.part)
        for channel, script in found.part.channels.items() if tariffs else ():
            path = ("channels", channel, "script" if script.script else "text")
            yield from _Spoken(parts, found, path, tariffs, sent=channel == "sms_marketing").problems()
    for found_tariff in parts.tariffs.values():
        yield from _Spoken(parts, found_tariff, ("disclose",), [found_tariff.part], whole=True).problems()


def _offered(parts: Parts, part: ActionDocument) -> list[TariffPart]:
    """The tariffs that an offer may name."""
    if part.kind != "offer" or part.tariff is None:
        return []
    if part.tariff != BEST_PLAN:
        return [parts.tariffs[part.tariff].part] if part.tariff in parts.tariffs else []
    plans = (item.part for item in parts.tariffs.values() if item.part.kind == "plan")
    return [plan for plan in plans if plan.open_to_existing]


class _Spoken:
    """One text and the tariffs it has to tell of. `sent`: a marketing message; `whole`: all that must be told of a tariff."""

    def __init__(
        self, parts: Parts, found: Found[Any], path: Sequence[str], tariffs: list[TariffPart], *, sent: bool = False, whole: bool = False
    ) -> None:
        self.parts, self.found, self.path, self.tariffs, self.whole = parts, found, path, tariffs, whole
        self.text: Text = parts.texts[found.source.file, (*found.path, *path)]
        rises = any(tariff.fee_after != tariff.fee for tariff in tariffs)
        self.wanted = ["fee"]
        self.wanted += ["fee_after"] if rises or (sent and any(tariff.months for tariff in tariffs)) else []
        self.wanted += ["months"] if rises else []
        self.wanted += [key for key in ("exit_fee", "commitment_months") if whole and getattr(tariffs[0], key)]

    def problems(self) -> Iterator[Problem]:
        """What each language leaves out."""
        for language in LANGUAGES:
            for key in self.wanted:
                if not self.said(key, language):
                    figure = "" if len(self.tariffs) > 1 else f", {self.figure(self.tariffs[0], key, language)}"
                    message = f"{_NAMES[key]}{figure}, is not said" if figure else f"{_NAMES[key]} is not said"
                    where = self.found.place(*self.path, language)
                    yield Problem(where, "price-unsaid", message, f"name it, as in `{{tariff.{key}:{_form(key)}}}`")

    def said(self, key: str, language: Language) -> bool:
        """Does the text name a figure: by its slot, by the figure itself, or in words where it is nothing or a round term?"""
        template = self.text.of(language)
        if any(slot.name == f"tariff.{key}" for slot in template.slots):
            return True
        words = " ".join(part for part in template.parts if isinstance(part, str))
        return all(self._written(words, tariff, key, language) for tariff in self.tariffs)

    def figure(self, tariff: TariffPart, key: str, language: Language) -> str:
        """The figure as the text would show it."""
        return shown(getattr(tariff, key), _form(key), language, self.parts.currency)

    def _written(self, words: str, tariff: TariffPart, key: str, language: Language) -> bool:
        value = getattr(tariff, key)
        if key in ("fee_after", "months") and tariff.fee_after == 0 and _ends[language].search(words):
            return True
        if _form(key) == "months":
            others = _months[language].get(value, "")
            if value == 0 or (others and re.search(others, words, re.IGNORECASE)) or re.search(rf"\b{value}[- ]months?\b", words):
                return True
        if value == 0 and _free[language].search(words):
            return True
        return re.search(rf"(?<![0-9.,]){re.escape(self.figure(tariff, key, language))}(?![0-9])", words) is not None


_NAMES = {
    "fee": "the price",
    "fee_after": "the price afterwards",
    "months": "how long the price holds",
    "exit_fee": "the exit fee",
    "commitment_months": "the term",
}


def _form(key: str) -> str:
    return "months" if key.endswith("months") else "money"
