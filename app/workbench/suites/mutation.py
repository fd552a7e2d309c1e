"""Which changes of a pack its tests would not notice: every mutant is built and decided until an expectation fails."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from app.engine.decide import decide
from app.engine.pack import Pack
from app.workbench.suites.bench import Bench, without_contact
from app.workbench.suites.comparing import holds
from app.workbench.suites.coverage import percent
from app.workbench.suites.loading import load
from app.workbench.suites.model import Expectation, Test
from app.workbench.suites.mutants import KINDS, Kind, Mutant, mutants, readers
from app.workbench.suites.remaking import Remaker
from app.workbench.suites.running import Decided
from app.workbench.suites.sharing import shared

WORTH_A_PROCESS = 60
"""Mutants that one process tries in about the time that another takes to start."""
_CHUNK = 8
_ABOUT_ACTIONS = ("offered", "not_offered", "reasons", "says", "tariffs", "concessions")


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a mutant: the number of the test that noticed it, or none."""

    mutant: int
    noticed_by: int | None


@dataclass(frozen=True, slots=True)
class Mutation:
    """The mutants that were tried, those that no test noticed, and how many of each kind there were and survived."""

    tried: int
    survivors: tuple[Mutant, ...]
    counts: Mapping[Kind, tuple[int, int]]

    @property
    def percent(self) -> float:
        """Share of the mutants that survived, in percent."""
        return percent(len(self.survivors), self.tried) if self.tried else 0.0


def summed(tried: Sequence[Mutant], trials: Iterable[Trial]) -> Mutation:
    """The outcome of trials."""
    unnoticed = {trial.mutant for trial in trials if trial.noticed_by is None}
    survivors = tuple(item for item in tried if item.number in unnoticed)
    all_of_them, left = Counter(item.kind for item in tried), Counter(item.kind for item in survivors)
    return Mutation(len(tried), survivors, {kind: (all_of_them[kind], left[kind]) for kind in KINDS if all_of_them[kind]})


class Trying:
    """Tries mutants of one pack on some of its tests, all of which pass on the pack itself."""

    def __init__(self, bench: Bench, tests: Sequence[Test]) -> None:
        self.bench, self.tests = bench, [_cheap_first(test) for test in tests]
        self.mutants = mutants(bench)
        self.readers = readers(bench.home, bench.jurisdictions)
        self.spoken = {test.number: spoken_of(test) for test in tests}
        self.said = {number: names | _places(names) for number, names in self.spoken.items()}
        self._remakers: dict[str, Remaker] = {}
        self._orders: dict[frozenset[str], list[Test]] = {}

    def narrowed(self) -> list[Mutant]:
        """The mutants of parts that the tests speak of, or of what those rest on."""
        spoken = frozenset().union(*self.spoken.values())
        of_parts = frozenset(name for name in spoken if name.partition(":")[0] not in ("stage", "phase")) or spoken
        return [mutant for mutant in self.mutants if self.touched(mutant) & of_parts]

    def touched(self, mutant: Mutant) -> frozenset[str]:
        """The parts that a mutant may change the outcome of."""
        return mutant.owners.union(*(self.readers.get(owner, frozenset()) for owner in mutant.owners))

    def trial(self, mutant: Mutant) -> Trial:
        """Build a mutant and run tests on it until one fails: first those that speak of what it may change."""
        packs: dict[tuple[str, bool], Pack] = {}
        try:
            for test in self.ordered(self.touched(mutant)):
                if mutant.jurisdiction is not None and mutant.jurisdiction != test.jurisdiction:
                    continue
                pack = self.pack(mutant, test, packs)
                if not holds(Decided(pack, test, decide(pack, test.case))):
                    return Trial(mutant.number, test.number)
        except Exception:  # noqa: BLE001 - a mutant that cannot be built or decided at all was noticed
            return Trial(mutant.number, -1)
        return Trial(mutant.number, None)

    def ordered(self, touched: frozenset[str]) -> list[Test]:
        """The tests, those first that speak of the most of these parts. Of stages, phases and moments one is had for another."""
        if touched not in self._orders:
            either = _places(touched)
            self._orders[touched] = sorted(self.tests, key=lambda test: -len(self.said[test.number] & (touched | either)))
        return self._orders[touched]

    def pack(self, mutant: Mutant, test: Test, packs: dict[tuple[str, bool], Pack]) -> Pack:
        """The mutant as a test wants it."""
        key = test.jurisdiction, test.guardrails_alone
        if key not in packs:
            if test.guardrails_alone:
                whole = replace(test, guardrails_alone=False)
                packs[key] = without_contact(self.pack(mutant, whole, packs))
            else:
                packs[key] = self.made(mutant, test.jurisdiction)
        return packs[key]

    def made(self, mutant: Mutant, jurisdiction: str) -> Pack:
        """The mutant's pack under a jurisdiction."""
        remaker = self.remaker(jurisdiction)
        made = remaker.pack
        if mutant.fallback is not None:
            made = _without_fallback(made, *mutant.fallback)
        elif mutant.trees or mutant.opened or mutant.joins:
            made = remaker.with_trees(mutant.trees, mutant.opened, mutant.joins)
        return replace(made, jurisdiction=jurisdiction)

    def remaker(self, jurisdiction: str) -> Remaker:
        """What makes packs under a jurisdiction."""
        if jurisdiction not in self._remakers:
            self._remakers[jurisdiction] = Remaker(self.bench.parts(jurisdiction), self.bench.files)
        return self._remakers[jurisdiction]

    def prepare(self) -> None:
        """Make what every process needs, before there are several."""
        for test in self.tests:
            self.remaker(test.jurisdiction)


