"""What was found on the record, as tables for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from app.cli.packs import table
from app.record.packs.history import shortened

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.record.reading.figures import Figures
    from app.record.reading.pairs import Pairs, Priced
    from app.record.reading.replaying import Instead, Replay
    from app.record.search.finding import Hit, Page

_SOME = 20
_VERDICTS = {
    "same_bytes": ("same, to the byte", "green"),
    "same": ("same decision, by another version of the engine", "green"),
    "differs": ("differs", "bold red"),
    "erased": ("the person was erased: there is nothing to decide again", "yellow"),
    "pack_unusable": ("the pack cannot be used by this version", "bold red"),
}


def found(page: Page) -> list[RenderableType]:
    """A page of a search."""
    if not page.hits:
        return [Text(f"nothing found among {page.searched:,} leaves", style="dim")]
    made = table("", "id, time (UTC)", "what", "by")
    made.columns[0].no_wrap = True
    for hit in page.hits:
        made.add_row(*_hit(hit))
    told = [f"{page.searched:,} leaves searched; what is sealed later was not"]
    if page.cursor:
        told.append(f"more: --cursor {page.cursor}")
    return [made, Text("  ·  ".join(told), style="dim")]


def _hit(hit: Hit) -> tuple[RenderableType, ...]:
    where = Group(Text(hit.entry_id), Text(hit.at[:19].replace("T", " "), style="dim"))
    if hit.envelope is None:
        return where, Text("archived", style="dim"), ""
    kind, body = hit.envelope["kind"], hit.envelope["body"]
    head = " · ".join(filter(None, ("" if kind == "decision" else kind, body.get("channel"), body.get("phase"))))
    says = _decision(body) if kind == "decision" else _other(body)
    by = " ".join(filter(None, (body.get("caller", body.get("by", "")), body.get("agent"))))
    return where, Group(Text(says), Text(head, style="dim")), by


def _decision(body: Mapping[str, Any]) -> str:
    offered = ", ".join(item["action"] for item in body["offered"])
    return offered or f"nothing: {body.get('empty_because', '')}"


def _other(body: Mapping[str, Any]) -> str:
    names = ("action", "outcome", "decision", "what", "of", "step", "digest", "change", "name", "basis")
    return " ".join(shortened(str(body[name])) if name == "digest" else str(body[name]) for name in names if body.get(name))


def replayed(made: Replay, would: Instead | None) -> list[RenderableType]:
    """What came of making a decision again."""
    words, style = _VERDICTS[made.verdict]
    parts: list[RenderableType] = [
        Text.assemble((made.decision_id, "bold"), "  ", (words, style)),
        Text(f"engine {made.recorded.engine} then, {made.replayed.engine} now · pack {shortened(made.recorded.pack)}", style="dim"),
    ]
    if made.why:
        parts.append(Text(made.why))
    if made.differences:
        parts.append(_differences("\nDiffers in", "on record", "now", made.differences, made.more))
    parts += [Text.assemble((f"\n{change.version}\n", "bold"), textwrap.shorten(change.text, 2_000)) for change in made.changelog]
    return parts + (_instead(would) if would else [])


def _differences(title: str, before: str, after: str, items: Sequence[Any], more: int = 0) -> RenderableType:
    made = table(title, "where", before, after)
    for item in items[:_SOME]:
        made.add_row(item.path, _short(item.before), _short(item.after))
    hidden = len(items) - _SOME + more
    if hidden > 0:
        made.add_row(f"… {hidden} more: --json", "", "")
    return made


def _instead(would: Instead) -> list[RenderableType]:
    words = ("the same phase, list, tariffs and concessions", "green") if would.same else ("another decision", "yellow")
    head = Text.assemble(("\nWith the pack ", ""), (shortened(would.instead), "bold"), (": ", ""), words)
    parts: list[RenderableType] = [head]
    if would.differences:
        parts.append(_differences("", "as decided", "instead", would.differences))
    if would.actions:
        made = table("\nActions that come out otherwise", "action", "as decided", "instead")
        for item in would.actions[:_SOME]:
            made.add_row(item.action, item.before, item.after)
        if len(would.actions) > _SOME:
            made.add_row(f"… {len(would.actions) - _SOME} more: --json", "", "")
        parts.append(made)
    return parts


def proved(told: Mapping[str, Any]) -> list[RenderableType]:
    """A proof, with what to do with it."""
    made = table("", "", "")
    made.show_header = False
    for name in ("id", "leaf", "leaf_hash", "size", "root"):
        made.add_row(name.replace("_", " "), str(told[name]))
    for number, step in enumerate(told["path"]):
        made.add_row("path" if number == 0 else "", step)
    return [
        made,
        Text("\nCheckpoint", style="bold"),
        Text(told["checkpoint"]),
        Text("The leaf hash is SHA-256 over a zero byte and the envelope (--json has it); with the path it gives the root.", style="dim"),
    ]


def figured(made: Figures) -> list[RenderableType]:
    """The figures of some days."""
    parts: list[RenderableType] = [
        Text(f"{made.since} to {made.until}  ·  {made.decisions:,} decisions", style="bold"),
        Text(" · ".join(f"{shortened(digest)} {number:,}" for digest, number in made.packs.items()), style="dim"),
    ]
    if not made.decisions:
        return parts
    funnel = table("\nFunnel: how far actions came", "gate", "cause", "actions", "share", right=(2, 3))
    for gate in made.funnel:
        funnel.add_row(gate.gate, gate.cause if gate.gate != "offered" else "", f"{gate.actions:,}", f"{gate.share:.1%}")
    parts.append(funnel)
    if made.suppressions:
        parts.append(_suppressions(made))
    if made.empty:
        empty = table("\nNothing on the list", "because", "decisions", "share", right=(1, 2))
        for row in made.empty:
            empty.add_row(row.because, f"{row.decisions:,}", f"{row.share:.1%}")
        parts.append(empty)
    parts.append(_groups(made))
    if made.agents:
        parts.append(_agents(made))
    return parts


def _suppressions(made: Figures) -> RenderableType:
    rows = table("\nKept out by contact policy and guardrails", "clause", "cause", "actions", "share", "", right=(2, 3))
    for row in made.suppressions[:_SOME]:
        rows.add_row(f"{row.gate}.{row.clause}", row.cause, f"{row.actions:,}", f"{row.share:.2%}", "cap" if row.cap else "")
    if len(made.suppressions) > _SOME:
        rows.add_row(f"… {len(made.suppressions) - _SOME} more: --json", "", "", "", "")
    rows.add_row("frequency caps together", "", "", f"{made.capped:.2%}", "")
    return rows


def _groups(made: Figures) -> RenderableType:
    rows = table(
        "\nOffers and concessions by group, beside all others (95 % by Wilson; ratios plain; * fewer than 30 decisions)",
        *("pack", "by", "group", "decisions", "with an offer", "ratio", "conceded", "ratio", "mean", "ratio"),
        right=range(3, 10),
    )
    for row in made.groups:
        low, high = row.offer_interval
        rows.add_row(
            shortened(row.pack)[:8],
            row.by,
            row.group,
            f"{row.decisions:,}{'*' if row.few else ''}",
            f"{row.offer_share:.1%} ({low:.0%}–{high:.0%})",
            _ratio(row.offer_ratio),
            f"{row.concession_share:.1%}",
            _ratio(row.concession_ratio),
            f"{row.mean_concession:,.0f}",
            _ratio(row.mean_ratio),
        )
    return rows


def _agents(made: Figures) -> RenderableType:
    rows = table(
        "\nWhat agents did with the recommendation",
        *("agent", "decisions", "nothing told", "told", "first", "another", "override rate"),
        right=range(1, 7),
    )
    for row in made.agents[:_SOME]:
        rate = "" if row.override_rate is None else f"{row.override_rate:.1%}"
        rows.add_row(row.agent, *(f"{n:,}" for n in (row.decisions, row.unanswered, row.told, row.first, row.other)), rate)
    if len(made.agents) > _SOME:
        rows.add_row(f"… {len(made.agents) - _SOME} more: --json", "", "", "", "", "", "")
    return rows


def paired(made: Pairs) -> list[RenderableType]:
    """Pairs with different prices."""
    told = f"{made.examined:,} decisions compared, {made.alike:,} groups of people in the same conditions, {len(made.pairs):,} pairs"
    parts: list[RenderableType] = [Text(told, style="bold")]
    if made.unreadable:
        parts.append(Text(f"{made.unreadable:,} could not be read: erased, or of a pack that this version refuses", style="dim"))
    if not made.complete:
        parts.append(Text("not all decisions of these days were compared: --most", style="dim"))
    if made.pairs:
        rows = table("\nSame conditions, different prices", "one", "other", "differ in")
        for pair in made.pairs:
            rows.add_row(_priced(pair.one), _priced(pair.other), ", ".join(pair.differ_in))
        parts.append(rows)
    return parts


def _priced(one: Priced) -> str:
    prices = (f"{item['action']} {item['tariff'] or ''} {item['concession'] or ''}".strip() for item in one.prices)
    return "\n".join([one.id, *prices])


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _short(value: object) -> str:
    return textwrap.shorten("none" if value is None else str(value), 200)
