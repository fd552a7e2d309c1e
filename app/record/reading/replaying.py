"""Deciding a recorded decision again: with the pack that decided it, to the byte, or with another, to see what it would have decided."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from app import __version__
from app.engine.answer import Explanation
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.explain import explain
from app.engine.pack import Pack
from app.engine.problems import PackError
from app.engine.view import sees_evidence, view
from app.record.canonical import canonical
from app.record.counting import kept_out
from app.record.decisions import concluded
from app.record.packs.library import DamagedPack
from app.record.packs.steps import UnknownPack
from app.record.reading.recorded import Recorded

Verdict = Literal["same_bytes", "same", "differs", "erased", "pack_unusable"]
MOST_DIFFERENCES = 200
CHANGELOG = Path(__file__).parents[3] / "CHANGELOG.md"
_heading = re.compile(r"^## \[?(?P<version>\d+\.\d+\.\d+)", re.MULTILINE)
_explained = frozenset(field.name for field in fields(Explanation))


class Packs(Protocol):
    """Where packs are found by their digest."""

    def get(self, digest: str) -> Pack:
        """The pack with this digest."""
        ...


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two answers differ, as a path into them; what one of them lacks is none."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Made:
    """What an answer was made with."""

    engine: str
    pack: str


@dataclass(frozen=True, slots=True)
class ChangelogEntry:
    """A version between two engines and what its changelog says."""

    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of deciding again.

    Attributes:
        decision_id: what was decided again.
        verdict: `same_bytes`: the answer to the byte, of a campaign the codes; `same`: by another engine, with nothing that differs but
            its version; `differs`; `erased`: there is no case any more; `pack_unusable`: this engine refuses the pack, `why` says so.
        recorded: what the answer on record was made with.
        replayed: what it was made with now.
        differences: where the answers differ, at most 200.
        more: how many further ones there are.
        changelog: what changed in the engine between the two versions.
        why: what hindered it.
    """

    decision_id: str
    verdict: Verdict
    recorded: Made
    replayed: Made
    differences: Sequence[Difference] = ()
    more: int = 0
    changelog: Sequence[ChangelogEntry] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ActionChange:
    """An action that another pack treats otherwise: its place on the list, or the cause and clause that keep it out."""

    action: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Instead:
    """What another pack would have decided.

    Attributes:
        decision_id: what was decided.
        decided_with: the pack on record.
        instead: the other.
        same: are phase, list, tariffs and concessions the same?
        differences: in stage, phase, signals, list, tariffs and concessions.
        actions: those that came out otherwise.
    """

    decision_id: str
    decided_with: str
    instead: str
    same: bool
    differences: Sequence[Difference]
    actions: Sequence[ActionChange]


def replay(recorded: Recorded, packs: Packs) -> Replay:
    """Decide again with the pack on record: the same answer, or, of a campaign, which keeps none, the same codes in the envelope.

    Args:
        recorded: a decision.
        packs: every pack ever used.
    """
    digest, engine = recorded.body["pack"], recorded.body["engine"]
    was, now = Made(engine, digest), Made(__version__, digest)
    case, answer = recorded.case, recorded.answer
    if case is None:
        return Replay(recorded.id, "erased", was, now, why="the person was erased; the envelope and its proof remain")
    try:
        pack = packs.get(digest)
    except (PackError, UnknownPack, DamagedPack) as error:
        return Replay(recorded.id, "pack_unusable", was, now, changelog=changelog(engine), why=str(error).partition("\n")[0])
    if answer is None:
        codes = codes_again(pack, case)
        again, before = canonical(codes), canonical(codes_told(recorded, codes))
    else:
        again, before = answered_again(pack, case, recorded.body, answer), answer.encode()
    if again == before and engine == __version__:
        return Replay(recorded.id, "same_bytes", was, now)
    found = [item for item in differences(orjson.loads(before), orjson.loads(again)) if item.path != "engine"]
    if not found:
        return Replay(recorded.id, "same", was, now, changelog=changelog(engine))
    return Replay(recorded.id, "differs", was, now, found[:MOST_DIFFERENCES], max(len(found) - MOST_DIFFERENCES, 0), changelog(engine))


