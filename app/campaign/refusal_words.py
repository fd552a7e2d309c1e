"""Why a row of a table was refused, for people. The reasons are made in English; one that has no Chinese here stays as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.engine.texts import Language, shown

_reasons: Sequence[tuple[str, str]] = (
    (r"the row has too few or too many cells", "该行的列数与首行不符"),
    (r"the row has ([\d,]+) cells? where the first line names ([\d,]+) columns?", r"该行有\1列，首行有\2列"),
    (r"the row is longer than ([\d,]+) bytes", r"该行超过\1字节"),
    (r"is longer than ([\d,]+) bytes", r"超过\1字节"),
    (r"the row is not comma-separated: (.*)", r"该行不是逗号分隔：\1"),
    (r"the row is not ([A-Z0-9-]+)( at byte .*)?", r"该行不是\1编码"),
    (r"the row is more than one row", "该行包含多行内容"),
    (r"the row opens a quote that is not closed", "该行有未闭合的引号"),
    (r"the subscriber stands in the file already", "该用户在文件中重复出现"),
    (r"the subscriber stands in row ([\d,]+) already", r"该用户已出现在第\1行"),
    (r"is not among the `values` of the mapping: (.*); expected one of (.*)", r"不在映射的`values`之中：\1，应为\2之一"),
    (r"is not among the `values` of the mapping", "不在映射的`values`之中"),
    (r"is not one of its words: (.*); expected one of (.*)", r"不是允许的取值：\1，应为\2之一"),
    (r"is not one of its words: (.*); did you mean (.*)\?", r"不是允许的取值：\1，是否为\2"),
    (r"is not one of its words", "不是允许的取值"),
    (r"expected a date such as ([^,]+)(, not (.*))?", r"应为日期，如\1{，而不是\3}"),
    (r"expected a number(, not (.*))?", r"应为数字{，而不是\2}"),
    (r"expected a whole number from ([\d,]+) to ([\d,]+)(, not (.*))?", r"应为\1至\2之间的整数{，而不是\4}"),
    (r"expected a whole number(, not (.*))?", r"应为整数{，而不是\2}"),
    (r"expected the events as a JSON array(, such as (.*) for none)?", r"应为事件的JSON数组{，没有时写\2}"),
    (r"expected the contacts as a JSON array(, such as (.*) for none)?", r"应为接触历史的JSON数组{，没有时写\2}"),
    (r"expected at most ([\d,]+) in size", r"绝对值不得大于\1"),
    (r"expected at least ([^:,]+): (.*) comes to (.*)", r"不得小于\1：\2折合\3"),
    (r"expected at most ([^:,]+): (.*) comes to (.*)", r"不得大于\1：\2折合\3"),
    (r"expected at least ([^:,]+)(, not (.*))?", r"不得小于\1{，而不是\3}"),
    (r"expected at most ([^:,]+)(, not (.*))?", r"不得大于\1{，而不是\3}"),
    (r"expected yes or no(, not (.*); other words are translated by `values:`)?", r"应为是或否{，而不是\2，其他写法请在`values:`中对应}"),
    (r"only a date can be null, which means never", "只有日期可以为空（表示从未）"),
    (r"expected one value, not a list", "应为单个值，而不是列表"),
    (r"expected a list", "应为列表"),
    (r"expected fewer months: the date would be before the year 1", "月数过大，日期早于公元1年"),
    (r"expected 1 to 64 characters: letters or digits, then also (.*)", r"应为1至64个字符：以字母或数字开头，其后还可用\1"),
    (r"expected one of (.*)", r"应为\1之一"),
    (r"expected (.+)", r"不符合要求：\1"),
    (r"is required", "为必填项"),
    (r"does not exist; did you mean (.*)\?", r"不存在，是否为\1"),
    (r"does not exist", "不存在"),
    (r"is not what is expected here", "不是此处应有的内容"),
    (r"is too large a number", "数字过大"),
)
_maybe = re.compile(r"\{(.*?)\}")
_amount = re.compile(r"(-?[\d,.]+(?:e\+\d+)?) fen\b")


def reason(text: str, language: Language, currency: str) -> str:
    """A reason in the language, amounts as people write them in the currency."""
    told = _amount.sub(lambda found: shown(float(found[1].replace(",", "")), "money", language, currency), text)
    return _in_chinese(told).replace("`, `", "`、`") if language == "zh" else told


def _in_chinese(text: str) -> str:
    for pattern, said in _reasons:
        found = re.fullmatch(pattern, text, re.DOTALL)
        if found is not None:
            more = found.re.groups and found[found.re.groups] is not None
            return found.expand(_maybe.sub(r"\1" if more else "", said))
    return text


def problem(column: str | None, field: str | None, message: str, language: Language, currency: str) -> str:
    """A problem of a row: the column, or the fact it was meant for, and what is wrong with it."""
    if language != "zh":
        where = f"column `{column}`: " if column else f"`{field}`: " if field else ""
        return f"{where}{reason(message, language, currency)}"
    where = f"列“{column}”" if column else f"`{field}`" if field else ""
    return f"{where}{'：' if where else ''}{reason(message, language, currency)}"
