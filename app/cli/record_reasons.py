"""Why in this order, what would have changed it, whether a protected attribute had influence: tables and lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from app.cli.columns import table
from app.cli.record_words import beside, enclosed, named, say
from app.engine.terms import ALLOWED, DUTIES, KEYS, term
from app.engine.texts import Language, listed
from app.engine.words import fact_title

if TYPE_CHECKING:
    from app.engine.pack import Pack
    from app.record.reading.consulting import Explained
    from app.record.reading.minimal import Untold
    from app.record.reading.ranking import Compared


def what_if(told: Explained, pack: Pack, language: Language) -> list[RenderableType]:
    """Why in this order, what would have changed it, whether a protected attribute had influence."""
    parts: list[RenderableType] = [order_table(told.order, pack, language)] if told.order else []
    minimal: list[RenderableType] = [Text(f"\n{say('minimal', language)}", style="bold")]
    for change in told.minimal_changes:
        minimal.append(Text(f"· {enclosed(change.words, action_title(change.action, pack, language), language)}"))
        minimal.append(Text(f"  {named(say('then', language), _titles(change.actions, pack, language), language)}", style="dim"))
    if not told.minimal_changes:
        minimal.append(Text(say("none found", language), style="dim"))
    return [*parts, *minimal, *_untold(told.untold, pack, language), *_protected(told, pack, language)]


def order_table(order: Sequence[Compared], pack: Pack | None, language: Language) -> RenderableType:
    """Candidates, best first, with what told each from the one above."""
    rows = table("", *(say(name, language) for name in ("action", "score", "parts", "apart")), right=(1,))
    for item in order:
        parts = " × ".join("?" if value is None else f"{value:,.6g}" for value in item.parts.values())
        after = f"→ {action_title(item.lost_to, pack, language)}" if item.lost_to else ""
        rank = f"#{item.rank} " if item.rank is not None else ""
        title = enclosed(action_title(item.action, pack, language), term(DUTIES, item.duty, language), language)
        apart = " ".join(filter(None, (term(KEYS, item.decided_by, language), after)))
        rows.add_row(f"{rank}{title}", f"{item.score:,.1f}", parts, apart)
    return Group(Text(f"\n{say('order', language)}", style="bold"), rows)


def action_title(action: str, pack: Pack | None, language: Language) -> str:
    """What the pack calls an action; its code where the pack cannot be had."""
    found = pack.by_id.get(action) if pack is not None else None
    return found.title.say(language) if found is not None else action


def _titles(actions: Sequence[str], pack: Pack, language: Language) -> str:
    return listed([action_title(name, pack, language) for name in actions], language) or say("nothing", language)


def _untold(items: Sequence[Untold], pack: Pack, language: Language) -> Iterator[Text]:
    """Of which actions it cannot be told what would have let them through, by why not."""
    for because, group in groupby(sorted(items, key=lambda item: item.because), lambda item: item.because):
        titles = [pack.by_id[item.action].title.say(language) for item in group]
        yield Text(say(because, language, len(titles), listed(titles, language)), style="dim")


def _protected(told: Explained, pack: Pack, language: Language) -> Iterator[RenderableType]:
    found = told.protected
    yield Text(f"\n{say('protected', language)}", style="bold")
    if not found.facts:
        yield Text(say("none given", language), style="dim")
    elif not found.influence:
        facts = listed([fact_title(pack, name, language) for name in found.facts], language)
        yield Text(say("no influence", language, facts, found.tried))
    for item in found.influence:
        fact = say("all", language) if item.fact == "all" else fact_title(pack, item.fact, language)
        value = say("not known", language) if item.value is None else str(item.value)
        changed = listed([say(name, language) for name in item.changed], language)
        yield Text(say("would differ", language, fact, value, changed, _titles(item.actions, pack, language)), style="yellow")
    for reason in found.allowed_by:
        facts = listed([fact_title(pack, name, language) for name in reason["facts"].split(", ")], language)
        part = enclosed(reason["part"], beside(term(ALLOWED, reason["by"], language), facts, language=language), language)
        yield Text(named(say("allowed", language), named(part, reason["because"], language), language), style="dim")
