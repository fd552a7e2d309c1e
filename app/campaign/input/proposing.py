"""A mapping to begin with: which column is probably which fact, from the columns' names and what stands in them.

Every line of it was tried on the sample; a fact that most of its cells do not fit is not proposed.
"""

from __future__ import annotations

import datetime
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.campaign.cells import MISSING as SAYS_NOTHING
from app.campaign.input.guessing import CYCLES, ENOUGH, MAKERS, PHONE_OR_ID, Keys, amount, text_of, yes_or_no
from app.campaign.input.naming import Name, facts_named, is_personal, is_subscriber, taken_apart
from app.campaign.input.sampling import Sample, Sampled, samples
from app.campaign.input.synonyms import MISSING, PRODUCTS
from app.campaign.mapping import MappingError, mapping_of
from app.campaign.problems import RowRefused, TableError
from app.engine.problems import shown
from app.engine.vocabulary import FACTS, SECTIONS, Fact
from app.engine.vocabulary.sections.base import CycleSection
from app.engine.vocabulary.types import LONGEST_SERIES

__all__ = ["Proposal", "Sample", "Sampled", "Unplaced", "propose", "samples"]

_SHOWN = 3
_PLAIN = re.compile(r"^[A-Za-z0-9_\u4e00-\u9fff]+(?: [A-Za-z0-9_\u4e00-\u9fff]+)*$")
_NAMEABLE = re.compile("^[\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*$")
_FLOW_KEY = re.compile(r"^[\w.]+$")
_WORDS_OF_YAML = frozenset({"null", "yes", "no", "true", "false", "on", "off", "y", "n"})
_DAY = datetime.date(2026, 11, 22)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A column of which no fact is made: some of its cells, none where it may be personal, and why."""

    column: str
    examples: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping file, what it places and what not.

    Attributes:
        text: the file; it loads as it is.
        placed: the columns of each fact.
        unplaced: the others.
    """

    text: str
    placed: Mapping[str, tuple[str, ...]]
    unplaced: tuple[Unplaced, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A fact of the mapping: its columns, what makes it of them, and what to look at."""

    fact: str
    columns: tuple[str, ...]
    keys: Keys
    note: str = ""

    def written(self) -> list[str]:
        """The fact as YAML: on one line, unless it has keys that cannot stand on one."""
        note = f"   # {_comment(self.note)}" if self.note else ""
        if list(self.keys) == ["column"]:
            return [f"  {self.fact}: {_quoted(self.columns[0])}{note}"]
        inner = [value for value in self.keys.values() if isinstance(value, dict)]
        if all(_FLOW_KEY.match(key) for value in inner for key in value):
            return [f"  {self.fact}: {{{', '.join(f'{key}: {_flow(value)}' for key, value in self.keys.items())}}}{note}"]
        lines = [f"  {self.fact}:{note}"]
        for key, value in self.keys.items():
            if isinstance(value, dict):
                lines += [f"    {key}:", *(f"      {_quoted(word)}: {_quoted(meant)}" for word, meant in value.items())]
            else:
                lines.append(f"    {key}: {_flow(value)}")
        return lines


def _flow(value: str | tuple[str, ...] | dict[str, str]) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_quoted, value))}]"
    return f"{{{', '.join(f'{_quoted(word)}: {_quoted(meant)}' for word, meant in value.items())}}}"


@dataclass
class _Draft:
    sample: Sample
    missing: list[str]
    names: Mapping[str, Name]
    lines: dict[str, _Line] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    def cells(self, column: str) -> list[Any]:
        """The cells that say something."""
        cells = next(one.cells for one in self.sample.columns if one.name == column)
        return [cell for cell in cells if cell is not None and (not isinstance(cell, str) or cell.strip() not in self.missing)]


def propose(sample: Sample, *, custom: Mapping[str, Fact] | None = None, channel: str = "sms_marketing") -> Proposal:
    """A mapping for a table.

    Args:
        sample: from `samples`.
        custom: an operator's own facts by name, as the pack types them; a column of the same name is one.
        channel: on which the subscribers are to be met, where no column says it.

    Raises:
        TableError: no column has a name that a mapping can write.
    """
    names = {column.name: taken_apart(column.name) for column in sample.columns}
    draft = _Draft(sample, _missing(sample), names)
    odd = [name for name in names if not _NAMEABLE.match(name)]
    draft.why.update(dict.fromkeys(odd, "its name has characters that a mapping cannot write"))
    if len(odd) == len(names):
        raise TableError("no column has a name that a mapping can write")
    subscriber = _subscriber(draft, [name for name in names if name not in odd])
    rest = [name for name in names if name not in (subscriber, *odd)]
    _place_histories(draft, rest)
    _place_own(draft, rest, custom or {})
    for is_exact in (True, False):
        _place(draft, rest, is_exact=is_exact)
    _place_products(draft, rest)
    _cover_the_same_cycles(draft)
    _keep_what_fits(draft, subscriber, channel, custom or {})
    used = {column for line in draft.lines.values() for column in line.columns}
    unplaced = tuple(_unplaced(draft, column) for column in names if column not in (*used, subscriber))
    text = _text(draft, subscriber, channel, unplaced)
    return Proposal(text, {line.fact: line.columns for line in draft.lines.values()}, unplaced)


def _missing(sample: Sample) -> list[str]:
    """The cells that say nothing, as this file writes them."""
    found = {cell.strip() for column in sample.columns for cell in column.cells if isinstance(cell, str)}
    return ["", *(word for word in MISSING if word in found)]


def _subscriber(draft: _Draft, columns: Sequence[str]) -> str:
    """The column of the id: the one that is called so, else one in which every cell is different."""
    worst = is_subscriber(Name(""))
    called = min(columns, key=lambda name: is_subscriber(draft.names[name]))
    if is_subscriber(draft.names[called]) < worst:
        return called
    different = (name for name in columns if len(set(map(text_of, cells := draft.cells(name)))) == len(cells) > 0 and not is_personal(name))
    return next(different, columns[0])


def _place_histories(draft: _Draft, columns: Iterable[str]) -> None:
    """Columns of lists of structures, or of the API's own JSON: events say their type."""
    for column in columns:
        entries = [entry for cell in draft.cells(column) for entry in _entries(cell)]
        if not entries or not all(isinstance(entry, dict) and "at" in entry for entry in entries):
            continue
        name = "events" if all("type" in entry for entry in entries) else "contacts"
        if name not in draft.lines:
            draft.lines[name] = _Line(name, (column,), {"column": column})


def _entries(cell: Any) -> list[Any]:
    if isinstance(cell, str) and cell.startswith("["):
        try:
            cell = json.loads(cell)
        except ValueError:
            return [None]
    return cell if isinstance(cell, list) else [None]


def _place_own(draft: _Draft, columns: Iterable[str], custom: Mapping[str, Fact]) -> None:
    for column in columns:
        fact = custom.get(f"custom.{draft.names[column].base}")
        line = None if fact is None else _line(draft, fact, column)
        if line is not None:
            draft.lines[line.fact] = line


def _place(draft: _Draft, columns: Sequence[str], *, is_exact: bool) -> None:
    """Place the columns that are called exactly as a fact, or have its name in theirs, if they are not yet."""
    used = {column for line in draft.lines.values() for column in line.columns}
    for group in _groups(draft, [column for column in columns if column not in used]):
        for name, exact in facts_named(draft.names[group[0]]):
            if exact != is_exact or (not exact and any(map(is_personal, group))):
                continue
            if name in draft.lines:
                draft.why.update(dict.fromkeys(group, f"`{name}` is taken from {shown(draft.lines[name].columns[0])}"))
                continue
            line = _line_of_group(draft, FACTS[name], group)
            if line is not None:
                draft.lines[name] = line if exact else _noted(line, "placed by a part of its name")
                break
            draft.why.update(dict.fromkeys(group, f"called like `{name}`, but its cells do not fit"))


def _groups(draft: _Draft, columns: Sequence[str]) -> Iterator[list[str]]:
    """The columns, those of several cycles together."""
    groups: dict[tuple[str, str | None, str], list[str]] = {}
    for column in columns:
        name = draft.names[column]
        key = (name.base, name.unit, name.order) if name.order else (column, None, "")
        groups.setdefault(key, []).append(column)
    for group in groups.values():
        yield group if len(group) == 1 else [draft_name for _, draft_name in _by_age(draft, group)]


def _by_age(draft: _Draft, group: Sequence[str]) -> list[tuple[int, str]]:
    """The columns of a series, oldest first; months without a year may go over the turn of one."""
    found = sorted((draft.names[column].cycle or 0, column) for column in group)
    if draft.names[group[0]].order != "month" or found[-1][0] > 12:
        return found
    gaps = [(found[place][0] - found[place - 1][0]) % 12 for place in range(len(found))]
    start = gaps.index(max(gaps))
    return found[start:] + found[:start]


def _line_of_group(draft: _Draft, fact: Fact, group: Sequence[str]) -> _Line | None:
    if len(group) == 1:
        return _line(draft, fact, group[0])
    if fact.kind != "series" or len(group) > LONGEST_SERIES:
        return None
    cells = [cell for column in group for cell in draft.cells(column)]
    found = amount(fact, draft.names[group[0]], cells)
    if found is None:
        return None
    unit, note = found
    if draft.names[group[0]].order == "count":
        note = "; ".join(filter(None, ("see that the first column is the oldest", note)))
    return _Line(fact.name, tuple(group), {"columns": tuple(group), **unit}, note)


def _line(draft: _Draft, fact: Fact, column: str) -> _Line | None:
    """The fact of one column; none where its cells are of another kind."""
    cells = draft.cells(column)
    made = MAKERS[fact.kind](fact, draft.names[column], cells) if cells else ({}, "the first rows have nothing in it")
    if not cells and fact.kind in ("set", "series"):
        return None
    if made is None:
        return None
    return _Line(fact.name, (column,), {"column": column, **made[0]}, made[1])


def _noted(line: _Line, note: str) -> _Line:
    return replace(line, note="; ".join(filter(None, (note, line.note))))


def _place_products(draft: _Draft, columns: Iterable[str]) -> None:
    """Columns that say of one product each whether somebody has it make the set of services held."""
    if "services.held" in draft.lines:
        return
    used = {column for line in draft.lines.values() for column in line.columns}
    when: Counter[str] = Counter()
    found: list[str] = []
    for column in columns:
        base, cells = draft.names[column].base, draft.cells(column)
        if column in used or not any(product in base for product in PRODUCTS) or not cells:
            continue
        said = {text_of(cell): yes_or_no(text_of(cell)) for cell in cells}
        if None not in said.values():
            found.append(column)
            when.update(word for word, yes in said.items() if yes)
    if not found:
        return
    word = when.most_common(1)[0][0] if when else "Yes"
    keys: Keys = {"collect": {column: _code(column) for column in found}, **({} if word in ("Yes", "true") else {"when": word})}
    draft.lines["services.held"] = _Line("services.held", tuple(found), keys, "put the pack's codes of the services")


def _code(column: str) -> str:
    return re.sub(r"[^0-9a-z\u4e00-\u9fff]+", "_", column.lower()).strip("_")[:64] or "service"


def _cover_the_same_cycles(draft: _Draft) -> None:
    """Series of one section cover the same cycles, as many as most of its columns do: longer ones are cut, shorter ones left out."""
    for section, model in SECTIONS.items():
        if not issubclass(model, CycleSection):
            continue
        lines = [line for line in draft.lines.values() if line.fact.startswith(f"{section}.") and FACTS[line.fact].kind == "series"]
        lengths = Counter(len(line.columns) for line in lines if "columns" in line.keys)
        length = max(lengths, key=lambda count: (lengths[count], count), default=CYCLES)
        for line in lines:
            if "columns" in line.keys:
                _cut(draft, line, length)
            elif "cycles" in line.keys:
                draft.lines[line.fact] = replace(line, keys={**line.keys, "cycles": str(length)})


def _cut(draft: _Draft, line: _Line, length: int) -> None:
    if len(line.columns) == length:
        return
    if len(line.columns) < length:
        del draft.lines[line.fact]
        draft.why.update(dict.fromkeys(line.columns, f"`{line.fact}` has fewer cycles than the other series of its section"))
        return
    kept = line.columns[-length:]
    draft.lines[line.fact] = replace(line, columns=kept, keys={**line.keys, "columns": kept})
    draft.why.update(dict.fromkeys(line.columns[:-length], "the other series of the section begin later"))


def _keep_what_fits(draft: _Draft, subscriber: str, channel: str, custom: Mapping[str, Fact]) -> None:
    """Try each line on the sample, and take out those that are refused too often."""
    header = [column.name for column in draft.sample.columns]
    height = max((len(column.cells) for column in draft.sample.columns), default=0)
    rows = list(zip(*(column.cells or (None,) * height for column in draft.sample.columns), strict=True))
    for line in list(draft.lines.values()):
        why = _misfit(draft, subscriber, channel, custom, line, header, rows)
        if why:
            del draft.lines[line.fact]
            draft.why.update(dict.fromkeys(line.columns, f"called like `{line.fact}`, but {why}"))


def _misfit(
    draft: _Draft,
    subscriber: str,
    channel: str,
    custom: Mapping[str, Fact],
    line: _Line,
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> str:
    """Why a line is no good; nothing where it is."""
    text = "\n".join([*_head(draft, subscriber, channel), "facts:", *line.written(), ""])
    try:
        _, (bound,) = mapping_of("proposed", text.encode(), custom).bind(header, _DAY)
    except MappingError as error:
        return error.problems[0].message
    said = refused = 0
    problem = ""
    for cells in rows:
        try:
            said += bound.read(cells) is not SAYS_NOTHING
        except RowRefused as error:
            refused += 1
            problem = problem or error.problems[0].kind
    return problem if refused > (1 - ENOUGH) * (said + refused) else ""


def _unplaced(draft: _Draft, column: str) -> Unplaced:
    cells = list(dict.fromkeys(text_of(cell) for cell in draft.cells(column)))
    if is_personal(column) or any(PHONE_OR_ID.match(cell) for cell in cells):
        return Unplaced(column, (), "about the person; not shown, and nothing is decided by it")
    return Unplaced(column, tuple(cells[:_SHOWN]), draft.why.get(column, ""))


def _text(draft: _Draft, subscriber: str, channel: str, unplaced: Sequence[Unplaced]) -> str:
    lines = ["# Proposed from the names of the columns and the first rows. Look at every line before you use it."]
    lines += _head(draft, subscriber, channel)
    lines += ["  # as_of: 2026-12-03T10:00:00+08:00    # when the facts hold; left out, the time of the run", "", *_constants(draft), ""]
    lines.append("facts:" if draft.lines else "facts: {}")
    section = ""
    for name in sorted(draft.lines, key=_place_of):
        line = draft.lines[name]
        if section and name.partition(".")[0] != section:
            lines.append("")
        section = name.partition(".")[0]
        lines += line.written()
    if unplaced:
        lines += ["", "# Not placed: no fact was found for these columns. Place them above, or leave them out."]
        lines += [f"# - {_of_unplaced(one)}" for one in unplaced]
    return "\n".join(lines) + "\n"


def _head(draft: _Draft, subscriber: str, channel: str) -> list[str]:
    note = (
        "   # looks like phone numbers: better an id"
        if any(PHONE_OR_ID.match(text_of(cell)) for cell in draft.cells(subscriber)[:20])
        else ""
    )
    lines = [f"subscriber: {_quoted(subscriber)}{note}"]
    if draft.sample.encoding != "utf-8":
        lines.append(f"encoding: {draft.sample.encoding}")
    if draft.sample.delimiter != ",":
        lines.append(f"delimiter: {'tab' if draft.sample.delimiter == chr(9) else _quoted(draft.sample.delimiter)}")
    if len(draft.missing) > 1:
        lines.append(f"missing: [{', '.join(map(_quoted, draft.missing))}]")
    return [*lines, "", "request:", f"  channel: {channel}   # on which they are to be met"]


def _is_phone(cells: Iterable[Any]) -> bool:
    return any(PHONE_OR_ID.match(text_of(cell)) for cell in cells)


def _constants(draft: _Draft) -> list[str]:
    """What the export may guarantee, for people to judge."""
    usual = ("account.status: active", "account.line_type: main", "cases.open_complaints: 0", "events: []", "contacts: []")
    kept = [line for line in usual if line.partition(":")[0] not in draft.lines]
    return ["# What holds for everybody in the file, if it does:", "# constants:", *(f"#   {line}" for line in kept)]


def _place_of(fact: str) -> tuple[int, str]:
    order = list(FACTS)
    return (order.index(fact) if fact in FACTS else len(order), fact)


def _of_unplaced(one: Unplaced) -> str:
    column = shown(one.column)
    if one.examples:
        column += f": {', '.join(shown(example, 40) for example in one.examples)}"
    return f"{column} ({one.why})" if one.why else column


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _quoted(text: str) -> str:
    """Text as YAML has it, in quotes where it has to be."""
    if _PLAIN.match(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08X}"
