"""What a column probably is by what stands in it: how a fact is made of it, or that it cannot be."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.campaign.cells import UNITS, Unfit, date_form_problem, number, written
from app.campaign.input.naming import Name
from app.campaign.input.synonyms import NO, WORDS, YES
from app.engine.problems import shown
from app.engine.vocabulary import Fact

ENOUGH = 0.8
"""At least so much of the cells has to fit a fact."""
_FEW = 12
"""An enumeration has no more different cells."""
CYCLES = 3
_FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%Y年%m月%d日", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")
_BETWEEN = (";", "|", "、", ",", "/", "；", "，")
PHONE_OR_ID = re.compile(r"^(\+?86)?1[3-9]\d{9}$|^\d{17}[\dXx]$|^[^@\s]+@[^@\s]+\.\w+$")
_DEAR = 20_000
"""No month costs so many yuan: money without a unit is in fen where half of it is more."""
Keys = dict[str, str | tuple[str, ...] | dict[str, str]]
"""What is said of a fact beside its column."""
Made = tuple[Keys, str] | None
"""How a fact is made of a column, and what to look at; none where it cannot be."""


def text_of(cell: Any) -> str:
    """A cell as text, whatever it is."""
    try:
        return written(cell)
    except Unfit:
        return repr(cell)


def _number(fact: Fact, name: Name, cells: Sequence[Any]) -> Made:
    return amount(fact, name, cells)


def amount(fact: Fact, name: Name, cells: Sequence[Any]) -> Made:
    """The unit of numbers, as it is called or as they look."""
    figures = [value for cell in cells if (value := _figure(cell)) is not None]
    if len(figures) < ENOUGH * len(cells) or not cells:
        return None
    if name.unit is not None:
        if name.unit == fact.unit or (name.unit, fact.unit) == ("fen", "money"):
            return ({"unit": name.unit} if fact.unit == "money" else {}), ""
        return ({"unit": name.unit}, "") if (name.unit, fact.unit) in UNITS else None
    sizes = sorted(map(abs, figures))
    middle, most = sizes[len(sizes) // 2], sizes[-1]
    whole = all(value == int(value) for value in figures)
    if fact.unit == "money":
        unit = "fen" if whole and middle > _DEAR else "yuan"
        return {"unit": unit}, f"the name has no unit; taken for {unit}"
    if fact.unit == "MB" and middle < 300 and not whole:
        return {"unit": "GB"}, "the name has no unit; taken for GB"
    if fact.unit == "MB":
        return {}, "the name has no unit; taken for MB"
    if fact.unit == "share" and fact.most == 1 and most > 1:
        return {"unit": "percent"}, "taken for percent"
    return {}, ""


def _figure(cell: Any) -> float | None:
    try:
        return None if isinstance(cell, bool) else float(number(cell if isinstance(cell, int | float) else written(cell)))
    except Unfit:
        return None


def _series(fact: Fact, name: Name, cells: Sequence[Any]) -> Made:
    if all(isinstance(cell, list) for cell in cells):
        entries = [entry for cell in cells for entry in cell if entry is not None]
        made = amount(fact, name, entries)
        return None if made is None else ({"split": ";", **made[0]}, made[1])
    between = next((mark for mark in _BETWEEN if sum(mark in text_of(cell) for cell in cells) > len(cells) / 2), None)
    if between is not None:
        entries = [part.strip() for cell in cells for part in text_of(cell).split(between) if part.strip()]
        made = amount(fact, name, entries)
        return None if made is None else ({"split": between, **made[0]}, made[1])
    made = amount(fact, name, cells)
    note = "one figure, taken for each of the cycles"
    return None if made is None else ({**made[0], "cycles": str(CYCLES)}, "; ".join(filter(None, (note, made[1]))))


def _date(fact: Fact, _name: Name, cells: Sequence[Any]) -> Made:
    note = (
        "`if_missing: null` where an empty cell says that there is none"
        if fact.name in ("contract.commitment_end", "contract.promo_end")
        else ""
    )
    if all(isinstance(cell, datetime.date) for cell in cells):
        return {}, note
    texts = [text_of(cell) for cell in cells]
    for form in _FORMS:
        if not date_form_problem(form) and sum(_is_date(text, form) for text in texts) >= ENOUGH * len(texts):
            return ({} if form == "%Y-%m-%d" else {"date": form}), note
    return None


def _is_date(text: str, form: str) -> bool:
    try:
        found = datetime.datetime.strptime(text, form)  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return False
    return form != "%Y-%m-%d" or (len(text) == len("2026-11-22") and found.year > 1900)


def _boolean(_fact: Fact, _name: Name, cells: Sequence[Any]) -> Made:
    if all(isinstance(cell, bool) for cell in cells):
        return {}, ""
    words = Counter(map(text_of, cells))
    if len(words) > _FEW:
        return None
    said = {word: yes_or_no(word) for word in words}
    if None in said.values():
        return None
    if all(word.lower() in ("true", "yes", "y", "1", "是", "false", "no", "n", "0", "否") for word in words):
        return {}, ""
    return {"values": {word: "yes" if yes else "no" for word, yes in said.items()}}, ""


def yes_or_no(word: str) -> bool | None:
    """What a word says, if it says yes or no."""
    lower = word.lower()
    return True if lower in YES else False if lower in NO else None


def _enum(fact: Fact, _name: Name, cells: Sequence[Any]) -> Made:
    words = Counter(map(text_of, cells))
    if len(words) > 3 * _FEW:
        return None
    said = {word: _word(fact, word) for word in words}
    known = sum(words[word] for word, meant in said.items() if meant is not None)
    if known < ENOUGH * len(cells):
        return None
    if all(word == meant for word, meant in said.items()):
        return {}, ""
    odd = [shown(word, 40) for word, meant in said.items() if meant is None]
    meant_by = {word: meant for word, meant in said.items() if meant is not None}
    return {"values": _with_others(fact, meant_by)}, f"rows with {', '.join(odd)} are refused: say what it means" if odd else ""


def _with_others(fact: Fact, said: Mapping[str, str]) -> dict[str, str]:
    """The words that were seen, and others of the same script that are likely further down."""
    is_ascii = all(word.isascii() for word in said)
    others = {word: meant for word, meant in WORDS.get(fact.name, {}).items() if word.isascii() == is_ascii and len(word) > 1}
    return {**said, **(others if not is_ascii else {})}


def _word(fact: Fact, word: str) -> str | None:
    """Which of the fact's words is meant."""
    lower = word.lower()
    if lower in fact.values:
        return lower
    named = WORDS.get(fact.name, {}).get(lower)
    return named or (lower.replace(" ", "_") if lower.replace(" ", "_") in fact.values else None)


