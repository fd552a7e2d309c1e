"""What agents did with the recommendation: how often they took the first, another, or said nothing. From the search index alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import orjson
from sqlalchemy import Connection, Select, func, select
from sqlmodel import col

from app.engine.decision import EmptyBecause
from app.engine.vocabulary import Outcome
from app.record.search.indexing import below, indexed, unpacked
from app.record.search.terms import term
from app.record.store.tables import DailyCountRow, SearchBlockRow, SearchSpanRow


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """One agent's decisions.

    Attributes:
        agent: code; `-` where none was given.
        decisions: made for the agent, with something on the list. Whole blocks of the log are counted, so that the first and last day
            may bring some of their neighbours.
        unanswered: of these, those of which nobody ever told an outcome.
        told: actions of which the agent told, once each.
        first: of these, those that were first on the list.
        other: those that were not.
        override_rate: `other` / `told`; none where nothing was told.
    """

    agent: str
    decisions: int
    unanswered: int
    told: int
    first: int
    other: int
    override_rate: float | None


def agent_figures(connection: Connection, since: str, until: str, pack: str | None = None) -> list[AgentFigures]:
    """By agent, most decisions first.

    Args:
        connection: one reading transaction.
        since: first day.
        until: last day.
        pack: digest; none takes all.
    """
    first, other = _told(connection, since, until, pack)
    decisions, unanswered = _counted(connection, _blocks(connection, since, until), pack)
    found = []
    for agent in sorted(first.keys() | other.keys() | decisions.keys(), key=lambda name: (-decisions[name], name)):
        told = first[agent] + other[agent]
        rate = other[agent] / told if told else None
        found.append(AgentFigures(agent, decisions[agent], unanswered[agent], told, first[agent], other[agent], rate))
    return found


def _told(connection: Connection, since: str, until: str, pack: str | None) -> tuple[Counter[str], Counter[str]]:
    query = select(col(DailyCountRow.grouped), col(DailyCountRow.number)).where(
        col(DailyCountRow.measure) == "told", col(DailyCountRow.day) >= since, col(DailyCountRow.day) <= until
    )
    first: Counter[str] = Counter()
    other: Counter[str] = Counter()
    for row in connection.execute(query if pack is None else query.where(col(DailyCountRow.pack) == pack)):
        grouped = orjson.loads(row.grouped)
        (first if grouped["first"] in (True, "true") else other)[grouped["agent"]] += row.number
    return first, other


def _blocks(connection: Connection, since: str, until: str) -> tuple[int, int] | None:
    """The first and last block with entries of these days."""
    first, last = func.min(col(SearchSpanRow.block)), func.max(col(SearchSpanRow.block))
    query = select(first, last).where(col(SearchSpanRow.last_at) >= since, col(SearchSpanRow.first_at) <= f"{until}T24")
    found: Sequence[int | None] = connection.execute(query).one()
    return None if found[0] is None or found[1] is None else (found[0], found[1])


def _counted(connection: Connection, blocks: tuple[int, int] | None, pack: str | None) -> tuple[Counter[str], Counter[str]]:
    """Decisions with something on the list by agent, and those of them that nobody told an outcome of."""
    decisions: Counter[str] = Counter()
    unanswered: Counter[str] = Counter()
    if blocks is None:
        return decisions, unanswered
    listed = _joined(connection, blocks, [term("kind", "decision")])
    empty = _joined(connection, blocks, [term("empty", cause) for cause in get_args(EmptyBecause)])
    answered = _joined(connection, blocks, [term("outcome", outcome) for outcome in get_args(Outcome)])
    of_pack = None if pack is None else _joined(connection, blocks, [term("pack", pack)])
    end = indexed(connection)
    for name, block, own in _agents(connection, blocks):
        relevant = own & below(end, block) & listed.get(block, 0) & ~empty.get(block, 0)
        if of_pack is not None:
            relevant &= of_pack.get(block, 0)
        decisions[name] += relevant.bit_count()
        unanswered[name] += (relevant & ~answered.get(block, 0)).bit_count()
    return +decisions, +unanswered


def _joined(connection: Connection, blocks: tuple[int, int], terms: Sequence[str]) -> dict[int, int]:
    """By block, the leaves with any of the terms."""
    found: dict[int, int] = {}
    query = _index(blocks).where(col(SearchBlockRow.term).in_(terms))
    for row in connection.execute(query):
        found[row.block] = found.get(row.block, 0) | unpacked(bytes(row.bits))
    return found


def _agents(connection: Connection, blocks: tuple[int, int]) -> Iterator[tuple[str, int, int]]:
    """Agents, blocks, and the leaves there that are theirs. Terms sort by their characters."""
    query = _index(blocks).where(col(SearchBlockRow.term) >= "agent=", col(SearchBlockRow.term) < "agent>")
    for row in connection.execute(query):
        yield row.term.removeprefix("agent="), row.block, unpacked(bytes(row.bits))


def _index(blocks: tuple[int, int]) -> Select[str, int, bytes]:
    first, last = blocks
    query = select(col(SearchBlockRow.term), col(SearchBlockRow.block), col(SearchBlockRow.bits))
    return query.where(col(SearchBlockRow.block) >= first, col(SearchBlockRow.block) <= last)
