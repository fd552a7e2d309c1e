"""Every decision that a release laid down comes out the same today, with the pack of its time."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from app import __version__
from app.api.answers import answer_bytes
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.pack import Pack, build_pack
from app.engine.view import view
from app.record.canonical import canonical
from app.record.reading.replaying import changelog, differences
from tests.golden.lay_down_replays import DECIDED_AT, REPLAYS, corpus, kept, outline, pack_file
from tests.pipeline import shipped

pytestmark = pytest.mark.golden

LAID_DOWN = sorted(path for path in REPLAYS.glob("*/*.json"))


@cache
def pack_of(folder: Path) -> Pack:
    (file,) = folder.glob("pack-*.json.gz")
    texts: dict[str, str] = orjson.loads(gzip.decompress(file.read_bytes()))
    return build_pack({path: text.encode() for path, text in texts.items()}, pattern_engine="builtin")


@pytest.mark.parametrize("file", LAID_DOWN, ids=[f"{path.parent.name}/{path.stem}" for path in LAID_DOWN])
def test_the_same_decision(file: Path) -> None:
    """The decision is the one laid down and, by the same version of the engine, the answer is the same to the byte."""
    told: dict[str, Any] = orjson.loads(file.read_bytes())
    pack, case = pack_of(file.parent), Case.from_json(told["case"])
    assert pack.digest == told["pack"]
    decision = decide(pack, case)
    before, after = (orjson.loads(canonical(one)) for one in (told["decision"], outline(decision)))
    assert list(differences(before, after)) == [], changelog(told["engine"])
    if told["engine"] == __version__:
        answer = answer_bytes(view(explain(pack, case, decision, told["explain"]), pack.restricted, told["role"]), pack, DECIDED_AT, None)
        assert hashlib.sha256(answer).hexdigest() == told["answer_sha256"]


def test_what_is_laid_down() -> None:
    """The first release laid down every example and some of the population, each as canonical JSON that makes an equal case."""
    assert len(LAID_DOWN) >= 80
    names = {path.stem for path in LAID_DOWN if path.parent.name == "1.0.0"}
    assert names >= {path.stem for path in (REPLAYS.parents[2] / "examples").glob("[0-9]*.json")}
    for file in LAID_DOWN:
        content = file.read_bytes()
        assert canonical(orjson.loads(content)) + b"\n" == content


def test_laying_down_is_repeatable() -> None:
    """The same engine and pack lay the same corpus down."""
    pack = shipped()
    name, case, role = next(corpus(pack))
    assert canonical(kept(pack, case, role)) == canonical(kept(pack, Case.from_json(case.as_json()), role))
    assert name == "01-retention-contract-ending"
    assert pack_file({"a": b"x"}) == pack_file({"a": b"x"})
