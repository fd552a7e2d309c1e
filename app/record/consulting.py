"""Explaining and proving a decision on record: what the API and the command line both ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.answer import Explanation
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.pack import Pack, parts_of
from app.engine.pack.limits import protected_facts
from app.engine.texts import Language
from app.record import log
from app.record.counterfactuals import (
    Compared,
    MinimalChange,
    ProtectedInfluence,
    compared,
    minimal_changes,
    protected_influence,
)
from app.record.log import Inclusion
from app.record.pack_steps import PackContent
from app.record.tables import EntryRow

LOCALES: Mapping[Language, str] = {"zh": "zh-CN", "en": "en"}


class Shelves(Protocol):
    """Where packs are found by digest, compiled and as their files."""

    def get(self, digest: str) -> Pack:
        """The pack with this digest."""
        ...

    def content(self, digest: str) -> PackContent:
        """Its files."""
        ...


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision in words, and what if."""

    explanation: Explanation
    order: Sequence[Compared]
    minimal_changes: Sequence[MinimalChange]
    protected: ProtectedInfluence


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's envelope as its leaf covers it, and the proof; none while it waits to be sealed."""

    envelope: bytes
    inclusion: Inclusion | None


def explained(packs: Shelves, digest: str, case: Case, language: Language) -> Explained:
    """Everything there is to say about a decision, worked out again with the pack that made it.

    Args:
        packs: every pack ever used.
        digest: of the pack that decided.
        case: what it decided about.
        language: of the words.

    Raises:
        PackError, UnknownPack, DamagedPack: the pack cannot be used.
    """
    pack = packs.get(digest)
    case = replace(case, locale=LOCALES[language])
    decision = decide(pack, case)
    influence = protected_influence(pack, case, decision)
    if influence.influence:
        influence = replace(influence, allowed_by=_allowed(packs, digest, language))
    return Explained(explain(pack, case, decision, "full"), compared(pack, decision), minimal_changes(pack, case, decision), influence)


def proof_of(connection: Connection, entry_id: str) -> Proof | None:
    """The proof that an entry is in the log; none where there is no such entry."""
    envelope = connection.execute(select(col(EntryRow.envelope)).where(col(EntryRow.id) == entry_id)).scalar_one_or_none()
    return None if envelope is None else Proof(bytes(envelope), log.inclusion(connection, entry_id))


def _allowed(packs: Shelves, digest: str, language: Language) -> tuple[Mapping[str, str], ...]:
    return _allowances(_Files(digest, packs), language)


@dataclass(frozen=True)
class _Files:
    """The files of a pack, remembered by its digest."""

    digest: str
    packs: Shelves

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Files) and self.digest == other.digest


@lru_cache(maxsize=8)
def _allowances(files: _Files, language: Language) -> tuple[Mapping[str, str], ...]:
    """Actions of a pack that state why they may look at protected facts: a legal basis, or a pilot; and which they look at."""
    parts = parts_of(files.packs.content(files.digest).files)
    pack = files.packs.get(files.digest)
    guarded = protected_facts(parts)
    found = []
    for name, item in parts.actions.items():
        facts = sorted({base for clause in pack.by_id[name].gates for base in clause.bases} & guarded)
        part = item.part
        if facts and part.legal_basis is not None:
            found.append({"action": name, "by": "legal_basis", "facts": ", ".join(facts), "because": getattr(part.legal_basis, language)})
        if facts and part.pilot is not None:
            because = f"{getattr(part.pilot.why, language)} ({part.pilot.until})"
            found.append({"action": name, "by": "pilot", "facts": ", ".join(facts), "because": because})
    return tuple(found)
