"""The pages of the documentation, cut into what tests ask about: sections, tables, commands with their output, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh.md")
PAGES = (*READMES, ROOT / "CHANGELOG.md", ROOT / "examples" / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SKIP = "…"
"""In an expected output: alone, any lines; in a line, any characters."""

_fence = re.compile(r"^ *```(\w*)$")
_written = re.compile(r"^# ((?:rules|policies)/\S+\.yaml)(?:, after `(.*)`)?$")
_heading = re.compile(r"^#+ (.*)$")


@dataclass(frozen=True)
class Step:
    """A command of a page, and the output it shows; none for a script without any."""

    command: str
    output: tuple[str, ...] | None


@dataclass(frozen=True)
class Written:
    """A file that a page has the reader write, or lines to add to one after a line that it names."""

    file: str
    after: str
    text: str


def name_of(page: Path) -> str:
    """The page, relative to the checkout."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Fenced blocks: their language and lines."""
    language, lines = None, list[str]()
    for line in page.read_text(encoding="utf-8").splitlines():
        found = _fence.match(line)
        if found and language is None:
            language, lines = found[1], []
        elif found and language is not None:
            yield language, lines
            language = None
        elif language is not None:
            lines.append(line)
    assert language is None, f"{name_of(page)}: a fence is not closed"


def steps(page: Path) -> list[Step]:
    """What a reader would type, top to bottom."""
    return [step for step in work(page) if isinstance(step, Step)]


def work(page: Path) -> list[Step | Written]:
    """What a reader would do: `console` blocks with `$ ` before each command, `sh` blocks whole, `yaml` blocks that name their file."""
    found: list[Step | Written] = []
    for language, lines in blocks(page):
        name = _written.match(lines[0]) if language == "yaml" and lines else None
        if language == "sh":
            found.append(Step("\n".join(lines), None))
        elif name is not None:
            found.append(Written(name[1], name[2] or "", "\n".join(lines[1:]) + "\n"))
        elif language == "console":
            starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
            assert starts[:1] == [0], f"{name_of(page)}: a console block begins with a command"
            for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
                found.append(Step(lines[start][2:], tuple(lines[start + 1 : end])))
    return found


def difference(expected: tuple[str, ...], output: str) -> str:
    """The first expected line that the output does not have in its place, or nothing. How wide a column is does not matter."""
    lines = [" ".join(line.split()) for line in output.splitlines()]
    at, anywhere = 0, False
    for number, line in enumerate(expected):
        if line.strip() == SKIP:
            anywhere = True
            continue
        form = re.compile(".*".join(map(re.escape, " ".join(line.split()).split(SKIP))))
        rest = range(at, len(lines)) if anywhere else range(at, min(at + 1, len(lines)))
        place = next((index for index in rest if form.fullmatch(lines[index])), None)
        if place is None:
            return f"line {number + 1} of the page, `{line}`, is not in the output{'' if anywhere else ' at its place'}"
        at, anywhere = place + 1, False
    return "" if anywhere or at == len(lines) else f"the output goes on: `{lines[at]}`"


def sections(page: Path) -> dict[str, str]:
    """The text under each heading, up to the next one of any depth; a heading without backticks and colons is its key."""
    found: dict[str, str] = {}
    heading, fenced = "", False
    for line in page.read_text(encoding="utf-8").splitlines():
        fenced ^= bool(_fence.match(line))
        title = None if fenced else _heading.match(line)
        if title:
            heading = title[1].replace("`", "").rstrip(":")
        found[heading] = found.get(heading, "") + line + "\n"
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of every table row of a text, heads and rules left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    tables = [line for line, after in zip(lines, [*lines[1:], ""], strict=False) if not re.fullmatch(r"[|\s:-]+", after)]
    cells = (re.split(r"(?<!\\)\|", line)[1:-1] for line in tables if not re.fullmatch(r"[|\s:-]+", line))
    return [[cell.strip().replace("\\|", "|") for cell in row] for row in cells]


def quoted(text: str) -> set[str]:
    """Everything a text has in backticks."""
    return {found for line in text.splitlines() for found in re.findall(r"`([^`]+)`", line)}


def anchors(page: Path) -> set[str]:
    """What a link may name after `#`: headings as GitHub turns them, and anchors set by hand."""
    found = set()
    for heading in sections(page):
        plain = re.sub(r"[^\w\s-]", "", heading.replace("`", "").lower())
        found.add(plain.strip().replace(" ", "-"))
    return found | set(re.findall(r'<a id="([^"]+)">', page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    """Targets of links outside fenced blocks."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", lambda found: "" if "](" in found[0] else found[0], text))
