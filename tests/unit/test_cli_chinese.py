"""The command line in Chinese: where lines break, which language is spoken, and that no English is left in the frame."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from app.campaign.refusal_words import problem, reason
from app.cli import app, meaning_words
from app.cli.breaking import places
from app.cli.commands.options import locale_of
from app.cli.labels import why_nothing
from app.engine.decision import EmptyBecause
from app.engine.vocabulary import FACTS, Fact
from app.workbench import explaining

pytestmark = pytest.mark.unit
EXAMPLES = Path(__file__).parents[2] / "examples"
LINE = "1. 长途包：【澄川通信】您上月套餐外通话费48元。30分钟包（方案编号EX26CN20030）每月10元，办理请到App、网站或营业厅。"


def lines(text: str, width: int) -> list[str]:
    found = [0, *places(text, width), len(text)]
    return [text[start:end].rstrip() for start, end in pairwise(found)]


@pytest.mark.parametrize("width", range(14, 60))
def test_lines_break_where_people_would(width: int) -> None:
    """No line begins with a stop or a closing bracket or ends with an opening one, none is too wide, no code or figure is cut."""
    found = lines(LINE, width)
    assert "".join(found).replace(" ", "") == LINE.replace(" ", "")
    assert all(cell_len(line) <= width for line in found)
    assert not any(line[0] in "。，、：）】" or line[-1] in "（【" for line in found)
    if width >= 22:
        assert sum("EX26CN20030" in line for line in found) == 1
        assert not any(re.match(r"元|1\.$", line) for line in found)


def test_a_code_longer_than_a_line_is_cut() -> None:
    """It has to be somewhere."""
    assert lines("编号" + "X" * 30, 12) == ["编号", "X" * 12, "X" * 12, "X" * 6]


@pytest.mark.parametrize("name", ["02", "23", "25"])
def test_a_decision_on_the_terminal_is_chinese(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for names of clauses and parameters, which a reader looks up in the pack; and no line begins with a stop."""
    monkeypatch.setenv("WANLIU_PACK", str(EXAMPLES.parent))
    text = CliRunner().invoke(app, ["decide", "--full", str(next(EXAMPLES.glob(f"{name}-*.json"))), "--locale", "zh-CN"]).output
    assert "建议动作" in text
    assert not re.search(r"(?<![\w.-])(yes|no|offer|owed|care|outbound|inbound|watch|high|severe|unknown|missing)(?![\w.-])", text)
    assert not [line for line in text.splitlines() if line.strip()[:1] in tuple("。，、")]


