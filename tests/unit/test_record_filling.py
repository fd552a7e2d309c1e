"""The search index follows the log: it is right at every moment, however filling it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Table, delete, select
from sqlmodel import col

from app.record.keys import Keys
from app.record.log import tree
from app.record.search import filling
from app.record.search.filling import fill, fill_anew
from app.record.search.finding import search
from app.record.search.indexing import indexed, put_terms
from app.record.search.query import Query
from app.record.store.database import Database
from app.record.store.tables import LeafRow, SearchBlockRow, SearchIndexRow, SearchSpanRow
from tests.pipeline import cases, shipped
from tests.records import Written, written

pytestmark = pytest.mark.unit
EVERYTHING = Query({"kind": ("decision", "outcome")})


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of eight leaves, ten leaves at once, seven terms to a transaction; and the sealer leaves the index alone."""
    monkeypatch.setattr("app.record.search.indexing.BLOCK", 8)
    monkeypatch.setattr("app.record.search.looking.BLOCK", 8)
    monkeypatch.setattr(filling, "AT_ONCE", 10)
    monkeypatch.setattr(filling, "MOST_TERMS", 7)
    monkeypatch.setattr("app.record.log.sealer.fill", lambda *_: 0)


@pytest.fixture
def record(database: Database, keys: Keys) -> Iterator[Written]:
    with written(database, keys) as made:
        ids = [made.decide(case) for case in cases(shipped(), 7, 20)]
        made.tell(ids[2], "tariff_pack", "refused")
        made.seal()
        yield made


def stored(record: Written) -> list[Any]:
    """All of the index."""
    tables: list[Table] = [SearchBlockRow.__table__, SearchSpanRow.__table__]  # type: ignore[attr-defined]
    with record.database.reading() as connection:
        return [sorted(map(tuple, connection.execute(table.select()))) for table in tables]


def found(record: Written) -> list[int]:
    with record.database.reading() as connection:
        return [hit.leaf for hit in search(connection, EVERYTHING, limit=200).hits]


def sizes(record: Written) -> tuple[int, int]:
    """Leaves of the index, and of the log."""
    with record.database.reading() as connection:
        return indexed(connection), tree.size(connection)


def sealed(record: Written) -> list[int]:
    """Every leaf, newest first."""
    with record.database.reading() as connection:
        return list(connection.execute(select(col(LeafRow.leaf_index)).order_by(col(LeafRow.leaf_index).desc())).scalars())


def at_call(number: int, do: Callable[[], object], function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which at its call of this number does something before."""
    left = iter(range(number, -1, -1))

    def called(*given: Any) -> Any:
        if next(left, None) == 0:
            do()
        return function(*given)

    return called


def broken_off() -> None:
    raise ConnectionError


def test_searches_go_as_far_as_the_index(record: Written) -> None:
    """What is a leaf already and not in the index is not found, and the page says how far it looked; afterwards it is."""
    assert sizes(record)[0] == 0
    assert found(record) == []
    assert fill(record.database) == len(sealed(record))
    heartbeats = 1
    assert len(found(record)) == len(sealed(record)) - heartbeats
    assert len(set(sizes(record))) == 1
    assert fill(record.database) == 0
    with record.database.reading() as connection:
        assert search(connection, EVERYTHING).searched == len(sealed(record))


@pytest.mark.parametrize("call", [0, 1, 5, 30, 60])
def test_what_was_broken_off_is_begun_again(record: Written, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Until a portion of leaves is whole nothing of it is found; in the end the index is what it would have been."""
    monkeypatch.setattr(filling, "put_terms", at_call(call, broken_off, put_terms))
    with pytest.raises(ConnectionError):
        fill(record.database)
    done, size = sizes(record)
    assert done < size
    assert all(leaf < done for leaf in found(record))
    monkeypatch.setattr(filling, "put_terms", put_terms)
    fill(record.database)
    half_way = stored(record)
    fill_anew(record.database)
    assert stored(record) == half_way
    assert sizes(record) == (size, size)


@pytest.mark.parametrize("call", [0, 1, 5, 30])
@pytest.mark.parametrize("other", [fill, fill_anew])
def test_two_who_fill(record: Written, monkeypatch: pytest.MonkeyPatch, call: int, other: Callable[[Database], int]) -> None:
    """Another process that fills the index meanwhile, or empties it, does no harm: nothing is missing, nothing is too much."""
    fill_anew(record.database)
    right = stored(record)
    fill_anew_of_none(record)

    changing = filling._changing

    def meanwhile() -> None:
        monkeypatch.setattr(filling, "_changing", changing)
        other(record.database)

    monkeypatch.setattr(filling, "_changing", at_call(call, meanwhile, changing))
    fill(record.database)
    assert stored(record) == right
    assert len(set(sizes(record))) == 1


def test_emptied_where_the_other_began(record: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that is emptied and stands again where the first who fills it began is not the one that they began with."""
    fill_anew(record.database)
    right = stored(record)
    fill_anew_of_none(record)
    monkeypatch.setattr(filling, "_changing", at_call(5, lambda: fill_anew_of_none(record), filling._changing))
    fill(record.database)
    assert stored(record) == right


@pytest.mark.parametrize("again", [fill, fill_anew])
def test_a_store_that_has_lost_how_far_it_is(record: Written, again: Callable[[Database], int]) -> None:
    """Nothing is found, nothing fails, and filling makes it right."""
    fill(record.database)
    right = stored(record)
    with record.database.writing() as connection:
        connection.execute(delete(SearchIndexRow))
    assert found(record) == []
    again(record.database)
    assert stored(record) == right
    assert len(set(sizes(record))) == 1


def fill_anew_of_none(record: Written) -> None:
    """The index emptied, as it is before anything is put into it again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filling, "fill", lambda _: 0)
        fill_anew(record.database)
