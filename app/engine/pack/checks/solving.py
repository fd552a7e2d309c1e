"""Is there a subscriber of whom all these hold? A search with a bound: a model, none, or not decided."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.engine.pack.checks.forms import Every, Form, Leaf, Some, Thing, things
from app.engine.pack.checks.values import UNKNOWN, Values, both, without

RUNS = (10_000, 20_000, 40_000, 80_000, 160_000)
"""Steps of one search, each time it begins anew."""
MOST_STEPS_OF_A_PACK = 8_000_000
"""Steps that all searches over one pack may take together."""
DEEPEST_LOOK = 2
"""How far into an alternative a search looks before it takes it."""

Model = dict[Thing, Values]


class NotDecided(Exception):
    """The search took too long."""


class _TooLong(Exception):
    """One run of it did."""


@dataclass
class Effort:
    """What the searches over one pack may still cost, where they have failed, and which alternatives they liked: later ones begin there."""

    left: int = MOST_STEPS_OF_A_PACK
    failed: Counter[int] = field(default_factory=Counter)
    touched: dict[int, frozenset[Thing | str]] = field(default_factory=dict)
    liked: dict[int, Form] = field(default_factory=dict)


@dataclass
class _State:
    """What is asked of each thing so far, which bases are known, and what is still open."""

    model: Model = field(default_factory=dict)
    known: dict[str, bool] = field(default_factory=dict)
    todo: list[Form] = field(default_factory=list)
    open: list[Some] = field(default_factory=list)
    fresh: list[Some] = field(default_factory=list)
    changed: set[Thing | str] = field(default_factory=set)
    chosen: Some | None = None
    taken: Form | None = None
    before: _State | None = None

    def with_one(self, form: Form, without: Some) -> _State:
        """A copy in which one alternative of an open choice was taken."""
        left = [item for item in self.open if item is not without]
        return _State(dict(self.model), dict(self.known), [form], left, chosen=without, taken=form, before=self)


def solve(forms: Iterable[Form], effort: Effort) -> Model | None:
    """What is left to each thing where all forms hold; none where they cannot.

    Raises:
        NotDecided: the search took too long.
    """
    return _Search(effort).run(list(forms))


class _Search:
    def __init__(self, effort: Effort) -> None:
        self.effort, self.spent, self.limit = effort, 0, 0
        self.draw: random.Random | None = None
        self.failed = effort.failed

    def run(self, forms: list[Form]) -> Model | None:
        """Search, and begin anew with what was learnt about where it fails: a wrong first choice is not searched to the end."""
        if self.effort.left <= 0:
            raise NotDecided
        try:
            for steps in RUNS:
                try:
                    return self.once(forms, steps)
                except _TooLong:
                    self.draw = random.Random(steps)
            raise NotDecided
        finally:
            self.effort.left -= self.spent

    def once(self, forms: list[Form], steps: int) -> Model | None:
        """One search of so many steps."""
        self.limit = self.spent + steps
        stack = [_State(todo=list(forms))]
        while stack:
            state = stack.pop()
            if self.settle(state):
                if not state.open:
                    self.like(state)
                    return state.model
                chosen = min(state.open, key=self.weight)
                stack += [state.with_one(item, chosen) for item in self.ordered(chosen)]
            elif state.chosen is not None:
                self.failed[id(state.chosen)] += 1
        return None

    def weight(self, form: Some) -> int:
        """The smaller, the sooner it is decided: few alternatives, and often the place where searches failed."""
        return len(form.items) - 2 * self.failed[id(form)]

    def ordered(self, form: Some) -> list[Form]:
        """Its alternatives, the last to be tried first."""
        found = list(reversed(form.items))
        if self.draw is not None:
            self.draw.shuffle(found)
        liked = self.effort.liked.get(id(form))
        found.sort(key=lambda item: item is liked)
        return found

    def like(self, state: _State) -> None:
        """Keep in mind which alternatives led to a model."""
        step: _State | None = state
        while step is not None:
            if step.chosen is not None and step.taken is not None:
                self.effort.liked[id(step.chosen)] = step.taken
            step = step.before

    def spend(self) -> None:
        self.spent += 1
        if self.spent > min(self.limit, self.effort.left):
            raise NotDecided if self.spent > self.effort.left else _TooLong

    def settle(self, state: _State) -> bool:
        """Take in what must hold; false where it cannot."""
        while state.todo or state.fresh:
            if not self.take(state) or not self.narrow(state):
                return False
        return True

    def take(self, state: _State) -> bool:
        while state.todo:
            self.spend()
            form = state.todo.pop()
            if isinstance(form, Leaf):
                if not _assign(state, form.thing, form.values):
                    return False
            elif isinstance(form, Every):
                state.todo += form.items
            elif not form.items:
                return False
            else:
                state.fresh.append(form)
        return True

    def narrow(self, state: _State) -> bool:
        """Drop open choices that hold already, and take those with one alternative left; only what may have changed is looked at."""
        concerned, calm = list(state.fresh), list[Some]()
        for form in state.open:
            (calm if self.touched(form).isdisjoint(state.changed) else concerned).append(form)
        state.open, state.fresh = calm, []
        state.changed.clear()
        for form in concerned:
            alive = self.alive(state, form)
            if alive is None:
                continue
            if not alive:
                self.failed[id(form)] += 1
                return False
            if len(alive) == 1:
                state.todo.append(alive[0])
            else:
                state.open.append(form)
        return True

    def touched(self, form: Some) -> frozenset[Thing | str]:
        """Things and bases on which the standing of a choice depends."""
        found = self.effort.touched.get(id(form))
        if found is None:
            inside = things(form)
            self.spent += len(inside)
            found = self.effort.touched[id(form)] = inside | frozenset(base for thing in inside for base in thing.bases)
        return found

    def alive(self, state: _State, form: Some) -> list[Form] | None:
        """The alternatives that may still hold, at most two; none where one holds already."""
        found: list[Form] = []
        self.spend()
        for item in form.items:
            standing = self.standing(state, item, DEEPEST_LOOK)
            if standing is True:
                return None
            if standing is None and len(found) < 2:
                found.append(item)
        return found

    def standing(self, state: _State, form: Form, depth: int) -> bool | None:
        """Does a form hold by what is settled, can it not, or is it open."""
        self.spent += 1
        if isinstance(form, Leaf):
            return _holds(state, form)
        if depth == 0:
            return None
        settles = isinstance(form, Some)
        found: bool | None = not settles
        for item in form.items:
            if isinstance(item, Leaf):  # nearly all of them are
                self.spent += 1
                standing = _holds(state, item)
            else:
                standing = self.standing(state, item, depth - 1)
            if standing is settles:
                return settles
            if standing is None:
                found = None
        return found


def _holds(state: _State, leaf: Leaf) -> bool | None:
    """Is a thing one of these values by what is settled, can it not be, or is that open."""
    present = state.model.get(leaf.thing) or _present(state, leaf.thing)
    left = both(present, leaf.values)
    return True if left is present else False if left.empty else None


def _present(state: _State, thing: Thing) -> Values:
    """What is left to a thing."""
    present = state.model.get(thing, thing.full)
    for base in thing.bases:
        known = state.known.get(base)
        if known is False:
            return both(present, UNKNOWN)
        if known and thing.exact:
            present = without(present, UNKNOWN)
    return present


def _assign(state: _State, thing: Thing, values: Values) -> bool:
    present = _present(state, thing)
    left = both(present, values)
    if left.empty:
        return False
    if left is not present or thing not in state.model:
        state.changed.add(thing)
    state.model[thing] = left
    if not left.unknown:
        return all(_set_known(state, base, True) for base in thing.bases)
    if thing.exact and not left.known:
        return all(_set_known(state, base, False) for base in thing.bases)
    return True


def _set_known(state: _State, base: str, known: bool) -> bool:
    before = state.known.get(base)
    if before is not None:
        return before is known
    state.known[base] = known
    state.changed.add(base)
    concerned = [thing for thing in state.model if base in thing.bases]
    return all(_assign(state, thing, thing.full) for thing in concerned)
