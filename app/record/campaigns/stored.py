"""Reading campaigns: how one stands, and any of its decisions by id, held against the leaf of its part."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import orjson
import polars as pl
from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.campaigns.files import name_of, read_columns
from app.record.campaigns.held import held_entry, held_files
from app.record.campaigns.ids import is_row, place_of
from app.record.campaigns.model import CHUNK, Chunk, Standing, State
from app.record.damage import DamagedEntry
from app.record.log import merkle
from app.record.search.indexing import asked
from app.record.store.database import blob, chunks_of
from app.record.store.tables import CampaignChunkRow, CampaignRow, EntryRow, LeafRow

_KEPT = 8
"""Parts of which the hashes of all leaves are kept in mind, a few megabytes each."""
_columns = (col(CampaignChunkRow.entry_id), col(CampaignChunkRow.campaign), col(CampaignChunkRow.number), col(CampaignChunkRow.file))
_READ = ["row", "subject", "envelope", "private"]


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A decision of a campaign, as it stands in the file of its part.

    Attributes:
        id: of the decision.
        subject: token of whom it is about.
        envelope: canonical JSON, codes only.
        private: what only the subject's key opens.
        chunk: its part.
        position: which leaf of the part it is, from 0.
        leaves: hashes of all leaves of the part.
    """

    id: str
    subject: str
    envelope: bytes
    private: bytes
    chunk: Chunk
    position: int
    leaves: Sequence[bytes]

    @property
    def path(self) -> list[bytes]:
        """The proof that its leaf is in the tree of its part (RFC 9162)."""
        levels = levels_of(self.leaves)
        return merkle.inclusion_proof(self.position, len(self.leaves), lambda level, index: levels[level][index])


class _Found(NamedTuple):
    """Where a decision is: its part, and the campaign's id."""

    chunk: Chunk
    campaign: str


def stored_row(connection: Connection, decision_id: str) -> StoredRow | None:
    """A decision of a campaign by its id; none where there is no such one, or its part was archived.

    Args:
        connection: a reading transaction.
        decision_id: any id.

    Raises:
        DamagedEntry: the file is missing, or is not what the leaf of the part says.
    """
    return stored_rows(connection, [decision_id]).get(decision_id)


def stored_rows(connection: Connection, decision_ids: Iterable[str]) -> dict[str, StoredRow]:
    """Those of these decisions that are campaigns', by id; each file is read once.

    Raises:
        DamagedEntry: as `stored_row`.
    """
    by_chunk: dict[str, tuple[_Found, dict[int, str]]] = {}
    for decision_id in decision_ids:
        found = _chunk_with(connection, decision_id) if is_row(decision_id) else None
        if found is not None:
            by_chunk.setdefault(found.chunk.entry_id, (found, {}))[1][place_of(decision_id).row] = decision_id
    rows: dict[str, StoredRow] = {}
    for found, wanted in by_chunk.values():
        rows |= _read(chunks_of(connection), found, wanted)
    return rows


def parts_with(connection: Connection, decision_ids: Iterable[str]) -> list[str]:
    """Ids of the entries of the parts that have these decisions of campaigns."""
    found = (_chunk_with(connection, decision_id) for decision_id in decision_ids)
    return list(dict.fromkeys(one.chunk.entry_id for one in found if one is not None))


def standing_campaign(connection: Connection, campaign: str) -> Standing | None:
    """A campaign by its id, as its entries tell it; none where there is no such one.

    Raises:
        DamagedEntry: its entries are not there.
    """
    row = connection.execute(select(col(CampaignRow.id), col(CampaignRow.state)).where(col(CampaignRow.id) == campaign)).first()
    if row is None:
        return None
    query = select(col(CampaignChunkRow.entry_id)).where(col(CampaignChunkRow.campaign) == campaign)
    ids = connection.execute(query.order_by(col(CampaignChunkRow.number))).scalars().all()
    envelopes = _envelopes(connection, [campaign, *ids])
    if not {campaign, *ids} <= envelopes.keys():
        raise DamagedEntry(f"entries of the campaign {campaign} are not there")
    opened = envelopes[campaign]
    chunks = tuple(Chunk.told(entry_id, envelopes[entry_id]["body"]) for entry_id in ids)
    at, held = datetime.datetime.fromisoformat(opened["at"]), held_entry(connection, campaign)
    return Standing(campaign, at, opened["body"], cast("State", row.state), chunks, held)


def decisions_in(connection: Connection, stretches: Iterable[tuple[int, int]]) -> int:
    """How many rows of campaigns have their parts between these leaves, both ends included."""
    size = func.coalesce(func.sum(col(CampaignChunkRow.last_row) - col(CampaignChunkRow.first_row) + 1), 0)
    query = select(size).join(LeafRow, col(LeafRow.entry_id) == col(CampaignChunkRow.entry_id))
    within = (query.where(col(LeafRow.leaf_index) >= first, col(LeafRow.leaf_index) <= last) for first, last in stretches)
    return sum(int(connection.execute(one).scalar_one()) for one in within)


def rows_about(connection: Connection, token: str) -> list[str]:
    """Ids of the decisions of campaigns about a subject, oldest first. Every file is looked through, a column of it.

    Raises:
        DamagedEntry: a file is missing, or malformed.
    """
    found: list[str] = []
    for _, path, file in _files(connection):
        found += read_columns(path, file, ["subject", "id"]).filter(pl.col("subject") == token)["id"].to_list()
    return sorted(found)


