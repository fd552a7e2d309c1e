"""Searching finds rows of campaigns beside decisions that were asked for alone, page by page, and a person's own list has both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from app.record.campaigns import searching
from app.record.campaigns.campaign import Campaign
from app.record.keys import Keys
from app.record.reading.many import page_about
from app.record.reading.recorded import token_of
from app.record.search.cursors import BadCursor
from app.record.search.filters import BadFilters, query_of
from app.record.search.finding import Hit, Page, search
from app.record.search.query import Query
from app.record.search.terms import sought, terms_of
from app.record.store.database import Database
from tests.campaigns import people, run, some_row
from tests.pipeline import shipped
from tests.records import Written, written

pytestmark = pytest.mark.unit

DECISIONS = {"kind": ("decision",)}


@pytest.fixture
def record(database: Database, keys: Keys) -> Iterator[Written]:
    with written(database, keys) as made:
        yield made


@pytest.fixture
def campaigns(record: Written) -> list[Campaign]:
    """Two campaigns, each in two parts, about the same people; between them decisions about some of these, and after the last one too."""
    record.decide(people()[2])
    record.clock.ahead(minutes=1)
    made = [run(record)[0]]
    record.clock.ahead(minutes=1)
    record.decide(people()[2])
    record.decide(people()[4])
    record.clock.ahead(minutes=1)
    made.append(run(record, (6, 4), name="summer")[0])
    record.clock.ahead(minutes=1)
    record.decide(people()[2])
    record.seal()
    return made


def page(record: Written, query: Query, limit: int = 200, cursor: str | None = None) -> Page:
    with record.database.reading() as connection:
        return search(connection, query, limit=limit, cursor=cursor)


def everything(record: Written, query: Query, limit: int = 200) -> list[Hit]:
    """All pages, one after the other."""
    found, cursor = list[Hit](), None
    for _ in range(100):
        made = page(record, query, limit, cursor)
        found += made.hits
        cursor = made.cursor
        if cursor is None:
            return found
    raise AssertionError("the pages do not end")


def _token(record: Written, connection: Connection, subscriber: str) -> str:
    return token_of(connection, record.keys, subscriber) or ""


def _paged(connection: Connection, token: str, most: int) -> list[str]:
    """All pages of a person's own list."""
    found, before = list[str](), None
    for _ in range(30):
        made = page_about(connection, token, before=before, most=most)
        assert len(made.ids) <= most
        found, before = found + made.ids, made.next
        if before is None:
            return found
    raise AssertionError("the pages do not end")


def terms(hit: Hit) -> set[str]:
    assert hit.envelope is not None
    return set(terms_of(hit.envelope))


def test_every_filter_finds_rows_of_campaigns(record: Written, campaigns: list[Campaign]) -> None:
    """Those, and no others, whose envelopes say so: alone, and with the name of the campaign; of one part the highest row first."""
    whole = everything(record, Query(DECISIONS))
    assert [hit.leaf for hit in whole] == sorted((hit.leaf for hit in whole), reverse=True)
    rows = [hit.envelope["row"] for hit in whole if hit.envelope and hit.envelope.get("campaign") == campaigns[1].id]
    assert rows == [10, 9, 7, *reversed([1, 3, 4, 5, 6])]
    assert len(whole) == 4 + 10 + 8
    every = sorted(set.union(*map(terms, whole)))
    names = {item.partition("=")[0] for item in every}
    assert names >= {"phase", "stage", "moment", "signal", "offered", "suppressed", "clause", "channel", "pack", "caller", "campaign"}
    for item in every:
        name, _, value = item.partition("=")
        if name == "kind":
            continue
        for more in ({}, {"campaign": ("summer",)}):
            found = page(record, Query({**DECISIONS, name: (value,), **more})).hits
            wanted = [hit for hit in whole if terms(hit) & set(sought(name, value)) and (not more or "campaign=summer" in terms(hit))]
            if name in more and value != "summer":
                continue
            assert [hit.entry_id for hit in found] == [hit.entry_id for hit in wanted], (item, more)


def test_pages_follow_each_other(record: Written, campaigns: list[Campaign]) -> None:
    """Of any length, they end between rows of a part or after its own entry, and together are what one page would be."""
    for kinds in (("decision",), ("decision", "campaign_chunk"), ("campaign_chunk",)):
        query = Query({"kind": kinds})
        whole = page(record, query)
        assert whole.cursor is None
        for limit in (1, 2, 3, 7):
            assert everything(record, query, limit) == list(whole.hits), (kinds, limit)
    cursor = page(record, Query(DECISIONS), 3).cursor
    with pytest.raises(BadCursor):
        page(record, Query({"kind": ("outcome",)}), 3, cursor)