@pytest.mark.parametrize(
    ("locale", "false", "unknown"),
    [
        (
            "zh-CN",
            "未归入：挽留不成立：近30天咨询次数、投诉在途、故障未修复、疑似强开等；重复投诉（严重）；",
            "情况未知：越级申诉（严重）；离网高危（严重）",
        ),
        ("en", "NotRescuedoesnothold:enquiryeventsin30days,complaintopen,", "notknown:appealtoaregulator(severe);likelytoleave(severe)"),
    ],
)
def test_false_and_unknown_are_told_apart(locale: str, false: str, unknown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why not a stronger phase, in words: what is unknown is not called false as well, and no code of the pack is left."""
    body = json.loads((EXAMPLES / "02-high-tariff.json").read_bytes())
    for section in ("churn", "cases"):
        body["subscriber"].pop(section, None)
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body))
    monkeypatch.setenv("WANLIU_PACK", str(EXAMPLES.parent))
    text = CliRunner().invoke(app, ["decide", "--full", str(file), "--locale", locale]).output
    said = re.sub(r"\s", "", text)
    assert false in said
    assert unknown in said
    assert said.count(unknown.split("；")[-1].split(";")[-1]) == 1
    assert "appealed" not in text
    assert "very_likely_to_leave" not in text


@pytest.mark.parametrize("code", get_args(EmptyBecause))
def test_why_a_list_is_empty_is_said_of_the_list(code: str) -> None:
    """In both languages, and never in one word that means something else there."""
    assert " " in why_nothing(code, "en")
    assert why_nothing(code, "en") != code.replace("_", " ")
    assert re.fullmatch("[\u4e00-\u9fff]{4,}", why_nothing(code, "zh"))


def test_what_a_name_means_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and codes by their words, each with its name in the pack's files; conditions as they are written."""
    monkeypatch.setenv("WANLIU_PACK", str(EXAMPLES.parent))
    names = ["pack", "explain", "tariff_pack", "four_high.tariff", "account.status", "retention"]
    said = re.sub(r"\s", "", CliRunner().invoke(app, [*names, "--locale", "zh-CN"], env={"COLUMNS": "140"}).output)
    for told in (
        "类别（kind）营销（offer）",
        "阶段（phases）预防（prevention）、维系（retention）",
        "营销短信（sms_marketing）",
        "具备条件not_alreadynotoverlap(services.held,param.toll_packs)",
        "严重facts.toll_fee>=",
        "四高叠加严重、高",
        "国际及港澳台通话大包互斥1",
        "选项：正常（active）、单停（barred_out）",
        "政策0.9、服务1.2、情感1",
    ):
        assert told in said, told
    english = CliRunner().invoke(app, [*names, "--locale", "en"], env={"COLUMNS": "140"}).output
    assert "offer" in english
    assert not re.search("[\u4e00-\u9fff]", english)
    (meaning,) = json.loads(CliRunner().invoke(app, ["pack", "explain", "tariff_pack", "--locale", "zh-CN", "--json"]).output)
    assert ["kind", "offer"] in meaning["words"]


@pytest.mark.parametrize("key", [*explaining._WORDS, *explaining._MONEY, *explaining._TEXTS, "mix", "opens", "channels"])
def test_each_key_of_a_meaning_has_a_word(key: str) -> None:
    """What a page of `pack explain` can name."""
    assert re.match("[\u4e00-\u9fff]+（", meaning_words.key(key))


@pytest.mark.parametrize("fact", FACTS.values(), ids=str)
def test_each_kind_of_fact_has_words(fact: Fact) -> None:
    """In Chinese, with its unit; values of which there are words by these."""
    said = meaning_words.kind(fact.kind + (f", {fact.unit}" if fact.unit else ""))
    assert re.fullmatch("[\u4e00-\u9fff]+(，([\u4e00-\u9fff]+|MB|dBm|Mbit/s))?", said)


def test_thresholds_are_told_without_their_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Chinese after the facts, in one line; no name of a parameter is left."""
    monkeypatch.setenv("WANLIU_PACK", str(EXAMPLES.parent))
    text = CliRunner().invoke(app, ["decide", "--full", str(EXAMPLES / "02-high-tariff.json"), "--locale", "zh-CN"]).output
    assert "上月国际及套外通话费：48元；国际及港澳台通话包月费：10元；门槛：3倍、30元" in text
    assert "param." not in text


def test_the_environment_says_which_language() -> None:
    """LC_ALL before LC_MESSAGES before LANG; Chinese in any of its forms, else English."""
    assert locale_of({"LANG": "zh_CN.UTF-8"}) == "zh-CN"
    assert locale_of({"LC_MESSAGES": "zh_TW", "LANG": "en_US.UTF-8"}) == "zh-CN"
    assert locale_of({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}) == "en"
    assert locale_of({"LC_ALL": "", "LANG": "zh"}) == "zh-CN"
    assert locale_of({}) == "en"


def test_commands_follow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left out, `--locale` is the environment's; given, it counts."""
    monkeypatch.setenv("WANLIU_PACK", str(EXAMPLES.parent))
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "动作" in CliRunner().invoke(app, ["pack", "show"]).output
    assert "动作" not in CliRunner().invoke(app, ["pack", "show", "--locale", "en"]).output


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("the row has too few or too many cells", "该行的列数与首行不符"),
        ("the row has 9 cells where the first line names 26 columns", "该行有9列，首行有26列"),
        ("expected a date such as 2026/11/22", "应为日期，如2026/11/22"),
        ("expected a date such as 2026/11/22, not `x`", "应为日期，如2026/11/22，而不是`x`"),
        ("expected a number", "应为数字"),
        ("expected at least 0: `-59` comes to -5,900 fen", "不得小于0：`-59`折合-59元"),
        ("expected yes or no, not `x`; other words are translated by `values:`", "应为是或否，而不是`x`，其他写法请在`values:`中对应"),
        (
            "is not among the `values` of the mapping: `x`; expected one of `是`, `否`",
            "不在映射的`values`之中：`x`，应为`是`、`否`之一",
        ),
        ("expected the events as a JSON array, such as `[]` for none", "应为事件的JSON数组，没有时写`[]`"),
        ("expected at most 9,007,199,254,740,992 in size", "绝对值不得大于9,007,199,254,740,992"),
        ("something new", "something new"),
    ],
)
def test_refusals_are_told_in_chinese(english: str, chinese: str) -> None:
    """With what was found; a reason that has no words yet as it is."""
    assert reason(english, "zh", "CNY") == chinese
    assert reason(english, "en", "CNY") == english.replace("-5,900 fen", "-¥59")


def test_amounts_are_told_in_the_currency_of_the_pack() -> None:
    """Not in the smallest unit, which the mapping works in."""
    told = "expected at most 100: `1234.5` comes to 123,450 fen"
    assert reason(told, "en", "EUR") == "expected at most 100: `1234.5` comes to €1,234.50"
    assert reason(told, "zh", "EUR") == "不得大于100：`1234.5`折合1,234.50欧元"
    assert reason("expected at most 100: `2` comes to 1e+11 fen", "zh", "CNY") == "不得大于100：`2`折合1,000,000,000元"


def test_a_refusal_names_its_column() -> None:
    """Or the fact it was meant for."""
    assert problem("月费", None, "expected a number", "zh", "CNY") == "列“月费”：应为数字"
    assert problem(None, "billing.total", "is required", "zh", "CNY") == "`billing.total`：为必填项"
    assert problem(None, None, "the row is more than one row", "zh", "CNY") == "该行包含多行内容"
    assert problem("fee", None, "expected a number", "en", "EUR") == "column `fee`: expected a number"


def test_a_table_of_refusals_is_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the example file, all five."""
    monkeypatch.setenv("WANLIU_PACK", str(EXAMPLES.parent))
    files = ["--table", str(EXAMPLES / "customers.csv"), "--mapping", str(EXAMPLES / "customers.map.yaml")]
    text = CliRunner().invoke(app, ["decide", *files, "--out", str(tmp_path / "out")]).output
    assert "第4行（文件第5行）：列“月费(元)”：不得小于0" in text
    assert not re.search(r"expected|column|\b(watch|high|severe)\b", text)
