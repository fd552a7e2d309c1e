"""Explaining and proving a decision on record: what the API and the command line both ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from sqlalchemy import Connection

from app.engine.answer import Explanation
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.pack import Pack, parts_of
from app.engine.pack.checking import Parts
from app.engine.pack.limits import protected_facts
from app.engine.texts import Language
from app.engine.tree import reads
from app.record.campaigns.ids import is_row
from app.record.campaigns.stored import StoredRow, stored_row
from app.record.log import tree
from app.record.log.tree import Inclusion
from app.record.packs.steps import PackContent
from app.record.reading.influence import ProtectedInfluence, protected_influence
from app.record.reading.minimal import MinimalChange, Untold, minimal_changes
from app.record.reading.ranking import Compared, compared
from app.record.reading.recorded import envelope_of

Allowance = tuple[str, str, Set[str], str]
"""A part of a pack, by what it may look at protected facts, at which, and in its own words why."""
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
    untold: Sequence[Untold]
    protected: ProtectedInfluence


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's envelope as its leaf covers it, and the proof; none while it waits to be sealed.

    Of a decision of a campaign the entry is that of its part, and `row` where it is in that.
    """

    envelope: bytes
    inclusion: Inclusion | None
    row: StoredRow | None = None


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
        influence = replace(influence, allowed_by=_allowed(packs, digest, language, influence))
    what_if = minimal_changes(pack, case, decision)
    return Explained(explain(pack, case, decision, "full"), compared(pack, decision), what_if.changes, what_if.untold, influence)


def proof_of(connection: Connection, entry_id: str) -> Proof | None:
    """The proof that an entry, or a decision of a campaign, is in the log; none where there is no such one.

    Raises:
        DamagedEntry: the file of a campaign is not what was recorded.
    """
    row = stored_row(connection, entry_id) if is_row(entry_id) else None
    covered = entry_id if row is None else row.chunk.entry_id
    envelope = envelope_of(connection, covered)
    return None if envelope is None else Proof(envelope, tree.inclusion(connection, covered), row)


def _allowed(packs: Shelves, digest: str, language: Language, influence: ProtectedInfluence) -> list[Mapping[str, str]]:
    """What the pack states as reasons to look at the facts that had influence."""
    facts = {item.fact for item in influence.influence}
    facts = set(influence.facts) if facts == {"all"} else facts
    return [reason for reason in _allowances(_Files(digest, packs), language) if facts & set(reason["facts"].split(", "))]


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
    """Where a pack may look at protected facts, which, and why it may."""
    parts, pack = parts_of(files.packs.content(files.digest).files), files.packs.get(files.digest)
    guarded = protected_facts(parts)
    found = [*_of_actions(parts, pack, guarded, language), *_of_policy(pack, guarded, language), *_of_tariffs(parts, guarded, language)]
    return tuple({"part": part, "by": by, "facts": ", ".join(sorted(facts)), "because": why} for part, by, facts, why in found if facts)


def _of_actions(parts: Parts, pack: Pack, guarded: frozenset[str], language: Language) -> Iterator[Allowance]:
    """Actions: by a legal basis, a pilot, or because they sell nothing and concede nothing."""
    for name, item in parts.actions.items():
        facts, part = {base for clause in pack.by_id[name].gates for base in clause.bases} & guarded, item.part
        if part.legal_basis is not None:
            yield name, "legal_basis", facts, getattr(part.legal_basis, language)
        elif part.pilot is not None:
            yield name, "pilot", facts, f"{getattr(part.pilot.why, language)} ({part.pilot.until})"
        elif part.kind != "offer" and not part.concedes:
            yield name, "no_offer", facts, getattr(part.title, language)


def _of_policy(pack: Pack, guarded: frozenset[str], language: Language) -> Iterator[Allowance]:
    """Contact policy and guardrails, which protect and see everything."""
    rules = {"contact": pack.contact_rules, "guardrail": pack.guardrail_rules}
    clauses = {(clause.gate, clause.name): clause for action in pack.actions for clause in (*action.contact, *action.guardrails)}
    for (gate, name), clause in clauses.items():
        rule = rules[gate][name]
        yield f"{gate}.{name}", gate, clause.bases & guarded, (rule.source or rule.title).say(language)


def _of_tariffs(parts: Parts, guarded: frozenset[str], language: Language) -> Iterator[Allowance]:
    """Tariffs: by their published condition, or where they are on sale."""
    for name, tariff in parts.tariffs.items():
        condition = set() if tariff.part.open_if is None else reads(parts.draft.tree(tariff, "open_if")) & guarded
        yield name, "published_condition", condition, getattr(tariff.part.name, language)
        if "all" not in tariff.part.regions:
            yield name, "region_on_sale", {"account.province"}, getattr(tariff.part.name, language)
