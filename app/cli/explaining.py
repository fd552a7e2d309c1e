"""`wanliu pack explain`: what a named part of a pack means, as a page for people or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text as Line

from app.cli import meaning_words
from app.cli.columns import table
from app.cli.console import fail, out, write_json
from app.cli.labels import kind_of_part
from app.cli.packs import files_of, folder_of, unusable
from app.engine.pack import PackError, parts_of
from app.engine.problems import shown
from app.engine.texts import Language, language_of, listed
from app.workbench.explaining import Explainer, Meaning, Reader, UnknownName

_WORDS: Mapping[str, tuple[str, str]] = {
    "conditions": ("What it says", "内容"),
    "texts": ("Words", "文案"),
    "thresholds": ("Thresholds", "门槛"),
    "supports": ("Rests on", "依赖"),
    "needs": ("Needs to know", "需要的数据"),
    "readers": ("Used by", "被引用"),
    "unused": ("Nothing in the pack uses it.", "规则包内没有任何地方引用它。"),
}


def explain(names: Sequence[str], given: Path | None, locale: str, *, as_json: bool) -> None:
    """Print what each name means; a name that nothing has ends the command with the nearest one."""
    language = language_of(locale)
    folder = folder_of(given)
    try:
        explainer = Explainer(parts_of(files_of(folder)), language)
    except PackError as error:
        unusable(folder, error)
    meanings = list(_meanings(explainer, names))
    if as_json:
        report = [asdict(meaning) for meaning in meanings]
        write_json(report)
        return
    console = out()
    if language == "zh":
        titles = {thing.id: thing.title(language) for things in explainer.by_id.values() for thing in things}
        meanings = [_in_chinese(meaning, titles) for meaning in meanings]
    for number, meaning in enumerate(meanings):
        for part in _page(meaning, language, first=number == 0):
            console.print(part)


def _meanings(explainer: Explainer, names: Sequence[str]) -> Iterator[Meaning]:
    for name in names:
        try:
            yield from explainer.explain(name)
        except UnknownName as error:
            fail(
                f"nothing in the pack is called {shown(error.name)}"
                + (f"; {error.hint}" if error.hint else "; `wanliu pack show` lists what there is")
            )


def _in_chinese(meaning: Meaning, titles: Mapping[str, str]) -> Meaning:
    """The same with the words for keys and codes; what is written in the pack's own language of rules stays as it is."""
    return replace(
        meaning,
        words=tuple((meaning_words.key(name), meaning_words.codes(name, text, titles)) for name, text in meaning.words),
        conditions=tuple(replace(item, name=meaning_words.place(item.name)) for item in meaning.conditions),
        texts=tuple((meaning_words.key(name), text) for name, text in meaning.texts),
        needs=tuple(replace(item, how=meaning_words.kind(item.how)) for item in meaning.needs),
        readers=tuple(replace(item, where=meaning_words.place(item.where)) for item in meaning.readers),
    )


def _page(meaning: Meaning, language: Language, *, first: bool) -> Iterator[RenderableType]:
    said = {word: pair[language == "zh"] for word, pair in _WORDS.items()}
    head = Line("" if first else "\n")
    head.append(meaning.id, style="bold")
    head.append(f"  {meaning.title}" if meaning.title else "")
    head.append(f"  {kind_of_part(meaning.kind, language)}", style="dim")
    head.append(f"  {meaning.place}" if meaning.place else "", style="dim")
    yield head
    yield from _rows("", meaning.words)
    yield from _rows(said["conditions"], [(item.name, item.test) for item in meaning.conditions])
    yield from _rows(said["texts"], meaning.texts)
    yield from _rows(said["thresholds"], [(item.name, item.value, item.why) for item in meaning.thresholds])
    yield from _rows(said["supports"], [("  " * item.depth + item.name, item.title, item.how) for item in meaning.supports])
    yield from _rows(said["needs"], [(item.name, item.title, item.how) for item in meaning.needs])
    if meaning.readers:
        yield from _rows(said["readers"], list(_readers(meaning.readers, language)))
    elif meaning.kind not in ("contact", "guardrail", "action", "phase", "stage", "moment"):
        yield Line(f"\n{said['unused']}", style="yellow")


def _readers(readers: Iterable[Reader], language: Language) -> Iterator[tuple[str, str, str, str]]:
    for (kind, name, title), uses in groupby(readers, lambda reader: (reader.kind, reader.id, reader.title)):
        found = list(uses)
        yield (
            kind_of_part(kind, language),
            name,
            title,
            listed(list(dict.fromkeys(use.where for use in found if use.where)), language) or found[0].place,
        )


def _rows(title: str, rows: Sequence[tuple[str, ...]]) -> Iterator[RenderableType]:
    if not rows:
        return
    if title:
        yield Line(f"\n{title}", style="bold")
    made = table("", *[""] * len(rows[0]), styles=["cyan" if title else "dim"])
    made.show_header = False
    for row in rows:
        made.add_row(*row)
    yield Padding(made, (0, 0, 0, 2))
