"""What a test wanted and what came, in Chinese: titles with the codes that a suite writes. In English the codes are words already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.engine.terms import CAUSES, EMPTY, LEVELS
from app.engine.texts import Language

if TYPE_CHECKING:
    from app.engine.pack import Pack

_rank = re.compile(r"rank (\d+)")
_plain: Mapping[str, Mapping[str, str]] = {
    "signals": {"none": "不成立", "unknown": "未知"},
    "facts": {"true": "是", "false": "否", "none": "无", "unknown": "未知", "never": "从未"},
    "personalised": {"true": "是", "false": "否"},
    "offered": {"offered": "推荐", "not offered": "不推荐"},
}
_same = {"not_offered": "offered", "first": "actions"}
"""Kinds whose values are written as those of another."""


def worded(kind: str, text: str, pack: Pack, language: Language) -> str:
    """A value of an expectation as people read it.

    Args:
        kind: of the expectation: the key under `expect:`.
        text: the value, as a suite writes it.
        pack: that was tested.
        language: to say it in.
    """
    if language != "zh":
        return text
    kind = _same.get(kind, kind)
    if kind == "actions" and text.startswith("["):
        return "、".join(_titled(item, _titles(kind, pack)) for item in text[1:-1].split(", ") if item) or "无"
    if kind == "offered" and _rank.search(text):
        return "，".join(_rank.sub(r"第\1位", part) if _rank.match(part) else _plain[kind].get(part, part) for part in text.split(", "))
    plain, titles = _plain.get(kind, {"none": "无"}), _titles(kind, pack)
    return plain.get(text) or (_titled(text, titles) if text in titles else _kept_out(text))


def _kept_out(text: str) -> str:
    """A cause, with its clause where one is named; anything else as it is."""
    cause = text.partition("/")[0]
    return f"{CAUSES[cause][1]}（{text}）" if cause in CAUSES else text


def _titled(code: str, titles: Mapping[str, str]) -> str:
    return f"{titles[code]}（{code}）" if code in titles else code


def _titles(kind: str, pack: Pack) -> Mapping[str, str]:
    """Titles of what an expectation of this kind can name."""
    parts = {
        "stage": {part.id: part.title for part in pack.stages},
        "phase": {part.id: part.title for part in pack.phases},
        "moment": {name: part.title for name, part in pack.moments.items()},
        "actions": {part.id: part.title for part in pack.actions},
        "tariffs": {name: part.name for name, part in pack.tariffs.items()},
    }
    words = {"signals": LEVELS, "empty_because": EMPTY}
    titles = {code: title.say("zh") for code, title in parts.get(kind, {}).items()}
    return titles | {code: chinese for code, (_, chinese) in words.get(kind, {}).items()}
