"""Whole files: rows are decided or refused one by one, and nothing else is lost."""

import dataclasses
import datetime
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaign.comparison import compare, knowing
from app.campaign.mapping import load_mapping
from app.campaign.problems import TableError
from app.campaign.rows import LONGEST_LINE, CsvTable, Lines, Row, ndjson_rows, open_table
from app.campaign.summary import Summary, ranked, titles_of
from app.campaign.table import Asking, Decided, Refused, answer_line, decide_rows, ndjson_requests, table_requests
from app.engine.pack import Pack, load_pack
from app.engine.tree import Type

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
NOW = datetime.datetime(2026, 11, 20, 2, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT)


def rows(content: bytes, *, encoding: str = "utf-8", delimiter: str = ",") -> list[Row]:
    return list(CsvTable(Path("t.csv"), Lines(io.BytesIO(content)), encoding=encoding, delimiter=delimiter))


def outcome(row: Row) -> str:
    return row.wrong.message if row.wrong else "|".join(row.cells)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1,2\n3,4\n", ["1|2", "3|4"]),
        (b"a,b\n1,2\n3,4", ["1|2", "3|4"]),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n", ["1|2"]),
        (b"a,b\n\n1,2\n  \n", ["1|2"]),
        (b'a,b\n"1,5","say ""hi"""\n', ['1,5|say "hi"']),
        (b'a,b\n"1\n5",2\n3,4\n', ["1\n5|2", "3|4"]),
        ("a,b\n1\u2028\x0b\x0c,\x85\x1c2\n3,4\n".encode(), ["1\u2028\x0b\x0c|\x85\x1c2", "3|4"]),
        (b"a,b\n1\n3,4\n", ["the row has 1 cells where the first line names 2 columns", "3|4"]),
        (b"a,b\n1,2,3\n3,4\n", ["the row has 3 cells where the first line names 2 columns", "3|4"]),
        (b'a,b\n1,"2\n3,4\n5,6\n', ["the row opens a quote that is not closed", "3|4", "5|6"]),
        (b'a,b\n1,2"\n3,4\n5,6"\n7,8\n', ['1|2"', "3|4", '5|6"', "7|8"]),
        (
            b"a,b\n1,\xff\n3,4\n",
            ["the row is not UTF-8 at byte 3; for a file in a Chinese encoding write `encoding: gb18030` in the mapping", "3|4"],
        ),
        (b"a,b\n" + b"x" * (LONGEST_LINE + 9) + b",2\n3,4\n", [f"the row is longer than {LONGEST_LINE:,} bytes", "3|4"]),
    ],
)
def test_reads_rows_of_csv(content: bytes, expected: list[str]) -> None:
    """A row that cannot be read says why, and the rows after it are read."""
    assert [outcome(row) for row in rows(content)] == expected


@given(
    st.lists(st.sampled_from([b"a,b", b"1,2", b'"', b"\n", b'1,"2', b'"x","y"', b",", b"\xff", b"\r\n", b"\0", "中".encode()]), max_size=30)
)
def test_any_bytes_are_rows_or_refusals(parts: list[bytes]) -> None:
    """Whatever stands in a file, reading it ends, and every row has the header's cells or a reason."""
    try:
        found = rows(b"a,b\n" + b"".join(parts))
    except TableError:
        return
    assert [row.number for row in found] == list(range(1, len(found) + 1))
    assert all(row.wrong is not None or len(row.cells) == 2 for row in found)


def test_rows_know_their_number_and_line() -> None:
    """Both count from 1; the line is where the row begins, the header being the first."""
    found = rows(b'a,b\n\n"1\n2",x\n3,4\n')
    assert [(row.number, row.line) for row in found] == [(1, 3), (2, 5)]


