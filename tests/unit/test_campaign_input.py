"""The input of campaigns: what is read of files and folders, which rows are rejected and why, and what the columns hold."""

import datetime
import hashlib
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from app.campaign.cells import number, written
from app.campaign.input import InputBatch, Seen, batches, input_at
from app.campaign.input.natives import plain
from app.campaign.mapping import MappingError, load_mapping
from app.campaign.problems import TableError
from app.campaign.table import Asking
from app.engine.case import Case
from app.engine.facts import read_facts
from app.engine.intake import parse_request, take
from app.engine.pack import Pack, load_pack
from tests.campaign_rows import by_columns, by_rows, differences
from tests.population import population

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
NOW = datetime.datetime(2026, 11, 20, 2, tzinfo=datetime.UTC)
ASKING = Asking("campaign", NOW)
HEAD = "subscriber: id\nrequest: {channel: app, as_of: 2026-11-20T10:00:00+08:00}\n"


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT)


def mapping_file(folder: Path, facts: str, head: str = HEAD) -> Path:
    file = folder / "map.yaml"
    file.write_text(f"{head}facts:\n{facts}", encoding="utf-8")
    return file


def read(pack: Pack, path: Path, facts: str, *, asking: Asking = ASKING, size: int = 50_000, head: str = HEAD) -> list[InputBatch]:
    mapping = load_mapping(mapping_file(path.parent, facts, head))
    return list(batches(pack, input_at(path), asking, mapping, size=size))


def facts_of(parts: list[InputBatch], *names: str) -> list[tuple[Any, ...]]:
    return [row for part in parts for row in part.batch.facts.select(names).rows()]


def parquet(folder: Path, **columns: Any) -> Path:
    file = folder / "in.parquet"
    pl.DataFrame(columns).write_parquet(file)
    return file


# Files