def _words(_fact: Fact, _name: Name, cells: Sequence[Any]) -> Made:
    """A text."""
    if any(isinstance(cell, list | bool) for cell in cells) or any(PHONE_OR_ID.match(text_of(cell)) for cell in cells):
        return None
    if all(yes_or_no(text_of(cell)) is not None for cell in cells):
        return None
    return {}, ""


def _set(fact: Fact, _name: Name, cells: Sequence[Any]) -> Made:
    if all(isinstance(cell, list) for cell in cells):
        words, split = [str(word) for cell in cells for word in cell if word is not None], Keys()
    elif any(isinstance(cell, bool) for cell in cells) or all(yes_or_no(text_of(cell)) is not None for cell in cells):
        return None
    else:
        between = next((mark for mark in _BETWEEN if any(mark in text_of(cell) for cell in cells)), ";")
        words, split = [part.strip() for cell in cells for part in text_of(cell).split(between) if part.strip()], Keys(split=between)
    if not fact.values:
        return split, ""
    said = {word: _word(fact, word) for word in dict.fromkeys(words)}
    if None in said.values() or not said:
        return None
    values = {word: meant or "" for word, meant in said.items()}
    return (split if all(word == meant for word, meant in said.items()) else {**split, "values": values}), ""


MAKERS: Mapping[str, Callable[[Fact, Name, Sequence[Any]], Made]] = {
    "number": _number,
    "series": _series,
    "date": _date,
    "boolean": _boolean,
    "enum": _enum,
    "text": _words,
    "set": _set,
}
"""By kind of fact."""