def test_other_encodings_and_delimiters() -> None:
    """A Chinese spreadsheet's encoding and another delimiter are read when the mapping names them."""
    assert [outcome(row) for row in rows("客户;套餐\n一;二\n".encode("gb18030"), encoding="gb18030", delimiter=";")] == ["一|二"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n", "line 1 should name the columns and is blank"),
        (b"a,a\n", "the column `a` stands twice in line 1"),
        (b'"a,b\n1,2\n', "line 1 opens a quote that is not closed"),
        (b'"a"b,c\n1,2\n', "line 1 is not comma-separated"),
        (b"a,b\r1,2\r", "its lines end with a carriage return alone"),
        ("a,b\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("客户,套餐\n".encode("gb18030"), "line 1 is not UTF-8 at byte 1"),
    ],
)
def test_refuses_a_file(tmp_path: Path, content: bytes, message: str) -> None:
    """What is no table is refused as a whole, with the reason."""
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match=message), open_table(path) as file:
        CsvTable(path, Lines(file))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file and a folder are told as such."""
    with pytest.raises(TableError, match="no such file"):
        open_table(tmp_path / "t.csv")
    with pytest.raises(TableError, match="is a folder"):
        open_table(tmp_path)


def table_of(tmp_path: Path, pack: Pack, content: str, facts: str, *, asking: Asking | None = None) -> list[Decided | Refused]:
    mapping = tmp_path / "map.yaml"
    mapping.write_text(f"subscriber: id\nrequest: {{channel: app, as_of: 2026-11-20T10:00:00+08:00}}\nfacts:\n{facts}", encoding="utf-8")
    table = CsvTable(Path("t.csv"), Lines(io.BytesIO(content.encode())))
    asking = asking or Asking("development", NOW)
    return list(decide_rows(pack, table, table_requests(load_mapping(mapping), table.header, asking, pack.zone), asking))


def test_bad_rows_are_refused_one_by_one(tmp_path: Path, pack: Pack) -> None:
    """A wrong cell, a negative fee, a short row and a second row of a subscriber are refused; everybody else is decided."""
    content = "id,fee\ns1,59\ns2,-1\ns3,x\ns4\ns1,59\n!,59\ns5,29\n"
    done = table_of(tmp_path, pack, content, "  plan.monthly_fee: {column: fee, unit: yuan}\n")
    assert [item.request.subscriber.id for item in done if isinstance(item, Decided)] == ["s1", "s5"]
    refused = [item for item in done if isinstance(item, Refused)]
    assert [(item.row.number, item.row.line) for item in refused] == [(2, 3), (3, 4), (4, 5), (5, 6), (6, 7)]
    assert [str(item.problems[0]) for item in refused[:4]] == [
        "column `fee`: expected at least 0: `-1` comes to -100 fen",
        "column `fee`: expected a number, not `x`",
        "the row has 1 cells where the first line names 2 columns",
        "the subscriber stands in row 1 already",
    ]
    assert refused[4].problems[0].column == "id"


def test_all_that_is_wrong_with_a_row_is_told(tmp_path: Path, pack: Pack) -> None:
    """One refusal lists every cell that does not fit."""
    (item,) = table_of(tmp_path, pack, "id,a,b\ns1,x,y\n", "  account.tenure_months: a\n  plan.data_mb: b\n")
    assert isinstance(item, Refused)
    assert [problem.column for problem in item.problems] == ["a", "b"]
    assert item.as_json()["problems"][0] == {"column": "a", "field": "account.tenure_months", "message": "expected a number, not `x`"}


def test_a_subscriber_whose_first_row_was_bad_is_decided_by_the_second(tmp_path: Path, pack: Pack) -> None:
    """Only somebody who was decided stands in the file already."""
    done = table_of(tmp_path, pack, "id,fee\ns1,x\ns1,59\n", "  plan.monthly_fee: {column: fee, unit: yuan}\n")
    assert [type(item) for item in done] == [Refused, Decided]


def test_the_same_file_gives_the_same_bytes(tmp_path: Path, pack: Pack) -> None:
    """A rerun at another time is identical, since the mapping says when the facts hold."""
    facts = "  plan.monthly_fee: {column: fee, unit: yuan}\n"
    first, second = (
        [
            answer_line(pack, item)
            for item in table_of(tmp_path, pack, "id,fee\ns1,59\n", facts, asking=Asking("campaign", now))
            if isinstance(item, Decided)
        ]
        for now in (NOW, NOW + datetime.timedelta(days=400))
    )
    assert first == second
    assert json.loads(first[0])["pack"]["digest"] == pack.digest


def test_ndjson_lines_are_requests(pack: Pack) -> None:
    """A file of requests needs no mapping; a line that is none is refused by its field."""
    content = b'\xef\xbb\xbf{"channel":"app","subscriber":{"id":"s1"}}\n\n{"channel":"apps","subscriber":{"id":"s2"}}\n{"channel"\n'
    asking = Asking("development", NOW)
    done = list(decide_rows(pack, ndjson_rows(Lines(io.BytesIO(content))), ndjson_requests(), asking))
    assert isinstance(done[0], Decided)
    refused = [item.problems[0].field for item in done[1:] if isinstance(item, Refused)]
    assert refused == ["channel", "body"]


def test_an_own_fact_of_one_pack_keeps_nobody_out_of_a_comparison(pack: Pack) -> None:
    """A pack that learns of a new fact is compared over a file that has it already; what neither has is refused by both."""
    later = dataclasses.replace(pack, custom={**pack.custom, "custom.weather": Type("number")})
    own = ({"weather": 3}, {"moon": 1})
    bodies = ({"channel": "app", "subscriber": {"id": f"s{number}", "custom": custom}} for number, custom in enumerate(own))
    content = "\n".join(map(json.dumps, bodies)).encode()
    readers = (knowing(ndjson_requests(), pack, later), knowing(ndjson_requests(), later, pack))
    found = compare(pack, later, ndjson_rows(Lines(io.BytesIO(content))), readers, Asking("development", NOW))
    assert (found.compared, found.refused, found.one_refuses.total()) == (1, 1, 0)


def test_the_summary_counts_everybody(tmp_path: Path, pack: Pack) -> None:
    """`read` is `decided` and `refused`; stages and phases add up to who was decided."""
    summary = Summary()
    done = table_of(tmp_path, pack, "id,months\ns1,1\ns2,20\ns3,x\n", "  account.tenure_months: months\n")
    for item in done:
        if isinstance(item, Refused):
            summary.refuse(item.problems)
        else:
            summary.add(item.decision, item.explanation.unknown)
    report = summary.as_json(titles_of(pack, "en"))
    assert (report["read"], report["decided"], report["refused"]) == (3, 2, 1)
    assert report["stages"] == {"identification": 1, "stable": 1}
    assert sum(report["phases"].values()) == 2
    assert report["refused_because"] == [{"column": "months", "reason": "expected a number", "rows": 1}]


def test_counts_are_ranked_and_ties_go_by_name() -> None:
    """Equal runs print equal summaries."""
    assert list(ranked({"b": 1, "c": 2, "a": 1})) == ["c", "a", "b"]