def test_a_folder_is_its_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Files that a system leaves beside the data are passed over; the digest is that of the lines `sha256sum` prints."""
    for name in ("b.csv", "a.csv", "_SUCCESS", ".b.csv.crc"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "_tmp").mkdir()
    found = input_at(tmp_path)
    assert ([file.path.name for file in found.files], found.kind, found.size) == (["a.csv", "b.csv"], "csv", 10)
    lines = "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in ("a.csv", "b.csv"))
    assert found.digest() == hashlib.sha256(lines.encode()).hexdigest()
    assert input_at(tmp_path / "a.csv").digest() == hashlib.sha256(b"a.csv").hexdigest()


def test_what_cannot_be_read_is_told(tmp_path: Path, pack: Pack) -> None:
    """Nothing there, nothing in it, several kinds, another ending, no mapping, and a file that is not what its name says."""
    (tmp_path / "mixed").mkdir()
    (tmp_path / "empty").mkdir()
    for name in ("mixed/a.csv", "mixed/b.parquet", "a.xlsx", "a.csv"):
        (tmp_path / name).write_bytes(b"id\ns1\n")
    for name, message in (
        ("no.csv", "no such file"),
        ("empty", "holds no files"),
        ("mixed", r"several kinds \(csv, parquet\)"),
        ("a.xlsx", r"expected a file whose name ends in \.parquet"),
    ):
        with pytest.raises(TableError, match=message):
            input_at(tmp_path / name)
    with pytest.raises(TableError, match="a mapping has to say which column is which fact"):
        list(batches(pack, input_at(tmp_path / "a.csv"), ASKING))
    with pytest.raises(TableError, match=r"b\.parquet` cannot be read as Parquet"):
        read(pack, tmp_path / "mixed" / "b.parquet", "  plan.id: a\n")


def test_a_column_that_a_file_lacks_is_named(tmp_path: Path, pack: Pack) -> None:
    """As it is for `wanliu decide --table`."""
    with pytest.raises(MappingError, match="the file has no column `fees`; did you mean `fee`"):
        read(pack, parquet(tmp_path, id=["s1"], fee=[1]), "  plan.monthly_fee: fees\n")


def test_progress_reaches_the_end(tmp_path: Path, pack: Pack) -> None:
    """Rows and bytes go up from batch to batch, over all files, to what there is; no batch is larger than asked for."""
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        rows = "".join(f"{name}{number},{number}\n" for number in range(25))
        (tmp_path / "in" / f"{name}.csv").write_text(f"id,months\n{rows}")
    parts = read(pack, tmp_path / "in", "  account.tenure_months: months\n", size=10)
    assert [part.read for part in parts] == [10, 20, 25, 35, 45, 50]
    assert [part.batch.size for part in parts] == [10, 10, 5, 10, 10, 5]
    assert parts[-1].consumed == input_at(tmp_path / "in").size
    assert sorted(part.consumed for part in parts) == [part.consumed for part in parts]
    assert facts_of(parts, "row", "subscriber")[24:26] == [(25, "a24"), (26, "b0")]


# Rows that are not decided


def test_rejects_have_their_row_file_and_line(tmp_path: Path, pack: Pack) -> None:
    """Rows count over all files and lines in each; a row that cannot be read, one with a wrong cell, a second one of a subscriber."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text('id,fee\ns1,59\ns2,-1\n"s3\n')
    (tmp_path / "in" / "b.csv").write_text('id,fee\n\ns1,59\n"s4","5,9"\ns2,29\ns5\ns2,29\n')
    parts = read(pack, tmp_path / "in", "  plan.monthly_fee: {column: fee, unit: yuan}\n")
    found = [reject.as_json() for part in parts for reject in part.rejects]
    assert [(one["row"], one["file"], one["line"], one["subscriber"], one["problems"][0]["message"]) for one in found] == [
        (2, "a.csv", 3, None, "expected at least 0: `-1` comes to -100 fen"),
        (3, "a.csv", 4, None, "the row opens a quote that is not closed"),
        (4, "b.csv", 3, "s1", "the subscriber stands in row 1 already"),
        (5, "b.csv", 4, None, "expected a number, not `5,9`"),
        (7, "b.csv", 6, None, "the row has 1 cells where the first line names 2 columns"),
        (8, "b.csv", 7, "s2", "the subscriber stands in row 6 already"),
    ]
    assert facts_of(parts, "row", "subscriber", "plan.monthly_fee") == [(1, "s1", 5900.0), (6, "s2", 2900.0)]


def test_a_subscriber_decided_before_the_run_went_on_is_rejected(tmp_path: Path, pack: Pack) -> None:
    """Whoever goes on with a run passes who was decided."""
    seen = Seen()
    seen.add(pl.Series(["s2"]), [7])
    source = input_at(parquet(tmp_path, id=["s1", "s2"], a=[1, 2]))
    (part,) = batches(pack, source, ASKING, load_mapping(mapping_file(tmp_path, "  account.tenure_months: a\n")), seen=seen)
    assert [reject.problems[0].message for reject in part.rejects] == ["the subscriber stands in row 7 already"]
    assert seen.rows(pl.Series(["s1", "s2", "s3"])).to_list() == [1, 7, None]


def test_seen_knows_everybody_among_many() -> None:
    """In whatever portions they come, and nobody else."""
    seen, dice = Seen(), random.Random(5)
    known: dict[str, int] = {}
    for _ in range(60):
        new = [name for name in {f"s{dice.randrange(20_000)}" for _ in range(dice.randrange(400))} if name not in known]
        seen.add(pl.Series(new, dtype=pl.String), range(len(known), len(known) + len(new)))
        known |= {name: len(known) + place for place, name in enumerate(new)}
        assert seen.rows(pl.Series(new, dtype=pl.String)).to_list() == [known[name] for name in new]
    asked = [f"s{number}" for number in range(20_000)]
    assert seen.rows(pl.Series(asked)).to_list() == [known.get(name) for name in asked]


