"""The mapping file: what it accepts, what it refuses and where, and what it makes of a row."""

import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.campaign.cells import MISSING, Unfit, finished, months_after, number, typed
from app.campaign.mapping import MappingError, load_mapping
from app.campaign.problems import RowRefused, TableError
from app.engine.vocabulary import FACTS, Fact

pytestmark = pytest.mark.unit

TODAY = datetime.date(2026, 11, 20)
HEAD = "subscriber: Id\nrequest: {channel: app}\n"


def mapped(tmp_path: Path, facts: str, cells: dict[str, str], head: str = HEAD) -> dict[str, Any]:
    """The facts that a mapping takes from one row."""
    file = tmp_path / "map.yaml"
    file.write_text(f"{head}facts:\n{facts}", encoding="utf-8")
    header = ["Id", *cells]
    _, bound = load_mapping(file).bind(header, TODAY)
    values = {f"{column.section}.{column.field}": column.read(["s-1", *cells.values()]) for column in bound}
    return {name: value for name, value in values.items() if value is not MISSING}


def problems(tmp_path: Path, text: str) -> list[str]:
    """What is wrong with a mapping, each as `line:column message; hint`."""
    file = tmp_path / "map.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        load_mapping(file)
    return [f"{p.place.line}:{p.place.column} {p.message}{f'; {p.hint}' if p.hint else ''}" for p in caught.value.problems]


@pytest.mark.parametrize(
    ("fact", "cells", "expected"),
    [
        ("account.tenure_months: A", {"A": "62"}, 62),
        ("account.tenure_months: A", {"A": " 62 "}, 62),
        ("plan.monthly_fee: {column: A, factor: 700}", {"A": "65.6"}, 45920),
        ("plan.monthly_fee: {column: A, unit: yuan}", {"A": "1,299.9"}, 129990),
        ("plan.monthly_fee: {column: A, factor: 100, offset: 50}", {"A": "1"}, 150),
        ("plan.data_mb: {column: A, unit: GB}", {"A": "1.5"}, 1536),
        ("now.data_used_share: {column: A, unit: percent}", {"A": "97"}, 0.97),
        ("billing.total: {column: A, cycles: 3}", {"A": "5900"}, [5900, 5900, 5900]),
        ("billing.total: {columns: [A, B]}", {"A": "5900", "B": ""}, [5900, None]),
        ("billing.total: {columns: [A, B], unit: yuan}", {"A": "59", "B": "-1.5"}, [5900, -150]),
        ("value.annual: {column: A, factor: 8400, divide_by: B}", {"A": "974.81", "B": "9"}, 909823),
        ("value.annual: {add: [A, {column: B, factor: 2}], factor: 10}", {"A": "5", "B": "3"}, 110),
        ("value.annual: {add: [A, {column: B, if_missing: 0}]}", {"A": "5", "B": ""}, 5),
        ("home.has_broadband: A", {"A": "Yes"}, True),
        ("home.has_broadband: A", {"A": "否"}, False),
        ("home.has_broadband: {column: A, values: {on: yes, off: no}}", {"A": "off"}, False),
        ("device.generation: {column: A, values: {是: 5g, 否: 4g}}", {"A": "是"}, "5g"),
        ("account.joined_on: A", {"A": "2024-02-29"}, "2024-02-29"),
        ('account.joined_on: {column: A, date: "%d/%m/%Y"}', {"A": "29/02/2024"}, "2024-02-29"),
        ("account.joined_on: {column: A, date: months_ago}", {"A": "9"}, "2026-02-20"),
        ("account.joined_on: {column: A, date: days_ago}", {"A": "20"}, "2026-10-31"),
        ("contract.commitment_end: {column: A, date: term_end, since: B}", {"A": "12", "B": "9"}, "2027-02-20"),
        ("contract.commitment_end: {column: A, date: term_end, since: B}", {"A": "12", "B": "24"}, "2026-11-20"),
        ("contract.commitment_end: {column: A, date: term_end, since: B}", {"A": "24", "B": "25"}, "2028-10-20"),
        ("contract.commitment_end: {column: A, if_missing: null}", {"A": ""}, None),
        ("contract.commitment_end: {column: A, values: {none: null}}", {"A": "none"}, None),
        ("services.held: {collect: {A: music, B: video}}", {"A": "Yes", "B": "No"}, ["music"]),
        ("services.held: {collect: {A: music, B: video}, when: 是}", {"A": "", "B": "是"}, ["video"]),
        ("services.held: {collect: {A: music, B: video}, if_missing: []}", {"A": "", "B": ""}, []),
        ('services.held: {column: A, split: ";"}', {"A": "music; video;"}, ["music", "video"]),
        (
            'consent.refused_channels: {column: A, split: ";", values: {短信: sms_marketing, 外呼: outbound_call}}',
            {"A": "外呼"},
            ["outbound_call"],
        ),
        ("request.reason: A", {"A": "bill"}, "bill"),
    ],
)
def test_reads_a_fact(tmp_path: Path, fact: str, cells: dict[str, str], expected: object) -> None:
    """Each way to take a fact from a row gives exactly the value it says."""
    assert mapped(tmp_path, f"  {fact}\n", cells) == {fact.partition(":")[0]: expected}


