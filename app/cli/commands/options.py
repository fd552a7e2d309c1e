"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Locale = Literal["zh-CN", "en"]
PackFolder = Annotated[
    Path | None,
    typer.Option("--pack", metavar="FOLDER", help="Folder with rules/ and policies/. Left out: WANLIU_PACK, or the current folder."),
]
MyName = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who you are, for the record. Left out: your login name.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text for people.")]