def try_all(
    trying: Trying, wanted: Sequence[Mutant], bench: Bench, suites: Mapping[str, bytes], jobs: int | None = None
) -> Iterator[Trial]:
    """Try mutants, in any order.

    Args:
        trying: what tries them in this process.
        wanted: which ones.
        bench: the pack.
        suites: the files of the tests; other processes load them again.
        jobs: processes. Left out: as many as there are processors, fewer for few mutants.
    """
    count = jobs or min(os.cpu_count() or 1, 1 + len(wanted) // WORTH_A_PROCESS)
    if count <= 1 or len(wanted) < 2:
        yield from map(trying.trial, wanted)
        return
    trying.prepare()
    again = partial(_trying, dict(bench.files), dict(suites), frozenset(test.number for test in trying.tests))
    yield from shared(_tried, [mutant.number for mutant in wanted], trying, again, count, _CHUNK)


def _trying(files: Mapping[str, bytes], suites: Mapping[str, bytes], wanted: frozenset[int]) -> Trying:
    bench = Bench(files)
    return Trying(bench, [test for test in load(suites, bench).tests if test.number in wanted])


def _tried(trying: Trying, number: int) -> Trial:
    return trying.trial(trying.mutants[number])


def spoken_of(test: Test) -> frozenset[str]:
    """The parts that a test's expectations name."""
    return frozenset(name for item in test.expectations for name in _names(item))


def _places(names: Iterable[str]) -> frozenset[str]:
    """The kinds of place that parts belong to."""
    return frozenset(name.partition(":")[0] for name in names) & {"stage", "phase", "moment"}


def _names(item: Expectation) -> Iterator[str]:
    if item.kind == "signals":
        yield f"signal:{item.name}"
    elif item.kind == "facts":
        yield item.name
    elif item.kind in ("stage", "phase", "moment"):
        yield f"{item.kind}:{item.wanted}"
    elif item.kind in ("actions", "first"):
        wanted = item.wanted if item.kind == "actions" else (item.wanted,)
        yield from (f"action:{action}" for action in wanted)
    elif item.kind in _ABOUT_ACTIONS:
        yield f"action:{item.name}"
    if item.kind == "not_offered" and item.wanted[1]:
        kinds = {"suppressed": "contact", "guardrail": "guardrail"}
        yield f"{kinds.get(item.wanted[0], 'clause')}:{item.wanted[1]}"


def _cheap_first(test: Test) -> Test:
    """With expectations last that need the decision in words."""
    return replace(test, expectations=tuple(sorted(test.expectations, key=lambda item: item.kind in ("reasons", "says", "asks"))))


def _without_fallback(pack: Pack, cause: str, action: str) -> Pack:
    kept = {name: tuple(item for item in actions if (name, item) != (cause, action)) for name, actions in pack.choosing.fallback.items()}
    return replace(pack, choosing=replace(pack.choosing, fallback=kept))
