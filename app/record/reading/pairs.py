"""Pairs of decisions in the same conditions with different prices: what a reviewer looks through for price by person.

*The same conditions* is meant narrowly: the same pack, channel, moment, reason, day, asker and answers, and the same facts, all of them,
but for who it is. Left out of the comparison are the subscriber's id, protected facts, the language, and times of day; of a pair it is
said in which of these the two differ, for one of them is then the reason. *Different prices*: other tariffs or other concessions on the
list.

Nothing found means that no such pair is among the decisions looked through. It does not mean that nobody is treated worse in conditions
that differ a little; the figures by group say more about that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy import Connection

from app.engine.decide import decide
from app.engine.decision import Ranked
from app.engine.pack.model import Pack
from app.engine.problems import PackError
from app.engine.vocabulary import FACTS, SubscriberContext
from app.record.canonical import NotCanonical, canonical
from app.record.damage import DamagedEntry
from app.record.keys import Keys
from app.record.packs.library import DamagedPack
from app.record.packs.steps import UnknownPack
from app.record.reading.recorded import Recorded, read_decision
from app.record.reading.replaying import Packs
from app.record.search.finding import found_ids
from app.record.search.query import Query

MOST_LOOKED_AT = 5_000
MOST_PAIRS = 100
_PROTECTED = tuple(name.split(".") for name, fact in FACTS.items() if fact.protected)


@dataclass(frozen=True, slots=True)
class Priced:
    """One of a pair: its list with the price of each action. `fee` and `concession` in the smallest unit of the currency."""

    id: str
    subject: str | None
    at: str
    currency: str
    prices: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two decisions in the same conditions with different prices. `differ_in`: what differs of what was left out of the comparison."""

    one: Priced
    other: Priced
    differ_in: Sequence[str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """What was found.

    Attributes:
        examined: decisions whose case was compared.
        unreadable: those that could not be: erased, damaged, or of a pack that this engine refuses.
        alike: groups of two or more decisions, about different subscribers, in the same conditions.
        pairs: those with different prices, at most 100.
        complete: were all decisions of the search examined?
    """

    examined: int
    unreadable: int
    alike: int
    pairs: Sequence[Pair]
    complete: bool


def unequal_pairs(connection: Connection, keys: Keys, packs: Packs, query: Query, most: int = MOST_LOOKED_AT) -> Pairs:
    """Look through the newest decisions that a query finds.

    Args:
        connection: one reading transaction.
        keys: of the record.
        packs: every pack ever used.
        query: which decisions.
        most: how many of them.
    """
    ids = found_ids(connection, Query({**query.terms, "kind": ("decision",)}, query.subject, query.since, query.until), most + 1)
    groups: dict[bytes, list[str]] = {}
    examined = 0
    for entry_id in ids[:most]:
        found = _read(connection, keys, entry_id)
        key = None if found is None else conditions(found)
        if key is not None:
            examined += 1
            groups.setdefault(key, []).append(entry_id)
    alike = [members for members in groups.values() if len(members) > 1]
    pairs: list[Pair] = []
    groups_of_people = 0
    for members in alike:
        found_here = _different(connection, keys, packs, members)
        groups_of_people += found_here is not None
        pairs += found_here or ()
    return Pairs(examined, len(ids[:most]) - examined, groups_of_people, pairs[:MOST_PAIRS], len(ids) <= most and len(pairs) <= MOST_PAIRS)


def conditions(recorded: Recorded) -> bytes | None:
    """What tells apart the conditions of decisions; none where they cannot be read."""
    if recorded.private is None or "case" not in recorded.private:
        return None
    case: dict[str, Any] = recorded.private["case"]
    written = _in_one_spelling(case["subscriber"])
    subscriber = {name: _facts(name, part) for name, part in written.items() if name != "id"}
    told = {name: value for name, value in case.items() if name not in ("subscriber", "times", "locale")}
    same = {**told, "subscriber": subscriber, "today": case["times"]["today"], "pack": recorded.body["pack"]}
    try:
        return hashlib.sha256(canonical(same)).digest()
    except NotCanonical:
        return None


def _in_one_spelling(subscriber: Any) -> dict[str, Any]:
    """A recorded subscriber as JSON values, whatever a caller's JSON made of the same ones."""
    return SubscriberContext.model_validate(subscriber).model_dump(mode="json", exclude_unset=True)


def _facts(section: str, part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    left_out = {fact for name, fact in _PROTECTED if name == section} | {"as_of"}
    return {name: value for name, value in part.items() if name not in left_out}


def _read(connection: Connection, keys: Keys, entry_id: str) -> Recorded | None:
    try:
        return read_decision(connection, keys, entry_id)
    except DamagedEntry:
        return None


def _different(connection: Connection, keys: Keys, packs: Packs, members: Sequence[str]) -> list[Pair] | None:
    """The pairs among decisions in the same conditions, one for each two price lists; none where all are about one subscriber."""
    read = [found for entry_id in members if (found := _read(connection, keys, entry_id)) is not None]
    if len({found.subject for found in read}) < 2:
        return None
    by_price: dict[bytes, tuple[Recorded, Priced]] = {}
    for found in read:
        priced = _priced(packs, found)
        if priced is not None:
            by_price.setdefault(canonical(priced.prices), (found, priced))
    return [Pair(one[1], other[1], list(_left_out(one[0], other[0]))) for one, other in combinations(by_price.values(), 2)]


def _priced(packs: Packs, recorded: Recorded) -> Priced | None:
    case = recorded.case
    try:
        pack = packs.get(recorded.body["pack"])
    except (PackError, UnknownPack, DamagedPack):
        return None
    ranked = decide(pack, case).ranked if case is not None else ()
    prices = [_price(pack, item) for item in ranked if item.tariff or item.concession]
    return Priced(recorded.id, recorded.subject, recorded.envelope["at"], pack.currency, prices)


def _price(pack: Pack, item: Ranked) -> dict[str, Any]:
    """What an action would cost: the tariff with its monthly fee, and what is conceded."""
    tariff = None if item.tariff is None else pack.tariffs.get(item.tariff)
    return {"action": item.action, "tariff": item.tariff, "fee": tariff and tariff.fee, "concession": item.concession}


def _left_out(one: Recorded, other: Recorded) -> Iterator[str]:
    """What differs of what the comparison leaves out."""
    first, second = (item.private["case"] if item.private else {} for item in (one, other))
    if first["subscriber"]["id"] != second["subscriber"]["id"]:
        yield "subscriber.id"
    for section, fact in _PROTECTED:
        values = [(case["subscriber"].get(section) or {}).get(fact) for case in (first, second)]
        if values[0] != values[1]:
            yield f"{section}.{fact}"
    if first["times"] != second["times"]:
        yield "times"
    if first["locale"] != second["locale"]:
        yield "locale"
