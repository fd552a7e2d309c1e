"""Getting a pack ready to be published: its folder read, its paths and size looked at, everything `wanliu pack check` finds found."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from app.engine.pack import FOLDERS, LARGEST_PACK, MOST_FILES, read_folder
from app.engine.problems import PackError, Place, Problem, shown
from app.record.packs.steps import Checked, PackContent
from app.workbench.suites import read_suites
from app.workbench.trial import Exhibit, Trial, try_apart

LONGEST_PATH = 200
HEAD = "rules/pack.yaml"
_segment = re.compile(r"\w[\w .+-]*")


def read_content(folder: Path) -> PackContent:
    """The pack in a folder, with its suites.

    Raises:
        PackError: there is no pack, or it is too large.
    """
    return PackContent(read_folder(folder), read_suites(folder))


async def checked(content: PackContent, *, today: datetime.date, cache: Path | None) -> tuple[Checked, Trial]:
    """A pack that may be published, and what its trial came to. Tests that fail do not keep it from being published, only from deciding.

    Args:
        content: the pack.
        today: the day on which its tariffs have to be on sale.
        cache: folder that remembers what packs came to.

    Raises:
        PackError: with every mistake found.
    """
    problems = list(content_problems(content))
    if problems:
        raise PackError(problems)
    trial = await try_apart(Exhibit(content.files, content.suites, today), cache)
    if trial.problems or trial.crash:
        raise PackError(trial.problems or [Problem(Place(), "pack", trial.crash)])
    return Checked(content, trial.name, trial.version, trial.passed, trial.failed), trial


def content_problems(content: PackContent) -> Iterator[Problem]:
    """What keeps these files from being a pack at all, found without reading them."""
    paths = [*content.files, *content.suites]
    size = sum(map(len, (*content.files.values(), *content.suites.values())))
    if len(paths) > MOST_FILES or size > LARGEST_PACK:
        told = f"a pack with its tests has at most {MOST_FILES:,} files and {LARGEST_PACK:,} bytes"
        yield Problem(Place(), "pack-too-large", told)
        return
    yield from path_problems(paths)
    for path, text in {**content.files, **content.suites}.items():
        if not _is_text(text):
            yield Problem(Place(path), "encoding", "the file is not UTF-8", "save it with the encoding UTF-8")


def sound(content: PackContent) -> PackContent:
    """The pack without its suites, where these could not be stored: a pack in development may decide while its tests are half written."""
    return PackContent(content.files) if any(content_problems(content)) else content


def path_problems(paths: Iterable[str]) -> Iterator[Problem]:
    """What is wrong with where files of a pack stand."""
    for path in paths:
        if not is_path(path):
            hint = "files of a pack stand in rules/ or policies/ and end in .yaml or .yml"
            yield Problem(Place(), "path", f"{shown(path)} cannot be the path of a file of a pack", hint)


def is_path(path: str) -> bool:
    """Can this be the path of a file of a pack: below one of its folders, YAML, and safe to write below any other folder?"""
    folder, *rest = path.split("/")
    is_yaml = path.lower().endswith((".yaml", ".yml"))
    return folder in FOLDERS and bool(rest) and is_yaml and len(path) <= LONGEST_PATH and all(map(_segment.fullmatch, rest))


def texts_of(content: PackContent) -> Mapping[str, str]:
    """The text of every file by path."""
    return {path: text.decode() for path, text in sorted({**content.files, **content.suites}.items())}


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
