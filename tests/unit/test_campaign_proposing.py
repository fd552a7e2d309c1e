"""A mapping proposed from names and cells: what is placed, how, and what is shown of the rest."""

import datetime
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.campaign.input import Sample, Sampled, input_at, propose, samples
from app.campaign.input.naming import Name, taken_apart
from app.campaign.mapping import load_mapping
from app.campaign.problems import TableError
from app.engine.vocabulary import FACTS, Fact

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def sample(**columns: list[Any]) -> Sample:
    return Sample(tuple(Sampled(name, tuple(cells)) for name, cells in {"客户号": [f"k{n}" for n in range(9)], **columns}.items()))


def line_of(text: str, fact: str) -> str:
    """What the mapping says of a fact, without its comment."""
    return next((line.strip().partition("   #")[0] for line in text.splitlines() if line.startswith(f"  {fact}:")), "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("月费(元)", Name("月费", "yuan")),
        ("月费（单位：元）", Name("月费", "yuan")),
        ("套内流量GB", Name("套内流量", "GB")),
        ("账单元_9月", Name("账单", "yuan", 9, "month")),
        ("monthlyFee", Name("monthlyfee")),
        ("MONTHLY_FEE_YUAN", Name("monthlyfee", "yuan")),
        ("data_usage_mb_202610", Name("datausage", "MB", 2026 * 12 + 10, "month")),
        ("bill_m3", Name("bill", None, -3, "back")),
        ("话费_2", Name("话费", None, 2, "count")),
        ("Tenure in Months", Name("tenureinmonths")),
        ("ARPU", Name("arpu")),
        ("网龄(月)", Name("网龄", "months")),
    ],
)
def test_names_are_taken_apart(name: str, expected: Name) -> None:
    """Units in brackets or at the end, months and counts as cycles, camel case as words."""
    assert taken_apart(name) == expected


@pytest.mark.parametrize(
    ("column", "cells", "expected"),
    [
        ("月费(元)", ["59", "29.9"], 'plan.monthly_fee: {column: "月费(元)", unit: yuan}'),
        ("monthly_fee_fen", [5900, 2900], "plan.monthly_fee: {column: monthly_fee_fen, unit: fen}"),
        ("月租", ["5900000", "2900000"], "plan.monthly_fee: {column: 月租, unit: fen}"),
        ("网龄", ["12", "3"], "account.tenure_months: 网龄"),
        ("tenure", [12.0, 3.0], "account.tenure_months: tenure"),
        ("入网日期", ["2024/02/29"], 'account.joined_on: {column: 入网日期, date: "%Y/%m/%d"}'),
        ("入网时间", ["20240229"], 'account.joined_on: {column: 入网时间, date: "%Y%m%d"}'),
        ("joined_on", [datetime.date(2024, 2, 29)], "account.joined_on: joined_on"),
        ("是否融合", ["是", "否"], "home.in_fusion: 是否融合"),
        ("自动缴费", ["开通", "未开通"], 'pay.autopay: {column: 自动缴费, values: {开通: "yes", 未开通: "no"}}'),
        ("has_broadband", [True, False], "home.has_broadband: has_broadband"),
        ("VIP等级", ["金卡", "银卡"], "vip.tier: {column: VIP等级, values: {金卡: gold, 银卡: silver,"),
        ("status", ["active", "Lost"], "account.status: {column: status, values: {active: active, Lost: lost}}"),
        (
            "拒绝渠道",
            ["外呼;短信", ""],
            'consent.refused_channels: {column: 拒绝渠道, split: ";", values: {外呼: outbound_call, 短信: sms_marketing}}',
        ),
        ("已订业务", ["音乐包|视频包"], 'services.held: {column: 已订业务, split: "|"}'),
        ("离网评分", ["0.25", "0.5"], "churn.score: 离网评分"),
        ("离网概率(%)", ["25", "97"], 'churn.score: {column: "离网概率(%)", unit: percent}'),
        ("usage_data_mb", [[1, 2], None], 'usage.data_mb: {column: usage_data_mb, split: ";"}'),
        ("账单金额", ["59;29", "1;2"], 'billing.total: {column: 账单金额, split: ";", unit: yuan}'),
        ("events", ['[{"type":"fault","at":"2026-11-01T10:00:00Z"}]', "[]"], "events: events"),
        ("history", [[{"at": datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC), "channel": "app"}]], "contacts: history"),
    ],
)
def test_a_column_is_placed_by_its_name_and_cells(column: str, cells: list[Any], expected: str) -> None:
    """With unit, form of dates, and what its words mean."""
    text = propose(sample(**{column: (cells * 9)[:9]})).text
    assert line_of(text, expected.partition(":")[0]).startswith(expected), text


