"""Packs on the command line: loading one, `wanliu pack show`, `wanliu pack schema`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Group, RenderableType
from rich.text import Text as Line

from app.cli.columns import table
from app.cli.console import cannot_read, fail, out, write_json
from app.cli.labels import labels_of, word
from app.engine.problems import PackError, Problem
from app.engine.texts import Language, language_of, listed, shown
from app.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from app.cli.labels import Labels
    from app.engine.pack.model import Action, Pack, Phase

_SOME_PROBLEMS = 20


def settings() -> Settings:
    """The settings of this process; wrong ones end the command."""
    try:
        return read_settings(os.environ)
    except SettingsError as error:
        fail(*str(error).splitlines())


def folder_of(given: Path | None) -> Path:
    """The pack's folder: as given, as WANLIU_PACK says, or the current one. A folder that is none ends the command."""
    folder = given or settings().pack
    try:
        if not folder.is_dir():
            fail(f"the pack's folder `{folder}` {'is a file' if folder.exists() else 'does not exist'}")
    except OSError as error:
        fail(cannot_read(f"the pack in `{folder}`", error))
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    """The pack's files; those that cannot be read end the command.

    Raises:
        PackError: there is no pack, or it is too large.
    """
    from app.engine.pack import read_folder

    try:
        return read_folder(folder)
    except OSError as error:
        fail(cannot_read(f"the pack in `{folder}`", error))


def load(given: Path | None) -> Pack:
    """The checked pack; mistakes in it end the command."""
    from app.engine.pack import load_pack

    folder = folder_of(given)
    try:
        return load_pack(folder, pattern_engine=settings().pattern_engine, cache=settings().cache_folder)
    except OSError as error:
        fail(cannot_read(f"the pack in `{folder}`", error))
    except PackError as error:
        unusable(folder, error)


def unusable(folder: Path, error: PackError) -> NoReturn:
    """Say what is wrong with a pack, the first mistakes of many, and end the command."""
    told = error.problems[:_SOME_PROBLEMS]
    more = len(error.problems) - len(told)
    fail(*told, f"the pack in `{folder}` cannot be used: {counted(error.problems)}{f', {more} not shown' if more else ''}")


def counted(problems: Iterable[Problem]) -> str:
    """How many problems there are of each severity."""
    counts = Counter(problem.severity for problem in problems)
    return ", ".join(f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in sorted(counts.items()))


def schema(*, tests: bool) -> None:
    """Print the JSON Schema of a pack's files, or of its suites."""
    from app.engine.pack.schema import pack_schema
    from app.workbench.suites.schema import suite_schema

    made = suite_schema() if tests else pack_schema()
    write_json(made)


def show(given: Path | None, locale: str) -> None:
    """Print what a pack holds."""
    pack = load(given)
    language = language_of(locale)
    console = out()
    for part in _shown(pack, language):
        console.print(part)


def _shown(pack: Pack, language: Language) -> Iterable[RenderableType]:
    labels = labels_of(language)
    yield _head(pack, labels)
    yield _actions(pack, language, labels)
    yield _signals(pack, language, labels)
    yield _tariffs(pack, language, labels)


def _head(pack: Pack, labels: Labels) -> RenderableType:
    counts = {
        labels["files"]: len(pack.files),
        labels["signals"]: len(pack.signals),
        labels["patterns"]: len(pack.patterns),
        labels["stages"]: len(pack.stages),
        labels["phases"]: len(pack.phases),
        labels["moments"]: len(pack.moments),
        labels["actions"]: len(pack.actions),
        labels["contact clauses"]: len(pack.contact_rules),
        labels["guardrails"]: len(pack.guardrail_rules),
        labels["tariffs"]: len(pack.tariffs),
        labels["questions"]: len(pack.questions),
    }
    return Group(
        Line(f"{pack.name} {pack.version}", style="bold"),
        Line(pack.digest, style="dim"),
        Line(f"{pack.jurisdiction} · {pack.currency} · {pack.zone}"),
        Line(" · ".join(f"{name} {count}" for name, count in counts.items())),
    )


def _actions(pack: Pack, language: Language, labels: Labels) -> RenderableType:
    """Actions by the gentlest phase they are for, with all of these phases, gentlest first."""
    phases = pack.phases[::-1]
    heads = (labels[name] for name in ("action", "title", "kind", "lever", "duty", "phases"))
    made = table(f"\n{labels['actions']}", *heads)
    for action in sorted(pack.actions, key=lambda action: (_gentlest(phases, action), action.kind, action.lever, action.id)):
        kind, lever = word(action.kind, language), word(action.lever, language)
        duty = word(action.duty if action.duty_slot is None else "by case", language)
        titles = listed([phase.title.say(language) for phase in phases if phase.id in action.phases], language)
        made.add_row(action.id, action.title.say(language), kind, lever, duty, titles)
    return made


def _gentlest(phases: Sequence[Phase], action: Action) -> int:
    return min((place for place, phase in enumerate(phases) if phase.id in action.phases), default=len(phases))


def _signals(pack: Pack, language: Language, labels: Labels) -> RenderableType:
    made = table(f"\n{labels['signals']}", labels["signal"], labels["title"], labels["levels"], labels["from"])
    for signal in pack.signals.values():
        levels = listed([word(clause.name, language) for clause in signal.levels], language)
        made.add_row(signal.id, signal.title.say(language), levels, labels["pattern"] if signal.pattern else "")
    return made


def _tariffs(pack: Pack, language: Language, labels: Labels) -> RenderableType:
    made = table(
        f"\n{labels['tariffs']}",
        labels["tariff"],
        labels["title"],
        labels["kind"],
        labels["fee"],
        labels["commitment"],
        labels["filing number"],
        right=(3,),
    )
    for tariff in pack.tariffs.values():
        fee = shown(tariff.fee, "money", language, pack.currency)
        term = shown(tariff.commitment_months, "months", language) if tariff.commitment_months else ""
        made.add_row(tariff.id, tariff.name.say(language), word(tariff.kind, language), fee, term, tariff.filing_no)
    return made
