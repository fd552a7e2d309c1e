"""The answer file for one complaint: a bundle with the decisions, what followed them, and what they mean in words, for a regulator."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
from sqlalchemy import Connection

from app.engine.texts import Language, language_of
from app.record.export.access import words_of
from app.record.export.exporting import Exported, NothingSealed, Wanted, export
from app.record.keys import Keys
from app.record.log import tree
from app.record.log.stretches import about_decisions, of_entries
from app.record.reading.dossier import dossier, outcomes_of
from app.record.reading.recorded import Recorded, read_decision
from app.record.reading.replaying import Packs

MOST_DECISIONS = 100
_TITLES = {
    "en": ("Decisions and what they rest on", "Decision {id}", "Leaf {leaf} of the log {log}; pack {pack}", "Afterwards", "not sealed yet"),
    "zh": ("决策及其依据", "决策 {id}", "日志 {log} 第 {leaf} 条；规则包 {pack}", "后续", "尚未封存"),
}


class NoSuchDecision(LookupError):
    """The record has no decision of this id."""


def answer_complaint(
    connection: Connection, keys: Keys, packs: Packs, decision_ids: Sequence[str], out: Path, now: datetime.datetime, locale: str = "zh-CN"
) -> Exported:
    """Write the answer file: a bundle whose `answer.md` tells the decisions in words and whose `dossiers/` have all there is to each.

    The decisions before them in the same conversations go in too. Private payloads of their subjects are opened.

    Args:
        connection: a transaction that sees one state of the record.
        keys: of the record.
        packs: every pack ever used.
        decision_ids: what the complaint is about.
        out: a folder, or a file whose name ends in `.zip`.
        now: the time.
        locale: language of the words, `zh-CN` or `en`.

    Raises:
        NoSuchDecision: there is no decision of one of the ids.
        NothingSealed: they wait to be sealed.
        BundleProblem: there is something at this place already.
    """
    language = language_of(locale)
    decisions = list(_with_parents(connection, keys, decision_ids))
    newest = tree.checkpoint(connection)
    stretches = of_entries(connection, newest.size if newest else 0, about_decisions(connection, [found.id for found in decisions]))
    if not stretches:
        raise NothingSealed("the decisions wait to be sealed; try again in a second")
    added = {"answer.md": _page(connection, keys, packs, decisions, locale, language).encode()}
    for found in decisions:
        told = orjson.dumps(dossier(connection, found, packs, language), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        added[f"dossiers/{found.id}.json"] = told
    opened = {found.subject for found in decisions if found.subject is not None}
    return export(connection, keys, Wanted(stretches, opened, {"decisions": list(decision_ids)}, added=added), out, now)


def subjects_of_decisions(connection: Connection, keys: Keys, decision_ids: Sequence[str]) -> dict[str, str | None]:
    """The token of whom each decision is about.

    Raises:
        NoSuchDecision: there is no decision of one of the ids.
    """
    return {found.id: found.subject for found in _with_parents(connection, keys, decision_ids)}


def _with_parents(connection: Connection, keys: Keys, decision_ids: Sequence[str]) -> Iterator[Recorded]:
    seen: dict[str, Recorded] = {}
    waiting = list(decision_ids)
    while waiting and len(seen) < MOST_DECISIONS:
        decision_id = waiting.pop(0)
        if decision_id in seen:
            continue
        found = read_decision(connection, keys, decision_id)
        if found is None:
            raise NoSuchDecision(f"the record has no decision `{decision_id}`")
        seen[decision_id] = found
        waiting += [found.body["parent"]] if found.body.get("parent") else []
    return iter(sorted(seen.values(), key=lambda found: found.id))


def _page(connection: Connection, keys: Keys, packs: Packs, decisions: Sequence[Recorded], locale: str, language: Language) -> str:
    title, each, place, after, unsealed = _TITLES[language]
    lines = [f"# {title}", ""]
    for found in decisions:
        words, why = words_of(found, packs, locale)
        leaf = unsealed if found.leaf is None else str(found.leaf.index)
        lines += [f"## {each.format(id=found.id)}", "", place.format(leaf=leaf, log=keys.origin, pack=found.body["pack"]), ""]
        lines += [line for word in (words or [why or ""]) for line in (word, "")]
        outcomes = [f"- {item.at}: {item.action}: {item.outcome}" for item in outcomes_of(connection, found.id)]
        lines += [f"### {after}", "", *outcomes, ""] if outcomes else []
    return "\n".join(lines)