def test_a_run_that_no_row_can_be_part_of_rejects_all(tmp_path: Path, pack: Pack) -> None:
    """Live, with a mapping that holds at another time: each row says so, and what else is wrong with it."""
    live = Asking("campaign", NOW + datetime.timedelta(days=3), mode="live")
    (part,) = read(pack, parquet(tmp_path, id=["s1", "s2"], a=[1, -1]), "  account.tenure_months: a\n", asking=live)
    assert part.batch.size == 0
    assert [reject.problems[0].message for reject in part.rejects] == [
        "is more than five minutes from now; leave it out, or ask with `mode: what_if`",
        "expected at least 0, not -1",
    ]
    assert part.cases().to_list() == []


# Cells with types


def test_native_types_become_what_cells_are_read_from() -> None:
    """Decimals and short floats as they are written, times as days of the zone, NaN as nothing."""
    moment = datetime.datetime(2026, 11, 20, 16, 30, tzinfo=datetime.UTC)
    frame = pl.DataFrame(
        {
            "short": pl.Series([65.6, float("nan")], dtype=pl.Float32),
            "decimal": pl.Series([Decimal("59.90"), None], dtype=pl.Decimal(38, 18)),
            "large": pl.Series([2**64 - 1, 7], dtype=pl.UInt64),
            "infinite": [float("inf"), 1.5],
            "word": pl.Series(["a", None], dtype=pl.Categorical),
            "time": [moment, None],
            "local": [moment.replace(tzinfo=None), None],
            "bytes": [b"ab", None],
            "list": pl.Series([[0.1, float("nan")], None], dtype=pl.List(pl.Float32)),
            "history": [[{"at": moment, "n": 1.5}], []],
            "nothing": [None, None],
        }
    )
    assert plain(frame, ZoneInfo("Asia/Shanghai")).rows() == [
        (
            65.6,
            59.9,
            2**63 - 1,
            None,
            "a",
            datetime.date(2026, 11, 21),
            datetime.date(2026, 11, 20),
            "ab",
            [0.1, None],
            [{"at": moment, "n": 1.5}],
            None,
        ),
        (None, None, 7, 1.5, None, None, None, None, None, [], None),
    ]


def test_a_type_that_no_cell_can_be_is_told() -> None:
    """With the column; so are bytes that are no text."""
    for column, message in (
        (pl.Series([{"a": 1}]), "the column `x` holds structures"),
        (pl.Series([datetime.timedelta(1)]), "the column `x` is of the type Duration"),
        (pl.Series([b"\xff"]), "a column cannot be read"),
    ):
        with pytest.raises(TableError, match=message):
            plain(pl.DataFrame({"x": column}), ZoneInfo("Asia/Shanghai"))


def test_a_float_is_the_shortest_decimal_that_reads_as_it() -> None:
    """As files of text have it: no digits come from its binary form, and no exponent."""
    assert (number(0.285) * 100, number(65.6), number(7)) == (number("28.5"), number("65.6"), 7)
    assert [written(value) for value in (65.6, 3.0, -0.0, 1.5e-7, 1e16, True, None, 12)] == [
        "65.6",
        "3",
        "0",
        "0.00000015",
        "10000000000000000",
        "true",
        "",
        "12",
    ]


