"""A Dockerfile and its .dockerignore, read as far as ours go."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_KNOWN = {"WORKDIR", "RUN", "ENV", "COPY", "LABEL", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD"}


@dataclass
class Stage:
    """What follows a FROM: its steps, in order, as words and text."""

    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        """The text of every step with this word."""
        return [text for found, text in self.steps if found == word]

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets, later ones over earlier ones."""
        pairs = (pair.partition("=") for text in self.all("ENV") for pair in shlex.split(text))
        return {name: value for name, _, value in pairs}

    @property
    def command(self) -> list[str]:
        """The program that runs."""
        words: list[str] = json.loads(self.all("CMD")[-1])
        return words

    @property
    def health(self) -> list[str]:
        """The program that says whether it is well."""
        words: list[str] = json.loads(self.all("HEALTHCHECK")[-1].partition("CMD ")[2])
        return words


def stages() -> list[Stage]:
    """The stages of our Dockerfile.

    Raises:
        ValueError: it has an instruction that nothing here performs.
    """
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if not line.startswith("#"))
    found: list[Stage] = []
    for line in filter(None, map(str.strip, re.sub(r"\\\n\s*", "", text).splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(name, base))
        elif word in _KNOWN:
            found[-1].steps.append((word, rest.strip()))
        else:
            raise ValueError(f"nothing performs {word}")
    return found


def sent_files() -> Iterator[Path]:
    """The files that reach the builder, relative to the checkout.

    The last rule of .dockerignore that fits a file, or a folder it is in, counts.
    """
    rules = [rule for rule in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if rule and not rule.startswith("#")]
    tops = [ROOT / rule[1:] for rule in rules if rule.startswith("!")]
    for top in tops:
        for file in [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file()):
            name = file.relative_to(ROOT)
            if not _ignored(name, rules):
                yield name


def _ignored(name: Path, rules: list[str]) -> bool:
    ignored = False
    for rule in rules:
        kept, pattern = rule.startswith("!"), rule.removeprefix("!")
        for part in (name, *name.parents):
            if fnmatch.fnmatch(part.as_posix(), pattern) or fnmatch.fnmatch(f"/{part.as_posix()}", pattern.replace("**", "*")):
                ignored = not kept
    return ignored
