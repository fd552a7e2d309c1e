"""What limits over everybody made of a campaign: beside its decisions, on the record, and never part of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.campaigns.files import HELD_SCHEMA, held_name_of, name_of, read_columns
from app.record.campaigns.ids import is_row, place_of
from app.record.campaigns.model import HELD, Chunk, HeldEntry
from app.record.campaigns.within import WithinLimits
from app.record.damage import DamagedEntry
from app.record.store.database import blob, chunks_of
from app.record.store.tables import CampaignHeldRow, EntryRow

_KEY = ("row", "rank", "action")


def held_of(connection: Connection, decision_id: str) -> list[WithinLimits] | None:
    """What limits made of the list of a campaign's decision, by rank; none where there were none, or what they made was archived.

    Args:
        connection: a reading transaction.
        decision_id: any id.

    Raises:
        DamagedEntry: the file is missing, or is not what was recorded.
    """
    if not is_row(decision_id):
        return None
    place = place_of(decision_id)
    columns = (col(CampaignHeldRow.campaign), col(CampaignHeldRow.entry_id))
    row = connection.execute(
        select(*columns).where(col(CampaignHeldRow.campaign) >= place.first, col(CampaignHeldRow.campaign) <= place.last).limit(1)
    ).first()
    found = None if row is None else held_entry(connection, row.campaign)
    if row is None or found is None:
        return None
    path = chunks_of(connection) / row.campaign / held_name_of(found.file)
    rows = read_columns(path, found.file, list(HELD_SCHEMA), [place.row], HELD_SCHEMA)
    return [WithinLimits(*told) for told in rows.sort("rank").drop("row").iter_rows()]


def held_entry(connection: Connection, campaign: str) -> HeldEntry | None:
    """What the entry about a campaign's limits says; none where there is none.

    Raises:
        DamagedEntry: there is another entry in its place.
    """
    query = select(col(EntryRow.id), col(EntryRow.kind), col(EntryRow.envelope)).join(
        CampaignHeldRow, col(CampaignHeldRow.entry_id) == col(EntryRow.id)
    )
    row = connection.execute(query.where(col(CampaignHeldRow.campaign) == campaign)).first()
    if row is None:
        return None
    body = orjson.loads(blob(row.envelope))["body"]
    if row.kind != HELD or body.get("job") != campaign or not isinstance(body.get("file"), str):
        raise DamagedEntry(f"the entry {row.id} is not that of the limits of the campaign {campaign}")
    return HeldEntry(row.id, body["file"], body)


def held_files(connection: Connection, folder: Path) -> Iterator[Path]:
    """The files with what limits made of campaigns."""
    for campaign, file in connection.execute(select(col(CampaignHeldRow.campaign), col(CampaignHeldRow.file))):
        yield folder / campaign / held_name_of(file)


def held_entries_of(connection: Connection, campaigns: Sequence[str]) -> list[str]:
    """Ids of the entries about the limits of these campaigns."""
    query = select(col(CampaignHeldRow.entry_id)).where(col(CampaignHeldRow.campaign).in_(campaigns))
    return list(connection.execute(query).scalars())


def unlike_lists(rows: pl.DataFrame, folder: Path, chunks: Sequence[Chunk]) -> str | None:
    """Where rows of `HELD_SCHEMA` are not exactly the actions on the lists of a campaign's parts; none where they are.

    Args:
        rows: what limits made of the campaign.
        folder: of the campaign.
        chunks: all its parts.

    Raises:
        DamagedEntry: a part's file is missing, or is not what was recorded.
    """
    seen = 0
    for chunk in chunks:
        path = folder / name_of(chunk.number, chunk.file)
        wanted = _listed(read_columns(path, chunk.file, ["row", "actions"]))
        found = rows.filter(pl.col("row").is_between(chunk.first_row, chunk.last_row)).select(_KEY)
        if not found.sort("row", "rank").equals(wanted):
            row = _first_unlike(found, wanted)
            return f"row {row} has another list in part {chunk.number}"
        seen += found.height
    return None if seen == rows.height else f"{rows.height - seen} of its rows belong to no part"


def _listed(lists: pl.DataFrame) -> pl.DataFrame:
    """The actions on lists, a row each."""
    ranks = pl.int_ranges(1, pl.col("actions").list.len() + 1).alias("rank")
    told = lists.filter(pl.col("actions").list.len() > 0).select("row", ranks, action="actions").explode("rank", "action")
    return told.select(pl.col(name).cast(HELD_SCHEMA[name]) for name in _KEY).sort("row", "rank")


def _first_unlike(found: pl.DataFrame, wanted: pl.DataFrame) -> Any:
    odd = pl.concat([found.join(wanted, on=_KEY, how="anti"), wanted.join(found, on=_KEY, how="anti")])
    return odd["row"].min() if odd.height else found.filter(pl.struct(_KEY).is_duplicated())["row"].min()


def differing(found: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Where what an entry says, and what was worked out again, differ, by name."""
    return sorted(name for name in found.keys() | given.keys() if name != "trace" and found.get(name) != given.get(name))