def test_one_mapping_serves_text_and_types(tmp_path: Path, pack: Pack) -> None:
    """The same subscribers from CSV and from Parquet are the same in every fact, event and byte of their cases."""
    facts = (
        "  account.joined_on: day\n  plan.monthly_fee: {column: fee, unit: yuan}\n"
        "  home.has_broadband: {column: net, values: {是: yes, 否: no}}\n"
        '  usage.data_mb: {column: use, split: ";", unit: GB}\n  services.held: {column: held, split: ";"}\n'
        "  device.capabilities: {collect: {net: volte}, when: 是}\n  events: events\n  contacts: {column: contacts, if_missing: []}\n"
    )
    at = "2026-11-02T01:00:00+00:00"
    (tmp_path / "in.csv").write_text(
        "id,day,fee,net,use,held,events,contacts\n"
        f'1001,2024-02-29,59.9,是,1.5;;2,music;video,"[{{""at"":""{at}"",""kind"":""mobile"",""type"":""fault""}}]",\n'
        "1002,,29,否,,,[],[]\n"
    )
    event = {"type": "fault", "at": datetime.datetime.fromisoformat(at), "kind": "mobile", "area": None}
    day = datetime.date(2024, 2, 29)
    columns = {"id": [1001, 1002], "day": [day, None], "fee": pl.Series([59.9, 29], dtype=pl.Float32), "net": [True, False]}
    lists = {"use": [[1.5, None, 2.0], None], "held": [["music", "video"], None], "events": [[event], []]}
    parquet(tmp_path, **columns, **lists, contacts=pl.Series([None, []], dtype=pl.List(pl.Struct({"at": pl.Datetime("us", "UTC")}))))
    mapping = mapping_file(tmp_path, facts)
    one, other = (by_columns(pack, tmp_path / name, ASKING, mapping) for name in ("in.csv", "in.parquet"))
    assert one.rejects == other.rejects == []
    assert differences(one, other) == []
    assert one.batch.events["fault"].select("i", "kind").rows() == [(0, "mobile")]
    assert json.loads(one.cases[0])["subscriber"]["usage"] == {"data_mb": [1536, None, 2048]}


@pytest.mark.parametrize(
    ("fact", "value", "expected"),
    [
        ("plan.monthly_fee: {column: a, unit: yuan}", 0.29000000000000004, 29.0),
        ("plan.monthly_fee: {column: a, unit: yuan}", 0.285, 28.0),
        ("plan.monthly_fee: {column: a, unit: yuan}", 0.545, 54.0),
        ("plan.monthly_fee: {column: a, unit: yuan}", 0.0, 0.0),
        ("now.data_used_share: {column: a, unit: percent}", 97.3, 0.973),
        ("now.data_used_share: {column: a, unit: percent}", 3, 0.03),
        ("now.data_used_share: {column: a, unit: percent}", 1.3, 0.013),
        ("now.data_used_share: {column: a, unit: percent}", 29.000000000000004, 0.29000000000000004),
        ("churn.score: a", 0.12345678901234568, 0.12345678901234568),
        ("value.annual: {add: [{column: a, factor: 0.1}, {column: a, factor: 0.2}]}", 5, 2.0),
        ("value.annual: {column: a, factor: 0.5, divide_by: a}", 3, 0.0),
        ("account.tenure_months: a", 62.0, 62.0),
        ("billing.total: {column: a, split: ';', factor: 0.5}", [1, 3, None], [0.0, 2.0, None]),
    ],
)
def test_numbers_are_exact(tmp_path: Path, pack: Pack, fact: str, value: Any, expected: object) -> None:
    """Halves go to even, shares are the nearest float, and what a float is a little off by is not seen."""
    parts = read(pack, parquet(tmp_path, id=["s1", "s2"], a=[value, value]), f"  {fact}\n")
    assert facts_of(parts, fact.partition(":")[0]) == [(expected,)] * 2


