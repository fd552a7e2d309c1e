"""`wanliu pack diff`: what changed between two packs, and what that would change for a file of subscribers."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text as Line

from app.campaign.comparison import Comparison, Move, Reach, compare, knowing
from app.campaign.mapping import load_mapping, own_facts
from app.campaign.rows import Lines, open_table
from app.campaign.summary import titles_of
from app.campaign.table import Asking
from app.cli.columns import table
from app.cli.console import out, write_json
from app.cli.labels import kind_of_part
from app.cli.packs import files_of, folder_of, load, unusable
from app.cli.tables import opened, told, watched
from app.engine.pack import Pack, PackError, parts_of
from app.engine.pack.checking import Parts
from app.engine.texts import Language, language_of, shown
from app.workbench.differing import Difference, differences

_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "moved": ("↕", "yellow")}
_MOST_MOVES = 12
_SHORT = 160
_WORDS: Mapping[str, tuple[str, str]] = {
    "same": ("The two packs say the same.", "两个规则包内容一致。"),
    "affects": ("used by", "影响"),
    "place": ("place", "次序"),
    "differences": ("What changed", "变更内容"),
    "before": ("before", "变更前"),
    "after": ("after", "变更后"),
    "nothing": ("nothing", "无动作"),
    "figures": ("For the subscribers of the file", "对文件内用户的影响"),
    "compared": ("subscribers compared", "对比用户数"),
    "refused": ("rows refused", "拒绝行数"),
    "one": ("refused by one pack only", "仅被其中一个规则包拒绝"),
    "same_decision": ("treated as before", "处置不变"),
    "stage": ("another stage", "生命周期变化"),
    "phase": ("another phase", "阶段变化"),
    "first": ("another first action", "首位动作变化"),
    "lists": ("another list of actions", "动作清单变化"),
    "now_nothing": ("nothing is proposed any more", "不再有建议"),
    "now_something": ("something is proposed now", "新增建议"),
    "concession": ("mean concession a subscriber", "人均让利"),
    "subscribers": ("subscribers", "用户数"),
    "share": ("share", "占比"),
    "rows": ("rows (lines), as examples", "示例行（文件行）"),
    "moves_actions": ("Actions", "动作"),
    "offered": ("on the list", "进入清单"),
    "first_place": ("first", "排首位"),
    "kept_out": ("mostly kept out by", "主要未推荐原因"),
    "new": ("signals that are new", "新出现的信号"),
    "gone": ("signals that are gone", "消失的信号"),
    "moves_phase": ("Phases", "阶段"),
    "moves_first": ("First actions", "首位动作"),
    "moves_stage": ("Stages", "生命周期"),
    "moves_signals": ("Signals", "信号"),
}


class _Said(dict[str, str]):
    """The command's words in one language."""

    def __init__(self, language: Language) -> None:
        super().__init__({name: pair[language == "zh"] for name, pair in _WORDS.items()})
        self.language = language

    def kind(self, name: str) -> str:
        """A kind of part."""
        return kind_of_part(name, self.language)


def diff(
    before: Path, after: Path | None, file: Path | None, mapping: Path | None, channel: str | None, locale: str, *, as_json: bool
) -> None:
    """Print what changed from one pack to the other; with a file, also for whom."""
    language = language_of(locale)
    folders = (folder_of(before), folder_of(after))
    found = differences(_parts(folders[0]), _parts(folders[1]), language)
    packs = (load(folders[0]), load(folders[1])) if file is not None else None
    compared = _compared(packs, file, mapping, channel) if packs is not None and file is not None else None
    if as_json:
        report = {"differences": [asdict(item) for item in found], "subscribers": compared.as_json() if compared else None}
        write_json(report)
        return
    said, console = _Said(language), out()
    for line in _listed(found, said):
        console.print(line, soft_wrap=True)
    if compared is not None and packs is not None:
        titles = titles_of(packs[0], language) | titles_of(packs[1], language)
        for part in _figures(compared, titles, said, language, packs[1].currency):
            console.print(part)


def _parts(folder: Path) -> Parts:
    try:
        return parts_of(files_of(folder))
    except PackError as error:
        unusable(folder, error)


def _compared(packs: tuple[Pack, Pack], file: Path, mapping_path: Path | None, channel: str | None) -> Comparison:
    asking = Asking("campaign", datetime.datetime.now(datetime.UTC), channel=channel, explain="none")
    before, after = packs
    with told(), contextlib.ExitStack() as stack:
        mapping = load_mapping(mapping_path, {**own_facts(before), **own_facts(after)}) if mapping_path else None
        lines = Lines(stack.enter_context(open_table(file)))
        rows, reader = opened(file, lines, mapping, asking, before)
        bar = stack.enter_context(watched(rows, lines, file.stat().st_size))
        return compare(before, after, bar, (knowing(reader, before, after), knowing(reader, after, before)), asking)


