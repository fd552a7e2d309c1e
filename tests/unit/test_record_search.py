"""Searching: every filter finds what its entries say, page by page, while new leaves arrive."""

import datetime
import itertools
import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, select

from app.record.keys import Keys
from app.record.reading.recorded import token_of
from app.record.search import indexing
from app.record.search.cursors import BadCursor
from app.record.search.filling import fill_anew
from app.record.search.filters import BadFilters, query_of
from app.record.search.finding import counted, search
from app.record.search.query import Query
from app.record.store.database import Database
from app.record.store.tables import EntryRow, LeafRow, SearchBlockRow, SearchSpanRow
from tests.pipeline import cases, shipped
from tests.records import Written, written

pytestmark = pytest.mark.unit
GATE = {
    "not_eligible": "eligible",
    "not_applicable": "applicable",
    "not_suitable": "suitable",
    "suppressed": "contact",
    "guardrail": "guardrail",
    "outranked": "arbitration",
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of eight leaves, so that a few entries fill several."""
    monkeypatch.setattr("app.record.search.indexing.BLOCK", 8)
    monkeypatch.setattr("app.record.search.looking.BLOCK", 8)


@pytest.fixture
def record(database: Database, keys: Keys) -> Iterator[Written]:
    with written(database, keys) as made:
        yield made


def envelopes(record: Written) -> dict[int, dict[str, Any]]:
    """Every sealed entry by its leaf, read without the index."""
    query = select(LeafRow.leaf_index, EntryRow.envelope).join(EntryRow, EntryRow.id == LeafRow.entry_id)
    with record.database.reading() as connection:
        return {index: orjson.loads(bytes(envelope)) for index, envelope in connection.execute(query)}


def fill(record: Written, n: int = 40) -> list[str]:
    found = []
    for number, case in enumerate(cases(shipped(), 7, n)):
        found.append(record.decide(case, caller=("desk", "shop")[number % 2], agent=f"a-{number % 3}"))
        if number % 5 == 2:
            record.seal()
    record.seal()
    return found


def leaves(record: Written, query: Query, limit: int = 200) -> list[int]:
    with record.database.reading() as connection:
        return [hit.leaf for hit in search(connection, query, limit=limit).hits]


def says(body: dict[str, Any], name: str, value: str) -> bool:
    """What a filter means, read off an envelope's body."""
    if name == "signal":
        signal, _, level = value.partition(":")
        return signal in body["signals"] and level in ("", body["signals"][signal])
    if name in ("offered", "tariff"):
        return any(item.get("action" if name == "offered" else "tariff") == value for item in body["offered"])
    if name == "suppressed":
        return any(value in actions for cause in ("suppressed", "guardrail") for actions in body["outcomes"].get(cause, {}).values())
    if name == "clause":
        gate, _, name = value.rpartition(".")
        told = [(GATE.get(cause, gate), clause) for cause, clauses in body["outcomes"].items() for clause in clauses]
        return any(clause == name and gate in ("", found) for found, clause in told)
    return bool(body.get("empty_because" if name == "empty" else name) == value)


def values_of(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each value of each filter that an envelope's body has."""
    for name in ("channel", "caller", "agent", "pack", "stage", "phase", "moment", "role"):
        yield name, body[name]
    for signal, level in body["signals"].items():
        yield "signal", signal
        yield "signal", f"{signal}:{level}"
    for item in body["offered"]:
        yield "offered", item["action"]
        if "tariff" in item:
            yield "tariff", item["tariff"]
    for cause, clauses in body["outcomes"].items():
        for clause, actions in clauses.items():
            yield "clause", clause
            if cause in GATE:
                yield "clause", f"{GATE[cause]}.{clause}"
            if cause in ("suppressed", "guardrail"):
                yield from (("suppressed", action) for action in actions)
    if "empty_because" in body:
        yield "empty", body["empty_because"]


def test_filters_alone_and_in_pairs(record: Written) -> None:
    """Each filter finds the decisions that say so and no others, alone and with each other one; newest first."""
    fill(record)
    known = {index: item["body"] for index, item in envelopes(record).items() if item["kind"] == "decision"}
    every = sorted({pair for body in known.values() for pair in values_of(body)})
    chosen = every if len(every) < 60 else every[:: len(every) // 60]
    assert {name for name, _ in chosen} >= {"channel", "clause", "phase", "signal", "offered", "suppressed"}
    pairs: list[tuple[tuple[str, str], ...]] = [(one,) for one in every]
    pairs += [two for two in itertools.combinations(chosen, 2) if two[0][0] != two[1][0]]
    for wanted in pairs[:: max(len(pairs) // 300, 1)]:
        query = Query({"kind": ("decision",), **{name: (value,) for name, value in wanted}})
        expected = [index for index, body in known.items() if all(says(body, *pair) for pair in wanted)]
        assert leaves(record, query) == sorted(expected, reverse=True), wanted


def test_several_values(record: Written) -> None:
    """Several values of what an entry has one of mean any of them; of what it has many of, all of them."""
    fill(record)
    known = {index: item["body"] for index, item in envelopes(record).items() if item["kind"] == "decision"}
    channels = tuple(sorted({body["channel"] for body in known.values()})[:2])
    assert set(leaves(record, Query({"channel": channels}))) == {i for i, body in known.items() if body["channel"] in channels}
    clauses = next(tuple(itertools.islice((c for by in body["outcomes"].values() for c in by), 2)) for body in known.values())
    expected = {i for i, body in known.items() if all(says(body, "clause", clause) for clause in clauses)}
    assert set(leaves(record, Query({"clause": clauses}))) == expected


def test_by_subscriber(record: Written, keys: Keys) -> None:
    """A subscriber's decisions are found by id, and of nobody else; of somebody unknown there are none."""
    pool = list(cases(shipped(), 7, 3))
    for case in (*pool, pool[1]):
        record.decide(case)
    record.seal()
    with record.database.reading() as connection:
        token = token_of(connection, keys, pool[1].subscriber.id)
        assert token_of(connection, keys, "somebody else") is None
    known = envelopes(record)
    assert leaves(record, Query(subject=token)) == sorted((i for i, item in known.items() if item.get("subject") == token), reverse=True)
    assert len(leaves(record, Query(subject=token))) == 2
    assert leaves(record, Query({"channel": ("shop",)}, subject="f" * 32)) == []


def test_times(record: Written) -> None:
    """A time range finds by the entries' own times, in whatever order they were sealed."""
    case = next(cases(shipped(), 7, 1))
    for minutes in (0, 5, -7, 3, 9, -20, 1):
        record.clock.now = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC) + datetime.timedelta(minutes=minutes)
        record.decide(case)
        record.seal()
    known = {index: item["at"] for index, item in envelopes(record).items()}
    moments = sorted(known.values())
    for since, until in itertools.product([None, *moments], [None, *moments]):
        expected = [i for i, at in known.items() if (since is None or at >= since) and (until is None or at < until)]
        assert leaves(record, Query(since=since, until=until)) == sorted(expected, reverse=True), (since, until)


def test_pages(record: Written) -> None:
    """Pages follow each other without gap or overlap, also while further leaves are sealed; the last has no cursor."""
    ids = fill(record, 12)
    query, seen, cursor = Query({"kind": ("decision",)}), list[str](), None
    more = cases(shipped(), 8, 9)
    while True:
        with record.database.reading() as connection:
            page = search(connection, query, limit=5, cursor=cursor)
        seen += [hit.entry_id for hit in page.hits]
        cursor = page.cursor
        record.decide(next(more))
        record.seal()
        if cursor is None:
            break
    assert seen == ids[::-1]
    with record.database.reading() as connection:
        assert search(connection, query, limit=1).searched == len(envelopes(record))


def test_page_that_ends_early(record: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that has looked far enough ends with a cursor, and the next one goes on where it ended."""
    first = record.decide(next(cases(shipped(), 7, 1)), agent="a-first")
    fill(record, 30)
    monkeypatch.setattr("app.record.search.finding.MOST_BLOCKS", 1)
    query, pages = Query({"agent": ("a-first",)}), list[int]()
    cursor = None
    with record.database.reading() as connection:
        while True:
            page = search(connection, query, cursor=cursor)
            pages.append(len(page.hits))
            cursor = page.cursor
            if cursor is None:
                break
    assert pages == [0, 0, 0, 1]
    assert page.hits[0].entry_id == first


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "A" * 400, "////////////////"])
def test_bad_cursor(record: Written, cursor: str) -> None:
    """What is no cursor of this search is refused."""
    fill(record, 2)
    with record.database.reading() as connection, pytest.raises(BadCursor, match="is not a cursor of this search"):
        search(connection, Query(), cursor=cursor)


def test_cursor_of_another_search(record: Written) -> None:
    """A cursor goes with its own filters only."""
    fill(record, 4)
    with record.database.reading() as connection:
        cursor = search(connection, Query({"kind": ("decision",)}), limit=1).cursor
        with pytest.raises(BadCursor):
            search(connection, Query({"kind": ("outcome",)}), cursor=cursor)


@pytest.mark.parametrize("order", ["later", "together", "earlier"])
def test_outcomes_find_their_decision(record: Written, order: str) -> None:
    """A decision is found by what became of it, whether the outcome is sealed after it, with it or before it."""
    case = next(cases(shipped(), 7, 1))
    if order == "earlier":
        _outcome_before_its_decision(record, case)
    else:
        decision = record.decide(case)
        if order == "later":
            record.seal()
        record.tell(decision, "tariff_pack", "accepted")
        record.seal()
    kinds = {index: item["kind"] for index, item in envelopes(record).items()}
    for value in ("accepted", "tariff_pack:accepted"):
        found = leaves(record, Query({"outcome": (value,), "kind": ("decision",)}))
        assert [kinds[index] for index in found] == ["decision"]
        assert len(leaves(record, Query({"outcome": (value,)}))) == 2
    assert leaves(record, Query({"outcome": ("refused",)})) == []
    assert leaves(record, Query({"outcome": ("data_pack:accepted",)})) == []


def _outcome_before_its_decision(record: Written, case: Any) -> None:
    from sqlalchemy import insert

    from app.record.store.tables import UnsealedRow

    decision = record.decide(case)
    with record.database.writing() as connection:
        connection.execute(delete(UnsealedRow))
    record.tell(decision, "tariff_pack", "accepted")
    record.seal()
    with record.database.writing() as connection:
        connection.execute(insert(UnsealedRow), {"entry_id": decision})
    record.seal()


def test_bits_are_stored_and_read() -> None:
    """The bits of a block are read as they were stored, few or many."""
    for bits in (1, 1 << 4095, (1 << 4096) - 1, (1 << 255) - 1, (1 << 256) - 1, 0b1011 << 4000, int("10" * 2048, 2)):
        stored = indexing.packed(bits)
        assert len(stored) == min(2 * bits.bit_count(), 512)
        assert indexing.unpacked(stored) == bits
        assert sum(1 << place for place in indexing.offsets(bits)) == bits


@pytest.mark.parametrize("seed", range(40))
def test_places_are_joined_to_those_that_were_stored(seed: int) -> None:
    """In whatever order leaves come, and whether few or many carry the term, all of them are stored, as they would be at once."""
    chance = random.Random(seed)
    places = sorted(chance.sample(range(4096), chance.randint(1, 600)))
    in_order = [places[start : start + 90] for start in range(0, len(places), 90)]
    mixed = [sorted(chance.sample(places, chance.randint(1, min(90, len(places))))) for _ in range(9)]
    for parts in (in_order, mixed, [*in_order, *mixed]):
        stored = b""
        for part in parts:
            stored = indexing._joined(stored, part)
        assert stored == indexing.packed(sum(1 << place for place in {*itertools.chain(*parts)}))


def test_counted(record: Written) -> None:
    """Counting finds as many as all pages together."""
    fill(record, 9)
    with record.database.reading() as connection:
        assert counted(connection, Query({"kind": ("decision",)})) == 9


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"chanel": ["app"]}, "chanel: is not a filter; did you mean `channel`?"),
        ({"channel": ["call_center"]}, "channel: there is no such channel; did you mean `call_centre`?"),
        ({"phase": ["rescu"]}, "phase: nothing on record and nothing in the pack in force has this name; did you mean `rescue`?"),
        ({"signal": ["four_high.tarif:high"]}, "did you mean `four_high.tariff`?"),
        ({"signal": ["four_high.tariff:sever"]}, "signal: the signal has no such level; did you mean `severe`?"),
        ({"caller": ["developmnt"]}, "caller: nobody of this name ever called; did you mean `development`?"),
        ({"stage": ["x"]}, "has this name; one of "),
        ({"pack": ["ab"]}, "pack: no pack was published yet"),
        ({"offered": ["tariff_pak"]}, "did you mean `tariff_pack`?"),
        ({"clause": ["contact.marketing_hour"]}, "has this name; did you mean `contact.marketing_hours`?"),
        ({"clause": ["marketing_hour"]}, "has this name; did you mean `marketing_hours`?"),
        ({"clause": ["guardrail.marketing_hours"]}, "clause: nothing on record and nothing in the pack in force has this name"),
        ({"clause": ["nowhere.marketing_hours"]}, "has this name; did you mean `marketing_hours`?"),
        ({"outcome": ["tariff_pack:acepted"]}, "outcome: expected an outcome, alone or as action:outcome; did you mean `accepted`?"),
        (
            {"outcome": ["tariff_pak:refused"]},
            "outcome: nothing on record and nothing in the pack in force has this name; did you mean `tariff_pack`?",
        ),
        ({"outcome": ["told me a secret:refused"]}, "outcome: nothing on record and nothing in the pack in force has this name"),
        ({"outcome": [":refused"]}, "outcome: nothing on record and nothing in the pack in force has this name"),
        ({"offered": ["tariff_pack:told me a secret"]}, "offered: nothing on record and nothing in the pack in force has this name"),
        ({"phase": ["rescue:told me a secret"]}, "phase: nothing on record and nothing in the pack in force has this name"),
        ({"agent": ["x" * 201]}, "agent: expected 1 to 200 printable characters"),
        ({"agent": ["a\0b"]}, "agent: expected 1 to 200 printable characters"),
        ({"channel": ["app"] * 11}, "channel: takes at most 10 values"),
    ],
)
def test_wrong_filters(record: Written, given: dict[str, list[str]], told: str) -> None:
    """A filter that there is not, or a value it cannot have, is told by its field with the nearest right one."""
    with record.database.reading() as connection, pytest.raises(BadFilters) as error:
        query_of(connection, given, shipped())
    assert told in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("given", [{"signal": ["tall"]}, {"offered": ["tall"]}, {"outcome": ["tall:refused"]}, {"clause": ["tall"]}])
def test_names_without_a_pack(record: Written, given: dict[str, list[str]]) -> None:
    """Where no pack is in force, only what is on record is a name: what somebody types does not go on record as one."""
    with record.database.reading() as connection, pytest.raises(BadFilters, match="nothing on record"):
        query_of(connection, given, None)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-01T08:00:00", "", "0001-01-01T00:00:00+00:00"])
def test_wrong_times(record: Written, text: str) -> None:
    """A time has a date and, beyond a date, an offset."""
    with record.database.reading() as connection, pytest.raises(BadFilters, match="since: expected a date such as"):
        query_of(connection, {}, None, since=text)


def test_times_are_in_utc(record: Written) -> None:
    """Times are understood with their offset, a date up to its end, and the other way round is refused."""
    with record.database.reading() as connection:
        query = query_of(connection, {}, None, since="2026-11-01T08:00:00+08:00", until="2026-11-01")
        assert (query.since, query.until) == ("2026-11-01T00:00:00.000000+00:00", "2026-11-02T00:00:00.000000+00:00")
        with pytest.raises(BadFilters, match="until: expected a time after `since`"):
            query_of(connection, {}, None, since="2026-11-02", until="2026-11-01")


GONE = ("clause=contact.gone", "outcome=gone:refused")


def test_a_name_of_an_older_pack(record: Written) -> None:
    """A name that is on record may be asked for, whatever the pack in force knows."""
    fill(record, 20)
    with record.database.writing() as connection:
        record.database.insert_missing(connection, SearchBlockRow, [{"term": gone, "block": 0, "bits": b"\1\0"} for gone in GONE])
    with record.database.reading() as connection:
        assert query_of(connection, {"outcome": ["gone:refused"]}, shipped()).terms == {"outcome": ("gone:refused",)}
        assert query_of(connection, {"agent": ["a-1"]}, shipped()).terms == {"agent": ("a-1",)}
        assert query_of(connection, {"clause": ["contact.gone"]}, shipped()).terms == {"clause": ("contact.gone",)}
        assert query_of(connection, {"clause": ["gone"]}, shipped()).terms == {"clause": ("gone",)}
        with pytest.raises(BadFilters):
            query_of(connection, {"clause": ["eligible.gone"]}, shipped())


def indexed(record: Written, index: int, *terms: str) -> None:
    with record.database.writing() as connection:
        rows = [{"term": term, "block": index // 8, "bits": indexing.packed(1 << index % 8)} for term in terms]
        record.database.put(connection, SearchBlockRow, rows, replacing=["bits"])


def test_a_clause_that_is_of_another_gate(record: Written) -> None:
    """That a clause was once unknown does not make it one of every gate: where the pack has it in another, the search is refused."""
    fill(record, 8)
    indexed(record, 0, "clause=marketing_hours")
    with record.database.reading() as connection:
        assert query_of(connection, {"clause": ["contact.marketing_hours"]}, shipped()).terms
        with pytest.raises(BadFilters, match="did you mean"):
            query_of(connection, {"clause": ["guardrail.marketing_hours"]}, shipped())


def test_clauses_of_the_same_name_in_several_gates(record: Written) -> None:
    """A clause is found in its own gate; by its name alone in any; and what an index without gates, or an unknown clause, knows in each."""
    fill(record, 8)
    for leaf, term in enumerate(("contact.here", "guardrail.here", "here", "contact.there")):
        indexed(record, leaf, f"clause={term}")
    assert leaves(record, Query({"clause": ("contact.here",)})) == [2, 0]
    assert leaves(record, Query({"clause": ("guardrail.here",)})) == [2, 1]
    assert leaves(record, Query({"clause": ("here",)})) == [2, 1, 0]
    assert leaves(record, Query({"clause": ("contact.here", "guardrail.here")})) == [2]


def test_index_made_anew(record: Written) -> None:
    """The index, lost and made anew, is what it was; outcomes included."""
    ids = fill(record, 20)
    record.tell(ids[3], "tariff_pack", "accepted")
    record.seal()

    def stored() -> list[Any]:
        with record.database.reading() as connection:
            tables = (SearchBlockRow.__table__, SearchSpanRow.__table__)
            return [sorted(map(tuple, connection.execute(table.select()))) for table in tables]

    before = stored()
    with record.database.writing() as connection:
        connection.execute(delete(SearchBlockRow))
    assert fill_anew(record.database) == len(envelopes(record))
    assert stored() == before