@pytest.mark.parametrize(
    ("fact", "value", "message"),
    [
        ("plan.monthly_fee: {column: a, unit: yuan}", -1e-9, "expected at least 0: `-0.000000001` comes to -1e-07 fen"),
        ("account.tenure_months: a", 1200.5, "expected at most 1,200, not 1,200.5"),
        ("account.tenure_months: a", 1201, "expected at most 1,200, not 1,201"),
        ("churn.score: a", "0.12345678901234567890123456", "expected a number, not `0.12345678901234567890123456`"),
        ("account.tenure_months: a", [1], "expected one value, not a list"),
        ("billing.total: {column: a, split: ';'}", [1.0, 2.5], "expected a whole number, not 2.5 fen"),
        ("home.has_broadband: a", 2, "expected yes or no, not `2`; other words are translated by `values:`"),
        ("account.joined_on: a", datetime.date(1899, 12, 31), "expected a date from 1900 on such as 2026-11-22"),
        ("device.generation: a", "6g", "is not one of its words: `6g`; expected one of 3g, 4g, 5g"),
        ("events: a", '[{"type":"fix","type":"fault","at":"2026-11-01T10:00:00Z"}]', "stands twice in its object"),
        ("events: a", "x", "expected the events as a JSON array, such as `[]` for none"),
    ],
)
def test_native_cells_are_refused_by_their_column(tmp_path: Path, pack: Pack, fact: str, value: Any, message: str) -> None:
    """With what is wrong; everybody else is decided."""
    (part,) = read(pack, parquet(tmp_path, id=["s1", "s2"], a=[None, value]), f"  {fact}\n")
    assert [(reject.row, reject.problems[0].column, reject.problems[0].message) for reject in part.rejects] == [(2, "a", message)]
    assert part.batch.size == 1


def test_blanks_around_a_text_are_no_part_of_it(tmp_path: Path, pack: Pack) -> None:
    """Of whatever kind they are, as in files of text."""
    (part,) = read(pack, parquet(tmp_path, id=["s1", "s2", "s3"], a=[" x ", "\u00a0y", "z z"]), "  plan.name: a\n")
    assert [json.loads(case)["subscriber"]["plan"]["name"] for case in part.cases()] == ["x", "y", "z z"]


def test_series_of_one_section_cover_the_same_cycles(tmp_path: Path, pack: Pack) -> None:
    """Where one row's do not, that row is rejected."""
    facts = "  billing.total: {column: a, split: ','}\n  billing.discount: {column: b, split: ','}\n"
    (part,) = read(pack, parquet(tmp_path, id=["s1", "s2", "s3"], a=[[1], [1, 2], None], b=[[2], [2], [1, 2]]), facts)
    assert [reject.row for reject in part.rejects] == [2]
    assert facts_of([part], "billing.total") == [([1.0],), (None,)]


def test_what_a_row_does_not_say_of_the_request_is_what_the_mapping_says(tmp_path: Path, pack: Pack) -> None:
    """A channel that neither says is missed, by its column; the run's own channel goes before both, and does not stand in for one."""
    head = "subscriber: id\nrequest: {direction: self, as_of: 2026-11-20T10:00:00+08:00}\n"
    file = parquet(tmp_path, id=["s1", "s2", "s3"], way=["inbound", None, None], at=["app", "shop", None])
    facts = "  request.direction: way\n  request.channel: at\n"
    (part,) = read(pack, file, facts, head=head)
    assert facts_of([part], "request.direction", "request.channel") == [("inbound", "app"), ("self", "shop")]
    assert [json.loads(case)["direction"] for case in part.cases()] == ["inbound", "self"]
    assert [str(reject.problems[0]) for reject in part.rejects] == ["column `at`: is required"]
    (part,) = read(pack, file, facts, head=head, asking=Asking("campaign", NOW, channel="email"))
    assert facts_of([part], "request.channel") == [("email",), ("email",)]


# Histories


def test_what_is_dated_later_is_left_out_as_the_api_leaves_it_out(tmp_path: Path, pack: Pack) -> None:
    """In what-if what came after `as_of` is no history; live it is refused."""
    events = '[{"type":"fault","at":"2026-11-19T10:00:00+08:00"},{"type":"fix","at":"2026-11-21T10:00:00+08:00"}]'
    file = parquet(tmp_path, id=["s1"], a=[events])
    (part,) = read(pack, file, "  events: a\n")
    assert sorted(part.batch.events) == ["fault"]
    (part,) = read(pack, file, "  events: a\n", asking=Asking("campaign", NOW, mode="live"))
    assert part.rejects[0].problems[0].column == "a"
    assert part.rejects[0].problems[0].field == "subscriber.events.1.at"