def test_columns_of_several_months_make_a_series_oldest_first() -> None:
    """Over the turn of the year, and counted back from now."""
    columns = {f"账单_{month}月": ["59"] * 9 for month in (1, 11, 12)} | {f"data_usage_gb_m{back}": ["1.5"] * 9 for back in (1, 2, 3)}
    text = propose(sample(**columns)).text
    assert line_of(text, "billing.total") == "billing.total: {columns: [账单_11月, 账单_12月, 账单_1月], unit: yuan}"
    assert line_of(text, "usage.data_mb") == "usage.data_mb: {columns: [data_usage_gb_m3, data_usage_gb_m2, data_usage_gb_m1], unit: GB}"


def test_series_of_a_section_get_the_same_cycles() -> None:
    """Longer ones are cut to the latest, shorter ones left out, single figures repeated as often."""
    columns = {f"账单_{month}月": ["5"] * 9 for month in (8, 9, 10, 11)} | {f"优惠_{month}月": ["5"] * 9 for month in (9, 10, 11)}
    columns |= (
        {f"信息费_{month}月": ["5"] * 9 for month in (9, 10, 11)}
        | {f"补差费_{month}月": ["5"] * 9 for month in (10, 11)}
        | {"漫游费": ["1"] * 9}
    )
    found = propose(sample(**columns))
    assert line_of(found.text, "billing.total") == "billing.total: {columns: [账单_9月, 账单_10月, 账单_11月], unit: yuan}"
    assert line_of(found.text, "billing.toll_fee").endswith("cycles: 3}")
    assert [one.column for one in found.unplaced] == ["账单_8月", "补差费_10月", "补差费_11月"]


def test_products_make_the_set_of_services() -> None:
    """Columns that say of one product each whether somebody has it; names that cannot stand on one line get lines of their own."""
    text = propose(sample(**{"Music Pack": ["Yes", "No", ""] * 3, "视频包": ["Yes", "No", "Yes"] * 3})).text
    assert (
        "  services.held:   # put the pack's codes of the services\n    collect:\n      Music Pack: music_pack\n      视频包: 视频包\n"
        in text
    )


def test_what_is_personal_is_not_shown() -> None:
    """By its name or its cells; other columns are shown with three cells."""
    found = propose(sample(姓名=["张三"] * 9, 备注=["13812345678"] * 9, x=["a", "b", "c", "d"] * 2 + ["a"], Age=[41] * 9))
    assert "张三" not in found.text
    assert "138" not in found.text
    assert "41" not in found.text
    assert {one.column: one.examples for one in found.unplaced} == {"姓名": (), "备注": (), "x": ("a", "b", "c"), "Age": ()}
    assert "# - `x`: `a`, `b`, `c`" in found.text


def test_what_does_not_fit_its_name_is_not_placed() -> None:
    """A line is tried on the sample; why it is left out stands beside the column."""
    found = propose(sample(网龄=["5000"] * 9, 套餐名称=["是"] * 9, 入网日期=["soon"] * 9))
    assert found.placed == {}
    assert found.unplaced[0].why == "called like `account.tenure_months`, but expected at most 1,200"


def test_two_columns_of_one_name_are_not_both_placed() -> None:
    """The first that fits is, and the other says so."""
    found = propose(sample(**{"月费(元)": ["59"] * 9, "月租": ["39"] * 9}))
    assert found.placed == {"plan.monthly_fee": ("月费(元)",)}
    assert found.unplaced[0].why == "`plan.monthly_fee` is taken from `月费(元)`"


def test_words_that_are_not_known_are_told() -> None:
    """A column is placed where most words are known, and says which rows it would refuse."""
    text = propose(sample(用户状态=["正常"] * 8 + ["托收"])).text
    assert "用户状态, values: {正常: active," in text
    assert "# rows with `托收` are refused: say what it means" in text