@pytest.mark.parametrize(
    ("fact", "cells"),
    [
        ("account.tenure_months: A", {"A": ""}),
        ("account.tenure_months: {column: A, missing: [NA]}", {"A": "NA"}),
        ("value.annual: {add: [A, B]}", {"A": "5", "B": ""}),
        ("value.annual: {column: A, divide_by: B}", {"A": "5", "B": ""}),
        ("value.annual: {column: A, divide_by: B}", {"A": "5", "B": "0"}),
        ("billing.total: {column: A, cycles: 3}", {"A": ""}),
        ("services.held: {collect: {A: music, B: video}}", {"A": "", "B": ""}),
    ],
)
def test_leaves_a_fact_unknown(tmp_path: Path, fact: str, cells: dict[str, str]) -> None:
    """A missing cell, and what cannot be worked out without it, gives no value at all."""
    assert mapped(tmp_path, f"  {fact}\n", cells) == {}


def test_missing_words_hold_for_every_fact(tmp_path: Path) -> None:
    """`missing:` at the top names the cells that say nothing, unless a fact has its own."""
    facts = "  account.tenure_months: A\n  home.family_lines: {column: B, missing: [none]}\n"
    assert mapped(tmp_path, facts, {"A": "NA", "B": "2"}, f"{HEAD}missing: [NA]\n") == {"home.family_lines": 2}


