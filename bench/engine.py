"""Measures the engine: deciding with reasons, its gates against zen-engine, and how time grows with rules.

    python bench/engine.py [--n 5000] [--seed 1] [--rounds 7] [--quick]

Prints a table and, as its last line, one JSON object. See docs/performance.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if sys.path[0] == str(ROOT / "bench"):  # in this folder `http` is not the standard library's
    sys.path[0] = str(ROOT)

from rich.console import Console  # noqa: E402 - after the path that makes a script of this folder see the project
from rich.table import Table  # noqa: E402

from app.engine.case import Case  # noqa: E402
from app.engine.decide import decide  # noqa: E402
from app.engine.explain import explain  # noqa: E402
from app.engine.intake import take  # noqa: E402
from app.engine.pack import Pack, load_pack  # noqa: E402
from app.engine.view import sees_evidence  # noqa: E402
from app.engine.vocabulary import DecisionRequest  # noqa: E402
from bench.grown import grown  # noqa: E402
from bench.mixture import CONTENT, ROLE, mixed, watched  # noqa: E402
from bench.timing import machine, quietest  # noqa: E402
from bench.zen_gates import Gates  # noqa: E402
from tests.population import END  # noqa: E402

TROUBLED = 0.45
"""The same share in the population that the tests use: six signals a head, so that each is seen."""
FEW, MANY = 100, 2_000
"""Rules of the two packs between which growth is measured."""

Figures = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    pack = load_pack(ROOT)
    cases = list(islice(mixed(pack, options.seed, CONTENT), options.n))
    figures = deciding(pack, cases, options.rounds) | on_examples(pack, options.rounds)
    figures |= on_the_troubled(pack, list(islice(mixed(pack, options.seed, TROUBLED), options.n)), options.rounds)
    figures |= against_zen(pack, cases[: options.n // 4], options.rounds)
    figures |= growth(cases[: options.n // 10], (FEW, options.most_rules), options.rounds)
    figures |= {"n": options.n, "seed": options.seed, "rounds": options.rounds, "pattern_share": pattern_share(pack, cases)}
    figures |= {"pattern_engine": pattern_engine(pack), "pack": pack.digest, "machine": machine()}
    show(figures)
    print(json.dumps(figures, ensure_ascii=False))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the engine.")
    parser.add_argument("--n", type=int, help="subscribers (5000)")
    parser.add_argument("--seed", type=int, default=1, help="of the population")
    parser.add_argument("--rounds", type=int, help="passes over the population, of which the quietest counts (7)")
    parser.add_argument("--most-rules", type=int, help="rules of the larger pack (2000)")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; for a look, not for figures to keep")
    options = parser.parse_args(arguments)
    options.n = options.n or (200 if options.quick else 5_000)
    options.rounds = options.rounds or (1 if options.quick else 7)
    options.most_rules = options.most_rules or (300 if options.quick else MANY)
    return options


def pattern_share(pack: Pack, cases: Sequence[Case]) -> float:
    return round(sum(watched(pack, case) for case in cases) / len(cases), 4)


def pattern_engine(pack: Pack) -> str:
    return type(pack.matcher).__name__.removesuffix("Matcher").lower()


def deciding(pack: Pack, cases: Sequence[Case], rounds: int) -> Figures:
    """Deciding alone, with the summary of reasons as an agent sees it, with its evidence too, with every reason.

    Warm; the collector is on, what was loaded before is frozen.
    """

    def summary(case: Case) -> None:
        explain(pack, case, decide(pack, case), "summary", evidence=sees_evidence(ROLE))

    def with_evidence(case: Case) -> None:
        explain(pack, case, decide(pack, case), "summary")

    def full(case: Case) -> None:
        explain(pack, case, decide(pack, case), "full")

    for case in cases:
        full(case)
    gc.collect()
    gc.freeze()
    alone = quietest(partial(decide, pack), cases, rounds)
    said, shown = quietest(summary, cases, rounds), quietest(with_evidence, cases, rounds)
    everything = quietest(full, cases, max(rounds // 2, 1))
    return {
        "decide_p50_ms": round(said.p50, 4),
        "decide_p99_ms": round(said.p99, 4),
        "decide_evidence_p50_ms": round(shown.p50, 4),
        "decide_full_p50_ms": round(everything.p50, 4),
        "decide_full_p99_ms": round(everything.p99, 4),
        "decide_alone_p50_ms": round(alone.p50, 4),
        "decisions_per_second": round(said.per_second),
        "decisions_per_second_full": round(everything.per_second),
    }


def on_the_troubled(pack: Pack, cases: Sequence[Case], rounds: int) -> Figures:
    """Deciding with the summary of reasons on the tests' population, where most people have several things amiss."""

    def summary(case: Case) -> None:
        explain(pack, case, decide(pack, case), "summary", evidence=sees_evidence(ROLE))

    gc.collect()
    gc.freeze()
    said = quietest(summary, cases, rounds)
    return {"troubled_p50_ms": round(said.p50, 4), "troubled_p99_ms": round(said.p99, 4)}


