"""Texts as people read them: both languages there, no forbidden wording, and what each channel's rules demand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.engine.pack.checking import Parts
from app.engine.pack.checks.claims import HINTS, claims
from app.engine.pack.documents import ActionDocument
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem, shown
from app.engine.texts import LANGUAGES, Language, Slot, Template, Text
from app.engine.texts import shown as value_shown
from app.engine.tree import Const, Ref, Type

SLOT = "\ue000"
"""Stands in a text where a value will stand."""
SMS = ("sms_service", "sms_marketing")
LONGEST_SMS = {"zh": 210, "en": 306}
"""Characters of three parts of a Chinese message, of two of an English one."""
_internal = {"source", "because", "legal_basis", "why"}
"""Texts for reviewers: they may quote a law, whatever it says."""

_widths = {
    "money": (9, 9),
    "about": (6, 6),
    "percent": (5, 4),
    "count": (6, 6),
    "date": (16, 11),
    "MB": (8, 7),
    "minutes": (13, 9),
    "days": (9, 6),
    "months": (10, 6),
    "years": (10, 6),
    "hours": (9, 7),
    "text": (14, 14),
}
"""Characters that a value takes at most as a rule, in English and in Chinese."""

_han = "\u4e00-\u9fff"
_chinese = f"{_han}，。；：？！（）、“”《》【】"
_half_width = re.compile(
    f'(?<=[{_chinese}])[,;:?!()"]|[,;:?!()"](?=[{_chinese}])|(?<=[{_chinese}])\\.(?![0-9A-Za-z])|(?<=[A-Za-z])\\.(?=[{_han}])|(?<={SLOT})[,;:?!.](?=$|\\s)'
)
_spaced = re.compile(f"(?<=[{_han}])[ \u3000]+(?=[{_han}])")
_full_width = re.compile("[，。；：？！（）、]")
_wide_figures = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_some_han, _letters = re.compile(f"[{_han}]"), re.compile("[A-Za-z]")
_name = re.compile(r"[A-Z0-9][A-Za-z0-9 .+/&-]{0,11}")
"""A name or an abbreviation that reads the same in every language."""
_placeholder = re.compile(
    r"\b(?:TO-?DO|TBD|FIX-?ME|X{3,}|x{3,}|lorem ipsum|placeholder|to be (?:written|translated|defined))\b"
    r"|待补充|待完善|待翻译|待定稿|占位|此处填写|示例文本"
)

_machine = {
    "zh": re.compile("智能|机器人|自动|语音助手|AI|虚拟"),
    "en": re.compile(r"\b(?:automat\w*|virtual|robot|machine|chatbot|bot|AI|digital assistant)\b", re.I),
}
_beginning = {"zh": 40, "en": 90}
"""Characters within which a machine has said what it is."""
_sender = {"zh": re.compile("^【[^】]+】"), "en": re.compile(r"^(?:【[^】]+】|\[[^\]]+\]|[^.!?:]{1,40}:)")}
_way_out = {
    "zh": re.compile("拒收|退订(?:请)?(?:回|发)|回(?:复)?(?:TD|T|R|N|0000)"),
    "en": re.compile(r"\b(?:STOP|unsubscribe|opt[ -]out|no more marketing|stop marketing)\b", re.I),
}
_cancel = {
    "zh": re.compile("取消|关闭|停用|解除|退掉|退订.*退订"),
    "en": re.compile(r"\b(?:cancel\w*|end it|switch it off|turn it off|terminate)\b", re.I),
}


@dataclass(frozen=True)
class Said:
    """A text in one language: as it is read, with its place and what it is."""

    place: Place
    language: Language
    template: Template
    text: str
    key: str
    action: ActionDocument | None = None
    channel: str = ""


def wording_problems(parts: Parts) -> Iterator[Problem]:
    """A problem for each text that breaks a rule of wording, or of its channel."""
    own = frozenset(str(node.value) for name, node in parts.scopes.parameters.items() if "sender" in name)
    for one, other in _pairs(parts):
        yield from _languages(one, other)
        for said in (one, other):
            yield from _form(said)
            yield from _claims(said, own)
            yield from _raw_words(parts, said)
            if said.channel:
                yield from _channel(parts, said)


def _pairs(parts: Parts) -> Iterator[tuple[Said, Said]]:
    """Every text in English and in Chinese."""
    sources = {source.file: source for source, _ in parts.draft.documents}
    actions = {found.source.file: found for found in parts.actions.values()}
    for (file, path), text in parts.texts.items():
        action: Found[ActionDocument] | None = actions.get(file)
        source = action.source if action is not None else sources[file]
        channel = str(path[1]) if action is not None and path[0] == "channels" else ""
        part = action.part if action is not None else None
        english, chinese = (
            Said(source.place(*path, language), language, text.of(language), _read(parts, text, language), str(path[-1]), part, channel)
            for language in LANGUAGES
        )
        yield english, chinese
    for found in parts.draft.each("questions"):
        yield _question(found, "en"), _question(found, "zh")


def _question(found: Found[Any], language: Language) -> Said:
    text = str(getattr(found.part, language))
    return Said(found.place(language), language, Template((text,)), text, "question")


def _read(parts: Parts, text: Text, language: Language) -> str:
    """The text with the values of parameters; other slots stand as one sign each."""
    template = text.of(language)
    return template.plain if template.plain is not None else "".join(_piece(parts, piece, language) for piece in template.parts)


def _piece(parts: Parts, piece: str | Slot, language: Language) -> str:
    if isinstance(piece, str):
        return piece
    node = parts.scopes.parameters.get(piece.name)
    return value_shown(node.value, piece.format, language, parts.currency) if isinstance(node, Const) else SLOT


def _languages(english: Said, chinese: Said) -> Iterator[Problem]:
    """Each language is there, and says as much as the other."""
    if not _some_han.search(chinese.text) and _letters.search(chinese.text) and not _name.fullmatch(chinese.text):
        same = chinese.text == english.text
        message = f"the Chinese {chinese.key} is {'the English one' if same else 'not Chinese'}: {shown(chinese.text, 40)}"
        yield Problem(chinese.place, "untranslated", message, "write it in Chinese", "warning")
    foreign = _some_han.search(english.text)
    if foreign:
        message = f"the English {english.key} holds Chinese, from {shown(english.text[foreign.start() :], 20)} on"
        yield Problem(english.place, "untranslated", message, "write it in English", "warning")
    if english.template.plain is not None and chinese.template.plain is not None:
        return
    names = [{slot.name for slot in said.template.slots if not slot.name.startswith("param.")} for said in (english, chinese)]
    for said, lacking in ((english, names[1] - names[0]), (chinese, names[0] - names[1])):
        if lacking:
            message = f"the {_tongue(said.language)} {said.key} does not name `{min(lacking)}`, the other language does"
            yield Problem(said.place, "languages-differ", message, "say the same in both", "warning")


def _raw_words(parts: Parts, said: Said) -> Iterator[Problem]:
    """Slots whose value is a word of an enumeration: people would read `next_cycle`."""
    for slot in () if said.template.plain is not None else said.template.slots:
        kind = _RAW.get(slot.name) or parts.scopes.facts(port=True).get(slot.name)
        worded = slot.name in parts.facts and isinstance(parts.facts[slot.name].part.values, dict)
        if kind is not None and kind.type.kind == "enum" and not worded:
            message = f"`{slot.name}` shows as a word of the data, such as {shown(kind.type.values[0])}"
            yield Problem(said.place, "raw-word", message, "write one text for each word, or leave it out", "warning")


_RAW = {name: Ref(name, Type("enum", values=(word,))) for name, word in (("tariff.kind", "plan"), ("tariff.effective", "next_cycle"))}
"""What a text may name of a tariff that is a word of the data."""


def _tongue(language: Language) -> str:
    return "Chinese" if language == "zh" else "English"


def _form(said: Said) -> Iterator[Problem]:
    """Punctuation and what was left to be written."""
    left = _placeholder.search(said.text)
    if left:
        yield Problem(said.place, "placeholder-text", f"{shown(left[0])} stands where words are to be written", "write the text")
    if said.language == "zh":
        if said.key in _internal or not _some_han.search(said.text):
            return  # a law is quoted as it counts its paragraphs
        for pattern, what, hint in (
            (_half_width, "half-width", "write ，。；：？！（）“” in Chinese"),
            (_spaced, "a space between Chinese characters, as in", "take the space out"),
        ):
            yield from _punctuation(said, pattern, what, hint)
    else:
        yield from _punctuation(said, _full_width, "full-width", "write , . ; : ? ! ( ) in English")
    yield from _punctuation(said, _wide_figures, "full-width", "write figures and letters in their usual width")


def _punctuation(said: Said, pattern: re.Pattern[str], what: str, hint: str) -> Iterator[Problem]:
    found = pattern.search(said.text)
    if found:
        near = said.text[max(found.start() - 6, 0) : found.end() + 6].replace(SLOT, "…")
        yield Problem(said.place, "punctuation", f"{what} {shown(found[0])} in {shown(near)}", hint, "warning")


def _claims(said: Said, own: frozenset[str]) -> Iterator[Problem]:
    if said.key in _internal:
        return
    for code, words in claims(said.text, said.language, own):
        yield Problem(said.place, code, f"{_SAYS[code]} {shown(words)}", HINTS[code])


_SAYS = {
    "absolute-claim": "an absolute claim:",
    "urgency": "made-up urgency:",
    "rival-named": "another operator is named:",
    "insult": "an insult:",
    "asks-for-code": "a code or password is asked for:",
}


def _channel(parts: Parts, said: Said) -> Iterator[Problem]:
    """What the rules of a channel demand."""
    if said.channel == "robot" and not _machine[said.language].search(said.text[: _beginning[said.language]]):
        hint = "begin as in “This is an automatic assistant.”" if said.language == "en" else "开头说明身份，如“您好，我是智能客服。”"
        yield Problem(said.place, "robot-unsaid", "the robot does not say at the start that it is a machine", hint)
    if said.channel == "sms_marketing":
        yield from _marketing(said)
    if said.channel in SMS:
        length = _length(parts, said)
        if length > LONGEST_SMS[said.language]:
            message = f"the message may take {length} characters, more than {LONGEST_SMS[said.language]}"
            yield Problem(said.place, "text-too-long", message, "say one thing, and where the rest stands", "warning")


def _marketing(said: Said) -> Iterator[Problem]:
    zh = said.language == "zh"
    if not _sender[said.language].search(said.text):
        hint = "begin with the name in 【】" if zh else "begin with the name in 【】, or with the name and a colon"
        yield Problem(said.place, "sms-sender", "a marketing message does not begin with its sender", hint)
    if not _way_out[said.language].search(said.text):
        hint = "end with “拒收请回复R”" if zh else "end with “To stop marketing, reply STOP.”"
        yield Problem(said.place, "sms-way-out", "a marketing message does not say how to receive no more", hint)
    if said.action is not None and said.action.tariff is not None and not _cancel[said.language].search(said.text):
        hint = "name the way, as in “可在App取消”" if zh else "name the way, as in “Cancel in the app.”"
        yield Problem(said.place, "sms-cancel", "a marketing message does not say how to cancel what it offers", hint)


def _length(parts: Parts, said: Said) -> int:
    """Characters, slots counted at a generous width."""
    total = len(said.text) - said.text.count(SLOT)
    for slot in said.template.slots:
        if slot.name not in parts.scopes.parameters:
            total += _width(parts, said, slot)
    return total


def _width(parts: Parts, said: Said, slot: Slot) -> int:
    tariff = parts.tariffs.get(str(said.action.tariff)) if said.action is not None else None
    given = {"tariff.name": "name", "tariff.filing_no": "filing_no"}.get(slot.name)
    if tariff is not None and given is not None:
        value = getattr(tariff.part, given)
        return len(value if isinstance(value, str) else getattr(value, said.language))
    if given == "name":
        return max((len(getattr(item.part.name, said.language)) for item in parts.tariffs.values()), default=0)
    return _widths[slot.format][said.language == "zh"]