@pytest.mark.parametrize(
    ("fact", "cells", "message"),
    [
        ("account.tenure_months: A", {"A": "nine"}, "column `A`: expected a number, not `nine`"),
        ("account.tenure_months: A", {"A": "9.5"}, "column `A`: expected a whole number, not 9.5"),
        ("account.tenure_months: A", {"A": "1e9"}, "column `A`: expected a number, not `1e9`"),
        ("account.tenure_months: A", {"A": "nan"}, "column `A`: expected a number, not `nan`"),
        ("account.tenure_months: A", {"A": "9" * 400}, "expected a number, not"),
        ("account.tenure_months: A", {"A": "5000"}, "column `A`: expected at most 1,200, not 5,000"),
        ("plan.monthly_fee: {column: A, factor: 700}", {"A": "-4.0"}, "column `A`: expected at least 0: `-4.0` comes to -2,800 fen"),
        ("home.has_broadband: A", {"A": "maybe"}, "expected yes or no, not `maybe`"),
        ("device.generation: A", {"A": "5gg"}, "is not one of its words: `5gg`; did you mean `5g`?"),
        (
            "device.generation: {column: A, values: {Y: 5g}}",
            {"A": "Z"},
            "is not among the `values` of the mapping: `Z`; expected one of `Y`",
        ),
        ("account.joined_on: A", {"A": "2023-02-29"}, "expected a date such as 2026-11-22, not `2023-02-29`"),
        ('account.joined_on: {column: A, date: "%d/%m/%Y"}', {"A": "2024-02-29"}, "expected a date such as 22/11/2026"),
        ("account.joined_on: {column: A, date: months_ago}", {"A": "-1"}, "expected a whole number from 0 to 36,500"),
    ],
)
def test_refuses_a_cell(tmp_path: Path, fact: str, cells: dict[str, str], message: str) -> None:
    """A cell that does not fit its fact is refused by its column, with what was expected."""
    with pytest.raises(RowRefused) as caught:
        mapped(tmp_path, f"  {fact}\n", cells)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("facts: {}\nrequest: {channel: app}\n", ["1:1 `subscriber` is missing"]),
        (f"{HEAD}facts:\n  plan.montly_fee: A\n", ["4:20 unknown fact `plan.montly_fee`; did you mean `plan.monthly_fee`?"]),
        (f"{HEAD}facts:\n  plan.best_public_id: A\n", ["4:24 `plan.best_public_id` is computed by the engine; leave it out"]),
        (f"{HEAD}facts:\n  plan.name: {{colum: A}}\n", ["4:22 unknown key `colum`; did you mean `column`?"]),
        (f"{HEAD}colums: 3\nfacts: {{}}\n", ["3:9 unknown key `colums`"]),
        (
            f"{HEAD}facts:\n  plan.monthly_fee: {{column: A, cycles: 3}}\n",
            ["4:41 `cycles` makes a series, and `plan.monthly_fee` is a number"],
        ),
        (
            f"{HEAD}facts:\n  billing.total: A\n",
            ["`billing.total` is a series; name a column a cycle in `columns:`, or repeat one with `cycles: 4`"],
        ),
        (
            f"{HEAD}facts:\n  plan.data_mb: {{column: A, unit: yuan}}\n",
            ["no way from `yuan` to `MB`; known: GB, KB, MB, TB; or give a `factor:`"],
        ),
        (
            f'{HEAD}facts:\n  account.joined_on: {{column: A, date: "%d"}}\n',
            ["expected `months_ago`, `days_ago`, `term_end` or a form such as"],
        ),
        (
            f"{HEAD}facts:\n  device.generation: {{column: A, values: {{x: 6g}}}}\n",
            ["4:46 is not one of its words: `6g`; expected one of 3g, 4g, 5g"],
        ),
        (f"{HEAD}facts:\n  plan.name: {{column: A, columns: [B]}}\n", ["exactly one of `column`, `columns`, `add` and `collect`"]),
        (f"{HEAD}facts:\n  plan.data_mb: {{column: A, unit: GB, factor: 2}}\n", ["`factor` and `unit` say the same thing"]),
        (f"{HEAD}constants: {{consent.marketing: maybe}}\nfacts: {{}}\n", ["3:32 `consent.marketing`: is not one of its words: `maybe`"]),
        (f"{HEAD}constants: {{events: [x]}}\nfacts: {{}}\n", ["`events` cannot come from a table"]),
        (f"{HEAD}constants: {{plan.id: p}}\nfacts:\n  plan.id: A\n", ["`plan.id` is a constant as well; keep one of them"]),
        ("subscriber: Id\nrequest: {channel: sms}\nfacts: {}\n", ["2:20 `channel`: input should be"]),
        (
            "subscriber: Id\nrequest: {chanel: app}\nfacts: {}\n",
            ["unknown key `chanel`; did you mean `channel`?", "`request.channel` is missing"],
        ),
        ("subscriber: Id\nfacts: {}\n", ["`request.channel` is missing"]),
        (f"{HEAD}facts: {{}}\nfacts: {{}}\n", ["the key `facts` stands twice"]),
        ("- a\n", ["the file is not a mapping"]),
        ("", ["the file is empty"]),
    ],
)
def test_names_mistakes_in_a_mapping(tmp_path: Path, text: str, expected: list[str]) -> None:
    """Mistakes in the file come with line and column, what is wrong, and the nearest right thing."""
    found = problems(tmp_path, text)
    assert len(found) == len(expected), found
    for message in expected:
        assert any(message in problem for problem in found), found


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Nobody has to run it again to see the next mistake."""
    assert len(problems(tmp_path, f"{HEAD}facts:\n  plan.idd: A\n  plan.nam: B\n  billing.total: C\n")) == 3


def test_a_column_that_the_file_lacks_is_named_with_its_nearest(tmp_path: Path) -> None:
    """The mapping's line is told, and the column that was meant."""
    file = tmp_path / "map.yaml"
    file.write_text(f"{HEAD}facts:\n  account.tenure_months: Tenur\n")
    mapping = load_mapping(file)
    with pytest.raises(MappingError, match=r"map\.yaml:4:26: error\[column\]: the file has no column `Tenur`; did you mean `Tenure`\?"):
        mapping.bind(["Id", "Tenure"], TODAY)