def parts_about(connection: Connection, tokens: Set[str]) -> list[str]:
    """Ids of the entries of the parts that have a decision about one of these subjects.

    Raises:
        DamagedEntry: as `rows_about`.
    """
    if not tokens:
        return []
    files = _files(connection)
    return [entry_id for entry_id, path, file in files if not tokens.isdisjoint(read_columns(path, file, ["subject"])["subject"])]


def campaigns_of(connection: Connection, parts: Iterable[str]) -> list[str]:
    """The campaigns that have these parts, by the ids of their entries."""
    found: set[str] = set()
    for some in asked([*parts]):
        found |= {*connection.execute(select(col(CampaignChunkRow.campaign)).where(col(CampaignChunkRow.entry_id).in_(some))).scalars()}
    return sorted(found)


def known_to_campaigns(connection: Connection, tokens: Set[str]) -> set[str]:
    """Those of these subjects about whom a campaign has a decision.

    Raises:
        DamagedEntry: as `rows_about`.
    """
    found: set[str] = set()
    for _, path, file in _files(connection) if tokens else ():
        found |= tokens & set(read_columns(path, file, ["subject"])["subject"])
    return found


def remove_unnamed(connection: Connection) -> None:
    """Remove the files of parts, and of limits, that were archived: of campaigns that are over, those that no row names."""
    over = connection.execute(select(col(CampaignRow.id)).where(col(CampaignRow.state) != "open")).scalars().all()
    named = {path for _, path, _ in _files(connection)} | {*held_files(connection, chunks_of(connection))}
    for campaign in over:
        for path in sorted((chunks_of(connection) / campaign).glob("*.parquet")):
            if path not in named:
                path.unlink()


def _files(connection: Connection) -> Iterator[tuple[str, Path, str]]:
    """The entry of every part, its file, and what the file's SHA-256 is to be."""
    for row in connection.execute(select(*_columns)):
        yield row.entry_id, chunks_of(connection) / row.campaign / name_of(row.number, row.file), row.file


def file_of(folder: Path, campaign: str, chunk: Chunk) -> Path:
    """Where the file of a part is.

    Args:
        folder: of all campaigns.
        campaign: the campaign's id.
        chunk: the part.
    """
    return folder / campaign / name_of(chunk.number, chunk.file)


def levels_of(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The roots of the full subtrees over leaves, by level."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([merkle.node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return levels


def _chunk_with(connection: Connection, decision_id: str) -> _Found | None:
    """The part that has a decision. A row finds it; its entry tells what it is."""
    place = place_of(decision_id)
    query = select(col(CampaignChunkRow.entry_id), col(CampaignChunkRow.campaign)).where(
        col(CampaignChunkRow.campaign) >= place.first,
        col(CampaignChunkRow.campaign) <= place.last,
        col(CampaignChunkRow.first_row) <= place.row,
        col(CampaignChunkRow.last_row) >= place.row,
    )
    row = connection.execute(query.limit(1)).first()
    if row is None:
        return None
    envelope = _envelopes(connection, [row.entry_id]).get(row.entry_id)
    if envelope is None:
        return None
    try:
        found = _Found(Chunk.told(row.entry_id, envelope["body"]), envelope["body"]["job"])
    except (KeyError, TypeError, AttributeError):
        raise DamagedEntry(f"the entry {row.entry_id} of a part of a campaign says something else") from None
    if envelope["kind"] != CHUNK or found.campaign != row.campaign:
        raise DamagedEntry(f"the entry {row.entry_id} is not that of a part of the campaign {row.campaign}")
    return found


def _read(folder: Path, found: _Found, wanted: Mapping[int, str]) -> dict[str, StoredRow]:
    """Rows of one file, each held against the root that the entry of the part names."""
    path, chunk = file_of(folder, found.campaign, found.chunk), found.chunk
    numbers, leaves = _leaves(path, chunk.file, chunk.root)
    rows: dict[str, StoredRow] = {}
    for number, subject, envelope, private in read_columns(path, chunk.file, _READ, list(wanted)).iter_rows():
        position = numbers.get(number)
        if position is None or merkle.leaf_hash(envelope) != leaves[position]:
            raise DamagedEntry(f"{path.name}: row {number} is not the one that was recorded")
        told = orjson.loads(envelope)
        if (told["id"], told.get("subject")) != (wanted[number], subject):
            raise DamagedEntry(f"{path.name}: row {number} says something else than its envelope")
        rows[told["id"]] = StoredRow(told["id"], subject, envelope, private, chunk, position, leaves)
    return rows


@lru_cache(maxsize=_KEPT)
def _leaves(path: Path, file: str, root: str) -> tuple[Mapping[int, int], Sequence[bytes]]:
    """The places of a part's rows, and the hashes of their leaves, which lead to the root (hexadecimal) that its entry names."""
    frame: pl.DataFrame = read_columns(path, file, ["row", "leaf"])
    leaves: list[bytes] = frame["leaf"].to_list()
    if not all(type(leaf) is bytes for leaf in leaves) or merkle.root_of(leaves).hex() != root:
        raise DamagedEntry(f"{path.name}: the rows are not those that were recorded")
    return {row: position for position, row in enumerate(frame["row"])}, leaves


def _envelopes(connection: Connection, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for part in asked(ids):
        rows = connection.execute(select(col(EntryRow.id), col(EntryRow.envelope)).where(col(EntryRow.id).in_(part)))
        found |= {row.id: orjson.loads(blob(row.envelope)) for row in rows}
    return found
