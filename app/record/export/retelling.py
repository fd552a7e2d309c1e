"""A decision on record, decided again by the pack that made it, so that it can be told in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.engine.answer import Explanation
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.pack import Pack
from app.engine.problems import PackError
from app.engine.texts import Language
from app.record.packs.library import DamagedPack
from app.record.packs.steps import UnknownPack
from app.record.reading.recorded import Recorded
from app.record.reading.replaying import Packs

_ERASED = {
    "en": "The person was erased: what was known of them cannot be read any more. What was decided is on record, as codes.",
    "zh": "该用户的个人信息已删除，当时掌握的具体信息无法再读取；决策结果以编码形式留存。",
}
_UNUSABLE = {
    "en": "The rules that decided cannot be run by this version; the record has their text.",
    "zh": "当时依据的规则包无法由现行版本运行；其原文已存证。",
}


class Untold(Exception):
    """The decision cannot be told in words; the message says why, in the language asked for."""


@dataclass(frozen=True, slots=True)
class Retold:
    """A decision with its words: of what, by what, and why."""

    case: Case
    pack: Pack
    explanation: Explanation


def retold(recorded: Recorded, packs: Packs, language: Language) -> Retold:
    """Decide again, and say why in the language.

    Raises:
        Untold: the person was erased, or the pack cannot be run any more.
    """
    if recorded.case is None:
        raise Untold(_ERASED[language])
    pack = pack_of(recorded.body["pack"], packs)
    if pack is None:
        raise Untold(_UNUSABLE[language])
    case = replace(recorded.case, locale="zh-CN" if language == "zh" else "en")
    return Retold(case, pack, explain(pack, case, decide(pack, case), "full"))


def pack_of(digest: str, packs: Packs) -> Pack | None:
    """A pack that decided; none where it cannot be run any more."""
    try:
        return packs.get(digest)
    except (PackError, UnknownPack, DamagedPack):
        return None