def test_histories_of_a_batch_follow_its_subscribers(tmp_path: Path, pack: Pack) -> None:
    """Also where some rows were read by themselves and some rejected: entries are numbered as the facts are."""
    at = datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC)
    lists = [[{"at": at, "channel": "app", "action": f"a{number}"}] for number in range(4)]
    lists[1].append({"at": at, "channel": "none", "action": "x"})
    lists[2][0]["action"] = "a 2"
    (part,) = read(pack, parquet(tmp_path, id=[" s0", "s1", "s2", "s3"], h=lists), "  contacts: h\n")
    assert [(reject.row, reject.problems[0].field) for reject in part.rejects] == [
        (2, "subscriber.contacts.1.channel"),
        (3, "subscriber.contacts.0.action"),
    ]
    assert part.batch.contacts.select("i", "action").rows() == [(0, "a0"), (1, "a3")]
    assert facts_of([part], "i", "subscriber", "contacts.known", "events.known") == [(0, "s0", True, False), (1, "s3", True, False)]


def test_a_history_that_is_missing_is_unknown_unless_the_mapping_says_otherwise(tmp_path: Path, pack: Pack) -> None:
    """`if_missing: []` says that nothing happened."""
    file = parquet(tmp_path, id=["s1", "s2"], a=[None, "[]"])
    assert facts_of(read(pack, file, "  events: a\n"), "events.known") == [(False,), (True,)]
    assert facts_of(read(pack, file, "  events: {column: a, if_missing: []}\n"), "events.known") == [(True,), (True,)]


# Cases


def test_events_of_one_batch_may_be_of_any_kind_or_none(tmp_path: Path, pack: Pack) -> None:
    """Their JSON is that of one row at a time, in their order: of several kinds in turn, of an unknown one, and where nobody has any."""
    at = datetime.datetime(2026, 11, 2, 10, tzinfo=datetime.UTC)
    one, other = {"at": at, "type": "fault", "product": None}, {"at": at, "type": "unsubscribe", "product": "cloud"}
    odd = {"at": at, "type": "weather", "product": None}
    for name, lists in (("some", [[other, one, other], [one], [odd, one], []]), ("none", [[], None, [], []])):
        (tmp_path / name).mkdir()
        kind = pl.List(pl.Struct({"at": pl.Datetime("us", "UTC"), "type": pl.String(), "product": pl.String()}))
        file = parquet(tmp_path / name, id=["s0", "s1", "s2", "s3"], h=pl.Series(lists, dtype=kind))
        (part,) = read(pack, file, "  events: h\n")
        assert part.cases().to_list() == by_rows(pack, file, ASKING, tmp_path / name / "map.yaml").cases
        assert len(part.rejects) == (name == "some")


def test_cases_make_the_same_case_again(tmp_path: Path, pack: Pack) -> None:
    """A decision is replayed from them: what is read of the case is what stands in the columns."""
    facts = (
        "  plan.name: name\n  churn.score: score\n  contract.commitment_end: {column: end, if_missing: null}\n  request.reason: why\n"
        "  vip.interests: {column: likes, split: ';'}\n  cases.compensation_12m: {column: paid, unit: yuan}\n"
    )
    file = parquet(
        tmp_path,
        id=["s1", "s2"],
        name=['a"b\\', None],
        score=[2.151946495093611e-06, 1.0],
        end=[None, datetime.date(2026, 12, 1)],
        why=["bill", None],
        likes=[["茶", "b", "b"], None],
        paid=[12.5, None],
    )
    (part,) = read(pack, file, facts)
    assert part.rejects == ()
    assert part.cases().to_list() == by_rows(pack, file, ASKING, tmp_path / "map.yaml").cases
    again = [Case.from_json(json.loads(case)) for case in part.cases()]
    read_again = [read_facts(pack, case).values for case in again]
    for name in ("contract.commitment_end", "churn.score", "request.reason", "vip.interests", "cases.compensation_12m"):
        expected = [values[pack.slots[name]] for values in read_again]
        held = part.batch.facts[name].to_list() if name in part.batch.facts.columns else [None, None]
        assert held == [sorted(value) if isinstance(value, frozenset) else value for value in expected], name
    assert part.batch.facts["concession_limit"].to_list() == [case.asker.concession_limit for case in again]
    assert again[0].subscriber.plan is not None
    assert again[0].subscriber.plan.name == 'a"b\\'