def _listed(found: list[Difference], said: _Said) -> Iterator[RenderableType]:
    if not found:
        yield Line(said["same"])
        return
    yield Line(f"{said['differences']} ({len(found)})", style="bold")
    for item in found:
        sign, style = _SIGNS[item.what]
        line = Line(f"{sign} ", style=style)
        line.append(f"{said.kind(item.kind)} ", style="dim")
        line.append(item.id, style="bold")
        line.append(f" {item.title}" if item.title else "", style="not bold default")
        line.append(
            f" · {said['place'] if item.what == 'moved' else item.where}" if item.where or item.what == "moved" else "", style="cyan"
        )
        yield line
        if item.what == "added" and item.after:
            yield Line(f"    {_short(item.after)}")
        if item.what in ("changed", "moved"):
            yield Line(f"    {_short(item.before) or '—'}  →  {_short(item.after) or '—'}", style="default")
        if item.affects and item.kind != "action":
            yield Line(f"    {said['affects']} {', '.join(item.affects)}", style="dim")


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _figures(found: Comparison, titles: Mapping[str, str], said: _Said, language: Language, currency: str) -> Iterator[RenderableType]:
    of = found.compared or 1
    made = table(f"\n{said['figures']}", "", said["subscribers"], said["share"], right=(1, 2))
    rows = [
        ("compared", found.compared),
        ("same_decision", found.same),
        ("stage", sum(move.count for move in found.stages.values())),
        ("phase", sum(move.count for move in found.phases.values())),
        ("first", sum(move.count for move in found.first.values())),
        ("lists", found.lists),
        ("now_nothing", found.now_nothing),
        ("now_something", found.now_something),
        ("refused", found.refused),
        ("one", found.one_refuses.total()),
    ]
    for name, count in rows:
        made.add_row(said[name], f"{count:,}", f"{count / of:.1%}" if name not in ("compared", "refused", "one") else "")
    before, after = (shown(round(value, 2), "money", language, currency) for value in found.mean_concession())
    made.add_row(said["concession"], f"{before} → {after}", "")
    yield made
    for name, moves in (("moves_stage", found.stages), ("moves_phase", found.phases), ("moves_first", found.first)):
        if moves:
            yield _moves(said[name], moves, titles, said, of)
    if found.reached():
        yield _actions(found, titles, said)
    if found.signals:
        yield _signals(found, titles, said)


def _moves(title: str, moves: Mapping[tuple[str, str], Move], titles: Mapping[str, str], said: _Said, of: int) -> RenderableType:
    made = table(f"\n{title}", said["before"], said["after"], said["subscribers"], said["share"], said["rows"], right=(2, 3))
    ordered = sorted(moves.items(), key=lambda item: (-item[1].count, item[0]))
    for (one, other), move in ordered[:_MOST_MOVES]:
        names = (f"{name} {titles.get(name, '')}" if name else said["nothing"] for name in (one, other))
        made.add_row(*names, f"{move.count:,}", f"{move.count / of:.1%}", ", ".join(f"{row} ({line})" for row, line in move.rows))
    if len(ordered) > _MOST_MOVES:
        made.add_row(f"… {len(ordered) - _MOST_MOVES}", "", "", "", "")
    return made


def _actions(found: Comparison, titles: Mapping[str, str], said: _Said) -> RenderableType:
    """What each action reaches, before and after; of one that reaches nobody, what keeps it out."""
    made = table(f"\n{said['moves_actions']}", "", "", said["offered"], said["first_place"], said["kept_out"], right=(2, 3))
    moved = found.reached()
    for name, before, after in moved[:_MOST_MOVES]:
        offered, first = (f"{_figure(before, key)} → {_figure(after, key)}" for key in ("offered", "first"))
        main = after.kept_out.most_common(1) if after is not None and not after.offered else []
        cause = ", ".join(f"{why} {count:,}" for why, count in main)
        made.add_row(name, titles.get(name, ""), offered, first, cause, style="bold" if main else None)
    if len(moved) > _MOST_MOVES:
        made.add_row(f"… {len(moved) - _MOST_MOVES}", "", "", "", "")
    return made


def _figure(reach: Reach | None, key: str) -> str:
    return "—" if reach is None else f"{getattr(reach, key):,}"


def _signals(found: Comparison, titles: Mapping[str, str], said: _Said) -> RenderableType:
    names = sorted(
        {name for _, name in found.signals}, key=lambda name: (-max(found.signals["new", name], found.signals["gone", name]), name)
    )
    made = table(f"\n{said['moves_signals']}", said.kind("signal"), "", said["new"], said["gone"], right=(2, 3))
    for name in names[:_MOST_MOVES]:
        made.add_row(name, titles.get(name.partition(":")[0], ""), f"{found.signals['new', name]:,}", f"{found.signals['gone', name]:,}")
    return made
