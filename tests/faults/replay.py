"""Random decisions, as the record keeps them, are decided again in other processes: each answer comes out the same, byte for byte.

    python tests/faults/replay.py [--n 100000] [--seed 1] [--python /path/to/python3.13 …]

Each process that decides again has a hash seed of its own; one has our own matcher of patterns, and one durable_rules, where that imports.
`--python` names other interpreters that have the libraries of requirements/run.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import orjson  # noqa: E402 - after the path that makes a script of this folder see the project

from app.api.answers import answer_bytes  # noqa: E402
from app.engine.decide import decide  # noqa: E402
from app.engine.explain import explain  # noqa: E402
from app.engine.intake import take  # noqa: E402
from app.engine.pack import Pack, load_pack  # noqa: E402
from app.engine.view import view  # noqa: E402
from app.engine.vocabulary import DecisionRequest  # noqa: E402
from app.record.decisions import Asked, decision_entry  # noqa: E402
from app.record.ids import Ids  # noqa: E402
from app.record.reading.recorded import Recorded  # noqa: E402
from app.record.reading.replaying import replay  # noqa: E402
from tests.population import END, population  # noqa: E402

ROLES = ("agent", "self_service", "campaign", "compliance", "development")
DETAIL = ("none", "summary", "full")
SHOWN = 5


@dataclass(frozen=True)
class Again:
    """A process that decides again: the interpreter, and its matcher of patterns."""

    python: str
    matcher: str
    hash_seed: int

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; it takes decisions a line each."""
        command = [self.python, str(Path(__file__)), "--again", self.matcher]
        environment = {**os.environ, "PYTHONHASHSEED": str(self.hash_seed)}
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=ROOT)


class OnlyPack:
    """The pack that decides, where packs are asked for by their digest."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def get(self, digest: str) -> Pack:
        """The pack.

        Raises:
            LookupError: it has another digest.
        """
        if digest != self._pack.digest:
            raise LookupError(digest)
        return self._pack


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Decides recorded decisions again, in other processes.")
    parser.add_argument("--n", type=int, default=100_000, help="decisions (100000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python", action="append", default=[], metavar="FILE", help="another interpreter; may be repeated")
    parser.add_argument("--again", choices=("builtin", "durable"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.again:
        print(json.dumps(decided_again(options.again, sys.stdin.buffer)))
        return
    figures = replayed(options.n, options.seed, options.python)
    print(json.dumps(figures))
    sys.exit(bool(figures["differ"]))


def replayed(n: int, seed: int, others: Sequence[str] = ()) -> dict[str, Any]:
    """Make n decisions and have each decided again in every process; how many came out otherwise, and where."""
    matchers = ["builtin", *(["durable"] if _has_durable() else [])]
    again = [Again(sys.executable, matcher, number) for number, matcher in enumerate(matchers, 1)]
    again += [Again(python, "builtin", number) for number, python in enumerate(others, len(again) + 1)]
    processes = [each.start() for each in again]
    for line in decided(n, seed):
        for process in processes:
            _input(process).write(line + b"\n")
    told = [_told(process) for process in processes]
    return {
        "decisions": n,
        "replays": sum(each["same_bytes"] + each["differ"] for each in told),
        "differ": sum(each["differ"] for each in told),
        "processes": [{"matcher": made.matcher, **each} for made, each in zip(again, told, strict=True)],
        "seed": seed,
    }


def decided(n: int, seed: int) -> Iterator[bytes]:
    """Random decisions as the record keeps them: envelope's body, and what is private."""
    pack, dice, ids = load_pack(ROOT, pattern_engine="builtin"), random.Random(seed), Ids()
    for body in population(seed, n):
        role, detail = dice.choice(ROLES), dice.choice(DETAIL)
        case = take(pack, DecisionRequest.model_validate(body), now=END, role=role)
        decision, decision_id = decide(pack, case), ids.new(END)
        answer = answer_bytes(view(explain(pack, case, decision, detail), pack.restricted, role), pack, END, decision_id)
        entry = decision_entry(decision_id, END, pack, case, decision, answer, Asked("bench", role, detail))
        yield orjson.dumps({"id": entry.id, "body": entry.body, "private": entry.private}, default=dict)


def decided_again(matcher: str, lines: Any) -> dict[str, Any]:
    """Decide each of these lines again; how many came out the same to the byte."""
    packs = OnlyPack(load_pack(ROOT, pattern_engine="durable" if matcher == "durable" else "builtin"))
    same, differing = 0, []
    for line in lines:
        told = orjson.loads(line)
        found = replay(Recorded(told["id"], {"body": told["body"]}, told["private"], "readable", None), packs)
        if found.verdict == "same_bytes":
            same += 1
        else:
            differing.append((found.verdict, [item.path for item in found.differences[:SHOWN]]))
    version = ".".join(map(str, sys.version_info[:3]))
    return {"python": version, "same_bytes": same, "differ": len(differing), "places": differing[:SHOWN]}


def _told(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("a process that decides again failed")
    told: dict[str, Any] = json.loads(output.splitlines()[-1])
    return told


def _input(process: subprocess.Popen[bytes]) -> Any:
    return process.stdin


def _has_durable() -> bool:
    try:
        import durable.lang  # noqa: F401
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    main()