def test_an_operators_own_fact_is_typed_by_the_pack(tmp_path: Path) -> None:
    """`custom.*` facts are known when the pack names them, and checked like the rest."""
    own = Fact("custom.band", "enum", "", False, ("a", "b"), None, None, "Band", "分档")
    file = tmp_path / "map.yaml"
    file.write_text(f"{HEAD}facts:\n  custom.band: A\n")
    with pytest.raises(MappingError, match=r"unknown fact `custom\.band`"):
        load_mapping(file)
    _, (column,) = load_mapping(file, {"custom.band": own}).bind(["Id", "A"], TODAY)
    assert column.read(["s", "b"]) == "b"


def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path) -> None:
    """Neither a folder nor a missing file gives a traceback."""
    for path in (tmp_path, tmp_path / "no.yaml"):
        with pytest.raises(TableError, match=r"is a folder|no such file"):
            load_mapping(path)


def test_numbers_are_exact() -> None:
    """No float stands between a cell and its fact: a tenth is a tenth."""
    assert number("0.1") * 3 == number("0.3")
    assert finished(FACTS["plan.monthly_fee"], number("0.285") * 100, scaled_from="`0.285`") == 28


def test_numbers_may_have_every_digit_that_a_program_writes() -> None:
    """Twenty-five before and after the point, exactly; then they are as large or as long as no fact is."""
    assert number("0.30000000000000004") == Fraction(30000000000000004, 10**17)
    assert number("-0.1234567890123456789012345") == Fraction(-1234567890123456789012345, 10**25)
    assert finished(FACTS["churn.score"], number("0.1000000000000000055511151")) == 0.1
    assert number("1,000,000,000,000,000,000") == number("1" + "0" * 18)
    with pytest.raises(Unfit, match="expected at most"):
        finished(FACTS["value.annual"], number("1" + "0" * 24))
    for text in ("0." + "1" * 26, "1" * 26, "1,00", "0.1e-3"):
        with pytest.raises(Unfit, match="expected a number"):
            number(text)


def test_months_end_where_the_month_does() -> None:
    """A month after 31 January is the last of February."""
    assert months_after(datetime.date(2026, 1, 31), 1) == datetime.date(2026, 2, 28)
    assert months_after(datetime.date(2026, 1, 31), -11) == datetime.date(2025, 2, 28)
    assert months_after(datetime.date(2026, 12, 1), 1) == datetime.date(2027, 1, 1)


def test_constants_are_typed() -> None:
    """A word of a constant becomes what its fact is."""
    assert typed(FACTS["home.has_broadband"], "yes") is True
    assert typed(FACTS["services.toll_pack_fee"], "1000") == 1000
    assert typed(FACTS["consent.refused_channels"], ["app"]) == ["app"]
    assert typed(FACTS["billing.total"], ["1", "2"]) == [1, 2]
    assert typed(FACTS["contract.commitment_end"], None) is None
