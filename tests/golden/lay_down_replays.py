"""Lay down the replay corpus of this release: every example and some of the population, decided with the shipped pack.

    python -m tests.golden.lay_down_replays

Run once a release, when the engine and the shipped pack are final; the folder of an earlier release is never written again.
"""

from __future__ import annotations

import datetime
import gzip
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from app import __version__
from app.api.answers import answer_bytes
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.explain import explain
from app.engine.pack import Pack, build_pack, read_folder
from app.engine.view import view
from app.record.canonical import canonical
from tests.pipeline import case_of, cases

ROOT = Path(__file__).parents[2]
REPLAYS = Path(__file__).parent / "replays"
POPULATION = 20
ROLES = ("agent", "development", "campaign", "self_service")
DECIDED_AT = datetime.datetime(2026, 11, 22, 2, tzinfo=datetime.UTC)


def corpus(pack: Pack) -> Iterator[tuple[str, Case, str]]:
    """Name, case and role of each decision to keep."""
    for number, file in enumerate(sorted((ROOT / "examples").glob("[0-9]*.json"))):
        role = ROLES[number % len(ROLES)]
        yield file.stem, case_of(pack, {**orjson.loads(file.read_bytes()), "mode": "what_if"}, role), role
    for number, case in enumerate(cases(pack, 2026, POPULATION, role="agent")):
        yield f"population-{number:02}", case, "agent"


def kept(pack: Pack, case: Case, role: str) -> dict[str, Any]:
    """A decision as the corpus keeps it: the case, the digest of the answer's bytes, and the decision itself."""
    decision = decide(pack, case)
    answer = answer_bytes(view(explain(pack, case, decision, "full"), pack.restricted, role), pack, DECIDED_AT, None)
    return {
        "engine": __version__,
        "pack": pack.digest,
        "role": role,
        "explain": "full",
        "case": case.as_json(),
        "answer_sha256": hashlib.sha256(answer).hexdigest(),
        "decision": outline(decision),
    }


def outline(decision: Decision) -> dict[str, Any]:
    """A decision as codes and figures; of what is not on the list cause and clause, as the envelope has them."""
    outcomes: dict[str, dict[str, list[str]]] = {}
    for item in decision.outcomes:
        if item.cause is not None:
            outcomes.setdefault(item.cause, {}).setdefault(str(item.clause), []).append(item.action)
    told = {name: value for name, value in decision.as_json().items() if name != "outcomes"}
    return {**told, "outcomes": outcomes}


def pack_file(files: Mapping[str, bytes]) -> bytes:
    """A pack as the corpus keeps it: compressed JSON, path to text; the same bytes for the same pack."""
    return gzip.compress(canonical({path: content.decode() for path, content in files.items()}), mtime=0)


def main() -> None:
    """Write the folder of this release."""
    files = read_folder(ROOT)
    pack = build_pack(files, pattern_engine="builtin")
    folder = REPLAYS / __version__
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    (folder / f"pack-{pack.digest.removeprefix('sha256:')[:12]}.json.gz").write_bytes(pack_file(files))
    for name, case, role in corpus(pack):
        (folder / f"{name}.json").write_bytes(canonical(kept(pack, case, role)) + b"\n")


if __name__ == "__main__":
    main()
