"""A pack: `rules/` and `policies/` read, checked and compiled into something frozen that decides.

The digest is SHA-256 over the files in the order of their paths, each as `length path length bytes`.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.engine import patterns
from app.engine.pack.checking import Parts, check
from app.engine.pack.checks import problems_of
from app.engine.pack.checks.dead import findings
from app.engine.pack.checks.likeness import likeness_problems
from app.engine.pack.checks.reasoning import Reasoned
from app.engine.pack.checks.selling import sale_problems
from app.engine.pack.checks.usage import usage_problems
from app.engine.pack.compiling import Compiler, base_facts, matcher, plans
from app.engine.pack.limits import protected_problems
from app.engine.pack.model import Action, Choosing, Clause, Pack, PolicyRule, Signal, Tariff
from app.engine.pack.reading import MOST_PROBLEMS, Draft, read_files
from app.engine.pack.restricting import restrictions
from app.engine.problems import PackError, Place, Problem

PatternEngine = Literal["durable", "builtin"]

FOLDERS = ("rules", "policies")
MOST_FILES = 4_000
LARGEST_PACK = 16 * 1024 * 1024
_steering = re.compile("[\x00-\x1f\x7f-\x9f]")

__all__ = [
    "Action",
    "Clause",
    "Examined",
    "Pack",
    "PackError",
    "PatternEngine",
    "Reasoned",
    "Signal",
    "assembled",
    "build_pack",
    "check_files",
    "digest_of",
    "examine_files",
    "load_pack",
    "parts_of",
    "printable",
    "read_folder",
]


def load_pack(folder: Path, *, pattern_engine: PatternEngine | None = None, cache: Path | None = None) -> Pack:
    """Read, check and compile the pack in a folder.

    Args:
        folder: holds `rules/` and `policies/`.
        pattern_engine: which matcher joins events; none takes durable_rules where it imports.
        cache: folder that remembers which packs' patterns were tried in a child process; none tries each time.

    Raises:
        PackError: with every mistake found.
    """
    return build_pack(read_folder(folder), pattern_engine=pattern_engine, cache=cache)


def read_folder(folder: Path) -> dict[str, bytes]:
    """The pack's files by their path in the folder; `policies/tests/` is not part of it.

    Raises:
        PackError: there is no pack, or it is too large.
    """
    found: dict[str, Path] = {}
    size = 0
    for path in (path for name in FOLDERS for path in _below(folder / name)):
        relative = printable(path.relative_to(folder))
        if path.suffix.lower() not in (".yaml", ".yml") or relative.startswith("policies/tests/") or not path.is_file():
            continue
        found[relative] = path
        size += path.stat().st_size
        if _too_large(len(found), size):
            raise PackError(_too_large(len(found), size))
    if not found:
        raise PackError([Problem(Place(printable(folder)), "missing", "no pack here", "a pack is a folder with `rules/` and `policies/`")])
    return {relative: found[relative].read_bytes() for relative in sorted(found)}


def _below(folder: Path) -> Iterator[Path]:
    """The files below a folder. One that cannot be looked into is not passed over: what it holds may be what keeps people safe."""

    def refuse(error: OSError) -> None:
        raise error

    for top, _, names in os.walk(folder, onerror=refuse) if folder.is_dir() else ():
        yield from (Path(top, name) for name in names)


def printable(path: Path) -> str:
    """The path as text, bytes of a name that is no text and characters that steer terminals spelt out: `\\udcff`, `\\x1b`."""
    text = path.as_posix().encode(errors="backslashreplace").decode()
    return _steering.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _too_large(files: int, size: int) -> list[Problem]:
    if files <= MOST_FILES and size <= LARGEST_PACK:
        return []
    return [Problem(Place(), "pack-too-large", f"a pack has at most {MOST_FILES:,} files and {LARGEST_PACK:,} bytes")]


def digest_of(files: Mapping[str, bytes]) -> str:
    """`sha256:…` of the files."""
    total = hashlib.sha256()
    for name in sorted(files):
        path, content = name.encode(errors="surrogateescape"), files[name]
        total.update(b"%d %s %d " % (len(path), path, len(content)))
        total.update(content)
    return f"sha256:{total.hexdigest()}"


@dataclass(frozen=True, slots=True)
class Examined:
    """What a check of a pack found, by file and line, and of how many conditions it was decided whether they can hold.

    `parts` are those of a pack without errors, none of any other.
    """

    problems: tuple[Problem, ...]
    reasoned: Reasoned
    parts: Parts | None


def check_files(files: Mapping[str, bytes], *, cache: Path | None = None, today: datetime.date | None = None) -> tuple[Problem, ...]:
    """Every mistake in the files and every part that does nothing, by file and line.

    A pack can be built where no problem has the severity `error`.

    Args:
        files: the pack.
        cache: as for `load_pack`.
        today: the day on which tariffs have to be on sale; without it no sale counts as over.
    """
    return examine_files(files, cache=cache, today=today).problems


def examine_files(files: Mapping[str, bytes], *, cache: Path | None = None, today: datetime.date | None = None) -> Examined:
    """The same, with how far it could be reasoned about."""
    draft, parts = _checked(files, cache)
    if parts is not None and today is not None:
        draft.problems += sale_problems(parts, today)
    reasoned = Reasoned()
    if parts is not None and not _errors(draft):
        pack = _assembled(draft, parts, files, "builtin")
        found, reasoned = findings(pack, parts)
        draft.problems += [*found, *usage_problems(parts, pack), *likeness_problems(parts)]
    return Examined(tuple(sorted(set(draft.problems))), reasoned, None if _errors(draft) else parts)


def parts_of(files: Mapping[str, bytes]) -> Parts:
    """A pack's parts with their places and trees, for those who explain or compare packs.

    Raises:
        PackError: with every mistake found.
    """
    draft, parts = _checked(files, None, trial=False)
    if parts is None or _errors(draft):
        raise PackError(_errors(draft))
    return parts


def assembled(parts: Parts, files: Mapping[str, bytes], compiler: Compiler | None = None) -> Pack:
    """The pack of parts without mistakes, with our own matcher; `compiler` is one that knows what it may reuse."""
    return _assembled(parts.draft, parts, files, "builtin", compiler)


def build_pack(files: Mapping[str, bytes], *, pattern_engine: PatternEngine | None = None, cache: Path | None = None) -> Pack:
    """Check and compile a pack from its files.

    Raises:
        PackError: with every mistake found.
    """
    draft, parts = _checked(files, cache)
    errors = _errors(draft)
    if errors or parts is None:
        raise PackError(errors)
    return _assembled(draft, parts, files, pattern_engine)


def _errors(draft: Draft) -> list[Problem]:
    return [problem for problem in draft.problems if problem.severity == "error"]


def _checked(files: Mapping[str, bytes], cache: Path | None, *, trial: bool = True) -> tuple[Draft, Parts | None]:
    too_large = _too_large(len(files), sum(map(len, files.values())))
    draft = Draft(problems=too_large) if too_large else read_files(files)
    parts = check(draft) if not draft.problems else None
    if draft.full:
        draft.wrong(Place(), "too-many", f"more than {MOST_PROBLEMS} mistakes; these come first", "put them right and check again")
    if draft.problems:
        return draft, None
    if parts is not None:
        draft.problems += [*protected_problems(parts), *problems_of(parts)]
    if trial and parts is not None and not _errors(draft) and parts.joins and patterns.durable_available():
        refused = patterns.checked(tuple(parts.joins[name] for name in sorted(parts.joins)), digest_of(files), cache)
        if refused is not None:
            first = parts.patterns[min(parts.joins)]
            draft.wrong(first.place(), "patterns", refused, "simplify the patterns")
    return draft, parts


def _assembled(
    draft: Draft, parts: Parts, files: Mapping[str, bytes], engine: PatternEngine | None, compiler: Compiler | None = None
) -> Pack:
    head, arbitration = draft.single("pack"), draft.single("arbitration")
    if head is None or arbitration is None:
        raise AssertionError("checked before")
    rules, conversation = arbitration.part, draft.single("conversation")
    compiled = (compiler or Compiler(parts, rules.valid_days)).run()
    program = compiled.program
    ages = {name: found.part for found, name in draft.merged("ages")}
    return Pack(
        name=head.part.name,
        version=head.part.version,
        digest=digest_of(files),
        jurisdiction=head.part.jurisdiction,
        currency=head.part.currency,
        zone=head.part.zone,
        salt=head.part.salt,
        size=program.size + len(program.constants),
        fixed=tuple(node.value for _, node in program.constants)[::-1],
        recognise=compiled.recognise,
        conclude=compiled.conclude,
        screen=compiled.screen,
        gates=compiled.gates,
        base=base_facts(parts, program, ages),
        derived=compiled.derived,
        slots=dict(program.named),
        definitions=dict(program.definitions),
        terms=program.terms(),
        types={name: ref.type for name, ref in parts.scopes.facts(port=True).items()},
        constants={name: parameter.value for name, parameter in parts.scopes.parameters.items()},
        ages=ages,
        custom=dict(parts.scopes.custom),
        questions=compiled.questions,
        signals=dict(sorted(compiled.signals.items())),
        patterns=tuple(compiled.patterns),
        matcher=matcher(parts, engine),
        spare_matcher=matcher(parts, "builtin"),
        event_kinds=_event_kinds(parts),
        stages=compiled.stages,
        phases=compiled.phases,
        hands_off=compiled.hands_off,
        moments=compiled.moments,
        tariffs=_tariffs(parts),
        plans=plans(parts),
        actions=compiled.actions,
        categories={action.id: action.category for action in compiled.actions},
        contact_rules=_rules(parts, "contact"),
        guardrail_rules=_rules(parts, "guardrails"),
        holidays=frozenset(day.toordinal() for found in draft.each("holidays") for day in [found.part]),
        choosing=Choosing(
            rules.max_actions,
            rules.per_category,
            rules.commitments,
            frozenset(rules.service_first),
            dict(rules.concession),
            dict(rules.concession_year),
            {cause: tuple(dict.fromkeys(found.part)) for found, cause in draft.merged("fallback")},
            1 if conversation is None else conversation.part.steps,
            compiled.leaving,
        ),
        files=tuple(sorted(files)),
        restricted=restrictions(parts, compiled.phases, compiled.actions),
    )


def _event_kinds(parts: Parts) -> frozenset[str]:
    """Kinds that some pattern joins."""
    return frozenset(kind for pattern in parts.joins.values() for join in pattern.joins for _, kind in join.facts) | frozenset(
        kind for pattern in parts.joins.values() for join in pattern.joins for _, kind, _ in join.without
    )


def _tariffs(parts: Parts) -> dict[str, Tariff]:
    result = {}
    for name, found in sorted(parts.tariffs.items()):
        part = found.part
        texts = {key: parts.texts[found.source.file, (*found.path, key)] for key in ("name", "disclose")}
        result[name] = Tariff(
            name,
            part.kind,
            texts["name"],
            part.filing_no,
            part.fee,
            part.fee_after,
            part.months,
            part.exit_fee,
            part.commitment_months,
            part.effective,
            texts["disclose"],
        )
    return result


def _rules(parts: Parts, which: Literal["contact", "guardrails"]) -> dict[str, PolicyRule]:
    result = {}
    for name, found in sorted(getattr(parts, which).items()):
        at = (found.source.file, found.path)
        title, reason = (parts.texts[at[0], (*at[1], key)] for key in ("title", "reason"))
        source, because = (parts.texts.get((at[0], (*at[1], key))) for key in ("source", "because"))
        result[name] = PolicyRule(name, title, reason, source, because, getattr(found.part, "checked", ""))
    return result
