"""The cases of whole columns as canonical JSON: the bytes that the record keeps, from which a decision is replayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from app.campaign.input.texts import json_text, number_text, truth_text, whole_text, word_text
from app.record.canonical import canonical

if TYPE_CHECKING:
    from app.engine.vocabulary import Fact

ID = "subscriber"
LIMIT = "concession_limit"
HISTORIES = ("events", "contacts")
_EPOCH = 719_163


def no_cases() -> pl.Series:
    """The cases of nobody."""
    return made_cases([])


def made_cases(cases: Sequence[bytes]) -> pl.Series:
    """Cases that were written one by one."""
    return pl.Series("case", cases, dtype=pl.Binary())


def case_texts(frame: pl.DataFrame, case: Mapping[str, Any], facts: Mapping[str, Fact], fixed: frozenset[str]) -> pl.Series:
    """The JSON of every row's case.

    Args:
        frame: `subscriber`, `concession_limit` and, by name, what is sent for the facts; `events` and `contacts` as JSON, where they come
            from columns.
        case: of a row that says nothing, as JSON values: what is the same for all.
        facts: those that come from columns, in the types of `columns.TYPES`.
        fixed: facts of the request that are the same for all, whatever the columns say.
    """
    sections: dict[str, dict[str, Any]] = {}
    request: dict[str, Any] = {}
    for name, fact in facts.items():
        section, _, field = name.partition(".")
        text = _text(pl.col(name), fact)
        if section != "request":
            sections.setdefault(section, dict(case["subscriber"].get(section, {})))[field] = text
        elif name not in fixed:
            request[field] = text.fill_null(canonical(case[field]).decode())
    asker = {**case["asker"], "concession_limit": pl.col(LIMIT)}
    written = frame.select(
        ID,
        *(pl.col(name) for name in HISTORIES if name in frame.columns),
        *(_inside(tree).alias(section) for section, tree in sections.items()),
        _inside(asker).alias("asker"),
        *(text.alias(field) for field, text in request.items()),
    )
    always = {section for section, tree in sections.items() if any(not isinstance(value, pl.Expr) for value in tree.values())}
    subscriber = dict(case["subscriber"]) | {name: pl.col(name) for name in written.columns if name in HISTORIES}
    whole = {**case, "asker": None, **request}
    parts: list[pl.Expr | str] = []
    for key in sorted(whole):
        before = "," if parts else "{"
        if key == "subscriber":
            parts += [f'{before}"subscriber":{{', *_subscriber(subscriber, sections, always), "}"]
        elif key == "asker":
            parts += [f'{before}"asker":{{', pl.col("asker"), "}"]
        else:
            parts += [f'{before}"{key}":', pl.col(key) if key in request else canonical(whole[key]).decode()]
    return written.select(_joined([*parts, "}"]).alias("case")).to_series()


def _subscriber(same: Mapping[str, Any], sections: Mapping[str, Any], always: set[str]) -> Iterator[pl.Expr | str]:
    """The members of the subscriber: those before the id end with a comma and those after it begin with one, since each may be left out."""
    for key in sorted({*same, *sections, "id"}):
        before, after = ("", ",") if key < "id" else (",", "")
        if key == "id":
            yield from ('"id":', json_text(pl.col(ID)))
        elif key in sections:
            is_there = pl.lit(value=True) if key in always else pl.col(key) != ""
            yield pl.when(is_there).then(pl.lit(f'{before}"{key}":{{'))
            yield pl.col(key)
            yield pl.when(is_there).then(pl.lit(f"}}{after}"))
        elif isinstance(same[key], pl.Expr):
            yield pl.format(f'{before}"{key}":{{}}{after}', same[key])
        else:
            yield f'{before}"{key}":{canonical(same[key]).decode()}{after}'


def _joined(parts: Iterable[pl.Expr | str]) -> pl.Expr:
    """The parts as one text; what is null is left out, and what is the same for all goes together."""
    found: list[pl.Expr] = []
    same = ""
    for part in parts:
        if isinstance(part, str):
            same += part
            continue
        found += [pl.lit(same), part] if same else [part]
        same = ""
    return pl.concat_str([*found, pl.lit(same)], ignore_nulls=True)


def _inside(tree: Mapping[str, Any]) -> pl.Expr:
    """An object without its braces, the keys in order; what is null is left out."""
    return pl.concat_str(list(_members(tree)), ignore_nulls=True).str.strip_suffix(",")


def _members(tree: Mapping[str, Any]) -> Iterator[pl.Expr]:
    """Each member with a comma after it; members that are the same for all go together."""
    same = ""
    for key in sorted(tree):
        value = tree[key]
        if not isinstance(value, pl.Expr):
            same += f'"{key}":{canonical(value).decode()},'
            continue
        if same:
            yield pl.lit(same)
            same = ""
        yield pl.format(f'"{key}":{{}},', value)
    if same:
        yield pl.lit(same)


def _text(column: pl.Expr, fact: Fact) -> pl.Expr:
    """The JSON of what is sent for a fact."""
    number = whole_text if fact.integral else number_text
    if fact.kind == "number":
        return number(column)
    if fact.kind == "series":
        entries = column.list.eval(number(pl.element()).fill_null("null")).list.join(",")
        return pl.concat_str(pl.lit("["), entries, pl.lit("]"))
    if fact.kind == "boolean":
        return truth_text(column)
    if fact.kind == "date":
        day = pl.concat_str(pl.lit('"'), (column - _EPOCH).cast(pl.Date).dt.to_string("%Y-%m-%d"), pl.lit('"'))
        return pl.when(column == 0).then(pl.lit("null")).otherwise(day)
    if fact.kind == "set":
        words = column.list.eval(word_text(pl.element()) if fact.values else json_text(pl.element())).list.join(",")
        return pl.concat_str(pl.lit("["), words, pl.lit("]"))
    return word_text(column) if fact.kind == "enum" else json_text(column)