# The examples, and requests


@pytest.mark.parametrize("size", [3, 50_000])
def test_the_example_is_read_as_row_by_row(pack: Pack, size: int) -> None:
    """Values, rejects and cases, however it is cut."""
    table, mapping = ROOT / "examples" / "customers.csv", ROOT / "examples" / "customers.map.yaml"
    found = by_columns(pack, table, ASKING, mapping, size)
    assert len(found.cases) == 7
    assert differences(found, by_rows(pack, table, ASKING, mapping)) == []


@pytest.mark.parametrize(
    ("content", "head"),
    [
        (b'id,a\n"s1",1\ns2,2\n"s\n3",4\ns4,"5"\ns5,6\n', ""),
        ("\ufeffid;a\r\ns1;1\r\n\r\ns2;2\r\n".encode(), "delimiter: ;\n"),
        ("id|a\ns1|1\n客|2\ns2|3\n".encode("gbk"), "delimiter: '|'\nencoding: gbk\n"),
        (b"id,a\ns1,1\ns2,\xff\ns3,3\n", ""),
        (b"id,a\ns1,1\rs2,2\ns3,3\n\x00,4\n", ""),
        (b"id,a\ns1,1,\ns2\n,\ns3,3", ""),
        (b"id,a\ns1\rx,1\ns2,2\n", ""),
    ],
)
def test_tables_are_cut_as_row_by_row(tmp_path: Path, pack: Pack, content: bytes, head: str) -> None:
    """Quotes, marks, blank and broken lines, other encodings: the same rows, lines and messages."""
    (tmp_path / "in.csv").write_bytes(content)
    mapping = mapping_file(tmp_path, "  account.tenure_months: a\n", head + HEAD)
    found = by_columns(pack, tmp_path / "in.csv", ASKING, mapping)
    assert differences(found, by_rows(pack, tmp_path / "in.csv", ASKING, mapping)) == []
    assert found.cases


def test_requests_are_taken_each_in_its_zone(tmp_path: Path, pack: Pack) -> None:
    """Lines of NDJSON need no mapping; a subscriber's own zone sets their clock."""
    bodies = [
        {"channel": "app", "as_of": "2026-11-20T20:00:00Z", "subscriber": {"id": f"s{zone[:2]}", "zone": zone}}
        for zone in ("Asia/Tokyo", "Europe/London")
    ]
    (tmp_path / "in.ndjson").write_text("\n".join(map(json.dumps, [*bodies, {"channel": "apps", "subscriber": {"id": "x"}}])))
    (part,) = batches(pack, input_at(tmp_path / "in.ndjson"), ASKING)
    assert facts_of([part], "subscriber", "clock.time") == [("sAs", 300.0), ("sEu", 1200.0)]
    assert [(reject.row, reject.line, reject.problems[0].field) for reject in part.rejects] == [(3, 3, "channel")]


def test_requests_in_small_batches_are_the_same(tmp_path: Path, pack: Pack) -> None:
    """Whoever stands twice is found over the batches, and cases go with their subscribers."""
    bodies = [json.dumps(body) for body in population(3, 12)]
    (tmp_path / "in.jsonl").write_text("\n".join([*bodies, bodies[2]]))
    found = by_columns(pack, tmp_path / "in.jsonl", ASKING, None, 5)
    assert [reject["problems"][0]["message"] for reject in found.rejects] == ["the subscriber stands in row 3 already"]
    assert differences(found, by_rows(pack, tmp_path / "in.jsonl", ASKING, None)) == []
    request = ASKING.of(parse_request(bodies[4].encode()))
    assert Case.from_json(json.loads(found.cases[4])) == take(pack, request, now=NOW, role="campaign")
