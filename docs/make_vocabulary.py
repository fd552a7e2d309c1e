"""Writes `docs/vocabulary.md` from the engine's own tables: `python docs/make_vocabulary.py`. A test fails when the page is out of date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from app.engine.vocabulary import EVENTS, FACTS, SECTIONS, Channel, Contact, DecisionRequest, EventKind, Fact, Moment

PAGE = Path(__file__).parent / "vocabulary.md"

_HEAD = """\
# Vocabulary

What a rule may know of a subscriber: the base facts, the events and the contact history. The same tables type requests, check rules
and make this page, so none of the three can disagree. Do not edit the page; after a change in `app/engine/vocabulary/` run:

```sh
.venv/bin/python docs/make_vocabulary.py
```

Every fact is optional. What is left out is **unknown**, which is neither true nor false ([decision.md](decision.md#unknown)). A date
given as `null` means never or none, and is known. Money is in the currency's smallest unit (fen: 5900 is ¥59.00), data in MB, voice in
minutes, shares from 0 to 1; a series has a value per closed billing cycle, oldest first, `null` where a cycle is missing. Series of one
section cover the same cycles.

Each section may carry `as_of` (when these facts held; left out, the request's own time) and `source` (`system`, `model` or `declared`).
How old a section may be before its facts count as unknown stands in the pack, under [`ages:`](pack.md#ages).

Marks: **protected** facts may not decide an offer's gates or price, nor the phase; **port** data may be read in guardrails, `hands_off:`
and actions of `purpose: port_assistance` only; **computed** facts come from the engine and are refused in a request.
"""
_REQUEST = "What the caller says about this contact. Rules read it as `request.…`.\n"


def page() -> str:
    """The whole page."""
    parts = [_HEAD, _counted(), "## Request\n", _REQUEST, _facts("request")]
    parts.append("## Facts by section\n")
    for name, model in SECTIONS.items():
        zh = _extra(model)["x-zh"]
        parts += [f"### `{name}` {model.model_config['title']} {zh}\n", f"{model.__doc__}\n", _facts(name)]
    parts += ["## Operators' own facts\n", _CUSTOM, "## Events\n", _EVENTS, *(_event(kind) for kind in EVENTS.values())]
    parts += ["## Contact history\n", _CONTACTS, _contacts(), "## Moments of truth\n", _moments()]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


_CUSTOM = """\
`custom.*`: named and typed by the pack ([`custom:`](pack.md#custom)), passed in `subscriber.custom`, checked like the rest.
"""
_EVENTS = """\
In `subscriber.events`, in any order: `at` (a time with its offset), `type`, and the attributes below, each optional. Rules write
`count(events.complaint, …)` and `since(events.complaint)`, and join events in [patterns](patterns.md). No events section is unknown; an
empty one says that nothing happened.
"""
_CONTACTS = """\
In `subscriber.contacts`: what we sent, called about or said, on any channel. Rules write `contacted(…)` and `refused(…)`. Left out is
unknown, an empty list is none. A contact's category is that of its action in the pack.
"""


def _counted() -> str:
    return f"{len(FACTS)} facts in {len(SECTIONS)} sections and the request, {len(EVENTS)} kinds of event.\n"


def _extra(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model.model_config.get("json_schema_extra") or {}
    return found


def _facts(section: str) -> str:
    found = [fact for name, fact in FACTS.items() if name.partition(".")[0] == section]
    return _table([(fact, _described(section, fact)) for fact in found])


def _described(section: str, fact: Fact) -> str:
    model = DecisionRequest if section == "request" else SECTIONS[section]
    text = model.model_fields[fact.name.partition(".")[2]].description or ""
    note = text.removeprefix(f"{fact.zh}。").removesuffix(".")
    own = note[:1].lower() + note[1:]
    return own if own.split(" ")[0].strip(",") in fact.values else note


def _table(rows: list[tuple[Fact, str]]) -> str:
    lines = ["| name | title | 中文 | type | note |", "| --- | --- | --- | --- | --- |"]
    for fact, note in rows:
        marks = [f"**{word}**" for word in ("protected", "port", "computed") if getattr(fact, word)]
        said = "; ".join(filter(None, [*marks, note]))
        lines.append(f"| `{fact.name}` | {_cell(fact.en)} | {_cell(fact.zh)} | {_typed(fact)} | {_cell(said)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _typed(fact: Fact) -> str:
    words = f": {', '.join(f'`{word}`' for word in fact.values)}" if fact.values else ""
    if fact.values == get_args(Channel) and fact.name != "request.channel":
        words = ": as `request.channel`"
    bounds = f", {_bound(fact.least)} to {_bound(fact.most)}" if fact.least is not None and fact.most is not None else ""
    unit = {"share": "share", "": "", "count": "count"}.get(fact.unit, fact.unit)
    whole = "whole " if fact.integral else ""
    kind = {"number": f"{whole}number", "series": f"series of {whole}numbers", "enum": "word"}.get(fact.kind, fact.kind)
    return f"{kind}{f' ({unit})' if unit else ''}{bounds}{words}"


def _bound(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) == 10**12:
        return "10¹²" if value > 0 else "−10¹²"
    if value == 10**9:
        return "10⁹"
    if value == 10**6:
        return "10⁶"
    return f"{value:,g}".replace("-", "−")


def _event(kind: EventKind) -> str:
    port = " (**port**)" if kind.port else ""
    head = f"**`events.{kind.name}`** {kind.en} {kind.zh}{port}"
    if not kind.attributes:
        return f"{head}\n"
    lines = [f"- `{name}` {fact.en} {fact.zh}: {_typed(fact)}" for name, fact in kind.attributes.items()]
    return "\n".join([head, "", *lines]) + "\n"


def _contacts() -> str:
    return "\n".join(_contact_lines()) + "\n"


def _contact_lines() -> Iterator[str]:
    for name, field in Contact.model_fields.items():
        words = next((get_args(option) for option in _options(field.annotation) if get_args(option)), ())
        said = f": {', '.join(f'`{word}`' for word in words)}" if words and isinstance(words[0], str) else ""
        said = ": as `request.channel`" if words == get_args(Channel) else said
        zh = (field.description or "").split("。")[0] if "。" in (field.description or "") else ""
        yield f"- `{name}` {field.title}{f' {zh}' if zh else ''}{said}"


def _options(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)


def _moments() -> str:
    words = ", ".join(f"`{word}`" for word in get_args(Moment))
    return f"The words `moment` may take, beside `none`: {words}. What each is called and what reveals it stands in `rules/moments.yaml`.\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