def test_an_operators_own_fact_is_placed_by_its_name() -> None:
    """`custom.…` facts are those of the pack."""
    own = Fact("custom.band", "enum", "", False, ("a", "b"), None, None, "Band", "分档")
    assert propose(sample(band=["a", "b", "a"] * 3), custom={"custom.band": own}).placed == {"custom.band": ("band",)}


def test_the_subscriber_is_found() -> None:
    """By its name, else as the column in which every cell is different; phone numbers are remarked on."""
    found = Sample((Sampled("x", ("1", "1")), Sampled("tel_x", ("13812345678", "13912345678")), Sampled("z", ("a", "b"))))
    assert propose(found).text.splitlines()[1] == "subscriber: tel_x   # looks like phone numbers: better an id"
    assert propose(Sample((Sampled("a", ("1",)), Sampled("用户编号", ("7",))))).text.splitlines()[1] == "subscriber: 用户编号"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("客户号,月费(元)\nk1,59\n".encode("gb18030"), "encoding: gb18030"),
        ("客户号;月费(元)\nk1;59\n".encode(), 'delimiter: ";"'),
        ("客户号\t月费(元)\nk1\t59\nk2\tNULL\n".encode(), 'delimiter: tab\nmissing: ["", "NULL"]'),
    ],
)
def test_how_the_file_is_written_is_said(tmp_path: Path, content: bytes, expected: str) -> None:
    """Encoding, delimiter, and what stands for nothing; the mapping fits the file."""
    (tmp_path / "in.csv").write_bytes(content)
    text = propose(samples(input_at(tmp_path / "in.csv"))).text
    assert expected in text
    (tmp_path / "map.yaml").write_text(text, encoding="utf-8")
    load_mapping(tmp_path / "map.yaml").bind(["客户号", "月费(元)"], datetime.date(2026, 11, 22))


def test_the_example_is_proposed_as_it_is_mapped() -> None:
    """Nothing of the file is left over, and each fact comes from the columns that our own mapping names."""
    source = input_at(ROOT / "examples" / "customers.csv")
    own = load_mapping(ROOT / "examples" / "customers.map.yaml").document.facts
    found = propose(samples(source))
    assert found.unplaced == ()
    assert found.placed == {name: tuple(column for _, column in origin.columns_read()) for name, origin in own.items()}


def test_parquet_is_sampled_with_its_types(tmp_path: Path) -> None:
    """A column of a type that no cell can be is not shown, and does not stop the others."""
    pl.DataFrame({"id": ["a"], "arpu": [59.5], "odd": [datetime.timedelta(1)]}).write_parquet(tmp_path / "in.parquet")
    found = propose(samples(input_at(tmp_path / "in.parquet")))
    assert found.placed == {"value.arpu_6m": ("arpu",)}
    assert [(one.column, one.examples) for one in found.unplaced] == [("odd", ())]


def test_requests_need_no_mapping(tmp_path: Path) -> None:
    """And say so."""
    (tmp_path / "in.ndjson").write_text("{}\n")
    with pytest.raises(TableError, match="its lines are requests and need no mapping"):
        samples(input_at(tmp_path / "in.ndjson"))


_names = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [fact.zh for fact in FACTS.values()] + [fact.en for fact in FACTS.values()] + [name.partition(".")[2] for name in FACTS]
    ),
    st.sampled_from(["a: b", "#x", "- y", '"', "{", "null", "yes", " ", "a,b", "月费(元)", "a\nb", "events", "x_1", "x_2", "账单_1月"]),
)
_cells = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.sampled_from(["是", "否", "59", "0.5", "2024-02-29", "a;b"]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(_names, st.lists(_cells, min_size=3, max_size=3), min_size=1, max_size=8))
def test_whatever_the_columns_are_the_mapping_loads(columns: dict[str, list[Any]]) -> None:
    """As it stands, and its columns are those of the file."""
    made = Sample(tuple(Sampled(name, tuple(cells)) for name, cells in columns.items()))
    try:
        text = propose(made).text
    except TableError:
        assert not any(name.isprintable() for name in columns)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "map.yaml")
        file.write_text(text, encoding="utf-8")
        load_mapping(file).bind(list(columns), datetime.date(2026, 11, 22))
