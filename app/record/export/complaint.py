"""The answer file for one complaint: a bundle with the decisions, what followed them, and what they mean in words, for a regulator."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection

from app.engine.pack import Pack
from app.engine.texts import Language, language_of
from app.record.campaigns.ids import is_row
from app.record.export.exporting import Exported, NothingSealed, Wanted, export
from app.record.export.letter import Chapter, letter
from app.record.export.retelling import Retold, Untold, pack_of, retold
from app.record.keys import Keys
from app.record.log import tree
from app.record.log.stretches import about_decisions, of_entries
from app.record.reading.dossier import Dossier, dossier
from app.record.reading.recorded import Recorded, read_decision
from app.record.reading.replaying import Packs

MOST_DECISIONS = 100


class NoSuchDecision(LookupError):
    """The record has no decision of this id."""


class SeveralPersons(ValueError):
    """The decisions are about several persons; what is told to one is nothing for another."""


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
        SeveralPersons: they are not all about one person.
        NothingSealed: they wait to be sealed.
        BundleProblem: there is something at this place already.
    """
    language = language_of(locale)
    decisions = list(_with_parents(connection, keys, decision_ids))
    _check_one_person(decisions)
    newest = tree.checkpoint(connection)
    chapters = [_chapter(connection, keys, found, packs, language) for found in decisions]
    told = [outcome.entry_id for chapter in chapters for outcome in chapter.made.outcomes]
    ids = [found.id for found in decisions]
    stretches = of_entries(connection, newest.size if newest else 0, [*about_decisions(connection, ids), *told])
    if not stretches:
        raise NothingSealed("the decisions wait to be sealed; try again in a second")
    added = {"answer.md": letter(chapters, keys.origin, now, language).encode()}
    for chapter in chapters:
        made = orjson.dumps(chapter.made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        added[f"dossiers/{chapter.made.id}.json"] = made
    opened = {found.subject for found in decisions if found.subject is not None}
    rows = [entry_id for entry_id in ids if is_row(entry_id)]
    return export(connection, keys, Wanted(stretches, opened, {"decisions": list(decision_ids)}, added=added, rows=rows), out, now)


def subjects_of_decisions(connection: Connection, keys: Keys, decision_ids: Sequence[str]) -> dict[str, str | None]:
    """The token of whom each decision is about.

    Raises:
        NoSuchDecision: there is no decision of one of the ids.
        SeveralPersons: they are not all about one person.
    """
    decisions = list(_with_parents(connection, keys, decision_ids))
    _check_one_person(decisions)
    return {found.id: found.subject for found in decisions}


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


def _check_one_person(decisions: Sequence[Recorded]) -> None:
    """One letter is about one person, erased or not."""
    count = len({found.subject for found in decisions})
    if count > 1:
        raise SeveralPersons(f"these decisions are about {count} persons; write one answer for each")


def _chapter(connection: Connection, keys: Keys, found: Recorded, packs: Packs, language: Language) -> Chapter:
    made, pack = dossier(connection, keys, found, packs, language), pack_of(found.body["pack"], packs)
    try:
        told: Retold | str = retold(found, packs, language)
    except Untold as error:
        told = str(error)
    return Chapter(made, told, pack, _offset(made, found, pack))


def _offset(made: Dossier, found: Recorded, pack: Pack | None) -> int:
    """Minutes that the contact's zone is ahead of UTC; of somebody who was erased, the zone of the pack."""
    if found.case is not None:
        return found.case.times.offset
    zone = ZoneInfo(pack.zone) if pack is not None else datetime.UTC
    ahead = datetime.datetime.fromisoformat(made.at).astimezone(zone).utcoffset() or datetime.timedelta()
    return ahead // datetime.timedelta(minutes=1)
