"""Which changes of a pack its tests would not notice: every mutant is built and decided until an expectation fails."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

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
        """The tests, those first that speak of the most of these parts."""
        if touched not in self._orders:
            self._orders[touched] = sorted(self.tests, key=lambda test: -len(self.spoken[test.number] & touched))
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
        if jurisdiction not in self._remakers:
            self._remakers[jurisdiction] = Remaker(self.bench.parts(jurisdiction), self.bench.files)
        remaker = self._remakers[jurisdiction]
        if mutant.fallback is not None:
            return _without_fallback(remaker.pack, *mutant.fallback)
        return remaker.with_trees(mutant.trees, mutant.opened, mutant.joins)


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
    numbers = [test.number for test in trying.tests]
    given = (dict(bench.files), dict(suites), numbers)
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _Worker.start, given) as pool:
        yield from pool.map(_Worker.trial, [mutant.number for mutant in wanted], chunksize=_CHUNK)


class _Worker:
    """What a child process keeps between mutants."""

    trying: Trying

    @classmethod
    def start(cls, files: Mapping[str, bytes], suites: Mapping[str, bytes], numbers: Sequence[int]) -> None:
        """Build the pack and load the tests once."""
        bench, wanted = Bench(files), set(numbers)
        cls.trying = Trying(bench, [test for test in load(suites, bench).tests if test.number in wanted])

    @classmethod
    def trial(cls, number: int) -> Trial:
        """Try the mutant of that number."""
        return cls.trying.trial(cls.trying.mutants[number])


def spoken_of(test: Test) -> frozenset[str]:
    """The parts that a test's expectations name."""
    return frozenset(name for item in test.expectations for name in _names(item))


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
