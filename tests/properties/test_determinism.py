"""The same pack and case give the same bytes: whatever the order on disk, the hash seed, the process, the matcher."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.pack import Pack, build_pack
from app.engine.patterns import durable_available
from tests.pipeline import TIMES, cases, shipped, shipped_files
from tests.pipeline_packs import PRICED, act, both, fact, guard, mini_files, rule, signal

ROOT = Path(__file__).parents[2]


def decisions(pack: Pack, seed: int, n: int) -> list[bytes]:
    """Decisions and their full explanations, as bytes."""
    return [
        orjson.dumps([decision.as_json(), explain(pack, case, decision, "full")])
        for case in cases(pack, seed, n)
        for decision in [decide(pack, case)]
    ]


ORDERED = {"levels", "first", "stages", "phases", "moments", "hands_off", "fallback", "propensity", "duty", "is"}
"""Keys under which order means something: levels, first-match tables, and lists of actions to fall back on."""


def shuffled(value: Any, dice: random.Random, key: str = "") -> Any:
    """The document with its mappings and lists in another order, except where order means something."""
    if isinstance(value, dict):
        items = [(name, shuffled(item, dice, name)) for name, item in value.items()]
        if key not in ORDERED:
            dice.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        items = [shuffled(item, dice, key) for item in value]
        if key not in ORDERED:
            dice.shuffle(items)
        return items
    return value


def rewritten(files: dict[str, bytes], dice: random.Random) -> dict[str, bytes]:
    """The same pack with its content in another order and its files under other names."""
    found: dict[str, bytes] = {}
    for index, (path, content) in enumerate(dice.sample(sorted(files.items()), len(files))):
        document = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 - plain text, as the pack's own reader has it
        text = yaml.safe_dump(shuffled(document, dice), allow_unicode=True, sort_keys=False, width=4000).encode()
        named = path.startswith("policies/guardrails") or "action" in document
        found[path if named else f"{path.split('/')[0]}/z{index}.yaml"] = text
    return found


@pytest.mark.parametrize("seed", range(3 * TIMES))
def test_the_order_on_disk_changes_nothing_in_the_shipped_pack(seed: int) -> None:
    """Files, actions, clauses, rules and tariffs in another order decide and explain alike, byte for byte."""
    dice = random.Random(seed)
    other = build_pack(rewritten(dict(shipped_files()), dice), pattern_engine="builtin")
    assert decisions(other, 40 + seed, 60) == decisions(shipped(), 40 + seed, 60)


def random_files(dice: random.Random) -> dict[str, bytes]:
    """A small random pack: facts, signals, and actions with a few clauses each."""
    tests = (
        "account.tenure_months >= 6",
        "churn.score > 0.5",
        "signal('low')",
        "facts.spend > 5000",
        "known(plan.id)",
        "'toll_pack' in services.held",
        "count(events.bill, days=30) >= 1",
        "overlap(services.held, ('music_pack', 'cloud', 'video_pack'))",
        "device.generation in ('4g', '5g')",
    )

    def clauses(most: int) -> dict[str, str]:
        return {f"c{dice.randrange(10**6)}": dice.choice(tests) for _ in range(dice.randint(0, most))}

    kinds = ("care", "offer", "service", "information")
    sent = "【我们】Cancel in the app, or reply STOP. 可取消，拒收回R。"
    actions = {
        f"a{number}": act(
            kind := dice.choice(kinds),
            eligible=clauses(3),
            suitable=clauses(2),
            value=str(dice.choice((100, 200, 200, 300))),
            category=dice.choice(("x", "y", "fault")),
            channels={
                channel: {"text": both(sent + (PRICED if kind == "offer" else ""))}
                for channel in ("app", "call_centre", "sms_marketing", "shop", "outbound_call")
            },
        )
        for number in range(dice.randint(2, 9))
    }
    even = {"policy": 1, "service": 1, "emotional": 1}
    return mini_files(
        actions,
        facts=[fact("spend", "last(billing.total)"), fact("twice", "2 * facts.spend")],
        signals=[signal("low", ("high", "perception.satisfaction <= 5")), signal("other", ("high", "facts.twice > 9000"))],
        phases=[
            {"id": "hands_off", "title": both("Off"), "mix": even},
            {
                "id": "prevention",
                "title": both("P"),
                "any": {f"c{dice.randrange(99)}": dice.choice(tests), "z": dice.choice(tests)},
                "mix": even,
            },
            {"id": "retention", "title": both("K"), "mix": even},
        ],
        contact=[rule(f"r{number}", dice.choice(tests), "action.marketing") for number in range(dice.randint(0, 3))],
        clauses=[guard(f"g{number}", dice.choice(tests), "action.kind == 'offer'") for number in range(dice.randint(0, 3))],
        arbitration={"per_category": dice.randint(1, 3), "max_actions": dice.randint(1, 5)},
    )


@pytest.mark.parametrize("seed", range(25 * TIMES))
def test_the_order_on_disk_changes_nothing_in_random_packs(seed: int) -> None:
    dice = random.Random(seed)
    files = random_files(dice)
    one, other = (build_pack(found, pattern_engine="builtin") for found in (files, rewritten(files, dice)))
    assert decisions(one, seed, 25) == decisions(other, seed, 25)


PROGRAM = """
import hashlib, sys
from app.engine.pack import load_pack
from pathlib import Path
from tests.properties.test_determinism import decisions
pack = load_pack(Path("."), pattern_engine=sys.argv[1])
print(pack.digest, hashlib.sha256(b"".join(decisions(pack, 5, 150))).hexdigest())
"""


def in_a_process(engine: str, hash_seed: str) -> str:
    """What another process decides."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT), "WANLIU_TEST_TIMES": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, engine], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return done.stdout


def test_processes_hash_seeds_and_matchers_decide_alike() -> None:
    """Two processes, hash seeds 0 and 1, durable_rules and our own matcher: equal bytes of decisions and explanations."""
    engines = ("builtin", "durable") if durable_available() else ("builtin", "builtin")
    assert in_a_process(engines[0], "0") == in_a_process(engines[1], "1")


def test_deciding_twice_in_one_process_gives_equal_bytes() -> None:
    """Nothing that is remembered between decisions shows."""
    assert decisions(shipped(), 6, 150) == decisions(shipped(), 6, 150)


def test_the_order_of_histories_and_sets_does_not_matter() -> None:
    """Events and contacts in any order, sets in any order: the same decision."""
    pack, dice = shipped(), random.Random(3)
    for case in cases(pack, 8, 200 * TIMES):
        subscriber = case.subscriber
        mixed = {
            name: tuple(dice.sample(rows, len(rows))) for name in ("events", "contacts") if (rows := getattr(subscriber, name)) is not None
        }
        other = type(case)(**{**{name: getattr(case, name) for name in case.__slots__}, "subscriber": subscriber.model_copy(update=mixed)})
        assert decide(pack, other).as_json() == decide(pack, case).as_json()
