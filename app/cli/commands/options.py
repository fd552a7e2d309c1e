"""Arguments and options that several commands have."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

Locale = Literal["zh-CN", "en"]


def locale_of(environment: Mapping[str, str]) -> Locale:
    """The language that LC_ALL, LC_MESSAGES or LANG asks for, the first that is set: Chinese where it begins with `zh`, else English."""
    told = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh-CN" if told.lower().startswith("zh") else "en"


def _or_mine(given: Locale | None) -> Locale:
    return given or locale_of(os.environ)


MINE = cast("Locale", None)
"""Left out: the callback of `InLocale` puts the environment's language in its place."""
InLocale = Annotated[
    Locale,
    typer.Option("--locale", callback=_or_mine, show_default=False, help="Language of what is printed. Left out, your environment's."),
]
PackFolder = Annotated[
    Path | None,
    typer.Option("--pack", metavar="FOLDER", help="Folder with rules/ and policies/. Left out: WANLIU_PACK, or the current folder."),
]
MyName = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who you are, for the record. Left out: your login name.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text for people.")]