def codes_again(pack: Pack, case: Case, decision: Decision | None = None) -> dict[str, Any]:
    """What the envelope of this decision would say of it."""
    made = decision or decide(pack, case)
    return concluded(pack, made, kept_out(pack, case, made))


def codes_told(recorded: Recorded, again: Mapping[str, Any]) -> dict[str, Any]:
    """The same names of the envelope on record."""
    optional = [name for name in ("empty_because", "closing") if name in recorded.body]
    return {name: recorded.body.get(name) for name in dict.fromkeys([*again, *optional])}


def answered_again(pack: Pack, case: Case, body: Mapping[str, Any], answer: str) -> bytes:
    """The answer made again, for the same role and as explicit: what is not of the decision itself (id, time, record) stands as it was.

    Args:
        pack: that decides.
        case: what was asked.
        body: of the envelope: `role`, `grade` and `explain`.
        answer: as it was given.
    """
    whole = explain(pack, case, decide(pack, case), body["explain"], evidence=sees_evidence(body["role"]))
    explanation = view(whole, pack.restricted, body["role"], body.get("grade"))
    before: dict[str, Any] = orjson.loads(answer)
    made = {name: getattr(explanation, name) if name in _explained else value for name, value in before.items()}
    made |= {name: getattr(explanation, name) for name in sorted(_explained - before.keys())}
    if "engine" in made:
        made["engine"] = __version__
    return orjson.dumps(made, default=_plain)


def instead(recorded: Recorded, pack: Pack, other: Pack) -> Instead | None:
    """What another pack would have decided on the same case; none where the person was erased.

    Args:
        recorded: a decision.
        pack: the one that decided it.
        other: a draft, or any other.
    """
    case = recorded.case
    if case is None:
        return None
    before, after = decide(pack, case), decide(other, case)
    found = list(differences(_outline(before), _outline(after)))
    became, becomes = _became(before), _became(after)
    changed = [
        ActionChange(name, became.get(name, "not in the pack"), becomes.get(name, "not in the pack"))
        for name in sorted(became.keys() | becomes.keys())
        if became.get(name) != becomes.get(name)
    ]
    decisive = ("phase", "actions")
    same = not any(item.path.partition(".")[0].partition("[")[0] in decisive for item in found)
    return Instead(recorded.id, recorded.body["pack"], other.digest, same, found, changed)


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Where two JSON values differ: `actions[0].score`, deepest places first met first told."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from differences(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            one, other = (items[place] if place < len(items) else None for items in (before, after))
            yield from differences(one, other, f"{path}[{place}]")
    elif before != after or type(before) is not type(after):
        yield Difference(path, before, after)


def changelog(since: str, text: str | None = None) -> list[ChangelogEntry]:
    """What the changelog says of the engine's versions after one, up to the present one, oldest first; of none where there is no file.

    Args:
        since: version of the engine that decided.
        text: the changelog; left out, the one that the program comes with.
    """
    if text is None:
        if not CHANGELOG.exists():
            return []
        text = CHANGELOG.read_text("utf-8")
    found = list(_heading.finditer(text))
    ends = [item.start() for item in found[1:]] + [len(text)] * bool(found)
    entries = [
        ChangelogEntry(item["version"], text[item.end() : end].partition("\n")[2].strip()) for item, end in zip(found, ends, strict=True)
    ]
    return [entry for entry in reversed(entries) if _number(since) < _number(entry.version) <= _number(__version__)]


def _outline(decision: Decision) -> dict[str, Any]:
    return {
        "stage": decision.stage.id,
        "phase": decision.phase.id,
        "moment": decision.moment,
        "signals": dict(decision.signals),
        "actions": [{"action": item.action, "tariff": item.tariff, "concession": item.concession} for item in decision.ranked],
        "empty_because": decision.empty_because,
    }


def _became(decision: Decision) -> dict[str, str]:
    ranks = {item.action: f"rank {item.rank}" for item in decision.ranked}
    return ranks | {
        item.action: f"{item.cause}: {item.clause}" if item.clause else str(item.cause) for item in decision.outcomes if item.cause
    }


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)
