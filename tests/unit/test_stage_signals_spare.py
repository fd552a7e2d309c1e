"""When the pattern engine fails in mid-request, the other matcher answers."""

import dataclasses
import json
from pathlib import Path

from app.engine.decide import decide
from app.engine.intake import parse_request, take
from app.engine.pack import load_pack
from app.engine.patterns import PatternEngineError

ROOT = Path(__file__).parents[2]


class Failing:
    """A matcher whose engine is broken."""

    def match(self, history, as_of):
        raise PatternEngineError("out of memory")

    def close(self):
        pass


def test_our_own_matcher_answers_where_the_pattern_engine_fails():
    """A failure of durable_rules costs nothing but time: the decision is the same."""
    pack = load_pack(ROOT, pattern_engine="builtin")
    broken = dataclasses.replace(pack, matcher=Failing())
    example = next((ROOT / "examples").glob("16-*.json"))
    request = parse_request(json.dumps({**json.loads(example.read_bytes()), "mode": "what_if"}).encode())
    case = take(pack, request, now=request.as_of, role="agent")
    assert decide(broken, case) == decide(pack, case)
    assert "fault.same_area" in dict(decide(broken, case).signals)