def test_a_person_and_a_time(record: Written, campaigns: list[Campaign]) -> None:
    """Everything about one subscriber; of rows the time is that at which their campaign was opened."""
    with record.database.reading() as connection:
        token = token_of(connection, record.keys, "p-3")
    found = everything(record, Query(DECISIONS, subject=token))
    assert [(hit.envelope or {}).get("row") for hit in found] == [None, 3, None, 3, None]
    first = Query(DECISIONS, subject=token, until=found[1].at)
    assert everything(record, first) == found[2:]
    assert everything(record, replace(first, until=None, since=found[1].at)) == found[:2]
    assert not page(record, Query(DECISIONS, subject="0" * 32)).hits


def test_outcomes_of_rows_are_found(record: Written, campaigns: list[Campaign]) -> None:
    """By what became of an action on the list."""
    decision = campaigns[0].decision_id(some_row())
    hit = next(hit for hit in everything(record, Query(DECISIONS)) if hit.entry_id == decision)
    action = hit.envelope["body"]["offered"][0]["action"]  # type: ignore[index]
    record.tell(decision, action, "accepted", token=hit.envelope["subject"])  # type: ignore[index]
    record.seal()
    for value in ("accepted", f"{action}:accepted"):
        assert [hit.entry_id for hit in page(record, Query({**DECISIONS, "outcome": (value,)})).hits] == [decision]
    assert not page(record, Query({**DECISIONS, "outcome": ("refused",)})).hits


def test_a_page_looks_into_few_files(record: Written, campaigns: list[Campaign], monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends early, with a cursor to go on, and nothing is missing; files that cannot have what is searched for are not opened."""
    query, opened = Query({**DECISIONS, "campaign": ("spring",)}), list[str]()
    whole = page(record, Query(DECISIONS))
    monkeypatch.setattr("app.record.search.finding.MOST_FILES", 1)
    assert everything(record, Query(DECISIONS)) == list(whole.hits)
    assert len(page(record, Query(DECISIONS)).hits) < len(whole.hits)
    read = searching.read_columns

    def counting(path: Any, *others: Any) -> Any:
        opened.append(path.parent.name)
        return read(path, *others)

    monkeypatch.setattr(searching, "read_columns", counting)
    assert len(everything(record, query)) == 10
    assert set(opened) == {campaigns[0].id}


def test_a_file_that_is_missing_is_told_and_the_rest_found(record: Written, campaigns: list[Campaign]) -> None:
    """In the place of its rows stands the part, without an envelope."""
    whole = page(record, Query(DECISIONS)).hits
    part = campaigns[1].standing.chunks[0]
    next(campaigns[1].folder.glob("000001-*.parquet")).unlink()
    found = page(record, Query(DECISIONS)).hits
    assert [hit.envelope for hit in found if hit.entry_id == part.entry_id] == [None]
    lost = {hit.entry_id for hit in whole} - {hit.entry_id for hit in found}
    assert lost == {campaigns[1].decision_id(row) for row in (1, 3, 4, 5, 6)}


def test_ones_own_list_has_both(record: Written, campaigns: list[Campaign], monkeypatch: pytest.MonkeyPatch) -> None:
    """Newest first, in pages of any length, sealed or not, a few files a page."""
    record.clock.ahead(minutes=1)
    late, _ = run(record, (4,), close=False, name="autumn")
    record.decide(people()[2])
    with record.database.reading() as connection:
        whole = [page_about(connection, _token(record, connection, name), before=None, most=20) for name in ("p-3", "p-6")]
        assert [[one[14] for one in page.ids] for page in whole] == [["7", "8", "7", "8", "7", "8", "7"], ["8", "8"]]
        assert all(page.next is None and page.ids == sorted(page.ids, reverse=True) for page in whole)
        assert whole[0].ids[1] == late.decision_id(3)
        for most, files in ((1, 20), (2, 20), (3, 1), (1, 1)):
            monkeypatch.setattr("app.record.reading.many.MOST_FILES", files)
            assert _paged(connection, _token(record, connection, "p-3"), most) == whole[0].ids, (most, files)
            assert _paged(connection, _token(record, connection, "p-6"), most) == whole[1].ids, "the last row of a part"
    late.leave()


def test_a_campaign_that_is_not_on_record_is_told(record: Written, campaigns: list[Campaign]) -> None:
    """What somebody types is not searched for, nor noted."""
    with record.database.reading() as connection:
        assert query_of(connection, {"campaign": ["summer"]}, shipped()).terms == {"campaign": ("summer",)}
        with pytest.raises(BadFilters, match="no campaign of this name is on record"):
            query_of(connection, {"campaign": ["winter"]}, shipped())
