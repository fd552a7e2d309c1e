"""What was found on the record, made again or proved, as tables for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from app.cli.columns import table
from app.cli.labels import why_nothing
from app.cli.record_reasons import action_title
from app.cli.record_table_words import CHANGES_MADE, counted, say
from app.cli.record_words import enclosed
from app.engine.spoken import spoken
from app.engine.terms import CHANGES, KINDS, OUTCOMES, STEPS, local_time, term
from app.engine.texts import Language, listed
from app.record.choices import TAKEN_BACK
from app.record.export.plain_words import CHOICES
from app.record.packs.history import shortened

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.engine.pack import Pack
    from app.record.reading.replaying import Instead, Replay
    from app.record.search.finding import Hit, Page

_SOME = 20
_STYLES = {"same_bytes": "green", "same": "green", "differs": "bold red", "erased": "yellow", "pack_unusable": "bold red"}


def found(page: Page, pack: Pack | None, language: Language) -> list[RenderableType]:
    """A page of a search, with the titles of the pack in force."""
    if not page.hits:
        return [Text(say("nothing found", language, counted("leaf", page.searched, language)), style="dim")]
    made = table("", *(say(name, language) for name in ("id and time", "what", "by")))
    for hit in page.hits:
        made.add_row(*_hit(hit, pack, language))
    told = [say("searched", language, counted("leaf", page.searched, language))]
    if page.cursor:
        told.append(say("more", language, page.cursor))
    return [made, Text("  ·  ".join(told), style="dim")]


def _hit(hit: Hit, pack: Pack | None, language: Language) -> tuple[RenderableType, ...]:
    where = Group(Text(hit.entry_id), Text(local_time(hit.at, 0, language), style="dim"))
    if hit.envelope is None:
        return where, Text(say("archived", language), style="dim"), ""
    kind, body = hit.envelope["kind"], hit.envelope["body"]
    placed = [
        spoken(body["channel"], language) if body.get("channel") else "",
        _phase(body.get("phase"), pack, language),
        _whom(hit.envelope, language),
    ]
    head = " · ".join(filter(None, ("" if kind == "decision" else term(KINDS, kind, language), *placed)))
    says = _decision(body, pack, language) if kind == "decision" else _other(kind, {**body, "told": hit.at}, pack, language)
    by = " ".join(filter(None, (body.get("caller", body.get("by", "")), body.get("agent"))))
    return where, Group(Text(says), Text(head, style="dim")), by


def _phase(code: str | None, pack: Pack | None, language: Language) -> str | None:
    found = pack.phase_by_id.get(code) if pack is not None and code else None
    return code if found is None else found.title.say(language)


def _whom(envelope: Mapping[str, Any], language: Language) -> str:
    """The token of whom it is about, where that is the point of an entry."""
    about = envelope["kind"] in ("hold", "erasure", "read") and envelope.get("subject")
    return say("whom", language, envelope["subject"]) if about else ""


def _decision(body: Mapping[str, Any], pack: Pack | None, language: Language) -> str:
    offered = listed([action_title(item["action"], pack, language) for item in body["offered"]], language)
    return offered or say("nothing because", language, why_nothing(body.get("empty_because"), language))


def _other(kind: str, body: Mapping[str, Any], pack: Pack | None, language: Language) -> str:
    """What an entry says, in the words of its kind."""
    told = {
        "action": action_title(body["action"], pack, language) if body.get("action") else None,
        "outcome": term(OUTCOMES, body.get("outcome"), language),
        "what": term(CHANGES, body.get("what"), language),
        "which": term(CHANGES, body.get("which"), language),
        "choice": _chosen(body, pack, language) if kind == "choice" else None,
        "step": _step(kind, body.get("step"), language),
        "digest": shortened(body["digest"]) if body.get("digest") else None,
        "change": term(CHANGES_MADE, body.get("change"), language),
        "name": body.get("name"),
        "key": _replaced(body, language),
        "basis": body.get("basis"),
        "from": _ahead(body, body["told"], language),
        "decision": body.get("decision") or body.get("of"),
        "answer": _rechecked(body, language) if kind == "recheck" else None,
    }
    return " ".join(filter(None, told.values()))


def _chosen(body: Mapping[str, Any], pack: Pack | None, language: Language) -> str:
    """What somebody chose, about which action or channel."""
    about = str(body.get("about") or "")
    named = action_title(about, pack, language) if body["choice"] == "no_action" else spoken(about, language)
    return term(CHOICES, body["choice"], language).format(about=named)


def _step(kind: str, step: str | None, language: Language) -> str:
    """What was done: with a pack, a hold or a choice; that a choice was made goes without saying."""
    if kind == "choice":
        return say("taken back", language) if step == TAKEN_BACK else ""
    return term(CHANGES if kind == "hold" else STEPS, step, language)


def _rechecked(body: Mapping[str, Any], language: Language) -> str:
    """Whether it might go out, and if not, what kept it back."""
    if body.get("may_send"):
        return say("may go out", language)
    clause = body.get("clause")
    return enclosed(say("kept back", language), clause, language) if clause else say("kept back", language)


def _replaced(body: Mapping[str, Any], language: Language) -> str | None:
    """Which key took the place of which."""
    return say("replaced", language, _key(body["key"]), _key(body["before"])) if body.get("key") and body.get("before") else None


def _key(text: str) -> str:
    """A key's id; a signing key's stands between its name and the key itself."""
    return text.split("+")[1] if text.count("+") > 1 else text


def _ahead(body: Mapping[str, Any], at: str, language: Language) -> str | None:
    """From when on a step with a pack holds, where that was ahead of it."""
    begins = body.get("effective_at")
    return say("from", language, local_time(begins, 0, language)) if begins and begins > at else None


def replayed(made: Replay, would: Instead | None, language: Language) -> list[RenderableType]:
    """What came of making a decision again."""
    parts: list[RenderableType] = [
        Text.assemble((made.decision_id, "bold"), "  ", (say(made.verdict, language), _STYLES[made.verdict])),
        Text(say("engines", language, made.recorded.engine, made.replayed.engine, shortened(made.recorded.pack)), style="dim"),
    ]
    if made.why:
        parts.append(Text(made.why))
    if made.differences:
        parts.append(Text(f"\n{say('differs in', language)}", style="bold"))
        parts.append(_differences("on record", "now", made.differences, language, made.more))
    parts += [Text.assemble((f"\n{change.version}\n", "bold"), textwrap.shorten(change.text, 2_000)) for change in made.changelog]
    return parts + (_instead(would, language) if would else [])


def _differences(before: str, after: str, items: Sequence[Any], language: Language, more: int = 0) -> RenderableType:
    made = table("", *(say(name, language) for name in ("where", before, after)))
    for item in items[:_SOME]:
        made.add_row(item.path, _short(item.before, language), _short(item.after, language))
    hidden = len(items) - _SOME + more
    if hidden > 0:
        made.add_row(say("and more", language, hidden), "", "")
    return made


def _instead(would: Instead, language: Language) -> list[RenderableType]:
    style = "green" if would.same else "yellow"
    words = say("instead same" if would.same else "instead other", language)
    head = Text.assemble("\n", say("with the pack", language), (shortened(would.instead), "bold"), say("colon", language), (words, style))
    parts: list[RenderableType] = [head]
    if would.differences:
        parts.append(_differences("as decided", "instead", would.differences, language))
    if would.actions:
        made = table("", *(say(name, language) for name in ("action", "as decided", "instead")))
        for item in would.actions[:_SOME]:
            made.add_row(item.action, item.before, item.after)
        if len(would.actions) > _SOME:
            made.add_row(say("and more", language, len(would.actions) - _SOME), "", "")
        parts += [Text(f"\n{say('otherwise', language)}", style="bold"), made]
    return parts


def proved(told: Mapping[str, Any], language: Language) -> list[RenderableType]:
    """A proof, with what to do with it."""
    made = table("", "", "")
    made.show_header = False
    for name in ("id", "leaf", "leaf_hash", "size", "root"):
        made.add_row(say(f"proof {name}", language), str(told[name]))
    for number, step in enumerate(told["path"]):
        made.add_row(say("proof path", language) if number == 0 else "", step)
    for name, value in _in_part(told.get("row")):
        made.add_row(say(name, language) if name else "", value)
    return [
        made,
        Text(f"\n{say('checkpoint', language)}", style="bold"),
        Text(told["checkpoint"]),
        Text(say("how to check", language), style="dim"),
    ]


def _in_part(row: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Where a campaign's decision is in its part: each name of a word, and what stands beside it."""
    if row is None:
        return
    yield "proof row", f"{row['position']} / {row['size']}"
    yield "proof row leaf_hash", row["leaf_hash"]
    yield "proof row root", row["root"]
    yield from (("" if number else "proof row path", step) for number, step in enumerate(row["path"]))


def _short(value: object, language: Language) -> str:
    return textwrap.shorten(say("none", language) if value is None else str(value), 200)