def on_examples(pack: Pack, rounds: int) -> Figures:
    """The same on `examples/`: people with one or two things to see to, where the population has many of everything."""
    bodies = [json.loads(path.read_bytes()) for path in sorted((ROOT / "examples").glob("*.json"))]
    cases = [take(pack, DecisionRequest.model_validate(body | {"mode": "what_if"}), now=END, role=ROLE) for body in bodies]
    found = quietest(lambda case: explain(pack, case, decide(pack, case), "summary", evidence=sees_evidence(ROLE)), cases * 20, rounds)
    return {"examples_p50_ms": round(found.p50, 4), "examples_p99_ms": round(found.p99, 4), "examples": len(cases)}


def against_zen(pack: Pack, cases: Sequence[Case], rounds: int) -> Figures:
    """The gates alone, on the same tables and prepared inputs. Every outcome of every clause is compared before anything is timed."""
    try:
        import zen
    except ImportError:
        return {"gates_times_zen": None, "gates_times_zen_one_table": None, "gates_times_zen_expressions": None}
    gates = Gates(pack)
    inputs = gates.prepared(cases)
    engine = zen.ZenEngine()
    forms = {
        "gates_times_zen": (engine.create_decision(gates.tables()), gates.held_in_tables),
        "gates_times_zen_one_table": (engine.create_decision(gates.one_table()), gates.held_in_one),
        "gates_times_zen_expressions": (engine.create_decision(gates.expressions()), gates.held_in_one),
    }
    for item in inputs:
        gates.ours(item)
        for name, (decision, held) in forms.items():
            if held(decision.evaluate(item.context)["result"]) != gates.held(item):
                raise AssertionError(f"zen-engine and we disagree on a gate ({name})")
    ours = quietest(gates.ours, inputs, rounds)
    theirs = {name: quietest(_evaluating(decision), inputs, rounds) for name, (decision, _) in forms.items()}
    return {name: round(found.p50 / ours.p50, 1) for name, found in theirs.items()} | {
        "gates_ours_us": round(ours.p50 * 1_000, 2),
        "gates_zen_us": round(theirs["gates_times_zen"].p50 * 1_000, 1),
        "gates_clauses": len(gates.clauses),
        "gates_compared": len(inputs) * len(gates.clauses),
    }


def _evaluating(decision: Any) -> Any:
    return lambda item: decision.evaluate(item.context)


def growth(cases: Sequence[Case], sizes: tuple[int, int], rounds: int) -> Figures:
    """Time of `decide` on packs of generated rules: how much more for so many times the rules."""
    taken = {}
    for size in sizes:
        pack = grown(size)
        for case in cases:
            decide(pack, case)
        taken[size] = quietest(partial(decide, pack), cases, rounds).mean
    few, many = sizes
    return {
        "rules_growth": round(taken[many] / taken[few] / (many / few), 3),
        "rules_few": few,
        "rules_many": many,
        "decide_few_rules_ms": round(taken[few], 4),
        "decide_many_rules_ms": round(taken[many], 4),
    }


def show(figures: Figures) -> None:
    table = Table("figure", "value", "to hold", title="Wanliu engine", title_justify="left")
    held = {"decide_p50_ms": "< 0.3", "gates_times_zen": "≥ 40", "rules_growth": "≤ 1"}
    for name, value in figures.items():
        if not isinstance(value, dict):
            table.add_row(name, "not measured" if value is None else str(value), held.get(name, ""))
    for name, value in figures["machine"].items():
        table.add_row(name, str(value), "")
    Console().print(table)


if __name__ == "__main__":
    main()
